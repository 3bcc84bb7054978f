package escape

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// Markdown makes a text that GitHub's and GitLab's Markdown show as it is, in a
// paragraph, a list, a heading or the cell of a table.
//
// Backslashes and entities are enough for markup. What is looked for in the page
// when it is made already (mentions, references to issues, emoji, addresses)
// does not see them any more; an empty comment in its midst parts it, and leaves
// no trace in the page.
func Markdown(s string) string {
	s = strings.TrimFunc(Visible(s), unicode.IsSpace) // any of them keeps ** beside it from being markup
	s = parts().ReplaceAllStringFunc(s, func(m string) string { return m[:1] + apart + m[1:] })
	s = words().ReplaceAllString(s, "${1}${3}"+apart+"${2}${4}")
	s = emoji(s)
	var b strings.Builder
	for i, piece := range strings.Split(s, apart) {
		if i > 0 {
			b.WriteString("<!-- -->")
		}
		b.WriteString(markup.Replace(piece))
	}
	return leading().ReplaceAllString(b.String(), `$1\$2`)
}

// apart stands for the comment until markup is escaped; Visible leaves none in a text.
const apart = "\x00"

var (
	// A mention or an address of mail; a reference to an issue, a merge request or
	// an epic, to a milestone or a label; the :// of an address.
	parts = lazy(`@[0-9A-Za-z_]|[#!&][0-9]|[%~][0-9A-Za-z_"]|://`)
	words = lazy(`(?i)(www[0-9]*)(\.)|(gh)(-[0-9])`)
	smile = lazy(`:([0-9A-Za-z_+-]+:)`)
	// What begins a block: a numbered list, a list, a rule, a command to GitLab.
	leading = lazy(`^([0-9]*)([.)](?: |$)|[-+](?: |$)|--|/[A-Za-z])`)
	markup  = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`",
		"[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`, "~", `\~`, "#", `\#`, "$", "<span>$</span>")
)

// lazy compiles an expression when it is needed: every start of an agent would do
// it otherwise.
func lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// emoji parts every :word:, those that share a colon too.
func emoji(s string) string {
	for {
		parted := smile().ReplaceAllString(s, ":"+apart+"$1")
		if parted == s {
			return s
		}
		s = parted
	}
}

// Code makes a text a code span, whatever backquotes are in it. It is not for
// cells of tables, which end at a bar even there.
func Code(s string) string {
	s = Visible(s)
	if strings.Trim(s, " ") == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 || s[0] == ' ' && s[len(s)-1] == ' ' {
		s = " " + s + " " // one of each side is not part of the span
	}
	return fence + s + fence
}
