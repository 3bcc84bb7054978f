package runner

import (
	"errors"
	"fmt"
	"time"

	"netab/results"
	"netab/results/crew"
	"netab/runner/agent"
	"netab/runner/probe"
	"netab/runner/topology"
	"netab/runner/traffic"
)

// A live setup is a setup with its processes, namespaces and sockets.
type live struct {
	*setup
	built    *topology.Built
	phase    float64 // of an interval, by which paced sources begin: drawn for each trial
	groups   []group
	settings []results.Setting
	before   map[*agent.Agent]probe.Namespace
	net      map[*agent.Agent]probe.Namespace // differences, after run
	reports  map[*agent.Agent]*traffic.Report
	late     time.Duration  // by which some agent knew its schedule too late
	failed   error          // what ended the arm's traffic
	quota    *traffic.Quota // nil = it works off a schedule
}

// prepare applies the setup's own knobs and opens its sockets.
func (l *live) prepare() error {
	var err error
	if l.settings, err = applyOwn(l.built, l.own); err != nil {
		return err
	}
	return l.openSockets()
}

// snapshot reads the counters of the setup's namespaces.
func (l *live) snapshot() (map[*agent.Agent]probe.Namespace, error) {
	agents := l.built.Agents()
	read := make([]probe.Namespace, len(agents))
	var g crew.Crew
	for i, a := range agents {
		g.Go(func() (err error) { read[i], err = a.Counters(); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := map[*agent.Agent]probe.Namespace{}
	for i, a := range agents {
		out[a] = read[i]
	}
	return out, nil
}

// run lets all agents of the setup work off its turns. What befalls the traffic
// is the arm's own failure; an error is of the machine, or of netab.
func (l *live) run(turns []turn, start int64, settle time.Duration) error {
	agents := l.built.Agents()
	reports := make([]*traffic.Report, len(agents))
	errs := make([]error, len(agents))
	var g crew.Crew
	for i, a := range agents {
		at := l.built.PlaceOf(a).Clock().There(start)
		w := windows(turns, l.arms, at, settle)
		g.Go(func() error { reports[i], errs[i] = a.Run(w, at+turns[len(turns)-1].end); return nil })
	}
	_ = g.Wait() // errors are the agents' own
	l.reports = map[*agent.Agent]*traffic.Report{}
	var faults []error
	for i, a := range agents {
		if r := reports[i]; r != nil {
			l.reports[a] = r
			l.late = max(l.late, time.Duration(r.Late))
			if r.Fault != "" {
				faults = append(faults, fmt.Errorf("arm %s: %s", l.arm.Name, r.Fault))
			}
		}
	}
	l.failed = errors.Join(errs...)
	return errors.Join(faults...)
}
