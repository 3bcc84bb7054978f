package export

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"netab/analysis"
	"netab/results"
)

// OpenMetrics writes what a run came to in OpenMetrics' text format, which the textfile
// collector of node_exporter takes: levels and their intervals, changes against the
// baseline with theirs, the verdict as a set of states, and when it was measured. A
// figure that there is none of has no line.
func OpenMetrics(w io.Writer, run *results.Run, s analysis.Summary) error {
	o := openMetrics{of: []label{{"scenario", s.Scenario}, {"machine", run.Header.Machine.Identity().String()}}}
	o.family("netab_level", "Mean of a metric over the trials of an arm, in its unit.")
	o.levels(s, "netab_level", func(l analysis.Level) float64 { return l.Mean })
	o.family("netab_level_low", "Lower end of the level's interval.")
	o.levels(s, "netab_level_low", func(l analysis.Level) float64 { return l.Lo })
	o.family("netab_level_high", "Upper end of the level's interval.")
	o.levels(s, "netab_level_high", func(l analysis.Level) float64 { return l.Hi })
	o.family("netab_change", "Change of a metric against the baseline, relative (0.05 is 5 %), or a difference in its unit.")
	o.changes(s, "netab_change", func(c analysis.Comparison) float64 { return c.Change })
	o.family("netab_change_low", "Lower end of the change's interval.")
	o.changes(s, "netab_change_low", func(c analysis.Comparison) float64 { return c.Lo })
	o.family("netab_change_high", "Upper end of the change's interval.")
	o.changes(s, "netab_change_high", func(c analysis.Comparison) float64 { return c.Hi })
	o.family("netab_verdict", "1 for the verdict of a judged change, 0 for the others.")
	for _, c := range s.Comparisons {
		if !c.Judged {
			continue
		}
		for _, v := range []analysis.Verdict{analysis.Improvement, analysis.Regression, analysis.Equivalent, analysis.Inconclusive} {
			o.sample("netab_verdict", flag(c.Verdict == v), label{"arm", c.Arm}, label{"baseline", c.Baseline}, label{"metric", c.Metric}, label{"verdict", string(v)})
		}
	}
	o.family("netab_trials", "Trials that the figures are of.")
	o.sample("netab_trials", float64(s.Trials))
	o.family("netab_converged", "1 if everything that was asked has its answer.")
	o.sample("netab_converged", flag(s.Converged))
	o.family("netab_measured_timestamp_seconds", "When the run began.")
	o.sample("netab_measured_timestamp_seconds", float64(run.Header.Started.UnixMilli())/1000)
	o.family("netab_run_info", "Which run it is.")
	o.sample("netab_run_info", 1, label{"run", s.Run}, label{"kernel", s.Kernel}, label{"netab", run.Header.Netab.Version})
	o.b.WriteString("# EOF\n")
	_, err := io.WriteString(w, o.b.String())
	return err
}

type label struct{ name, value string }

type openMetrics struct {
	b  strings.Builder
	of []label
}

func (o *openMetrics) family(name, help string) {
	fmt.Fprintf(&o.b, "# TYPE %s gauge\n# HELP %s %s\n", name, name, help)
}

func (o *openMetrics) levels(s analysis.Summary, family string, of func(analysis.Level) float64) {
	for _, a := range s.Arms {
		for _, metric := range slices.Sorted(maps.Keys(a.Metrics)) {
			l := a.Metrics[metric]
			if family != "netab_level" && l.N < 2 {
				continue // which has no interval
			}
			o.sample(family, of(l), label{"arm", a.Name}, label{"metric", metric}, label{"unit", l.Unit})
		}
	}
}

func (o *openMetrics) changes(s analysis.Summary, family string, of func(analysis.Comparison) float64) {
	for _, c := range s.Comparisons {
		if c.Untold() {
			continue
		}
		unit := "ratio"
		if c.Difference {
			unit = c.Unit
		}
		o.sample(family, of(c), label{"arm", c.Arm}, label{"baseline", c.Baseline}, label{"metric", c.Metric}, label{"unit", unit})
	}
}

// labelValue escapes as the format's grammar has it.
var labelValue = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (o *openMetrics) sample(name string, value float64, labels ...label) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	var all []string
	for _, l := range append(slices.Clone(o.of), labels...) {
		all = append(all, fmt.Sprintf(`%s="%s"`, l.name, labelValue.Replace(l.value)))
	}
	fmt.Fprintf(&o.b, "%s{%s} %s\n", name, strings.Join(all, ","), strconv.FormatFloat(value, 'g', -1, 64))
}

func flag(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
