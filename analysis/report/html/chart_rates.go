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
	"netab/analysis/record"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/results"
	"netab/results/vocab"
)

// A step is what an arm of a rate ladder did with the rate that it was offered.
type step struct {
	arm                       int
	offered, achieved, missed float64 // per second, per second, share
}

// A ladder is the steps of arms that differ in rate alone, by rising rate.
type ladder struct {
	name  string
	steps []step
}

// ladders groups the arms with a rate of their own by the levels of all other
// factors; nil where no group has three rates.
func ladders(d runData) []ladder {
	var all []ladder
	for i, a := range d.run.Header.Design.Arms {
		s, ok := stepOf(d.rec, i)
		if !ok {
			continue
		}
		name := report.LevelNames(slices.DeleteFunc(slices.Clone(a.Levels), func(l results.FactorLevel) bool { return strings.HasSuffix(l.Factor, "rate") }))
		if name == "" {
			name = "all arms"
		}
		at := slices.IndexFunc(all, func(l ladder) bool { return l.name == name })
		if at < 0 {
			at = len(all)
			all = append(all, ladder{name: name})
		}
		all[at].steps = append(all[at].steps, s)
	}
	rungs := 0
	for _, l := range all {
		slices.SortFunc(l.steps, func(a, b step) int { return int(math.Copysign(1, a.offered-b.offered)) })
		rungs = max(rungs, len(l.steps))
	}
	if rungs < 3 {
		return nil
	}
	return all
}

// stepOf adds up an arm's valid trials.
func stepOf(r *record.Record, arm int) (step, bool) {
	a := r.Design.Arms[arm]
	if a.Rate <= 0 || a.LossFree != nil {
		return step{}, false
	}
	var sum record.Totals
	for _, t := range r.Valid() {
		sum = sum.Plus(t.Arm(arm).Totals())
	}
	if sum.CountedNS <= 0 {
		return step{}, false
	}
	sent, done := float64(sum.TxMsgs), float64(sum.RxMsgs)
	switch {
	case a.Kind.Answers():
		done = float64(sum.Transactions)
	case a.Kind == vocab.Multicast:
		done /= float64(max(1, a.Flows))
	case a.Protocol != vocab.UDP && a.Protocol != vocab.UnixDgram && a.Kind != vocab.Conn && a.Message > 0:
		done = float64(sum.RxBytes) / float64(a.Message) // a receive call returns what it likes
	}
	s := step{arm: arm, offered: a.Rate, achieved: 1e9 * done / float64(sum.CountedNS)}
	if sent > 0 {
		s.missed = max(0, 1-done/sent)
	}
	return s, true
}

// ladderCharts draw what was achieved and what was lost over what was offered.
func ladderCharts(id func(string) string, d runData) ([]chart, error) {
	ls := ladders(d)
	if ls == nil {
		return nil, nil
	}
	achieved, err := ladderChart(id("achieved"), ls, d, "Achieved over offered rate", "Achieved",
		"The dashed line is where all that was offered arrived.", func(s step) float64 { return s.achieved })
	if err != nil {
		return nil, err
	}
	lost, err := ladderChart(id("ladder-loss"), ls, d, "Loss over offered rate", "",
		"Messages sent and not received in the counted parts.", func(s step) float64 { return s.missed })
	return []chart{achieved, lost}, err
}

func ladderChart(id string, ls []ladder, d runData, title, what, note string, value func(step) float64) (chart, error) {
	var offered, shown []float64
	for _, l := range ls {
		for _, s := range l.steps {
			offered, shown = append(offered, s.offered), append(shown, value(s))
		}
	}
	xs := figure.SIScale("/s", offered, nil)
	ys := figure.InfoOf(figure.Loss).Scale("", shown, nil)
	if what != "" {
		ys = figure.SIScale("/s", append(shown, offered...), nil)
	}
	x, y := valueX(fmt.Sprintf("Offered (%s)", xs.Unit)), valueY(fmt.Sprintf("%s (%s)", orLoss(what), ys.Unit))
	if low, high := figure.Smallest(offered), figure.Largest(offered); high >= figure.Span*low {
		x = logarithmicX(x)
		x.Name += ", logarithmic"
		if what != "" && figure.Smallest(shown) > 0 && slices.Min(shown) > 0 {
			y = logarithmicY(y)
			y.Name += ", logarithmic"
		}
	}
	if y.Type != "log" {
		y.Scale = nil
	}
	p := newPlot(x, y)
	var names, alt []string
	for i, l := range ls {
		rows := []row{}
		for _, s := range l.steps {
			v := value(s)
			rows = append(rows, row{s.offered / xs.Div, v / ys.Div, fmt.Sprintf("%s: %s offered, %s achieved, %s lost", d.arms[s.arm],
				figure.SIScale("/s", []float64{s.offered}, nil).With(s.offered), figure.SIScale("/s", []float64{s.achieved}, nil).With(s.achieved), prose.ShortPercent(round(s.missed, 1e6)))})
		}
		names = append(names, l.name)
		last := l.steps[len(l.steps)-1]
		alt = append(alt, fmt.Sprintf("%s: %s of %s at the highest", l.name, prose.Short(value(last)/ys.Div), ys.Unit))
		p.series(lineSeries(l.name, i, rows))
	}
	if what != "" {
		low, high := figure.Smallest(offered), figure.Largest(offered)
		ideal := lineSeries("offered", 0, []row{{low / xs.Div, low / ys.Div, "offered"}, {high / xs.Div, high / ys.Div, "offered"}})
		ideal.Symbol, ideal.ItemStyle, ideal.LineStyle = "none", &opts.ItemStyle{Color: "--muted"}, &opts.LineStyle{Color: "--muted", Type: "dashed", Width: 1}
		p.series(ideal)
		names = append(names, "offered")
	}
	p.legend(names)
	return p.finish(chart{ID: id, Title: title, Height: 340, Note: note, Alt: title + ". " + strings.Join(alt, "; ") + "."})
}

