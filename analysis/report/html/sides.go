package html

import (
	"fmt"
	"slices"

	"netab/analysis"
	"netab/analysis/record"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/results"
)

// maxArms of a comparison are drawn, so that a sweep does not fill the page;
// the tables have them all.
const maxArms = 16

// A side is one group of runs of a comparison, for drawing.
type side struct {
	label   string
	runs    []*results.Run
	records []*record.Record // of the runs
}

func sidesOf(s analysis.Summary, runs []*results.Run) []side {
	left := slices.Clone(runs)
	var out []side
	for _, x := range s.Sides {
		d := side{label: x.Label}
		for _, id := range x.Runs {
			// A run may be compared with itself: each place takes its own.
			if i := slices.IndexFunc(left, func(r *results.Run) bool { return r.Header.ID == id }); i >= 0 {
				d.runs = append(d.runs, left[i])
				d.records = append(d.records, record.Of(left[i].Header.Design, left[i].Trials))
				left = slices.Delete(left, i, i+1)
			}
		}
		out = append(out, d)
	}
	return out
}

// latency is that of an arm, or of the traffic beside it, over all runs.
func (d side) latency(arm, beside string) *results.Histogram {
	var all *results.Histogram
	for _, r := range d.records {
		i := r.Design.ArmAt(arm)
		if i < 0 {
			continue
		}
		h := r.Latency(i, beside)
		if all == nil {
			all = h
		} else {
			all.Merge(h)
		}
	}
	return all
}

// A lane is the trials of one unit of a comparison.
type lane struct {
	name   string
	levels []analysis.TrialLevel
}

// lanes tell boots apart where these are the units, and runs otherwise.
func (d side) lanes(metric, arm string, boots bool) []lane {
	var out []lane
	at := map[string]int{}
	for _, r := range d.runs {
		ls := analysis.LevelsByTrial(r, metric, arm)
		if len(ls) == 0 {
			continue
		}
		name := "run " + r.Header.ID
		if boots && r.Header.Machine.BootID != "" {
			name = "boot " + r.Header.Machine.BootID
		}
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, lane{name: name})
		}
		out[i].levels = append(out[i].levels, ls...)
	}
	return out
}

// beforeAfter draws what each side of a comparison was measured at: the
// trials' levels of every metric that was compared, and latencies by
// percentile.
func beforeAfter(s analysis.Summary, runs []*results.Run) ([]chart, error) {
	sides := sidesOf(s, runs)
	var out []chart
	add := func(c chart, ok bool, err error) error {
		if ok {
			out = append(out, c)
		}
		return err
	}
	for i, metric := range comparedMetrics(s) {
		if err := add(sidesChart(fmt.Sprintf("cmp-levels%d", i), s, metric, sides)); err != nil {
			return nil, err
		}
	}
	for i, l := range comparedLatencies(s) {
		var curves []latencyCurve
		for k, d := range sides {
			curves = append(curves, latencyCurve{d.label, armColor(k), armSymbol(k), d.latency(l.arm, l.beside)})
		}
		title := "Latency by percentile: " + l.arm
		if l.beside != "" {
			title += ", " + l.beside
		}
		c := chart{ID: fmt.Sprintf("cmp-latency%d", i), Title: title,
			Note: "Each line is all transactions of one side, its trials merged; where a line is lower, that percentile was faster (both axes are logarithmic)."}
		if err := add(percentileChart(c, curves)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// An armTraffic is an arm's main traffic, or one beside it.
type armTraffic struct{ arm, beside string }

// comparedLatencies are those of the main traffic, and of any other that was
// judged by it.
func comparedLatencies(s analysis.Summary) []armTraffic {
	var out []armTraffic
	for _, c := range s.Comparisons {
		of, metric, _ := figure.Beside(c.Metric)
		x := armTraffic{c.Arm, of}
		if figure.InfoOf(metric).Quantity == analysis.Latency && (of == "" || c.Judged) && !slices.Contains(out, x) && len(out) < maxArms {
			out = append(out, x)
		}
	}
	return out
}

// comparedArms are those that a metric was compared of.
func comparedArms(s analysis.Summary, metric string) []string {
	var out []string
	for _, c := range report.ComparisonsOf(s, metric) {
		if !slices.Contains(out, c.Arm) {
			out = append(out, c.Arm)
		}
	}
	return out
}
