package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/results"
)

// TerminalOptions say what the terminal can do.
type TerminalOptions struct {
	Color bool
	// Width in columns; 0 and anything above 100 mean 100, so that the output
	// can be pasted into a mail.
	Width int
}

const maxWidth = 100

// Terminal writes a summary for people who read it in a terminal or a log:
// the question, the verdict table, the modes that a mean would hide, and the
// warnings. Colour repeats what words and symbols say already.
func Terminal(w io.Writer, s analysis.Summary, opts TerminalOptions) error {
	t := newTerminal(w, opts)
	t.paragraph(t.bold(escape.Visible(s.Question)))
	if s.Answer != "" {
		t.blank()
		t.paragraph(escape.Visible(s.Answer))
	}
	t.table(newVerdictTable(s))
	t.others(s)
	t.beside(s)
	t.footnote(s)
	t.history(s)
	t.events(s)
	t.interactions(s)
	t.modes(s)
	t.confounders(s.Confounders)
	t.warnings(shownWarnings(s))
	t.advice(s.Advice)
	return t.flush()
}

// A terminal writes lines. What is shown in them was made visible where it was
// put into a sentence, so that it has no colours; under all lines is a net that
// nothing else passes.
type terminal struct {
	b     *bufio.Writer
	net   *escape.Writer
	color bool
	width int
}

func newTerminal(w io.Writer, opts TerminalOptions) *terminal {
	var allowed []string
	if opts.Color {
		allowed = Colours
	}
	net := escape.NewWriter(w, allowed...)
	t := &terminal{b: bufio.NewWriter(net), net: net, color: opts.Color, width: maxWidth}
	if opts.Width > 0 && opts.Width < maxWidth {
		t.width = max(opts.Width, 40)
	}
	return t
}

func (t *terminal) flush() error { return errors.Join(t.b.Flush(), t.net.Flush()) }

// others lists judged comparisons of metrics beside the headline.
func (t *terminal) others(s analysis.Summary) {
	cs := otherJudged(s)
	if len(cs) == 0 {
		return
	}
	t.blank()
	for _, c := range cs {
		t.paragraph(fmt.Sprintf("%s, %s: %s: %s %s", escape.Visible(c.Arm), lowerFirst(infoOf(c.Metric).title),
			escape.Visible(otherText(s, &c)), verdictSymbol(c.Verdict), verdictWords(&c)))
	}
}

// beside is the table of traffic beside the main one.
func (t *terminal) beside(s analysis.Summary) {
	rows := besideRows(s)
	if len(rows) == 0 {
		return
	}
	changes := make([]*analysis.Comparison, len(rows))
	for i, r := range rows {
		changes[i] = r.change
	}
	t.lines(besideColumns(rows), changes)
}

// events says what else happened to each arm's roles.
func (t *terminal) events(s analysis.Summary) {
	rows := eventRows(s)
	if len(rows) == 0 {
		return
	}
	t.blank()
	t.paragraph(t.bold("What else happened:"))
	for _, r := range rows {
		t.item(escape.Visible(r.text()))
	}
}

// footnote says what the numbers rest on.
func (t *terminal) footnote(s analysis.Summary) {
	if s.Trials == 0 && s.Invalid == 0 {
		return
	}
	t.blank()
	t.paragraph(t.dim(basis(s)))
}

// history says what earlier runs of the same question said.
func (t *terminal) history(s analysis.Summary) {
	if s.History != nil {
		t.blank()
		t.paragraph(escape.Visible(s.History.Text))
	}
}

// basis is one sentence on what a summary's numbers rest on.
func basis(s analysis.Summary) string {
	text := fmt.Sprintf("%s confidence, resolution %s; %s", percentOf(s.Confidence), percentOf(s.Resolution), plural(s.Trials, "trial"))
	if s.Invalid > 0 {
		text += fmt.Sprintf(" (%d more not used)", s.Invalid)
	}
	text += fmt.Sprintf(", %s counted in %s", seconds(s.MeasuredS), seconds(s.DurationS))
	if s.Kernel != "" {
		text += "; kernel " + escape.Visible(s.Kernel)
	}
	return text + "."
}

// modes says of every arm whose trials fall into groups what the groups are.
func (t *terminal) modes(s analysis.Summary) {
	first := true
	for _, m := range modeTexts(s) {
		if strings.Contains(s.Answer, m.text) {
			continue // the answer says it already
		}
		if first {
			t.blank()
			first = false
		}
		t.paragraph(t.bold(escape.Visible(m.arm)+":") + " " + escape.Visible(m.text))
	}
}

