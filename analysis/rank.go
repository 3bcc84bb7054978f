package analysis

import (
	"math"
	"slices"

	"netab/results"
)

// rankTrials is the most trials whose mean is doubted: beyond it the mean of
// two modes is normal enough.
const rankTrials = 50

// Trials that scatter by their own error alone are close to normal, because
// each is a mean over many slices. Trials that scatter beyond it draw
// something once and keep it, and how that is distributed nobody knows. Where
// it is one of two modes, Student's t is wrong: of seven trials, six alike and
// one not make a t interval that excludes zero, and a fair coin falls so, or
// seven times alike, in one run of eight.
//
// So an interval of trials that disagree is widened to hold that of Wilcoxon's
// signed-rank test too, which is exact for every distribution that is symmetric
// about its mean (Hollander, Wolfe and Chicken 2014, "Nonparametric Statistical Methods",
// section 3.3). Its price where the trials are normal after all is small: with
// eight trials at an alpha of 1 % a sixth of the width, later nothing.

// signedRank is what a signed-rank test knows of some trials.
type signedRank struct {
	walsh []float64 // all pairwise means, sorted
	tail  []float64 // P(W+ <= i) where the centre is zero
}

func newSignedRank(xs []float64) signedRank {
	walsh := walshAverages(xs)
	slices.Sort(walsh)
	// Each rank is in W+ or not: the number of subsets of 1..n with each sum.
	sums := make([]float64, len(walsh)+1)
	sums[0] = 1
	for rank := 1; rank <= len(xs); rank++ {
		for i := len(walsh); i >= 0; i-- {
			sums[i] /= 2
			if i >= rank {
				sums[i] += sums[i-rank] / 2
			}
		}
	}
	for i := range sums[1:] {
		sums[i+1] += sums[i]
	}
	return signedRank{walsh, sums}
}

// interval is at 1-alpha, or the range of the trials where so few cannot tell
// more: it misses the centre with a chance of 2/2^n.
func (r signedRank) interval(alpha float64) (lo, hi float64) {
	k := 0
	for k+1 < len(r.walsh)/2 && 2*r.tail[k+1] <= alpha {
		k++
	}
	return r.walsh[k], r.walsh[len(r.walsh)-1-k]
}

// p is two-sided; W+ is the number of pairwise means above zero.
func (r signedRank) p() float64 {
	var notAbove, notBelow int
	for _, x := range r.walsh {
		if x <= 0 {
			notAbove++
		}
		if x >= 0 {
			notBelow++
		}
	}
	return min(1, 2*r.tail[min(notAbove, notBelow)])
}

// fewestTrials are needed for a verdict: with fewer, trials that draw one of
// two modes are all alike by chance in more than alpha of all runs, and then
// nothing in them tells. It is 6 at 95 %, 8 at 99 %.
//
// Several comparisons share alpha (Holm), and each may be all alike.
func fewestTrials(alpha float64) int {
	return int(math.Ceil(math.Log2(2/alpha) - 1e-9))
}

// fewestOf is fewestTrials of a run of this design.
func fewestOf(d results.Design) int {
	judged := 0
	base := baseline(d)
	for arm := range d.Arms {
		for _, m := range judgedOf(d) {
			if arm != base && m.AppliesTo(d.Arms[arm]) && m.AppliesTo(d.Arms[base]) {
				judged++
			}
		}
	}
	return fewestTrials((1 - confidence(d)) / float64(max(1, judged)))
}
