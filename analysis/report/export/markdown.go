package export

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"netab/analysis/escape"
	"netab/analysis/page"
)

// Markdown writes a page for a CI job's page, a pull request or docs/: GitHub's
// dialect, nothing that needs scripts or images.
func Markdown(w io.Writer, p *page.Page, _ Options) error {
	b := markdown{bufio.NewWriter(w)}
	b.page(p)
	for p = p.Below; p != nil; p = p.Below {
		b.printf("\n")
		b.page(p)
	}
	return b.Flush()
}

// A markdown writes GitHub's dialect. What is printed is text and shown as it is,
// unless it is said to be markup. Every part has an empty line before it.
type markdown struct{ *bufio.Writer }

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

func (b markdown) page(p *page.Page) {
	switch j := p.Judged; {
	case p.Made != "": // a document says its answer in its own order
		b.printf("<!-- Made by: %s -->\n# %s\n", markup(p.Made), marked(p.Title))
	case j != nil:
		b.printf("## %s %s: %s\n\n%s\n", page.OutcomeSymbol(j.Outcome), j.Of, page.OutcomeWords(j.Outcome), j.Sentence)
	default:
		b.printf("### %s\n", p.Title)
		if p.Answer != "" {
			b.printf("\n%s\n", p.Answer)
		}
	}
	for i := range p.Sections {
		b.section(&p.Sections[i])
	}
}

func (b markdown) section(s *page.Section) {
	if s.Title != "" {
		b.printf("\n## %s\n", marked(s.Title))
	}
	for _, text := range s.Explains {
		b.printf("\n%s\n", marked(text))
	}
	list(b, s.Terms, func(t page.Term) { b.printf("- *%s*: %s\n", marked(t.Name), marked(t.Text)) })
	for _, para := range s.Text {
		b.para(para)
	}
	if s.Lead != "" {
		b.printf("\n%s:\n", s.Lead)
	}
	b.table(s.Table)
	b.checks(s.Checks)
	if len(s.Issues) > 0 {
		b.printf("\nKnown issues:\n")
	}
	list(b, s.Issues, func(i page.Issue) { b.printf("- %s **%s** (%s): %s\n", i.Symbol(), i.State, i.Of, i.Text) })
	list(b, s.Findings, func(f page.Finding) { b.printf("- %s: %s **%s**\n", f.Text, page.VerdictSymbol(f.Says), f.Words) })
	b.differs(s.Differs)
	list(b, slices.Concat(s.Notes, s.Asides), func(note string) { b.printf("- %s\n", note) })
	list(b, s.Remarks, func(remark string) { b.printf("- %s\n", marked(remark)) })
	list(b, s.Advice, func(a string) { b.printf("- %s\n", a) })
	list(b, s.Warnings, b.warning)
}

// list writes items, an empty line before the first.
func list[T any](b markdown, items []T, write func(T)) {
	for i, item := range items {
		if i == 0 {
			b.printf("\n")
		}
		write(item)
	}
}

func (b markdown) para(p page.Para) {
	b.printf("\n")
	if p.Of != "" {
		b.printf("**%s**: ", p.Of)
	}
	b.printf("%s", p.Text)
	if p.From != nil {
		b.printf(" Run %s, seed %d.", code(p.From.Run), p.From.Seed)
	}
	b.printf("\n")
	if p.Hint != "" {
		b.printf("\nHint: %s\n", p.Hint)
	}
}

func (b markdown) table(t page.Table) {
	if len(t.Columns) == 0 {
		return
	}
	if t.Caption != "" {
		b.printf("\n%s:\n", t.Caption)
	}
	b.printf("\n|")
	for _, c := range t.Columns {
		b.printf(" %s |", c.Group+" "+c.Head)
	}
	b.printf("\n|")
	for _, c := range t.Columns {
		rule := markup(" ---: |")
		if c.Left {
			rule = " --- |"
		}
		b.printf("%s", rule)
	}
	for _, row := range t.Rows {
		b.printf("\n|")
		for _, c := range row {
			b.printf(" %s |", c.Text)
		}
	}
	b.printf("\n")
}

func (b markdown) checks(cs []page.Check) {
	if cs != nil {
		b.printf("\n")
	}
	for i, c := range cs {
		if i == 0 {
			b.printf("| | Arm | Metric | In plain words | How sure | Method |\n| --- | --- | --- | --- | --- | --- |\n")
		}
		b.printf("| %s %s | %s | %s | %s | %s | %s |\n", page.OutcomeSymbol(c.Outcome), c.Outcome, c.Arm, c.Metric, c.Plain, c.Sure, c.Method)
	}
}

func (b markdown) differs(ds []page.Difference) {
	for i, d := range ds {
		if i == 0 {
			b.printf("\n| | A | B | |\n| --- | --- | --- | --- |\n")
		}
		mark := markup("")
		if d.Blocking {
			mark = "**not comparable**"
		} else if d.Declared {
			mark = "meant to differ"
		}
		b.printf("| %s | %s | %s | %s |\n", d.Name, d.A, d.B, mark)
	}
}

func (b markdown) warning(w page.Warning) {
	mark := markup("⚠")
	if w.Serious {
		mark = "⚠ **Attention:**"
	}
	b.printf("- %s ", mark)
	if w.Of != "" {
		b.printf("%s: ", w.Of)
	}
	b.printf("%s (%s)\n", w.Text, code(w.Code))
}

// marked is a text of our own, in which words in backquotes are code.
func marked(s string) markup {
	var b strings.Builder
	for {
		text, rest, _ := strings.Cut(s, "`")
		word, after, whole := strings.Cut(rest, "`")
		if !whole || strings.ContainsRune(word, '|') { // a cell ends at a bar, even in code
			b.WriteString(piece(s))
			return markup(b.String())
		}
		b.WriteString(piece(text))
		b.WriteString(escape.Code(word))
		s = after
	}
}

// piece keeps the blanks at the ends of a part of a text.
func piece(s string) string {
	inner := strings.Trim(s, " ")
	if inner == "" {
		return s
	}
	before, after, _ := strings.Cut(s, inner)
	return before + escape.Markdown(inner) + after
}