func (t *terminal) confounders(cs []analysis.Confounder) {
	if len(cs) == 0 {
		return
	}
	t.blank()
	t.paragraph(t.bold("What else differs:"))
	for _, c := range cs {
		mark := ""
		if c.Blocking {
			mark = " (not comparable)"
		} else if c.Declared {
			mark = " (meant to differ)"
		}
		t.item(fmt.Sprintf("%s: %s → %s%s", escape.Visible(c.Name), escape.Visible(c.A), escape.Visible(c.B), mark))
	}
}

func (t *terminal) warnings(ws []results.Warning) {
	if len(ws) == 0 {
		return
	}
	t.blank()
	for _, w := range ws {
		label := t.paint(yellow, "warning:")
		if w.Code.Serious() {
			label = t.paint(boldRed, "WARNING:")
		}
		t.item(fmt.Sprintf("%s %s [%s]", label, escape.Visible(w.Text), escape.Visible(string(w.Code))))
	}
}

// advice says what could be done about the machine.
func (t *terminal) advice(as []analysis.Advice) {
	if len(as) == 0 {
		return
	}
	t.blank()
	t.paragraph(t.bold("What would help:"))
	for _, a := range as {
		t.item("- " + escape.Visible(a.String()))
	}
}

// paragraph wraps words at the width; item does so with a hanging indent.
func (t *terminal) paragraph(s string) { t.wrap(s, "") }
func (t *terminal) item(s string)      { t.wrap(s, "    ") }

func (t *terminal) wrap(s, hang string) { t.wrapFrom("", s, hang) }

// wrapFrom is wrap with something before the first line.
func (t *terminal) wrapFrom(first, s, hang string) {
	line, width, empty := first, len(first), true
	for _, word := range words(s) {
		n := textWidth(word)
		if !empty && width+1+n > t.width {
			fmt.Fprintln(t.b, line)
			line, width = hang+word, len(hang)+n
			continue
		}
		if !empty {
			line, width = line+" ", width+1
		}
		line, width, empty = line+word, width+n, false
	}
	fmt.Fprintln(t.b, line)
}

// words splits a text where a line may end: not between a number and its %.
func words(s string) []string {
	var out []string
	for _, f := range strings.Fields(s) {
		if strings.HasPrefix(f, "%") && len(out) > 0 {
			out[len(out)-1] += " " + f
			continue
		}
		out = append(out, f)
	}
	return out
}

func (t *terminal) blank() { fmt.Fprintln(t.b) }

// The few escape sequences in use.
const (
	bold    = "\x1b[1m"
	dim     = "\x1b[2m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	boldRed = "\x1b[1;31m"
	blue    = "\x1b[34m"
	reset   = "\x1b[0m"
)

// Colours are all of them: what a terminal's writer lets pass.
var Colours = []string{bold, dim, green, yellow, boldRed, blue, reset}

func (t *terminal) paint(code, s string) string {
	if !t.color || s == "" {
		return s
	}
	return code + s + reset
}

func (t *terminal) bold(s string) string { return t.paint(bold, s) }
func (t *terminal) dim(s string) string  { return t.paint(dim, s) }

func (t *terminal) verdict(v analysis.Verdict, s string) string {
	switch v {
	case analysis.Improvement:
		return t.paint(green, s)
	case analysis.Regression:
		return t.paint(boldRed, s)
	case analysis.Equivalent:
		return t.paint(blue, s)
	}
	return t.paint(yellow, s)
}

// textWidth counts columns, escape sequences not included. All symbols in use
// are one column wide.
func textWidth(s string) int {
	width := 0
	for s != "" {
		if strings.HasPrefix(s, "\x1b[") {
			if end := strings.IndexByte(s, 'm'); end > 0 {
				s = s[end+1:]
				continue
			}
		}
		_, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		width++
	}
	return width
}

func pad(s string, width int, left bool) string {
	if left {
		return s + strings.Repeat(" ", max(width-textWidth(s), 0))
	}
	return padLeft(s, width)
}

func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(width-textWidth(s), 0)) + s
}

func center(s string, width int) string {
	free := max(width-textWidth(s), 0)
	return padLeft(s, width-free/2) + strings.Repeat(" ", free/2)
}

// interactions says where effects depend on something else.
func (t *terminal) interactions(s analysis.Summary) {
	for i, text := range interactionTexts(s) {
		if i == 0 {
			t.blank()
		}
		t.paragraph(escape.Visible(text))
	}
}
