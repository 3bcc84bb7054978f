// Package culprit finds the change among many (commits, packages) at which a cost
// moved, from measurements that scatter: repeated bisection with a fixed number of
// tests a step is wrong too often where the effect is small, and measures too much
// where it is large.
//
// All that was measured goes into a posterior over the changes, which noisy binary
// search follows (Burnashev and Zigangirov 1974; Waeber, Frazier and Henderson 2013):
// the next test is where it says most. What comes out is compared with its
// predecessor afresh, by tests that had no part in choosing it.
package culprit

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"netab/analysis/stat"
)

// Options of a search. Zero values have defaults.
type Options struct {
	Weights []float64 // how likely each change is beforehand, by its index; of the first, which is good, none. nil = all alike
	AtLeast float64   // the smallest change of ln(cost) that matters
	Floor   float64   // the smallest scatter of ln(cost) that is believed
	Scatter float64   // of ln(cost) as it is beforehand, where it is known: one test of each end may then do to begin the search
	Most    int       // tests altogether
	Build   float64   // what it costs to make a change testable, in tests
}

const (
	defaultAtLeast = 0.001
	defaultFloor   = 1e-6
	defaultMost    = 400

	endTestsMost = 16   // of each end
	endAlpha     = 0.03 // of the ends differing, after all tests
	searchTests  = 12   // after which it is to be proved that there is anything to find
	oddsProof    = 20   // or which prove it
	sure         = 0.85 // posterior at which a suspect is put to the test
	restAlpha    = 0.01 // of a step not being all of the difference
	restHint     = 0.1  // that it may not be
	retrials     = 3    // suspects that did not hold, before the search gives up
	mostSteps    = 4    // changes that are told apart where there are several
	hint         = 5    // scatters between the ends, by one test of each, that are worth a search; what is found is proved afresh anyhow
)

// A look is taken at so many tests of each of two changes, and proves that they differ
// at alpha.
type look struct {
	tests int
	alpha float64
}

// The ends may be searched between on a hint, later it takes more, at last proof; two
// tests of each will do where there is next to no scatter. What is to be found in the
// rest of a change takes proof.
var (
	endLooks   = []look{{2, 0.001}, {4, 0.3}, {8, 0.1}, {endTestsMost, endAlpha}}
	innerLooks = []look{{2, 0.001}, {4, 0.01}, {8, 0.01}, {endTestsMost, 0.01}}
	freshLooks = []look{{2, 0.001}, {4, 0.05}, {8, 0.05}} // of a suspect and its predecessor; in the right direction, so half
)

// A Search is a record of tests, and what it makes of them. Everything that it says
// follows from the order in which it was told: one that is told the same again (a
// stopped search, read from its journal) goes on where it was.
type Search struct {
	last    int
	opts    Options
	values  map[int][]float64 // ln(cost), by change
	skipped map[int]bool
	code    map[int]string
	tests   int

	spans  []span // still to be searched, the last first
	steps  []Step
	unsure []span // whose ends differ, and in which nothing was confirmed
	answer *Answer
}

// A span of changes, of which the first is known without the change and the last with
// it.
type span struct {
	lo, hi  int
	phase   phase
	at      suspect
	fresh   map[int][]float64
	refuted int  // suspects that did not hold
	inner   bool // of a wider one in which a change was found
	proved  bool // that its ends differ
	tests   int  // of the search so far
}

// A suspect is the stretch after one testable change, up to another: of these, one.
type suspect struct{ before, at int }

type phase int

const (
	ends phase = iota
	search
	confirm
	prove // that the ends differ, after all
	again // the same after suspects did not hold
)

// New is a search among the changes 1 to last; 0 is good, last is bad.
func New(last int, o Options) *Search {
	o.AtLeast = cmp.Or(o.AtLeast, defaultAtLeast)
	o.Floor = cmp.Or(o.Floor, defaultFloor)
	o.Most = cmp.Or(o.Most, defaultMost)
	return &Search{last: last, opts: o, values: map[int][]float64{}, skipped: map[int]bool{}, code: map[int]string{},
		spans: []span{{lo: 0, hi: last}}}
}

// Told adds a test of a change: the logarithm of its cost.
func (s *Search) Told(change int, x float64) {
	s.tests++
	s.values[s.same(change)] = append(s.values[s.same(change)], x)
	if sp := s.span(); sp != nil && sp.phase == confirm {
		sp.fresh[change] = append(sp.fresh[change], x)
	} else if sp != nil && sp.phase == search {
		sp.tests++
	}
}

// Skip says that a change cannot be tested.
func (s *Search) Skip(change int) { s.skipped[change] = true }

