package report

import (
	"fmt"
	"strings"

	"netab/analysis"
	"netab/analysis/escape"
)

func (t *terminal) table(v verdictTable) {
	if len(v.rows) == 0 {
		t.blank()
		t.paragraph("No trial was completed: there is nothing to judge.")
		return
	}
	changes := make([]*analysis.Comparison, len(v.rows))
	for i, r := range v.rows {
		changes[i] = r.change
	}
	t.lines(v.columns(), changes)
}

// lines writes columns as a table; changes are those of the rows, for the
// colour of their verdicts.
func (t *terminal) lines(cols []column, changes []*analysis.Comparison) {
	for _, c := range cols {
		for i, cell := range c.cells {
			c.cells[i] = escape.Visible(cell)
		}
	}
	cols = fit(cols, t.width)
	t.blank()
	t.groupLine(cols)
	t.headLine(cols)
	for i, c := range changes {
		t.row(cols, i, c)
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
		for j < len(cols) && cols[j].group == cols[i].group && cols[i].group != "" {
			width += gap + cols[j].width()
			j++
		}
		line.WriteString(strings.Repeat(" ", gap) + center(cols[i].group, width))
		i = j
	}
	if s := strings.TrimRight(line.String(), " "); s != "" {
		fmt.Fprintln(t.b, t.dim(s))
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
		parts = append(parts, pad(c.head, width, c.left))
	}
	fmt.Fprintln(t.b, t.dim(strings.TrimRight(strings.Join(parts, strings.Repeat(" ", gap)), " ")))
}

func (t *terminal) row(cols []column, i int, change *analysis.Comparison) {
	var parts []string
	below := ""
	for j, c := range cols {
		text, width := c.cells[i], c.width()
		if c.below {
			if word := strings.TrimSpace(text); word != "" {
				below = word
				if change != nil {
					below = t.verdict(change.Verdict, word)
				}
			}
			continue
		}
		if j == 0 {
			width = nameColumn(c)
			if name, long := strings.CutSuffix(text, "\n"); long {
				t.name(name)
				text = ""
			}
		}
		text = pad(plainBlanks.Replace(text), width, c.left)
		if c.head == "verdict" && change != nil {
			word := strings.TrimRight(text, " ")
			text = t.verdict(change.Verdict, word) + text[len(word):]
		}
		parts = append(parts, text)
	}
	fmt.Fprintln(t.b, strings.TrimRight(strings.Join(parts, strings.Repeat(" ", gap)), " "))
	if below != "" {
		t.wrapFrom("    ", below, "      ")
	}
}

// name writes a name that stands on lines of its own.
func (t *terminal) name(name string) {
	for rest := []rune(name); len(rest) > 0; {
		n := min(len(rest), t.width)
		fmt.Fprintln(t.b, string(rest[:n]))
		rest = rest[n:]
	}
}

// plainBlanks are enough where all characters have one width.
var plainBlanks = strings.NewReplacer(figureSpace, " ", pointSpace, " ")
