package analysis

import (
	"math"
	"slices"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

// A reading is what a comparison takes from a run, on the metric's scale: what
// each valid trial says by itself, and what all of them say together. That is
// the mean, but for percentiles, which are of all transactions: theirs must not
// be averaged.
type reading struct {
	trials func(*results.Run) []float64
	whole  func(*results.Run) (float64, bool) // nil: the mean of the trials
}

// run is what a run says, if anything.
func (of reading) run(r *results.Run) (float64, bool) {
	if of.whole != nil {
		return of.whole(r)
	}
	xs := of.trials(r)
	return stat.NewSample(xs).Mean, len(xs) > 0
}

// A library keeps the record of each run, which many ask for.
type library map[*results.Run]*record.Record

func (l library) of(r *results.Run) *record.Record {
	have := l[r]
	if have == nil {
		have = record.Of(r.Header.Design, r.Trials)
		if l != nil {
			l[r] = have
		}
	}
	return have
}

// levelReading takes an arm's levels, on the scale that is given: onScale for
// what is compared, plainly for what is shown.
func (l library) levelReading(m Metric, arm string, scaled func([]effect, Metric) []effect) reading {
	of := reading{trials: func(r *results.Run) []float64 {
		if i := r.Header.Design.ArmAt(arm); i >= 0 {
			return values(scaled(trialLevels(l.of(r), m, i), m))
		}
		return nil
	}}
	if !m.Merged() {
		return of
	}
	trials := of.trials
	of.trials = func(r *results.Run) []float64 {
		if _, ok := l.wholeLevel(r, m, arm); !ok {
			return nil // what all transactions cannot show, those of a trial show less
		}
		return trials(r)
	}
	of.whole = func(r *results.Run) (float64, bool) {
		level, ok := l.wholeLevel(r, m, arm)
		xs := values(scaled([]effect{{x: level}}, m))
		if !ok || len(xs) == 0 {
			return 0, false
		}
		return xs[0], true
	}
	return of
}

// plainly leaves levels as they are.
func plainly(levels []effect, _ Metric) []effect { return levels }

// wholeLevel is an arm's level over all trials of a run.
func (l library) wholeLevel(r *results.Run, m Metric, arm string) (float64, bool) {
	i := r.Header.Design.ArmAt(arm)
	if i < 0 {
		return 0, false
	}
	level, ok := levelOf(l.of(r), m, i, 1-confidence(r.Header.Design))
	return level.Mean, ok
}

// onScale takes logs, for metrics whose changes are ratios, or shares where some
// levels are zero and have no log.
func onScale(levels []effect, m Metric) []effect {
	switch {
	case m.Difference:
		return levels
	case m.per > 0:
		for i := range levels {
			levels[i].x /= m.per
		}
		return levels
	}
	out := slices.DeleteFunc(levels, func(e effect) bool { return e.x <= 0 })
	for i := range out {
		out[i].x = math.Log(out[i].x)
	}
	return out
}

// effectReading takes an arm's effects within each run.
func (l library) effectReading(m Metric, base, arm string) reading {
	of := reading{trials: func(r *results.Run) []float64 {
		a, b := r.Header.Design.ArmAt(base), r.Header.Design.ArmAt(arm)
		if a < 0 || b < 0 {
			return nil
		}
		m := m
		if m.per > 0 {
			m = m.shares(values(trialLevels(l.of(r), m, a)))
		}
		return values(trialEffects(l.of(r), m, a, b))
	}}
	if m.Merged() {
		trials := of.trials
		of.trials = func(r *results.Run) []float64 {
			_, okA := l.wholeLevel(r, m, base)
			_, okB := l.wholeLevel(r, m, arm)
			if !okA || !okB {
				return nil
			}
			return trials(r)
		}
		of.whole = func(r *results.Run) (float64, bool) {
			a, okA := l.wholeLevel(r, m, base)
			b, okB := l.wholeLevel(r, m, arm)
			if !okA || !okB {
				return 0, false
			}
			return m.change(a, b)
		}
	}
	return of
}
