package export

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/page"
)

// full is a page of which every text is another word; said are the words.
func full() (p *page.Page, said map[string]string) {
	p = &page.Page{Judged: &page.Judged{}}
	said = map[string]string{}
	fill(reflect.ValueOf(p).Elem(), "page", said)
	p.Below, p.Made, p.Outcome = nil, "", ""
	s := p.Sections[0]
	p.Sections = nil // each part in a section of its own, as views have them
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		var one page.Section
		reflect.ValueOf(&one).Elem().Field(i).Set(v.Field(i))
		p.Sections = append(p.Sections, one)
	}
	return p, said
}

// fill gives every text a word, and every list one element.
func fill(v reflect.Value, path string, said map[string]string) {
	switch v.Kind() {
	case reflect.String:
		word := fmt.Sprintf("word%03d", len(said))
		v.SetString(word)
		said[path] = word
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "Below" && name != "Data" {
				fill(v.Field(i), path+"."+name, said)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), path, said)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path, said)
	case reflect.Int:
		v.SetInt(1)
	}
}

// TestFormatsSayAll: no format forgets a part of a page but those for which its
// medium has no room.
func TestFormatsSayAll(t *testing.T) {
	leftOut := map[string][]string{
		"text": {"page.Made", "page.Outcome", "page.Judged", "page.Sections.Explains", "page.Sections.Terms", "page.Sections.Asides", "page.Sections.Text.From", "page.Sections.Table.Caption", "page.Sections.Table.Columns.Group", // the first column is in none

			"page.Sections.Checks.Class", "page.Sections.Checks.Name", "page.Sections.Checks.Arm", "page.Sections.Checks.Metric"},
		"markdown": {"page.Title", "page.Answer", "page.Made", "page.Outcome", "page.Judged.Outcome", "page.Judged.Suite", "page.Judged.Took", "page.Judged.Facts", "page.Judged.Cases",
			"page.Sections.Checks.Class", "page.Sections.Checks.Name"},
		"junit": {"page.Title", "page.Answer", "page.Made", "page.Outcome", "page.Sections", "page.Judged.Of", "page.Judged.Outcome", "page.Judged.Cases.Arm", "page.Judged.Cases.Metric"},
	}
	// Values behind cells, and what is a symbol or decides what is written.
	never := []string{"Table.Rows.Unit", "Says", "Checks.Outcome", "Cases.Outcome", "Known"}
	p, said := full()
	p.Judged.Cases[0].Whole = false
	for name, out := range leftOut {
		write, ok := Named(name)
		if !ok {
			t.Fatalf("there is no format %q", name)
		}
		var b bytes.Buffer
		if err := write(&b, p, Options{}); err != nil {
			t.Fatal(err)
		}
	words:
		for path, word := range said {
			for _, prefix := range out {
				if path == prefix || strings.HasPrefix(path, prefix+".") {
					continue words
				}
			}
			for _, part := range never {
				if strings.Contains(path, part) {
					continue words
				}
			}
			if !strings.Contains(b.String(), word) {
				t.Errorf("%s lacks %s:\n%s", name, path, b.String())
			}
		}
	}
}

// TestJudgedOnly: where there is no outcome, a format of outcomes says so.
func TestJudgedOnly(t *testing.T) {
	for name, want := range map[string]bool{"chat": false, "junit": false, "text": true, "markdown": true, "json": true} {
		write, _ := Named(name)
		var b bytes.Buffer
		if err := write(&b, &page.Page{Title: "a run"}, Options{}); (err == nil) != want || !want && b.Len() > 0 {
			t.Errorf("%s: %v, %q", name, err, b.String())
		}
	}
}

// TestTablesOfAnyWidth: what is missed least goes first, and no line is too long.
func TestTablesOfAnyWidth(t *testing.T) {
	table := page.Table{Columns: []page.Column{{Head: "Arm", Left: true}, {Group: "rate", Head: "Gbit/s", Spare: 1}, {Group: "rate", Head: "±", Rank: 2}, {Group: "a group wider than its columns", Head: "n", Rank: 1},
		{Head: "verdict", Left: true}}}
	table.Row(page.Text("off"), page.NumberOf("42.3", 42.3e9, "bit/s"), page.NumberOf("0.6", 6e8, "bit/s"), page.NumberOf("9", 9, ""), page.Text("  baseline"))
	table.Row(page.Text("an arm with a name"), page.NumberOf("45.4", 45.4e9, "bit/s"), page.NumberOf("0.7", 7e8, "bit/s"), page.NumberOf("9", 9, ""), page.VerdictOf("▲ improvement", analysis.Improvement))
	for width, want := range map[int]string{
		100: "                        rate     a group wider than its columns\nArm                 Gbit/s    ±                               n  verdict\noff                   42.3  0.6                               9    baseline\nan arm with a name    45.4  0.7                               9  ▲ improvement\n",
		60:  "                     rate\nArm                 Gbit/s  verdict\noff                   42.3    baseline\nan arm with a name    45.4  ▲ improvement\n",
		40:  "an arm with a name\n       45.4  ▲ improvement\n",
	} {
		var b bytes.Buffer
		if err := Text(&b, &page.Page{Sections: []page.Section{{Table: table}}}, Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
				t.Errorf("%d columns: a line of %d: %s", width, n, line)
			}
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%d columns:\n%s\nwant\n%s", width, b.String(), want)
		}
	}
}
