package html

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/report/figure"
	"netab/analysis/trend"
)

// Bounds of the page of a store, by which that of any is some megabytes. What is left
// out is counted where it would stand.
const (
	maxQuestions   = 1000
	maxAnswers     = 2000 // of all questions; of one as many as that leaves, but for maxOfOne
	maxRunsShown   = 5000 // likewise
	maxOfOne       = 16   // answers of one question
	maxRunsOfOne   = 200
	maxUnusedShown = 100
	maxFilters     = 200 // of each kind, to filter by
	maxSpark       = 40  // runs that a sparkline draws
	maxAlerts      = 10
	maxWith        = 3 // runs that a contradiction names
	maxText        = 200
)

// A storePage is an overview, ready for page/store.html.tmpl.
type storePage struct {
	frame
	Answer, Span                 string
	Alerts                       []storeAlert
	MoreAlerts                   string
	Machines, Kernels, Scenarios []string
	Spark                        int
	Questions                    []storeQuestion
	MoreQuestions                string
	Unused                       []trend.Unused
	MoreUnused                   string
	Rules                        string
}

type storeAlert struct{ ID, Name, Text string }

type storeQuestion struct {
	ID, Scenario, Context string
	MachineAt, ScenarioAt int // among those to filter by
	KernelsAt             string
	Contradicted          bool
	Answers               []storeAnswer
	None, MoreAnswers     string
	Runs                  []storeRun // newest first
	MoreRuns              string
}

type storeAnswer struct {
	Arm, Baseline, Metric  string
	Class, Symbol, Words   string
	Runs                   int
	Newest, Interval, Note string
	Line, Zero, X, Y, Alt  string // of the sparkline
	Contradictions         []string
}

type storeRun struct{ ID, When, Kernel, Unused, Link string }

// Store writes what a store knows as one page, which works without scripts but for its
// filters. report is the address of a run's report, relative to the page; "" = there is
// none.
func Store(w io.Writer, o trend.Overview, report func(run string) string) error {
	p := newStorePage(&o, report)
	if err := p.embedPlain("store.js"); err != nil {
		return err
	}
	return execute(w, "store.html.tmpl", p)
}

func newStorePage(o *trend.Overview, report func(run string) string) *storePage {
	p := &storePage{frame: frame{Title: "netab: results"}, Machines: filters(o.Machines), Scenarios: filters(o.Scenarios), Kernels: filters(o.Kernels), Spark: maxSpark,
		Rules: fmt.Sprintf("A question is what the arms were asked to be, of one machine; a run is a point of it unless it was cut off, failed or was disturbed. Verdicts and intervals are those of each run by itself. Each of a question's newest %d runs is held against up to %d earlier ones under the same kernel, in the same state of the machine: they contradict each other if they differ by more than the resolution, and by more than chance allows or are sure of opposite signs. netab results show judges a run again; netab trend finds when a figure changed.",
			trend.MaxHeld, trend.MaxEarlier)}
	p.count(o)
	machines, scenarios, kernels := places(o.Machines[:len(p.Machines)]), places(o.Scenarios[:len(p.Scenarios)]), places(o.Kernels[:len(p.Kernels)])
	shown := o.Questions[:min(len(o.Questions), maxQuestions)]
	if n := len(o.Questions) - len(shown); n > 0 {
		p.MoreQuestions = fmt.Sprintf("%s older %s not listed.", prose.Grouped(int64(n)), areNot(n, "question"))
	}
	answers := share(maxAnswers, maxOfOne, len(shown))
	runs := share(maxRunsShown, maxRunsOfOne, len(shown))
	for i := range shown {
		q := &shown[i]
		v := storeQuestion{ID: fmt.Sprintf("q%d", i+1), Scenario: short(q.Scenario), Context: questionContext(q),
			MachineAt: machines.of(q.Machine), ScenarioAt: scenarios.of(q.Scenario), Contradicted: q.Contradicts(), None: "no figure yet"}
		var at []string
		for _, k := range q.Kernels {
			if n := kernels.of(k); n >= 0 {
				at = append(at, strconv.Itoa(n))
			}
		}
		v.KernelsAt = strings.Join(at, " ")
		list := q.FirstContradicted()
		for k := range list[:min(len(list), answers)] {
			v.Answers = append(v.Answers, newStoreAnswer(&list[k]))
		}
		if n := len(list) - answers; n > 0 {
			v.MoreAnswers = fmt.Sprintf("and %s more; netab results show has them", prose.Grouped(int64(n)))
		}
		v.Runs, v.MoreRuns = runsOfQuestion(q, runs, report)
		p.Questions = append(p.Questions, v)
		if v.Contradicted {
			p.alert(v, list)
		}
	}
	if n := len(p.Alerts) - maxAlerts; n > 0 {
		p.Alerts, p.MoreAlerts = p.Alerts[:maxAlerts], fmt.Sprintf("And %d more below.", n)
	}
	return p
}

