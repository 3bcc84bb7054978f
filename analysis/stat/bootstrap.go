package stat

import (
	"math"
	"math/rand/v2"
	"slices"

	gonum "gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// bootstrapDraws is how often the trials are drawn anew. Of many trials
	// fewer draws are made: their interval is close to normal.
	bootstrapDraws  = 3999
	bootstrapFewest = 999
	// bootstrapTail is the outermost draw that is read at either end: the
	// tenth is known to a third of its share.
	bootstrapTail = 10
)

// A Bootstrap is what an estimate would have come to, had other trials of the
// same kind been drawn (Efron and Tibshirani 1993, "An introduction to the
// bootstrap"). It is for estimates that are not a mean over trials, such as a
// percentile of all their transactions together.
type Bootstrap struct {
	n     int       // trials
	at    float64   // the estimate from the trials themselves
	draws []float64 // the estimates from trials drawn with replacement, sorted
	se    float64
}

// NewBootstrap draws n trials out of n, again and again; of makes the estimate
// of trials that were drawn so many times each. It is not ok where an estimate is no
// number.
func NewBootstrap(n int, rng *rand.Rand, of func(times []float64) float64) (Bootstrap, bool) {
	times := make([]float64, n)
	for i := range times {
		times[i] = 1
	}
	b := Bootstrap{n: n, at: of(times)}
	if !IsFinite(b.at) {
		return b, false
	}
	if n < 2 {
		return b, true
	}
	b.draws = make([]float64, max(bootstrapFewest, min(bootstrapDraws, bootstrapDraws*100/n)))
	for k := range b.draws {
		clear(times)
		for range n {
			times[rng.IntN(n)]++
		}
		if b.draws[k] = of(times); !IsFinite(b.draws[k]) {
			return b, false
		}
	}
	slices.Sort(b.draws)
	// Of n trials the plug-in variance is too small by (n-1)/n.
	b.se = gonum.StdDev(b.draws, nil) * math.Sqrt(float64(n)/b.df())
	return b, true
}

// Stretched is wider by a factor, about the same estimate.
func (b Bootstrap) Stretched(by float64) Bootstrap {
	b.draws = slices.Clone(b.draws)
	for i, x := range b.draws {
		b.draws[i] = b.at + by*(x-b.at)
	}
	b.se *= by
	return b
}

func (b Bootstrap) df() float64 { return float64(max(b.n-1, 0)) }

// Sample is one of the same centre and standard error, for what adds several.
func (b Bootstrap) Sample() Sample {
	return Sample{N: b.n, Mean: b.at, SD: b.se * math.Sqrt(float64(b.n))}
}

// Name is of them all.
func (b Bootstrap) Name() string { return "a bootstrap" }

// Centre is the estimate from the trials themselves.
func (b Bootstrap) Centre() float64 { return b.at }

// Interval is the expanded percentile interval at 1-alpha (Hesterberg 2015,
// "What teachers should know about the bootstrap", section 4.4): the plain one
// is too narrow where trials are few, because it stands for a normal quantile
// and a variance with divisor n, so its tails are read further out, where
// Student's t would be. It is widened to hold the t interval of the
// bootstrap's standard error: where few trials decide, the draws know too
// little of the tail that they did not see.
func (b Bootstrap) Interval(alpha float64) Interval {
	in := Interval{Lo: b.at, Hi: b.at, By: []string{b.Name()}}
	if b.n >= 2 && b.se != 0 {
		in.Lo, in.Hi = b.within(Critical(alpha, b.df()))
	}
	return in
}

// within is the interval at a critical value of t.
func (b Bootstrap) within(t float64) (lo, hi float64) {
	z := t * math.Sqrt(float64(b.n)/b.df())
	lo, hi = b.below(z), b.above(z)
	return min(lo, b.at-t*b.se), max(hi, b.at+t*b.se)
}

// below and above are z standard normal deviations out in the draws. Beyond
// the outermost draw that is read, the distance from the estimate grows on in
// proportion to z, as that of a normal distribution would: the small alphas of
// early looks are further out than any number of draws would show.
func (b Bootstrap) below(z float64) float64 {
	share, stretch := b.reach(z)
	x := gonum.Quantile(share, gonum.Empirical, b.draws, nil)
	return b.at - stretch*max(0, b.at-x)
}

func (b Bootstrap) above(z float64) float64 {
	share, stretch := b.reach(z)
	x := gonum.Quantile(1-share, gonum.Empirical, b.draws, nil)
	return b.at + stretch*max(0, x-b.at)
}

// reach is the share of draws beyond z, and how much further than that share
// z is.
func (b Bootstrap) reach(z float64) (share, stretch float64) {
	outermost := float64(bootstrapTail) / float64(len(b.draws)+1)
	if share := distuv.UnitNormal.Survival(z); share >= outermost {
		return share, 1
	}
	return outermost, z / -distuv.UnitNormal.Quantile(outermost)
}

// P is searched for.
func (b Bootstrap) P(least float64) (p float64, ok bool) {
	if b.n < 2 {
		return 0, false
	}
	holds := func(t float64) bool {
		lo, hi := b.within(t)
		return lo <= 0 && hi >= 0
	}
	switch {
	case b.se == 0 && b.at == 0:
		return 1, true
	case b.se == 0:
		return least, true
	}
	lo, hi := 0.0, math.Abs(b.at)/b.se // there the t interval holds zero
	if holds(lo) {
		return 1, true
	}
	for range 60 {
		if mid := (lo + hi) / 2; holds(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return max(least, TTest(hi, 1, b.df())), true
}

// SmallestDetectable is by the bootstrap's standard error.
func (b Bootstrap) SmallestDetectable(alpha float64) (float64, bool) {
	if b.n < 2 {
		return 0, false
	}
	return Detectable(b.se, b.df(), alpha)
}
