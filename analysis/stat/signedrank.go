package stat

import "slices"

// A SignedRank is Wilcoxon's test, which is exact for every distribution that is
// symmetric about its mean (Hollander, Wolfe and Chicken 2014, "Nonparametric Statistical
// Methods", section 3.3).
//
// It is for values that draw something once and keep it, of which nobody knows how
// it is distributed. Where it is one of two modes, Student's t is wrong: of seven
// values, six alike and one not make a t interval that excludes zero, and a fair coin
// falls so, or seven times alike, in one of eight cases. Its price where they are
// normal after all is small: with eight values at an alpha of 1 % a sixth of the
// width, later nothing.
type SignedRank struct {
	Sample
	walsh []float64 // all pairwise means, sorted
	tail  []float64 // P(W+ <= i) where the centre is zero
}

// NewSignedRank takes memory and time by the square of so many values.
func NewSignedRank(xs []float64) SignedRank {
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
	return SignedRank{NewSample(xs), walsh, sums}
}

// Name is of the test.
func (r SignedRank) Name() string { return "Wilcoxon's signed-rank test" }

// Interval is at 1-alpha, or the range of the values where so few cannot tell
// more: it misses the centre with a chance of 2/2^n.
func (r SignedRank) Interval(alpha float64) Interval {
	k := 0
	for k+1 < len(r.walsh)/2 && 2*r.tail[k+1] <= alpha {
		k++
	}
	return Interval{r.walsh[k], r.walsh[len(r.walsh)-1-k], []string{r.Name()}}
}

// P is two-sided; W+ is the number of pairwise means above zero.
func (r SignedRank) P(least float64) (float64, bool) {
	var notAbove, notBelow int
	for _, x := range r.walsh {
		if x <= 0 {
			notAbove++
		}
		if x >= 0 {
			notBelow++
		}
	}
	return max(least, min(1, 2*r.tail[min(notAbove, notBelow)])), true
}

// SmallestDetectable is t's, by so much larger as the interval is wider.
func (r SignedRank) SmallestDetectable(alpha float64) (float64, bool) {
	return wider(r.Sample, r.Interval(alpha), alpha)
}