// count is what the page says first.
func (p *storePage) count(o *trend.Overview) {
	p.Unused = slices.Clone(o.Unused[max(0, len(o.Unused)-maxUnusedShown):])
	slices.Reverse(p.Unused)
	for i, u := range p.Unused {
		p.Unused[i].Why = short(u.Why)
	}
	if n := len(o.Unused) - len(p.Unused); n > 0 {
		p.MoreUnused = fmt.Sprintf("%s older ones are not listed.", prose.Grouped(int64(n)))
	}
	if o.Runs == 0 {
		p.Answer = "Nothing yet: there is no run in it."
		return
	}
	contradicted := 0
	for i := range o.Questions {
		if o.Questions[i].Contradicts() {
			contradicted++
		}
	}
	agree := "nowhere do the newest runs contradict earlier ones"
	if contradicted > 0 {
		agree = fmt.Sprintf("of %s the newest runs contradict earlier ones", prose.Counted(contradicted, "question"))
	}
	p.Answer = fmt.Sprintf("%s %s of %s on %s; %s.", prose.Grouped(int64(o.Runs)), prose.Plural(o.Runs, "run"), prose.Counted(len(o.Questions), "question"), prose.Counted(len(o.Machines), "machine"), agree)
	if !o.Since.IsZero() {
		p.Span = fmt.Sprintf("%s to %s · %s · %s", day(o.Since), day(o.Until), prose.Counted(len(o.Kernels), "kernel"), prose.Counted(len(o.Scenarios), "scenario"))
	}
}

// alert tells of the newest contradiction of a question.
func (p *storePage) alert(v storeQuestion, list []trend.Answer) {
	a := &list[0] // contradicted ones are first
	p.Alerts = append(p.Alerts, storeAlert{v.ID, v.Scenario + ", arm " + short(a.Arm), fmt.Sprintf("%s: %s", figure.InfoOf(a.Metric).Title, contradicted(a.Contradictions[0]))})
}

// contradicted is in the words of a cell: run X: A, B and 2 more.
func contradicted(c trend.Contradicted) string {
	text := fmt.Sprintf("run %s by %s", short(c.Run), strings.Join(shortened(c.With[:min(len(c.With), maxWith)]), ", "))
	if n := len(c.With) - maxWith; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	if !c.Opposed {
		text += ", but for its direction"
	}
	return text
}

func newStoreAnswer(a *trend.Answer) storeAnswer {
	last := a.Newest()
	v := storeAnswer{Arm: short(a.Arm), Baseline: short(a.Baseline), Metric: short(figure.InfoOf(a.Metric).Title), Runs: len(a.Points), Class: "muted"}
	if a.Baseline == "" {
		m, _ := analysis.LookupMetric(a.Metric)
		v.Newest = figure.InfoOf(a.Metric).Scale(m.Unit, []float64{last.Value}, nil).With(last.Value)
	} else {
		v.Newest, v.Interval = changeText(last.Value, a.Difference), changeText(last.Lo, a.Difference)+" to "+changeText(last.Hi, a.Difference)
		if max(-last.Lo, last.Hi) < absurd {
			v.Interval = prose.Interval(last.Lo, last.Hi, a.Difference)
		}
		v.Class, v.Symbol, v.Words = string(analysis.Inconclusive), page.VerdictSymbol(last.Verdict), "no verdict"
		if slices.Contains([]analysis.Verdict{analysis.Improvement, analysis.Regression, analysis.Equivalent}, last.Verdict) {
			v.Class, v.Words = string(last.Verdict), string(last.Verdict)
		}
	}
	if a.Missing {
		v.Note = "of an earlier run: the newest has no figure of it"
	}
	v.spark(a)
	for i, c := range a.Contradictions[:min(len(a.Contradictions), maxWith)] {
		text := contradicted(c)
		if i == maxWith-1 && len(a.Contradictions) > maxWith {
			text += fmt.Sprintf("; so are %d older runs", len(a.Contradictions)-maxWith)
		}
		v.Contradictions = append(v.Contradictions, text)
	}
	return v
}

