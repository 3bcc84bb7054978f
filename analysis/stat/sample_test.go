package stat

import (
	"math"
	"slices"
	"testing"
)

// sleep is Student's own example (1908), as in R's data set "sleep": extra
// hours of sleep under two drugs, the same ten patients.
var sleep = struct{ a, b []float64 }{
	a: []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0},
	b: []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4},
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// R: t.test(sleep, paired = TRUE): t = 4.0621, df = 9, p-value = 0.002833,
// 95 percent confidence interval 0.7001142 2.4598858, mean 1.58.
func TestInterval(t *testing.T) {
	var d []float64
	for i := range sleep.a {
		d = append(d, sleep.b[i]-sleep.a[i])
	}
	s := NewSample(d)
	lo, hi := s.Interval(0.05).Ends()
	p, ok := s.P(0)
	near(t, "mean", s.Mean, 1.58, 1e-12)
	near(t, "lo", lo, 0.7001142, 1e-6)
	near(t, "hi", hi, 2.4598858, 1e-6)
	near(t, "p", p, 0.002833, 1e-6)
	if !ok {
		t.Error("p is not ok")
	}
}

func TestIntervalNeedsTwo(t *testing.T) {
	s := NewSample([]float64{3})
	lo, hi := s.Interval(0.05).Ends()
	_, ok := s.P(0)
	if lo != 3 || hi != 3 || ok {
		t.Errorf("interval of one = %v to %v, p %v; want none", lo, hi, ok)
	}
}

// R: power.t.test(power = .90, delta = 1) gives n = 22.02110 in each group,
// so with 2(n-1) degrees of freedom the noncentrality is sqrt(n/2).
func TestDetectable(t *testing.T) {
	const n = 22.02110
	got, ok := Detectable(1, 2*(n-1), 0.05)
	near(t, "noncentrality", got, math.Sqrt(n/2), 1e-4)
	if !ok {
		t.Error("not ok")
	}
}

// TestNoSpread: values that are equal but for rounding have no spread, no trend,
// no neighbours that are alike, no outliers and no modes.
func TestNoSpread(t *testing.T) {
	third := 0.1 + 0.2
	xs := []float64{third, 0.3, 0.3, 0.3, third, 0.3, 0.3, third, 0.3, 0.3}
	near(t, "standard deviation", NewSample(xs).SD, 0, 0)
	near(t, "lag 1", Lag1(xs), 0, 0)
	if odd := Outliers(xs); odd != nil {
		t.Errorf("outliers at %v, want none", odd)
	}
	if cut, _ := bestCut(slices.Sorted(slices.Values(xs))); cut != 0 {
		t.Errorf("cut in two at %d, want whole", cut)
	}
	groups := [][]float64{xs[:5], xs[5:]}
	if _, _, ok := Anova(groups); ok {
		t.Error("groups of equal values are told apart")
	}
}
