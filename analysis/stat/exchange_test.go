package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExchange(t *testing.T) {
	for _, tt := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{4, 5, 6}, 2.0 / 20},
		{[]float64{1, 2, 3, 4}, []float64{5, 6, 7, 8}, 2.0 / 70},
		{[]float64{1, 1}, []float64{1, 1}, 1},
		{[]float64{1, 6}, []float64{2, 3, 4, 5}, 1},
		{[]float64{1}, []float64{2, 3}, 2.0 / 3}, // {1} and {3} are as far from the others
	} {
		if got := Exchange(tt.a, tt.b, nil); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%v against %v: %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
	// Beyond what can be tried, random divisions agree with the t test.
	rng := rand.New(rand.NewPCG(1, 2))
	var a, b []float64
	for range 20 {
		a, b = append(a, rng.NormFloat64()), append(b, 0.6+rng.NormFloat64())
	}
	p := Exchange(a, b, rng)
	w, _ := Welch(NewSample(a), NewSample(b)).P(0)
	if math.Abs(p-w) > 0.02 {
		t.Errorf("by exchange %v, by t %v", p, w)
	}
	if Attainable(4, 4) != 2.0/70 || Attainable(5, 5) != 2.0/252 || Attainable(0, 3) != 1 || UnitsNeeded(0.05) != 4 || UnitsNeeded(0.01) != 5 {
		t.Errorf("attainable %v, %v; needed %d, %d", Attainable(4, 4), Attainable(5, 5), UnitsNeeded(0.05), UnitsNeeded(0.01))
	}
}
