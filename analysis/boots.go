package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"netab/results"
)

// A RunGroup is the runs of one side of a comparison: of one kernel, or one
// run alone.
type RunGroup struct {
	Label string
	Runs  []*results.Run
}

// GroupRuns makes the sides of a comparison: by kernel where kernels differ,
// else each run by itself. The first run's side is what the others are
// compared with. axis says what was grouped by: "kernel" or "run".
func GroupRuns(runs []*results.Run) (groups []RunGroup, axis string) {
	at := map[string]int{}
	for _, r := range runs {
		m := r.Header.Machine
		key := m.Kernel + "\x00" + m.KernelBuild
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, RunGroup{Label: cmp.Or(m.Kernel, "unknown kernel")})
		}
		groups[i].Runs = append(groups[i].Runs, r)
	}
	axis = "kernel"
	if len(groups) < 2 {
		groups, axis = nil, "run"
		for _, r := range runs {
			groups = append(groups, RunGroup{r.Header.ID, []*results.Run{r}})
		}
	}
	distinct(groups)
	return groups, axis
}

// distinct numbers sides of one name: kernels built twice from one release, a
// run compared with itself.
func distinct(groups []RunGroup) {
	seen := map[string]int{}
	for i := range groups {
		l := groups[i].Label
		if seen[l]++; seen[l] > 1 {
			groups[i].Label = fmt.Sprintf("%s (%d)", l, seen[l])
		}
	}
}

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

// units brings what each run has of something (levels or effects by trial) to
// one value a unit: a boot's is the mean of its runs, a run's of its trials.
func (g RunGroup) units(unit string, of func(*results.Run) []float64) []float64 {
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
	var trials, runs []float64
	for _, r := range g.Runs {
		if xs := of(r); len(xs) > 0 {
			trials, runs = append(trials, xs...), append(runs, newSample(xs).mean)
		}
	}
	if unit == unitTrial {
		return trials
	}
	return runs
}

// byBoot has a value for each boot whose runs have any.
func (g RunGroup) byBoot(of func(*results.Run) []float64) map[string]float64 {
	means := map[string][]float64{}
	for i, r := range g.Runs {
		if xs := of(r); len(xs) > 0 {
			means[g.boot(i)] = append(means[g.boot(i)], newSample(xs).mean)
		}
	}
	out := map[string]float64{}
	for b, xs := range means {
		out[b] = newSample(xs).mean
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
func (g RunGroup) withinVariance(of func(*results.Run) []float64) float64 {
	byBoot := map[string][]float64{}
	for i, r := range g.Runs {
		byBoot[g.boot(i)] = append(byBoot[g.boot(i)], of(r)...)
	}
	v, n := 0.0, 0.0
	for _, b := range g.boots() {
		if s := newSample(byBoot[b]); s.n > 0 {
			v += s.se() * s.se()
			n++
		}
	}
	return v / max(1, n*n)
}
