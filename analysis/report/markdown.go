package report

import (
	"bufio"
	"fmt"
	"io"
	"reflect"

	"netab/analysis"
	"netab/analysis/escape"
)

// Markdown writes a summary for a CI job's page or a pull request: GitHub's
// dialect, nothing that needs scripts or images.
func Markdown(w io.Writer, s analysis.Summary) error {
	b := newMarkdown(w)
	b.printf("### %s\n\n", s.Question)
	if s.Answer != "" {
		b.printf("%s\n\n", s.Answer)
	}
	b.table(newVerdictTable(s))
	for i, c := range otherJudged(s) {
		if i == 0 {
			b.printf("\n")
		}
		b.printf("- %s, %s: %s: %s **%s**\n", c.Arm, lowerFirst(infoOf(c.Metric).title),
			otherText(s, &c), verdictSymbol(c.Verdict), verdictWords(&c))
	}
	if rows := besideRows(s); len(rows) > 0 {
		b.printf("\nTraffic beside:\n\n")
		b.lines(besideColumns(rows), len(rows))
	}
	b.printf("\n%s Run %s, seed %d.\n", basis(s), code(s.Run), s.Seed)
	if s.History != nil {
		b.printf("\n%s\n", s.History.Text)
	}
	for _, text := range interactionTexts(s) {
		b.printf("\n%s\n", text)
	}
	for _, m := range modeTexts(s) {
		b.printf("\n**%s**: %s\n", m.arm, m.text)
	}
	for i, r := range eventRows(s) {
		if i == 0 {
			b.printf("\nWhat else happened:\n\n")
		}
		b.printf("- %s\n", r.text())
	}
	b.confounders(s.Confounders)
	if ws := shownWarnings(s); len(ws) > 0 {
		b.printf("\n")
		for _, w := range ws {
			mark := markup("⚠")
			if w.Code.Serious() {
				mark = "⚠ **Attention:**"
			}
			b.printf("- %s %s (%s)\n", mark, w.Text, code(string(w.Code)))
		}
	}
	for i, a := range s.Advice {
		if i == 0 {
			b.printf("\nWhat would help:\n\n")
		}
		b.printf("- %s\n", a.String())
	}
	return b.Flush()
}

// A markdown writes GitHub's dialect. What is printed is text and shown as it is,
// unless it is said to be markup.
type markdown struct{ *bufio.Writer }

func newMarkdown(w io.Writer) markdown { return markdown{bufio.NewWriter(w)} }

// A markup is Markdown of our own.
type markup string

// code is a text in a fixed font.
func code(s string) markup { return markup(escape.Code(s)) }

// printf escapes every text among args.
func (b markdown) printf(format string, args ...any) {
	for i, arg := range args {
		switch v := reflect.ValueOf(arg); {
		case v.Type() == reflect.TypeFor[markup]():
		case v.Kind() == reflect.String:
			args[i] = escape.Markdown(v.String())
		}
	}
	fmt.Fprintf(b.Writer, format, args...)
}

func (b markdown) table(v verdictTable) {
	if len(v.rows) == 0 {
		b.printf("No trial was completed: there is nothing to judge.\n")
		return
	}
	b.lines(v.columns(), len(v.rows))
}

func (b markdown) lines(cols []column, rows int) {
	b.printf("|")
	for _, c := range cols {
		b.printf(" %s |", c.group+" "+c.head)
	}
	b.printf("\n|")
	for _, c := range cols {
		rule := markup(" ---: |")
		if c.left {
			rule = " --- |"
		}
		b.printf("%s", rule)
	}
	for r := range rows {
		b.printf("\n|")
		for _, c := range cols {
			b.printf(" %s |", c.cells[r])
		}
	}
	b.printf("\n")
}

func (b markdown) confounders(cs []analysis.Confounder) {
	if len(cs) == 0 {
		return
	}
	b.printf("\nWhat else differs:\n\n| | A | B | |\n| --- | --- | --- | --- |\n")
	for _, c := range cs {
		mark := markup("")
		if c.Blocking {
			mark = "**not comparable**"
		} else if c.Declared {
			mark = "meant to differ"
		}
		b.printf("| %s | %s | %s | %s |\n", c.Name, c.A, c.B, mark)
	}
}
