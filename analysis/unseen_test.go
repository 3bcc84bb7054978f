package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/analysis/stat"
	"netab/analysis/world"
	"netab/results"
)

// effectsRun is a run of two arms whose trials differ by these log ratios, each
// without an error of its own.
func effectsRun(d results.Design, effects [][]float64) *results.Run {
	run := &results.Run{Header: results.Header{Design: d}}
	for i, arms := range effects {
		t := results.Trial{Index: i}
		for a, x := range append([]float64{0}, arms...) {
			t.Arms = append(t.Arms, results.ArmTrial{Arm: a})
			t.Slices = append(t.Slices, results.Slice{Arm: a, CountedNS: 1e9, Counts: results.Counts{RxBytes: int64(1e12 * math.Exp(x)), TxMsgs: 1000, RxMsgs: 1000}})
		}
		run.Trials = append(run.Trials, t)
	}
	run.End = &results.End{Reason: "max-time", Looks: []results.Look{{Trials: len(effects), Fraction: 1, Alpha: 0.05}}}
	return run
}

// TestRareSlowTrials: of 18 trials one is 8 % slow. Student's t would pass the arm
// at a threshold of 2 %, although one in four may be slow.
func TestRareSlowTrials(t *testing.T) {
	effects := [][]float64{}
	for i := range 18 {
		effects = append(effects, []float64{-0.004 + 0.004*math.Sin(2.4*float64(i))})
	}
	gate := func() Gate {
		return NewGate(Summarize(effectsRun(with(func(*world.World) {}).Design(0.02, time.Minute), effects)), nil, time.Time{})
	}
	if g := gate(); g.Outcome != Passed || !strings.Contains(g.Checks[0].Sure, "fewer than one of 6 trials may have gone unseen") {
		t.Errorf("without a slow trial: %s, %q", g.Outcome, g.Checks[0].Sure)
	}
	effects[7][0] -= 0.08
	xs := make([]float64, 18)
	for i := range xs {
		xs[i] = effects[i][0]
	}
	if lo, _ := stat.NewSample(xs).Interval(0.05).Ends(); lo < -math.Log1p(0.02) {
		t.Fatalf("t alone would not pass: %v", lo)
	}
	if g := gate(); g.Outcome != Undecided {
		t.Errorf("with one: %s (%s)", g.Outcome, g.Sentence)
	}
}

// TestSeveralComparisonsNeedMoreTrials: of four arms of two modes each, one has
// drawn the slow one six times of six, as happens in one run of eight.
func TestSeveralComparisonsNeedMoreTrials(t *testing.T) {
	w := with(func(w *world.World) { w.Effects = make([]float64, 4) })
	d := w.Design(0.02, time.Minute)
	for comparisons, want := range map[int]int{1: 6, 2: 7, 4: 8, 8: 9} {
		of := with(func(w *world.World) { w.Effects = make([]float64, comparisons) }).Design(0.02, time.Minute)
		if got := fewestOf(of); got != want {
			t.Errorf("%d comparisons need %d trials, want %d", comparisons, got, want)
		}
	}
	for trials, want := range map[int]Outcome{6: Undecided, 7: Undecided, 8: Worse} {
		var effects [][]float64
		for i := range trials {
			noise := 0.003 * math.Sin(float64(i))
			mode := 0.075 * float64(1-2*(i%2))
			effects = append(effects, []float64{-0.075 + noise, mode + noise, -mode + noise, mode - noise})
		}
		if g := NewGate(Summarize(effectsRun(d, effects)), nil, time.Time{}); g.Outcome != want {
			t.Errorf("%d trials: %s, want %s: %s", trials, g.Outcome, want, g.Sentence)
		}
	}
}

// TestLossOfNothingWaits: trials without loss do not show that there is none.
func TestLossOfNothingWaits(t *testing.T) {
	w := with(func(w *world.World) { w.Bursts = 0.1 })
	d := w.Design(0.001, time.Minute)
	for _, tt := range []struct {
		trials, bursts int
		want           Outcome
		text           string
	}{
		{18, 0, Undecided, "nothing happened in 18 of 18 trials, and to see what happens in one of ten takes 29"},
		{28, 1, Undecided, "nothing happened in 27 of 28 trials"},
		{29, 0, Passed, "did not change by as much as 0.10 points"},
		{29, 1, Undecided, "It is not known"}, // a burst of 1 %, of which there may be four in 29
	} {
		effects := make([][]float64, tt.trials)
		for i := range effects {
			effects[i] = []float64{0}
		}
		run := effectsRun(d, effects)
		for i := range tt.bursts {
			run.Trials[3+i].Slices[1].RxMsgs = 990
		}
		g := NewGate(Summarize(run), nil, time.Time{})
		if tt.want == Passed && !strings.Contains(g.Checks[0].Sure, "what happens in one of 10 trials or more would slip through in at most 5 of 100") {
			t.Errorf("how sure: %q", g.Checks[0].Sure)
		}
		if g.Outcome != tt.want || !strings.Contains(g.Checks[0].Plain, tt.text) {
			t.Errorf("%d trials with %d bursts: %s, %q; want %s, %q", tt.trials, tt.bursts, g.Outcome, g.Checks[0].Plain, tt.want, tt.text)
		}
	}
}

// TestLossOfNothingWaitsAcrossRuns: nor do runs without loss against runs without.
func TestLossOfNothingWaitsAcrossRuns(t *testing.T) {
	d := with(func(w *world.World) { w.Bursts = 0.1 }).Design(0.001, time.Minute)
	for trials, want := range map[int]Outcome{5: Undecided, 8: Passed} {
		groups := []RunGroup{{Label: "old"}, {Label: "new"}}
		for i := range 8 {
			run := effectsRun(d, slices.Repeat([][]float64{{0}}, trials))
			run.Header.ID, run.Header.Machine = fmt.Sprint("run", i), plain.Run(d, 1, 0).Header.Machine
			groups[i%2].Runs = append(groups[i%2].Runs, run)
		}
		g := NewGate(CompareGroups(groups, CompareOptions{}), nil, time.Time{})
		if g.Outcome != want || (want == Undecided) != strings.Contains(g.Checks[0].Plain, "nothing happened in 20 trials, and to see what happens in one of ten takes 29") {
			t.Errorf("%d trials a run: %s, %q", trials, g.Outcome, g.Checks[0].Plain)
		}
	}
}
