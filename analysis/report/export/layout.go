package export

import (
	"strings"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/page"
)

// A column is one column of a terminal's table while it is laid out.
type column struct {
	page.Column
	cells []string
	says  []analysis.Verdict
	least int  // width that the heading of its group needs
	below bool // stands on a line of its own, below the others
}

// layout makes the columns of a table.
func layout(of page.Table) []column {
	cols := make([]column, len(of.Columns))
	for i, c := range of.Columns {
		cols[i].Column = c
		for _, row := range of.Rows {
			cols[i].cells = append(cols[i].cells, escape.Visible(row[i].Text))
			cols[i].says = append(cols[i].says, row[i].Says)
		}
	}
	return cols
}

func (c column) width() int {
	width := max(textWidth(c.Head), c.least)
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
		for j < len(out) && out[j].Group == out[i].Group && out[i].Group != "" {
			width += gap + out[j].width()
			j++
		}
		if short := textWidth(out[i].Group) - width; short > 0 {
			out[j-1].least = out[j-1].width() + short
		}
		i = j
	}
	return out
}

// fit drops columns by rank until the table is narrow enough. Then names are
// moved out of the way, the last column goes below the others, and spare
// columns are dropped.
func fit(cols []column, width int) []column {
	cols = dropUntil(cols, func(c column) int { return c.Rank }, func(cols []column) bool { return tableWidth(underGroups(cols)) <= width })
	narrow := func(cols []column) bool { return othersWidth(underGroups(cols)) <= width }
	if last := len(cols) - 1; !narrow(cols) && last > 0 && cols[last].Left {
		cols = append([]column(nil), cols...)
		cols[last].below = true
	}
	cols = dropUntil(cols, func(c column) int { return c.Spare }, narrow)
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
	if textWidth(out[0].Head) > room {
		out[0].Head = "Arm"
	}
	return out
}

// nameColumn is the width of the first column, not counting names that stand
// on a line of their own.
func nameColumn(c column) int {
	width := textWidth(c.Head)
	for _, name := range c.cells {
		if !strings.HasSuffix(name, "\n") {
			width = max(width, textWidth(name))
		}
	}
	return width
}
