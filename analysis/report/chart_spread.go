package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis"
)

// trialsChart shows trial effects in the order in which they were measured,
// with their own errors: trends and modes are seen here.
func trialsChart(id string, s analysis.Summary, v verdictTable) (chart, error) {
	cs := comparisonsOf(s, v.headline.name)
	p := newPlot(valueX("Trial"), valueY(fmt.Sprintf("Change (%s)", v.change.unit)))
	p.XAxisList[0].MinInterval = 1
	var names []string
	extent := []float64{0}
	for _, c := range cs {
		name, arm := comparisonLabel(s, c), armIndex(s.Arms, c.Arm)
		rows := make([]row, 0, len(c.TrialEffects))
		for _, e := range c.TrialEffects {
			tip := fmt.Sprintf("%s, trial %d: %s %s", name, e.Trial, v.change.signed(e.Change), v.change.unit)
			lo, hi := trialInterval(e, c.Difference)
			extent = append(extent, v.shown(e.Change))
			rows = append(rows, row{e.Trial, v.shown(lo), v.shown(hi), v.shown(e.Change), tip})
		}
		names = append(names, name)
		p.series(errorSeries(name, armColor(arm), rows))
	}
	p.MultiSeries[0].MarkLines = zeroLine("yAxis")
	// One trial with a hopeless error must not squeeze all others.
	p.YAxisList[0].Min, p.YAxisList[0].Max, _ = niceRange(extent)
	p.legend(names)
	return p.finish(chart{ID: id, Title: "Trial effects in the order measured", Height: 320,
		Note: "Each dot is one trial; its bar is ± twice the error within the trial. Dots that lie apart by more than their bars differ in something that a trial draws once, such as ports and memory.",
		Alt:  fmt.Sprintf("Effects of %s on %s, by trial number.", plural(len(cs), "arm"), v.headline.title)})
}

// levelsChart shows how an arm's trials are spread: a box of quartiles and
// every trial beside it.
func levelsChart(id string, d runData) (chart, error) {
	sc := d.rate.scale("", d.allTrialRates(), nil)
	names := make([]string, len(d.arms))
	boxes, dots := make([]opts.BoxPlotData, 0, len(d.arms)), []row{}
	alt := []string{}
	for arm := range d.arms {
		names[arm] = d.arms[arm]
		rates := d.trialRates[arm]
		if len(rates) == 0 {
			boxes = append(boxes, opts.BoxPlotData{Value: []any{}})
			continue
		}
		q := quartiles(rates)
		box := make([]any, len(q))
		for i, x := range q {
			box[i] = x / sc.div
		}
		boxes = append(boxes, opts.BoxPlotData{Value: box, ItemStyle: &opts.ItemStyle{Color: "--box", BorderColor: armColor(arm)}})
		alt = append(alt, fmt.Sprintf("%s: median %s", names[arm], sc.with(q[2])))
		for j, r := range rates {
			dots = append(dots, row{r / sc.div, arm, 0.75 * spread(j, len(rates)), armColor(arm), fmt.Sprintf("%s: %s", names[arm], sc.with(r))})
		}
	}
	x := valueX(fmt.Sprintf("%s of a trial (%s)", d.rate.title, sc.unit))
	if sc.wide && slices.Min(d.allTrialRates()) > 0 {
		x = logarithmicX(x)
	}
	p := newPlot(x, categoryY("", names))
	p.series(charts.SingleSeries{Name: "quartiles", Type: types.ChartBoxPlot, Data: boxes})
	p.series(dotSeries(dots))
	return p.finish(chart{ID: id, Title: "Distribution over trials", Height: max(92+44*len(names), 320),
		Note: "Boxes hold the middle half of the trials, the line is the median, whiskers reach to the extremes.",
		Alt:  "Spread of the trials' levels. " + strings.Join(alt, "; ") + "."})
}
