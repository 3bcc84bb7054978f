package stat

import (
	"math"
	"testing"
)

// Of errors that are all alike the estimate is the mean, and Hartung and Knapp's
// interval that of t.
func TestPool(t *testing.T) {
	xs := []float64{0.05, 0.01, -0.03, 0.08}
	var es []Estimate
	for _, x := range xs {
		es = append(es, Estimate{X: x, SE: 0.01, DF: 20})
	}
	s, b := NewSample(xs), Pool(es)
	lo, hi := s.Interval(0.05).Ends()
	near(t, "mean", b.Mean, s.Mean, 1e-12)
	near(t, "lo", b.Lo, lo, 1e-12)
	near(t, "hi", b.Hi, hi, 1e-12)
	near(t, "spread", b.SD, math.Sqrt(s.SD*s.SD-0.01*0.01), 1e-12)
	for i := range es { // that scatter less than their errors
		es[i].SE = 1
	}
	b = Pool(es)
	if b.SD != 0 || b.P < 0.99 {
		t.Errorf("%+v", b)
	}
	near(t, "width", b.Hi-b.Mean, Critical(0.05, 3)/2, 1e-9)
}
