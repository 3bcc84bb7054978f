package runner

import (
	"time"

	"netab/results"
	"netab/runner/probe"
	"netab/runner/traffic"
)

const (
	// watchShare of a slice is what reading the machine's counters at its edges may
	// take.
	watchShare = 0.002
	// watchCold is how much longer that takes between slices, where traffic has used
	// the caches, than over and over: measured, 2 to 4 times.
	watchCold = 3
	// fewestWatched: in fewer blocks than one of so many it is not worth the while.
	fewestWatched = 16
)

// planCounters decides how slices' counters are read, at what it costs to read so
// many of the files: all of them in every slice where that is cheap enough, else
// those that tell most, else in some of the blocks. nil = not at all.
func planCounters(slice time.Duration, cost func(files int) int64) *results.CounterPlan {
	budget := float64(slice) * watchShare
	for files := len(probe.EdgeFiles); files > 0; files-- {
		ns := cost(files)
		if ns <= 0 { // there is no such file here
			continue
		}
		every := int(2*watchCold*float64(ns)/budget) + 1
		if every == 1 || files == 1 && every <= fewestWatched {
			return &results.CounterPlan{EveryBlocks: every, Files: probe.EdgeFiles[:files], CostNS: ns}
		}
	}
	return nil
}

// count says at which turns counters are read.
func (r *run) count(turns []turn) {
	c := r.plan.counters
	if c == nil {
		return
	}
	for i := range turns {
		if t := &turns[i]; t.slice >= 0 && t.block%c.EveryBlocks == 0 {
			t.counters = len(c.Files)
		}
	}
}

// counters are what the agents of a setup counted, by slice. Where both ends send,
// both have counted the same.
func (l *live) counters() map[int]traffic.Counted {
	out := map[int]traffic.Counted{}
	for _, a := range l.built.Agents() {
		if r := l.reports[a]; r != nil {
			for _, c := range r.Counters {
				if _, ok := out[c.Slice]; !ok {
					out[c.Slice] = c
				}
			}
		}
	}
	return out
}

// armCounters sums them up for an arm; nil where there are none.
func armCounters(counted map[int]traffic.Counted, turns []turn, arm int) *results.ArmCounters {
	var sum *results.ArmCounters
	for _, t := range turns {
		c, ok := counted[t.slice]
		if t.arm != arm || !ok {
			continue
		}
		if sum == nil {
			sum = &results.ArmCounters{}
		}
		sum.Add(c.Sum.OverNS, c.CPUs)
	}
	return sum
}

// switches are the context switches of a slice's threads.
func (l *live) switches(w traffic.WindowResult) *results.Switches {
	if l.groups[0].traffic.Source.Path == "pktgen" {
		return nil
	}
	return &w.Switches
}
