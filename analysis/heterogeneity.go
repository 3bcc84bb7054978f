package analysis

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// hetAlpha is the level at which trials are said to disagree.
const hetAlpha = 0.01

// noisyTrial is how many times the median standard error makes a trial too
// noisy to say whether it agrees with the others. Equal trials stay far below
// it by chance; a neighbour's burst of load goes far beyond.
const noisyTrial = 3

// quiet leaves out the trials that are too noisy to tell. They stay in the
// mean and its interval; but one of them would hide the modes of all others,
// because its error is in the mean error that disagreement is held against.
func quiet(effects []effect) []effect {
	var errors []float64
	for _, e := range effects {
		if e.df > 0 {
			errors = append(errors, e.se)
		}
	}
	if len(errors) == 0 {
		return effects
	}
	bound := noisyTrial * median(errors)
	var out []effect
	for _, e := range effects {
		if e.df == 0 || bound == 0 || e.se <= bound {
			out = append(out, e)
		}
	}
	return out
}

// A spread splits what the trial effects scatter by into their own error and
// what is left.
type spread struct {
	within  float64 // root mean square of the trials' standard errors
	between float64 // standard deviation beyond that
	p       float64 // of Q: all trials have the same effect
}

// spreadOf is, over the quiet trials, Cochran's Q with equal weights: Q = Σ(x_i - mean)² / mean(se²).
//
// The classical Q weights each trial by 1/se². Here a standard error comes
// from at most ten groups of blocks: such weights are mostly noise, and
// comparing that Q with χ² rejects far too often. With equal weights Q/(T-1)
// is a ratio of two variances, so it is compared with F, the degrees of
// freedom of the denominator by Satterthwaite (Brown and Forsythe 1974); and
// the between-trial variance is the matching moment estimate (Hedges and
// Olkin 1985), that of the same plain mean that is reported.
//
// Standard errors from groups of blocks are too small where neighbouring
// groups are correlated. The trials together tell by how much, so the mean
// variance is inflated by (1+r)/(1-r), as for an autoregressive series.
func spreadOf(effects []effect) (s spread, ok bool) {
	var xs []float64
	var v, v2, lag float64 // Σ se², Σ se⁴/df, Σ lag·se²
	for _, e := range quiet(effects) {
		if e.df == 0 {
			continue
		}
		xs = append(xs, e.x)
		se2 := e.se * e.se
		v += se2
		v2 += se2 * se2 / float64(e.df)
		lag += e.lag * se2
	}
	t := newSample(xs)
	if t.n < 3 || v == 0 || v2 == 0 {
		return spread{}, false
	}
	r := max(0, min(lag/v, 0.9))
	mean := v / float64(t.n) * (1 + r) / (1 - r)
	f := t.sd * t.sd / mean
	s.within = math.Sqrt(mean)
	s.between = math.Sqrt(max(0, t.sd*t.sd-mean))
	s.p = distuv.F{D1: t.df(), D2: v * v / v2}.Survival(f)
	return s, isFinite(s.p) && isFinite(s.between)
}