// Code says what a change was made into: what has the code of another is not
// measured twice, and nothing between the two is to blame.
func (s *Search) Code(change int, code string) {
	if code == "" || s.code[change] != "" {
		return
	}
	s.code[change] = code
	as := s.same(change)
	for _, i := range slices.Sorted(maps.Keys(s.code)) { // in one order, for one sum
		if s.code[i] == code && i != as {
			s.values[as] = append(s.values[as], s.values[i]...)
			delete(s.values, i)
		}
	}
}

// same is the first change with this one's code.
func (s *Search) same(change int) int {
	as := change
	if code := s.code[change]; code != "" {
		for i, c := range s.code {
			if c == code {
				as = min(as, i)
			}
		}
	}
	return as
}

func (s *Search) span() *span {
	if len(s.spans) == 0 {
		return nil
	}
	return &s.spans[len(s.spans)-1]
}

// Wants is how many tests of the change that Next named are wanted at once: in a search
// one, of whose outcome the next depends.
func (s *Search) Wants(change int) int {
	sp := s.span()
	if sp == nil {
		return 0
	}
	have, looks := len(s.values[s.same(change)]), s.endLooks()
	switch sp.phase {
	case search:
		return 1
	case confirm:
		have, looks = len(sp.fresh[change]), s.freshLooks()
	case prove, again:
		return max(1, endTestsMost-have)
	}
	for _, l := range looks {
		if have < l.tests {
			return l.tests - have
		}
	}
	return 1
}

// endLooks are those of the ends. A first one, at one test of each, proves nothing.
func (s *Search) endLooks() []look {
	if s.opts.Scatter > 0 {
		return append([]look{{1, 0}}, endLooks...)
	}
	return endLooks
}

// freshLooks are those of a suspect and its predecessor. Where the scatter is next to none,
// one test more of each may prove it, by the scatter of all tests so far.
func (s *Search) freshLooks() []look {
	if _, df := s.noise(); s.opts.Scatter > 0 && df >= 2 {
		return append([]look{{1, 0.001}}, freshLooks...)
	}
	return freshLooks
}

// Beside is the change that the one that Next named is compared with, where it is two that
// are tested in turn; ahead is how many tests more it has. Where that is none, its test is
// likely to follow.
func (s *Search) Beside(change int) (other, ahead int, ok bool) {
	sp := s.span()
	if sp == nil {
		return 0, 0, false
	}
	lo, hi := sp.lo, sp.hi
	has := s.TestsOf
	switch sp.phase {
	case search:
		return 0, 0, false
	case confirm:
		lo, hi = sp.at.before, sp.at.at
		has = func(change int) int { return len(sp.fresh[change]) }
	}
	if other = lo; change == lo {
		other = hi
	}
	return other, has(other) - has(change), (change == lo || change == hi) && s.same(lo) != s.same(hi) && s.tests+1 < s.opts.Most
}

// TestsOf is how many tests a change has, or one with the same code.
func (s *Search) TestsOf(change int) int { return len(s.values[s.same(change)]) }

// Mean is that of all tests of a change, or of one with the same code.
func (s *Search) Mean(change int) float64 { return stat.NewSample(s.values[s.same(change)]).Mean }

// Tests are how many there were.
func (s *Search) Tests() int { return s.tests }

// Next is the change to test now; ok is false where there is an Answer.
func (s *Search) Next() (change int, ok bool) {
	for s.answer == nil {
		if s.tests >= s.opts.Most {
			s.end(true)
			break
		}
		sp := s.span()
		if sp == nil {
			s.end(false)
			break
		}
		if change, ok := s.next(sp); ok {
			return change, true
		}
	}
	return 0, false
}

// next is the test that a span wants; without one, the span went on or is over.
func (s *Search) next(sp *span) (int, bool) {
	switch sp.phase {
	case ends:
		return s.nextEnds(sp)
	case prove, again:
		if change, ok := s.fewer(sp.lo, sp.hi, endTestsMost); ok {
			return change, true
		}
		differ := s.differ(sp.lo, sp.hi, endAlpha)
		if differ && sp.phase == prove {
			sp.phase, sp.proved = search, true
			return 0, false
		}
		if differ {
			s.unsure = append(s.unsure, *sp)
		}
		s.over()
	case search:
		return s.nextSearch(sp)
	case confirm:
		return s.nextFresh(sp)
	}
	return 0, false
}

func (s *Search) over() { s.spans = s.spans[:len(s.spans)-1] }

