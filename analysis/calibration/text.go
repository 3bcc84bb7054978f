package calibration

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"netab/analysis/escape"
)

// Text writes it for a terminal: tables and remarks, for the paragraphs are for
// those who read the page.
func (p *Page) Text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\n\n", escape.Visible(p.Answer()))
	for i, s := range p.Sections() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if s.Title != "" {
			fmt.Fprintf(w, "%s\n", s.Title)
		}
		var heads []string
		for _, c := range s.Table.Columns {
			heads = append(heads, c.Head)
		}
		fmt.Fprintln(w, "  "+strings.Join(heads, "\t"))
		for _, row := range s.Table.Rows {
			var cells []string
			for _, c := range row {
				cells = append(cells, escape.Visible(c.Text))
			}
			fmt.Fprintln(w, "  "+strings.Join(cells, "\t"))
		}
		w.Flush()
		for _, remark := range s.Remarks {
			fmt.Fprintf(w, "  %s\n", escape.Visible(strings.ReplaceAll(remark, "`", "")))
		}
	}
	return w.Flush()
}
