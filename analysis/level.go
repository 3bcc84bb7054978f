package analysis

import (
	"math"

	"netab/analysis/record"
	"netab/analysis/stat"
)

// levels summarises every arm on every metric that applies to it.
func (j judging) levels() []ArmSummary {
	out := j.levelsOf(metricsOf(j.design))
	for arm := range out {
		out[arm].Modes = j.levelModes(arm)
		out[arm].Limit = limitOf(j.rec, arm)
		out[arm].Events = eventsOf(j.rec, arm)
		out[arm].Failed, _ = j.failed(arm)
	}
	return out
}

// failed is in how many trials an arm moved nothing, and why in the first.
func (j judging) failed(arm int) (n int, why string) {
	for _, v := range views(j.rec, Metric{}, arm) {
		if f := failureOf(v); f != "" {
			n++
			why = first(why, f)
		}
	}
	return n, why
}

// judgedLevels is levels for the judged metrics only.
func (j judging) judgedLevels() []ArmSummary { return j.levelsOf(judgedOf(j.design)) }

func (j judging) levelsOf(metrics []Metric) []ArmSummary {
	out := make([]ArmSummary, len(j.design.Arms))
	for i, arm := range j.design.Arms {
		out[i] = ArmSummary{Name: arm.Name, Levels: arm.Levels, Metrics: map[string]Level{}}
		for _, m := range metrics {
			if !m.AppliesTo(arm) {
				continue
			}
			if l, ok := levelOf(j.rec, m, i, j.alpha); ok {
				out[i].Metrics[m.Name] = l
			}
		}
	}
	return out
}

// trialLevels is an arm's level of a metric in each valid trial that has one.
func trialLevels(r *record.Record, m Metric, arm int) []effect {
	var out []effect
	for _, v := range views(r, m, arm) {
		if x := m.value(v); stat.IsFinite(x) {
			out = append(out, effect{at: v.trial.At, trial: v.trial.Index, x: x})
		}
	}
	return out
}

// levelOf is an arm's level over all trials.
func levelOf(r *record.Record, m Metric, arm int, alpha float64) (Level, bool) {
	levels := trialLevels(r, m, arm)
	xs := values(levels)
	if len(xs) == 0 {
		return Level{}, false
	}
	vs := views(r, m, arm)
	if q, ok := m.estimator.(quantile); ok && q.withheld(vs) != "" {
		return Level{}, false
	}
	l := m.level(m, vs, xs, alpha)
	l.Unit, l.N = m.Unit, len(xs)
	l.bySessions(r, levels, alpha)
	s := stat.NewSample(xs)
	scale := math.Abs(l.Mean)
	if scale > 0 {
		l.CV = finite(s.SD / math.Abs(s.Mean))
	}
	if m.Difference {
		scale = 1 // a loss of nothing is never known to within 5 % of itself
	}
	// What stands without an interval is known to no width.
	known := l.Lo < l.Hi || s.SD == 0
	l.Converged = l.N >= 2 && known && max(l.Hi-l.Mean, l.Mean-l.Lo) <= r.Design.Width*scale
	return l, stat.IsFinite(l.Mean)
}

// HalfWidth is that of the interval, as a share of the mean.
func (l Level) HalfWidth() float64 {
	if l.Mean == 0 {
		return 0
	}
	return (l.Hi - l.Mean) / math.Abs(l.Mean)
}
