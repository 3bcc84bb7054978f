package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"netab/analysis/stat"
	"netab/analysis/world"
	"netab/results"
)

// earlierRuns say the changes that are given, as sharp as the run is.
func earlierRuns(s *Summary, distance float64, changes ...float64) (out []results.Digest) {
	own := EffectsOf(s)[0]
	for i, x := range changes {
		e := own
		e.X = math.Log1p(x)
		out = append(out, results.Digest{ID: fmt.Sprint("run", i), State: map[string]float64{canaryDistance: distance}, Started: time.Date(2026, 11, 1+i, 3, 0, 0, 0, time.UTC), Effects: []results.DigestEffect{e}})
	}
	return out
}

func TestRemember(t *testing.T) {
	of := func(effect float64) Summary {
		w := world.Quiet()
		w.Effects = []float64{math.Log1p(effect)}
		return Summarize(w.Run(w.Design(0.02, time.Minute), 1, 20))
	}
	for _, tt := range []struct {
		name     string
		effect   float64
		earlier  []float64
		distance float64 // of the CPUs in this run, ns; in the earlier ones it was 70
		agree    bool
		outcome  Outcome
		text     string
		contrary int
	}{
		{"no earlier run", 0.05, nil, 0, true, Passed, "", 0},
		{"one that agrees", 0.05, []float64{0.052}, 0, true, Passed, "One earlier run of this question on this machine, since 2026-11-01, agrees with this one.", 0},
		{"three that agree", -0.05, []float64{-0.052, -0.045, -0.05}, 0, true, Worse, "over all runs, which scatter by ", 0},
		{"one that is sure of the contrary", 0.05, []float64{-0.06}, 0, false, Undecided, "does not agree", 1},
		{"a regression that others contradict", -0.06, []float64{0.05, 0.055, -0.058}, 0, false, Undecided, "Three earlier runs", 2},
		{"far off", 0.05, []float64{0.2, 0.05}, 0, false, Passed, "do not agree", 1},
		{"a regression, off in size alone", -0.2, []float64{-0.06, -0.21}, 0, false, Worse, "do not agree", 1},
		{"a regression where there was none that matters", -0.2, []float64{-0.01}, 0, false, Undecided, "does not agree", 1},
		{"the same where there was a regression", 0.001, []float64{-0.06}, 0, false, Undecided, "does not agree", 1},
		{"off by less than matters", 0.05, []float64{0.05 + 0.015}, 0, true, Passed, "agrees", 0},
		{"in another state", 0.05, []float64{-0.06}, 350, true, Passed, "one more in another state of it (CPUs 70 ns apart)", 0},
		{"in the same state", 0.05, []float64{-0.06}, 75, false, Undecided, "does not agree", 1},
	} {
		s := of(tt.effect)
		earlier := earlierRuns(&s, 70, tt.earlier...)
		if tt.distance > 0 {
			s.States = []State{{Name: steady, Share: 0.95, Canaries: map[string]float64{canaryDistance: tt.distance}}}
		}
		Remember(&s, earlier)
		if s.History == nil {
			s.History = &History{Agree: true}
		}
		h := s.History
		if h.Agree != tt.agree || !strings.Contains(h.Text, tt.text) || hasWarning(s.Warnings, Contradiction) == tt.agree {
			t.Errorf("%s: agree %v, %q, %v", tt.name, h.Agree, h.Text, s.Warnings)
		}
		if n := 0; len(h.Of) > 0 {
			if n = len(h.Of[0].Contradicts); n != tt.contrary {
				t.Errorf("%s: %d contradict, want %d", tt.name, n, tt.contrary)
			}
		}
		if g := NewGate(s, nil, gateDay); g.Outcome != tt.outcome {
			t.Errorf("%s: gate %s, want %s: %s", tt.name, g.Outcome, tt.outcome, g.Sentence)
		}
	}
}

// TestHistoryIsQuiet: runs that differ by chance alone contradict each other in
// no more than one of twenty, however many there are: one of a hundred is further
// off than chance allows, and four are sure of a sign that one of so many is not.
func TestHistoryIsQuiet(t *testing.T) {
	const times, runs = 2000, 50
	rng := rand.New(rand.NewPCG(3, 4))
	for _, truth := range []float64{0, 0.02} {
		draw := func() stat.Estimate {
			se := 0.01 * (0.5 + rng.Float64())
			const df = 12
			chi := 0.0
			for range df {
				chi += math.Pow(rng.NormFloat64(), 2)
			}
			return stat.Estimate{X: truth + se*rng.NormFloat64(), SE: se * math.Sqrt(chi/df), DF: df}
		}
		wrong := 0
		for range times {
			own, any := draw(), false
			for range runs {
				against, _ := contradict(own, draw(), 0.001, runs)
				any = against || any
			}
			if any {
				wrong++
			}
		}
		// Sure of opposite signs: each of them is wrong in 2.5 %, this run and one of 50.
		if most := within(0.05, times); wrong > most {
			t.Errorf("truth %v: %d of %d runs were contradicted, at most %d may be", truth, wrong, times, most)
		}
	}
}
