// Package nesting bounds how deep a text from a stranger is nested, before a
// parser that calls itself for each level sees it: of YAML, 100,000 brackets took
// one 19 seconds and 6 GB.
package nesting

import (
	"fmt"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Most is how deep a text may be nested. A scenario has 8 levels, a run file 10.
const Most = 64

// A Deep is the fault of a text that is nested deeper than Most.
type Deep struct {
	Line, Column int // from 1
}

func (d *Deep) Error() string {
	return fmt.Sprintf("nested deeper than the %d levels that are read", Most)
}

// YAML finds where a YAML text is nested too deep; nil = nowhere. It counts in
// the very tokens that the parser will see, so that quotes and comments are what
// they are there, and rather too much than too little.
func YAML(src []byte) error {
	var d depth
	for _, t := range lexer.Tokenize(string(src)) {
		if t.Position != nil && d.add(t) > Most {
			return &Deep{Line: max(t.Position.Line, 1), Column: max(t.Position.Column, 1)}
		}
	}
	return nil
}

// A depth is how deep the text is nested behind the tokens so far.
type depth struct {
	flow    int   // brackets and braces that are open
	columns []int // where the blocks around begin, each further right
	line    int
	// marks are anchors, tags and the like without a value yet; values are colons
	// since the last that began something new.
	marks, values int
	named         bool // the next token is an anchor's name
}

func (d *depth) add(t *token.Token) int {
	if d.named {
		d.named = false
		return 0
	}
	first := t.Position.Line != d.line
	d.line = t.Position.Line
	if d.flow == 0 && (first || t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType) {
		d.begin(t.Position.Column)
		d.values = 0
	}
	switch t.Type {
	case token.CommentType:
	case token.SequenceStartType, token.MappingStartType:
		d.flow++
		d.marks, d.values = 0, 0
	case token.SequenceEndType, token.MappingEndType:
		d.flow = max(d.flow-1, 0)
		d.marks, d.values = 0, 0
	case token.CollectEntryType:
		d.marks, d.values = 0, 0
	case token.AnchorType, token.AliasType:
		d.marks++
		d.named = true
	case token.TagType, token.MappingKeyType, token.SequenceEntryType:
		d.marks++
		if t.Type == token.SequenceEntryType && d.flow == 0 {
			d.marks = 0 // counted by its column
		}
	case token.MappingValueType:
		d.values++
	default:
		d.marks = 0
	}
	return d.flow + len(d.columns) + d.marks + d.values
}

// begin says that something begins at a column: what began further right, or
// there, is over.
func (d *depth) begin(column int) {
	for len(d.columns) > 0 && d.columns[len(d.columns)-1] >= column {
		d.columns = d.columns[:len(d.columns)-1]
	}
	d.columns = append(d.columns, column)
}

// JSON finds where a line of JSON is nested too deep, as the number of the byte
// (from 1); 0 = nowhere. It need not be valid.
func JSON(line []byte) int { return JSONPast(line, Most) }

// JSONPast is JSON for another bound than Most.
func JSONPast(line []byte, most int) int {
	depth, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > most {
				return i + 1
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return 0
}
