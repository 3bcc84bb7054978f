package stat

import (
	"math/rand/v2"
	"slices"
)

const (
	// A split needs this many values, and this many in the smaller part: one or two
	// odd ones are outliers, not a mode.
	splitLeast, splitPart = 8, 3
	// splitDraws is how many samples without modes a split is held against.
	splitDraws = 999
)

// Split cuts sorted values in two where that leaves the least scatter, if a single
// normal spread would hardly ever (in alpha of all cases, by simulation) fall apart so
// cleanly; 0 = not.
func Split(sorted []float64, alpha float64, rng *rand.Rand) (cut int) {
	if len(sorted) < splitLeast {
		return 0
	}
	cut, share := bestCut(sorted)
	if cut == 0 {
		return 0
	}
	asClean := 1
	draw := make([]float64, len(sorted))
	for range splitDraws {
		for i := range draw {
			draw[i] = rng.NormFloat64()
		}
		slices.Sort(draw)
		if _, s := bestCut(draw); s >= share {
			asClean++
		}
	}
	if float64(asClean)/(splitDraws+1) > alpha {
		return 0
	}
	return cut
}

// bestCut is where to cut sorted values in two so that the parts explain the
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
		if i+1 < splitPart || len(xs)-i-1 < splitPart {
			continue
		}
		between := left*left/k + (sum-left)*(sum-left)/(n-k) - sum*sum/n
		if s := between / all; s > share && IsFinite(s) {
			cut, share = i+1, s
		}
	}
	return cut, share
}
