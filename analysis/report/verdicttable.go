package report

import (
	"strings"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/report/figure"
)

// table lays a verdict table out, the columns that are missed most at rank 0.
func (v VerdictTable) table() page.Table {
	metric := strings.ToLower(v.Headline.Title)
	t := page.Table{Columns: []page.Column{
		{Head: v.Names, Left: true},
		{Group: metric, Head: v.Level.Unit, Spare: 2},
		{Group: metric, Head: "±", Rank: 4},
	}}
	if v.Compares {
		t.Columns = append(t.Columns, page.Column{Group: "change", Head: v.Change.Unit},
			page.Column{Group: "change", Head: "interval", Spare: 1}, page.Column{Head: "verdict", Left: true})
	}
	for _, side := range v.Side {
		t.Columns = append(t.Columns, side.column())
	}
	for _, r := range v.Rows {
		cells := []page.Cell{page.Text(r.Name), levelCell(r.Level, v.Level.Text), halfCell(r.Level, v.Half)}
		if v.Compares {
			cells = append(cells, changeCell(r.Change, figure.Of(r.Change, v.ChangeText)), intervalCell(r.Change, figure.Of(r.Change, v.Interval)), r.verdict(v.Baselines))
		}
		for i, side := range v.Side {
			cells = append(cells, levelCell(r.Side[i], side.text))
		}
		t.Row(cells...)
	}
	return t
}

func (c SideColumn) column() page.Column {
	out := page.Column{Group: c.group, Head: c.Unit, Rank: sideRank(c.Name)}
	switch {
	case c.role != "":
		out.Head = c.role
	case c.Quantity == analysis.Share:
		out.Head = strings.ToLower(c.Title)
	}
	return out
}

// text writes a share with its unit, which the heading of CPUs has no room for.
func (c SideColumn) text(x float64) string {
	if c.Quantity == analysis.Share {
		return c.With(x)
	}
	return c.Text(x)
}

// sideRank says what is missed least on a narrow terminal.
func sideRank(metric string) int {
	switch metric {
	case figure.NSTransSource, figure.NSTransSink:
		return 8
	case figure.LatencyP50:
		return 3
	case figure.LatencyP99:
		return 1
	case figure.LatencyMax:
		return 7
	case figure.NSByteSource, figure.NSPacketSource:
		return 6
	case figure.NSByteSink, figure.NSPacketSink:
		return 3
	case figure.CPUSource, figure.CPUSink:
		return 5
	}
	return 2
}

func levelCell(l *analysis.Level, text func(float64) string) page.Cell {
	if l == nil {
		return page.Cell{}
	}
	if l.Unit == "fraction" {
		return page.ShareOf(text(l.Mean), l.Mean)
	}
	return page.NumberOf(text(l.Mean), l.Mean, l.Unit)
}

func halfCell(l *analysis.Level, text func(*analysis.Level) string) page.Cell {
	if l == nil || l.N < 2 {
		return page.Cell{}
	}
	return page.NumberOf(text(l), figure.HalfWidth(*l), l.Unit)
}

// changeCell is empty where nothing can be said of the change.
func changeCell(c *analysis.Comparison, text string) page.Cell {
	switch {
	case text == "":
		return page.Cell{}
	case c.Difference:
		return page.NumberOf(text, c.Change, c.Unit)
	}
	return page.ShareOf(text, c.Change)
}

// intervalCell is empty where there is none; its unit is "" where it is of shares.
func intervalCell(c *analysis.Comparison, text string) page.Cell {
	switch {
	case text == "":
		return page.Cell{}
	case c.Difference:
		return page.IntervalOf(text, c.Lo, c.Hi, c.Unit)
	}
	return page.IntervalOf(text, c.Lo, c.Hi, "")
}

func (r VerdictRow) verdict(baselines int) page.Cell {
	switch c := r.Change; {
	case c != nil && baselines > 1:
		return page.VerdictOf(symbolWords(c)+" vs "+c.Baseline, c.Verdict)
	case c != nil:
		return page.VerdictOf(symbolWords(c), c.Verdict)
	case r.Baseline:
		return page.Text("  baseline")
	}
	return page.Cell{}
}

func symbolWords(c *analysis.Comparison) string {
	return page.VerdictSymbol(c.Verdict) + " " + VerdictWords(c)
}
