package export

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"netab/analysis/escape"
	"netab/analysis/page"
)

// document writes the tables of a document and the remarks on them: the paragraphs
// are for those who read it. Tables are as wide as they are, for all of them counts,
// and are read in a pager.
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
	var cells []string
	for _, c := range of.Columns {
		cells = append(cells, c.Head)
	}
	fmt.Fprintln(w, "  "+strings.Join(cells, "\t"))
	for _, row := range of.Rows {
		cells = cells[:0]
		for _, c := range row {
			cells = append(cells, escape.Visible(c.Text))
		}
		fmt.Fprintln(w, "  "+strings.Join(cells, "\t"))
	}
	_ = w.Flush() // the buffer below keeps the error
}
