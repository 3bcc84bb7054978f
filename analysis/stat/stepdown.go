package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// StepDown are the two-sided permutation p's of several comparisons that were made of
// the same units, adjusted for their number: the step-down maxT of Westfall and Young
// (1993, "Resampling-based multiple testing"), with Welch's t. A unit's values change
// sides together, so comparisons that go with each other share their p in place of
// dividing alpha: the smallest is Attainable, however many there are. The chance that
// any of them is at most alpha though its values could have been exchanged is at most
// alpha.
//
// a and b have a list for each comparison, of one value for each unit of the side; NaN
// where a unit has none. What fewer than two units of a side tell has p 1.
func StepDown(a, b [][]float64, rng *rand.Rand) []float64 {
	m := len(a)
	out := make([]float64, m)
	for j := range out {
		out[j] = 1
	}
	if m == 0 || len(a[0]) == 0 || len(b[0]) == 0 {
		return out
	}
	n, k := len(a[0])+len(b[0]), len(a[0])
	all := make([][]float64, m)
	for j := range all {
		all[j] = slices.Concat(a[j], b[j])
	}
	first := make([]bool, n) // side a as it was
	for i := range k {
		first[i] = true
	}
	seen := make([]float64, m)
	order := make([]int, m)
	for j := range m {
		seen[j], order[j] = welchT(all[j], first), j
	}
	slices.SortStableFunc(order, func(x, y int) int {
		switch {
		case seen[x] > seen[y]:
			return -1
		case seen[x] < seen[y]:
			return 1
		}
		return 0
	})
	asFar, ways := make([]int, m), 0
	eachDivision(n, k, rng, func(side []bool) {
		ways++
		most := 0.0
		for i := m - 1; i >= 0; i-- {
			j := order[i]
			most = max(most, welchT(all[j], side))
			if most >= seen[j]*(1-1e-9) {
				asFar[j]++
			}
		}
	})
	p := 0.0
	for _, j := range order {
		p = max(p, float64(asFar[j])/float64(ways))
		out[j] = p
	}
	return out
}

// eachDivision visits the ways to put k of n units on the first side: all of them, or
// the one that was (the first k) and random ones.
func eachDivision(n, k int, rng *rand.Rand, visit func(side []bool)) {
	side := make([]bool, n)
	if divisions(n, k) <= exactExchanges {
		var choose func(from, left int)
		choose = func(from, left int) {
			if left == 0 {
				visit(side)
				return
			}
			for i := from; i <= n-left; i++ {
				side[i] = true
				choose(i+1, left-1)
				side[i] = false
			}
		}
		choose(0, k)
		return
	}
	for i := range k {
		side[i] = true
	}
	visit(side)
	for range exchangeDraws {
		rng.Shuffle(n, func(i, j int) { side[i], side[j] = side[j], side[i] })
		visit(side)
	}
}

// welchT is the size of Welch's t between the units of a side and all others: 0 where
// they do not tell, +Inf where they differ and do not scatter.
func welchT(xs []float64, side []bool) float64 {
	var n, sum, squares [2]float64
	for i, x := range xs {
		if math.IsNaN(x) {
			continue
		}
		s := 0
		if side[i] {
			s = 1
		}
		n[s]++
		sum[s] += x
	}
	if n[0] < 2 || n[1] < 2 {
		return 0
	}
	mean := [2]float64{sum[0] / n[0], sum[1] / n[1]}
	for i, x := range xs {
		if math.IsNaN(x) {
			continue
		}
		s := 0
		if side[i] {
			s = 1
		}
		squares[s] += (x - mean[s]) * (x - mean[s])
	}
	apart := math.Abs(mean[0] - mean[1])
	if apart <= 1e-12*(math.Abs(mean[0])+math.Abs(mean[1])) {
		return 0
	}
	return apart / math.Sqrt(squares[0]/(n[0]-1)/n[0]+squares[1]/(n[1]-1)/n[1])
}