// nextEnds compares the ends: as often as it takes to see whether there is anything
// to search for. Where they clearly differ, or might, the search itself will tell
// more than further tests of them.
func (s *Search) nextEnds(sp *span) (int, bool) {
	if sp.hi-sp.lo < 1 || s.same(sp.lo) == s.same(sp.hi) {
		s.over()
		return 0, false
	}
	looks := s.endLooks()
	if sp.inner {
		looks = innerLooks
	}
	for _, l := range looks {
		if change, ok := s.fewer(sp.lo, sp.hi, l.tests); ok {
			return change, true
		}
		if l.alpha == 0 {
			if d, _, _ := s.difference(sp.lo, sp.hi); math.Abs(d) > max(hint*s.opts.Scatter, s.opts.AtLeast) {
				sp.phase = search
				return 0, false
			}
			continue
		}
		if s.differ(sp.lo, sp.hi, l.alpha) {
			sp.phase, sp.proved = search, l.alpha <= endAlpha
			return 0, false
		}
		if d, se, df := s.difference(sp.lo, sp.hi); math.Abs(d)+stat.Critical(endAlpha, df)*se < s.opts.AtLeast {
			break // there is none that matters
		}
	}
	s.over()
	return 0, false
}

// fewer is the end that has fewer tests, while one has less than n.
func (s *Search) fewer(lo, hi, n int) (int, bool) {
	a, b := len(s.values[s.same(lo)]), len(s.values[s.same(hi)])
	switch {
	case min(a, b) >= n:
		return 0, false
	case a <= b:
		return lo, true
	default:
		return hi, true
	}
}

func (s *Search) nextSearch(sp *span) (int, bool) {
	stretches, p, apart, odds := s.posterior(sp)
	if sp.proved = sp.proved || odds >= oddsProof; !sp.proved && sp.tests >= searchTests {
		sp.phase = prove
		return 0, false
	}
	// What the ends promised by chance, many tests in between take back.
	if width := float64(sp.hi - sp.lo); sp.tests >= searchTests && odds < 1 || sp.tests > searchTests*(1+int(math.Log2(width))) {
		sp.phase = again
		return 0, false
	}
	best, most := -1, 0.0
	for i := range p {
		if p[i] > most {
			best, most = i, p[i]
		}
	}
	if best < 0 {
		sp.phase = again
		return 0, false
	}
	if most >= sure || len(stretches) == 1 {
		sp.phase, sp.at, sp.fresh = confirm, stretches[best], map[int][]float64{}
		return 0, false
	}
	return s.informative(sp, stretches, p, apart), true
}

// nextFresh compares a suspect with its predecessor by tests of their own.
func (s *Search) nextFresh(sp *span) (int, bool) {
	a, b := sp.fresh[sp.at.before], sp.fresh[sp.at.at]
	looks := s.freshLooks()
	for i, l := range looks {
		if min(len(a), len(b)) < l.tests {
			if len(a) <= len(b) {
				return sp.at.before, true
			}
			return sp.at.at, true
		}
		d, se, df := s.apart(a, b)
		whole, wholeSE, _ := s.difference(sp.lo, sp.hi)
		if stat.TTest(d, se, df) <= l.alpha && d*whole > 0 && math.Abs(d) >= min(s.opts.AtLeast, math.Abs(whole)/4) {
			// More tests where it may be a part of the difference only.
			if i+1 < len(looks) && math.Abs(whole-d) >= s.opts.AtLeast && stat.TTest(whole-d, math.Hypot(se, wholeSE), df) <= restHint {
				continue
			}
			s.found(sp, d, se, df)
			return 0, false
		}
		// Another round only where it may still turn out to be the change.
		if math.Abs(whole)-math.Copysign(1, whole)*d > 4*se && math.Abs(d) < math.Abs(whole)/4 {
			break
		}
	}
	sp.phase = search // the same suspect may come again: chance refutes one in fifty
	if sp.refuted++; sp.refuted >= retrials {
		sp.phase = again
	}
	return 0, false
}

// found keeps a step, and goes on before and behind it if it is not all of the
// difference.
func (s *Search) found(sp *span, d, se, df float64) {
	half := stat.Critical(0.05, df) * se
	s.steps = append(s.steps, Step{After: sp.at.before, At: sp.at.at, Change: d, Lo: d - half, Hi: d + half})
	lo, hi, at := sp.lo, sp.hi, sp.at
	whole, wholeSE, _ := s.difference(lo, hi)
	s.over()
	rest := math.Abs(whole - d)
	if len(s.steps) >= mostSteps || rest < s.opts.AtLeast || stat.TTest(rest, math.Hypot(se, wholeSE), df) > restAlpha {
		return
	}
	s.spans = append(s.spans, span{lo: at.at, hi: hi, inner: true}, span{lo: lo, hi: at.before, inner: true})
}
