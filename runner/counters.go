package runner

import (
	"os"
	"slices"

	"netab/results"
	"netab/results/crew"
	"netab/runner/place"
	"netab/runner/probe"
	"netab/runner/traffic"
)

// A moment is the counters of a place's machine at an edge of a session.
type moment struct {
	place     place.Place
	at        int64
	machine   probe.Machine
	processes probe.Processes
}

// before is a moment of each place.
func (r *run) before(setups []*live) (all []moment, err error) {
	began := traffic.Now()
	var g crew.Crew
	for _, l := range setups {
		g.Go(func() (err error) { l.before, err = l.snapshot(); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, p := range r.at.Each() {
		m := moment{place: p, at: began}
		if m.processes, err = probe.ReadProcesses(p.Host()); err != nil {
			return nil, err
		}
		if m.machine, err = probe.ReadMachine(p.Host()); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// after reads in the opposite order of before, so that reading itself is
// inside as little as possible.
func (r *run) after(setups []*live, before []moment) (hostDeltas, error) {
	later := make([]moment, len(before))
	for i, b := range slices.Backward(before) {
		m, err := &later[i], error(nil)
		if m.machine, err = probe.ReadMachine(b.place.Host()); err != nil {
			return nil, err
		}
		if m.processes, err = probe.ReadProcesses(b.place.Host()); err != nil {
			return nil, err
		}
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
		return nil, err
	}
	var out hostDeltas
	for i, m := range later {
		out = append(out, hostDelta{before[i].place, m.since(before[i], setups)})
	}
	return out, nil
}

// since is what a machine did between two moments.
func (m *moment) since(before moment, setups []*live) results.HostDelta {
	d := m.machine.HostDelta(before.machine)
	d.Place = before.place.Name()
	own := []int{os.Getpid()} // and the agents, which descend from it
	if d.Place != "" {
		own = nil
	}
	for _, l := range setups {
		d.OwnNS += l.ownCPU(before.place)
		for _, a := range l.built.Agents() {
			if d.Place != "" && l.built.PlaceOf(a) == before.place {
				own = append(own, a.PID())
			}
		}
	}
	foreign := m.processes.Foreign(before.processes, own, namedForeign)
	d.ForeignNS = foreign.TotalNS
	for _, p := range foreign.Top {
		d.AddForeign(results.ForeignUse{Name: p.Name, NS: p.CPUNS, Kernel: p.Kernel})
	}
	return d
}

// hostDeltas are what the machines of a run's places did, the first place's first.
type hostDeltas []hostDelta

type hostDelta struct {
	place place.Place
	results.HostDelta
}

// ofThisProcess adds what the runner itself used, on its own machine.
func (d hostDeltas) ofThisProcess(ns int64) {
	for i := range d {
		if d[i].Place == "" {
			d[i].OwnNS += ns
		}
	}
}

// cpusOf are what the CPUs of some places did.
func (d hostDeltas) cpusOf(places []place.Place) (out []results.CPUDelta) {
	for _, h := range d {
		if slices.Contains(places, h.place) {
			out = append(out, h.CPUs...)
		}
	}
	return out
}

// addTo adds them to what they did in the trial's sessions before.
func (d hostDeltas) addTo(t *results.Trial) {
	for i, h := range d {
		if i == 0 {
			t.Host.Add(h.HostDelta)
			continue
		}
		if len(t.Others) < i {
			t.Others = append(t.Others, results.HostDelta{})
		}
		t.Others[i-1].Add(h.HostDelta)
	}
}

// namedForeign processes are named of those that disturb.
const namedForeign = 3
