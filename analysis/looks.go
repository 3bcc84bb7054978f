package analysis

import (
	"time"

	"netab/analysis/stat"
	"netab/results"
)

// newSchedule is when a run of this design is looked at.
func newSchedule(d results.Design) stat.Schedule {
	return stat.Schedule{
		Alpha:   alphaOf(d),
		MaxTime: time.Duration(max(0, min(finite(d.MaxTimeS), 1e9)) * float64(time.Second)),
		Once:    d.Sessions > 1,
		ByTime:  d.RestDecided,
	}
}

// resumedSchedule is when a run of this design is looked at from where it went on, at n
// trials that count.
func resumedSchedule(d results.Design, x *results.Resumption, n int) stat.Schedule {
	d.MaxTimeS = x.MaxTimeS
	s := newSchedule(d)
	return s.Resumed(max(0, min(finite(x.Alpha), s.Alpha)), n, time.Duration(max(0, min(finite(x.ElapsedS), 1e9))*float64(time.Second)))
}

// An outlook is how much more of a run there may be, as far as whoever looks knows.
type outlook int

const (
	goingOn   outlook = iota
	deadline          // nothing more comes
	brokenOff         // what comes may come later, if somebody resumes the run
)

func outlookOf(last bool) outlook {
	if last {
		return deadline
	}
	return goingOn
}

// lookAt is the look, if it is one, at n trials.
func lookAt(s *stat.Schedule, n int, elapsed time.Duration, end outlook) (results.Look, bool) {
	take := s.Break
	if end != brokenOff {
		take = func(n int, elapsed time.Duration) (float64, float64, bool) {
			return s.Look(n, elapsed, end == deadline)
		}
	}
	fraction, alpha, ok := take(n, elapsed)
	return results.Look{Trials: n, ElapsedS: elapsed.Seconds(), Fraction: fraction, Alpha: alpha}, ok
}

// alphaOf is what all looks at a run may spend: of a shard, the part that its arms are of
// all that are compared.
func alphaOf(d results.Design) float64 {
	alpha := 1 - confidence(d)
	if s := d.Shard; s != nil && s.Arms > 0 {
		alpha *= min(1, float64(max(1, len(d.Arms)-1))/float64(s.Arms))
	}
	return alpha
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
	return stat.FewestOfTwo(alphaOf(d) / float64(max(1, judged)))
}
