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
	"netab/analysis/report/figure"
)

// sweepHeats are the effects of each factor as a heat map: its levels from
// left to right, the combinations of the other factors from top to bottom.
func sweepHeats(id func(string) string, s *analysis.Sweep) ([]chart, error) {
	if s == nil {
		return nil, nil
	}
	var out []chart
	for i, f := range s.Factors {
		c, err := sweepHeat(id(fmt.Sprintf("factor%d", i)), s, f)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func sweepHeat(id string, s *analysis.Sweep, f analysis.FactorEffect) (chart, error) {
	var levels, within, alt []string
	for _, c := range f.Cells {
		if !slices.Contains(levels, c.Level) {
			levels = append(levels, c.Level)
		}
		if w := report.LevelNames(c.Within); !slices.Contains(within, w) {
			within = append(within, w)
		}
	}
	sc := report.SweepScale(s)
	cells, top := make([]opts.HeatMapData, 0, len(f.Cells)), 0.0
	for _, c := range f.Cells {
		shown := sc.Signed(c.Change)
		tip := fmt.Sprintf("%s=%s against %s, %s: %s %s (%s)", f.Factor, c.Level, f.Base, report.LevelNames(c.Within), shown, sc.Unit, figure.Interval(sc, c.Lo, c.Hi))
		if c.Adjusted != nil {
			tip += fmt.Sprintf(", p adjusted for all cells %.2g", *c.Adjusted)
		}
		if c.Across {
			tip += ", of two shards by the baseline of each"
		}
		if !c.Discovered {
			shown = "(" + shown + ")"
		}
		alt = append(alt, tip)
		top = max(top, c.Change/sc.Div, -c.Change/sc.Div)
		cells = append(cells, opts.HeatMapData{Value: row{indexOf(levels, c.Level), indexOf(within, report.LevelNames(c.Within)), c.Change / sc.Div, shown, tip}})
	}
	p := newPlot(categoryX(f.Factor+", against "+f.Base, levels), categoryY("", within))
	p.grid("30")
	p.VisualMapList = []opts.VisualMap{{Type: "continuous", Min: float32(-top), Max: float32(top), Show: opts.Bool(false), Dimension: "2",
		InRange: &opts.VisualMapInRange{Color: []string{"--heat-0", "--heat-1", "--heat-2"}}}}
	title := figure.InfoOf(s.Metric).Title
	p.series(charts.SingleSeries{Name: title, Type: types.ChartHeatMap, Data: cells,
		Label: &opts.Label{Show: opts.Bool(true), Formatter: "@cell"}})
	return p.finish(chart{ID: id, Title: fmt.Sprintf("What %s does to %s (%s)", f.Factor, prose.Lower(title), sc.Unit), Height: 110 + 40*len(within), Wide: true,
		Note: fmt.Sprintf("Each cell is an effect within one combination of the other factors. In parentheses: not to be told from chance, where of all that is not, at most %s may be false.", prose.ShortPercent(s.Rate)),
		Alt:  strings.Join(alt, ". ") + "."})
}
