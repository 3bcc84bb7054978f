package stat

import (
	"math"
	"math/rand/v2"
)

const (
	// exactSigns is the most values for which all sign patterns are tried.
	exactSigns = 14
	// signDraws is the number of random patterns beyond that.
	signDraws = 9999
)

// SignFlip is the two-sided permutation p of the mean being zero: how many of
// the ways to choose the signs of the values give a mean at least as
// far from zero. It needs no normal distribution, only symmetry. With n values
// it cannot be smaller than 2/2^n.
func SignFlip(xs []float64, rng *rand.Rand) float64 {
	observed := 0.0
	scale := 0.0
	for _, x := range xs {
		observed += x
		scale += math.Abs(x)
	}
	// Sums of the same numbers in another order differ by rounding.
	bound := math.Abs(observed) - 1e-12*scale
	if len(xs) <= exactSigns {
		return exactSignFlip(xs, bound)
	}
	asFar := 1 // the observed pattern itself
	for range signDraws {
		s := 0.0
		for i, bits := 0, uint64(0); i < len(xs); i++ {
			if i%64 == 0 {
				bits = rng.Uint64()
			}
			if bits&1 == 0 {
				s += xs[i]
			} else {
				s -= xs[i]
			}
			bits >>= 1
		}
		if math.Abs(s) >= bound {
			asFar++
		}
	}
	return float64(asFar) / (signDraws + 1)
}

func exactSignFlip(xs []float64, bound float64) float64 {
	patterns := 1 << len(xs)
	asFar := 0
	for p := range patterns {
		s := 0.0
		for i, x := range xs {
			if p>>i&1 == 0 {
				s += x
			} else {
				s -= x
			}
		}
		if math.Abs(s) >= bound {
			asFar++
		}
	}
	return float64(asFar) / float64(patterns)
}
