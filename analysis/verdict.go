package analysis

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
