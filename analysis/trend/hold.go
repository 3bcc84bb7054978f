package trend

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A boundary is a change point of a series: its index is that of the first
// point of the new level.
type boundary struct {
	at    int
	p     float64
	delta float64 // difference of the means, on the series' scale
	moved bool    // most points of either side are nearer to their own level
}

// hold keeps the candidates that hold up against their whole neighbourhood,
// up to a window on either side: a window may cut a level in two, and of two
// windows each may place one change point at its own end. As long as one
// fails, the one with the largest p goes, then the smallest step, and its
// neighbours are tested anew.
//
// Sizes are of the series as it was measured, p of its innovations.
func hold(xs, white []float64, candidates []int, margin float64, seed func(at int) *rand.Rand) []boundary {
	held := make([]boundary, 0, len(candidates))
	for _, at := range candidates {
		held = append(held, boundary{at: at})
	}
	for i := range held {
		held[i] = judge(xs, white, held, i, seed)
	}
	for len(held) > 0 {
		worst := 0
		for i, b := range held {
			if weaker(b, held[worst]) {
				worst = i
			}
		}
		if !failing(held[worst], margin) {
			break
		}
		held = slices.Delete(held, worst, worst+1)
		for i := max(0, worst-1); i <= worst && i < len(held); i++ {
			held[i] = judge(xs, white, held, i, seed)
		}
	}
	return held
}

func failing(b boundary, margin float64) bool { return b.p > MaxP || b.step() < margin }

// step is the size of the change; one that only a few points make is none. Two
// bad nights would otherwise pull the four points around them far enough.
func (b boundary) step() float64 {
	if !b.moved {
		return 0
	}
	return math.Abs(b.delta)
}

func weaker(a, b boundary) bool {
	if (a.p > MaxP) != (b.p > MaxP) {
		return a.p > MaxP
	}
	if a.p > MaxP && a.p != b.p {
		return a.p > b.p
	}
	return a.step() < b.step()
}

// sides are the levels before and after a boundary, a window of each at most.
func sides(xs []float64, bs []boundary, i int) (before, after []float64) {
	from, to := 0, len(xs)
	if i > 0 {
		from = bs[i-1].at
	}
	if i+1 < len(bs) {
		to = bs[i+1].at
	}
	at := bs[i].at
	return xs[max(from, at-Window):at], xs[at:min(to, at+Window)]
}

func judge(xs, white []float64, bs []boundary, i int, seed func(at int) *rand.Rand) boundary {
	before, after := sides(xs, bs, i)
	b := bs[i]
	b.delta = mean(after) - mean(before)
	b.moved = moved(before, after)
	before, after = sides(white, bs, i)
	b.p = meansDiffer(before, after, seed(b.at))
	return b
}

// moved says whether most points of either side are nearer to the side's own
// level than to the other's.
func moved(before, after []float64) bool {
	b, a := mean(before), mean(after)
	return maxNearer(before, b, a) && maxNearer(after, a, b)
}

func maxNearer(points []float64, own, other float64) bool {
	nearer := 0
	for _, x := range points {
		if math.Abs(x-own) < math.Abs(x-other) {
			nearer++
		}
	}
	return 2*nearer > len(points)
}

// meansDiffer is the two-sided permutation p of two means being equal. The
// search has chosen this split already, so this is a second hurdle and not
// the proof: that was divider.split, which counts the search in.
func meansDiffer(a, b []float64, rng *rand.Rand) float64 {
	all := slices.Concat(a, b)
	center := mean(all)
	short, scale := a, 0.0
	if len(b) < len(a) {
		short = b
	}
	observed := 0.0
	for _, x := range short {
		observed += x - center
	}
	for i := range all {
		all[i] -= center
		scale += math.Abs(all[i])
	}
	bound := math.Abs(observed) - 1e-12*scale
	asFar := 1
	for range Permutations {
		// The first points of a random order are a random draw; only these
		// need be drawn (Fisher and Yates).
		sum := 0.0
		for i := range len(short) {
			j := i + rng.IntN(len(all)-i)
			all[i], all[j] = all[j], all[i]
			sum += all[i]
		}
		if math.Abs(sum) >= bound {
			if asFar++; hopeless(asFar) {
				break
			}
		}
	}
	return float64(asFar) / (Permutations + 1)
}
