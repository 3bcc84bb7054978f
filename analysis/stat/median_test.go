package stat

import (
	"math/rand/v2"
	"testing"
)

func TestHodgesLehmann(t *testing.T) {
	for _, tt := range []struct {
		name string
		xs   []float64
		want float64
	}{
		{"one", []float64{7}, 7},
		{"symmetric", []float64{1, 2, 3}, 2},
		// Pairwise means of 1, 2, 9: 1 1.5 5 2 5.5 9, median (2+5)/2.
		{"skewed", []float64{1, 2, 9}, 3.5},
		// 15 pairwise means; the eighth is (0+1)/2 ... an outlier moves it little.
		{"outlier", []float64{-1, 0, 1, 0, 1000}, 0.5},
	} {
		near(t, tt.name, HodgesLehmann(tt.xs), tt.want, 1e-12)
	}
}

// A run of very many trials is judged in the memory that there is.
func TestHodgesLehmannOfMany(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, 200_000)
	for i := range xs {
		xs[i] = 1000 * r.Float64()
	}
	if got := HodgesLehmann(xs); got < 480 || got > 520 {
		t.Errorf("the centre of 0 to 999 is %v", got)
	}
}
