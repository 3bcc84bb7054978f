package stat

import (
	"math/rand/v2"
	"slices"
)

// maxCorrelated bounds what an estimate is believed to be: by 39 values for one.
const maxCorrelated = 0.95

// A Likeness is how alike neighbours in a series are.
type Likeness struct {
	Lag1  float64 // correlation of neighbours, corrected for its bias
	P     float64 // one-sided, by permutation
	Worth float64 // so many independent values say as much
}

// Neighbours tests by permutation whether the order of values is one of chance; not
// ok if it may be, at alpha. Values that are all equal have no order.
func Neighbours(xs []float64, alpha float64, rng *rand.Rand) (l Likeness, ok bool) {
	if Flat(xs) {
		return l, false
	}
	p := orderP(xs, rng)
	if p > alpha {
		return l, false
	}
	// The estimate is too small by (1+4r)/n (Marriott and Pope 1954, "Bias in the
	// estimation of autocorrelations").
	n := float64(len(xs))
	r := max(0, min((Lag1(xs)+1/n)/(1-4/n), maxCorrelated))
	return Likeness{Lag1: r, P: p, Worth: n * (1 - r) / (1 + r)}, true
}

// orderP is the share of orders of the values whose lag-1 correlation is as large.
// Where it is not small few of them are tried (Besag and Clifford 1991,
// "Sequential Monte Carlo p-values").
func orderP(xs []float64, rng *rand.Rand) float64 {
	const draws, enough = 999, 40
	bound := Lag1(xs) - 1e-12
	ys := slices.Clone(xs)
	asLarge := 0
	for k := range draws {
		rng.Shuffle(len(ys), func(i, j int) { ys[i], ys[j] = ys[j], ys[i] })
		if Lag1(ys) >= bound {
			if asLarge++; asLarge == enough {
				return float64(enough) / float64(k+1)
			}
		}
	}
	return float64(asLarge+1) / (draws + 1)
}

// Lag1 is the correlation of each value with the next.
func Lag1(xs []float64) float64 {
	s := NewSample(xs)
	if s.SD == 0 {
		return 0
	}
	var c float64
	for i := range len(xs) - 1 {
		c += (xs[i] - s.Mean) / s.SD * ((xs[i+1] - s.Mean) / s.SD)
	}
	return c / s.DF()
}
