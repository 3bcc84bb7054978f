package stat

import "math"

// A Below is how many of a cluster's values lie at or below some value.
type Below struct{ In, Of float64 }

// Woodruff is half of the interval of the share of all values that lie at or below
// their quantile, at 1-alpha (1952, "Confidence intervals for medians and other
// position measures"): that share is a ratio of two sums over clusters, whose error
// follows from how clusters scatter (Cochran 1977, 6.5); read back at its ends, it is
// the quantile's. Values of one cluster are not independent; clusters are. It is 0
// where they do not scatter.
func Woodruff(clusters []Below, alpha float64) float64 {
	t := float64(len(clusters))
	var in, n float64
	for _, c := range clusters {
		in, n = in+c.In, n+c.Of
	}
	share := in / n
	var ss float64
	for _, c := range clusters {
		d := c.In - share*c.Of
		ss += d * d
	}
	if t < 2 || ss == 0 {
		return 0
	}
	return Critical(alpha, t-1) * math.Sqrt(t/(t-1)*ss) / n
}
