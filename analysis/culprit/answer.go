package culprit

import (
	"math"

	"netab/analysis/stat"
)

// An Outcome is how a search ended.
type Outcome string

// How a search ends.
const (
	Found        Outcome = "found"         // one step is the change
	Several      Outcome = "several"       // it came in steps
	NotConfirmed Outcome = "not-confirmed" // the ends differ, and no suspect held
	NoChange     Outcome = "no-change"     // the ends do not differ, or not by what matters
	OutOfTests   Outcome = "out-of-tests"
)

// A Step is a change that was found: one of those after After, up to At. There are
// several only where those between could not be tested.
type Step struct {
	After  int     `json:"after"`
	At     int     `json:"at"`
	Change float64 `json:"change"` // of ln(cost), by tests that were made for this alone
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`
}

// An Answer is what came of a search.
type Answer struct {
	Outcome Outcome `json:"outcome"`
	Steps   []Step  `json:"steps"`
	// Unsure are stretches whose ends differ, and in which no suspect held.
	Unsure [][2]int `json:"unsure,omitempty"`
	// Whole is the difference between the ends.
	Whole     float64 `json:"whole"`
	Lo        float64 `json:"lo"`
	Hi        float64 `json:"hi"`
	Identical bool    `json:"identical"` // not a digit of the ends' costs differs
	Tests     int     `json:"tests"`
}

// Answer is nil while Next has something to test.
func (s *Search) Answer() *Answer { return s.answer }

func (s *Search) end(outOfTests bool) {
	d, se, df := s.difference(0, s.last)
	half := stat.Critical(0.05, df) * se
	a := &Answer{Steps: s.steps, Whole: d, Lo: d - half, Hi: d + half, Tests: s.tests}
	all := append(append([]float64{}, s.values[s.same(0)]...), s.values[s.same(s.last)]...)
	a.Identical = len(all) > 1 && stat.Flat(all)
	for _, sp := range s.unsure {
		a.Unsure = append(a.Unsure, [2]int{sp.lo, sp.hi})
	}
	switch {
	case outOfTests:
		a.Outcome = OutOfTests
		for _, sp := range s.spans {
			a.Unsure = append(a.Unsure, [2]int{sp.lo, sp.hi})
		}
	case len(s.steps) > 1 || len(s.steps) == 1 && len(a.Unsure) > 0:
		a.Outcome = Several
	case len(s.steps) == 1:
		a.Outcome = Found
	case len(a.Unsure) > 0:
		a.Outcome = NotConfirmed
	default:
		a.Outcome = NoChange
	}
	if math.IsNaN(a.Lo) {
		a.Lo, a.Hi = d, d
	}
	s.answer = a
}
