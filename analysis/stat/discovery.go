package stat

import (
	"cmp"
	"slices"
)

// Discovery adjusts p values for each other: the adjusted one is the smallest false
// discovery rate at which it would still be called a discovery (Benjamini and Hochberg
// 1995).
func Discovery(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	adjusted := make([]float64, len(ps))
	low := 1.0
	for i, at := range slices.Backward(order) {
		low = min(low, ps[at]*float64(len(ps))/float64(i+1))
		adjusted[at] = low
	}
	return adjusted
}
