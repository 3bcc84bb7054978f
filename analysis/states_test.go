package analysis

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netab/analysis/world"
	"netab/results"
)

const nearNS, farNS = 75.0, 340.0

// stateRun is a run of two arms, whose canaries are as distance says at every
// slice (0 = none, negative = timed out), and in whose far blocks the second arm
// is off by farEffect.
func stateRun(trials int, effect, farEffect float64, distance func(trial, slice int) float64) *results.Run {
	w := world.Quiet()
	w.Effects, w.White = []float64{effect}, 0.01
	run := w.Run(w.Design(0.02, time.Minute), 5, trials)
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			sl := &run.Trials[i].Slices[k]
			ns := distance(i, k)
			switch {
			case ns > 0:
				ns *= 1 + 0.01*float64(k%7)
				sl.Canaries = &results.Canaries{DistanceNS: &ns, SinkCPU: 1}
			case ns < 0:
				sl.Canaries = &results.Canaries{SinkCPU: 1}
			}
			if ns > 200 && sl.Arm == 1 {
				sl.RxBytes = int64(float64(sl.RxBytes) * math.Exp(farEffect))
			}
		}
	}
	return run
}

// byTrial is far in the trials that are given, and near else.
func byTrial(far ...int) func(int, int) float64 {
	return func(trial, _ int) float64 {
		if slices.Contains(far, trial) {
			return farNS
		}
		return nearNS
	}
}

// Slices of world.Quiet are 75 ms long, a block is two of them, a trial ten blocks.
func TestBlocksOfStates(t *testing.T) {
	all := func(state int) (out [10]int) {
		for b := range out {
			out[b] = state
		}
		return out
	}
	const unknown = -2
	for _, tt := range []struct {
		name  string
		first func(slice int) float64 // of the first trial; of eight others half are near, half far
		want  [10]int                 // 0 = near, 1 = far
	}{
		{"near", func(int) float64 { return nearNS }, all(0)},
		{"far", func(int) float64 { return farNS }, all(1)},
		{"a change between blocks", func(k int) float64 {
			if k < 10 {
				return nearNS
			}
			return farNS
		}, [10]int{0, 0, 0, 0, mixedState, 1, 1, 1, 1, 1}}, // seen by the canary after the fifth
		{"a change within one", func(k int) float64 {
			if k < 11 {
				return nearNS
			}
			return farNS
		}, [10]int{0, 0, 0, 0, 0, mixedState, 1, 1, 1, 1}},
		{"carried on for 300 ms", func(k int) float64 {
			if k == 4 {
				return nearNS
			}
			return 0
		}, [10]int{unknown, unknown, 0, 0, 0, unknown, unknown, unknown, unknown, unknown}},
		{"one that timed out says nothing", func(k int) float64 {
			if k == 6 {
				return -1
			}
			return farNS
		}, all(1)},
		{"one between the states says nothing", func(k int) float64 {
			if k == 6 {
				return 160
			}
			return farNS
		}, all(1)},
		{"none", func(int) float64 { return 0 }, all(unknown)},
	} {
		run := stateRun(9, 0, 0, func(trial, k int) float64 {
			if trial == 0 {
				return tt.first(k)
			}
			return []float64{nearNS, farNS}[trial%2]
		})
		s := statesOf(run.Trials)
		if len(s.list) != 2 {
			t.Fatalf("%s: states %+v", tt.name, s.list)
		}
		for b, want := range tt.want {
			got, known := s.blocks[0][b]
			switch {
			case !known:
				got = unknown
			case got >= 0 && s.list[got].Name == "near":
				got = 0
			case got >= 0:
				got = 1
			}
			if got != want {
				t.Errorf("%s: block %d is %d, want %d", tt.name, b, got, want)
			}
		}
	}
}

