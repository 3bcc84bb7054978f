package stat

import (
	"math/rand/v2"
	"testing"
)

// Tables of the signed-rank test: P(W+ <= w) times two (Hollander, Wolfe and
// Chicken 2014, table A.4; n = 8: 3 at 0.039, 5 at 0.078).
func TestSignedRankTail(t *testing.T) {
	for _, tt := range []struct {
		n, w int
		p    float64
	}{{5, 0, 2.0 / 32}, {6, 0, 2.0 / 64}, {7, 2, 6.0 / 128}, {8, 3, 10.0 / 256}, {8, 5, 20.0 / 256}, {10, 8, 50.0 / 1024}, {3, 6, 2}} {
		near(t, "two-sided p", 2*NewSignedRank(make([]float64, tt.n)).tail[tt.w], tt.p, 1e-12)
	}
}

// The interval must be the test inverted: zero is outside exactly where p is
// at most alpha.
func TestSignedRankIntervalIsTheTest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	outside := 0
	for range 3000 {
		xs := make([]float64, 6+rng.IntN(15))
		for i := range xs {
			xs[i] = rng.NormFloat64() + 0.5
		}
		r := NewSignedRank(xs)
		p, _ := r.P(0)
		for _, alpha := range []float64{0.05, 0.2} {
			lo, hi := r.Interval(alpha).Ends()
			if out := lo > 0 || hi < 0; out != (p <= alpha) {
				t.Fatalf("%d trials: interval %v to %v at alpha %v, but p = %v", len(xs), lo, hi, alpha, p)
			} else if out {
				outside++
			}
		}
	}
	if outside < 1000 || outside > 5000 {
		t.Errorf("zero was outside of %d of 6000 intervals: the test is one-sided", outside)
	}
}

// So few trials, or so little alpha, that the test cannot reject: the interval
// is the range and p says that it is no more than that.
func TestSignedRankOfFew(t *testing.T) {
	r := NewSignedRank([]float64{3, 1, 2, 4})
	if lo, hi := r.Interval(0.05).Ends(); lo != 1 || hi != 4 {
		t.Errorf("interval %v to %v, want the range, 1 to 4", lo, hi)
	}
	p, _ := r.P(0)
	near(t, "p", p, 2.0/16, 1e-12)
}
