package runner

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"netab/results/vocab"
	"netab/scenarios"
)

// arrange makes the plan of what was found: who shares what, and at which grain arms
// take turns. It asks nobody, and equal findings make equal plans.
func arrange(o Options, f *found) (*plan, error) {
	p := &plan{arms: o.Arms, slice: o.Slice, settle: o.Settle, warmup: warmupOf(o.Arms), shared: f.shared, devices: f.devices, notes: f.notes}
	p.fillShared()
	p.group(f.own)
	p.chooseGrain(o.Trial)
	if o.WholeTrials && p.grain != vocab.ByTrial {
		p.grain, p.reason = vocab.ByTrial, "measure.grain asks for whole trials"
	}
	if err := p.heedClocks(f.clocks); err != nil {
		return nil, err
	}
	return p, p.countEnough(o.MaxTime)
}

// heedClocks refuses settle parts in which the two sides need not agree that the
// arm has changed: half of one is for what was under way.
func (p *plan) heedClocks(bounds []clockBound) error {
	for _, b := range bounds {
		if 2*b.bound > p.settle {
			return fmt.Errorf("the clock of %s is known to %v only, and of a settle part of %v half at most may be lost to that: set measure.settle longer", b.place, b.bound, p.settle)
		}
	}
	return nil
}

// unset marks an arm that does not name a shared knob until fillShared gives
// it the value that the machine has.
const unset = "\x00"

func (p *plan) fillShared() {
	for _, s := range p.shared {
		for i, v := range s.values {
			if v == unset {
				s.values[i] = s.before
			}
		}
	}
}

// group makes the setups: one an arm, but where knobs are switched on live
// flows, one for all arms that are the same apart from those knobs.
func (p *plan) group(own [][]scenarios.Knob) {
	switching := slices.ContainsFunc(p.shared, func(s *switched) bool { return !s.constant() })
	for i, arm := range p.arms {
		if switching {
			if s := p.sameAs(arm, own[i]); s != nil {
				s.arms = append(s.arms, i)
				continue
			}
		}
		p.setups = append(p.setups, &setup{arms: []int{i}, arm: arm, own: own[i]})
	}
}

func (p *plan) sameAs(arm scenarios.Arm, own []scenarios.Knob) *setup {
	for _, s := range p.setups {
		a, b := s.arm.Config, arm.Config
		if reflect.DeepEqual(a.Topology, b.Topology) && reflect.DeepEqual(a.Traffic, b.Traffic) &&
			reflect.DeepEqual(s.arm.CPUs, arm.CPUs) && sameSettings(s.own, own) {
			return s
		}
	}
	return nil
}

// sameSettings compares what is set, in whatever order and wherever it is written.
func sameSettings(a, b []scenarios.Knob) bool {
	bare := func(knobs []scenarios.Knob) []scenarios.Knob {
		out := slices.Clone(knobs)
		for i := range out {
			out[i].Pos = scenarios.Pos{}
		}
		slices.SortFunc(out, func(a, b scenarios.Knob) int {
			return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Name, b.Name))
		})
		return out
	}
	return slices.Equal(bare(a), bare(b))
}

// chooseGrain takes the finest grain that the switched knobs allow, and slices
// long enough for the slowest of them to settle.
func (p *plan) chooseGrain(trial time.Duration) {
	p.grain, p.reason = vocab.BySlice, "every setting belongs to a namespace of the arm's own"
	var slowest *switched
	for _, s := range p.shared {
		if s.constant() {
			continue
		}
		if slowest == nil || rank(s) > rank(slowest) {
			slowest = s
		}
	}
	if slowest != nil {
		p.grain = vocab.BySliceSwitched
		p.reason = fmt.Sprintf("%s is shared (%s): switched at slice boundaries", slowest.knob, slowest.knob.Scope())
		if slowest.knob.SlowSwitch() {
			p.grain = vocab.ByTrial
			p.reason = fmt.Sprintf("%s disturbs live flows when it changes: switched between setups", slowest.knob)
		}
		if settle := slowest.knob.Settle(); settle > p.settle && p.grain == vocab.BySliceSwitched {
			p.slice, p.settle = max(p.slice, 4*settle), settle
		}
	}
	p.blocks = blocksPerTrial(trial, p.slice, len(p.arms))
}

func rank(s *switched) time.Duration {
	if s.knob.SlowSwitch() {
		return time.Hour
	}
	return s.knob.Settle()
}
