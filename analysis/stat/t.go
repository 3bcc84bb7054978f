package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// power is the chance with which "smallest detectable" would be detected.
const power = 0.90

// Critical is the two-sided critical value of Student's t, from the lower tail
// because 1-alpha/2 rounds to 1 for small alpha.
func Critical(alpha, df float64) float64 {
	return -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(alpha / 2)
}

// TTest is the two-sided p of a mean being zero.
func TTest(mean, se, df float64) float64 {
	if se == 0 {
		if mean == 0 {
			return 1
		}
		return 0
	}
	return min(1, 2*distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(math.Abs(mean/se)))
}

// Detectable is the smallest true mean whose interval at 1-alpha would exclude
// zero with 90 % chance, given this standard error: the noncentrality of t is
// solved for by bisection.
func Detectable(se, df, alpha float64) (float64, bool) {
	critical := Critical(alpha, df)
	lo, hi := 0.0, 2*critical+10
	for range 60 {
		mid := (lo + hi) / 2
		if 1-(distuv.NoncentralT{Nu: df, Mu: mid}).CDF(critical) < power {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi * se, IsFinite(hi * se)
}

// NormalQuantile is that of the standard normal distribution.
func NormalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
