package main

import (
	"fmt"
	"time"
)

// A config is one choice of lengths; its weight is its share of the time.
type config struct {
	slice, settle, trial time.Duration
	weight               int
	byTrial              bool // belongs to the table of trial lengths
}

func (c config) String() string {
	return fmt.Sprintf("slice %v, settle %v, trial %v", c.slice, c.settle, c.trial)
}

// counted is the share of the slices' time that is counted.
func (c config) counted() float64 { return 1 - float64(c.settle)/float64(c.slice) }

func (c config) sets() []string {
	return []string{"measure.slice=" + c.slice.String(), "measure.settle=" + c.settle.String(), "measure.trial=" + c.trial.String()}
}

const ms = time.Millisecond

// slicePairs are the sensible pairs: settle parts of 4 to 50 % of the slice.
// Trials hold three blocks at least, as the standard error within a trial
// comes from its blocks.
func slicePairs() []config {
	var out []config
	for _, s := range []struct {
		slice   time.Duration
		weight  int
		settles []time.Duration
	}{
		{20 * ms, 1, []time.Duration{2 * ms, 5 * ms, 10 * ms}},
		{50 * ms, 1, []time.Duration{2 * ms, 5 * ms, 10 * ms, 20 * ms}},
		{100 * ms, 1, []time.Duration{5 * ms, 10 * ms, 20 * ms, 50 * ms}},
		{200 * ms, 2, []time.Duration{10 * ms, 20 * ms, 50 * ms}},
		{500 * ms, 3, []time.Duration{20 * ms, 50 * ms}},
	} {
		for _, settle := range s.settles {
			c := config{slice: s.slice, settle: settle, trial: time.Second, weight: s.weight}
			if s.slice >= 200*ms {
				c.trial = 6 * s.slice
			}
			out = append(out, c)
		}
	}
	return out
}

// trialLengths are compared at slices of 100 ms. Long trials need more time to
// show their spread.
func trialLengths() []config {
	var out []config
	for _, trial := range []time.Duration{500 * ms, time.Second, 2 * time.Second, 5 * time.Second} {
		out = append(out, config{slice: 100 * ms, settle: 20 * ms, trial: trial, weight: 4, byTrial: true})
	}
	return out
}
