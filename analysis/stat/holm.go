package stat

import (
	"cmp"
	"slices"
)

// Holm shares alpha among several tests (Holm 1979): the smallest p is held
// against alpha/C; if it passes, the next against alpha/(C-1), and so on; from
// the first that does not, all the rest keep that share. So the chance that
// anything is called different though nothing is stays below alpha, and
// intervals at these shares exclude zero exactly where the tests reject.
func Holm(ps []float64, alpha float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	shares := make([]float64, len(ps))
	left := len(ps)
	for _, i := range order {
		shares[i] = alpha / float64(left)
		if ps[i] <= shares[i] {
			left--
		}
	}
	return shares
}
