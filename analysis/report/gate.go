package report

import (
	"fmt"
	"io"

	"netab/analysis"
	"netab/analysis/escape"
)

// GateJSON writes a gate as one document, schema netab/gate/1, the summary
// that it rests on included.
func GateJSON(w io.Writer, g analysis.Gate) error {
	g.Summary = complete(g.Summary)
	return writeJSON(w, g)
}

// GateChat writes a gate as one line for a chat message.
func GateChat(w io.Writer, g analysis.Gate) error {
	_, err := fmt.Fprintln(w, outcomeSymbol(g.Outcome), escape.Chat(g.Sentence))
	return err
}

// GateTerminal writes a gate for people: the outcome, each check in plain
// words and how sure it is, and the figures behind it.
func GateTerminal(w io.Writer, g analysis.Gate, opts TerminalOptions) error {
	t := newTerminal(w, opts)
	t.paragraph(t.outcome(g.Outcome, "gate: "+outcomeWords(g.Outcome)))
	t.blank()
	for _, k := range g.Checks {
		t.item(t.outcome(k.Outcome, outcomeSymbol(k.Outcome)) + " " + escape.Visible(k.Plain))
		for _, text := range []string{k.Sure, k.Method} {
			if text != "" {
				t.wrap("  "+t.dim(escape.Visible(text)), "    ")
			}
		}
	}
	for _, issue := range g.Issues {
		t.item(fmt.Sprintf("%s known issue %s (%s): %s", issueSymbol(issue), issue.State, escape.Visible(issueOf(issue)), escape.Visible(issue.Text)))
	}
	return t.flush()
}

func (t *terminal) outcome(o analysis.Outcome, s string) string {
	switch o {
	case analysis.Passed:
		return t.paint(green, s)
	case analysis.Worse, analysis.NotComparable, analysis.NotMeasured:
		return t.paint(boldRed, s)
	}
	return t.paint(yellow, s)
}

// GateMarkdown writes a gate for a CI job's summary, and below it the runs'
// own.
func GateMarkdown(w io.Writer, g analysis.Gate) error {
	b := newMarkdown(w)
	b.printf("## %s %s: %s\n\n%s\n\n", outcomeSymbol(g.Outcome), g.Summary.Scenario, outcomeWords(g.Outcome), g.Sentence)
	if len(g.Checks) > 0 {
		b.printf("| | Arm | Metric | In plain words | How sure | Method |\n| --- | --- | --- | --- | --- | --- |\n")
	}
	for _, k := range g.Checks {
		metric := ""
		if k.Metric != "" {
			metric = infoOf(k.Metric).title
		}
		b.printf("| %s %s | %s | %s | %s | %s | %s |\n", outcomeSymbol(k.Outcome), k.Outcome, k.Arm, metric, k.Plain, k.Sure, k.Method)
	}
	for i, issue := range g.Issues {
		if i == 0 {
			b.printf("\nKnown issues:\n\n")
		}
		b.printf("- %s **%s** (%s): %s\n", issueSymbol(issue), issue.State, issueOf(issue), issue.Text)
	}
	b.printf("\n")
	if err := Markdown(b, g.Summary); err != nil {
		return err
	}
	return b.Flush()
}

func issueOf(i analysis.IssueState) string {
	arm, metric := i.Arm, i.Metric
	if arm == "" {
		arm = "every arm"
	}
	if metric == "" {
		metric = "every metric"
	}
	return arm + ", " + metric
}

// issueSymbol: an acknowledgement that did not apply wants somebody's eye.
func issueSymbol(i analysis.IssueState) string {
	if i.State == "used" {
		return "≈"
	}
	return "!"
}

func outcomeSymbol(o analysis.Outcome) string {
	switch o {
	case analysis.Passed:
		return "✓"
	case analysis.Worse:
		return "▼"
	case analysis.Acknowledged:
		return "≈"
	case analysis.NotComparable, analysis.NotMeasured:
		return "✗"
	}
	return "?"
}

// outcomeWords say an outcome as a heading does.
func outcomeWords(o analysis.Outcome) string {
	switch o {
	case analysis.Worse:
		return "regression"
	case analysis.Undecided:
		return "no verdict yet"
	case analysis.NotComparable:
		return "not comparable"
	case analysis.NotMeasured:
		return "measurement failed"
	}
	return string(o)
}
