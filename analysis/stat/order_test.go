package stat

import (
	"math/rand/v2"
	"testing"
)

func TestNeighbours(t *testing.T) {
	const runs, alpha = 400, 0.02
	for _, tt := range []struct {
		n           int
		r           float64
		least, most int
	}{
		{8, 0, 0, within(alpha, runs)},
		{18, 0, 0, within(alpha, runs)},
		{8, -0.8, 0, within(alpha, runs)}, // which makes the mean sharper
		{18, 0.8, runs * 60 / 100, runs},
		{37, 0.5, runs * 60 / 100, runs},
	} {
		rng := rand.New(rand.NewPCG(uint64(tt.n), 2))
		seen := 0
		for range runs {
			if d, ok := Neighbours(series(rng, tt.n, tt.r), alpha, rng); ok {
				seen++
				if d.Worth < 0.02*float64(tt.n) || d.Worth > float64(tt.n) || d.P > alpha {
					t.Fatalf("%+v of %d", d, tt.n)
				}
			}
		}
		t.Logf("n %d, correlation %.1f: seen in %d of %d", tt.n, tt.r, seen, runs)
		if seen < tt.least || seen > tt.most {
			t.Errorf("n %d, correlation %.1f: seen in %d of %d, want %d to %d", tt.n, tt.r, seen, runs, tt.least, tt.most)
		}
	}
	if d, ok := Neighbours([]float64{1, 1, 1, 1, 1, 1, 1, 1, 1}, alpha, rand.New(rand.NewPCG(1, 1))); ok {
		t.Errorf("equal values: %+v", d)
	}
}

func TestLag1(t *testing.T) {
	// Mean 0, Σ of neighbours -5, Σ of squares 6.
	near(t, "alternating", Lag1([]float64{1, -1, 1, -1, 1, -1}), -5.0/6, 1e-12)
	near(t, "constant", Lag1([]float64{2, 2, 2}), 0, 0)
}
