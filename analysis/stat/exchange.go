package stat

import (
	"math"
	"math/rand/v2"
)

const (
	// exactExchanges is the most ways to divide the units that are all tried.
	exactExchanges = 20000
	// exchangeDraws is the number of random divisions beyond that.
	exchangeDraws = 9999
)

// Exchange is the two-sided permutation p of two samples having one mean: how
// many of the ways to divide the values between the sides put their means at
// least as far apart. It assumes only that labels could have been exchanged.
func Exchange(a, b []float64, rng *rand.Rand) float64 {
	n, k := len(a)+len(b), len(a)
	all := append(append(make([]float64, 0, n), a...), b...)
	total, sumA, scale := 0.0, 0.0, 0.0
	for i, x := range all {
		total += x
		scale += math.Abs(x)
		if i < k {
			sumA += x
		}
	}
	// The difference of the means is a rising function of the first sum.
	apart := func(s float64) float64 { return math.Abs(s/float64(k) - (total-s)/float64(n-k)) }
	bound := apart(sumA) - 1e-12*scale
	if divisions(n, k) <= exactExchanges {
		asFar, ways := 0, 0
		var choose func(from, left int, s float64)
		choose = func(from, left int, s float64) {
			if left == 0 {
				ways++
				if apart(s) >= bound {
					asFar++
				}
				return
			}
			for i := from; i <= n-left; i++ {
				choose(i+1, left-1, s+all[i])
			}
		}
		choose(0, k, 0)
		return float64(asFar) / float64(ways)
	}
	asFar := 1 // the division observed
	for range exchangeDraws {
		s := 0.0
		for i := range k {
			j := i + rng.IntN(n-i)
			all[i], all[j] = all[j], all[i]
			s += all[i]
		}
		if apart(s) >= bound {
			asFar++
		}
	}
	return float64(asFar) / (exchangeDraws + 1)
}

// divisions is n over k.
func divisions(n, k int) float64 {
	out := 1.0
	for i := range min(k, n-k) {
		out *= float64(n-i) / float64(i+1)
	}
	return math.Round(out)
}

// Attainable is the smallest p that an exact permutation of so many units can
// come to: both ends of the distribution hold one division at least.
func Attainable(a, b int) float64 {
	if a == 0 || b == 0 {
		return 1
	}
	return min(1, 2/divisions(a+b, a))
}

// UnitsNeeded is how many of each side let a permutation reach p.
func UnitsNeeded(p float64) int {
	for n := 2; n < 30; n++ {
		if Attainable(n, n) <= p {
			return n
		}
	}
	return 30
}
