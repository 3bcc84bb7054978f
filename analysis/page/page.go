// Package page is a page of text and tables, written the same way for a
// terminal, for docs/ and for a browser (package analysis/report).
package page

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"netab/analysis/escape"
)

// A Section is a part of a page in the order in which it is read: a heading,
// paragraphs, terms, a table and remarks on it. Text is plain but for words in
// backquotes.
type Section struct {
	Title string
	Text  []string
	Terms []Term
	Table Table
	Notes []string
}

// A Table is text in cells, the heading first.
type Table [][]string

// A Term is a word and what is meant by it.
type Term struct{ Name, Text string }

// Markdown writes a page; made is the command that does so.
func Markdown(out io.Writer, title, made string, sections []Section) error {
	b := bufio.NewWriter(out)
	fmt.Fprintf(b, "<!-- Made by: %s -->\n# %s\n", made, markdown(title))
	for _, s := range sections {
		if s.Title != "" {
			fmt.Fprintf(b, "\n## %s\n", markdown(s.Title))
		}
		for _, text := range s.Text {
			fmt.Fprintf(b, "\n%s\n", markdown(text))
		}
		for i, term := range s.Terms {
			fmt.Fprintf(b, "%s- *%s*: %s\n", before(i), markdown(term.Name), markdown(term.Text))
		}
		for i, row := range s.Table {
			fmt.Fprintf(b, "%s| %s |\n", before(i), strings.Join(each(row, markdown), " | "))
			if i == 0 {
				b.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
			}
		}
		for i, note := range s.Notes {
			fmt.Fprintf(b, "%s- %s\n", before(i), markdown(note))
		}
	}
	return b.Flush()
}

// markdown writes a text so that it is shown as it is, but for words in
// backquotes, which are code.
func markdown(s string) string {
	var b strings.Builder
	for {
		text, rest, _ := strings.Cut(s, "`")
		word, after, whole := strings.Cut(rest, "`")
		if !whole || strings.ContainsRune(word, '|') { // a cell ends at a bar, even in code
			b.WriteString(piece(s))
			return b.String()
		}
		b.WriteString(piece(text))
		b.WriteString(escape.Code(word))
		s = after
	}
}

// piece keeps the blanks at the ends of a part of a text.
func piece(s string) string {
	inner := strings.Trim(s, " ")
	if inner == "" {
		return s
	}
	before, after, _ := strings.Cut(s, inner)
	return before + escape.Markdown(inner) + after
}

func each(row []string, f func(string) string) []string {
	out := make([]string, len(row))
	for i, cell := range row {
		out[i] = f(cell)
	}
	return out
}

// before is the empty line before a list or a table.
func before(i int) string {
	if i == 0 {
		return "\n"
	}
	return ""
}

// Text writes a page's tables and remarks for a terminal; the paragraphs are
// for those who read the page.
func Text(out io.Writer, sections []Section) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, s := range sections {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if s.Title != "" {
			fmt.Fprintf(w, "%s\n", s.Title)
		}
		for _, row := range s.Table {
			fmt.Fprintln(w, "  "+strings.Join(each(row, escape.Visible), "\t"))
		}
		w.Flush()
		for _, note := range s.Notes {
			fmt.Fprintf(w, "  %s\n", escape.Visible(strings.ReplaceAll(note, "`", "")))
		}
	}
	return w.Flush()
}
