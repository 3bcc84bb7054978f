package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// An Error is what a value says of itself: its jackknife standard error.
type Error struct {
	SE float64
	DF int // degrees of freedom of SE; 0 = it is not known
	// Lag is the covariance of neighbouring jackknife groups, per variance of
	// one group: a rough figure for one value, a good one over all of them.
	Lag float64
}

// NoisyTimes is how many times the median standard error makes a value too
// noisy to say whether it agrees with the others. Equal values stay far below
// it by chance; a neighbour's burst of load goes far beyond.
const NoisyTimes = 3

// Quiet says which values are not too noisy to tell; those whose error is not known
// are not.
func Quiet(errors []Error) []bool {
	quiet := make([]bool, len(errors))
	var known []float64
	for i, e := range errors {
		quiet[i] = true
		if e.DF > 0 {
			known = append(known, e.SE)
		}
	}
	if len(known) == 0 {
		return quiet
	}
	bound := NoisyTimes * Median(known)
	for i, e := range errors {
		quiet[i] = e.DF == 0 || bound == 0 || e.SE <= bound
	}
	return quiet
}

// A Spread splits what values scatter by into their own error and what is left.
type Spread struct {
	Within  float64 // root mean square of the values' standard errors
	Between float64 // standard deviation beyond that
	P       float64 // of Q: all have the same centre
}

// NewSpread is, over the quiet values whose errors are known, Cochran's Q with equal
// weights: Q = Σ(x_i - mean)² / mean(se²).
//
// The classical Q weights each value by 1/se². Here a standard error comes
// from at most ten groups of blocks: such weights are mostly noise, and
// comparing that Q with χ² rejects far too often. With equal weights Q/(T-1)
// is a ratio of two variances, so it is compared with F, the degrees of
// freedom of the denominator by Satterthwaite (Brown and Forsythe 1974); and
// the variance between values is the matching moment estimate (Hedges and
// Olkin 1985), that of the same plain mean that is reported.
//
// Standard errors from groups of blocks are too small where neighbouring
// groups are correlated. The values together tell by how much, so the mean
// variance is inflated by (1+r)/(1-r), as for an autoregressive series.
func NewSpread(values []float64, errors []Error) (s Spread, ok bool) {
	var xs []float64
	var v, v2, lag float64 // Σ se², Σ se⁴/df, Σ lag·se²
	for i, quiet := range Quiet(errors) {
		e := errors[i]
		if !quiet || e.DF == 0 {
			continue
		}
		xs = append(xs, values[i])
		se2 := e.SE * e.SE
		v += se2
		v2 += se2 * se2 / float64(e.DF)
		lag += e.Lag * se2
	}
	t := NewSample(xs)
	if t.N < 3 || v == 0 || v2 == 0 {
		return Spread{}, false
	}
	r := max(0, min(lag/v, 0.9))
	mean := v / float64(t.N) * (1 + r) / (1 - r)
	f := t.SD * t.SD / mean
	s.Within = math.Sqrt(mean)
	s.Between = math.Sqrt(max(0, t.SD*t.SD-mean))
	s.P = distuv.F{D1: t.DF(), D2: v * v / v2}.Survival(f)
	return s, IsFinite(s.P) && IsFinite(s.Between)
}
