package analysis

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
)

// scale multiplies what an arm received in a trial.
func scale(t *results.Trial, arm int, by float64) {
	for k := range t.Slices {
		if s := &t.Slices[k]; s.Arm == arm {
			s.RxBytes = int64(float64(s.RxBytes) * by)
		}
	}
}

// busyTrial is one beside a compiler: others use most of a CPU, and every slice
// is far below the others, in no order.
func busyTrial(t *results.Trial, rng *rand.Rand) {
	t.Host.ForeignNS = t.RunNS * 9 / 10
	for k := range t.Slices {
		t.Slices[k].RxBytes = int64(float64(t.Slices[k].RxBytes) * (0.1 + 0.5*rng.Float64()))
	}
}

// TestDisturbedTrials: verdicts are of the trials that nothing disturbed, and where
// those are too few there is none.
func TestDisturbedTrials(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	third := func(i int, t *results.Trial) {
		if i%3 == 0 {
			busyTrial(t, rng)
		}
	}
	for name, tc := range map[string]struct {
		trials    int
		change    func(int, *results.Trial)
		verdict   Verdict
		n         int
		disturbed int
		withheld  string
	}{
		"none": {18, func(int, *results.Trial) {}, Equivalent, 18, 0, ""},
		"some": {18, third, Equivalent, 12, 6, ""},
		"most": {18, func(i int, t *results.Trial) { t.Host.ForeignNS = int64(min(i, 15)) * t.RunNS / 15 }, Inconclusive, 18, 17, "only 1 of 18 trials were undisturbed (in trial 1 other programs used 6.7 % of a CPU)"},
		"all":  {18, func(_ int, t *results.Trial) { t.Host.ForeignNS = t.RunNS / 10 }, Inconclusive, 18, 18, "only 0 of 18"},
		"all, of a change that no load makes": {18, func(_ int, t *results.Trial) {
			t.Host.ForeignNS = t.RunNS / 10
			scale(t, 1, 0.02)
		}, Regression, 18, 18, ""},
		"some, in which it is another, and both are huge": {18, func(i int, t *results.Trial) {
			scale(t, 1, 0.02)
			if i%3 == 0 {
				t.Host.ForeignNS = t.RunNS * 9 / 10
				scale(t, 1, 0.9)
			}
		}, Regression, 12, 6, ""},
		"below": {18, func(_ int, t *results.Trial) { t.Host.ForeignNS = t.RunNS / 25 }, Equivalent, 18, 0, ""},
		"on a machine of many CPUs": {18, func(_ int, t *results.Trial) {
			t.Host.ForeignNS = t.RunNS / 10
			t.Host.CPUs = make([]results.CPUDelta, 16)
		}, Equivalent, 18, 0, ""},
		"steal comes and goes": {18, func(i int, t *results.Trial) {
			if i%3 == 0 {
				t.Host.StealNS = t.RunNS / 5
			}
		}, Equivalent, 12, 6, ""},
		"steal stays": {18, func(_ int, t *results.Trial) { t.Host.StealNS = t.RunNS / 5 }, Equivalent, 18, 0, ""},
		"the arm's own doing": {24, func(i int, t *results.Trial) {
			// The second arm draws a slow mode in half of its trials, and then a
			// thread that works for it looks like somebody else's.
			if i%2 == 0 {
				scale(t, 1, 0.85)
				t.Host.ForeignNS = t.RunNS / 5
			} else {
				scale(t, 1, 1.15)
			}
		}, Inconclusive, 12, 12, "may come from the arm itself"},
	} {
		t.Run(name, func(t *testing.T) {
			run := spoiled(tc.trials, tc.change)
			s := Summarize(run)
			c := s.Comparisons[0]
			if c.Verdict != tc.verdict || c.N != tc.n || s.Disturbed != tc.disturbed || !strings.Contains(c.Withheld, tc.withheld) {
				t.Errorf("%s of %d trials, %d disturbed, %q; want %s of %d, %d, %q", c.Verdict, c.N, s.Disturbed, c.Withheld, tc.verdict, tc.n, tc.disturbed, tc.withheld)
			}
			if apart := s.Disturbed > 0 && c.N < tc.trials; apart != (c.AllTrials != nil) || apart && c.AllTrials.N != tc.trials {
				t.Errorf("all trials: %+v", c.AllTrials)
			}
			if (s.Disturbed > 0) != hasWarning(s.Warnings, "disturbed-trials") {
				t.Errorf("warnings: %v", s.Warnings)
			}
			want := map[Verdict]Outcome{Equivalent: Passed, Inconclusive: Undecided, Regression: Worse}[tc.verdict]
			if g := NewGate(s, nil, time.Now()); g.Outcome != want {
				t.Errorf("gate %s, want %s", g.Outcome, want)
			}
		})
	}
}

// TestStopReplacesDisturbedTrials: looks are taken by undisturbed trials, so that
// a run measures others in place of those it lost.
func TestStopReplacesDisturbedTrials(t *testing.T) {
	run := spoiled(24, func(i int, t *results.Trial) {
		if i%2 == 0 {
			t.Host.ForeignNS = t.RunNS
		}
	})
	stop := NewStop(run.Header.Design, 1)
	for n := 1; n <= len(run.Trials); n++ {
		d := stop.Look(run.Trials[:n], time.Duration(n)*time.Second, false)
		if d.Look != (n == 16) {
			t.Fatalf("after %d trials, half of them disturbed, a look: %v", n, d.Look)
		}
		if d.Look {
			if d.Record.Trials != 8 || !d.Stop || d.Comparisons[0].N != 8 {
				t.Errorf("look at %d trials, %d in the comparison, stop %v", d.Record.Trials, d.Comparisons[0].N, d.Stop)
			}
			return
		}
	}
}

// TestDisturbedRunsCompare: three runs beside a compiler are no regression of
// three quiet ones, and no runs to judge by.
func TestDisturbedRunsCompare(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	group := func(label string, busy bool) RunGroup {
		g := RunGroup{Label: label}
		for range 3 {
			g.Runs = append(g.Runs, spoiled(10, func(_ int, t *results.Trial) {
				if busy {
					busyTrial(t, rng)
				}
			}))
		}
		return g
	}
	s := CompareGroups([]RunGroup{group("quiet", false), group("busy", true)}, CompareOptions{})
	for _, c := range s.Comparisons {
		if c.Judged && (c.Verdict != Inconclusive || !strings.Contains(c.Withheld, "only 0 of 10 trials were undisturbed")) {
			t.Errorf("%s of %s: %s, %q", c.Metric, c.Arm, c.Verdict, c.Withheld)
		}
	}
	if g := NewGate(s, nil, time.Now()); g.Outcome != Undecided {
		t.Errorf("gate %s", g.Outcome)
	}
}

func hasWarning(ws []results.Warning, code vocab.Code) bool {
	for _, w := range ws {
		if w.Code == code {
			return true
		}
	}
	return false
}
