package report

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/report/figure"
	"netab/results"
)

// Summary is the page of a run, or of runs judged against each other: the
// question, the verdict table, the modes that a mean would hide, and the warnings.
func Summary(s analysis.Summary) *page.Page {
	p := &page.Page{Title: s.Question, Answer: s.Answer, Data: complete(s)}
	p.Add(verdicts(s))
	for _, section := range whySections(s.Explanations) {
		p.Add(section)
	}
	p.Add(page.Section{Findings: otherFindings(s)})
	if text := AlarmText(s); text != "" {
		p.Add(page.Section{Text: []page.Para{{Text: text}}})
	}
	p.Add(page.Section{Table: besideTable(BesideRows(s))})
	for _, section := range campaignSections(s.Campaign, s) {
		p.Add(section)
	}
	p.Add(page.Section{Text: []page.Para{{Text: Basis(s), Aside: true, From: &page.Record{Run: s.Run, Seed: s.Seed, Trials: s.Trials + s.Invalid}}}})
	if s.History != nil {
		p.Add(page.Section{Text: []page.Para{{Text: s.History.Text}}})
	}
	p.Add(page.Section{Lead: "What else happened", Notes: eventNotes(s)})
	for _, section := range sweepSections(s.Sweep) {
		p.Add(section)
	}
	p.Add(page.Section{Text: interactionParas(s)})
	p.Add(page.Section{Text: modeParas(s)})
	p.Add(page.Section{Lead: "The other machines", Notes: otherMachines(s)})
	p.Add(page.Section{Lead: "What else differs", Differs: differences(s.Confounders)})
	p.Add(page.Section{Warnings: warnings(s)})
	p.Add(page.Section{Lead: "What would help", Advice: adviceTexts(s.Advice)})
	return p
}

// verdicts is the verdict table, or why there is none.
func verdicts(s analysis.Summary) page.Section {
	v := NewVerdictTable(s)
	if len(v.Rows) == 0 {
		return page.Section{Text: []page.Para{{Text: "No trial was completed: there is nothing to judge."}}}
	}
	return page.Section{Table: v.table()}
}

func otherFindings(s analysis.Summary) (out []page.Finding) {
	for _, c := range OtherJudged(s) {
		out = append(out, page.Finding{Text: fmt.Sprintf("%s, %s: %s", c.Arm, prose.Lower(figure.InfoOf(c.Metric).Title), OtherText(s, &c)),
			Says: c.Verdict, Words: VerdictWords(&c)})
	}
	return out
}

// manyComparisons are so many that some look like differences by chance, unless they
// share what may be wrong.
const manyComparisons = 8

// AlarmText says beside the alarms of many comparisons of a run how many there are, and
// how sure it is that none of them is false, and which arms rested; "" of few.
func AlarmText(s analysis.Summary) string {
	judged, worse, better, rested := 0, 0, 0, 0
	for i := range s.Comparisons {
		c := &s.Comparisons[i]
		if !c.Judged || c.ArmRun != "" {
			continue
		}
		judged++
		switch c.Verdict {
		case analysis.Regression:
			worse++
		case analysis.Improvement:
			better++
		}
		if c.RestedAfter > 0 {
			rested++
		}
	}
	var sentences []string
	if judged >= manyComparisons {
		text := fmt.Sprintf("%s and %s in %s", prose.Counted(worse, "regression"), prose.Counted(better, "improvement"), prose.Counted(judged, "comparison"))
		if slices.ContainsFunc(s.Warnings, func(w results.Warning) bool { return w.Code == analysis.Extended }) {
			text += "." // which says how sure that is
		} else {
			text += fmt.Sprintf(": that any of these verdicts is false has a chance of %s at most, all comparisons and looks together.", prose.ShortPercent(1-s.Confidence))
		}
		sentences = append(sentences, text)
	}
	if rested > 0 {
		sentences = append(sentences, fmt.Sprintf("%d of %s had a verdict before the end; those arms were measured no more, and the time went to the others.", rested, prose.Counted(judged, "comparison")))
	}
	return strings.Join(sentences, " ")
}

// Basis is one sentence on what a summary's numbers rest on.
func Basis(s analysis.Summary) string {
	text := fmt.Sprintf("%s confidence, resolution %s; %s", prose.ShortPercent(s.Confidence), prose.ShortPercent(s.Resolution), prose.Counted(s.Trials, "trial"))
	if s.Invalid > 0 {
		text += fmt.Sprintf(" (%d more not used)", s.Invalid)
	}
	text += fmt.Sprintf(", %s counted in %s", prose.Seconds(s.MeasuredS), prose.Seconds(s.DurationS))
	if c := s.Campaign; c != nil {
		text += fmt.Sprintf("; %s of %s", prose.Counted(c.Planned-c.Missing, "boot"), prose.Counted(len(c.Kernels), "kernel"))
	} else if s.Kernel != "" {
		text += "; kernel " + s.Kernel
	}
	return text + "."
}

func eventNotes(s analysis.Summary) (out []string) {
	for _, r := range EventRows(s) {
		out = append(out, r.text())
	}
	if s.Watching != nil {
		out = append(out, s.Watching.Unexplained...)
	}
	return out
}

func otherMachines(s analysis.Summary) (out []string) {
	for _, o := range s.Others {
		out = append(out, o.String())
	}
	return out
}

func interactionParas(s analysis.Summary) (out []page.Para) {
	for _, text := range InteractionTexts(s) {
		out = append(out, page.Para{Text: text})
	}
	return out
}

func modeParas(s analysis.Summary) (out []page.Para) {
	for _, m := range ModeTexts(s) {
		out = append(out, page.Para{Of: m.Arm, Text: m.Text})
	}
	return out
}

func differences(cs []analysis.Confounder) (out []page.Difference) {
	for _, c := range cs {
		out = append(out, page.Difference{Name: c.Name, A: c.A, B: c.B, Blocking: c.Blocking, Declared: c.Declared})
	}
	return out
}

func warnings(s analysis.Summary) (out []page.Warning) {
	for _, w := range ShownWarnings(s) {
		out = append(out, page.Warning{Code: string(w.Code), Text: w.Text, Serious: w.Code.Serious()})
	}
	return out
}

func adviceTexts(as []analysis.Advice) (out []string) {
	for _, a := range as {
		out = append(out, a.String())
	}
	return out
}

// complete replaces lists that are nil by empty ones, so that who reads the
// document may loop over them without asking.
func complete(s analysis.Summary) analysis.Summary {
	if s.Arms == nil {
		s.Arms = []analysis.ArmSummary{}
	}
	if s.Comparisons == nil {
		s.Comparisons = []analysis.Comparison{}
	}
	if s.Metrics == nil {
		s.Metrics = []string{}
	}
	if s.Warnings == nil {
		s.Warnings = []results.Warning{}
	}
	if s.Confounders == nil {
		s.Confounders = []analysis.Confounder{}
	}
	if s.Schema == "" {
		s.Schema = analysis.SchemaSummary
	}
	return s
}
