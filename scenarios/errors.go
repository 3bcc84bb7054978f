package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Error is one fault of a scenario: where it is, what is wrong, and what
// would be right.
type Error struct {
	Pos     Pos
	Msg     string // what is wrong
	Hint    string // what would be right; may be empty
	Excerpt string // the line of Pos with a caret below; empty if there is none
}

// newError is a fault whose texts fit on a few lines of a terminal, whatever
// they quote.
func newError(src sources, pos Pos, msg, hint string) Error {
	return Error{Pos: pos, Msg: shortened(msg, maxQuoted), Hint: shortened(hint, maxHint), Excerpt: src.excerpt(pos)}
}

// Error is the fault on one line: file:line:col: what is wrong; what would be
// right.
func (e Error) Error() string {
	s := e.Pos.String() + ": " + e.Msg
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Errors are all faults of a scenario, in the order of the file.
type Errors []Error

// Error is one line for each fault.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Render is Error with the source line and a caret below each fault, for a
// terminal.
func (es Errors) Render() string {
	var b strings.Builder
	for _, e := range es {
		b.WriteString(e.Error())
		b.WriteByte('\n')
		if e.Excerpt != "" {
			b.WriteString(e.Excerpt)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Unwrap lets errors.As find a single Error.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// err is es sorted by position, or nil if there is no fault (a plain Errors
// would be a non-nil error).
func (es Errors) err() error {
	if len(es) == 0 {
		return nil
	}
	slices.SortStableFunc(es, func(a, b Error) int {
		return cmp.Or(
			// The file first, then the command line.
			cmp.Compare(b2i(isTyped(a.Pos)), b2i(isTyped(b.Pos))),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return es
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// String is file:line:col as editors and compilers write it.
func (p Pos) String() string {
	if p.Line == 0 {
		return cmp.Or(p.File, "scenario")
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// positions tell where the value of a path ("traffic.message") was written.
type positions map[string]Pos

// at is where path was written, or else the nearest thing around it.
func (p positions) at(path string) Pos {
	for {
		if pos, ok := p[path]; ok || path == "" {
			return pos
		}
		path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	}
}

// Fault is a fault at a path of the scenario ("measure.metrics.0") that its
// reader finds, who may know more than this package: which metrics there are.
func (s *Scenario) Fault(path, msg, hint string) Error {
	pos := s.where.at(path)
	return newError(s.sources, pos, msg, hint)
}

// sources hold the lines of what was parsed by the name that Pos.File gives.
type sources map[string][]string

// excerpt is the line of pos, or of a long line the part around its column,
// with a caret below it.
func (s sources) excerpt(pos Pos) string {
	lines := s[pos.File]
	if pos.Line < 1 || pos.Line > len(lines) {
		return ""
	}
	line := strings.TrimRight(lines[pos.Line-1], "\r\n")
	// Control characters would move the caret away from its place.
	line = strings.Map(func(r rune) rune {
		if r == '\t' {
			return '→'
		}
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, line)
	line, column := window(line, pos.Column)
	const margin = "%5s | "
	return fmt.Sprintf(margin, fmt.Sprint(pos.Line)) + line + "\n" +
		fmt.Sprintf(margin, "") + strings.Repeat(" ", max(column-1, 0)) + "^"
}
