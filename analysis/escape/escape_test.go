package escape

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderhtml "github.com/yuin/goldmark/renderer/html"
)

// evil are texts that mean something to some medium.
var evil = []string{
	"plain", "", " ", "two words", "ünï €", "日本語", "a\nb", "a\r\nb", "\ttab",
	"\x1b[2J\x1b]0;title\x07", "\x9b31m", "\u009b31m", "\u202egnp.exe", "a\u200bb", "a\u2028b", "\u2066x\u2069", "\ufeff", "a\x00b", "a\xffb", "\U000e0041", "\u3164",
	"##\x00", "::error::gone", "  ::set-output name=a::b", "##[error]x", "##vso[task.setvariable]x", "##teamcity[x]", "section_start:1:x", "a ##[group]b",
	"@team", "@org/team please", "a@b.example", "#1", "org/repo#12", "GH-12", "!1", "%1.0", "~bug", "&12", "$12", "https://a.example/x", "www.a.example", "WWW.a.example", "_www.a.example",
	"ftp://x", "mailto:a@b.example", "~~gone~~", "$math$", "$`math`$", "``code``", "`", "``", "a|b", `a\|b`, `a\`, "<img src=x onerror=alert(1)>", "</script>", "<!-- x -->", "]]>",
	"[a](https://b.example)", "![a](https://b.example/i.png)", "[a][1]", "[^1]", "**b**", "_i_", "__b__", "# heading", "## h", "- item", "+ item", "* item", "1. item", "2) item", "10.", "---", "===", "> quote",
	"    indented", "~~~", "```", ":smile:", "a:+1:b:c:d", "12:30:15", "&nbsp;", "&#64;team", "{+ added +}", "/close", "| a | b |", "- [ ] task", "<https://a.example>", "a  ", "1.5 Gbit/s", "-4.3 %",
	"=1+1", "+1", "-1", "-1e5", "-1.5.2", "@SUM(A1)", "=cmd|' /C calc'!A0", " =1", "＝1", "\t=1", "\r=1", "'=1", "-", "+Inf",
	"<!channel>", "<@U123>", "@here", "@everyone", "<https://x.example|y>", "p < 0.01", "a @ b",
	"key: value", "Unit x better=higher", "BenchmarkX 1 1 ns/op", "a/b=c",
}

