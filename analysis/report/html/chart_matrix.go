package html

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/results"
)

// sweepChart draws a metric over the first numeric factor, one line for each
// combination of the other factors. ok is false where no factor is numeric.
func sweepChart(id string, design results.Design, s analysis.Summary, v report.VerdictTable) (c chart, ok bool, err error) {
	factor, at := numericFactor(design.Factors)
	if factor < 0 {
		return chart{}, false, nil
	}
	name := design.Factors[factor].Name
	x := valueX(name)
	if low, high := bounds(at); low > 0 && high >= figure.Span*low {
		x = logarithmicX(x)
		x.Min, x.Max = low, high
		x.Name += " (logarithmic)"
		x.AxisLabel = &opts.AxisLabel{Formatter: "@size", HideOverlap: opts.Bool(true)}
	}
	y := valueY(fmt.Sprintf("%s (%s)", v.Headline.Title, v.Level.Unit))
	y.Scale = nil
	if v.Level.Wide {
		y = logarithmicY(y)
		y.Name = fmt.Sprintf("%s (%s, logarithmic)", v.Headline.Title, v.Level.Unit)
	}
	p := newPlot(x, y)
	lines, order := sweepLines(s, v, factor, at)
	var alt []string
	for i, label := range order {
		rows := lines[label]
		line := charts.SingleSeries{Name: label, Type: types.ChartLine, Data: rows, Symbol: armSymbol(i), SymbolSize: 7,
			ItemStyle: &opts.ItemStyle{Color: armColor(i)}, LineStyle: &opts.LineStyle{Color: armColor(i), Width: 2},
			Encode: &opts.Encode{X: 0, Y: 3}}
		p.series(line)
		p.series(errorSeries(label, armColor(i), rows))
		alt = append(alt, label)
	}
	p.legend(order)
	c, err = p.finish(chart{ID: id, Title: fmt.Sprintf("%s over %s", v.Headline.Title, name), Height: 360, Wide: true,
		Note: "Bars are the intervals of the levels.", Alt: fmt.Sprintf("%s over %s, lines for %s.", v.Headline.Title, name, strings.Join(alt, "; "))})
	return c, true, err
}

// sweepLines groups the arms by the levels of all factors but one.
func sweepLines(s analysis.Summary, v report.VerdictTable, factor int, at map[string]float64) (map[string][]row, []string) {
	lines := map[string][]row{}
	var order []string
	for _, a := range s.Arms {
		l, ok := a.Metrics[v.Headline.Name]
		if !ok || factor >= len(a.Levels) {
			continue
		}
		rest := append(append([]results.FactorLevel(nil), a.Levels[:factor]...), a.Levels[factor+1:]...)
		label := report.LevelNames(rest)
		if label == "" {
			label = v.Headline.Title
		}
		if _, seen := lines[label]; !seen {
			order = append(order, label)
		}
		tip := fmt.Sprintf("%s: %s ± %s", report.ArmLabel(a), v.Level.With(l.Mean), v.Level.Text(figure.HalfWidth(l)))
		lines[label] = append(lines[label], row{at[a.Levels[factor].Value], lowEnd(l, v.Level), l.Hi / v.Level.Div, l.Mean / v.Level.Div, tip})
	}
	return lines, order
}

// lowEnd is the lower end of a level's interval; a log axis has no place for
// what is not positive, so it ends close above zero there.
func lowEnd(l analysis.Level, s figure.Scale) float64 {
	if s.Wide && l.Lo <= 0 {
		return l.Mean / s.Div / 10
	}
	return l.Lo / s.Div
}

// heatChart shows a matrix of two factors: the level in each cell, and the
// change against the baseline in its tooltip.
func heatChart(id string, design results.Design, v report.VerdictTable) (c chart, ok bool, err error) {
	if len(design.Factors) != 2 {
		return chart{}, false, nil
	}
	columns, lines := design.Factors[0], design.Factors[1]
	cells := make([]opts.HeatMapData, 0, len(v.Rows))
	low, high := 0.0, 0.0
	for _, r := range v.Rows {
		if r.Level == nil || len(r.Arm.Levels) != 2 {
			continue
		}
		x, y := indexOf(columns.Levels, r.Arm.Levels[0].Value), indexOf(lines.Levels, r.Arm.Levels[1].Value)
		if x < 0 || y < 0 {
			continue
		}
		value := r.Level.Mean / v.Level.Div
		if len(cells) == 0 {
			low, high = value, value
		}
		low, high = min(low, value), max(high, value)
		tip := fmt.Sprintf("%s: %s", r.Name, v.Level.With(r.Level.Mean))
		if r.Change != nil && !r.Change.Untold() {
			tip += fmt.Sprintf(", %s %s (%s): %s", v.Change.Signed(r.Change.Change), v.Change.Unit, v.Interval(r.Change), r.Change.Verdict)
		}
		cells = append(cells, opts.HeatMapData{Value: row{x, y, value, v.Level.Text(r.Level.Mean), tip}})
	}
	p := newPlot(categoryX(columns.Name, columns.Levels), categoryY(lines.Name, lines.Levels))
	p.grid("30")
	p.VisualMapList = []opts.VisualMap{{Type: "continuous", Min: float32(low), Max: float32(high), Show: opts.Bool(false), Dimension: "2",
		InRange: &opts.VisualMapInRange{Color: []string{"--heat-0", "--heat-1", "--heat-2"}}}}
	p.series(charts.SingleSeries{Name: v.Headline.Title, Type: types.ChartHeatMap, Data: cells,
		Label: &opts.Label{Show: opts.Bool(true), Formatter: "@cell"}})
	c, err = p.finish(chart{ID: id, Title: fmt.Sprintf("%s of each combination (%s)", v.Headline.Title, v.Level.Unit), Height: 110 + 46*len(lines.Levels), Wide: true,
		Alt: fmt.Sprintf("Heat map of %s over %s and %s; the verdict table has the numbers.", v.Headline.Title, columns.Name, lines.Name)})
	return c, true, err
}

func indexOf(list []string, s string) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}

// numericFactor is the first factor whose levels are all different numbers,
// at least three, and their values.
func numericFactor(factors []results.Factor) (int, map[string]float64) {
	for i, f := range factors {
		at := map[string]float64{}
		for _, l := range f.Levels {
			if x, ok := number(l); ok {
				at[l] = x
			}
		}
		if len(at) >= 3 && len(at) == len(f.Levels) {
			return i, at
		}
	}
	return -1, nil
}

// number reads a level such as 64, 128K, 1MiB or 2.5; suffixes are binary as
// in scenario files.
func number(s string) (float64, bool) {
	t, factor := strings.TrimSpace(s), 1.0
	t = strings.TrimSuffix(strings.TrimSuffix(t, "B"), "i")
	for i, suffix := range []string{"K", "M", "G"} {
		if rest, ok := strings.CutSuffix(strings.ToUpper(t), suffix); ok {
			t, factor = rest, float64(int64(1)<<(10*(i+1)))
			break
		}
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(t), 64)
	if err != nil || x != x || x-x != 0 {
		return 0, false
	}
	return x * factor, true
}

// bounds are the smallest and the largest of some levels.
func bounds(at map[string]float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, x := range at {
		low, high = min(low, x), max(high, x)
	}
	return low, high
}
