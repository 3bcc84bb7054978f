package analysis

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

func TestCompareWithinStates(t *testing.T) {
	some := byTrial(0, 1, 2, 3, 4, 5, 6, 7, 8)
	all := func(int, int) float64 { return farNS }
	none := func(int, int) float64 { return 0 }
	for _, tt := range []struct {
		name    string
		a, b    func(int, int) float64
		faster  float64
		slowFar float64 // rate of far blocks
		verdict Verdict
		code    string
		groups  int
	}{
		{"one state", byTrial(), byTrial(), 1, 1, Equivalent, "runs-assumed", 0},
		{"another state", byTrial(), all, 1, 0.7, Inconclusive, "not-comparable", 0},
		{"one of them shared", some, all, 1, 0.7, Equivalent, "states-differ", 1},
		{"both shared", some, some, 1, 0.7, Equivalent, "states-differ", 2},
		{"both shared, and faster", some, some, 1.1, 0.7, Improvement, "states-differ", 2},
		{"too little shared", byTrial(0, 1, 2), all, 1, 0.7, Inconclusive, "states-too-few", 0},
		{"not known of one", some, none, 1, 1, Equivalent, "runs-assumed", 0},
	} {
		runs := []*results.Run{stateRun(18, 0, 0, tt.a), stateRun(18, 0, 0, tt.b)}
		for n, run := range runs {
			run.Header.ID = []string{"run-a", "run-b"}[n]
			for i := range run.Trials {
				for k := range run.Trials[i].Slices {
					sl := &run.Trials[i].Slices[k]
					if n == 1 {
						sl.RxBytes = int64(float64(sl.RxBytes) * tt.faster)
					}
					if sl.Canaries != nil && *sl.Canaries.DistanceNS > 200 {
						sl.RxBytes = int64(float64(sl.RxBytes) * tt.slowFar)
					}
				}
			}
		}
		s := CompareGroups([]RunGroup{{"run-a", runs[:1]}, {"run-b", runs[1:]}}, CompareOptions{Known: steadyRuns})
		c := s.Comparisons[0]
		groups := 0
		if c.Modes != nil {
			groups = len(c.Modes.Groups)
		}
		if c.Verdict != tt.verdict || groups != tt.groups {
			t.Errorf("%s: %s in %d states, from %v to %v; want %s in %d", tt.name, c.Verdict, groups, c.Lo, c.Hi, tt.verdict, tt.groups)
		}
		wantCodes(t, s, vocab.Code(tt.code))
		if g := NewGate(s, nil, gateDay); (g.Outcome == NotComparable) != (tt.code == "not-comparable") {
			t.Errorf("%s: gate %s", tt.name, g.Outcome)
		}
		if tt.groups == 1 && math.Abs(s.Arms[0].Metrics["goodput"].Mean/s.Arms[2].Metrics["goodput"].Mean-1) > 0.02 {
			t.Errorf("%s: levels %+v and %+v are not of one state", tt.name, s.Arms[0].Metrics["goodput"], s.Arms[2].Metrics["goodput"])
		}
	}
}

// sidesOf are two sides of n runs each, as made by of.
func sidesOf(n int, of func(i int) *results.Run) []RunGroup {
	out := []RunGroup{{Label: "old"}, {Label: "new"}}
	for side := range out {
		for i := range n {
			run := of(i)
			run.Header.ID = fmt.Sprintf("%s-%d", out[side].Label, i)
			out[side].Runs = append(out[side].Runs, run)
		}
	}
	return out
}

// TestBootsWithinStatesShareAlpha: boots that were in a state are enough where the
// first of all comparisons can reach its share of alpha there. Two comparisons take
// five boots, one takes four.
func TestBootsWithinStatesShareAlpha(t *testing.T) {
	for _, tt := range []struct{ boots, inFar, groups int }{{5, 5, 2}, {6, 4, 1}} {
		of := sidesOf(tt.boots, func(i int) *results.Run {
			far := byTrial()
			if i < tt.inFar {
				far = byTrial(0, 1, 2, 3, 4, 5, 6, 7)
			}
			return stateRun(16, 0, 0, far)
		})
		for side := range of {
			for i, run := range of[side].Runs {
				run.Header.Machine.BootID = fmt.Sprint(side, i)
			}
		}
		for _, c := range CompareGroups(of, CompareOptions{}).Comparisons {
			if c.Modes == nil || len(c.Modes.Groups) != tt.groups {
				t.Errorf("%d boots a side, %d of them in the far state: %s is compared in %+v, want %d states", tt.boots, tt.inFar, c.Arm, c.Modes, tt.groups)
			}
		}
	}
}

// TestNothingHappenedWithinStates: what was not seen in the trials of one state may
// happen there, however many trials the other has.
func TestNothingHappenedWithinStates(t *testing.T) {
	for _, tt := range []struct {
		far      []int // trials of each run
		withheld string
	}{
		{[]int{0, 1, 2, 3}, "in the state far nothing happened in 16 trials"},
		{[]int{0, 1, 2, 3, 4, 5, 6, 7}, ""},
	} {
		s := CompareGroups(sidesOf(4, func(int) *results.Run {
			run := stateRun(16, 0, 0, byTrial(tt.far...))
			run.Header.Design.Metrics = []string{"loss"}
			for i := range run.Header.Design.Arms {
				run.Header.Design.Arms[i].Protocol, run.Header.Design.Arms[i].Message = "udp", 1000
			}
			for i := range run.Trials {
				for k := range run.Trials[i].Slices {
					sl := &run.Trials[i].Slices[k]
					sl.TxBytes, sl.RxBytes, sl.TxMsgs, sl.RxMsgs = 1e6, 1e6, 1000, 1000
				}
			}
			return run
		}), CompareOptions{})
		for _, c := range s.Comparisons {
			if !c.Judged {
				continue
			}
			if (c.Verdict == Equivalent) != (tt.withheld == "") || !strings.Contains(c.Withheld, tt.withheld) {
				t.Errorf("%d far trials a run: %s, withheld because %q; want %q", len(tt.far), c.Verdict, c.Withheld, tt.withheld)
			}
		}
	}
}
