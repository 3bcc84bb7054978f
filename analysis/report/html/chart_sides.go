package html

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/analysis/report/figure"
)

// A band is what one side measured of one arm.
type band struct {
	side  int
	arm   string
	lanes []lane
}

func (b band) values() []float64 {
	var xs []float64
	for _, l := range b.lanes {
		xs = append(xs, l.values()...)
	}
	return xs
}

func (l lane) values() []float64 {
	var xs []float64
	for _, x := range l.levels {
		xs = append(xs, x.Value)
	}
	return xs
}

// centre is the mean on the scale on which levels are compared.
func (l lane) centre(metric string) float64 {
	m, _ := analysis.LookupMetric(metric)
	xs, mean := l.values(), 0.0
	logs := !m.Difference && slices.Min(xs) > 0
	for _, x := range xs {
		if logs {
			x = math.Log(x)
		}
		mean += x / float64(len(xs))
	}
	if logs {
		return math.Exp(mean)
	}
	return mean
}

// sidesChart shows the trials' levels of both sides of a comparison, arm by
// arm and side under side, with a lane for each unit.
func sidesChart(id string, s analysis.Summary, metric string, sides []side) (c chart, ok bool, err error) {
	unit := unitOf(s, metric)
	arms := comparedArms(s, metric)
	left := len(arms) - maxArms
	arms = arms[:min(len(arms), maxArms)]
	var bands []band
	var names []string
	var all []float64
	lanes := 1
	for _, arm := range arms {
		for i, d := range sides {
			b, label := band{i, arm, d.lanes(metric, arm, unit == "boot")}, ""
			if i == 0 {
				label = arm // the legend names the sides under it
			}
			bands, names, all = append(bands, b), append(names, label), append(all, b.values()...)
			lanes = max(lanes, len(b.lanes))
		}
	}
	if len(all) == 0 {
		return chart{}, false, nil
	}
	info := figure.InfoOf(metric)
	sc := info.Scale(unitNamed(s, metric), all, nil)
	x := valueX(fmt.Sprintf("%s of a trial (%s)", info.Title, sc.Unit))
	if sc.Unit == "" {
		x.Name = info.Title + " of a trial"
	}
	if sc.Wide && slices.Min(all) > 0 {
		x = logarithmicX(x)
	}
	p := newPlot(x, categoryY("", names))
	drawBands(p, metric, sides, bands, sc, 1+(len(all)-1)/maxPoints)
	var alt []string
	for _, b := range bands {
		if xs := b.values(); len(xs) > 0 {
			alt = append(alt, fmt.Sprintf("%s, %s: median %s of %s", b.arm, sides[b.side].label, sc.With(quartiles(xs)[2]), prose.Counted(len(xs), "trial")))
		}
	}
	c, err = p.finish(chart{ID: id, Title: info.Title + ", before and after", Wide: true, Height: 122 + len(bands)*min(max(40, 16*lanes), 160),
		Note: sidesNote(unit, lanes, left), Alt: "Levels of the trials of each side. " + strings.Join(alt, "; ") + "."})
	return c, true, err
}

// drawBands draws one band of dots for each side of each arm: around a box
// where it has one lane, else in lanes with a tick at the mean of each. Of very
// many dots one in step is drawn.
func drawBands(p plot, metric string, sides []side, bands []band, sc figure.Scale, step int) {
	boxes, dots, ticks := []opts.BoxPlotData{}, make([][]row, len(sides)), make([][]row, len(sides))
	for i, b := range bands {
		color, name := armColor(b.side), b.arm+", "+sides[b.side].label
		box := []any{}
		if len(b.lanes) == 1 {
			for _, x := range quartiles(b.values()) {
				box = append(box, x/sc.Div)
			}
		}
		boxes = append(boxes, opts.BoxPlotData{Value: box, ItemStyle: &opts.ItemStyle{Color: "--box", BorderColor: color}})
		for k, l := range b.lanes {
			n := float64(len(b.lanes))
			place, room := (2*float64(k)+1)/n-1, 0.7/n
			for j := 0; j < len(l.levels); j += step {
				x := l.levels[j]
				dots[b.side] = append(dots[b.side], row{x.Value / sc.Div, i, place + room*spread(j, len(l.levels)), color,
					fmt.Sprintf("%s, %s, trial %d: %s", name, l.name, x.Trial, sc.With(x.Value))})
			}
			if len(b.lanes) > 1 {
				mean := l.centre(metric)
				ticks[b.side] = append(ticks[b.side], row{mean / sc.Div, i, place, 0.85 / n, color,
					fmt.Sprintf("%s, %s: mean %s of %s", name, l.name, sc.With(mean), prose.Counted(len(l.levels), "trial"))})
			}
		}
	}
	// Boxes of several series would stand beside each other, not in their bands.
	p.series(charts.SingleSeries{Name: "quartiles", Type: types.ChartBoxPlot, Data: boxes})
	var names []string
	for i, d := range sides {
		names = append(names, d.label)
		p.series(lanesSeries(d.label, "@lanes", i, dots[i]))
		if len(ticks[i]) > 0 {
			p.series(lanesSeries(d.label, "@ticks", i, ticks[i]))
		}
	}
	p.legend(names)
}

// lanesSeries draws rows of x, category, place in its band, and what the
// renderer wants.
func lanesSeries(name, renderer string, side int, rows []row) charts.SingleSeries {
	if rows == nil {
		rows = []row{}
	}
	s := custom(name, renderer, armColor(side), rows)
	s.Encode = &opts.Encode{X: 0, Y: 1}
	return s
}

func sidesNote(unit string, lanes, left int) string {
	note := "Each dot is one trial, and a box holds the middle half of them: the further two boxes of an arm lie apart, the clearer the change."
	switch {
	case lanes > 1 && unit == "trial":
		note = "Each dot is one trial, each row of dots one run with a tick at its mean: rows of one side that lie apart differ in something besides what was changed."
	case lanes > 1:
		note = fmt.Sprintf("Each dot is one trial, each row of dots one %s with a tick at its mean: a change stands out where the ticks of the two sides lie further apart than those of one side.", unit)
	}
	if left > 0 {
		note += fmt.Sprintf(" %s more %s not drawn.", prose.Grouped(int64(left)), map[bool]string{true: "arm is", false: "arms are"}[left == 1])
	}
	return note
}

// unitOf is what was drawn independently in a comparison of runs.
func unitOf(s analysis.Summary, metric string) string {
	for _, c := range report.ComparisonsOf(s, metric) {
		if c.Units != "" {
			return c.Units
		}
	}
	return "trial"
}

func unitNamed(s analysis.Summary, metric string) string {
	for _, c := range report.ComparisonsOf(s, metric) {
		return c.Unit
	}
	return ""
}
