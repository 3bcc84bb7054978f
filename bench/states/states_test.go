package main

import (
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/world"
	"netab/results"
)

// Runs of which every second is measured while the CPUs are far apart, where the
// effect has the other sign: within a state they agree, and ignoring it they do
// not.
func TestJudge(t *testing.T) {
	near, far := world.Quiet(), world.Quiet()
	near.Effects, far.Effects = []float64{0.05}, []float64{-0.06}
	var all table
	for i := range 6 {
		w, distance := near, 70.0
		if i%2 == 1 {
			w, distance = far, 350
		}
		run := w.Run(w.Design(0.01, 60e9), uint64(i+1), 20)
		s := analysis.Summarize(run)
		c := of(s, "arm1")
		e := estimate{distance: distance + float64(i), canaries: map[string]float64{"distance_ns": distance + float64(i)}, share: 1, change: c.Change, lo: c.Lo, hi: c.Hi}
		all.ignored.estimates = append(all.ignored.estimates, e)
	}
	all.ignored.count()
	if got := all.ignored; got.pairs != 15 || got.apart != 9 || got.sign != 9 {
		t.Errorf("%+v: of 15 pairs, the 9 of runs in different states contradict each other", got)
	}
	if a := all.ignored.estimates; !a[0].sharesState(a[2]) || a[0].sharesState(a[1]) {
		t.Error("75 and 350 ns are two states, 70 and 72 are one")
	}
	if _, err := judge(nil, "arm1"); err != nil {
		t.Error(err)
	}
	run := near.Run(near.Design(0.01, 60e9), 1, 8)
	if _, err := judge([]*results.Run{run}, "missing"); err == nil || !strings.Contains(err.Error(), `no arm "missing"`) {
		t.Errorf("an arm that is not there: %v", err)
	}
}