// absurd is a change that nobody reads to the last digit: that a stranger wrote.
const absurd = 1e6

func changeText(x float64, difference bool) string {
	switch {
	case x >= absurd:
		return "over " + prose.Change(absurd, difference)
	case x <= -absurd:
		return "below " + prose.Change(-absurd, difference)
	}
	return prose.Change(x, difference)
}

// spark draws the newest runs. A change has a line at zero where that is in the picture.
func (v *storeAnswer) spark(a *trend.Answer) {
	const width, height, edge = 132, 26, 3
	points := a.Points[max(0, len(a.Points)-maxSpark):]
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		lo, hi = min(lo, p.Value), max(hi, p.Value)
	}
	if a.Baseline != "" { // how far from none is what a change is about, and less than matters looks like nothing
		lo, hi = min(lo, -a.Resolution), max(hi, a.Resolution)
	}
	y := func(x float64) string {
		// Halves, for the span of what a stranger wrote may be more than a float holds.
		at := 0.5
		if span := hi/2 - lo/2; span > 0 {
			at = (hi/2 - x/2) / span
		}
		return strconv.FormatFloat(edge+at*(height-2*edge), 'f', 1, 64)
	}
	var line []string
	for i, p := range points {
		x := float64(width) - edge
		if len(points) > 1 {
			x = edge + (width-2*edge)*float64(i)/float64(len(points)-1)
		}
		v.X, v.Y = strconv.FormatFloat(x, 'f', 1, 64), y(p.Value)
		line = append(line, v.X+","+v.Y)
	}
	v.Line = strings.Join(line, " ")
	v.Alt = fmt.Sprintf("%s, the newest %s", prose.Counted(len(points), "run"), v.Newest)
	if a.Baseline != "" {
		v.Zero = y(0)
	}
}

func runsOfQuestion(q *trend.Question, most int, report func(string) string) (out []storeRun, more string) {
	for _, r := range slices.Backward(q.Runs[max(0, len(q.Runs)-most):]) {
		out = append(out, storeRun{ID: short(r.ID), When: r.Started.UTC().Format("2006-01-02 15:04"), Kernel: short(r.Kernel), Unused: short(r.Unused), Link: report(r.ID)})
	}
	if n := len(q.Runs) - most; n > 0 {
		more = fmt.Sprintf("%s older %s not listed; netab results has them.", prose.Grouped(int64(n)), areNot(n, "run"))
	}
	return out, more
}

func questionContext(q *trend.Question) string {
	parts := []string{short(q.Machine)}
	if len(q.Kernels) > 0 {
		text := short(q.Kernels[0])
		if n := len(q.Kernels) - 1; n > 0 {
			text += " and " + prose.Counted(n, "earlier kernel")
		}
		parts = append(parts, text)
	}
	parts = append(parts, prose.Counted(len(q.Runs), "run"), "newest "+day(q.Runs[len(q.Runs)-1].Started))
	if q.Asked != "" {
		parts = append(parts, "question "+q.Asked[:min(len(q.Asked), 8)])
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// share is how much each of n gets of so much, at least 1 and at most so much.
func share(all, most, n int) int { return max(1, min(most, all/max(n, 1))) }

func areNot(n int, noun string) string {
	if n == 1 {
		return noun + " is"
	}
	return noun + "s are"
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// short bounds a text of a record: there are thousands on the page.
func short(s string) string {
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText-1]) + "…"
	}
	return s
}

func shortened(list []string) (out []string) {
	for _, s := range list {
		out = append(out, short(s))
	}
	return out
}

// filters are the newest that there are to choose from.
func filters(list []string) []string { return shortened(list[:min(len(list), maxFilters)]) }

// positions are where texts stand in a list.
type positions map[string]int

func places(list []string) positions {
	out := positions{}
	for i, s := range list {
		out[s] = i
	}
	return out
}

// of is -1 where it stands nowhere.
func (p positions) of(s string) int {
	if i, ok := p[s]; ok {
		return i
	}
	return -1
}
