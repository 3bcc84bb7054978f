package analysis

import (
	"testing"
	"time"

	"netab/analysis/stat"
	"netab/analysis/world"
	"netab/results"
)

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
			if !d.Converged || len(trials) != stat.FirstLook {
				t.Errorf("stopped after %d trials, converged %v; want %d, true", len(trials), d.Converged, stat.FirstLook)
			}
			if l := d.Levels[0].Metrics["goodput"]; !l.Converged || l.N != stat.FirstLook {
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
