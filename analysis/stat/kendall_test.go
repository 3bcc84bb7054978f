package stat

import (
	"math"
	"testing"
)

func TestTrend(t *testing.T) {
	// All 28 pairs of 8 concordant: tau 1, z = 1/sqrt(2·21/(9·8·7)) = 3.4641.
	tau, p := Kendall([]float64{1, 2, 3, 4, 5, 6, 7, 8})
	near(t, "tau", tau, 1, 1e-12)
	near(t, "p", p, 0.000532, 1e-6)
}

// TestTrendWithTies: tau-b and its variance, as Kendall (1970) has them.
func TestTrendWithTies(t *testing.T) {
	third := 0.1 + 0.2 // not quite 0.3
	for _, tt := range []struct {
		name   string
		xs     []float64
		tau, p float64
	}{
		{"all equal", []float64{0, 0, 0, 0, 0, 0, 0, 0}, 0, 1},
		{"equal but for rounding", []float64{0.3, third, 0.3, third, 0.3, third, third, third}, 0, 1},
		// S = 7 of 28 pairs, of which 21 are tied; the variance is (8·7·21 - 7·6·19)/18 = 21.
		{"one at the end differs", []float64{0, 0, 0, 0, 0, 0, 0, 1}, 7 / math.Sqrt(28*7), 0.126630},
		// S = 16, tied 12; the variance is (8·7·21 - 2·4·3·13)/18 = 48.
		{"a step", []float64{0, 0, 0, 0, 1, 1, 1, 1}, 16 / math.Sqrt(28*16), 0.020921},
	} {
		tau, p := Kendall(tt.xs)
		near(t, tt.name+": tau", tau, tt.tau, 1e-12)
		near(t, tt.name+": p", p, tt.p, 1e-6)
	}
}