func orLoss(what string) string {
	if what == "" {
		return "Loss"
	}
	return what
}

// lineSeries draws rows of x, y and tooltip.
func lineSeries(name string, color int, rows []row) charts.SingleSeries {
	return charts.SingleSeries{Name: name, Type: types.ChartLine, Data: rows, Symbol: armSymbol(color), SymbolSize: 7,
		ItemStyle: &opts.ItemStyle{Color: armColor(color)}, LineStyle: &opts.LineStyle{Color: armColor(color), Width: 2}, Encode: &opts.Encode{X: 0, Y: 1}}
}

// searchChart draws each slice of a search for the loss-free rate, its loss
// over the rate that was sent. ok is false where no arm searched.
func searchChart(id string, d runData, s analysis.Summary) (c chart, ok bool, err error) {
	var rates []float64
	byArm := make([][]row, len(d.arms))
	for _, t := range d.rec.Valid() {
		for arm := range d.arms {
			for _, sl := range t.Arm(arm).Counted {
				if !(sl.Rate > 0) || sl.TxMsgs <= 0 {
					continue
				}
				rate := min(sl.Rate, 1e9*float64(sl.TxMsgs)/float64(sl.CountedNS))
				due := float64(sl.TxMsgs)
				if record.KindOf(d.rec.Design, arm) == vocab.Multicast {
					due *= float64(max(1, d.rec.Design.Arms[arm].Flows))
				}
				lost := 100 * max(0, 1-float64(sl.RxMsgs)/due)
				rates = append(rates, rate)
				byArm[arm] = append(byArm[arm], row{rate, round(lost, 1e4), fmt.Sprintf("%s, trial %d, block %d: %s, %s %% lost", d.arms[arm], t.Index, sl.Block,
					figure.SIScale("/s", []float64{rate}, nil).With(rate), prose.Short(lost))})
			}
		}
	}
	if len(rates) == 0 {
		return chart{}, false, nil
	}
	sc := figure.SIScale("/s", rates, nil)
	x, y := logarithmicX(valueX(fmt.Sprintf("Rate (%s, logarithmic)", sc.Unit))), valueY("Loss (%)")
	x.Min, x.Max = floor2(figure.Smallest(rates)/sc.Div), ceil2(figure.Largest(rates)/sc.Div)
	y.Scale = nil
	p := newPlot(x, y)
	var names, alt []string
	for arm, rows := range byArm {
		if rows == nil {
			continue
		}
		for _, r := range rows {
			r[0] = r[0].(float64) / sc.Div
		}
		series := points2D(d.arms[arm], arm, rows)
		series.Large = nil // large scatters have no tooltips of their own
		if l, ok := levelOfArm(s, arm); ok {
			series.MarkLines = &opts.MarkLines{Data: []any{map[string]any{"xAxis": l.Mean / sc.Div}},
				MarkLineStyle: opts.MarkLineStyle{Symbol: []string{"none", "none"}, Label: &opts.Label{Show: opts.Bool(false)},
					LineStyle: &opts.LineStyle{Color: armColor(arm), Type: "solid", Width: 2}}}
			alt = append(alt, fmt.Sprintf("%s: loss-free up to %s", d.arms[arm], sc.With(l.Mean)))
		}
		p.series(series)
		names = append(names, d.arms[arm])
	}
	p.legend(names)
	c, err = p.finish(chart{ID: id, Title: "Loss of every slice of the search", Height: 340, Wide: true,
		Note: "The line is the loss-free rate: where half the slices lose more than is allowed.",
		Alt:  "Loss of slices over their rate. " + strings.Join(alt, "; ") + "."})
	return c, true, err
}

// floor2 and ceil2 round to two significant digits, for the ends of a log axis
// that need not be powers of ten.
func floor2(x float64) float64 {
	p := math.Pow10(1 - prose.Magnitude(x))
	return math.Floor(x*p) / p
}

func ceil2(x float64) float64 {
	p := math.Pow10(1 - prose.Magnitude(x))
	return math.Ceil(x*p) / p
}

func levelOfArm(s analysis.Summary, arm int) (analysis.Level, bool) {
	if arm >= len(s.Arms) {
		return analysis.Level{}, false
	}
	l, ok := s.Arms[arm].Metrics[figure.LossFreeRate]
	return l, ok
}
