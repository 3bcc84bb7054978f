package page

import "netab/analysis"

// A Table has as many cells a row as it has columns.
type Table struct {
	Caption string // for who sees it without what stands around it
	Columns []Column
	Rows    [][]Cell
}

// A Column is headed by the name of its group, which neighbours share, and its
// own.
type Column struct {
	Group, Head string
	Left        bool // words, which begin alike; numbers end alike
	// Where a table is too wide, columns of the highest Rank go first (0 = none of
	// them may), and, where that is not enough, the highest of Spare.
	Rank, Spare int
}

// A Kind is what a cell holds.
type Kind int

// The kinds of cells.
const (
	Words    Kind = iota
	Number        // Value in Unit
	Interval      // from Lo to Hi in Unit
	Share         // Value, a fraction
	Verdict       // Says
)

// A Cell is one field: what people read, and, of a cell that is no words, the
// value that is behind it, in full and in the unit of the record.
type Cell struct {
	Text          string
	Kind          Kind
	Value, Lo, Hi float64
	Unit          string
	Says          analysis.Verdict
}

// Text is a cell of words.
func Text(s string) Cell { return Cell{Text: s} }

// NumberOf is a cell of a number.
func NumberOf(text string, value float64, unit string) Cell {
	return Cell{Text: text, Kind: Number, Value: value, Unit: unit}
}

// IntervalOf is a cell of an interval.
func IntervalOf(text string, lo, hi float64, unit string) Cell {
	return Cell{Text: text, Kind: Interval, Lo: lo, Hi: hi, Unit: unit}
}

// ShareOf is a cell of a fraction.
func ShareOf(text string, value float64) Cell { return Cell{Text: text, Kind: Share, Value: value} }

// VerdictOf is a cell of a verdict.
func VerdictOf(text string, v analysis.Verdict) Cell { return Cell{Text: text, Kind: Verdict, Says: v} }

// Plain is a table of columns that all begin alike, as a document has them.
func Plain(heads ...string) Table {
	var t Table
	for _, head := range heads {
		t.Columns = append(t.Columns, Column{Head: head, Left: true})
	}
	return t
}

// Add adds a row of words.
func (t *Table) Add(texts ...string) {
	row := make([]Cell, len(texts))
	for i, text := range texts {
		row[i] = Text(text)
	}
	t.Rows = append(t.Rows, row)
}

// Row adds a row.
func (t *Table) Row(cells ...Cell) { t.Rows = append(t.Rows, cells) }
