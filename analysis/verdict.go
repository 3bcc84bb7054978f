package analysis

import (
	"math"
	"slices"
)

// judge turns an interval on the metric's scale into a verdict. The order of
// the rules matters: an interval inside the margin is equivalent even where
// it excludes zero, because the user asked about changes that matter.
func judge(lo, hi, margin float64, better Direction) Verdict {
	switch {
	case -margin < lo && hi < margin:
		return Equivalent
	case lo <= 0 && hi >= 0:
		return Inconclusive
	case (lo > 0) == (better == Higher):
		return Improvement
	default:
		return Regression
	}
}

// NotWorse says whether the interval excludes a change for the worse of the
// threshold or more (non-inferiority: Wellek 2010, "Testing statistical
// hypotheses of equivalence and noninferiority").
func (c *Comparison) NotWorse() bool {
	m, ok := LookupMetric(c.Metric)
	if !ok {
		return false
	}
	lo, hi := c.Lo, c.Hi
	if !c.Difference {
		lo, hi = math.Log1p(max(lo, -1)), math.Log1p(hi)
	}
	if m.Better == Higher {
		return lo > -m.margin(c.Resolution)
	}
	return hi < m.margin(c.Resolution)
}

// obvious says whether trials show a change that no doubt about their number can take
// away: each finds twice or half of the baseline's, and three times their whole range
// from any of them there is still more than the margin. What trials share (a state of
// the machine that outlasts them, other programs) changes effects by tenths, and a
// reader who sees -98.6 % (-98.8 to -98.5) is not helped by "no verdict yet".
func (e evidence) obvious(margin float64) bool {
	xs := values(e.effects)
	if e.metric.Difference || len(xs) < obviousTrials {
		return false
	}
	lo, hi := slices.Min(xs), slices.Max(xs)
	away := obviousRanges * (hi - lo)
	return lo >= math.Ln2 && lo-away > margin || hi <= -math.Ln2 && hi+away < -margin
}

const (
	obviousTrials = 3
	obviousRanges = 3
)
