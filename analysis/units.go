package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"netab/analysis/stat"
)

// boots are the boots of a side. A run that does not say which boot it is of
// is taken for one of its own.
func (g RunGroup) boots() []string {
	var out []string
	for i := range g.Runs {
		if b := g.boot(i); !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

func (g RunGroup) boot(run int) string {
	h := &g.Runs[run].Header
	return cmp.Or(h.Machine.BootID, fmt.Sprintf("unknown boot of run %d, %s of %s", run, h.ID, g.Label))
}

// Units of a comparison of runs: what was drawn independently.
const (
	unitTrial = "trial"
	unitRun   = "run"
	unitBoot  = "boot"
)

// enoughRuns on each side make runs the units within one boot: what the
// machine did differently from one run to the next is then in the interval.
// Fewer runs would leave so few degrees of freedom that trials are taken, with
// a warning.
const enoughRuns = 4

// unitOf says what the units of two sides are.
func unitOf(a, b RunGroup) string {
	boots := slices.Compact(slices.Sorted(slices.Values(append(a.boots(), b.boots()...))))
	switch {
	case len(boots) > 1:
		return unitBoot
	case len(a.Runs) >= enoughRuns && len(b.Runs) >= enoughRuns:
		return unitRun
	default:
		return unitTrial
	}
}

// units brings a reading to one value a unit: a boot's is the mean of its runs.
func (g RunGroup) units(unit string, of reading) []float64 {
	if unit == unitBoot {
		byBoot := g.byBoot(of)
		var out []float64
		for _, b := range g.boots() {
			if x, ok := byBoot[b]; ok {
				out = append(out, x)
			}
		}
		return out
	}
	var out []float64
	for _, r := range g.Runs {
		if unit == unitTrial {
			out = append(out, of.trials(r)...)
		} else if x, ok := of.run(r); ok {
			out = append(out, x)
		}
	}
	return out
}

// byBoot has a value for each boot whose runs have any.
func (g RunGroup) byBoot(of reading) map[string]float64 {
	runs := map[string][]float64{}
	for i, r := range g.Runs {
		if x, ok := of.run(r); ok {
			runs[g.boot(i)] = append(runs[g.boot(i)], x)
		}
	}
	out := map[string]float64{}
	for b, xs := range runs {
		out[b] = stat.NewSample(xs).Mean
	}
	return out
}

// began is when a boot's first run did.
func (g RunGroup) began(boot string) time.Time {
	var first time.Time
	for i, r := range g.Runs {
		if t := r.Header.Started; g.boot(i) == boot && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// withinVariance is the variance of a side's mean that its trials tell of: the
// trials of each boot scatter, and boots weigh alike.
func (g RunGroup) withinVariance(of reading) float64 {
	byBoot := map[string][]float64{}
	for i, r := range g.Runs {
		byBoot[g.boot(i)] = append(byBoot[g.boot(i)], of.trials(r)...)
	}
	v, n := 0.0, 0.0
	for _, b := range g.boots() {
		if s := stat.NewSample(byBoot[b]); s.N > 0 {
			v += s.SE() * s.SE()
			n++
		}
	}
	return v / max(1, n*n)
}

// trialsShare is how much of the squared error of a difference of boots the trials within
// boots tell of; 0 = some boot has fewer than two, or no error is known.
func trialsShare(a, b RunGroup, of reading, se float64) float64 {
	for _, g := range []RunGroup{a, b} {
		for _, r := range g.Runs {
			if len(of.trials(r)) < 2 {
				return 0
			}
		}
	}
	share := (a.withinVariance(of) + b.withinVariance(of)) / (se * se)
	if !stat.IsFinite(share) {
		return 0
	}
	return min(1, share)
}
