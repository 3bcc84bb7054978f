package html

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/report/figure"
	"netab/results"
)

// latencyPoints for each ten times rarer a percentile.
const latencyPoints = 12

// A latencyCurve is the latency of an arm, or of one side of a comparison,
// merged over all its trials.
type latencyCurve struct {
	name, color, symbol string
	hist                *results.Histogram // nil = none was recorded
}

// latencyChart draws each arm's percentiles of one run.
func latencyChart(id string, d runData) (c chart, ok bool, err error) {
	var curves []latencyCurve
	for arm, name := range d.arms {
		curves = append(curves, latencyCurve{name, armColor(arm), armSymbol(arm), d.rec.Latency(arm, "")})
	}
	return percentileChart(chart{ID: id, Title: "Latency by percentile",
		Note: "All transactions of all trials together; both axes are logarithmic. Lines end at the longest that was seen; percentiles that so many transactions cannot show are left out."}, curves)
}

// percentileChart draws the percentiles of latencies. The rarer a percentile,
// the further right it is: each "nine" takes the same room, as the tail is what
// differs.
func percentileChart(c chart, curves []latencyCurve) (_ chart, ok bool, err error) {
	curves = slices.DeleteFunc(curves, func(l latencyCurve) bool { return l.hist == nil })
	if len(curves) == 0 {
		return chart{}, false, nil
	}
	var names, alt []string
	top, low, high := 0.0, math.Inf(1), 0.0
	for _, l := range curves {
		names = append(names, l.name)
		top = max(top, float64(l.hist.Count()))
		low, high = min(low, l.hist.Quantile(0)), max(high, l.hist.Quantile(1))
	}
	x := logarithmicX(valueX("Percentile"))
	x.Min, x.Max = 1, math.Pow(10, math.Ceil(math.Log10(max(top, 10))))
	x.AxisLabel = &opts.AxisLabel{Formatter: "@nines", HideOverlap: opts.Bool(true)}
	y := logarithmicY(valueY("Latency (µs, logarithmic)"))
	y.Min, y.Max = floor2(max(low, 1)/1e3), ceil2(max(high, 2)/1e3)
	p := newPlot(x, y)
	for _, l := range curves {
		p.series(charts.SingleSeries{Name: l.name, Type: types.ChartLine, Data: latencyRows(l.name, l.hist), Symbol: l.symbol, SymbolSize: 4,
			ItemStyle: &opts.ItemStyle{Color: l.color}, LineStyle: &opts.LineStyle{Color: l.color, Width: 2}, Encode: &opts.Encode{X: 0, Y: 1}})
		sc := figure.LatencyScale([]float64{l.hist.Quantile(1) / 1e3}, nil)
		text := l.name + ":"
		for _, p := range []struct {
			name string
			q    float64
		}{{"median", 0.5}, {"p99", 0.99}} {
			if record.Shows(l.hist, p.q) {
				text += fmt.Sprintf(" %s %s,", p.name, sc.With(l.hist.Quantile(p.q)/1e3))
			}
		}
		alt = append(alt, fmt.Sprintf("%s largest %s", text, sc.With(l.hist.Quantile(1)/1e3)))
	}
	p.legend(names)
	c.Height, c.Wide, c.Alt = 360, true, "Percentiles of latency. "+strings.Join(alt, "; ")+"."
	c, err = p.finish(c)
	return c, true, err
}

// latencyRows are a histogram's percentiles against how rare they are: one in
// so many transactions takes longer. Beyond what so many transactions can show
// there is only the longest.
func latencyRows(name string, h *results.Histogram) []row {
	var rows []row
	n := float64(h.Count())
	add := func(rare, ns float64, what string) {
		us := max(ns, 1) / 1e3 // a log axis has no place for 0
		rows = append(rows, row{round(rare, 1e4), us, fmt.Sprintf("%s, %s: %s", name, what, figure.LatencyScale([]float64{us}, nil).With(us))})
	}
	for i := 0; ; i++ {
		rare := math.Pow(10, float64(i)/latencyPoints)
		q := 1 - 1/rare
		if rare >= n || q > 0.5 && !record.Shows(h, q) {
			break
		}
		if !record.Shows(h, q) {
			continue
		}
		add(rare, h.Quantile(q), "p"+percentile(q))
	}
	add(max(n, 1), h.Quantile(1), "largest of "+prose.Grouped(h.Count()))
	return rows
}

// percentile writes 0.99 as 99 and 0.99937 as 99.94: two digits of what is left.
func percentile(q float64) string {
	left := 100 * (1 - q)
	if left <= 0 {
		return "100"
	}
	decimals := max(0, 1-prose.Magnitude(left))
	text := fmt.Sprintf("%.*f", decimals, 100*q)
	if decimals == 0 {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
