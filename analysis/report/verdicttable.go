package report

import (
	"strings"

	"netab/analysis"
	"netab/analysis/page"
)

// table lays a verdict table out, the columns that are missed most at rank 0.
func (v verdictTable) table() page.Table {
	metric := strings.ToLower(v.headline.title)
	t := page.Table{Columns: []page.Column{
		{Head: v.names, Left: true},
		{Group: metric, Head: v.level.unit, Spare: 2},
		{Group: metric, Head: "±", Rank: 4},
	}}
	if v.compares {
		t.Columns = append(t.Columns, page.Column{Group: "change", Head: v.change.unit},
			page.Column{Group: "change", Head: "interval", Spare: 1}, page.Column{Head: "verdict", Left: true})
	}
	for _, side := range v.side {
		t.Columns = append(t.Columns, side.column())
	}
	for _, r := range v.rows {
		cells := []page.Cell{page.Text(r.name), levelCell(r.level, v.level.format), halfCell(r.level, v.half)}
		if v.compares {
			cells = append(cells, changeCell(r.change, cell(r.change, v.changeText)), intervalCell(r.change, cell(r.change, v.interval)), r.verdict(v.baselines))
		}
		for i, side := range v.side {
			cells = append(cells, levelCell(r.side[i], side.text))
		}
		t.Row(cells...)
	}
	return t
}

func (c sideColumn) column() page.Column {
	out := page.Column{Group: c.group, Head: c.unit, Rank: sideRank(c.name)}
	switch {
	case c.role != "":
		out.Head = c.role
	case c.quantity == share:
		out.Head = strings.ToLower(c.title)
	}
	return out
}

// text writes a share with its unit, which the heading of CPUs has no room for.
func (c sideColumn) text(x float64) string {
	if c.quantity == share {
		return c.with(x)
	}
	return c.format(x)
}

// sideRank says what is missed least on a narrow terminal.
func sideRank(metric string) int {
	switch metric {
	case nsTransSource, nsTransSink:
		return 8
	case latencyP50:
		return 3
	case latencyP99:
		return 1
	case latencyMax:
		return 7
	case nsByteSource, nsPacketSource:
		return 6
	case nsByteSink, nsPacketSink:
		return 3
	case cpuSource, cpuSink:
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
	return page.NumberOf(text(l), halfWidth(*l), l.Unit)
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

func (r verdictRow) verdict(baselines int) page.Cell {
	switch c := r.change; {
	case c != nil && baselines > 1:
		return page.VerdictOf(symbolWords(c)+" vs "+c.Baseline, c.Verdict)
	case c != nil:
		return page.VerdictOf(symbolWords(c), c.Verdict)
	case r.baseline:
		return page.Text("  baseline")
	}
	return page.Cell{}
}

func symbolWords(c *analysis.Comparison) string {
	return page.VerdictSymbol(c.Verdict) + " " + verdictWords(c)
}

func cell[T any](v *T, text func(*T) string) string {
	if v == nil {
		return ""
	}
	return text(v)
}
