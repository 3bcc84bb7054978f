package escape

import (
	"bytes"
	"io"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A Writer is what stands between a process and the terminal or log that it
// prints to. What passes cannot move the cursor, hide or turn text, or give a
// command to the CI system that keeps the log: a line that begins with ::
// (GitHub), ##[ anywhere (GitHub, Azure) and its like (##vso[, ##teamcity[), and
// section_start: (GitLab). Ends of lines, tabs and, where allowed, colours pass.
//
// It is the net below the other functions: text that was escaped for its medium
// passes as it is, in every medium.
type Writer struct {
	mu      sync.Mutex // a signal is told of while a command prints
	w       io.Writer
	colours map[string]bool // sequences that pass
	held    []byte          // the begin of a character or a sequence that is not whole yet
	line    int             // what the line has so far: see the states
	marks   []byte          // the last bytes of the line, to know commands by
	err     error
}

// States of a line: nothing but blanks, one colon after them, more.
const (
	lineEmpty = iota
	lineColon
	lineText
)

// NewWriter lets nothing pass but text and the escape sequences given.
func NewWriter(w io.Writer, sequences ...string) *Writer {
	e := &Writer{w: w, colours: map[string]bool{}}
	for _, s := range sequences {
		e.colours[s] = true
	}
	return e
}

// Raw writes what the program itself says to the terminal, not what somebody
// else has written.
func (e *Writer) Raw(control string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.flush(); err != nil {
		return err
	}
	e.line, e.marks = lineEmpty, nil
	_, e.err = io.WriteString(e.w, control)
	return e.err
}

// Under is the writer below.
func (e *Writer) Under() io.Writer { return e.w }

// Write writes p; the count is of p, so that who writes need not know.
func (e *Writer) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return 0, e.err
	}
	data := p
	if len(e.held) > 0 {
		data = append(e.held, p...)
		e.held = nil
	}
	if err := e.put(data, false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what was held back.
func (e *Writer) Flush() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.flush()
}

func (e *Writer) flush() error {
	if len(e.held) > 0 && e.err == nil {
		data := e.held
		e.held = nil
		return e.put(data, true)
	}
	return e.err
}

func (e *Writer) put(data []byte, all bool) error {
	var b bytes.Buffer
	b.Grow(len(data) + 16)
	for len(data) > 0 {
		if data[0] == '\x1b' {
			n, whole := e.sequence(data)
			if !whole && !all {
				e.held = bytes.Clone(data)
				break
			}
			if n > 0 {
				b.Write(data[:n])
				data = data[n:]
				continue
			}
		}
		if !utf8.FullRune(data) && !all {
			e.held = bytes.Clone(data)
			break
		}
		r, n := utf8.DecodeRune(data)
		switch {
		case r == '\n':
			b.WriteByte('\n')
			e.line, e.marks = lineEmpty, e.marks[:0]
		case r == utf8.RuneError && n == 1:
			b.WriteRune(r) // a byte that is no character, but a control on some terminals
			e.line = lineText
		case r == '\t' || Shown(r):
			e.show(&b, r, data[:n])
		default:
			for _, c := range named(r) { // its bracket may make a command too
				e.show(&b, c, []byte{byte(c)})
			}
		}
		data = data[n:]
	}
	if b.Len() > 0 && e.err == nil {
		_, e.err = e.w.Write(b.Bytes())
	}
	return e.err
}

// show writes a character, after a backslash where it would make a command.
func (e *Writer) show(b *bytes.Buffer, r rune, raw []byte) {
	switch {
	case e.line == lineEmpty && r == ':':
		e.line = lineColon
	case e.line == lineColon && r == ':':
		b.WriteByte('\\') // between the two
		e.line = lineText
	case e.line != lineEmpty || r != '\t' && !unicode.Is(unicode.Zs, r):
		e.line = lineText
	}
	if r >= utf8.RuneSelf {
		e.marks = e.marks[:0]
		b.Write(raw)
		return
	}
	if e.commands(byte(r)) {
		b.WriteByte('\\')
	}
	b.Write(raw)
}

// longest is what marks has to remember of a line at least.
const longest = 32

// commands says whether a byte completes what a CI system takes for a command:
// ## with a word and a bracket, or GitLab's marks of sections.
func (e *Writer) commands(c byte) bool {
	if len(e.marks) >= 4*longest {
		e.marks = append(e.marks[:0], e.marks[len(e.marks)-longest:]...)
	}
	last := e.marks
	e.marks = append(e.marks, c)
	switch c {
	case '[':
		at := bytes.LastIndex(last, []byte("##"))
		return at >= 0 && isWord(last[at+2:])
	case ':':
		return section(last)
	}
	return false
}

// section says whether a colon would make a mark of GitLab's.
func section(before []byte) bool {
	return bytes.HasSuffix(before, []byte("section_start")) || bytes.HasSuffix(before, []byte("section_end"))
}

func isWord(s []byte) bool {
	for _, c := range s {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// sequence is how many bytes at the begin of data are a sequence that may pass, 0
// where it may not; not whole where more bytes could make it one.
func (e *Writer) sequence(data []byte) (n int, whole bool) {
	whole = true
	for s := range e.colours {
		if bytes.HasPrefix(data, []byte(s)) {
			return len(s), true
		}
		if bytes.HasPrefix([]byte(s), data) {
			whole = false
		}
	}
	return 0, whole
}

// HTML is Visible for what html/template has written, ends of lines and tabs
// left: a page's text and attributes alike.
func HTML(page []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(page))
	for len(page) > 0 {
		r, n := utf8.DecodeRune(page)
		if r == '\n' || r == '\t' || r == '\r' || Shown(r) {
			b.Write(page[:n])
		} else {
			b.WriteString(named(r))
		}
		page = page[n:]
	}
	return b.Bytes()
}
