package stat

import "math"

// A Ratio is two sums. Because both add up, totals over any set of parts are exact,
// a part with nothing in it does no harm, and a long one weighs as much as it should.
type Ratio struct{ Num, Den float64 }

// Per is so much for so much.
func Per(num, den float64) Ratio { return Ratio{num, den} }

// Plus adds both sums.
func (r Ratio) Plus(o Ratio) Ratio { return Ratio{r.Num + o.Num, r.Den + o.Den} }

func (r Ratio) minus(o Ratio) Ratio { return Ratio{r.Num - o.Num, r.Den - o.Den} }

// Value is NaN where there is none.
func (r Ratio) Value() float64 {
	if r.Den <= 0 {
		return math.NaN()
	}
	return r.Num / r.Den
}

// Total adds ratios up.
func Total(rs []Ratio) Ratio {
	var all Ratio
	for _, r := range rs {
		all = all.Plus(r)
	}
	return all
}

// Jackknife is the error of a change between two ratios, each made of blocks in order
// of time, from leaving out one group of neighbouring blocks at a time (Künsch 1989,
// "The jackknife and the bootstrap for general stationary observations"): neighbours
// share slow drift, so single blocks would look more independent than they are.
//
// Its lag is how far neighbouring groups depend on each other all the same.
func Jackknife(a, b []Ratio, change func(a, b float64) (float64, bool)) Error {
	g := jackknifeGroups(len(a))
	if g < 2 {
		return Error{}
	}
	allA, allB := Total(a), Total(b)
	left := make([]float64, g)
	var mean float64
	for j := range left {
		lo, hi := j*len(a)/g, (j+1)*len(a)/g
		x, ok := change(allA.minus(Total(a[lo:hi])).Value(), allB.minus(Total(b[lo:hi])).Value())
		if !ok {
			return Error{}
		}
		left[j] = x
		mean += x / float64(g)
	}
	var ss, neighbours float64
	for i, x := range left {
		ss += (x - mean) * (x - mean)
		if i > 0 {
			neighbours += (x - mean) * (left[i-1] - mean)
		}
	}
	e := Error{SE: math.Sqrt(ss * float64(g-1) / float64(g)), DF: g - 1}
	if !IsFinite(e.SE) {
		return Error{}
	}
	if ss > 0 {
		// Deviations from their own mean are correlated by -1/g each: add it back.
		e.Lag = neighbours/ss + 1/float64(g)
	}
	return e
}

// jackknifeGroups: pairs of blocks at least, where there are enough of them,
// and ten groups at most. Measured lag-1 correlation of block ratios is 0 to
// 0.35, which groups of two already halve; more than ten groups would gain
// little precision for the standard error and lose that protection.
func jackknifeGroups(blocks int) int {
	if blocks < 8 {
		return blocks
	}
	return min(blocks/2, 10)
}
