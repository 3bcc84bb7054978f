package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report"
)

// trialsChart shows trial effects in the order in which they were measured,
// with their own errors: trends and modes are seen here.
func trialsChart(id string, s analysis.Summary, v report.VerdictTable) (chart, error) {
	cs := report.ComparisonsOf(s, v.Headline.Name)
	p := newPlot(valueX("Trial"), valueY(fmt.Sprintf("Change (%s)", v.Change.Unit)))
	p.XAxisList[0].MinInterval = 1
	var names []string
	extent := []float64{0}
	step := dotsStep(len(cs), effectsOf(cs))
	for _, c := range cs {
		name, arm := comparisonLabel(s, c), report.ArmIndex(s.Arms, c.Arm)
		rows := make([]row, 0, len(c.TrialEffects))
		for i, e := range c.TrialEffects {
			if i%step != 0 {
				continue
			}
			tip := fmt.Sprintf("%s, trial %d: %s %s", name, e.Trial, v.Change.Signed(e.Change), v.Change.Unit)
			lo, hi := trialInterval(e, c.Difference)
			extent = append(extent, v.Shown(e.Change))
			rows = append(rows, row{e.Trial, v.Shown(lo), v.Shown(hi), v.Shown(e.Change), tip})
		}
		names = append(names, name)
		p.series(errorSeries(name, armColor(arm), rows))
	}
	p.MultiSeries[0].MarkLines = zeroLine("yAxis")
	// One trial with a hopeless error must not squeeze all others.
	p.YAxisList[0].Min, p.YAxisList[0].Max, _ = niceRange(extent)
	p.legend(names)
	return p.finish(chart{ID: id, Title: "Trial effects in the order measured", Height: 320,
		Note: "Each dot is one trial; its bar is ± twice the error within the trial. Dots that lie apart by more than their bars differ in something that a trial draws once, such as ports and memory." + dotsNote(step),
		Alt:  fmt.Sprintf("Effects of %s on %s, by trial number.", prose.Counted(len(cs), "arm"), v.Headline.Title)})
}

// effectsOf is how many trial effects comparisons have.
func effectsOf(cs []analysis.Comparison) (n int) {
	for i := range cs {
		n += len(cs[i].TrialEffects)
	}
	return n
}

// levelsChart shows how an arm's trials are spread: a box of quartiles and
// every trial beside it.
func levelsChart(id string, d runData) (chart, error) {
	sc := d.rate.Scale("", d.allTrialRates(), nil)
	names := make([]string, len(d.arms))
	boxes, dots := make([]opts.BoxPlotData, 0, len(d.arms)), []row{}
	alt := []string{}
	step := dotsStep(len(d.arms), len(d.allTrialRates()))
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
			box[i] = x / sc.Div
		}
		boxes = append(boxes, opts.BoxPlotData{Value: box, ItemStyle: &opts.ItemStyle{Color: "--box", BorderColor: armColor(arm)}})
		alt = append(alt, fmt.Sprintf("%s: median %s", names[arm], sc.With(q[2])))
		for j, r := range rates {
			if j%step != 0 {
				continue
			}
			dots = append(dots, row{r / sc.Div, arm, 0.75 * spread(j, len(rates)), armColor(arm), fmt.Sprintf("%s: %s", names[arm], sc.With(r))})
		}
	}
	x := valueX(fmt.Sprintf("%s of a trial (%s)", d.rate.Title, sc.Unit))
	if sc.Wide && slices.Min(d.allTrialRates()) > 0 {
		x = logarithmicX(x)
	}
	p := newPlot(x, categoryY("", names))
	p.series(charts.SingleSeries{Name: "quartiles", Type: types.ChartBoxPlot, Data: boxes})
	p.series(dotSeries(dots))
	return p.finish(chart{ID: id, Title: "Distribution over trials", Height: max(92+44*len(names), 320),
		Note: "Boxes hold the middle half of the trials, the line is the median, whiskers reach to the extremes." + dotsNote(step),
		Alt:  "Spread of the trials' levels. " + strings.Join(alt, "; ") + "."})
}
