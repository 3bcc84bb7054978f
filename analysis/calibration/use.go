package calibration

import (
	"fmt"
	"slices"
	"time"

	gonum "gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"netab/analysis"
	"netab/results"
)

// Of are the calibrations that are about a machine, and about each of several:
// what they say of another CPU, hypervisor or set of CPUs is no help. Kernels may
// differ: the scatter is hardly theirs.
func Of(all []results.Calibration, machines ...*results.Machine) (out []*results.Calibration) {
	for i := range all {
		of := func(m *results.Machine) bool { return about(&all[i].Machine, m) }
		if !slices.ContainsFunc(machines, func(m *results.Machine) bool { return !of(m) }) {
			out = append(out, &all[i])
		}
	}
	return out
}

func about(c, m *results.Machine) bool {
	if !c.Identity().Same(m.Identity()) || c.Virtualization != m.Virtualization || c.CPUsOnline != m.CPUsOnline {
		return false
	}
	// Of hosts that have no more than a name in common, the CPU must be known to
	// be the same one.
	byID := c.MachineID != "" && c.MachineID == m.MachineID
	return c.CPUModel == m.CPUModel && (c.CPUModel != "" || byID)
}

// About are those of one metric that an arm's figures are of: of the same
// traffic on the same path, placed alike. Knobs may differ, as scatter is hardly
// theirs.
func About(cs []*results.Calibration, a results.Arm, metric string) []*results.Calibration {
	return slices.DeleteFunc(slices.Clone(cs), func(c *results.Calibration) bool { return c.Metric != metric || !c.Arm.SameQuestion(a) })
}

// spreadOut are the calibrations that were spread over time, if any were: what runs
// scatter by within a quarter of an hour is less than what they do over a day.
func spreadOut(cs []*results.Calibration) []*results.Calibration {
	var out []*results.Calibration
	for _, c := range cs {
		if c.SpreadS > 0 {
			out = append(out, c)
		}
	}
	if out == nil {
		return cs
	}
	return out
}

// Scatter is the standard deviation of one trial's effect and the time that a
// trial takes, for a design: from calibrations of its baseline's traffic, else
// from all there are. of names what was calibrated.
func Scatter(cs []*results.Calibration, d results.Design) (sd float64, trial time.Duration, of []string) {
	base := slices.IndexFunc(d.Arms, func(a results.Arm) bool { return a.Name == d.Baseline })
	if base >= 0 && len(d.Metrics) > 0 {
		if about := About(cs, d.Arms[base], d.Metrics[0]); len(about) > 0 {
			cs = about
		}
	}
	for _, c := range cs {
		if !slices.Contains(of, c.Scenario) {
			of = append(of, c.Scenario)
		}
	}
	return Effects(cs...).OneTrial(), seconds(TrialS(cs...)), of
}

// Moments are the mean and the standard deviation; of fewer than two values the
// latter is 0, and spreads leave them out.
func Moments(xs []float64) (mean, sd float64) {
	switch len(xs) {
	case 0:
		return 0, 0
	case 1:
		return xs[0], 0
	}
	return gonum.MeanStdDev(xs, nil)
}

// chance says how often so many of n are false, or more, at 5 % each.
func chance(k, n int) string {
	return fmt.Sprintf("so many or more come in %.2g of cases", 1-distuv.Binomial{N: float64(n), P: alpha}.CDF(float64(k)-1))
}

// Known gives compare the spread of levels of what was calibrated.
func Known(cs []*results.Calibration) func(results.Arm, string) (analysis.KnownSpread, bool) {
	return func(a results.Arm, metric string) (analysis.KnownSpread, bool) {
		about := About(cs, a, metric)
		if len(about) == 0 {
			return analysis.KnownSpread{}, false
		}
		s := Levels(spreadOut(about)...)
		return analysis.KnownSpread{Run: s.Run, RunDF: s.RunDF, Boot: s.Boot, BootDF: s.BootDF}, true
	}
}
