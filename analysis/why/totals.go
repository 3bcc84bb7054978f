package why

import (
	"maps"
	"slices"

	"netab/results"
	"netab/results/vocab"
)

// A unit is what time is told per.
type unit struct {
	name string
	of   func(*results.Counts) float64
}

// unitOf is a transaction where both arms have them, a message where they are
// datagrams of one size, else a KiB of what was received.
func unitOf(a, b results.Arm) unit {
	switch {
	case a.Kind.Answers() && b.Kind.Answers():
		return unit{"ns/transaction", func(c *results.Counts) float64 { return float64(c.Transactions) }}
	case a.Kind.Transacts() && b.Kind.Transacts(), a.Protocol.Datagrams() && b.Protocol.Datagrams() && a.Message == b.Message:
		return unit{"ns/message", func(c *results.Counts) float64 { return float64(c.RxMsgs) }}
	}
	return unit{"ns/KiB", func(c *results.Counts) float64 { return float64(c.RxBytes) / 1024 }}
}

// sums are of some slices of an arm.
type sums struct {
	wall   float64
	counts results.Counts
	ns     [2]map[string]float64 // by role, then context
	events [2]map[string]float64
	cpu    [2]float64 // as schedstat has it
	user   [2]float64 // of "task", in user space
	arm    int
	// sampled, which costs besides.
	sampled bool
}

func (s sums) units(u unit) float64 { return u.of(&s.counts) }

func (s sums) roleNS(role int) (ns float64) {
	for _, n := range s.ns[role] {
		ns += n
	}
	return ns
}

func (s sums) eventsOf(role int) (n float64) {
	for _, of := range s.events[role] {
		n += of
	}
	return n
}

func (s *sums) add(e *results.ExplainSlice) {
	s.wall += float64(e.CountedNS)
	s.counts = s.counts.Plus(e.Counts)
	s.cpu[0] += float64(e.SourceCPU)
	s.cpu[1] += float64(e.SinkCPU)
	for r, t := range []*results.RoleTime{e.Source, e.Sink} {
		if t == nil {
			continue
		}
		if s.ns[r] == nil {
			s.ns[r], s.events[r] = map[string]float64{}, map[string]float64{}
		}
		for context, ns := range t.NS {
			s.ns[r][context] += float64(ns)
		}
		for context, n := range t.Events {
			s.events[r][context] += float64(n)
		}
		if t.UserNS != nil {
			s.user[r] += float64(*t.UserNS)
		}
	}
}

// An armSums is an arm with the accounting, and without; split is with it and with
// system calls told, which cost more.
type armSums struct{ on, off, split sums }

// A trial is what the arms did in an explain trial.
type trial struct {
	index       int // of the record
	arms        map[int]*armSums
	cpus        map[int][]results.ExplainCPU // by arm
	samples     map[int]*sampled             // by arm; nil = none were taken
	sampledRole vocab.Owner
}

func (t trial) of(arm int) armSums {
	if a := t.arms[arm]; a != nil {
		return *a
	}
	return armSums{}
}

// trialsOf are those that tell something.
func trialsOf(run *results.Run) (out []trial) {
	return trialsIn(run, func(int, *results.ExplainSlice) bool { return true })
}

// trialsIn are those of some slices. What is recorded of a trial as a whole (samples, and
// whose the CPUs were) is left out unless all accounted slices of the arm are of them.
func trialsIn(run *results.Run, in func(trial int, s *results.ExplainSlice) bool) (out []trial) {
	for i := range run.Explains {
		x := &run.Explains[i]
		if x.Invalid != "" || x.Instrument == vocab.Events {
			continue
		}
		t, parted := trial{index: i, arms: map[int]*armSums{}, cpus: map[int][]results.ExplainCPU{}}, map[int]bool{}
		for j := range x.Slices {
			s := &x.Slices[j]
			if s.Invalid != "" || s.Between || s.CountedNS <= 0 || s.Arm < 0 || s.Arm >= len(run.Header.Design.Arms) {
				continue
			}
			if !in(i, s) {
				parted[s.Arm] = parted[s.Arm] || s.Source != nil
				continue
			}
			if t.arms[s.Arm] == nil {
				t.arms[s.Arm] = &armSums{on: sums{arm: s.Arm, sampled: x.Samples != nil}, off: sums{arm: s.Arm}, split: sums{arm: s.Arm}}
			}
			if s.Source != nil && s.Sink != nil && s.Source.UserNS != nil && s.Sink.UserNS != nil {
				t.arms[s.Arm].split.add(s)
			} else if s.Source != nil && s.Sink != nil {
				t.arms[s.Arm].on.add(s)
			} else {
				t.arms[s.Arm].off.add(s)
			}
		}
		if x.Samples != nil {
			t.samples, t.sampledRole = samplesOf(x.Samples), x.Samples.Role
			maps.DeleteFunc(t.samples, func(arm int, _ *sampled) bool { return parted[arm] })
		}
		for _, c := range x.CPUs {
			if !parted[c.Arm] {
				t.cpus[c.Arm] = append(t.cpus[c.Arm], c)
			}
		}
		out = append(out, t)
	}
	return out
}

// armsOf are those of which something is known with the accounting.
func armsOf(all []trial) (out []int) {
	for _, t := range all {
		for arm, a := range t.arms {
			if a.on.wall > 0 && !slices.Contains(out, arm) {
				out = append(out, arm)
			}
		}
	}
	slices.Sort(out)
	return out
}

// coresOf are how many CPUs each role of an arm may have: a thread has one.
func coresOf(run *results.Run, arm int) (cores [2]float64) {
	for r := range cores {
		cores[r] = 1
	}
	for i := range run.Trials {
		t := &run.Trials[i]
		for j := range t.Arms {
			a := &t.Arms[j]
			if a.Arm != arm || t.Invalid != "" {
				continue
			}
			for r, d := range []*results.RoleDelta{&a.Source, &a.Sink} {
				n := d.Threads
				if pinned := len(slices.Compact(slices.Sorted(slices.Values(d.Pinned)))); pinned > 0 {
					n = min(n, pinned)
				}
				cores[r] = max(cores[r], float64(n))
			}
		}
	}
	return cores
}
