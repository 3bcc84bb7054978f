package report

import (
	"fmt"
	"strings"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/report/figure"
	"netab/analysis/trend"
)

// Trend is the page of a history: a row a series, then in plain words what is not
// steady, then what is wrong with the data.
func Trend(h trend.History) *page.Page {
	p := &page.Page{Title: h.Answer, Judged: judgedTrend(h), Data: h}
	p.Add(page.Section{Table: trendTable(h)})
	names := TrendNames(h)
	var warned []page.Warning
	for i := range h.Series {
		s := &h.Series[i]
		if s.State == trend.Suspect || s.State == trend.Changed {
			p.Add(page.Section{Text: []page.Para{{Of: names[i], Text: s.Text, Hint: TrendHint(s)}}})
		}
		for _, w := range s.Warnings {
			warned = append(warned, page.Warning{Of: names[i], Code: string(w.Code), Text: w.Text})
		}
	}
	p.Add(page.Section{Warnings: warned})
	if len(h.Unused) > 0 {
		p.Add(page.Section{Text: []page.Para{{Text: UnusedText(h), Aside: true}}})
	}
	return p
}

// judgedTrend has a case a series.
func judgedTrend(h trend.History) *page.Judged {
	j := &page.Judged{Of: "trend", Outcome: h.Outcome, Sentence: h.Answer, Suite: "netab.trend", Took: "0",
		Facts: []page.Term{{Name: "outcome", Text: string(h.Outcome)}}}
	if len(h.Series) == 0 {
		j.Cases = []page.Check{{Class: j.Suite, Name: "trend", Outcome: gate.Undecided, Plain: h.Answer}}
	}
	names := TrendNames(h)
	for i := range h.Series {
		s := &h.Series[i]
		j.Cases = append(j.Cases, page.Check{Class: "netab.trend." + s.Scenario, Name: names[i], Outcome: s.Outcome, Plain: s.Text, Known: known(s.Issue)})
	}
	return j
}

// TrendHint says what to do about a series that is not steady.
func TrendHint(s *trend.Series) string {
	if s.State != trend.Suspect || s.Outcome != gate.Undecided {
		return ""
	}
	return "netab run " + s.Scenario + ", best after a reboot, and then netab trend again"
}

// UnusedText says how many runs are no points, with the first reasons.
func UnusedText(h trend.History) string {
	const shown = 3
	var parts []string
	for _, u := range h.Unused[:min(shown, len(h.Unused))] {
		parts = append(parts, fmt.Sprintf("%s (%s)", u.Run, u.Why))
	}
	text := fmt.Sprintf("%s of %s not used: %s", prose.Counted(len(h.Unused), "run"), fmt.Sprint(h.Runs), strings.Join(parts, ", "))
	if more := len(h.Unused) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + "."
}

// TrendNames are the shortest names that tell the series apart, the arm
// always among them.
func TrendNames(h trend.History) []string {
	parts := []func(s *trend.Series) string{
		func(s *trend.Series) string { return s.Scenario },
		func(s *trend.Series) string { return s.Machine },
		func(s *trend.Series) string { return prose.Lower(figure.InfoOf(s.Metric).Title) },
		func(s *trend.Series) string { return s.Traffic },
	}
	names := make([]string, len(h.Series))
	for i := range h.Series {
		names[i] = h.Series[i].Arm
		if a := h.Series[i].Against; a != "" {
			names[i] += " vs " + a
		}
	}
	for k, part := range parts {
		values, perArm := map[string]bool{}, map[string]string{}
		apart := false // two series that only this part tells apart
		for i := range h.Series {
			v := part(&h.Series[i])
			if values[v] = true; k == len(parts)-1 {
				old, seen := perArm[names[i]]
				apart = apart || seen && old != v
				perArm[names[i]] = v
			}
		}
		if len(values) < 2 || k == len(parts)-1 && !apart {
			continue
		}
		for i := range h.Series {
			names[i] += ", " + part(&h.Series[i])
		}
	}
	return names
}

// trendTable is a row a series.
func trendTable(h trend.History) page.Table {
	t := page.Table{Columns: []page.Column{{Head: "Series", Left: true}, {Head: "runs", Rank: 1}, {Head: "level", Spare: 1}, {Head: "newest"},
		{Head: "changes", Rank: 2}, {Head: "verdict", Left: true}}}
	for i, name := range TrendNames(h) {
		s := &h.Series[i]
		sc := TrendScale(s)
		t.Row(page.Text(name), countCell(len(s.Points)), TrendCell(s, sc, s.Level), TrendCell(s, sc, s.Newest), countCell(len(s.Changes)),
			page.VerdictOf(TrendSymbol(s)+" "+TrendWords(s), trendVerdict(s)))
	}
	return t
}

func countCell(n int) page.Cell { return page.NumberOf(fmt.Sprint(n), float64(n), "") }

// trendVerdict is that of a series whose newest runs say something, "" of others.
func trendVerdict(s *trend.Series) analysis.Verdict {
	if s.State == trend.Suspect || s.Outcome == gate.Acknowledged {
		return analysis.Inconclusive
	}
	return s.Verdict
}

// TrendCell is a value where there is one.
func TrendCell(s *trend.Series, sc figure.Scale, value func() (float64, bool)) page.Cell {
	x, ok := value()
	switch {
	case !ok:
		return page.Text("nothing")
	case s.Against != "":
		return page.ShareOf(TrendValue(s, sc, x), x)
	}
	return page.NumberOf(TrendValue(s, sc, x), x, s.Unit)
}

// TrendScale is that of a series' values: changes are percents.
func TrendScale(s *trend.Series) figure.Scale {
	values := make([]float64, len(s.Points))
	for i, p := range s.Points {
		values[i] = p.Value
	}
	if s.Against != "" {
		return figure.PercentScale(values, nil)
	}
	sc := figure.InfoOf(s.Metric).Scale(s.Unit, values, nil)
	sc.Wide, sc.Decimals = false, figure.DecimalsFor(0, figure.Largest(values)/sc.Div)
	return sc
}

// TrendValue is one value of a series, with its unit.
func TrendValue(s *trend.Series, sc figure.Scale, x float64) string {
	if s.Against != "" {
		return sc.Signed(x) + " " + sc.Unit
	}
	return sc.With(x)
}

// TrendWords say what became of a series.
func TrendWords(s *trend.Series) string {
	if s.Outcome == gate.Acknowledged {
		return stateWords(s) + ", " + string(s.Outcome)
	}
	return stateWords(s)
}

func stateWords(s *trend.Series) string {
	switch s.State {
	case trend.Suspect:
		return "suspect, " + trend.Percent(s.Shift(), s.Difference)
	case trend.Changed:
		return "changed, " + trend.Percent(s.Shift(), s.Difference)
	case trend.TooShort:
		return "too few runs"
	}
	return "steady"
}

// TrendSymbol says it without colour.
func TrendSymbol(s *trend.Series) string {
	if s.Outcome == gate.Acknowledged {
		return page.OutcomeSymbol(s.Outcome)
	}
	switch s.State {
	case trend.Suspect:
		return "?"
	case trend.Changed:
		return page.VerdictSymbol(s.Verdict)
	case trend.TooShort:
		return "·"
	}
	return "="
}
