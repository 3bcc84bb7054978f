package export

import (
	"strings"

	"netab/analysis/page"
)

// table writes a table as wide as there is room.
func (t *terminal) table(of page.Table) {
	cols := fit(layout(of), t.width)
	t.groupLine(cols)
	t.headLine(cols)
	for i := range of.Rows {
		t.row(cols, i)
	}
}

func (t *terminal) groupLine(cols []column) {
	var line strings.Builder
	line.WriteString(strings.Repeat(" ", nameColumn(cols[0])))
	for i := 1; i < len(cols); {
		if cols[i].below {
			break // always the last
		}
		width, j := cols[i].width(), i+1
		for j < len(cols) && cols[j].Group == cols[i].Group && cols[i].Group != "" {
			width += gap + cols[j].width()
			j++
		}
		line.WriteString(strings.Repeat(" ", gap) + center(cols[i].Group, width))
		i = j
	}
	if s := strings.TrimRight(line.String(), " "); s != "" {
		t.line(t.dim(s))
	}
}

func (t *terminal) headLine(cols []column) {
	var parts []string
	for i, c := range cols {
		if c.below {
			continue // its cells speak for themselves
		}
		width := c.width()
		if i == 0 {
			width = nameColumn(c)
		}
		parts = append(parts, pad(c.Head, width, c.Left))
	}
	t.line(t.dim(strings.TrimRight(strings.Join(parts, strings.Repeat(" ", gap)), " ")))
}

func (t *terminal) row(cols []column, i int) {
	var parts []string
	below := ""
	for j, c := range cols {
		text, width := c.cells[i], c.width()
		if c.below {
			below = t.verdict(c.says[i], strings.TrimSpace(text))
			continue
		}
		if j == 0 {
			width = nameColumn(c)
			if name, long := strings.CutSuffix(text, "\n"); long {
				t.name(name)
				text = ""
			}
		}
		text = pad(plainBlanks.Replace(text), width, c.Left)
		word := strings.TrimRight(text, " ")
		parts = append(parts, t.verdict(c.says[i], word)+text[len(word):])
	}
	t.line(strings.TrimRight(strings.Join(parts, strings.Repeat(" ", gap)), " "))
	if below != "" {
		t.wrapFrom("    ", below, "      ")
	}
}

// name writes a name that stands on lines of its own.
func (t *terminal) name(name string) {
	for rest := []rune(name); len(rest) > 0; {
		n := min(len(rest), t.width)
		t.line(string(rest[:n]))
		rest = rest[n:]
	}
}

// plainBlanks are enough where all characters have one width: for those as wide
// as a digit and as a decimal point.
var plainBlanks = strings.NewReplacer("\u2007", " ", "\u2008", " ")
