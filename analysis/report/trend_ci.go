package report

import (
	"fmt"
	"io"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/trend"
)

// TrendJUnit writes a history as JUnit XML, a test case a series, with the
// outcomes of GateJUnit's checks. A history without a series has a case that
// says so, for an empty suite reads as a pass.
func TrendJUnit(w io.Writer, h trend.History) error {
	suite := junitSuite{Name: "netab.trend", Time: "0", Out: junitText(h.Answer), Props: []junitProperty{{"outcome", junitText(h.Outcome)}}}
	if len(h.Series) == 0 {
		suite.Cases = append(suite.Cases, junitCase{Class: suite.Name, Name: "trend", Time: "0"}.with(analysis.Undecided, h.Answer, h.Answer, nil))
	}
	names := trendNames(h)
	for i := range h.Series {
		s := &h.Series[i]
		c := junitCase{Class: junitText("netab.trend." + s.Scenario), Name: junitText(names[i]), Time: "0"}
		suite.Cases = append(suite.Cases, c.with(s.Outcome, s.Text, s.Text, s.Issue))
	}
	return suite.write(w)
}

// TrendChat writes a history as one line for a chat message.
func TrendChat(w io.Writer, h trend.History) error {
	_, err := fmt.Fprintln(w, outcomeSymbol(h.Outcome), escape.Chat(h.Answer))
	return err
}

// TrendMarkdown writes a history for a CI job's summary: a row a series, then in
// plain words what is not steady.
func TrendMarkdown(w io.Writer, h trend.History) error {
	b := newMarkdown(w)
	b.printf("## %s trend: %s\n\n%s\n", outcomeSymbol(h.Outcome), outcomeWords(h.Outcome), h.Answer)
	if len(h.Series) > 0 {
		b.printf("\n")
		b.lines(trendColumns(h), len(h.Series))
	}
	names := trendNames(h)
	for i := range h.Series {
		if s := &h.Series[i]; s.State == trend.Suspect || s.State == trend.Changed {
			b.printf("\n**%s**: %s\n", names[i], s.Text)
			if hint := trendHint(s); hint != "" {
				b.printf("\nHint: %s\n", hint)
			}
		}
	}
	if len(h.Unused) > 0 {
		b.printf("\n%s\n", unusedText(h))
	}
	return b.Flush()
}
