package html

import (
	"fmt"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/analysis/trend"
)

// maxTrendPoints bounds one chart; the newest are drawn.
const maxTrendPoints = 2000

// trendChart draws a series run by run: values, levels, where they change, and
// what the newest run was expected to be.
func trendChart(id, name string, s *trend.Series) (chart, error) {
	from := max(0, len(s.Points)-maxTrendPoints)
	sc := report.TrendScale(s)
	title := figure.InfoOf(s.Metric).Title
	if s.Against != "" {
		title = fmt.Sprintf("%s, change against %s", title, s.Against)
	}
	labels, axis := trendLabels(s.Points[from:])
	x := categoryX("Runs in order of time: "+axis, nil)
	x.Data, x.AxisLabel.Width = labels, 104
	p := newPlot(x, valueY(fmt.Sprintf("%s (%s)", title, sc.Unit)))
	shown := func(v float64) float64 { return round(v/sc.Div, 1e6) }

	points := points2D("run", 1, trendRows(s, sc, from, shown))
	points.Symbol, points.SymbolSize, points.Encode = "circle", 6, &opts.Encode{X: 0, Y: 1}
	points.Large = nil // large scatters have no tooltips of their own
	points.MarkLines = changeLines(s, from)
	level := lineSeries("level", 0, levelRows(s, sc, from, shown))
	level.Symbol, level.ItemStyle, level.LineStyle = "none", &opts.ItemStyle{Color: "--ink"}, &opts.LineStyle{Color: "--ink", Width: 2}
	p.series(points)
	p.series(level)
	names := []string{"run", "level"}
	for _, mark := range trendMarks(s, from, shown) {
		p.series(mark)
		names = append(names, mark.Name)
	}
	if t := s.Tail; t.State != trend.TooShort && t.Points > 0 {
		tip := fmt.Sprintf("Expected of %s after %s: %s to %s", prose.Counted(t.Points, "new run"), prose.Counted(t.Base, "run"), report.TrendValue(s, sc, t.Lo), report.TrendValue(s, sc, t.Hi))
		expected := errorSeries("expected", "--muted", []row{{len(s.Points) - 1 - from, shown(t.Lo), shown(t.Hi), shown(t.Level), tip}})
		p.series(expected)
		names = append(names, "expected")
	}
	p.legend(names)
	if len(labels) > 60 {
		p.zoom()
	}
	note := "Each point is one run. The line is the level of a stretch, dashed lines are where it changes; the grey bar at the end is where the newest runs were expected."
	if from > 0 {
		note += fmt.Sprintf(" The newest %s of %s are drawn.", prose.Grouped(maxTrendPoints), prose.Grouped(int64(len(s.Points))))
	}
	return p.finish(chart{ID: id, Title: name, Height: 380, Wide: true, Note: note, Alt: trendAlt(title, s, sc)})
}

// trendLabels name the runs by what was measured: the kernel, or, where that is
// one and the same, the time.
func trendLabels(points []trend.Point) (labels []string, axis string) {
	kernels := map[string]bool{}
	for _, p := range points {
		kernels[p.Kernel] = true
		labels = append(labels, kernelLabel(p))
	}
	if len(kernels) > 1 {
		return labels, "kernel or commit"
	}
	return timeLabels(points)
}

// timeLabels are as fine as it takes to tell a run from the one before.
func timeLabels(points []trend.Point) (labels []string, axis string) {
	const day = "2006-01-02"
	of := func(layout string) (out []string, apart bool) {
		apart = true
		for i, p := range points {
			out = append(out, p.Started.UTC().Format(layout))
			apart = apart && (i == 0 || out[i] != out[i-1])
		}
		return out, apart
	}
	days, apart := of(day)
	if apart {
		return days, "day"
	}
	one := days[0] == days[len(days)-1]
	before, axis := day+"\n", "day and time, UTC"
	if one {
		before, axis = "", "time on "+days[0]+", UTC"
	}
	if labels, apart = of(before + "15:04"); !apart {
		labels, _ = of(before + "15:04:05")
	}
	return labels, axis
}

