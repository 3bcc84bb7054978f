package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Squares is the sum of squares of deviations from the mean of groups of values,
// between the groups and within them.
func Squares(groups [][]float64) (between, within float64) {
	n := float64(size(groups))
	grand := 0.0
	for _, g := range groups {
		grand += average(g) * float64(len(g)) / n
	}
	for _, g := range groups {
		m := average(g)
		between += float64(len(g)) * (m - grand) * (m - grand)
		for _, x := range g {
			within += (x - m) * (x - m)
		}
	}
	return between, within
}

// Anova tests that all groups have one mean; share is the part of the variance
// that the groups explain.
func Anova(groups [][]float64) (p, share float64, ok bool) {
	k, n := len(groups), size(groups)
	between, within := Squares(groups)
	means := make([]float64, k)
	for i, g := range groups {
		means[i] = average(g)
	}
	if k < 2 || n <= k || Flat(means) || !(between > 0) || !IsFinite(between+within) {
		return 0, 0, false
	}
	share = between / (between + within)
	if within == 0 {
		return 0, share, true
	}
	f := distuv.F{D1: float64(k - 1), D2: float64(n - k)}
	return f.Survival(between / float64(k-1) / (within / float64(n-k))), share, true
}

func size(groups [][]float64) int {
	n := 0
	for _, g := range groups {
		n += len(g)
	}
	return n
}

// average adds up what each value has of the mean, so that the same values in the
// same order have the same one, whatever else there is.
func average(xs []float64) float64 {
	m := 0.0
	for _, x := range xs {
		m += x / float64(len(xs))
	}
	return m
}

// RandomEffect is the analysis of variance of one random effect, whose variance is
// by the method of moments: the standard deviation of the groups beyond what their
// values explain, and the chance of so much without any. Groups of one value each
// tell nothing of it (not ok).
func RandomEffect(groups [][]float64) (sd, p float64, ok bool) {
	k, n := float64(len(groups)), 0.0
	means := make([]float64, len(groups))
	var within, between, squares, grand float64
	for i, g := range groups {
		means[i] = NewSample(g).Mean
		n += float64(len(g))
		grand += means[i] * float64(len(g))
		squares += float64(len(g) * len(g))
		for _, x := range g {
			within += (x - means[i]) * (x - means[i])
		}
	}
	if n == k {
		return 0, 1, false
	}
	grand /= n
	for i, g := range groups {
		between += float64(len(g)) * (means[i] - grand) * (means[i] - grand)
	}
	msb, msw := between/(k-1), within/(n-k)
	sd = math.Sqrt(max(0, (msb-msw)/((n-squares/n)/(k-1))))
	switch {
	case msw > 0:
		p = distuv.F{D1: k - 1, D2: n - k}.Survival(msb / msw)
	case msb > 0:
		p = 0
	default:
		p = 1
	}
	return sd, p, true
}
