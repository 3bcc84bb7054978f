package analysis

import (
	"math"
	"testing"
	"time"

	"netab/analysis/world"

	"netab/analysis/stat"

	"netab/analysis/record"
)

// How often verdicts are right is shown by package proof, which sees this one
// from outside. Here are the Monte-Carlo tests of its parts.

// manyRuns is for the tests that take seconds: under the race detector (test.sh
// runs it with -short) they would take minutes, and race with nothing.
func manyRuns(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("many runs: not with -short")
	}
}

// plain is a quiet machine: 10 blocks of 100 ms slices of two arms alike.
var plain = world.World{
	Effects: []float64{0}, Blocks: 10, Slice: 100 * time.Millisecond, Fixed: 80 * time.Millisecond, White: 0.03,
}

func with(change func(*world.World)) world.World {
	w := plain
	w.Effects = append([]float64(nil), plain.Effects...)
	change(&w)
	return w
}

func stopped(w world.World, maxTimeS float64, stop *Stop, seed uint64) Comparison {
	run := w.Run(stop.design, seed, 0)
	src := w.Source(seed)
	for {
		run.Trials = append(run.Trials, src.Trial())
		elapsed := time.Duration(len(run.Trials)) * w.TrialTime()
		last := (elapsed + w.TrialTime()).Seconds() > maxTimeS
		if d := stop.Look(run.Trials, elapsed, last); d.Stop {
			return d.Comparisons[0]
		}
	}
}

// within is the bound of statistics.md: expected share plus three standard
// errors of a count of n.
func within(p float64, n int) int {
	return int(float64(n)*p + 3*math.Sqrt(float64(n)*p*(1-p)))
}

// Q must reject in about hetAlpha of the worlds without trial effects, also
// where slices inside a trial are correlated, and nearly always see an effect
// as large as the error.
func TestHeterogeneity(t *testing.T) {
	const runs, trials = 500, 16
	rejected := func(w world.World) int {
		n := 0
		for seed := range uint64(runs) {
			run := w.Run(w.Design(0.01, time.Minute), seed, trials)
			if s, ok := spreadOf(trialEffects(record.Of(run.Header.Design, run.Trials), goodput(t), 0, 1)); ok && s.P <= hetAlpha {
				n++
			}
		}
		return n
	}
	for _, tt := range []struct {
		name        string
		w           world.World
		least, most int
	}{
		{"white noise", plain, 0, within(hetAlpha, runs)},
		{"drift", with(func(w *world.World) { w.Drift = 0.02 }), 0, within(hetAlpha, runs)},
		{"AR(1) 0.35", with(func(w *world.World) { w.AR = 0.35 }), 0, within(5*hetAlpha, runs)},
		{"trial effects twice the error", with(func(w *world.World) { w.Trial = 0.03 }), runs * 95 / 100, runs},
		{"modes", with(func(w *world.World) { w.Modes = []float64{-0.075, 0.08} }), runs * 99 / 100, runs},
	} {
		got := rejected(tt.w)
		t.Logf("%s: %d of %d", tt.name, got, runs)
		if got < tt.least || got > tt.most {
			t.Errorf("%s: Q rejects in %d of %d worlds, want %d to %d", tt.name, got, runs, tt.least, tt.most)
		}
	}
}

// Two clusters without a covariate: seen where they are, not where trials
// merely scatter.
func TestSplitIsNotFooled(t *testing.T) {
	manyRuns(t)
	const runs = 300
	found := func(w world.World) int {
		n := 0
		for seed := range uint64(runs) {
			run := w.Run(w.Design(0.01, time.Minute), seed, 16)
			var ps []point
			r := record.Of(run.Header.Design, run.Trials)
			for _, e := range trialEffects(r, goodput(t), 0, 1) {
				ps = append(ps, point{&r.Trials[e.at], e.x})
			}
			if split(ps, stat.Seeded(seed)) != nil {
				n++
			}
		}
		return n
	}
	if got := found(with(func(w *world.World) { w.Trial = 0.05 })); got > within(modeAlpha, runs) {
		t.Errorf("%d of %d worlds without modes were split", got, runs)
	}
	if got := found(with(func(w *world.World) { w.Modes = []float64{-0.075, 0.08} })); got < runs*9/10 {
		t.Errorf("modes were seen in %d of %d worlds", got, runs)
	}
}
