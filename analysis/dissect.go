package analysis

import (
	"math"

	"netab/analysis/record"
	"netab/results"
)

// A Dissection is what a run of two arms tells of where its scatter comes from,
// on the log scale (for metrics that take differences, on their own).
type Dissection struct {
	Effects []float64 // of the second arm against the baseline, by trial
	// Within is the standard deviation of one trial's effect by what its blocks
	// scatter; what Effects scatter beyond it is drawn once a trial.
	Within float64
	Levels []float64 // of the baseline, by trial
}

// Dissect takes apart what a run says of a metric. ok is false where it says
// nothing.
func Dissect(run *results.Run, metric, arm string) (d Dissection, ok bool) {
	m, known := LookupMetric(metric)
	design := run.Header.Design
	i := design.ArmAt(arm)
	if !known || i < 0 {
		return d, false
	}
	base, r := baseline(design), record.Of(design, sift(design, run.Trials).judged)
	effects := trialEffects(r, m, base, i)
	if s, ok := spreadOf(effects); ok {
		d.Within = s.Within
	}
	d.Effects = values(effects)
	d.Levels = values(onScale(trialLevels(r, m, base), m))
	return d, len(d.Effects) > 0
}

// Injected is the relative change that slowing down its sources did to an arm
// against another, as far as sources are the limit: what was spun away of the
// counted time of both, as measured in the same slices.
func Injected(run *results.Run, baseline, arm string) float64 {
	r := record.Of(run.Header.Design, sift(run.Header.Design, run.Trials).judged)
	left := func(name string) float64 {
		i := run.Header.Design.ArmAt(name)
		var spun, time float64
		for _, t := range r.Valid() {
			sources := 1
			if at := t.Arm(i).Seen; at != nil {
				sources = max(1, at.Source.Threads)
			}
			for _, s := range t.Arm(i).Counted {
				spun += float64(s.SourceSpun)
				time += float64(s.CountedNS) * float64(sources)
			}
		}
		if time == 0 {
			return math.NaN()
		}
		return 1 - spun/time
	}
	return left(arm)/left(baseline) - 1
}
