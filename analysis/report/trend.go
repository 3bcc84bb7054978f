package report

import (
	"fmt"
	"io"
	"strings"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/trend"
)

// TrendJSON writes a history as one document, schema netab/trend/1.
func TrendJSON(w io.Writer, h trend.History) error {
	return writeJSON(w, h)
}

// TrendTerminal writes a history for people: a row a series, then in plain
// words what is not steady, then what is wrong with the data.
func TrendTerminal(w io.Writer, h trend.History, opts TerminalOptions) error {
	t := newTerminal(w, opts)
	t.paragraph(t.bold(escape.Visible(h.Answer)))
	if len(h.Series) > 0 {
		t.lines(trendColumns(h), trendColours(h))
	}
	names := trendNames(h)
	for i := range h.Series {
		s := &h.Series[i]
		if s.State == trend.Suspect || s.State == trend.Changed {
			t.blank()
			t.paragraph(t.bold(escape.Visible(names[i])+":") + " " + escape.Visible(s.Text))
			if hint := trendHint(s); hint != "" {
				t.item("hint: " + escape.Visible(hint))
			}
		}
	}
	first := true
	for i := range h.Series {
		for _, warning := range h.Series[i].Warnings {
			if first {
				t.blank()
				first = false
			}
			t.item(fmt.Sprintf("%s %s: %s [%s]", t.paint(yellow, "warning:"), escape.Visible(names[i]), escape.Visible(warning.Text), escape.Visible(string(warning.Code))))
		}
	}
	if len(h.Unused) > 0 {
		t.blank()
		t.paragraph(t.dim(unusedText(h)))
	}
	return t.flush()
}

// trendHint says what to do about a series that is not steady.
func trendHint(s *trend.Series) string {
	if s.State != trend.Suspect || s.Outcome != analysis.Undecided {
		return ""
	}
	return "netab run " + s.Scenario + ", best after a reboot, and then netab trend again"
}

// unusedText says how many runs are no points, with the first reasons.
func unusedText(h trend.History) string {
	const shown = 3
	var parts []string
	for _, u := range h.Unused[:min(shown, len(h.Unused))] {
		parts = append(parts, fmt.Sprintf("%s (%s)", escape.Visible(u.Run), escape.Visible(u.Why)))
	}
	text := fmt.Sprintf("%s of %s not used: %s", plural(len(h.Unused), "run"), fmt.Sprint(h.Runs), strings.Join(parts, ", "))
	if more := len(h.Unused) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + "."
}

// trendNames are the shortest names that tell the series apart, the arm
// always among them.
func trendNames(h trend.History) []string {
	parts := []func(s *trend.Series) string{
		func(s *trend.Series) string { return s.Scenario },
		func(s *trend.Series) string { return s.Machine },
		func(s *trend.Series) string { return lowerFirst(infoOf(s.Metric).title) },
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

func trendColours(h trend.History) []*analysis.Comparison {
	out := make([]*analysis.Comparison, len(h.Series))
	for i, s := range h.Series {
		switch {
		case s.State == trend.Suspect || s.Outcome == analysis.Acknowledged:
			out[i] = &analysis.Comparison{Verdict: analysis.Inconclusive}
		case s.Verdict != "":
			out[i] = &analysis.Comparison{Verdict: s.Verdict}
		}
	}
	return out
}

func trendColumns(h trend.History) []column {
	names := column{head: "Series", left: true, cells: trendNames(h)}
	points := column{head: "runs", rank: 1}
	level := column{head: "level", spare: 1}
	newest := column{head: "newest"}
	changes := column{head: "changes", rank: 2}
	verdict := column{head: "verdict", left: true}
	for i := range h.Series {
		s := &h.Series[i]
		sc := trendScale(s)
		names.cells[i] = escape.Visible(names.cells[i])
		points.cells = append(points.cells, fmt.Sprint(len(s.Points)))
		level.cells = append(level.cells, trendCell(s, sc, s.Level))
		newest.cells = append(newest.cells, trendCell(s, sc, s.Newest))
		changes.cells = append(changes.cells, fmt.Sprint(len(s.Changes)))
		verdict.cells = append(verdict.cells, trendSymbol(s)+" "+trendWords(s))
	}
	return []column{names, points, level, newest, changes, verdict}
}

// trendCell is a value where there is one.
func trendCell(s *trend.Series, sc scale, value func() (float64, bool)) string {
	if x, ok := value(); ok {
		return trendValue(s, sc, x)
	}
	return "nothing"
}

// trendScale is that of a series' values: changes are percents.
func trendScale(s *trend.Series) scale {
	values := make([]float64, len(s.Points))
	for i, p := range s.Points {
		values[i] = p.Value
	}
	if s.Against != "" {
		return percentScale(values, nil)
	}
	sc := infoOf(s.Metric).scale(s.Unit, values, nil)
	sc.wide, sc.decimals = false, decimalsFor(0, largest(values)/sc.div)
	return sc
}

func trendValue(s *trend.Series, sc scale, x float64) string {
	if s.Against != "" {
		return sc.signed(x) + " " + sc.unit
	}
	return sc.with(x)
}

func trendWords(s *trend.Series) string {
	if s.Outcome == analysis.Acknowledged {
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

// trendSymbol says it without colour.
func trendSymbol(s *trend.Series) string {
	if s.Outcome == analysis.Acknowledged {
		return outcomeSymbol(s.Outcome)
	}
	switch s.State {
	case trend.Suspect:
		return "?"
	case trend.Changed:
		return verdictSymbol(s.Verdict)
	case trend.TooShort:
		return "·"
	}
	return "="
}
