package analysis

import (
	"math"
	"math/rand/v2"

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
	whole(a, b []view, rng *rand.Rand) (bootstrap, bool)
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
	s := newSample(xs)
	if !m.Geometric {
		lo, hi := s.interval(alpha)
		return Level{Mean: s.mean, Lo: clamp(lo), Hi: clamp(hi)}
	}
	logs := make([]float64, len(xs))
	for i, x := range xs {
		logs[i] = math.Log(x)
	}
	s = newSample(logs)
	lo, hi := s.interval(alpha)
	return Level{Mean: math.Exp(s.mean), Lo: math.Exp(lo), Hi: clamp(math.Exp(hi))}
}

// A ratio is a metric that is a ratio of two sums over slices: bytes per
// second, nanoseconds per packet. Because both parts add up, totals over any
// set of slices are exact, a slice with nothing in it does no harm, and a long
// slice weighs as much as it should.
type ratio func(arm *results.Arm, s *results.Slice) total

func (r ratio) value(v view) float64 {
	var all total
	for k := range v.trial.Slices {
		if s := &v.trial.Slices[k]; v.of(s) {
			all = all.plus(r(&v.arm, v.seen(s)))
		}
	}
	return all.level()
}

// effect pairs the arms block by block.
func (r ratio) effect(m Metric, a, b view) (effect, bool) {
	as, bs := r.pairedTotals(a, b)
	x, ok := m.change(sum(as).level(), sum(bs).level())
	if !ok {
		return effect{}, false
	}
	e := effect{x: x}
	e.se, e.df, e.lag = jackknife(m, as, bs)
	return e, true
}

func (r ratio) level(m Metric, _ []view, xs []float64, alpha float64) Level {
	return plainLevel(m, xs, alpha)
}

// A total is the two sums that make a ratio.
type total struct{ num, den float64 }

func (t total) plus(o total) total  { return total{t.num + o.num, t.den + o.den} }
func (t total) minus(o total) total { return total{t.num - o.num, t.den - o.den} }

// level is the metric's value, NaN where there is none.
func (t total) level() float64 {
	if t.den <= 0 {
		return math.NaN()
	}
	return t.num / t.den
}

func sum(ts []total) total {
	var s total
	for _, t := range ts {
		s = s.plus(t)
	}
	return s
}
