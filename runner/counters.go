package runner

import (
	"os"

	"netab/results"
	"netab/results/crew"
	"netab/runner/probe"
	"netab/runner/traffic"
)

// A moment is the machine's counters at an edge of a session.
type moment struct {
	at        int64
	machine   probe.Machine
	processes probe.Processes
	throttle  probe.Throttle
}

func (r *run) before(setups []*live) (m moment, err error) {
	m.at = traffic.Now()
	var g crew.Crew
	for _, l := range setups {
		g.Go(func() (err error) { l.before, err = l.snapshot(); return err })
	}
	if err := g.Wait(); err != nil {
		return m, err
	}
	if m.processes, err = probe.ReadProcesses(r.machine); err != nil {
		return m, err
	}
	if m.throttle, err = probe.ReadThrottle(r.machine); err != nil {
		return m, err
	}
	m.machine, err = probe.ReadMachine(r.machine)
	return m, err
}

// after reads in the opposite order of before, so that reading itself is
// inside as little as possible.
func (r *run) after(setups []*live, before moment) (results.HostDelta, error) {
	machine, err := probe.ReadMachine(r.machine)
	if err != nil {
		return results.HostDelta{}, err
	}
	throttle, err := probe.ReadThrottle(r.machine)
	if err != nil {
		return results.HostDelta{}, err
	}
	processes, err := probe.ReadProcesses(r.machine)
	if err != nil {
		return results.HostDelta{}, err
	}
	var g crew.Crew
	for _, l := range setups {
		g.Go(func() error {
			after, err := l.snapshot()
			switch {
			case err != nil && l.failed != nil: // its agents may be gone
				return nil
			case err != nil:
				return err
			}
			l.differences(after)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return results.HostDelta{}, err
	}
	d := machine.HostDelta(before.machine)
	for _, l := range setups {
		d.OwnNS += l.ownCPU()
	}
	d.ThrottledNS = throttle.Sub(before.throttle).NS
	foreign := processes.Foreign(before.processes, []int{os.Getpid()}, namedForeign)
	d.ForeignNS = foreign.TotalNS
	for _, p := range foreign.Top {
		addForeign(&d, results.ForeignUse{Name: p.Name, NS: p.CPUNS})
	}
	return d, nil
}

// namedForeign processes are named of those that disturb.
const namedForeign = 3

func addForeign(d *results.HostDelta, use results.ForeignUse) {
	for i := range d.ForeignTop {
		if d.ForeignTop[i].Name == use.Name {
			d.ForeignTop[i].NS += use.NS
			return
		}
	}
	d.ForeignTop = append(d.ForeignTop, use)
}

// addHost sums what the machine did over the sessions of a trial.
func addHost(sum *results.HostDelta, d results.HostDelta) {
	if sum.CPUs == nil {
		*sum = d
		return
	}
	sum.OwnNS += d.OwnNS
	sum.ForeignNS += d.ForeignNS
	sum.StealNS += d.StealNS
	for _, use := range d.ForeignTop {
		addForeign(sum, use)
	}
	sum.ThrottledNS += d.ThrottledNS
	for i := range sum.CPUs {
		for _, c := range d.CPUs {
			if c.CPU == sum.CPUs[i].CPU {
				sum.CPUs[i].Add(c)
			}
		}
	}
}