func TestStates(t *testing.T) {
	third := func(trial, k int) float64 {
		return []float64{40, 110, 350}[trial%3]
	}
	for _, tt := range []struct {
		name   string
		run    *results.Run
		change func(trial, k int, c *results.Canaries, arm int)
		want   string
		share  float64 // of the first
	}{
		{"one", stateRun(9, 0, 0, byTrial()), nil, "steady", 1},
		{"two", stateRun(9, 0, 0, byTrial(0, 1, 2)), nil, "near, far", 2.0 / 3},
		{"three", stateRun(9, 0, 0, third), nil, "41 ns apart, 113 ns apart, 361 ns apart", 1.0 / 3},
		{"free threads choose their distance", stateRun(9, 0, 0, byTrial(0, 1, 2)), func(trial, _ int, c *results.Canaries, _ int) { c.SinkCPU = 1 + trial%2 }, "", 0},
		{"arms on CPUs of their own", stateRun(9, 0, 0, byTrial()), func(_, _ int, c *results.Canaries, arm int) {
			if c.SinkCPU = 1 + arm; arm == 1 {
				*c.DistanceNS = farNS
			}
		}, "steady", 1},
		{"of which one pair moves", stateRun(9, 0, 0, byTrial(0, 1, 2)), func(trial, _ int, c *results.Canaries, arm int) {
			if c.SinkCPU = 1 + arm; arm == 1 {
				*c.DistanceNS = 100
			}
		}, "near, far", 2.0 / 3},
		{"of which both move", stateRun(12, 0, 0, byTrial(0, 1, 2, 3)), func(trial, _ int, c *results.Canaries, arm int) {
			if c.SinkCPU = 1 + arm; arm == 1 && trial == 11 || trial == 10 {
				*c.DistanceNS = farNS
			}
		}, "CPUs 0 and 1 near, CPUs 0 and 2 near; CPUs 0 and 1 far, CPUs 0 and 2 far; CPUs 0 and 1 near, CPUs 0 and 2 far", 0.5},
		{"a frequency that falls", stateRun(9, 0, 0, byTrial()), func(trial, k int, c *results.Canaries, _ int) {
			c.SourceStepNS, c.SinkStepNS = 0.3+0.0001*float64(k), 0.3
			if trial < 3 {
				c.SourceStepNS, c.SinkStepNS = 0.4, 0.4
			}
		}, "fast, slow", 2.0 / 3},
		{"both", stateRun(12, 0, 0, byTrial(0, 1, 2, 3)), func(trial, _ int, c *results.Canaries, _ int) {
			if c.SourceStepNS, c.SinkStepNS = 0.3, 0.3; trial < 4 {
				c.SourceStepNS = 0.4
			}
		}, "near, fast; far, slow", 2.0 / 3},
		{"none", stateRun(9, 0, 0, func(int, int) float64 { return 0 }), nil, "", 0},
	} {
		for i := range tt.run.Trials {
			for k := range tt.run.Trials[i].Slices {
				if sl := &tt.run.Trials[i].Slices[k]; tt.change != nil && sl.Canaries != nil {
					tt.change(i, k, sl.Canaries, sl.Arm)
				}
			}
		}
		var names []string
		list := statesOf(tt.run.Trials).shown()
		for _, s := range list {
			names = append(names, s.Name)
		}
		separator := ", "
		if strings.Contains(tt.want, "; ") {
			separator = "; "
		}
		if got := strings.Join(names, separator); got != tt.want {
			t.Errorf("%s: states %q, want %q", tt.name, got, tt.want)
		} else if len(list) > 0 && math.Abs(list[0].Share-tt.share) > 0.01 {
			t.Errorf("%s: share %v, want %v", tt.name, list[0].Share, tt.share)
		}
	}
}

// A machine of one state is judged as if no canary had been there.
func TestOneStateChangesNothing(t *testing.T) {
	with, without := Summarize(stateRun(12, 0.05, 0, byTrial())), Summarize(stateRun(12, 0.05, 0, func(int, int) float64 { return 0 }))
	if want := []State{{Name: "steady", Share: 1, Canaries: map[string]float64{"distance_ns": 77.25}}}; !cmp.Equal(with.States, want, cmpopts.EquateApprox(0.01, 0)) {
		t.Errorf("states %+v", with.States)
	}
	if without.Answer += " The CPUs were 77 ns apart all the while."; with.Answer != without.Answer {
		t.Errorf("answer %q, want %q", with.Answer, without.Answer)
	}
	if diff := cmp.Diff(without, with, cmpopts.IgnoreFields(Summary{}, "States", "Answer")); diff != "" {
		t.Error(diff)
	}
}