// hidden says what a text that somebody sees may not hold.
func hidden(s string) string {
	for _, r := range s {
		if !Shown(r) {
			return named(r)
		}
	}
	return ""
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\tc": "a b c", "\x1b[31m": "[U+001B][31m", "\u202ex": "[U+202E]x", "a\u200b": "a[U+200B]", "\x9b": "\ufffd", "\u009b": "[U+009B]",
		"\u2028": "[U+2028]", "\u061c": "[U+061C]", "\u2069": "[U+2069]", "\u200e": "[U+200E]", "\ufeff": "[U+FEFF]", "\U000e0041": "[U+E0041]", "1\u00a0%": "1\u00a0%", "é": "é", "": "",
	} {
		if got := Visible(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

var github = goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote), goldmark.WithRendererOptions(renderhtml.WithUnsafe()))

// rendered is what GitHub makes of a page: its markup, and the pieces of text that
// it then looks for mentions and the like.
func rendered(t testing.TB, page string) (markup string, pieces []string) {
	t.Helper()
	var b bytes.Buffer
	if err := github.Convert([]byte(page), &b); err != nil {
		t.Fatal(err)
	}
	for _, piece := range regexp.MustCompile(`(?s)<!-- -->|<[^>]*>`).Split(b.String(), -1) {
		pieces = append(pieces, html.UnescapeString(piece))
	}
	var tags []string
	for _, tag := range regexp.MustCompile(`</?[a-z0-9]+[^>]*>`).FindAllString(b.String(), -1) {
		if tag != "<span>" && tag != "</span>" {
			tags = append(tags, tag)
		}
	}
	return strings.Join(tags, ""), pieces
}

// filters are what GitHub and GitLab look for in the text of a page.
var filters = regexp.MustCompile(`(?i)(^|[^0-9a-z_])@[0-9a-z_]|[#!&]\d|GH-\d|:[0-9a-z_+-]+:|://|www\.[0-9a-z]|\$.*\$|\$[0-9` + "`" + `]|[%~][0-9a-z"]|[0-9a-z]@[0-9a-z]`)

// places are where a text may stand in a page, with the markup of each.
var places = map[string]struct{ page, tags string }{
	"paragraph": {"TEXT\n", "<p></p>"}, "heading": {"# TEXT\n", "<h1></h1>"}, "item": {"- TEXT\n", "<ul><li></li></ul>"}, "bold": {"x **TEXT**: y\n", "<p><strong></strong></p>"},
	"cell": {"| h | i |\n| --- | --- |\n| TEXT | z |\n", "<table><thead><tr><th></th><th></th></tr></thead><tbody><tr><td></td><td></td></tr></tbody></table>"},
}

// TestMarkdownIsLiteral: in every place a page shows the text as it is, and
// nothing in it is found by who looks for mentions.
func TestMarkdownIsLiteral(t *testing.T) {
	for _, text := range evil {
		checkMarkdown(t, text)
	}
}

func checkMarkdown(t testing.TB, text string) {
	t.Helper()
	got := Markdown(text)
	if bad := hidden(got); bad != "" || strings.Contains(got, "\n") {
		t.Errorf("%q: %q holds %s", text, got, bad)
	}
	want := strings.Join(strings.Fields(Visible(text)), " ")
	if want == "" {
		return
	}
	for name, place := range places {
		tags, pieces := rendered(t, strings.Replace(place.page, "TEXT", got, 1))
		tags = regexp.MustCompile(` [a-z-]+="[^"]*"`).ReplaceAllString(tags, "")
		if tags != place.tags {
			t.Errorf("%s: %q is written %q and has the markup %s", name, text, got, tags)
		}
		shown := strings.Join(strings.Fields(strings.Join(pieces, "")), " ")
		if !strings.Contains(strings.ReplaceAll(shown, " ", ""), strings.ReplaceAll(want, " ", "")) {
			t.Errorf("%s: %q is written %q and shown as %q", name, text, got, shown)
		}
		for _, piece := range pieces {
			if m := filters.FindString(piece); m != "" {
				t.Errorf("%s: %q is written %q, in which %q is found", name, text, got, m)
			}
		}
	}
}

// TestCodeIsLiteral: a code span has what it was given, backquotes too.
func TestCodeIsLiteral(t *testing.T) {
	for _, text := range evil {
		checkCode(t, text)
	}
}

func checkCode(t testing.TB, text string) {
	t.Helper()
	got := Code(text)
	if strings.TrimSpace(Visible(text)) == "" {
		return
	}
	tags, pieces := rendered(t, "x "+got+" y\n")
	if tags != "<p><code></code></p>" || !strings.Contains(strings.Join(pieces, ""), Visible(text)) {
		t.Errorf("%q is written %q: %s, %q", text, got, tags, pieces)
	}
}

func checkTerminal(t testing.TB, text string, at int) {
	t.Helper()
	once := Visible(text)
	if bad := hidden(once); bad != "" {
		t.Errorf("%q: %s is left in %q", text, bad, once)
	}
	if again := Visible(once); again != once {
		t.Errorf("%q: %q becomes %q", text, once, again)
	}
	write := func(parts ...string) string {
		var b bytes.Buffer
		w := NewWriter(&b, "\x1b[1m")
		for _, p := range parts {
			if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	whole := write(text)
	if at = min(max(at, 0), len(text)); write(text[:at], text[at:]) != whole {
		t.Errorf("%q: cut at %d it is %q, else %q", text, at, write(text[:at], text[at:]), whole)
	}
	if bad := hidden(strings.NewReplacer("\n", "", "\t", "", "\x1b[1m", "").Replace(whole)); bad != "" {
		t.Errorf("%q: %s passes in %q", text, bad, whole)
	}
	if m := commands.FindString(whole); m != "" {
		t.Errorf("%q: %q passes in %q", text, m, whole)
	}
	if again := write(whole); again != whole {
		t.Errorf("%q: %q becomes %q", text, whole, again)
	}
}

// commands are those of GitHub's and Azure's runners, GitLab's and TeamCity's.
var commands = regexp.MustCompile(`(?m)^[\s\p{Zs}]*::|##[a-z]*\[|section_(start|end):`)

func TestWriter(t *testing.T) {
	for _, text := range evil {
		for at := range len(text) + 1 {
			checkTerminal(t, text, at)
		}
	}
	var b bytes.Buffer
	w := NewWriter(&b, "\x1b[1m", "\x1b[0m")
	for _, s := range []string{"\x1b[1mbold\x1b[0m ", "\x1b[31m\x1b[8m", "é\n", "::add-mask::x\n", "a::b ##[x]", "\x1b"} {
		if _, err := w.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Raw("\r\x1b[K"); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[1mbold\x1b[0m [U+001B][31m[U+001B][8mé\n:\\:add-mask::x\na::b ##\\[x][U+001B]\r\x1b[K"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestChat(t *testing.T) {
	for in, want := range map[string]string{
		"<!channel> a": "‹!channel› a", "@here": "＠here", "<@U1>": "‹＠U1›", "p < 0.01": "p < 0.01", "arm @ run": "arm @ run", "https://x": "https[:]//x", "a\nb": "a b",
	} {
		if got := Chat(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, text := range evil {
		got := Chat(text)
		if m := regexp.MustCompile(`[@<]\S|\n|://`).FindString(got); m != "" || hidden(got) != "" || Chat(got) != got {
			t.Errorf("%q: %q holds %q", text, got, m)
		}
	}
}

func checkCSV(t testing.TB, text string) {
	t.Helper()
	got := CSV(text)
	first := strings.TrimLeftFunc(got, unicode.IsSpace)
	if first != "" && strings.ContainsAny(string([]rune(first)[0]), "=+-@＝＋－＠") && !regexp.MustCompile(`^[-+][0-9.eE+-]*$`).MatchString(got) {
		t.Errorf("%q: %q is a formula", text, got)
	}
	if CSV(got) != got || hidden(got) != "" {
		t.Errorf("%q: %q becomes %q", text, got, CSV(got))
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write([]string{got, "x"}); err != nil {
		t.Fatal(err)
	}
	w.Flush()
	row, err := csv.NewReader(&b).Read()
	if err != nil || row[0] != got || strings.Count(b.String(), "\n") > 1 {
		t.Errorf("%q: %q reads as %q (%v)", text, got, row, err)
	}
}

func TestCSV(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "-1": "-1", "-1.5e-3": "-1.5e-3", "-x": "'-x", "+": "'+", "@a": "'@a", "\t=1": "' =1", "a=1": "a=1", "": "", "+Inf": "'+Inf", "-0x1": "'-0x1"} {
		if got := CSV(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, text := range evil {
		checkCSV(t, text)
	}
}

func checkBench(t testing.TB, text string) {
	t.Helper()
	word, line := Bench(text), Line(text)
	if strings.ContainsFunc(word, unicode.IsSpace) || strings.ContainsAny(word, "/=") || hidden(word) != "" || Bench(word) != word {
		t.Errorf("%q: %q is not one word of a name", text, word)
	}
	if strings.ContainsAny(line, "\n\r\t") || hidden(line) != "" || Line(line) != line {
		t.Errorf("%q: %q is not one line", text, line)
	}
}

func TestBench(t *testing.T) {
	for _, text := range evil {
		checkBench(t, text)
	}
}

func checkJSON(t testing.TB, text string) {
	t.Helper()
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]string{text: text}); err != nil {
		t.Fatal(err)
	}
	out := JSON(doc.Bytes())
	var want, got map[string]string
	if err := json.Unmarshal(doc.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%q: %q: %v", text, out, err)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%q: read back as %q, want %q", text, got, want)
		}
	}
	if bad := hidden(strings.ReplaceAll(string(out), "\n", "")); bad != "" {
		t.Errorf("%q: %s in %q", text, bad, out)
	}
	var b bytes.Buffer
	w := NewWriter(&b)
	w.Write(out)
	if w.Flush(); b.String() != string(out) {
		t.Errorf("%q: the net changes %q to %q", text, out, b.String())
	}
	var shown map[string]string
	if err := json.Unmarshal(JSONText(doc.Bytes()), &shown); err != nil {
		t.Fatalf("%q: %q: %v", text, JSONText(doc.Bytes()), err)
	}
	for k := range shown {
		if bad := hidden(strings.NewReplacer("\n", "", "\t", "", "\r", "").Replace(k)); bad != "" {
			t.Errorf("%q: %s is left in %q", text, bad, k)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, text := range evil {
		checkJSON(t, text)
	}
}

func FuzzTerminal(f *testing.F) {
	for i, text := range evil {
		f.Add(text, i%7)
	}
	f.Fuzz(func(t *testing.T, text string, at int) { checkTerminal(t, text, at) })
}

func FuzzMarkdown(f *testing.F) {
	for _, text := range evil {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkMarkdown(t, text)
		checkCode(t, text)
	})
}

func FuzzCells(f *testing.F) {
	for _, text := range evil {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkCSV(t, text)
		checkBench(t, text)
		checkJSON(t, text)
	})
}
