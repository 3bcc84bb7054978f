package report

import (
	"fmt"
	"strings"

	"netab/analysis/gate"
	"netab/analysis/page"
	"netab/analysis/report/figure"
)

// Gate is the page of a gate: each check in plain words and how sure it is, and
// what became of acknowledgements. Below stands that of the runs.
func Gate(g gate.Gate) *page.Page {
	below := Summary(g.Summary)
	g.Summary = complete(g.Summary)
	checks := make([]page.Check, 0, len(g.Checks))
	for _, k := range g.Checks {
		checks = append(checks, newCheck(g, k))
	}
	return &page.Page{Title: "gate: " + page.OutcomeWords(g.Outcome), Outcome: g.Outcome, Judged: judgedGate(g, checks),
		Sections: []page.Section{{Checks: checks, Issues: issues(g.Issues)}}, Below: below, Data: g}
}

func newCheck(g gate.Gate, k gate.Check) page.Check {
	c := page.Check{Class: suiteOf(g), Name: checkName(k), Outcome: k.Outcome, Arm: k.Arm, Plain: k.Plain, Sure: k.Sure, Method: k.Method, Known: known(k.Issue)}
	if k.Metric != "" {
		c.Metric = figure.InfoOf(k.Metric).Title
	}
	return c
}

func known(issue *gate.KnownIssue) *page.Known {
	if issue == nil {
		return nil
	}
	return &page.Known{Until: issue.Expires, Reason: issue.Reason}
}

// checkName is the same from night to night: ids of runs change, so it holds none.
func checkName(k gate.Check) string {
	switch {
	case k.Arm == "" && k.Metric == "":
		return k.Plain
	case k.Arm == "":
		return k.Metric
	}
	return k.Metric + " of " + k.Arm
}

func suiteOf(g gate.Gate) string { return "netab." + g.Summary.Scenario }

// judgedGate has a case more where there is not a single check, or the runs are
// not comparable: the whole.
func judgedGate(g gate.Gate, checks []page.Check) *page.Judged {
	j := &page.Judged{Of: g.Summary.Scenario, Outcome: g.Outcome, Sentence: g.Sentence, Suite: suiteOf(g), Took: fmt.Sprintf("%.3f", g.Summary.DurationS),
		Facts: []page.Term{{Name: "run", Text: g.Summary.Run}, {Name: "kernel", Text: g.Summary.Kernel}, {Name: "outcome", Text: string(g.Outcome)},
			{Name: "forced", Text: strings.Join(g.Forced, "; ")}}}
	if g.Outcome == gate.NotComparable || g.Outcome == gate.NotMeasured || len(checks) == 0 {
		j.Cases = []page.Check{{Class: j.Suite, Name: "gate", Outcome: g.Outcome, Plain: g.Sentence, Whole: true}}
	}
	j.Cases = append(j.Cases, checks...)
	return j
}

func issues(all []gate.IssueState) (out []page.Issue) {
	for _, i := range all {
		out = append(out, page.Issue{State: string(i.State), Of: issueOf(i), Text: i.Text, Used: i.State == gate.IssueUsed})
	}
	return out
}

func issueOf(i gate.IssueState) string {
	arm, metric := i.Arm, i.Metric
	if arm == "" {
		arm = "every arm"
	}
	if metric == "" {
		metric = "every metric"
	}
	return arm + ", " + metric
}