func TestEffectsWithinStates(t *testing.T) {
	far := func(n int) (out []int) {
		for i := range n {
			out = append(out, i)
		}
		return out
	}
	for _, tt := range []struct {
		name              string
		trials, far       int
		effect, farEffect float64
		verdict           Verdict
		mixture           bool
		outcome           Outcome
		answer, withheld  string
	}{
		{"better and worse", 20, 8, 0.05, -0.11, Inconclusive, true, Worse, "depends on the state of the machine with arm1 (near +5", ""},
		{"better in both", 20, 8, 0.05, 0.03, Improvement, false, Passed, "% higher with arm1 (+", ""},
		{"better and no change", 20, 8, 0.05, -0.055, Inconclusive, true, Passed, "depends on the state of the machine", ""},
		{"no change in either", 20, 8, 0, 0, Equivalent, false, Passed, "is the same to within 2.0 % with arm1", ""},
		{"worse in one that is rare", 20, 1, 0.05, -0.11, Improvement, false, Passed, "left out", ""},
		{"too little of one that is not", 20, 4, 0.05, -0.11, Inconclusive, false, Undecided, "is undecided with arm1", "the state far (20 % of the time) was seen in 4 trials, and a verdict needs 6"},
		{"too little of the other, worse in this", 20, 4, -0.05, -0.11, Inconclusive, false, Worse, "", "was seen in 4 trials"},
	} {
		s := Summarize(stateRun(tt.trials, tt.effect, tt.farEffect, byTrial(far(tt.far)...)))
		c := s.Comparisons[0]
		if c.Verdict != tt.verdict || c.Mixture != tt.mixture || !strings.Contains(c.Withheld, tt.withheld) || (c.Withheld == "") != (tt.withheld == "") {
			t.Errorf("%s: %s, mixture %v, withheld %q; want %s, %v, %q", tt.name, c.Verdict, c.Mixture, c.Withheld, tt.verdict, tt.mixture, tt.withheld)
		}
		if c.Modes == nil || c.Modes.Kind != KindState || len(c.Modes.Groups) != 2 {
			t.Fatalf("%s: modes %+v", tt.name, c.Modes)
		}
		for i, want := range []float64{tt.effect, tt.effect + tt.farEffect} {
			g := c.Modes.Groups[i]
			if math.Abs(math.Log1p(g.Change)-want) > 0.02 || g.Label != []string{"near", "far"}[i] || g.Canaries["distance_ns"] < nearNS {
				t.Errorf("%s: %+v, want an effect of %v", tt.name, g, want)
			}
			if n := []int{tt.trials - tt.far, tt.far}[i]; len(g.Trials) != n {
				t.Errorf("%s: %s in %d trials, want %d", tt.name, g.Label, len(g.Trials), n)
			}
			if tt.far > 1 && (c.Lo > g.Lo || c.Hi < g.Hi) {
				t.Errorf("%s: %v to %v does not hold %v to %v of %s", tt.name, c.Lo, c.Hi, g.Lo, g.Hi, g.Label)
			}
		}
		if !strings.Contains(s.Answer, tt.answer) || !strings.Contains(s.Answer, "near ") {
			t.Errorf("%s: answer %q lacks %q", tt.name, s.Answer, tt.answer)
		}
		if g := NewGate(s, nil, gateDay); g.Outcome != tt.outcome {
			t.Errorf("%s: gate %s, want %s: %s", tt.name, g.Outcome, tt.outcome, g.Sentence)
		}
		wantCodes(t, s, "machine-states")
		for _, a := range s.Arms {
			if a.Modes != nil {
				t.Errorf("%s: level modes %q", tt.name, a.Modes.Text)
			}
		}
	}
}

