package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/place"
	"netab/scenarios"
)

// A setup is one built topology with its sockets. It serves one arm, or, where
// arms differ only in switched knobs, all arms that are otherwise the same: a
// live flow that the switch alone changes.
type setup struct {
	arms []int
	arm  scenarios.Arm // the first of arms: topology, traffic and placement of all
	own  []scenarios.Knob
}

// A switched knob is shared by several arms: it is written whenever the arm
// whose turn begins wants another value than the one before.
type switched struct {
	knob  knob.Knob
	place place.Place
	// home is where it is found before the run, borrowed and put back. A device that is
	// moved meanwhile has its knobs written on its own side.
	home   host.Host
	side   side
	values []string         // by arm
	from   []scenarios.Knob // by arm: where the value is written; zero where the arm does not name it
	before string           // value for arms that do not name it
}

// A side of a topology of existing interfaces, on which a shared knob is to be
// written; 0 = the machine.
type side int

const (
	sourceSide side = iota + 1
	sinkSide
)

// told is a setting of an arm as records show it.
func (s switched) told(set results.Setting, arm int) results.Setting {
	set.Before = s.before
	if knob.IsSecret(s.knob) {
		set.Before = knob.Kept
		if s.from[arm].Family == "" { // what it is set to is what it was
			set.Asked, set.After = knob.Kept, knob.Kept
		}
	}
	return set
}

func (s switched) constant() bool {
	return !slices.ContainsFunc(s.values, func(v string) bool { return !s.knob.Equal(v, s.values[0]) })
}

// A plan is what will be done: who shares what, and at which grain arms take
// turns. Making it changes nothing outside of namespaces of our own.
type plan struct {
	arms          []scenarios.Arm
	setups        []*setup
	shared        []*switched // in the order of their first use; constants included
	grain         vocab.Grain
	reason        string
	slice, settle time.Duration
	warmup        time.Duration // of each fresh flow
	blocks        int
	counters      *results.CounterPlan // nil = none are read at slices' edges
	devices       devices              // of the first arm
	notes         []string             // for the user, before anything is changed
}

// makePlan asks the places what there is, and arranges the arms by it.
func makePlan(ctx context.Context, o Options, at place.Pair) (*plan, error) {
	for _, arm := range o.Arms {
		if faults := scenarios.Unasked(arm.Knobs, o.AllowSysctl); len(faults) > 0 {
			return nil, fmt.Errorf("arm %s: %w", arm.Name, faults)
		}
	}
	f, err := discover(ctx, o.Arms, at)
	if err != nil {
		return nil, err
	}
	p, err := arrange(o, f)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, at := range f.rooms {
		errs = append(errs, p.fits(o.MaxTime, at.files, at.limits))
	}
	return p, errors.Join(errs...)
}

// record returns the plan as the run file keeps it.
func (p *plan) record() results.Plan {
	return results.Plan{Grain: p.grain, Reason: p.reason, SliceNS: int64(p.slice), SettleNS: int64(p.settle), BlocksPerTrial: p.blocks, WarmupNS: int64(p.warmup), Counters: p.counters}
}
