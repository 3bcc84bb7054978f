package report

import (
	"strings"

	"netab/analysis"
	"netab/analysis/escape"
)

// A column is one column of the terminal's table before it is laid out.
type column struct {
	group, head string
	cells       []string
	left        bool
	rank        int // columns of the highest rank are left out first
	// spare columns are left out too, the highest first, where the table is still
	// too wide when every name stands on a line of its own.
	spare int
	least int  // width that the heading of its group needs
	below bool // stands on a line of its own, below the others
}

func (c column) width() int {
	width := max(textWidth(c.head), c.least)
	for _, cell := range c.cells {
		width = max(width, textWidth(cell))
	}
	return width
}

// underGroups widens the last column of a group whose heading is longer than
// its columns.
func underGroups(cols []column) []column {
	out := append([]column(nil), cols...)
	for i := 1; i < len(out); {
		width, j := out[i].width(), i+1
		for j < len(out) && out[j].group == out[i].group && out[i].group != "" {
			width += gap + out[j].width()
			j++
		}
		if short := textWidth(out[i].group) - width; short > 0 {
			out[j-1].least = out[j-1].width() + short
		}
		i = j
	}
	return out
}

// columns lays a verdict table out as text, most important first by rank.
func (v verdictTable) columns() []column {
	names := column{head: v.names, left: true}
	level := column{group: strings.ToLower(v.headline.title), head: v.level.unit, spare: 2}
	half := column{group: level.group, head: "±", rank: 4}
	change := column{group: "change", head: v.change.unit}
	interval := column{group: "change", head: "interval", spare: 1}
	verdict := column{head: "verdict", left: true}
	for _, r := range v.rows {
		names.cells = append(names.cells, escape.Visible(r.name))
		level.cells = append(level.cells, cell(r.level, func(l *analysis.Level) string { return v.level.format(l.Mean) }))
		half.cells = append(half.cells, cell(r.level, v.half))
		change.cells = append(change.cells, cell(r.change, v.changeText))
		interval.cells = append(interval.cells, cell(r.change, v.interval))
		verdict.cells = append(verdict.cells, r.verdict(v.baselines))
	}
	cols := []column{names, level, half}
	if v.compares {
		cols = append(cols, change, interval, verdict)
	}
	for i, side := range v.side {
		cols = append(cols, v.sideText(i, side))
	}
	return cols
}

func (v verdictTable) sideText(i int, side sideColumn) column {
	c := column{group: side.group, head: side.unit, rank: sideRank(side.name)}
	switch {
	case side.role != "":
		c.head = side.role
	case side.quantity == share:
		c.head = strings.ToLower(side.title)
	}
	for _, r := range v.rows {
		c.cells = append(c.cells, cell(r.side[i], func(l *analysis.Level) string {
			if side.quantity == share {
				return side.with(l.Mean)
			}
			return side.format(l.Mean)
		}))
	}
	return c
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

func (r verdictRow) verdict(baselines int) string {
	switch {
	case r.change != nil && baselines > 1:
		return verdictSymbol(r.change.Verdict) + " " + verdictWords(r.change) + " vs " + escape.Visible(r.change.Baseline)
	case r.change != nil:
		return verdictSymbol(r.change.Verdict) + " " + verdictWords(r.change)
	case r.baseline:
		return "  baseline"
	}
	return ""
}

func cell[T any](v *T, text func(*T) string) string {
	if v == nil {
		return ""
	}
	return text(v)
}

// fit drops columns by rank until the table is narrow enough. Then names are
// moved out of the way, the last column goes below the others, and spare
// columns are dropped.
func fit(cols []column, width int) []column {
	cols = dropUntil(cols, func(c column) int { return c.rank }, func(cols []column) bool { return tableWidth(underGroups(cols)) <= width })
	narrow := func(cols []column) bool { return othersWidth(underGroups(cols)) <= width }
	if last := len(cols) - 1; !narrow(cols) && last > 0 && cols[last].left {
		cols = append([]column(nil), cols...)
		cols[last].below = true
	}
	cols = dropUntil(cols, func(c column) int { return c.spare }, narrow)
	return narrowNames(underGroups(cols), width)
}

// dropUntil leaves out columns, those of the highest rank first, until there
// are few enough.
func dropUntil(cols []column, rank func(column) int, enough func([]column) bool) []column {
	for !enough(cols) {
		worst := -1
		for i, c := range cols {
			if rank(c) > 0 && (worst < 0 || rank(c) >= rank(cols[worst])) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		cols = append(cols[:worst:worst], cols[worst+1:]...)
	}
	return cols
}

// othersWidth is that of a table whose names all stand on lines of their own.
func othersWidth(cols []column) int {
	return tableWidth(cols) - min(cols[0].width(), nameWidth) + leastName
}

// leastName is the heading of a column of names, "Arm".
const leastName = 3

const gap = 2

func tableWidth(cols []column) int {
	width := -gap
	for i, c := range cols {
		if c.below {
			continue
		}
		width += gap + c.width()
		if i == 0 && c.width() > nameWidth {
			width -= c.width() - nameWidth
		}
	}
	return width
}

// nameWidth is what arm names may claim before other columns go: a longer
// name stands on a line of its own, because a shortened one could be taken
// for another arm.
const nameWidth = 22

func narrowNames(cols []column, width int) []column {
	room := max(width-tableWidth(cols)+min(cols[0].width(), nameWidth), leastName)
	if cols[0].width() <= room {
		return cols
	}
	out := append([]column(nil), cols...)
	out[0].cells = append([]string(nil), cols[0].cells...)
	for i, name := range out[0].cells {
		if textWidth(name) > room {
			out[0].cells[i] = name + "\n"
		}
	}
	if textWidth(out[0].head) > room {
		out[0].head = "Arm"
	}
	return out
}

// nameColumn is the width of the first column, not counting names that stand
// on a line of their own.
func nameColumn(c column) int {
	width := textWidth(c.head)
	for _, name := range c.cells {
		if !strings.HasSuffix(name, "\n") {
			width = max(width, textWidth(name))
		}
	}
	return width
}
