package trend

import (
	"math"
	"slices"

	"netab/analysis/stat"
)

// Orders of runs are exchangeable, and their means as sharp as their number, only
// where each run is independent of the one before it. Where a level wanders, a
// search for changes finds some in every stretch of it. So what is tested is not
// the series but its innovations: what each run adds to what the one before it
// foretold (von Storch 1999, "Misuses of statistical analysis in climate
// research", for why; Cochrane and Orcutt 1949 for how).

// maxAlike bounds the correlation that is taken out: a level that wanders more
// than that has no mean to speak of.
const maxAlike = 0.9

// fewestAlike is how many runs it takes to tell how alike neighbours are: of eight
// independent ones many are as alike as 0.6 by chance, and a change that is plain to
// see would be taken for wandering. Fewer are taken for independent.
const fewestAlike = 12

// likeness estimates the lag-1 correlation of a series with levels that step or
// slope. Half the mean square of differences between runs k apart is
// variance·(1 - r^k), so those of two and three apart over those of one are 1 + r
// and 1 + r + r², whatever the level: one step is in k differences only. Large ones
// are clipped, all at the same size, and those across a jump that no noise makes are
// left out. It is no less than 0.
func likeness(xs []float64) float64 {
	const lags = 3
	if len(xs) < fewestAlike || stat.Flat(xs) {
		return 0
	}
	far := make([]float64, 0, len(xs))
	for i := 1; i < len(xs); i++ {
		far = append(far, math.Abs(xs[i]-xs[i-1]))
	}
	slices.Sort(far)
	sd := 1.4826 * far[len(far)/2] // of one step, if they are normal
	var squares, pairs [lags + 1]float64
	smooth := 0 // so many steps up to here are no jumps
	for i := 1; i < len(xs); i++ {
		if smooth++; math.Abs(xs[i]-xs[i-1]) > 5*sd {
			smooth = 0
		}
		for k := 1; k <= min(lags, smooth); k++ {
			d := min(math.Abs(xs[i]-xs[i-k]), 3*sd)
			squares[k] += d * d
			pairs[k]++
		}
	}
	for k := range squares {
		squares[k] /= max(1, pairs[k])
	}
	if squares[1] == 0 || pairs[lags] == 0 {
		return 0
	}
	// The mean of 1 + r and 1 + r + r² is what was seen.
	seen := (squares[2] + squares[3]) / (2 * squares[1])
	under := 1 + 2*(seen-1)
	if under <= 1 {
		return 0
	}
	return min(math.Sqrt(under)-1, maxAlike)
}

// likenessSE is the standard error of likeness for n independent runs.
func likenessSE(n int) float64 { return 1.27 / math.Sqrt(float64(n)) }

// takenOut is how much likeness is taken out: one standard error more than was
// estimated, where there is any. Too little leaves a level that wanders with changes
// that it does not have; too much costs a little sharpness.
func takenOut(xs []float64) float64 {
	r := likeness(xs)
	if r == 0 {
		return 0
	}
	return min(r+likenessSE(len(xs)), maxAlike)
}

// certain is the likeness that there is at least, by one standard error. The tail
// takes that: the second of two runs that are off must stand out by itself, and
// would not where it is said to follow from the first.
func certain(xs []float64) float64 { return max(0, likeness(xs)-likenessSE(len(xs))) }

// whiten makes of a series one whose noise is independent and whose levels are
// where they were.
func whiten(xs []float64, r float64) []float64 {
	if r == 0 {
		return xs
	}
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = x
		if i > 0 {
			out[i] = (x - r*xs[i-1]) / (1 - r)
		}
	}
	return out
}

// wider is how much wider the mean of runs that are so alike is than of as many
// that are independent.
func wider(r float64) float64 { return math.Sqrt((1 + r) / (1 - r)) }
