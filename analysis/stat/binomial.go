package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// AtMost is the upper bound at 1-alpha of a share of which k of n were seen; of
// none, 1 - alpha^(1/n).
func AtMost(k int, n, alpha float64) float64 {
	return mathext.InvRegIncBeta(float64(k+1), n-float64(k), 1-alpha)
}

// FewestOfTwo are needed to see both of two modes: with fewer, draws of one of them
// are all alike by chance in more than alpha of all cases, and then nothing in them
// tells. It is 6 at 95 %, 8 at 99 %.
func FewestOfTwo(alpha float64) int {
	return int(math.Ceil(math.Log2(2/alpha) - 1e-9))
}

// rareShare is how rare something may be that FewestOfRare has seen.
const rareShare = 0.1

// FewestOfRare are needed to see what happens in one of ten draws: with fewer, it
// is not seen in more than alpha of all cases. It is 29 at 95 % (the rule of
// three: Hanley and Lippman-Hand 1983, "If nothing goes wrong, is everything all
// right?").
func FewestOfRare(alpha float64) int {
	return int(math.Ceil(math.Log(alpha)/math.Log(1-rareShare) - 1e-9))
}

// FewestOfQuantile are needed to know a quantile q: both ends of its
// distribution-free 95 % interval must lie among them. The ends are order statistics.
// The n values are all below the quantile with a chance of q^n, all above it with
// (1-q)^n, and where either is more than half of 5 %, the largest or the smallest
// of them is no such end (David and Nagaraja 2003, "Order Statistics", section 7.1).
// It is 6 for the median, 368 for p99, 3688 for p99.9. The largest of all that was seen
// is what it is.
func FewestOfQuantile(q float64) int64 {
	if q <= 0 || q >= 1 {
		return 1
	}
	return int64(math.Ceil(math.Log(0.05/2) / math.Log(max(q, 1-q))))
}

// SignTest is the two-sided exact p of so many against so many of a fair coin.
func SignTest(a, b int) float64 {
	if a+b == 0 {
		return 1
	}
	fewer := min(a, b)
	return min(1, 2*distuv.Binomial{N: float64(a + b), P: 0.5}.CDF(float64(fewer)))
}
