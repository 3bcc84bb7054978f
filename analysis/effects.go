package analysis

import (
	"math"
	"slices"

	"netab/results"
)

// An effect is x_i: the change of one arm against the baseline in one trial,
// on the metric's scale (log ratio or difference).
type effect struct {
	at    int // position of the trial in the run
	trial int // its recorded index
	x     float64
	se    float64 // jackknife standard error
	df    int     // degrees of freedom of se; 0 = no se
	// lag is the covariance of neighbouring jackknife groups, per variance of
	// one group: a rough figure for one trial, a good one over all of them.
	lag float64
}

// trialEffects computes x_i for every valid trial in which both arms were
// seen, in order of time.
func trialEffects(d results.Design, trials []results.Trial, m Metric, baseline, arm int) []effect {
	var effects []effect
	for i := range trials {
		t := &trials[i]
		if t.Invalid != "" {
			continue
		}
		if e, ok := m.effect(m, viewOf(d, t, i, m, baseline), viewOf(d, t, i, m, arm)); ok {
			e.at, e.trial = i, t.Index
			effects = append(effects, e)
		}
	}
	return effects
}

func values(effects []effect) []float64 {
	xs := make([]float64, len(effects))
	for i, e := range effects {
		xs[i] = e.x
	}
	return xs
}

// pairedTotals lists the totals of both arms for each block in which both have
// a counted slice, in order of time. A block that lacks one arm would bring
// the drift back that the pairing removes, so it is left out whole.
func (r ratio) pairedTotals(baseline, arm view) (a, b []total) {
	type pair struct {
		a, b       total
		hasA, hasB bool
	}
	blocks := map[int]*pair{}
	var order []int
	for i := range baseline.trial.Slices {
		s := &baseline.trial.Slices[i]
		isA := baseline.of(s)
		if !isA && !arm.of(s) {
			continue
		}
		p := blocks[s.Block]
		if p == nil {
			p = &pair{}
			blocks[s.Block] = p
			order = append(order, s.Block)
		}
		if isA {
			p.a, p.hasA = p.a.plus(r(&baseline.arm, baseline.seen(s))), true
		} else {
			p.b, p.hasB = p.b.plus(r(&arm.arm, arm.seen(s))), true
		}
	}
	slices.Sort(order)
	for _, k := range order {
		if p := blocks[k]; p.hasA && p.hasB {
			a, b = append(a, p.a), append(b, p.b)
		}
	}
	return a, b
}

// jackknife is the standard error of a trial's effect, from leaving out one
// group of neighbouring blocks at a time (Künsch 1989, "The jackknife and the
// bootstrap for general stationary observations"): neighbours share slow
// drift, so single blocks would look more independent than they are.
//
// lag is how far neighbouring groups depend on each other all the same.
func jackknife(m Metric, a, b []total) (se float64, df int, lag float64) {
	g := jackknifeGroups(len(a))
	if g < 2 {
		return 0, 0, 0
	}
	allA, allB := sum(a), sum(b)
	left := make([]float64, g)
	var mean float64
	for j := range left {
		lo, hi := j*len(a)/g, (j+1)*len(a)/g
		x, ok := m.change(allA.minus(sum(a[lo:hi])).level(), allB.minus(sum(b[lo:hi])).level())
		if !ok {
			return 0, 0, 0
		}
		left[j] = x
		mean += x / float64(g)
	}
	var ss, neighbours float64
	for i, x := range left {
		ss += (x - mean) * (x - mean)
		if i > 0 {
			neighbours += (x - mean) * (left[i-1] - mean)
		}
	}
	se = math.Sqrt(ss * float64(g-1) / float64(g))
	if !isFinite(se) {
		return 0, 0, 0
	}
	if ss > 0 {
		// Deviations from their own mean are correlated by -1/g each: add it back.
		lag = neighbours/ss + 1/float64(g)
	}
	return se, g - 1, lag
}

// jackknifeGroups: pairs of blocks at least, where there are enough of them,
// and ten groups at most. Measured lag-1 correlation of block ratios is 0 to
// 0.35, which groups of two already halve; more than ten groups would gain
// little precision for the standard error and lose that protection.
func jackknifeGroups(blocks int) int {
	if blocks < 8 {
		return blocks
	}
	return min(blocks/2, 10)
}
