package html

import (
	"fmt"
	"math"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report"
)

// forestChart shows each arm's change with its interval over the band of what
// does not matter, and the trials that it rests on as faint dots.
func forestChart(id string, s analysis.Summary, v report.VerdictTable) (chart, error) {
	cs := report.ComparisonsOf(s, v.Headline.Name)
	names := make([]string, len(cs))
	whiskers, dots := make([]row, 0, len(cs)), []row{}
	alt := []string{}
	r := v.Shown(s.Resolution)
	if len(cs) > 0 && cs[0].Resolution > 0 {
		r = v.Shown(cs[0].Resolution) // the metric's own
	}
	extent := []float64{-1.5 * r, 1.5 * r, 0}
	thinned := dotsStep(len(cs), effectsOf(cs))
	for i, c := range cs {
		names[i] = comparisonLabel(s, c)
		lo, hi, interval := c.Lo, c.Hi, v.Interval(&c)
		if dotOf(c) == "boot" && c.N < 2 { // its interval would be of trials, and says nothing of boots
			lo, hi, interval = c.Change, c.Change, "one boot"
		}
		tip := fmt.Sprintf("%s: %s %s (%s), %s", names[i], v.Change.Signed(c.Change), v.Change.Unit, interval, report.VerdictWords(&c))
		alt = append(alt, tip)
		color := armColor(report.ArmIndex(s.Arms, c.Arm))
		whiskers = append(whiskers, row{v.Shown(lo), v.Shown(hi), v.Shown(c.Change), i, color, tip})
		extent = append(extent, v.Shown(lo), v.Shown(hi))
		for j, e := range c.TrialEffects {
			extent = append(extent, v.Shown(e.Change))
			if j%thinned != 0 {
				continue
			}
			dots = append(dots, row{v.Shown(e.Change), i, spread(j, len(c.TrialEffects)), color,
				fmt.Sprintf("%s, %s %d: %s %s", names[i], dotOf(c), e.Trial, v.Change.Signed(e.Change), v.Change.Unit)})
		}
	}
	title := fmt.Sprintf("Change of %s against the baseline (%s)", prose.Lower(v.Headline.Title), v.Change.Unit)
	y := categoryY("", names)
	if len(cs) > 0 && dotOf(cs[0]) == "boot" { // releases of kernels are long
		y.AxisLabel = &opts.AxisLabel{Show: opts.Bool(true), Width: 220, Overflow: "truncate"}
	}
	p := newPlot(valueX(title), y)
	p.series(dotSeries(dots))
	intervals := custom("change", "@intervals", "", whiskers)
	intervals.Encode = &opts.Encode{X: []int{0, 1, 2}, Y: 3}
	if r > 0 {
		intervals.MarkAreas = &opts.MarkAreas{Data: []any{[]any{map[string]any{"xAxis": -r}, map[string]any{"xAxis": r}}}}
		intervals.MarkAreas.ItemStyle = &opts.ItemStyle{Color: "--band"}
	}
	intervals.MarkLines = zeroLine("xAxis")
	p.series(intervals)
	low, high, step := niceRange(extent)
	x := &p.XAxisList[0]
	x.Min, x.Max, x.MinInterval, x.MaxInterval = low, high, step, step
	x.AxisLabel = &opts.AxisLabel{HideOverlap: opts.Bool(true)}
	bars := "Bars are the intervals that decide the verdicts"
	if len(dots) > 0 {
		bars += fmt.Sprintf(", dots single %ss", dotOf(cs[0]))
	}
	return p.finish(chart{ID: id, Title: "Effects", Height: 92 + 44*len(cs), Wide: true,
		Note: bars + fmt.Sprintf(". The shaded band is ±%s: a change inside it does not matter to you.", prose.ShortPercent(r*v.Change.Div)) + dotsNote(thinned),
		Alt:  "Intervals of the change. " + strings.Join(alt, ". ") + "."})
}

// comparisonLabel names a comparison by its arm, and by what it is compared
// with where that is not always the same.
func comparisonLabel(s analysis.Summary, c analysis.Comparison) string {
	label := c.Arm
	for _, a := range s.Arms {
		if a.Name == c.Arm {
			a.Run = ""
			label = report.ArmLabel(a)
		}
	}
	if c.ArmRun == "" && len(report.BaselineNames(s)) > 1 {
		label += " vs " + c.Baseline
	}
	if len(s.Sides) > 2 || c.ArmRun != "" && c.ArmRun == c.BaselineRun {
		label += " @ " + c.ArmRun
	}
	return label
}

// dotOf is what a dot of a comparison is: a boot, within a kernel of a campaign.
func dotOf(c analysis.Comparison) string {
	if c.ArmRun != "" && c.ArmRun == c.BaselineRun && c.Units == "boot" {
		return "boot"
	}
	return "trial"
}

// spread places the i-th of n dots across its band from -1 to 1, far from its
// neighbours in time (the golden ratio's multiples), so that dots of the same
// value stay apart and the picture is the same each time.
func spread(i, n int) float64 {
	if n < 2 {
		return 0
	}
	const golden = 0.6180339887498949
	f := float64(i+1) * golden
	return 2*(f-float64(int(f))) - 1
}

// dotSeries draws rows of x, category, place across the category's band,
// colour and tooltip.
func dotSeries(rows []row) charts.SingleSeries {
	s := custom("trials", "@dots", "", rows)
	s.Encode = &opts.Encode{X: 0, Y: 1}
	return s
}

// errorSeries draws rows of x, low, high, value and tooltip.
func errorSeries(name, color string, rows []row) charts.SingleSeries {
	s := custom(name, "@errors", color, rows)
	s.Encode = &opts.Encode{X: 0, Y: []int{1, 2, 3}}
	return s
}

// niceRange is the range of an axis that holds all values, widened to round
// numbers, and the step between its labels.
func niceRange(values []float64) (low, high, step float64) {
	for _, x := range values {
		low, high = min(low, x), max(high, x)
	}
	if high <= low {
		return low - 1, high + 1, 1
	}
	step = math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, m := range []float64{5, 2} {
		if (high-low)/(m*step) >= 4 {
			step *= m
			break
		}
	}
	return math.Floor(low/step) * step, math.Ceil(high/step) * step, step
}

// zeroLine marks zero on an axis.
func zeroLine(axis string) *opts.MarkLines {
	return &opts.MarkLines{
		Data: []any{map[string]any{axis: 0}},
		MarkLineStyle: opts.MarkLineStyle{Symbol: []string{"none", "none"}, Label: &opts.Label{Show: opts.Bool(false)},
			LineStyle: &opts.LineStyle{Color: "--axis", Type: "solid", Width: 1}},
	}
}
