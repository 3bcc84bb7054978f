package guest

import (
	"strings"
	"sync"
	"unicode"
)

// A console keeps the last lines of what a guest's kernel prints, as text: no escape
// sequences, no control characters, nothing that would mean something to a terminal.
// It is never larger than its bounds, whatever a guest prints.
type console struct {
	mu    sync.Mutex
	lines []string // the last keep, or a few more
	line  []byte
	state escape
}

const (
	keepLines = 400 // an OOM kill prints 60
	keepBytes = 500 // of a line
)

// An escape is where in an escape sequence (ECMA-48) the output is.
type escape int

const (
	plain     escape = iota
	escaped          // behind ESC
	control          // in a control sequence, up to its final byte
	command          // in an operating system command, up to BEL or ST
	commandES        // behind ESC in one
)

// Write never fails.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range p {
		c.add(b)
	}
	return len(p), nil
}

func (c *console) add(b byte) {
	const esc, bel = 0x1b, 0x07
	switch c.state {
	case escaped:
		switch b {
		case '[':
			c.state = control
		case ']':
			c.state = command
		default:
			c.state = plain
		}
		return
	case control:
		if b >= 0x40 && b <= 0x7e {
			c.state = plain
		}
		return
	case command:
		switch b {
		case bel:
			c.state = plain
		case esc:
			c.state = commandES
		}
		return
	case commandES:
		c.state = plain
		return
	}
	switch {
	case b == esc:
		c.state = escaped
	case b == '\n':
		c.end()
	case len(c.line) < keepBytes:
		c.line = append(c.line, b)
	}
}

// end ends a line.
func (c *console) end() {
	text := strings.TrimRight(shown(c.line), " ")
	c.line = c.line[:0]
	if text == "" {
		return
	}
	if len(c.lines) >= 2*keepLines {
		c.lines = append(c.lines[:0], c.lines[len(c.lines)-keepLines:]...)
	}
	c.lines = append(c.lines, text)
}

// shown is a line without what does not show.
func shown(line []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, string(line))
}

// last are the last lines so far, the unfinished one too.
func (c *console) last() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := c.lines[max(0, len(c.lines)-keepLines):]
	out := append([]string(nil), lines...)
	if text := strings.TrimRight(shown(c.line), " "); text != "" {
		out = append(out, text)
	}
	return out
}
