package html

import (
	"fmt"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis/prose"
)

// maxPoints bounds the points of one chart; above it whole blocks are left
// out evenly, and the chart says so.
const maxPoints = 20000

// Where there are many arms the page would be too large to be sent about, so fewer are
// drawn.
const (
	manyDrawn     = 16
	maxManyPoints = 4000
	maxDots       = 1000 // of trials
)

// dotsStep is one trial in how many has a dot, of charts with so many.
func dotsStep(arms, dots int) int {
	if arms <= manyDrawn {
		return 1
	}
	return max(1, (dots+maxDots-1)/maxDots)
}

// dotsNote says so.
func dotsNote(step int) string {
	if step == 1 {
		return ""
	}
	return fmt.Sprintf(" Only one trial in %d has a dot; all of them are counted.", step)
}

// slicesChart shows every slice on the clock: the machine's drift is what all
// arms share.
func slicesChart(id string, d runData) (chart, error) {
	points, step := d.thin()
	var all []float64
	for _, pt := range points {
		all = append(all, pt.rate)
	}
	sc := d.rate.Scale("", all, nil)
	y := valueY(fmt.Sprintf("%s (%s)", d.rate.Title, sc.Unit))
	if sc.Wide && slices.Min(all) > 0 {
		y = logarithmicY(y)
	}
	p := newPlot(valueX("Time since the first trial (s)"), y)
	p.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item", Formatter: "@slice"}))
	byArm := make([][]row, len(d.arms))
	invalid := []row{}
	for _, pt := range points {
		r := row{round(pt.at, 1e3), round(pt.rate/sc.Div, 1e4), pt.trial, pt.block}
		if pt.invalid {
			invalid = append(invalid, r)
			continue
		}
		byArm[pt.arm] = append(byArm[pt.arm], r)
	}
	for arm, rows := range byArm {
		p.series(points2D(d.arms[arm], arm, rows))
	}
	names := append([]string(nil), d.arms...)
	if len(invalid) > 0 {
		s := points2D("not counted", 0, invalid)
		s.Symbol, s.Color, s.SymbolSize = "emptyCircle", "--muted", 6
		p.series(s)
		names = append(names, "not counted")
	}
	p.legend(names)
	p.zoom()
	return p.finish(chart{ID: id, Title: "Slices over time", Height: 340, Wide: true, Group: id,
		Note: "Each point is one slice. Where all arms move together the machine drifted; the arms took turns, so the comparison is not touched by it." + thinNote(step),
		Alt:  fmt.Sprintf("%s of %s over time, of %s.", d.rate.Title, prose.Counted(len(points), "slice"), prose.Counted(len(d.arms), "arm"))})
}

// pairsChart shows each slice against the baseline's of the same block: what
// remains when the drift is taken out.
func pairsChart(id, group string, d runData) (chart, error) {
	points, step := d.thin()
	base := map[[2]int]float64{}
	for _, pt := range points {
		if pt.arm == d.baseline && !pt.invalid {
			base[[2]int{pt.trial, pt.block}] = pt.rate
		}
	}
	byArm := make([][]row, len(d.arms))
	var ratios []float64
	for _, pt := range points {
		if b := base[[2]int{pt.trial, pt.block}]; b > 0 && pt.arm != d.baseline && !pt.invalid {
			ratio := round(100*(pt.rate/b-1), 1e2)
			byArm[pt.arm] = append(byArm[pt.arm], row{round(pt.at, 1e3), ratio, pt.trial, pt.block})
			ratios = append(ratios, ratio)
		}
	}
	p := newPlot(valueX("Time since the first trial (s)"), valueY("Against the baseline's slice (%)"))
	p.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item", Formatter: "@slice"}))
	var names []string
	for arm, rows := range byArm {
		if arm == d.baseline {
			continue
		}
		p.series(points2D(d.arms[arm], arm, rows))
		names = append(names, d.arms[arm])
	}
	p.MultiSeries[0].MarkLines = zeroLine("yAxis")
	low, high, outside := usualRange(ratios)
	if outside > 0 {
		p.YAxisList[0].Min, p.YAxisList[0].Max, _ = niceRange([]float64{low, high})
	}
	p.legend(names)
	p.zoom()
	return p.finish(chart{ID: id, Title: "The same slices, each against the baseline's slice of its block", Height: 340, Wide: true, Group: group,
		Note: "What the two slices share is gone: a change that is real shows as a shift of the whole cloud." + outsideNote(outside, len(ratios)) + thinNote(step),
		Alt:  fmt.Sprintf("Ratio of %s of slices over time.", prose.Counted(len(ratios), "pair"))})
}

// points2D is a scatter that stays quick with thousands of points.
func points2D(name string, arm int, rows []row) charts.SingleSeries {
	if rows == nil {
		rows = []row{}
	}
	return charts.SingleSeries{Name: name, Type: types.ChartScatter, Symbol: armSymbol(arm), SymbolSize: 4, Data: rows,
		Color: armColor(arm), ItemStyle: &opts.ItemStyle{Color: armColor(arm), Opacity: opts.Float(0.75)},
		Large: opts.Bool(true), LargeThreshold: 4000}
}

// zoom adds a slider; the wheel stays with the page.
func (p plot) zoom() {
	p.DataZoomList = []opts.DataZoom{{Type: "slider", Start: 0, End: 100, FilterMode: "none"}}
	p.GridList[0].Bottom = "98"
}

// usualRange is where values lie if they are not more than eight quartile
// ranges away from the middle half, and how many are.
func usualRange(xs []float64) (low, high float64, outside int) {
	if len(xs) == 0 {
		return 0, 0, 0
	}
	q := quartiles(xs)
	reach := 8 * (q[3] - q[1])
	low, high = max(q[0], q[1]-reach), min(q[4], q[3]+reach)
	for _, x := range xs {
		if x < low || x > high {
			outside++
		}
	}
	return low, high, outside
}

func outsideNote(outside, of int) string {
	if outside == 0 {
		return ""
	}
	return fmt.Sprintf(" %d of %d points lie far outside and are not in the picture.", outside, of)
}

func thinNote(step int) string {
	if step == 1 {
		return ""
	}
	return fmt.Sprintf(" Only one block in %d is drawn; all of them are counted.", step)
}

func round(x, p float64) float64 { return float64(int64(x*p+sign(x)*0.5)) / p }

func sign(x float64) float64 {
	if x < 0 {
		return -1
	}
	return 1
}
