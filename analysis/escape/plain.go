package escape

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Chat makes a text one line that calls nobody (@here, Slack's <!channel> and
// <@U1>) and fetches nothing (addresses are opened for a preview), in whatever
// chat it is pasted into: there is no escape that all of them know, so the signs
// are replaced by others of the same look.
func Chat(s string) string {
	return chat.Replace(chatSigns().ReplaceAllStringFunc(Visible(s), lookalike))
}

var (
	chatSigns = lazy(`[@<]\S|\S>`)
	chat      = strings.NewReplacer("://", "[:]//", "www.", "www[.]", "WWW.", "WWW[.]")
	alike     = strings.NewReplacer("@", "＠", "<", "‹", ">", "›")
)

func lookalike(m string) string { return alike.Replace(m) }

// CSV makes a text of a cell that a spreadsheet does not compute: one that begins
// as a formula does gets an apostrophe, which says "text" there. A number stays
// one.
func CSV(s string) string {
	s = Visible(s)
	rest := strings.TrimLeftFunc(s, unicode.IsSpace)
	if rest == "" || number().MatchString(s) || !strings.ContainsAny(rest[:firstLen(rest)], "=+-@＝＋－＠") {
		return s
	}
	return "'" + s
}

var number = lazy(`^[-+]?\d+(\.\d+)?([eE][-+]?\d+)?$`)

func firstLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// Line makes a text one line without blanks at its ends or twice within: the
// value of a key in the Go benchmark format.
func Line(s string) string { return strings.Join(strings.Fields(Visible(s)), " ") }

// Bench makes a text one word, and one element of a benchmark's name.
func Bench(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '=' || unicode.Is(unicode.Zs, r) {
			return '_'
		}
		return r
	}, Visible(s))
}

// JSON writes in a document of JSON those characters as \u escapes that are not
// shown, and what a CI system reads as a command: the document says the same.
func JSON(doc []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(doc))
	for i := 0; i < len(doc); {
		if doc[i] == '#' && i > 0 && doc[i-1] == '#' || doc[i] == ':' && section(doc[:i]) {
			writeUnicode(&b, rune(doc[i]))
			i++
			continue
		}
		r, n := utf8.DecodeRune(doc[i:])
		if r == '\n' || r == '\t' || r == '\r' || Shown(r) || r == utf8.RuneError && n == 1 {
			b.Write(doc[i : i+n])
		} else {
			writeUnicode(&b, r)
		}
		i += n
	}
	return b.Bytes()
}

func writeUnicode(b *bytes.Buffer, r rune) {
	units := utf16.AppendRune(nil, r)
	for _, u := range units {
		const digits = "0123456789abcdef"
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(digits[u>>shift&15])
		}
	}
}

// JSONText is Visible for every text in a document of JSON that a page shows:
// other than after JSON, its readers see another text. Ends of lines and tabs
// within a text stay.
func JSONText(doc []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(doc))
	for i := 0; i < len(doc); {
		r, n := utf8.DecodeRune(doc[i:])
		if r == '\\' && i+1 < len(doc) {
			if n = 2; doc[i+1] == 'u' && i+6 <= len(doc) {
				n = 6
			}
			r = 'x' // of what is no escape
			var text string
			if json.Unmarshal([]byte(`"`+string(doc[i:i+n])+`"`), &text) == nil {
				r, _ = utf8.DecodeRuneInString(text)
			}
		}
		if r == '\n' || r == '\t' || r == '\r' || Shown(r) {
			b.Write(doc[i : i+n])
		} else {
			b.WriteString(named(r))
		}
		i += n
	}
	return b.Bytes()
}
