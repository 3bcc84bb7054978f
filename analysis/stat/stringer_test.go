package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestStringer(t *testing.T) {
	// Of two points the bounds are those of a share: Clopper and Pearson's of 1 and
	// of 3 in 18, one-sided at 95 %, are 0.2381 and 0.3767.
	for k, want := range map[int]float64{1: 0.2381, 3: 0.3767} {
		xs := make([]float64, 18)
		for i := range k {
			xs[17-i] = 2
		}
		lo, hi := NewStringer(xs).Interval(0.05).Ends()
		near(t, "upper bound", hi, 2*want, 1e-3)
		if lo < 0 || lo >= 2*float64(k)/18 {
			t.Errorf("lower bound of %d in 18 is %v", k, lo)
		}
		for i := range xs { // turned over
			xs[i] = -xs[i]
		}
		lo, _ = NewStringer(xs).Interval(0.05).Ends()
		near(t, "lower bound", lo, -2*want, 1e-3)
	}
	// Of many normal ones they are nearly the normal distribution's.
	rng := rand.New(rand.NewPCG(3, 4))
	xs := make([]float64, 1000)
	for i := range xs {
		xs[i] = 5 + rng.NormFloat64()
	}
	s := NewSample(xs)
	lo, hi := NewStringer(xs).Interval(0.05).Ends()
	near(t, "normal, above", (hi-s.Mean)/s.SE(), 1.645, 0.15)
	near(t, "normal, below", (s.Mean-lo)/s.SE(), 1.645, 0.15)
	// The p is of the bounds: at it they touch zero.
	odd := []float64{-4, -1, 1, 2, 2, 3}
	bounds := NewStringer(odd)
	p, _ := bounds.P(0)
	if lo, _ := bounds.Interval(p).Ends(); p < 0.01 || math.Abs(lo) > 1e-6 {
		t.Errorf("at p = %v the lower bound is %v, want 0", p, lo)
	}
}
