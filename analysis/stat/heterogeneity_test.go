package stat

import (
	"math"
	"testing"
)

// With F(2, d) the survival function has the closed form (1+2F/d)^(-d/2).
func TestSpread(t *testing.T) {
	xs, es := []float64{0, 1, 2}, []Error{{SE: 1, DF: 9}, {SE: 1, DF: 9}, {SE: 1, DF: 9}}
	s, ok := NewSpread(xs, es)
	near(t, "p", s.P, math.Pow(29.0/27, -13.5), 1e-9)
	near(t, "within", s.Within, 1, 1e-12)
	near(t, "between", s.Between, 0, 1e-12)
	if !ok {
		t.Error("not ok")
	}
	for i := range es {
		es[i].SE = 0.1
	}
	s, _ = NewSpread(xs, es)
	near(t, "between", s.Between, math.Sqrt(1-0.01), 1e-12)
	if s.P > 1e-6 {
		t.Errorf("p = %v for effects ten errors apart", s.P)
	}
	if _, ok := NewSpread(xs, make([]Error, 3)); ok {
		t.Error("a spread without standard errors")
	}
}
