package escape

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible makes a text one line of characters that can be seen, each of which
// stands where it was written. Blanks of all kinds that end a line or jump
// become a space; control characters, what turns the direction of writing, what
// has no width and what is no character are named: ESC is "[U+001B]". Visible of
// what is visible is the same.
func Visible(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case Shown(r):
			b.WriteRune(r)
		default:
			b.WriteString(named(r))
		}
	}
	return b.String()
}

// Lines is Visible of each line.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Visible(line)
	}
	return strings.Join(lines, "\n")
}

// isPlain is the quick way out: printable ASCII needs nothing.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Shown says whether a character is seen where it stands: letters, marks,
// digits, signs and blanks within a line are. Controls (C0, C1), formats (those
// of direction, joiners, soft hyphens, tags), separators of lines and
// paragraphs, fillers that look like nothing, and code points that are private
// or none are not.
func Shown(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r >= ' ' && r != 0x7f
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x2800, r == 0x3164, r == 0xffa0:
		return false // letters and marks that have no shape (Other_Default_Ignorable_Code_Point; the braille blank)
	case unicode.Is(unicode.Variation_Selector, r):
		return false
	}
	return unicode.IsGraphic(r) // spaces of category Zs included
}

// named is what stands in the place of a character that is not shown. It is
// plain in all media.
func named(r rune) string { return fmt.Sprintf("[U+%04X]", r) }
