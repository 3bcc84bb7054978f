package analysis

import (
	"math"
	"math/rand/v2"

	"netab/analysis/stat"
	"netab/results"
)

// An estimator computes one metric from a record.
type estimator interface {
	// value is the metric of one trial, NaN where it has none.
	value(v view) float64
	// effect is the change from one arm to another in one trial, with the
	// trial's own error where the record holds what tells it.
	effect(m Metric, a, b view) (e effect, ok bool)
	// level is what an arm has over all trials; xs are the trials' values.
	level(m Metric, vs []view, xs []float64, alpha float64) Level
}

// A wholeEstimator compares arms by what all trials together say, which is not
// the mean of what each says: percentiles.
type wholeEstimator interface {
	// whole is of the trials in which both arms were seen.
	whole(a, b []view, rng *rand.Rand) (stat.Bootstrap, bool)
}

// plainEffect is the change of metrics whose error within a trial is not known.
func plainEffect(m Metric, a, b view) (effect, bool) {
	x, ok := m.change(m.value(a), m.value(b))
	return effect{x: x}, ok
}

// plainLevel is Student's t interval over trials. Levels stay on their own
// scale unless the metric's is logarithmic: a reader expects the mean of what
// was measured.
func plainLevel(m Metric, xs []float64, alpha float64) Level {
	s := stat.NewSample(xs)
	if !m.Geometric {
		lo, hi := s.Interval(alpha).Ends()
		return Level{Mean: s.Mean, Lo: clamp(lo), Hi: clamp(hi)}
	}
	logs := make([]float64, len(xs))
	for i, x := range xs {
		logs[i] = math.Log(x)
	}
	s = stat.NewSample(logs)
	lo, hi := s.Interval(alpha).Ends()
	return Level{Mean: math.Exp(s.Mean), Lo: math.Exp(lo), Hi: clamp(math.Exp(hi))}
}

// A ratio is a metric that is a ratio of two sums over slices: bytes per
// second, nanoseconds per packet. Because both parts add up, totals over any
// set of slices are exact, a slice with nothing in it does no harm, and a long
// slice weighs as much as it should.
type ratio func(arm *results.Arm, s *results.Slice) stat.Ratio

func (r ratio) value(v view) float64 {
	var all stat.Ratio
	for _, s := range v.in.Counted {
		all = all.Plus(r(v.arm, v.seen(s)))
	}
	return all.Value()
}

// effect pairs the arms block by block.
func (r ratio) effect(m Metric, a, b view) (effect, bool) {
	as, bs := r.pairedTotals(a, b)
	x, ok := m.change(stat.Total(as).Value(), stat.Total(bs).Value())
	if !ok {
		return effect{}, false
	}
	return effect{x: x, Error: stat.Jackknife(as, bs, m.change)}, true
}

func (r ratio) level(m Metric, _ []view, xs []float64, alpha float64) Level {
	return plainLevel(m, xs, alpha)
}
