package report

import (
	"bufio"
	"fmt"
	"io"

	"netab/analysis"
	"netab/analysis/trend"
)

// TrendJUnit writes a history as JUnit XML, a test case a series, with the
// outcomes of GateJUnit's checks. A history without a series has a case that
// says so, for an empty suite reads as a pass.
func TrendJUnit(w io.Writer, h trend.History) error {
	suite := junitSuite{Name: "netab.trend", Time: "0", Out: visible(h.Answer), Props: []junitProperty{{"outcome", string(h.Outcome)}}}
	if len(h.Series) == 0 {
		suite.Cases = append(suite.Cases, junitCase{Class: suite.Name, Name: "trend", Time: "0"}.with(analysis.Undecided, h.Answer, visible(h.Answer), nil))
	}
	names := trendNames(h)
	for i := range h.Series {
		s := &h.Series[i]
		c := junitCase{Class: visible("netab.trend." + s.Scenario), Name: visible(names[i]), Time: "0"}
		suite.Cases = append(suite.Cases, c.with(s.Outcome, s.Text, visible(s.Text), s.Issue))
	}
	return suite.write(w)
}

// TrendChat writes a history as one line for a chat message.
func TrendChat(w io.Writer, h trend.History) error {
	_, err := fmt.Fprintln(w, outcomeSymbol(h.Outcome), visible(h.Answer))
	return err
}

// TrendMarkdown writes a history for a CI job's summary: a row a series, then in
// plain words what is not steady.
func TrendMarkdown(w io.Writer, h trend.History) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "## %s trend: %s\n\n%s\n", outcomeSymbol(h.Outcome), outcomeWords(h.Outcome), mdText(h.Answer))
	if len(h.Series) > 0 {
		b.WriteString("\n")
		markdownLines(b, trendColumns(h), len(h.Series))
	}
	names := trendNames(h)
	for i := range h.Series {
		if s := &h.Series[i]; s.State == trend.Suspect || s.State == trend.Changed {
			fmt.Fprintf(b, "\n**%s:** %s\n", mdText(names[i]), mdText(s.Text))
			if hint := trendHint(s); hint != "" {
				fmt.Fprintf(b, "\nHint: %s\n", mdText(hint))
			}
		}
	}
	if len(h.Unused) > 0 {
		fmt.Fprintf(b, "\n%s\n", mdText(unusedText(h)))
	}
	return b.Flush()
}
