package report

import (
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
)

// A besideRow is one metric of traffic beside an arm's main one: text with its
// unit, because the rows of one table differ in it.
type besideRow struct {
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
var besideShown = []string{transactionRate, latencyP50, latencyP99, latencyP999, latencyMax, goodput, packetRate, loss}

// besideRows lists the traffic beside the main one by name, metric and arm, so
// that what is compared stands together.
func besideRows(s analysis.Summary) []besideRow {
	names := map[string]bool{}
	for _, name := range metricNames(s.Arms) {
		if of, _, ok := beside(name); ok {
			names[of] = true
		}
	}
	var rows []besideRow
	for _, of := range sortedKeys(names) {
		for _, metric := range besideShown {
			name := of + "." + metric
			if (metric == goodput || metric == packetRate) && len(levels(s.Arms, of+"."+transactionRate)) > 0 {
				continue
			}
			if len(levels(s.Arms, name)) > 0 {
				rows = append(rows, besideOf(s, of, name)...)
			}
		}
	}
	return rows
}

func besideOf(s analysis.Summary, of, metric string) []besideRow {
	v := verdictTableOf(s, metric)
	_, base, _ := beside(metric)
	var rows []besideRow
	for _, r := range v.rows {
		if r.level == nil {
			continue
		}
		row := besideRow{Of: of, Arm: r.name, Metric: infoOf(base).title, Index: armIndex(s.Arms, r.arm.Name),
			Level: v.level.with(r.level.Mean), Half: v.half(r.level), Baseline: r.baseline && r.change == nil, level: r.level, change: r.change}
		if c := r.change; c != nil {
			if !c.Untold() {
				row.Change, row.Interval = v.change.signed(c.Change)+" "+v.change.unit, v.interval(c)
			}
			if c.Judged {
				row.Verdict, row.Words, row.Symbol = string(c.Verdict), verdictWords(c), page.VerdictSymbol(c.Verdict)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// besideTable lays the rows out.
func besideTable(rows []besideRow) page.Table {
	t := page.Table{Caption: "Traffic beside", Columns: []page.Column{
		{Head: "beside", Left: true}, {Head: "metric", Left: true}, {Head: "arm", Left: true},
		{Head: "level", Spare: 2}, {Head: "±", Rank: 4},
		{Group: "change", Head: "%"}, {Group: "change", Head: "interval", Rank: 2},
	}}
	judged := slices.ContainsFunc(rows, func(r besideRow) bool { return r.Verdict != "" })
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
func (r besideRow) verdictCell() page.Cell {
	switch {
	case r.Verdict != "":
		return page.VerdictOf(r.Symbol+" "+r.Words, r.change.Verdict)
	case r.Baseline:
		return page.Text("  baseline")
	}
	return page.Cell{}
}

// An eventRow is one kind of event of one role of an arm.
type eventRow struct {
	Arm, Role, Name string
	Count           int64
	Meaning         string
}

func (r eventRow) text() string {
	text := r.Arm + ", " + r.Role + ": " + count(r.Count) + " " + r.Name
	if r.Meaning != "" {
		text += ": " + r.Meaning
	}
	return text
}

func eventRows(s analysis.Summary) []eventRow {
	var rows []eventRow
	for _, a := range s.Arms {
		for _, e := range a.Events {
			role := e.Role
			if e.Of != "" {
				role += " of " + e.Of
			}
			rows = append(rows, eventRow{armLabel(a), role, e.Name, e.Count, e.Meaning})
		}
	}
	return rows
}
