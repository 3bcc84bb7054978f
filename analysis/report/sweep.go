package report

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/report/figure"
	"netab/results"
)

// mostCells is how many effects of a factor a page for a terminal has; the HTML
// report has all.
const mostCells = 24

// acrossShards marks an effect of arms that two shards measured.
const acrossShards = "two shards"

// sweepSections are what each factor of a matrix does within the levels of the
// others: a table a factor.
func sweepSections(s *analysis.Sweep) (out []page.Section) {
	if s == nil {
		return nil
	}
	scale := SweepScale(s)
	for _, f := range s.Factors {
		cells := shownCells(f.Cells)
		section := page.Section{Lead: fmt.Sprintf("What %s does to %s, against %s", f.Factor, prose.Lower(figure.InfoOf(s.Metric).Title), f.Base), Table: sweepTable(f, cells, scale, s.Difference)}
		if left := len(f.Cells) - len(cells); left > 0 {
			section.Remarks = append(section.Remarks, fmt.Sprintf("%s more: those that are least to be told from chance are left out here (the HTML report has all).", prose.Counted(left, "effect")))
		}
		out = append(out, section)
	}
	if len(out) > 0 {
		last := &out[len(out)-1]
		if slices.ContainsFunc(s.Factors, func(f analysis.FactorEffect) bool {
			return slices.ContainsFunc(f.Cells, func(c analysis.SweepCell) bool { return c.Across })
		}) {
			last.Remarks = append(last.Remarks, fmt.Sprintf("Those marked %q compare arms of two shards, by what each does against the baseline of its own: what the machines of the two do differently is in them.", acrossShards))
		}
		last.Remarks = append(last.Remarks, fmt.Sprintf("Each is an effect within one combination of the other factors, with its own interval. Those marked with a ? are not to be told from chance; of the others, %s at most may be false.", prose.ShortPercent(s.Rate)))
	}
	return out
}

// shownCells are all, or the surest, in the order in which they are.
func shownCells(cells []analysis.SweepCell) []analysis.SweepCell {
	if len(cells) <= mostCells {
		return cells
	}
	order := make([]int, len(cells))
	for i := range order {
		order[i] = i
	}
	p := func(c analysis.SweepCell) float64 {
		if c.Adjusted == nil {
			return 2
		}
		return *c.Adjusted
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := p(cells[a]), p(cells[b]); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	order = order[:mostCells]
	slices.Sort(order)
	var out []analysis.SweepCell
	for _, i := range order {
		out = append(out, cells[i])
	}
	return out
}

func sweepTable(f analysis.FactorEffect, cells []analysis.SweepCell, scale figure.Scale, difference bool) page.Table {
	var others []string
	several := false // levels besides the one that they are compared with
	for _, c := range f.Cells {
		several = several || c.Level != f.Cells[0].Level
		if others == nil {
			for _, l := range c.Within {
				others = append(others, l.Factor)
			}
		}
	}
	t := page.Table{Columns: []page.Column{{Head: strings.Join(others, ", "), Left: true}}}
	if several {
		t.Columns = append(t.Columns, page.Column{Head: f.Factor, Left: true})
	}
	t.Columns = append(t.Columns, page.Column{Group: "change", Head: scale.Unit}, page.Column{Group: "change", Head: "interval", Spare: 1}, page.Column{Head: "", Left: true})
	for _, c := range together(cells) {
		row := []page.Cell{page.Text(levelValues(c.Within))}
		if several {
			row = append(row, page.Text(c.Level))
		}
		change, interval := page.ShareOf(scale.Signed(c.Change), c.Change), page.IntervalOf(figure.Interval(scale, c.Lo, c.Hi), c.Lo, c.Hi, "")
		if difference {
			change, interval = page.NumberOf(scale.Signed(c.Change), c.Change, scale.Unit), page.IntervalOf(figure.Interval(scale, c.Lo, c.Hi), c.Lo, c.Hi, scale.Unit)
		}
		var marks []string
		if !c.Discovered {
			marks = append(marks, "?")
		}
		if c.Across {
			marks = append(marks, acrossShards)
		}
		t.Row(append(row, change, interval, page.Text(strings.Join(marks, " ")))...)
	}
	return t
}

// together brings the effects within one combination together, in the order in which
// these come first.
func together(cells []analysis.SweepCell) []analysis.SweepCell {
	first := map[string]int{}
	for _, c := range cells {
		if name := LevelNames(c.Within); first[name] == 0 {
			first[name] = len(first) + 1
		}
	}
	out := slices.Clone(cells)
	slices.SortStableFunc(out, func(a, b analysis.SweepCell) int { return first[LevelNames(a.Within)] - first[LevelNames(b.Within)] })
	return out
}

// SweepScale writes all effects of a sweep alike.
func SweepScale(s *analysis.Sweep) figure.Scale {
	var cs []analysis.Comparison
	for _, f := range s.Factors {
		for _, c := range f.Cells {
			cs = append(cs, analysis.Comparison{Change: c.Change, Lo: c.Lo, Hi: c.Hi, Difference: s.Difference})
		}
	}
	return figure.ChangeScale(cs, figure.InfoOf(s.Metric).Scale(s.Unit, nil, nil))
}

// LevelNames writes levels as "message=64, rps=off".
func LevelNames(ls []results.FactorLevel) string {
	var names []string
	for _, l := range ls {
		names = append(names, l.Factor+"="+l.Value)
	}
	return strings.Join(names, ", ")
}
