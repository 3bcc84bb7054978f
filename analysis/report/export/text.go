package export

import (
	"fmt"
	"io"
	"strings"

	"netab/analysis/escape"
	"netab/analysis/page"
)

// Text writes a page for people who read it in a terminal or a log. Colour
// repeats what words and symbols say already.
func Text(w io.Writer, p *page.Page, o Options) error {
	t := newTerminal(w, o)
	if p.Made != "" {
		t.document(p)
		return t.flush()
	}
	t.title(p)
	if p.Answer != "" {
		t.blank()
		t.paragraph(escape.Visible(p.Answer))
	}
	for i := range p.Sections {
		t.section(p, &p.Sections[i])
	}
	return t.flush()
}

func (t *terminal) title(p *page.Page) {
	title := escape.Visible(p.Title)
	if p.Outcome != "" {
		t.paragraph(t.outcome(p.Outcome, title))
		return
	}
	t.paragraph(t.bold(title))
}

// section writes what a section has, an empty line before it.
func (t *terminal) section(p *page.Page, s *page.Section) {
	t.apart = true
	if s.Title != "" {
		t.paragraph(t.bold(escape.Visible(s.Title)))
	}
	for _, para := range s.Text {
		t.para(p, para)
	}
	if s.Lead != "" {
		t.paragraph(t.bold(escape.Visible(s.Lead) + ":"))
	}
	if len(s.Table.Columns) > 0 {
		t.table(s.Table)
	}
	if s.Checks != nil {
		t.begin()
		t.checks(s.Checks)
	}
	for _, i := range s.Issues {
		t.item(fmt.Sprintf("%s known issue %s (%s): %s", i.Symbol(), i.State, escape.Visible(i.Of), escape.Visible(i.Text)))
	}
	for _, f := range s.Findings {
		t.paragraph(fmt.Sprintf("%s: %s %s", escape.Visible(f.Text), page.VerdictSymbol(f.Says), f.Words))
	}
	for _, d := range s.Differs {
		t.item(fmt.Sprintf("%s: %s → %s%s", escape.Visible(d.Name), escape.Visible(d.A), escape.Visible(d.B), differenceMark(d)))
	}
	for _, note := range s.Notes {
		t.note(note, s.Lead != "")
	}
	for _, remark := range s.Remarks {
		t.note(strings.ReplaceAll(remark, "`", ""), false)
	}
	for _, a := range s.Advice {
		t.item("- " + escape.Visible(a))
	}
	for _, w := range s.Warnings {
		t.warning(w)
	}
}

// para writes a paragraph, but for what the answer has said of it already.
func (t *terminal) para(p *page.Page, para page.Para) {
	text := escape.Visible(para.Text)
	switch {
	case para.Of != "" && strings.Contains(p.Answer, para.Text):
		return
	case para.From != nil && para.From.Trials == 0:
		return // "0 trials" says nothing that the table does not
	case para.Of != "":
		text = t.bold(escape.Visible(para.Of)+":") + " " + text
	case para.Aside:
		text = t.dim(text)
	}
	t.paragraph(text)
	if para.Hint != "" {
		t.item("hint: " + escape.Visible(para.Hint))
	}
}

// note writes an item of a list; under a lead what follows its first line hangs.
func (t *terminal) note(text string, led bool) {
	if text = escape.Visible(text); led {
		t.item(text)
		return
	}
	t.paragraph(text)
}

func (t *terminal) checks(cs []page.Check) {
	for _, c := range cs {
		t.item(t.outcome(c.Outcome, page.OutcomeSymbol(c.Outcome)) + " " + escape.Visible(c.Plain))
		for _, text := range []string{c.Sure, c.Method} {
			if text != "" {
				t.item(t.dim(escape.Visible(text)))
			}
		}
	}
}

func differenceMark(d page.Difference) string {
	switch {
	case d.Blocking:
		return " (not comparable)"
	case d.Declared:
		return " (meant to differ)"
	}
	return ""
}

func (t *terminal) warning(w page.Warning) {
	label := t.paint(yellow, "warning:")
	if w.Serious {
		label = t.paint(boldRed, "WARNING:")
	}
	if w.Of != "" {
		label += " " + escape.Visible(w.Of) + ":"
	}
	t.item(fmt.Sprintf("%s %s [%s]", label, escape.Visible(w.Text), escape.Visible(w.Code)))
}
