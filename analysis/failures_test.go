package analysis

import (
	"strings"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/results"
)

// spoiled is a run of two arms alike, changed trial by trial.
func spoiled(trials int, change func(i int, t *results.Trial)) *results.Run {
	w := world.Quiet()
	run := w.Run(w.Design(0.02, time.Minute), 7, trials)
	for i := range run.Trials {
		change(i, &run.Trials[i])
	}
	return run
}

// silence takes from an arm all that it received in a trial.
func silence(t *results.Trial, arm int) {
	for k := range t.Slices {
		if s := &t.Slices[k]; s.Arm == arm {
			s.RxBytes, s.RxMsgs, s.Transactions = 0, 0, 0
		}
	}
}

// TestMissingIsAnOutcome: whatever an arm did not receive, and however it is
// recorded, speaks against it, and nothing passes that has no figures.
func TestMissingIsAnOutcome(t *testing.T) {
	every := func(i int) bool { return true }
	half := func(i int) bool { return i%2 == 0 }
	few := func(i int) bool { return i == 3 }
	quiet := func(when func(int) bool, arms ...int) func(int, *results.Trial) {
		return func(i int, t *results.Trial) {
			for _, arm := range arms {
				if when(i) {
					silence(t, arm)
				}
			}
		}
	}
	for name, tc := range map[string]struct {
		trials  int
		change  func(int, *results.Trial)
		verdict Verdict
		outcome Outcome
		says    string // in the gate's checks
	}{
		"nothing is missing":                     {16, quiet(every), Equivalent, Passed, "did not change"},
		"an arm that received nothing":           {16, quiet(every, 1), Regression, Worse, "16 of 16"},
		"an arm that received nothing, too few":  {4, quiet(every, 1), Inconclusive, Undecided, "4 of 4"},
		"an arm that received nothing in half":   {16, quiet(half, 1), Regression, Worse, "8 of 16"},
		"an arm that received nothing in one":    {16, quiet(few, 1), Inconclusive, Undecided, "1 of 16"},
		"a baseline that received nothing":       {16, quiet(every, 0), Inconclusive, Undecided, "nothing to compare with"},
		"a baseline that received nothing, half": {16, quiet(half, 0), Inconclusive, Undecided, "nothing to compare with"},
		"both received nothing":                  {16, quiet(every, 0, 1), Inconclusive, Undecided, "nothing to compare with"},
		"as often as the baseline": {16, func(i int, t *results.Trial) {
			if i == 2 {
				silence(t, 0)
			} else if i == 9 {
				silence(t, 1)
			}
		}, Inconclusive, Undecided, ""}, // an interval that holds a trial without anything is wide
		"a flow that broke": {16, func(i int, t *results.Trial) {
			if half(i) {
				t.Arms[1].Failed = "receive: connection reset by peer"
			}
		}, Regression, Worse, "connection reset"},
		"trials thrown away for one arm, of older runs": {16, func(i int, t *results.Trial) {
			if half(i) {
				silence(t, 1)
				t.Invalid = "arm arm1: the sinks received nothing in 1.2s of slices; its sources sent 65536 bytes"
			}
		}, Regression, Worse, "8 of 16"},
		"trials that the machine lost": {24, func(i int, t *results.Trial) {
			if i%3 == 0 {
				t.Invalid = "arm arm1: the schedule began 3ms before it was known here: the machine was too busy"
			}
		}, Equivalent, Passed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := Summarize(spoiled(tc.trials, tc.change))
			g := NewGate(s, nil, time.Now())
			if len(s.Comparisons) == 0 {
				t.Fatal("the arm is gone from the summary")
			}
			c := s.Comparisons[0]
			if c.Verdict != tc.verdict || g.Outcome != tc.outcome {
				t.Errorf("verdict %s (%s), gate %s; want %s, %s", c.Verdict, c.Withheld, g.Outcome, tc.verdict, tc.outcome)
			}
			var texts []string
			for _, k := range g.Checks {
				texts = append(texts, k.Plain)
			}
			if text := strings.Join(texts, "\n"); !strings.Contains(text, tc.says) {
				t.Errorf("checks say %q, want %q in it", text, tc.says)
			}
			if s.Converged != (tc.verdict != Inconclusive) {
				t.Errorf("converged: %v", s.Converged)
			}
		})
	}
}

// TestUndefinedIsWithheld: of a metric that is undefined because nothing arrived
// nothing is said, and the headline decides.
func TestUndefinedIsWithheld(t *testing.T) {
	run := spoiled(16, func(_ int, t *results.Trial) { silence(t, 1) })
	run.Header.Design.Metrics = []string{"goodput", "ns_per_byte_sink"}
	s := Summarize(run)
	g := NewGate(s, nil, time.Now())
	if g.Outcome != Worse || len(g.Checks) != 2 {
		t.Fatalf("gate %s with %d checks", g.Outcome, len(g.Checks))
	}
	c := g.Checks[1].Comparison
	if c.Metric != "ns_per_byte_sink" || c.N != 0 || c.Verdict != Inconclusive || g.Checks[1].Outcome != Undecided || !strings.Contains(c.Withheld, "16 of 16") {
		t.Errorf("%s: %s, n = %d, %q", c.Metric, c.Verdict, c.N, c.Withheld)
	}
}

// TestMissingAcrossRuns: the same between runs and boots.
func TestMissingAcrossRuns(t *testing.T) {
	alone := func(boot string, seed uint64, dead func(i int) bool) *results.Run {
		w := world.Quiet()
		w.Effects = []float64{0}
		run := w.Run(w.Design(0.02, time.Minute), seed, 10)
		run.Header.Machine.BootID = boot
		run.Header.ID = boot
		for i := range run.Trials {
			if dead(i) {
				silence(&run.Trials[i], 1)
			}
		}
		return run
	}
	never, always, half := func(int) bool { return false }, func(int) bool { return true }, func(i int) bool { return i%2 == 0 }
	side := func(label string, dead ...func(int) bool) RunGroup {
		g := RunGroup{Label: label}
		for i, d := range dead {
			g.Runs = append(g.Runs, alone(label+string(rune('0'+i)), uint64(10*len(label)+i), d))
		}
		return g
	}
	works := side("old", never, never, never, never, never)
	for name, tc := range map[string]struct {
		a, b    RunGroup
		outcome Outcome
	}{
		"all work":                   {works, side("newer", never, never, never, never, never), Passed},
		"all boots dead":             {works, side("newer", always, always, always, always, always), Worse},
		"one boot of five dead":      {works, side("newer", never, always, never, never, never), Undecided},
		"half of each boot's trials": {works, side("newer", half, half, half, half, half), Worse},
		"the baseline is dead":       {side("dead", always, always, always, always, always), works, Undecided},
		"both are dead":              {side("dead", always, always, always, always, always), side("newer", always, always, always, always, always), Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			s := CompareGroups([]RunGroup{tc.a, tc.b}, CompareOptions{})
			i := -1
			for k, c := range s.Comparisons {
				if c.Arm == "arm1" && c.Metric == "goodput" {
					i = k
				}
			}
			if i < 0 {
				t.Fatal("the arm is gone")
			}
			if c := &s.Comparisons[i]; OutcomeOf(c) != tc.outcome {
				t.Errorf("%s (%s, %s), want %s", OutcomeOf(c), c.Verdict, c.Withheld, tc.outcome)
			}
		})
	}
}
