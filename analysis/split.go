package analysis

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

const (
	// A split that no covariate explains needs this many trials, and this many
	// in the smaller group: one or two odd trials are outliers, not a mode.
	splitTrials, splitGroup = 8, 3
	// splitDraws is how many samples without modes a split is held against.
	splitDraws = 999
)

// split cuts the points in two where that leaves the least scatter, and
// returns the groups if a single normal spread would hardly ever (1 in 100,
// by simulation) fall apart so cleanly.
func split(points []point, rng *rand.Rand) []group {
	n := len(points)
	if n < splitTrials {
		return nil
	}
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	xs := make([]float64, n)
	for i, p := range sorted {
		xs[i] = p.x
	}
	cut, share := bestCut(xs)
	if cut == 0 {
		return nil
	}
	asClean := 1
	draw := make([]float64, n)
	for range splitDraws {
		for i := range draw {
			draw[i] = rng.NormFloat64()
		}
		slices.Sort(draw)
		if _, s := bestCut(draw); s >= share {
			asClean++
		}
	}
	if float64(asClean)/(splitDraws+1) > modeAlpha {
		return nil
	}
	return []group{{in: sorted[:cut]}, {in: sorted[cut:]}}
}

// bestCut is where to cut sorted values in two so that the groups explain the
// largest share of the variance.
func bestCut(xs []float64) (cut int, share float64) {
	if Flat(xs) {
		return 0, 0
	}
	n := float64(len(xs))
	var sum, squares float64
	for _, x := range xs {
		sum += x
		squares += x * x
	}
	all := squares - sum*sum/n
	left := 0.0
	for i, x := range xs[:len(xs)-1] {
		left += x
		k := float64(i + 1)
		if i+1 < splitGroup || len(xs)-i-1 < splitGroup {
			continue
		}
		between := left*left/k + (sum-left)*(sum-left)/(n-k) - sum*sum/n
		if s := between / all; s > share && isFinite(s) {
			cut, share = i+1, s
		}
	}
	return cut, share
}
