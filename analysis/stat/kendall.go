package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Kendall is Kendall's tau-b of the values against their order, and its two-sided
// p by the normal approximation with the variance that ties leave (Kendall
// 1970, "Rank correlation methods", chapters 3 and 4). Values that are all
// equal have no trend.
func Kendall(xs []float64) (tau, p float64) {
	if Flat(xs) {
		return 0, 1
	}
	s, n := 0.0, float64(len(xs))
	for i, x := range xs {
		for _, y := range xs[i+1:] {
			switch {
			case Flat([]float64{x, y}):
			case y > x:
				s++
			default:
				s--
			}
		}
	}
	pairs, variance := n*(n-1)/2, n*(n-1)*(2*n+5)
	tied := 0.0
	for _, t := range ties(xs) {
		tied += t * (t - 1) / 2
		variance -= t * (t - 1) * (2*t + 5)
	}
	z := math.Abs(s) / math.Sqrt(variance/18)
	return s / math.Sqrt(pairs*(pairs-tied)), min(1, 2*distuv.UnitNormal.Survival(z))
}

// ties are how many values are equal to each other, for each value that there is.
func ties(xs []float64) []float64 {
	sorted := slices.Sorted(slices.Values(xs))
	var out []float64
	for i, x := range sorted {
		if i > 0 && Flat([]float64{sorted[i-1], x}) {
			out[len(out)-1]++
			continue
		}
		out = append(out, 1)
	}
	return out
}
