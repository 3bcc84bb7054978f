package trend

import (
	"fmt"
	"strings"
	"time"

	"netab/analysis"
	"netab/results"
	"netab/results/vocab"
)

var codeSilentRuns = vocab.Warns("silent-runs")

// A run in which an arm received nothing is no point on a scale of logarithms,
// and no gap either: what is missing because of the outcome is an outcome. Where
// more is better, nothing after something is a regression, and needs no second
// run: all trials of the run agree.

// A Silent run is one in which the series' arm received nothing.
type Silent struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	Kernel  string    `json:"kernel"`
}

// Newest is the value of the newest run: none where nothing was received.
func (s *Series) Newest() (value float64, ok bool) {
	n := len(s.Points)
	if n == 0 || len(s.Silent) > 0 && s.Silent[len(s.Silent)-1].Started.After(s.Points[n-1].Started) {
		return 0, false
	}
	return s.Points[n-1].Value, true
}

// Level is what the newest runs are held against: that before the tail where the
// tail has left it.
func (s *Series) Level() (value float64, ok bool) {
	switch {
	case len(s.Segments) == 0:
		return 0, false
	case s.Tail.State == Suspect || s.Tail.State == Changed:
		return s.Tail.Level, true
	}
	return s.Segments[len(s.Segments)-1].Level, true
}

// began and ended are when the first and the last run of a series did, silent
// ones too.
func (c *column) began() time.Time {
	first := time.Time{}
	for _, ps := range [][]Point{c.points, c.silent} {
		if len(ps) > 0 && (first.IsZero() || ps[0].Started.Before(first)) {
			first = ps[0].Started
		}
	}
	return first
}

func (c *column) ended() time.Time {
	last := time.Time{}
	for _, ps := range [][]Point{c.points, c.silent} {
		if len(ps) > 0 && ps[len(ps)-1].Started.After(last) {
			last = ps[len(ps)-1].Started
		}
	}
	return last
}

// fallenSilent is how many runs there are after the last point.
func (c *column) fallenSilent() int {
	n := 0
	for i := len(c.silent) - 1; i >= 0; i-- {
		if len(c.points) > 0 && !c.silent[i].Started.After(c.points[len(c.points)-1].Started) {
			break
		}
		n++
	}
	return n
}

// hush adds to a series the runs in which nothing was received.
func (s *Series) hush(c *column) {
	if len(c.silent) == 0 {
		return
	}
	var names []string
	for _, p := range c.silent {
		s.Silent = append(s.Silent, Silent{p.Run, p.Started, p.Kernel})
		names = append(names, p.Run)
	}
	const shown = 5
	if more := len(names) - shown; more > 0 {
		names = append(names[:shown:shown], fmt.Sprintf("%d more", more))
	}
	s.Warnings = append(s.Warnings, results.Warning{Code: codeSilentRuns, Text: fmt.Sprintf(
		"in %d of %d runs nothing was received: %s", len(c.silent), len(c.silent)+len(c.points), strings.Join(names, ", "))})
	n := c.fallenSilent()
	if n == 0 || s.Better != analysis.Higher {
		return
	}
	first := c.silent[len(c.silent)-n]
	if len(c.points) == 0 {
		s.State, s.Verdict = TooShort, ""
		s.Text = fmt.Sprintf("In none of %s was anything received: there is no level to compare with.", runs(n))
		return
	}
	base := s.Segments[len(s.Segments)-1]
	s.State, s.Verdict = Changed, analysis.Regression
	s.Tail = Tail{State: Changed, Base: base.To - base.From, Level: base.Level, Lo: base.Level, Hi: base.Level, Change: -1}
	s.Text = fmt.Sprintf("CHANGED (%s): since run %s (%s) nothing is received any more.", s.Verdict, first.Run, kernel(first.Kernel))
}
