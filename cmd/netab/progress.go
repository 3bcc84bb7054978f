package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/report/labels"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/runner"
)

// A progress is one line on a terminal, rewritten after each trial: between
// trials only, because whatever runs while slices run takes CPU from them.
type progress struct {
	w       io.Writer // nil = silent
	name    string
	maxTime time.Duration
	// headline is the metric whose level is shown where nothing is compared.
	headline string
}

// newProgress is silent unless w is a terminal that can erase a line.
func newProgress(w io.Writer, q *question.Question, silent bool) *progress {
	m := q.Measure
	p := &progress{name: q.Name, maxTime: time.Duration(m.MaxTime)}
	if len(m.Metrics) > 0 {
		p.headline = m.Metrics[0]
	}
	if !silent && isTerminal(w) && os.Getenv("TERM") != "dumb" {
		p.w = w
	}
	return p
}

// tryOut is what is seen until there is a plan.
func (p *progress) tryOut(arms int) {
	p.show(fmt.Sprintf("%s: trying out the settings of %s", p.name, prose.Counted(arms, "arm")), nil)
}

// begin is what is seen until the first trial has ended.
func (p *progress) begin(plan *runner.Preview) {
	p.show(fmt.Sprintf("%s: trial 1, about %v each, at most %v", p.name, plan.Each().Round(100*time.Millisecond), p.maxTime), nil)
}

// wait is what is seen between two sessions.
func (p *progress) wait(until time.Time) {
	p.show(fmt.Sprintf("%s: the next session begins at %s (Ctrl-C ends here)", p.name, until.Local().Format(time.TimeOnly)), nil)
}

// explaining is what is seen behind the verdict.
func (p *progress) explaining(elapsed, of time.Duration) {
	p.show(fmt.Sprintf("%s: measuring why, %v left at most", p.name, max(0, of-elapsed).Round(time.Second)), nil)
}

func (p *progress) update(trials []results.Trial, elapsed time.Duration, d analysis.Decision) {
	left := max(0, p.maxTime-elapsed).Round(time.Second)
	head := fmt.Sprintf("trial %d, %v left at most", len(trials), left)
	var fields []field
	for _, c := range d.Comparisons {
		change := fmt.Sprintf("%+.1f %%", 100*c.Change)
		switch {
		case !c.Judged || c.N == 0 || c.Untold():
		case c.N == 1: // no interval
			fields = append(fields, field{c.Arm, change, ""})
		default:
			fields = append(fields, field{c.Arm, change, fmt.Sprintf("(%+.1f to %+.1f)", 100*c.Lo, 100*c.Hi)})
		}
	}
	if len(d.Comparisons) == 0 {
		fields = levelFields(d.Levels, p.headline)
	}
	p.show(head, fields)
}

func (p *progress) show(head string, fields []field) {
	if p.w != nil {
		// The last column stays free: some terminals wrap when it is written to.
		rewrite(p.w, "%s", progressLine(head, fields, widthOf(p.w)-1))
	}
}

func (p *progress) close() {
	if p.w != nil {
		rewrite(p.w, "")
	}
}

// A field of the progress line is how an arm does so far.
type field struct{ arm, value, interval string }

// progressLine is as much of the state as fits into one line: intervals go
// first, then what the arms' names have in common, then arms.
func progressLine(head string, fields []field, width int) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.arm
	}
	line := func(labels []string, intervals bool, shown int) string {
		text := head
		for i, f := range fields[:shown] {
			words := []string{labels[i], f.value}
			if intervals {
				words = append(words, f.interval)
			}
			text += " | " + strings.Join(strings.Fields(strings.Join(words, " ")), " ")
		}
		if more := len(fields) - shown; more > 0 {
			text += fmt.Sprintf(" | %d more", more)
		}
		return text
	}
	short := labels.Short(names, 12)
	for _, text := range []string{line(names, true, len(fields)), line(short, true, len(fields)), line(names, false, len(fields))} {
		if utf8.RuneCountInString(text) <= width {
			return text
		}
	}
	for shown := len(fields); shown > 0; shown-- {
		if text := line(short, false, shown); utf8.RuneCountInString(text) <= width {
			return text
		}
	}
	return cut(head, width)
}

// levelFields are how well the headline metric of each arm is known so far.
func levelFields(arms []analysis.ArmSummary, metric string) (out []field) {
	for _, a := range arms {
		l, ok := a.Metrics[metric]
		if !ok {
			continue
		}
		scale, unit := 1.0, l.Unit
		if unit == "bit/s" {
			scale, unit = 1e9, "Gbit/s"
		}
		out = append(out, field{"", fmt.Sprintf("%.4g %s", l.Mean/scale, unit), fmt.Sprintf("(%.4g to %.4g)", l.Lo/scale, l.Hi/scale)})
	}
	return out
}
