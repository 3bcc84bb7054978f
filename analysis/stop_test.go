package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/results"
)

// lookAt is one call of a schedule.
type lookAt struct {
	n       int
	elapsed time.Duration
	last    bool
}

func TestSchedule(t *testing.T) {
	every2s := func(n int) []lookAt {
		var calls []lookAt
		for i := 1; i <= n; i++ {
			calls = append(calls, lookAt{i, time.Duration(i) * 2 * time.Second, i == n})
		}
		return calls
	}
	for _, tt := range []struct {
		name  string
		calls []lookAt
		looks []int
		alpha []float64
	}{
		{"60 s of 2 s trials", every2s(30), []int{8, 12, 18, 30}, []float64{0.05 * 8 / 30, 0.05 * 4 / 30, 0.05 * 6 / 30, 0.05 * 12 / 30}},
		{"too few for an early look", every2s(5), []int{5}, []float64{0.05}},
		{"slower than thought", []lookAt{{8, 16 * time.Second, false}, {12, 59 * time.Second, true}}, []int{8, 12}, []float64{0.05 * 8 / 30, 0.05 * 22 / 30}},
		{"no early look near the deadline", []lookAt{{8, 50 * time.Second, false}, {9, 56 * time.Second, true}}, []int{9}, []float64{0.05}},
		{"interrupted before the first trial", []lookAt{{0, time.Second, true}}, nil, nil},
	} {
		s := newSchedule(results.Design{Confidence: 0.95, MaxTimeS: 60})
		var looks []int
		var alpha []float64
		for _, c := range tt.calls {
			if l, ok := s.look(c.n, c.elapsed, c.last); ok {
				looks, alpha = append(looks, l.Trials), append(alpha, l.Alpha)
			}
		}
		if !slices.Equal(looks, tt.looks) {
			t.Errorf("%s: looks at %v, want %v", tt.name, looks, tt.looks)
			continue
		}
		for i := range alpha {
			near(t, tt.name, alpha[i], tt.alpha[i], 1e-12)
		}
	}
}

// Whatever the pace of the trials, alpha is neither overspent nor left over.
func TestScheduleSpendsAlphaOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		s := newSchedule(results.Design{Confidence: 0.95, MaxTimeS: 60})
		spent, elapsed := 0.0, 0.0
		for n := 1; ; n++ {
			elapsed += math.Exp(2 * rng.NormFloat64())
			last := elapsed > 60 || rng.IntN(50) == 0
			if l, ok := s.look(n, time.Duration(elapsed*1e9), last); ok {
				if l.Alpha <= 0 {
					t.Fatalf("a look with alpha %v", l.Alpha)
				}
				spent += l.Alpha
			}
			if last {
				break
			}
		}
		near(t, "alpha spent", spent, 0.05, 1e-12)
	}
}

// The mask-3 case of the design: a lottery between -7.5 % and +8 % must be
// told as two modes, by the softirq's CPU, within 12 trials, and must not hold
// the run to its time limit.
func TestStopOnMixture(t *testing.T) {
	const runs = 200
	w := with(func(w *world.World) { w.Modes = []float64{-0.075, 0.08} })
	late, converged := 0, 0
	for seed := range uint64(runs) {
		design := w.Design(0.01, 60*time.Second)
		stop := NewStop(design, seed)
		c := stopped(w, design.MaxTimeS, stop, seed)
		looks := stop.Looks()
		if looks[len(looks)-1].Decided {
			converged++
		}
		if c.N > 12 || c.Modes == nil {
			late++
			continue
		}
		if want := "softirq CPU of the sink's socket"; c.Modes.Covariate != want {
			t.Errorf("seed %d: explained by %q, want %q", seed, c.Modes.Covariate, want)
		}
	}
	if late > runs/20 {
		t.Errorf("%d of %d runs had not found the modes by 12 trials", late, runs)
	}
	if converged < runs*99/100 {
		t.Errorf("%d of %d runs were held to the time limit", runs-converged, runs)
	}
}

// Four modes all on one side of zero: the mean has its verdict at once, but what
// the trials fall into must be told, and that takes more of them.
func TestStopAsksWhy(t *testing.T) {
	const runs = 100
	w := with(func(w *world.World) { w.Modes = []float64{-0.4, -0.28, -0.15, -0.05} })
	explained, long := 0, 0
	for seed := range uint64(runs) {
		design := w.Design(0.01, 60*time.Second)
		c := stopped(w, design.MaxTimeS, NewStop(design, seed), seed)
		if c.Modes != nil && c.Modes.Covariate != "" {
			explained++
		}
		if c.N > 18 {
			long++
		}
	}
	if explained < runs*95/100 {
		t.Errorf("%d of %d runs named the modes", explained, runs)
	}
	if long > runs/10 {
		t.Errorf("%d of %d runs took more than 18 trials", long, runs)
	}
	// A spread that nothing explains is given up on.
	w = with(func(w *world.World) { w.Trial, w.Effects = 0.05, []float64{-0.3} })
	design := w.Design(0.01, 60*time.Second)
	if c := stopped(w, design.MaxTimeS, NewStop(design, 1), 1); c.N != 18 || c.Verdict != Regression {
		t.Errorf("a spread without reason: %s after %d trials, want a regression after 18", c.Verdict, c.N)
	}
}

func TestStopOneArm(t *testing.T) {
	w := plain
	w.Effects = nil
	w.White = 0.01
	design := w.Design(0.01, 60*time.Second)
	stop := NewStop(design, 1)
	src := w.Source(1)
	var trials []results.Trial
	for {
		trials = append(trials, src.Trial())
		d := stop.Look(trials, time.Duration(len(trials))*w.TrialTime(), false)
		if d.Stop {
			if !d.Converged || len(trials) != firstLook {
				t.Errorf("stopped after %d trials, converged %v; want %d, true", len(trials), d.Converged, firstLook)
			}
			if l := d.Levels[0].Metrics["goodput"]; !l.Converged || l.N != firstLook {
				t.Errorf("level %+v", l)
			}
			return
		}
	}
}

func TestStopWithoutTrials(t *testing.T) {
	d := NewStop(plain.Design(0.01, time.Minute), 1).Look(nil, time.Minute, true)
	if !d.Stop || d.Converged || d.Look {
		t.Errorf("decision %+v, want a stop that decided nothing", d)
	}
	// Only the runner knows when another trial is of no use.
	lost := []results.Trial{{Invalid: "the machine was too busy"}}
	if d := NewStop(plain.Design(0.01, time.Minute), 1).Look(lost, 2*time.Minute, false); d.Stop {
		t.Errorf("decision %+v before there was a valid trial", d)
	}
}
