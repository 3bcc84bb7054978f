package trend

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/analysis/prose"
)

// Percent writes a change: "+4.2 %", or "+0.31 points" where it is a
// difference of fractions.
func Percent(x float64, difference bool) string { return prose.Change(x, difference) }

// sentence says in plain words what the series does now.
func (s *Series) sentence() string {
	n := len(s.Points)
	switch s.State {
	case TooShort:
		if len(s.Changes) == 0 {
			return fmt.Sprintf("Only %s: too few to know a level by (%d are needed).", runs(n), MinSegment+1)
		}
		return fmt.Sprintf("The present level has only %s so far.", runs(n-s.Segments[len(s.Segments)-1].From))
	case Suspect:
		if s.Tail.Points > 1 {
			return fmt.Sprintf("SUSPECT: the newest %s together are %s off the level of the %s before them (%s), but none before the newest stands out alone: measure again.",
				runs(s.Tail.Points), Percent(s.Tail.Change, s.Difference), runs(s.Tail.Base), s.Verdict)
		}
		return fmt.Sprintf("SUSPECT: the newest run %s (%s) is %s off the level of the %s before it (%s), outside what one run varies by. One run proves nothing: measure again.",
			s.Points[n-1].Run, kernel(s.Points[n-1].Kernel), Percent(s.Tail.Change, s.Difference), runs(s.Tail.Base), s.Verdict)
	case Changed:
		if s.Tail.State == Changed {
			first := s.Points[n-s.Tail.Points]
			return fmt.Sprintf("CHANGED (%s): the newest %s, from %s (%s) on, are %s off the level of the %s before them, each of them outside what one run varies by.",
				s.Verdict, runs(s.Tail.Points), first.Run, kernel(first.Kernel), Percent(s.Tail.Change, s.Difference), runs(s.Tail.Base))
		}
		if c := s.News(); c != nil {
			return fmt.Sprintf("CHANGED (%s): since run %s the level is another by %s (%s to %s)%s.",
				c.Verdict, c.Run, Percent(c.Change, s.Difference), Percent(c.Lo, s.Difference), Percent(c.Hi, s.Difference), between(*c))
		}
		sl := s.Slide
		return fmt.Sprintf("CHANGED (%s): the newest %s are %s (%s to %s) off the %s from %s to %s, and no step between them explains it: the level slides.",
			sl.Verdict, runs(sl.Runs), Percent(sl.Change, s.Difference), Percent(sl.Lo, s.Difference), Percent(sl.Hi, s.Difference), runs(anchorRuns), sl.From, sl.To)
	}
	text := "Steady: the newest run fits the present level."
	if len(s.Changes) > 0 {
		c := s.Changes[len(s.Changes)-1]
		text += fmt.Sprintf(" The last change was %s at run %s%s.", Percent(c.Change, s.Difference), c.Run, between(c))
	}
	return text
}

// between names the kernels on both sides of a change, or what else differs.
func between(c ChangePoint) string {
	if c.Before != c.After {
		return fmt.Sprintf(", from kernel %s to %s", c.Before, c.After)
	}
	if len(c.Differs) == 0 {
		return ", with nothing recorded that differs"
	}
	var names []string
	for _, d := range c.Differs[:min(3, len(c.Differs))] {
		names = append(names, d.Name)
	}
	return ", where also differs: " + strings.Join(names, ", ")
}

func kernel(release string) string {
	if release == "" {
		return "kernel unknown"
	}
	return "kernel " + release
}

func runs(n int) string { return prose.Counted(n, "run") }

func (h *History) answer() string {
	if len(h.Series) == 0 {
		return "There is no run with such a series in the store."
	}
	count := map[State]int{}
	worse, acknowledged := 0, 0
	for _, s := range h.Series {
		if s.Outcome == gate.Acknowledged {
			acknowledged++
			continue
		}
		count[s.State]++
		if s.State == Changed && s.Verdict == analysis.Regression {
			worse++
		}
	}
	var parts []string
	say := func(n int, text string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, text))
		}
	}
	say(worse, "changed for the worse")
	say(count[Changed]-worse, "changed for the better")
	say(count[Suspect], "suspect: measure again")
	say(acknowledged, "worse as acknowledged")
	say(count[Steady], "steady")
	say(count[TooShort], "with too few runs to tell")
	text := fmt.Sprintf("Of %d series, %s.", len(h.Series), strings.Join(parts, ", "))
	var said []Unused
	for _, s := range h.Series {
		if s.Newer != nil && !slices.Contains(said, *s.Newer) {
			said = append(said, *s.Newer)
			text += " " + s.Newer.sentence()
		}
	}
	return text
}
