package export

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"netab/analysis/escape"
	"netab/analysis/page"
)

// document writes the tables of a document and the remarks on them: the paragraphs,
// and columns that a narrow table has no room for, are for those who read it. All
// else of a table counts, however wide that makes it.
func (t *terminal) document(p *page.Page) {
	fmt.Fprintln(t.b, escape.Visible(p.Answer))
	for i := range p.Sections {
		s := &p.Sections[i]
		if len(s.Table.Rows)+len(s.Text)+len(s.Remarks) == 0 {
			continue
		}
		t.blank()
		if s.Title != "" {
			fmt.Fprintln(t.b, escape.Visible(s.Title))
		}
		for _, para := range s.Text {
			fmt.Fprintln(t.b, "  "+escape.Visible(para.Text))
		}
		t.wholeTable(s.Table)
		for _, remark := range s.Remarks {
			fmt.Fprintln(t.b, "  "+escape.Visible(strings.ReplaceAll(remark, "`", "")))
		}
	}
}

func (t *terminal) wholeTable(of page.Table) {
	w := tabwriter.NewWriter(t.b, 0, 0, 2, ' ', 0)
	line := func(text func(column int) string) {
		var cells []string
		for i, c := range of.Columns {
			if c.Rank == 0 {
				cells = append(cells, escape.Visible(text(i)))
			}
		}
		fmt.Fprintln(w, "  "+strings.Join(cells, "\t"))
	}
	line(func(i int) string { return of.Columns[i].Head })
	for _, row := range of.Rows {
		line(func(i int) string { return row[i].Text })
	}
	_ = w.Flush() // the buffer below keeps the error
}