// A trial that was in two states has an effect in each, of its blocks there.
func TestPartsOfTrials(t *testing.T) {
	s := Summarize(stateRun(16, 0.05, -0.11, func(_, k int) float64 {
		if k < 8 { // four blocks of ten, of which the last is mixed
			return nearNS
		}
		return farNS
	}))
	c := s.Comparisons[0]
	if !c.Mixture || len(c.TrialEffects) != 32 || c.N != 16 || c.TrialEffects[0].State == c.TrialEffects[1].State {
		t.Errorf("mixture %v of %d trials, effects %+v", c.Mixture, c.N, c.TrialEffects[:2])
	}
	for i, want := range []float64{0.6, 0.3} {
		if math.Abs(s.States[i].Share-want) > 0.01 {
			t.Errorf("share of %s %v, want %v", s.States[i].Name, s.States[i].Share, want)
		}
	}
	if c.HetP == nil || *c.HetP < 0.001 {
		t.Errorf("within the states trials disagree: %v", c.HetP)
	}
}

// Where hardly a block is of one state, today's estimate is given, and said to be
// of a mix.
func TestStatesTooFast(t *testing.T) {
	s := Summarize(stateRun(12, 0.05, 0, func(_, k int) float64 { return []float64{nearNS, nearNS, nearNS, farNS, farNS}[k%5] }))
	c := s.Comparisons[0]
	if c.Modes != nil || c.Verdict != Improvement {
		t.Errorf("%s, modes %+v", c.Verdict, c.Modes)
	}
	wantCodes(t, s, "states-too-fast")
}

// What is recorded of whole trials only is judged by the trials of one state.
func TestWholeTrialsOfStates(t *testing.T) {
	run := rrRun(1, 20, 20e3, 24e3)
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			ns := nearNS
			if i%2 == 1 {
				ns = farNS
			}
			run.Trials[i].Slices[k].Canaries = &results.Canaries{DistanceNS: &ns, SinkCPU: 1}
		}
	}
	for _, c := range Summarize(run).Comparisons {
		if c.Judged && (!c.Modes.ByState() || len(c.Modes.Groups) != 2 || len(c.Modes.Groups[0].Trials) != 10) {
			t.Errorf("%s: modes %+v", c.Metric, c.Modes)
		}
	}
}

// The state explains an arm's own level, too.
func TestStateExplainsLevels(t *testing.T) {
	run := stateRun(16, 0, 0, byTrial(1, 2, 5, 6, 7, 9))
	run.Header.Design.Arms, run.Header.Design.Baseline = run.Header.Design.Arms[1:], ""
	for i := range run.Trials {
		tr := &run.Trials[i]
		tr.Slices = slices.DeleteFunc(tr.Slices, func(s results.Slice) bool { return s.Arm == 0 })
		for k := range tr.Slices {
			sl := &tr.Slices[k]
			if sl.Arm = 0; *sl.Canaries.DistanceNS > 200 {
				sl.RxBytes = sl.RxBytes * 3 / 4
			}
		}
	}
	m := Summarize(run).Arms[0].Modes
	if m == nil || m.Covariate != stateCovariateName || len(m.Groups) != 2 || m.Groups[0].Label != "far" {
		t.Errorf("level modes %+v", m)
	}
}

// A comparison that is withheld for another reason does not fail a gate by what a
// state says.
func TestWithheldStates(t *testing.T) {
	c := Summarize(stateRun(20, 0.05, -0.11, byTrial(0, 1, 2, 3, 4, 5, 6, 7))).Comparisons[0]
	c.withhold("why")
	if got := OutcomeOf(&c); got != Undecided {
		t.Errorf("gate %s", got)
	}
}

// A disturbed trial in another state is not suspicious for that.
func TestDisturbedStates(t *testing.T) {
	run := stateRun(24, 0.05, -0.11, byTrial(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
	for _, i := range []int{0, 1, 2} {
		run.Trials[i].Host.ForeignNS = run.Trials[i].RunNS / 4
	}
	s := Summarize(run)
	if c := s.Comparisons[0]; !c.Mixture || c.Withheld != "" || c.AllTrials == nil {
		t.Errorf("mixture %v, withheld %q, all trials %+v", c.Mixture, c.Withheld, c.AllTrials)
	}
}
