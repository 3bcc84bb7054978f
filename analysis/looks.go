package analysis

import (
	"time"

	"netab/analysis/stat"
	"netab/results"
)

// newSchedule is when a run of this design is looked at.
func newSchedule(d results.Design) stat.Schedule {
	return stat.Schedule{
		Alpha:   1 - confidence(d),
		MaxTime: time.Duration(max(0, min(finite(d.MaxTimeS), 1e9)) * float64(time.Second)),
		Once:    d.Sessions > 1,
	}
}

// lookAt is the look, if it is one, at n trials.
func lookAt(s *stat.Schedule, n int, elapsed time.Duration, last bool) (results.Look, bool) {
	fraction, alpha, ok := s.Look(n, elapsed, last)
	return results.Look{Trials: n, ElapsedS: elapsed.Seconds(), Fraction: fraction, Alpha: alpha}, ok
}

// confidence is the design's, or 95 % where it makes no sense.
func confidence(d results.Design) float64 {
	if d.Confidence > 0 && d.Confidence < 1 {
		return d.Confidence
	}
	return 0.95
}

// fewestOf is how many trials a verdict needs in a run of this design: several
// comparisons share alpha (Holm), and each may be all alike.
func fewestOf(d results.Design) int {
	judged := 0
	base := baseline(d)
	for arm := range d.Arms {
		for _, m := range judgedOf(d) {
			if arm != base && m.AppliesTo(d.Arms[arm]) && m.AppliesTo(d.Arms[base]) {
				judged++
			}
		}
	}
	return stat.FewestOfTwo((1 - confidence(d)) / float64(max(1, judged)))
}
