package html

import (
	"fmt"
	"strings"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/results"
)

// A headView is what stands above everything: question, answer, how sure.
type headView struct {
	Scenario string
	Question string
	Answer   string
	Sure     string
	Basis    string
	Run      string
	Context  string
	Alerts   []results.Warning // serious ones
	Warnings []results.Warning // the others
	Advice   []string
}

func newHead(s analysis.Summary) headView {
	h := headView{Scenario: s.Scenario, Question: s.Question, Answer: s.Answer, Sure: howSure(s), Run: s.Run}
	if h.Question == "" {
		h.Question = s.Scenario
	}
	if s.Trials > 0 || s.Invalid > 0 {
		h.Basis = report.Basis(s)
	}
	if s.History != nil {
		h.Basis += " " + s.History.Text
	}
	for _, w := range report.ShownWarnings(s) {
		if w.Code.Serious() {
			h.Alerts = append(h.Alerts, w)
			continue
		}
		h.Warnings = append(h.Warnings, w)
	}
	for _, a := range s.Advice {
		h.Advice = append(h.Advice, a.String())
	}
	return h
}

// howSure says in plain words what the intervals promise, and what this run
// could not have seen.
func howSure(s analysis.Summary) string {
	if s.Trials == 0 || s.Confidence <= 0 {
		return ""
	}
	text := fmt.Sprintf("How sure: of 100 such runs, about %s would give an interval that holds the true value.", prose.Short(100*s.Confidence))
	var blind float64
	for _, c := range s.Comparisons {
		if c.Judged && c.SmallestDetectable != nil && !c.Difference && !c.Mixture {
			blind = max(blind, *c.SmallestDetectable)
		}
	}
	if blind > 0 {
		text += fmt.Sprintf(" A change of %s or more would have been seen nine times out of ten; a smaller one may have gone unnoticed.", prose.ShortPercent(round(blind, 1e4)))
	}
	return text
}

// contextLine is where and when, in one line.
func contextLine(run *results.Run) string {
	m := run.Header.Machine
	parts := []string{run.Header.Started.UTC().Format("2 January 2006, 15:04 UTC")}
	for _, p := range []string{m.Hostname, "Linux " + m.Kernel, m.CPUModel, prose.Counted(m.CPUs, "CPU")} {
		if strings.TrimSpace(p) != "" && p != "Linux " {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " · ")
}
