package html

import (
	"io"
	"strings"

	"netab/analysis/page"
)

// A sectionsPage is a page of text, tables and charts (package analysis/page),
// ready for page/sections.html.tmpl.
type sectionsPage struct {
	frame
	Kind, Heading, Answer string
	Parts                 []sectionsPart
	Made                  string // from what
}

type sectionsPart struct {
	page.Section
	Charts []chart
}

func partOf(s page.Section) sectionsPart { return sectionsPart{Section: withoutQuotes(s)} }

func (p *sectionsPage) write(w io.Writer, echarts string) error {
	if err := p.embed(echarts); err != nil {
		return err
	}
	return execute(w, "sections.html.tmpl", p)
}

// withoutQuotes drops the backquotes of Markdown.
func withoutQuotes(s page.Section) page.Section {
	plain := func(texts []string) (out []string) {
		for _, t := range texts {
			out = append(out, strings.ReplaceAll(t, "`", ""))
		}
		return out
	}
	s.Explains, s.Remarks = plain(s.Explains), plain(s.Remarks)
	terms := make([]page.Term, len(s.Terms))
	for i, t := range s.Terms {
		terms[i] = page.Term{Name: t.Name, Text: strings.ReplaceAll(t.Text, "`", "")}
	}
	s.Terms = terms
	return s
}
