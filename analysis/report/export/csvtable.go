package export

import (
	"encoding/csv"
	"io"
	"strconv"

	"netab/analysis/escape"
)

// A csvTable writes rows of cells. Texts are no formulas to the spreadsheet that
// opens them; numbers stay numbers, negative ones too.
type csvTable struct {
	w   *csv.Writer
	row []string
}

func newCSV(w io.Writer) *csvTable { return &csvTable{w: csv.NewWriter(w)} }

func (c *csvTable) text(texts ...string) {
	for _, s := range texts {
		c.row = append(c.row, escape.CSV(s))
	}
}

func (c *csvTable) ints(numbers ...int64) {
	for _, n := range numbers {
		c.row = append(c.row, strconv.FormatInt(n, 10))
	}
}

// end ends a row.
func (c *csvTable) end() error {
	err := c.w.Write(c.row)
	c.row = c.row[:0]
	return err
}

func (c *csvTable) flush() error {
	c.w.Flush()
	return c.w.Error()
}
