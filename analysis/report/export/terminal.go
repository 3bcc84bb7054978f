package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/gate"
)

// Options say what the terminal can do.
type Options struct {
	Color bool
	// Width in columns; 0 and anything above 100 mean 100, so that the output
	// can be pasted into a mail.
	Width int
}

const maxWidth = 100

// A terminal writes lines. What is shown in them was made visible where it was
// put into a sentence, so that it has no colours; under all lines is a net that
// nothing else passes.
type terminal struct {
	b     *bufio.Writer
	net   *escape.Writer
	color bool
	width int
	apart bool // the next line stands apart from those before it
}

func newTerminal(w io.Writer, opts Options) *terminal {
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

// begin writes the empty line before what stands apart.
func (t *terminal) begin() {
	if t.apart {
		t.apart = false
		t.blank()
	}
}

func (t *terminal) line(s string) {
	t.begin()
	fmt.Fprintln(t.b, s)
}

func (t *terminal) blank() { fmt.Fprintln(t.b) }

// paragraph wraps words at the width; item does so with a hanging indent.
func (t *terminal) paragraph(s string) { t.wrapFrom("", s, "") }
func (t *terminal) item(s string)      { t.wrapFrom("", s, "    ") }

// wrapFrom wraps words with something before the first line.
func (t *terminal) wrapFrom(first, s, hang string) {
	line, width, empty := first, len(first), true
	for _, word := range words(s) {
		n := textWidth(word)
		if !empty && width+1+n > t.width {
			t.line(line)
			line, width = hang+word, len(hang)+n
			continue
		}
		if !empty {
			line, width = line+" ", width+1
		}
		line, width, empty = line+word, width+n, false
	}
	t.line(line)
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
	case "":
		return s
	case analysis.Improvement:
		return t.paint(green, s)
	case analysis.Regression:
		return t.paint(boldRed, s)
	case analysis.Equivalent:
		return t.paint(blue, s)
	}
	return t.paint(yellow, s)
}

func (t *terminal) outcome(o gate.Outcome, s string) string {
	switch o {
	case gate.Passed:
		return t.paint(green, s)
	case gate.Worse, gate.NotComparable, gate.NotMeasured:
		return t.paint(boldRed, s)
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
