package analysis

import (
	"netab/analysis/record"
	"netab/results"
)

// A TrialLevel is what one trial that is judged says of a metric, in its unit.
type TrialLevel struct {
	Trial int
	Value float64
}

// LevelsByTrial are an arm's levels of a metric in one run, to be drawn: those
// that Compare takes together to units. There are none where the arm or the
// metric is unknown, or the metric means nothing for the arm.
func LevelsByTrial(run *results.Run, metric, arm string) []TrialLevel {
	d := run.Header.Design
	i := d.ArmAt(arm)
	m, ok := LookupMetric(metric)
	if i < 0 || !ok || !m.AppliesTo(d.Arms[i]) {
		return nil
	}
	var out []TrialLevel
	for _, e := range trialLevels(record.Of(d, sift(d, run.Trials).judged), m, i) {
		out = append(out, TrialLevel{e.trial, e.x})
	}
	return out
}