// kernelLabel is the shortest that still names the kernel.
func kernelLabel(p trend.Point) string {
	switch {
	case p.Commit != "":
		return p.Commit[:min(12, len(p.Commit))]
	case p.Kernel != "":
		return p.Kernel
	}
	return p.Run
}

func trendRows(s *trend.Series, sc figure.Scale, from int, shown func(float64) float64) []row {
	rows := make([]row, 0, len(s.Points)-from)
	for i, p := range s.Points[from:] {
		rows = append(rows, row{i, shown(p.Value), fmt.Sprintf("%s, %s: %s, Linux %s", p.Started.UTC().Format("2006-01-02 15:04"), p.Run, report.TrendValue(s, sc, p.Value), p.Kernel)})
	}
	return rows
}

// levelRows draw each level flat, with a gap before the next.
func levelRows(s *trend.Series, sc figure.Scale, from int, shown func(float64) float64) []row {
	rows := []row{}
	for _, g := range s.Segments {
		if g.To <= from {
			continue
		}
		tip := fmt.Sprintf("level of %s: %s", prose.Counted(g.To-g.From, "run"), report.TrendValue(s, sc, g.Level))
		first, last := max(g.From, from)-from, g.To-1-from
		rows = append(rows, row{first, shown(g.Level), tip}, row{last, shown(g.Level), tip}, row{last, "-", tip})
	}
	return rows
}

func changeLines(s *trend.Series, from int) *opts.MarkLines {
	data := []any{}
	for _, c := range s.Changes {
		if c.Index > from {
			data = append(data, map[string]any{"xAxis": c.Index - from})
		}
	}
	return &opts.MarkLines{Data: data, MarkLineStyle: opts.MarkLineStyle{Symbol: []string{"none", "none"}, Label: &opts.Label{Show: opts.Bool(false)},
		LineStyle: &opts.LineStyle{Color: "--axis", Type: "dashed", Width: 1}}}
}

// trendMarks are the first runs of new levels and the runs under suspicion,
// told apart by shape as well as colour.
func trendMarks(s *trend.Series, from int, shown func(float64) float64) []charts.SingleSeries {
	kinds := []struct{ name, symbol, color string }{
		{"change for the worse", "path://M0,0 L10,0 L5,9 z", "--worse"}, {"change for the better", "triangle", "--good"}, {"newest, off the level", "diamond", "--open"},
	}
	rows := make([][]row, len(kinds))
	for _, c := range s.Changes {
		if c.Index >= from {
			kind := 0
			if c.Verdict == analysis.Improvement {
				kind = 1
			}
			rows[kind] = append(rows[kind], row{c.Index - from, shown(s.Points[c.Index].Value),
				fmt.Sprintf("%s: %s (%s to %s), Linux %s to %s", c.Run, trend.Percent(c.Change, s.Difference), trend.Percent(c.Lo, s.Difference), trend.Percent(c.Hi, s.Difference), c.Before, c.After)})
		}
	}
	if t := s.Tail; t.State == trend.Suspect || t.State == trend.Changed {
		for i := len(s.Points) - t.Points; i < len(s.Points); i++ {
			rows[2] = append(rows[2], row{i - from, shown(s.Points[i].Value), fmt.Sprintf("%s: %s", s.Points[i].Run, report.TrendWords(s))})
		}
	}
	var out []charts.SingleSeries
	for i, k := range kinds {
		if rows[i] != nil {
			out = append(out, charts.SingleSeries{Name: k.name, Type: types.ChartScatter, Symbol: k.symbol, SymbolSize: 13, Data: rows[i],
				ItemStyle: &opts.ItemStyle{Color: k.color}, Encode: &opts.Encode{X: 0, Y: 1}})
		}
	}
	return out
}

func trendAlt(title string, s *trend.Series, sc figure.Scale) string {
	parts := []string{fmt.Sprintf("%s over %s", title, prose.Counted(len(s.Points), "run"))}
	for _, c := range s.Changes {
		parts = append(parts, fmt.Sprintf("%s at run %s", trend.Percent(c.Change, s.Difference), c.Run))
	}
	parts = append(parts, "present level "+report.TrendCell(s, sc, s.Level).Text, report.TrendWords(s))
	return strings.Join(parts, "; ") + "."
}
