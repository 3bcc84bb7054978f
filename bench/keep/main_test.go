package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRatio: a side whose trials scatter twice as much is seen to, and levels of
// runs do not count as scatter.
func TestRatio(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	runs := func(sd, shift float64) []series {
		var out []series
		for range 40 {
			at := rng.NormFloat64() + shift
			var run series
			for range 10 {
				run = append(run, at+sd*rng.NormFloat64())
			}
			out = append(out, run)
		}
		return out
	}
	a, b := runs(0.01, 0), runs(0.02, 0)
	r, lo, hi := ratio(a, b, scatter, rng)
	if math.Abs(r-2) > 0.2 || lo > 2 || hi < 2 || lo < 1.5 || hi > 2.5 {
		t.Errorf("%.3f (%.3f to %.3f), want 2", r, lo, hi)
	}
	if got := level([]series{{math.Log(2), math.Log(8)}, {math.Log(1)}}); math.Abs(got-2) > 1e-9 {
		t.Errorf("level %v, want 2", got)
	}
}
