package html

import (
	"fmt"
	"strings"

	"github.com/go-echarts/go-echarts/v2/opts"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/analysis/report/figure"
)

// metricsForest shows the relative change of every metric of every arm with
// its interval: one picture of what moved together. Differences have units of
// their own and are left to the tables. ok is false where one metric is all.
func metricsForest(id string, s analysis.Summary) (c chart, ok bool, err error) {
	var cs []analysis.Comparison
	metrics := map[string]bool{}
	for _, x := range s.Comparisons {
		if !x.Difference && x.P != nil {
			cs = append(cs, x)
			metrics[x.Metric] = true
		}
	}
	if len(metrics) < 2 {
		return chart{}, false, nil
	}
	sc := figure.ChangeScale(cs, figure.Scale{})
	var names, alt []string
	rows := make([]row, 0, len(cs))
	extent := []float64{0}
	for i, x := range cs {
		name := prose.Lower(figure.InfoOf(x.Metric).Title) + ", " + comparisonLabel(s, x)
		words := report.VerdictWords(&x)
		if !x.Judged {
			words += ", not judged"
		}
		tip := fmt.Sprintf("%s: %s %s (%s), %s", name, sc.Signed(x.Change), sc.Unit, figure.Interval(sc, x.Lo, x.Hi), words)
		names, alt = append(names, name), append(alt, tip)
		rows = append(rows, row{x.Lo / sc.Div, x.Hi / sc.Div, x.Change / sc.Div, i, armColor(report.ArmIndex(s.Arms, x.Arm)), tip})
		extent = append(extent, x.Lo/sc.Div, x.Hi/sc.Div)
	}
	y := categoryY("", names)
	y.AxisLabel = &opts.AxisLabel{Show: opts.Bool(true), Width: 220, Overflow: "truncate"}
	p := newPlot(valueX("Change (%)"), y)
	intervals := custom("change", "@intervals", "", rows)
	intervals.Encode = &opts.Encode{X: []int{0, 1, 2}, Y: 3}
	intervals.MarkLines = zeroLine("xAxis")
	p.series(intervals)
	low, high, step := niceRange(extent)
	x := &p.XAxisList[0]
	x.Min, x.Max, x.MinInterval, x.MaxInterval = low, high, step, step
	c, err = p.finish(chart{ID: id, Title: "Every metric", Height: 92 + 26*len(cs), Wide: true,
		Note: "Intervals of metrics that are not judged are each by themselves: among many, some exclude zero by chance.",
		Alt:  "Intervals of the change of every metric. " + strings.Join(alt, ". ") + "."})
	return c, true, err
}
