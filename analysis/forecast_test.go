package analysis

import (
	"math/rand/v2"
	"testing"
	"time"

	"netab/analysis/stat"
	"netab/results"
)

// A question is decided by the foretold time in 9 of 10 runs, or a little more
// (looks before it decide some too), and not far sooner.
func TestPredict(t *testing.T) {
	const trial = 1600 * time.Millisecond
	rng := rand.New(rand.NewPCG(11, 0))
	for _, c := range []struct {
		sd, resolution, maxTime float64
		within                  bool
	}{{0.004, 0.01, 60, true}, {0.012, 0.01, 60, true}, {0.05, 0.02, 60, false}, {0.002, 0.03, 60, true}} {
		d := results.Design{Arms: []results.Arm{{Name: "a"}, {Name: "b"}}, Confidence: 0.95, Resolution: c.resolution, MaxTimeS: c.maxTime}
		f := Predict(d, c.sd, trial)
		if f.Within != c.within || f.Trials < stat.FirstLook || f.Time != time.Duration(f.Trials)*trial {
			t.Errorf("%+v: %+v", c, f)
			continue
		}
		if !f.Within {
			d.MaxTimeS = f.Time.Seconds() + 0.1
		}
		looks := Looks(d, trial)
		const runs = 1000
		decided, sooner := 0, 0
		for range runs {
			var xs []float64
			for _, l := range looks {
				for len(xs) < l.Trials {
					xs = append(xs, c.sd*rng.NormFloat64())
				}
				lo, hi := stat.NewSample(xs).Interval(l.Alpha).Ends()
				if lo > -c.resolution && hi < c.resolution {
					if l.Trials < f.Trials {
						sooner++
					}
					decided++
					break
				}
				if l.Trials >= f.Trials {
					break
				}
			}
		}
		if decided < runs*88/100 {
			t.Errorf("%+v: %d of %d decided within %d trials", c, decided, runs, f.Trials)
		}
		if sooner > runs*9/10 {
			t.Errorf("%+v: %d of %d decided sooner than foretold", c, sooner, runs)
		}
	}
	if f := Predict(results.Design{Resolution: 0.01}, 0.01, 0); f.Trials != 0 {
		t.Errorf("trials of no time: %+v", f)
	}
}
