package report

import (
	"strings"

	"netab/analysis"
	"netab/analysis/escape"
)

// A besideRow is one metric of traffic beside an arm's main one: text with its
// unit, because the rows of one table differ in it.
type besideRow struct {
	Of, Arm, Metric        string
	Swatch                 string
	Level, Half            string
	Change, Interval       string
	Verdict, Words, Symbol string // only where it takes part in the verdict
	Baseline               bool
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
		row := besideRow{Of: of, Arm: r.name, Metric: infoOf(base).title, Swatch: armColor(armIndex(s.Arms, r.arm.Name)),
			Level: v.level.with(r.level.Mean), Half: v.half(r.level), Baseline: r.baseline && r.change == nil, change: r.change}
		if c := r.change; c != nil {
			if !c.Untold() {
				row.Change, row.Interval = v.change.signed(c.Change)+" "+v.change.unit, v.interval(c)
			}
			if c.Judged {
				row.Verdict, row.Words, row.Symbol = string(c.Verdict), verdictWords(c), verdictSymbol(c.Verdict)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// besideColumns lays the rows out as text.
func besideColumns(rows []besideRow) []column {
	of, metric, arm := column{head: "beside", left: true}, column{head: "metric", left: true}, column{head: "arm", left: true}
	level, half := column{head: "level", spare: 2}, column{head: "±", rank: 4}
	change, interval := column{group: "change", head: "%"}, column{group: "change", head: "interval", rank: 2}
	verdict := column{head: "verdict", left: true}
	judged := false
	for i, r := range rows {
		of.cells = append(of.cells, escape.Visible(r.Of))
		name := strings.ToLower(r.Metric)
		if i > 0 && rows[i-1].Of == r.Of {
			of.cells[i] = ""
			if rows[i-1].Metric == r.Metric {
				name = ""
			}
		}
		metric.cells = append(metric.cells, name)
		arm.cells = append(arm.cells, escape.Visible(r.Arm))
		level.cells = append(level.cells, r.Level)
		half.cells = append(half.cells, r.Half)
		change.cells = append(change.cells, strings.TrimSuffix(r.Change, " %"))
		interval.cells = append(interval.cells, r.Interval)
		text := ""
		switch {
		case r.Verdict != "":
			judged, text = true, r.Symbol+" "+r.Words
		case r.Baseline:
			text = "  baseline"
		}
		verdict.cells = append(verdict.cells, text)
	}
	cols := []column{of, metric, arm, level, half, change, interval}
	if judged {
		cols = append(cols, verdict)
	}
	return cols
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
