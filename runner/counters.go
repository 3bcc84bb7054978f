package runner

import (
	"os"

	"netab/results"
	"netab/runner/probe"
	"netab/runner/traffic"
)

// A moment is the machine's counters at an edge of a session.
type moment struct {
	at        int64
	machine   probe.Machine
	processes probe.Processes
}

func (r *run) before(setups []*live) (m moment, err error) {
	m.at = traffic.Now()
	for _, l := range setups {
		if l.before, err = l.snapshot(); err != nil {
			return m, err
		}
	}
	if m.processes, err = probe.ReadProcesses(r.machine); err != nil {
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
	processes, err := probe.ReadProcesses(r.machine)
	if err != nil {
		return results.HostDelta{}, err
	}
	for _, l := range setups {
		after, err := l.snapshot()
		if err != nil {
			return results.HostDelta{}, err
		}
		l.differences(after)
	}
	d := machine.HostDelta(before.machine)
	for _, l := range setups {
		d.OwnNS += l.ownCPU()
	}
	d.ForeignNS = processes.Foreign(before.processes, []int{os.Getpid()}, 0).TotalNS
	return d, nil
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
	for i := range sum.CPUs {
		for _, c := range d.CPUs {
			if c.CPU == sum.CPUs[i].CPU {
				sum.CPUs[i].Add(c)
			}
		}
	}
}
