package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"netab/analysis"
	"netab/results"
)

// A progress is one line on a terminal, rewritten after each trial: between
// trials only, because whatever runs while slices run takes CPU from them.
type progress struct {
	w       io.Writer // nil = silent
	maxTime time.Duration
	// headline is the metric whose level is shown where nothing is compared.
	headline string
}

// newProgress is silent unless w is a terminal that can erase a line.
func newProgress(w io.Writer, l *loaded, silent bool) *progress {
	m := l.Measure
	p := &progress{maxTime: time.Duration(m.MaxTime)}
	if len(m.Metrics) > 0 {
		p.headline = m.Metrics[0]
	}
	if !silent && isTerminal(w) && os.Getenv("TERM") != "dumb" {
		p.w = w
		fmt.Fprintf(w, "%s: %d arms, at most %v\r", l.Name, len(l.arms), p.maxTime)
	}
	return p
}

// clearLine returns to the line's begin and erases it (ECMA-48 EL).
const clearLine = "\r\x1b[K"

func (p *progress) update(trials []results.Trial, elapsed time.Duration, d analysis.Decision) {
	if p.w == nil {
		return
	}
	left := max(0, p.maxTime-elapsed).Round(time.Second)
	line := fmt.Sprintf("trial %d, %v left at most", len(trials), left)
	for _, c := range d.Comparisons {
		switch {
		case !c.Judged || c.N == 0:
		case c.N == 1: // no interval
			line += fmt.Sprintf(" | %s %+.1f %%", c.Arm, 100*c.Change)
		default:
			line += fmt.Sprintf(" | %s %+.1f %% (%+.1f to %+.1f)", c.Arm, 100*c.Change, 100*c.Lo, 100*c.Hi)
		}
	}
	if len(d.Comparisons) == 0 {
		line += level(d.Levels, p.headline)
	}
	if len(line) > 99 {
		line = line[:96] + "..."
	}
	fmt.Fprint(p.w, clearLine, strings.ToValidUTF8(line, ""))
}

func (p *progress) close() {
	if p.w != nil {
		fmt.Fprint(p.w, clearLine)
	}
}

// level is how well the headline metric of each arm is known so far.
func level(arms []analysis.ArmSummary, metric string) (text string) {
	for _, a := range arms {
		l, ok := a.Metrics[metric]
		if !ok {
			continue
		}
		scale, unit := 1.0, l.Unit
		if unit == "bit/s" {
			scale, unit = 1e9, "Gbit/s"
		}
		text += fmt.Sprintf(" | %.4g %s (%.4g to %.4g)", l.Mean/scale, unit, l.Lo/scale, l.Hi/scale)
	}
	return text
}
