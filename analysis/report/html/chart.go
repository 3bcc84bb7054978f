package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"

	"netab/analysis/escape"
	"netab/analysis/report/labels"
)

// A chart is one figure of the page. Its options are data, never code: where
// ECharts wants a function, the option names one of page/report.js ("@tip"),
// and a colour is the name of a CSS property ("--arm-1"), so that a chart
// follows the page into dark mode and onto paper.
type chart struct {
	ID      string
	Title   string
	Note    string // how to read it
	Alt     string // what is to be seen, for those who cannot
	Height  int    // px
	Group   string // charts of one group zoom together
	Wide    bool
	Options template.JS
}

// A plot is a chart in the making: go-echarts' options for one cartesian grid.
type plot struct{ *charts.Custom }

// newPlot starts a chart with one x and one y axis. Titles, margins and
// fonts are the page's and the theme's.
func newPlot(x opts.XAxis, y opts.YAxis) plot {
	p := plot{charts.NewCustom()}
	p.Initialization.Theme = "netab" // else go-echarts adds its own colours
	p.Animation = opts.Bool(false)
	p.XAxisList[0], p.YAxisList[0] = x, y
	p.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item", Formatter: "@tip"}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}),
	)
	p.grid("14")
	return p
}

// legend shows the series' names above the grid.
func (p plot) legend(names []string) {
	p.SetGlobalOptions(charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Type: "scroll", Top: "0", Left: "0", ItemWidth: 16, ItemHeight: 10, Data: names}))
	p.grid("44")
}

// Letters that fit beside a chart, and into its legend on a telephone.
const (
	axisLetters   = 18
	belowLetters  = 14
	legendLetters = 26
)

// shortenLegend gives series and legend names that have room; what a tooltip
// says has the whole ones.
func (p plot) shortenLegend() {
	names, ok := p.Legend.Data.([]string)
	if !ok {
		return
	}
	short := labels.Short(names, legendLetters)
	of := map[string]string{}
	for i, name := range names {
		of[name] = short[i]
	}
	p.Legend.Data = short
	for i := range p.MultiSeries {
		if label, ok := of[p.MultiSeries[i].Name]; ok {
			p.MultiSeries[i].Name = label
		}
	}
}

// grid sets the margins; the top one leaves room for a legend. ECharts itself
// shrinks the grid until labels and titles of the axes fit.
func (p plot) grid(top string) {
	p.GridList = []opts.Grid{{Left: "2", Right: "18", Top: top, Bottom: "2"}}
}

func (p plot) series(s charts.SingleSeries) { p.MultiSeries = append(p.MultiSeries, s) }

// finish makes the chart; json.Marshal escapes <, > and &, and sorts maps. What
// json.Marshal writes as an escape the page would show as it is, so that is made
// visible here.
func (p plot) finish(c chart) (chart, error) {
	p.shortenLegend()
	data, err := json.Marshal(p.JSON())
	if err != nil {
		return chart{}, fmt.Errorf("report: chart %s: %w", c.ID, err)
	}
	c.Options = template.JS(shortNumbers(escape.JSONText(data)))
	return c, nil
}

// drawnDigits is what a chart has of each number: no screen shows more, and of many
// arms the rest would be a tenth of what the charts take.
const drawnDigits = 7

// shortNumbers rounds the fractions in a document of JSON to drawnDigits significant
// digits. What is whole, and what stands in a text, stays as it is.
func shortNumbers(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	for i := 0; i < len(doc); {
		end := i + 1
		switch c := doc[i]; {
		case c == '"':
			for end < len(doc) && doc[end] != '"' {
				if doc[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(doc))
		case c == '-' || c >= '0' && c <= '9':
			for end < len(doc) && strings.IndexByte("0123456789+-.eE", doc[end]) >= 0 {
				end++
			}
			if x, err := strconv.ParseFloat(string(doc[i:end]), 64); err == nil && end-i > drawnDigits && bytes.IndexByte(doc[i:end], '.') >= 0 {
				out = strconv.AppendFloat(out, x, 'g', drawnDigits, 64)
				i = end
			}
		}
		out = append(out, doc[i:end]...)
		i = end
	}
	return out
}

// Axes. Every axis has a title with its unit.

func valueX(title string) opts.XAxis {
	return opts.XAxis{Type: "value", Name: title, NameLocation: "middle", NameGap: 30, Scale: opts.Bool(true)}
}

func valueY(title string) opts.YAxis {
	return opts.YAxis{Type: "value", Name: title, NameLocation: "middle", NameGap: 46, Scale: opts.Bool(true)}
}

// logarithmicX and logarithmicY make a value axis fit for numbers that span decades.
func logarithmicX(x opts.XAxis) opts.XAxis { x.Type, x.Scale = "log", nil; return x }
func logarithmicY(y opts.YAxis) opts.YAxis { y.Type, y.Scale = "log", nil; return y }

// categoryY lists names from top to bottom.
func categoryY(title string, names []string) opts.YAxis {
	return opts.YAxis{Type: "category", Name: title, NameLocation: "start", NameGap: 10, Inverse: opts.Bool(true), Data: labels.Short(names, axisLetters),
		AxisLabel: &opts.AxisLabel{Show: opts.Bool(true), Width: 124, Overflow: "truncate"}}
}

func categoryX(title string, names []string) opts.XAxis {
	return opts.XAxis{Type: "category", Name: title, NameLocation: "middle", NameGap: 30, Data: labels.Short(names, belowLetters),
		AxisLabel: &opts.AxisLabel{Show: opts.Bool(true), Width: 90, Overflow: "truncate", HideOverlap: opts.Bool(true)}}
}

// Arms are told apart by colour and by symbol. Colours repeat after eight,
// each time with other symbols.
var armSymbols = []string{"circle", "triangle", "diamond", "rect", "roundRect", "pin", "arrow", "emptyCircle"}

func armColor(arm int) string  { return fmt.Sprintf("--arm-%d", arm%8) }
func armSymbol(arm int) string { return armSymbols[(arm+arm/8)%len(armSymbols)] }

// A row is one data item of a series: numbers first, then the text of its
// tooltip where it has one.
type row []any

// custom draws rows with one of the renderers of page/report.js.
func custom(name, renderer, color string, rows []row) charts.SingleSeries {
	return charts.SingleSeries{Name: name, Type: types.ChartCustom, RenderItem: types.FuncStr(renderer), Data: rows,
		ItemStyle: &opts.ItemStyle{Color: color}}
}
