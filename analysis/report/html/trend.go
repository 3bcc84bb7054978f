package html

import (
	"fmt"
	"io"
	"io/fs"
	"strings"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/analysis/trend"
)

// A trendPage is a history, ready for page/trend.html.tmpl.
type trendPage struct {
	frame
	Answer string
	Rows   []trendRow
	Parts  []trendPart
	Unused string
	Rules  string
}

// A trendRow is one series in the table on top.
type trendRow struct {
	ID, Name, Runs, Level, Newest, Verdict, Symbol, Words string
}

// A trendPart is the section of one series.
type trendPart struct {
	ID, Name, Text, Hint string
	Context              string
	Charts               []chart
	Changes              []trendChange
	Warnings             []string
	Points               []trendPoint
	Left                 string // how many points the table leaves out
}

type trendChange struct {
	When, Run, Kernels, Before, After, Change, Interval, P, Verdict, Symbol string
	Differs                                                                 []analysis.Confounder
	More                                                                    int
}

type trendPoint struct{ Run, When, Kernel, Value string }

// Trend writes a history as one self-contained page, as Runs does a run.
func Trend(w io.Writer, h trend.History) error { return writeTrend(w, h, assetFiles) }

func writeTrend(w io.Writer, h trend.History, assets fs.FS) error {
	echarts, err := chartLibrary(assets)
	if err != nil {
		return err
	}
	p, err := newTrendPage(h)
	if err != nil {
		return err
	}
	if err := p.embed(echarts); err != nil {
		return err
	}
	return execute(w, "trend.html.tmpl", p)
}

func newTrendPage(h trend.History) (*trendPage, error) {
	p := &trendPage{frame: frame{Title: "netab: trend"}, Answer: h.Answer,
		Rules: fmt.Sprintf("Change points: E-divisive means (Matteson and James 2014) in windows of %d runs, p ≤ %s from %d permutations that repeat the whole search, at least %d runs a level, and no smaller than the resolution. The newest runs are held against a prediction interval of the present level at the same p.",
			trend.Window, prose.Short(trend.MaxP), trend.Permutations, trend.MinSegment)}
	if len(h.Unused) > 0 {
		p.Unused = report.UnusedText(h)
	}
	names := report.TrendNames(h)
	for i := range h.Series {
		s := &h.Series[i]
		sc := report.TrendScale(s)
		id := fmt.Sprintf("s%d", i+1)
		p.Rows = append(p.Rows, trendRow{ID: id, Name: names[i], Runs: fmt.Sprint(len(s.Points)), Level: report.TrendCell(s, sc, s.Level).Text,
			Newest: report.TrendCell(s, sc, s.Newest).Text, Verdict: trendClass(s), Symbol: report.TrendSymbol(s), Words: report.TrendWords(s)})
		part, err := newTrendPart(id, names[i], s, sc)
		if err != nil {
			return nil, err
		}
		p.Parts = append(p.Parts, part)
	}
	return p, nil
}

// trendClass is the verdict whose colour the page uses.
func trendClass(s *trend.Series) string {
	switch {
	case s.State == trend.Suspect || s.State == trend.TooShort || s.Outcome == gate.Acknowledged:
		return string(analysis.Inconclusive)
	case s.State == trend.Changed:
		return string(s.Verdict)
	}
	return string(analysis.Equivalent)
}

// maxListed bounds the tables of points and of what differs.
const (
	maxListed  = 200
	maxDiffers = 8
)

func newTrendPart(id, name string, s *trend.Series, sc figure.Scale) (trendPart, error) {
	part := trendPart{ID: id, Name: name, Text: s.Text, Hint: report.TrendHint(s)}
	context := []string{s.Scenario, s.Machine, s.Traffic, figure.InfoOf(s.Metric).Title, "resolution " + prose.ShortPercent(s.Resolution)}
	for i := len(context) - 1; i >= 0; i-- {
		if strings.TrimSpace(context[i]) == "" {
			context = append(context[:i], context[i+1:]...)
		}
	}
	part.Context = strings.Join(context, " · ")
	if len(s.Points) > 0 {
		c, err := trendChart(id+"-chart", name, s)
		if err != nil {
			return part, err
		}
		part.Charts = []chart{c}
	}
	for _, c := range s.Changes {
		part.Changes = append(part.Changes, trendChange{When: c.Started.UTC().Format("2006-01-02 15:04"), Run: c.Run, Kernels: kernels(c),
			Before: report.TrendValue(s, sc, c.From), After: report.TrendValue(s, sc, c.To), Change: trend.Percent(c.Change, s.Difference),
			Interval: trend.Percent(c.Lo, s.Difference) + " to " + trend.Percent(c.Hi, s.Difference), P: prose.Short(c.P),
			Verdict: string(c.Verdict), Symbol: page.VerdictSymbol(c.Verdict),
			Differs: c.Differs[:min(len(c.Differs), maxDiffers)], More: max(0, len(c.Differs)-maxDiffers)})
	}
	for _, w := range s.Warnings {
		part.Warnings = append(part.Warnings, w.Text)
	}
	for i := len(s.Points) - 1; i >= max(0, len(s.Points)-maxListed); i-- {
		pt := s.Points[i]
		part.Points = append(part.Points, trendPoint{pt.Run, pt.Started.UTC().Format("2006-01-02 15:04"), pt.Kernel, report.TrendValue(s, sc, pt.Value)})
	}
	if n := len(s.Points) - maxListed; n > 0 {
		part.Left = fmt.Sprintf("%d older ones are not listed; netab trend --csv has them all.", n)
	}
	return part, nil
}

func kernels(c trend.ChangePoint) string {
	if c.Before == c.After {
		return c.After + " (the same)"
	}
	return c.Before + " → " + c.After
}
