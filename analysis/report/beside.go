package report

import (
	"maps"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/report/figure"
)

// A BesideRow is one metric of traffic beside an arm's main one: text with its
// unit, because the rows of one table differ in it.
type BesideRow struct {
	Of, Arm, Metric        string
	Index                  int // of the arm
	Level, Half            string
	Change, Interval       string
	Verdict, Words, Symbol string // only where it takes part in the verdict
	Baseline               bool
	level                  *analysis.Level
	change                 *analysis.Comparison
}

// besideShown are the metrics that the table shows; where transactions are
// counted their bytes and packets say little.
var besideShown = []string{figure.TransactionRate, figure.LatencyP50, figure.LatencyP99, figure.LatencyP999, figure.LatencyMax, figure.Goodput, figure.PacketRate, figure.Loss}

// BesideRows lists the traffic beside the main one by name, metric and arm, so
// that what is compared stands together.
func BesideRows(s analysis.Summary) []BesideRow {
	names := map[string]bool{}
	for _, name := range figure.MetricNames(s.Arms) {
		if of, _, ok := figure.Beside(name); ok {
			names[of] = true
		}
	}
	var rows []BesideRow
	for _, of := range slices.Sorted(maps.Keys(names)) {
		for _, metric := range besideShown {
			name := of + "." + metric
			if (metric == figure.Goodput || metric == figure.PacketRate) && len(figure.Levels(s.Arms, of+"."+figure.TransactionRate)) > 0 {
				continue
			}
			if len(figure.Levels(s.Arms, name)) > 0 {
				rows = append(rows, besideOf(s, of, name)...)
			}
		}
	}
	return rows
}

func besideOf(s analysis.Summary, of, metric string) []BesideRow {
	v := VerdictTableOf(s, metric)
	_, base, _ := figure.Beside(metric)
	var rows []BesideRow
	for _, r := range v.Rows {
		if r.Level == nil {
			continue
		}
		row := BesideRow{Of: of, Arm: r.Name, Metric: figure.InfoOf(base).Title, Index: ArmIndex(s.Arms, r.Arm.Name),
			Level: v.Level.With(r.Level.Mean), Half: v.Half(r.Level), Baseline: r.Baseline && r.Change == nil, level: r.Level, change: r.Change}
		if c := r.Change; c != nil {
			if !c.Untold() {
				row.Change, row.Interval = v.Change.Signed(c.Change)+" "+v.Change.Unit, v.Interval(c)
			}
			if c.Judged {
				row.Verdict, row.Words, row.Symbol = string(c.Verdict), VerdictWords(c), page.VerdictSymbol(c.Verdict)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// besideTable lays the rows out.
func besideTable(rows []BesideRow) page.Table {
	t := page.Table{Caption: "Traffic beside", Columns: []page.Column{
		{Head: "beside", Left: true}, {Head: "metric", Left: true}, {Head: "arm", Left: true},
		{Head: "level", Spare: 2}, {Head: "±", Rank: 4},
		{Group: "change", Head: "%"}, {Group: "change", Head: "interval", Rank: 2},
	}}
	judged := slices.ContainsFunc(rows, func(r BesideRow) bool { return r.Verdict != "" })
	if judged {
		t.Columns = append(t.Columns, page.Column{Head: "verdict", Left: true})
	}
	for i, r := range rows {
		of, metric := r.Of, strings.ToLower(r.Metric)
		if i > 0 && rows[i-1].Of == r.Of {
			of = ""
			if rows[i-1].Metric == r.Metric {
				metric = ""
			}
		}
		cells := []page.Cell{page.Text(of), page.Text(metric), page.Text(r.Arm),
			levelCell(r.level, func(float64) string { return r.Level }), halfCell(r.level, func(*analysis.Level) string { return r.Half }),
			changeCell(r.change, strings.TrimSuffix(r.Change, " %")), intervalCell(r.change, r.Interval)}
		if judged {
			cells = append(cells, r.verdictCell())
		}
		t.Row(cells...)
	}
	return t
}

// verdictCell says whether it took part in the verdict.
func (r BesideRow) verdictCell() page.Cell {
	switch {
	case r.Verdict != "":
		return page.VerdictOf(r.Symbol+" "+r.Words, r.change.Verdict)
	case r.Baseline:
		return page.Text("  baseline")
	}
	return page.Cell{}
}
