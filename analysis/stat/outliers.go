package stat

import (
	"math"
	"slices"

	gonum "gonum.org/v1/gonum/stat"
)

// Outliers are the positions further from the median than ten times the
// median absolute deviation, scaled to a normal standard deviation; where more
// than half of the values are equal, the mean absolute deviation takes its place
// (Iglewicz and Hoaglin 1993, "How to detect and handle outliers").
func Outliers(xs []float64) []int {
	if len(xs) < 4 || Flat(xs) {
		return nil
	}
	mid := Median(slices.Clone(xs))
	far := make([]float64, len(xs))
	for i, x := range xs {
		far[i] = math.Abs(x - mid)
	}
	sd := 1.4826 * Median(slices.Clone(far))
	if sd == 0 {
		sd = 1.2533 * gonum.Mean(far, nil)
	}
	var out []int
	for i, d := range far {
		if d > 10*sd {
			out = append(out, i)
		}
	}
	return out
}
