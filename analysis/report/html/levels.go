package html

import (
	"netab/analysis"
	"netab/analysis/report"
	"netab/analysis/report/figure"
)

// A levelsTable is every metric of every arm.
type levelsTable struct {
	Arms []string
	Rows []levelsRow
}

type levelsRow struct {
	Metric, Unit string
	Cells        []string
}

func newLevelsTable(s analysis.Summary) levelsTable {
	var t levelsTable
	for _, a := range s.Arms {
		t.Arms = append(t.Arms, report.ArmLabel(a))
	}
	for _, name := range figure.MetricNames(s.Arms) {
		m := figure.InfoOf(name)
		sc := m.ScaleFor(figure.Levels(s.Arms, name))
		r := levelsRow{Metric: m.Title, Unit: sc.Unit}
		for _, a := range s.Arms {
			l, ok := a.Metrics[name]
			if !ok {
				r.Cells = append(r.Cells, "")
				continue
			}
			text := sc.Text(l.Mean)
			if l.N > 1 {
				text += " ± " + sc.Text(figure.HalfWidth(l))
			}
			r.Cells = append(r.Cells, text)
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}
