package culprit

import (
	"math"

	"netab/results"
)

// What it takes to make a commit testable, in tests: a build of what it changed.
const buildTests = 2

// countScatter is that of counts of boots with different seeds, where they do the same:
// some hundredths of a per cent with datagrams, a few tenths with byte streams.
const countScatter = 0.002

// Empty is the search that a record's header asks for.
func Empty(h *results.BisectionHeader) *Search {
	weights := make([]float64, len(h.Changes))
	for i, c := range h.Changes {
		if weights[i] = c.Weight; c.Weight == 0 && i > 0 {
			weights[i] = 1
		}
	}
	o := Options{Weights: weights, AtLeast: h.AtLeast, Most: h.Most}
	if h.Repo != "" {
		o.Build = buildTests
	}
	if h.Mode == results.ModeCount {
		o.Scatter = countScatter
	}
	return New(len(h.Changes)-1, o)
}

// Of is the search that was told all that a record has, asked as it was asked then.
func Of(b *results.Bisection) *Search {
	s := Empty(&b.Header)
	for _, e := range b.Events {
		s.Next()
		s.Heed(e)
	}
	s.Next()
	return s
}

// Heed tells a search what was done.
func (s *Search) Heed(e results.BisectionEvent) {
	switch e.Type {
	case results.EventMade:
		s.Code(e.Change, e.Code)
	case results.EventSkipped:
		s.Skip(e.Change)
	case results.EventTest:
		s.Told(e.Change, e.Cost)
	}
}

// A Level is what the tests of a change came to.
type Level struct {
	Change int     `json:"change"`
	Same   int     `json:"same"` // the first change with the same code, whose tests they are too
	Tests  int     `json:"tests"`
	Mean   float64 `json:"mean"` // of ln(cost)
	SE     float64 `json:"se"`   // by the scatter of all tests
}

// Levels are those of the changes that were tested, or came to the code of one that was.
func (s *Search) Levels() []Level {
	sd, _ := s.noise()
	var out []Level
	for i := 0; i <= s.last; i++ {
		as := s.same(i)
		if n := len(s.values[as]); n > 0 {
			out = append(out, Level{i, as, n, s.Mean(i), sd / math.Sqrt(float64(n))})
		}
	}
	return out
}
