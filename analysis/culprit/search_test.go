package culprit

import (
	"math"
	"math/rand/v2"
	"testing"
)

// world is changes with their true levels.
type world struct {
	last    int
	level   func(change int) float64
	noise   float64
	skipped map[int]bool
	code    func(change int) string
}

// drive carries a search out.
func (w world) drive(o Options, rng *rand.Rand) (*Answer, map[int]int) {
	s := New(w.last, o)
	tested, made := map[int]int{}, map[int]bool{}
	for {
		c, ok := s.Next()
		if !ok {
			return s.Answer(), tested
		}
		if w.skipped[c] {
			s.Skip(c)
			continue
		}
		if w.code != nil && !made[c] {
			made[c] = true
			s.Code(c, w.code(c))
			continue // it may be known already
		}
		tested[c]++
		s.Told(c, w.level(c)+w.noise*rng.NormFloat64())
	}
}

func step(at int, by float64) func(int) float64 {
	return func(c int) float64 {
		if c >= at {
			return by
		}
		return 0
	}
}

// TestManyCommits: 1,024 changes and an effect of two standard errors of one test. An
// answer in nine of ten searches, right in 95 % of those, with half of the tests of a
// bisection that repeats each step until all ten are right in 95 %.
func TestManyCommits(t *testing.T) {
	const searches, last, effect = 200, 1024, 0.02
	found, right, tests := 0, 0, 0
	out := map[Outcome]int{}
	for i := range searches {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		at := 1 + rng.IntN(last)
		a, _ := world{last: last, level: step(at, effect), noise: effect / 2}.drive(Options{}, rng)
		out[a.Outcome]++
		tests += a.Tests
		if a.Outcome == Found {
			found++
			if a.Steps[0].At == at {
				right++
			}
		}
	}
	repeated := repeatedBisection(last, 0.95)
	mean := float64(tests) / searches
	t.Logf("answers %v, %d of %d right, %.1f tests; repeated bisection %d", out, right, found, mean, repeated)
	if found < searches*9/10 || float64(right) < 0.95*float64(found) || mean > float64(repeated)/2 {
		t.Error("too few, too wrong or too many")
	}
}

// repeatedBisection is how many tests git bisect takes among so many changes at an
// effect of two standard errors, where every step is repeated r times and its mean held
// against the middle of the ends, which are tested r times too.
func repeatedBisection(last int, right float64) int {
	steps := int(math.Ceil(math.Log2(float64(last))))
	for r := 1; ; r++ {
		// The middle has the variance 1/(2r) of a test's, a step's mean 1/r.
		wrong := 0.5 * math.Erfc(1/math.Sqrt(1.5/float64(r))/math.Sqrt2)
		if math.Pow(1-wrong, float64(steps)) >= right {
			return r * (steps + 2)
		}
	}
}

func TestNoChange(t *testing.T) {
	const searches = 200
	out := map[Outcome]int{}
	tests := 0
	for i := range searches {
		rng := rand.New(rand.NewPCG(uint64(i), 2))
		a, _ := world{last: 1024, level: step(2000, 0), noise: 0.01}.drive(Options{}, rng)
		out[a.Outcome]++
		tests += a.Tests
	}
	t.Logf("%v, %.1f tests", out, float64(tests)/searches)
	if out[NoChange] < searches*95/100 {
		t.Errorf("%v", out)
	}
}

// TestExact: without scatter nothing is tested oftener than it takes.
func TestExact(t *testing.T) {
	for _, last := range []int{1, 2, 16, 64, 1000} {
		for _, at := range []int{1, (last + 1) / 2, last} {
			a, tested := world{last: last, level: step(at, 0.03)}.drive(Options{}, rand.New(rand.NewPCG(1, 1)))
			most := 4 + int(math.Ceil(math.Log2(float64(last)))) + 4
			if a.Outcome != Found || a.Steps[0] != (Step{at - 1, at, a.Steps[0].Change, a.Steps[0].Lo, a.Steps[0].Hi}) || math.Abs(a.Steps[0].Change-0.03) > 1e-9 || a.Tests > most {
				t.Errorf("change %d of %d: %+v, want at most %d tests; tested %v", at, last, a, most, tested)
			}
		}
	}
	a, _ := world{last: 1000, level: step(2000, 0)}.drive(Options{}, rand.New(rand.NewPCG(1, 1)))
	if a.Outcome != NoChange || !a.Identical || a.Tests != 4 {
		t.Errorf("the same: %+v", a)
	}
	a, _ = world{last: 1000, level: step(500, 0.0004)}.drive(Options{}, rand.New(rand.NewPCG(1, 1)))
	if a.Outcome != Found || a.Steps[0].At != 500 {
		t.Errorf("less than matters, and without doubt: %+v", a)
	}
}

// TestUntestable: of changes that cannot be built nobody knows which it was.
func TestUntestable(t *testing.T) {
	w := world{last: 64, level: step(40, 0.03), noise: 0.002, skipped: map[int]bool{38: true, 39: true, 40: true, 7: true, 63: true}}
	a, tested := w.drive(Options{}, rand.New(rand.NewPCG(1, 1)))
	if a.Outcome != Found || a.Steps[0].After != 37 || a.Steps[0].At != 41 {
		t.Errorf("%+v", a)
	}
	for c := range w.skipped {
		if tested[c] > 0 {
			t.Errorf("%d cannot be tested, and was", c)
		}
	}
}

// TestSameCode: what is made into the same is tested once, and nothing between two
// that are the same is to blame.
func TestSameCode(t *testing.T) {
	of := func(c int) string { // documentation from 20 to 59
		switch {
		case c < 20:
			return string(rune('a' + c))
		case c < 60:
			return "docs"
		default:
			return string(rune('A' + c - 60))
		}
	}
	w := world{last: 64, level: step(60, 0.02), noise: 0.004, code: of}
	a, tested := w.drive(Options{}, rand.New(rand.NewPCG(3, 1)))
	n := 0
	for c := 20; c < 60; c++ {
		if tested[c] > 0 {
			n++
		}
	}
	if a.Outcome != Found || a.Steps[0].At != 60 || n > 2 {
		t.Errorf("%+v; %d of the documentation's were tested: %v", a, n, tested)
	}
	w = world{last: 64, level: step(65, 0), noise: 0.004, code: func(int) string { return "all" }}
	if a, _ = w.drive(Options{}, rand.New(rand.NewPCG(3, 1))); a.Outcome != NoChange {
		t.Errorf("one code: %+v", a)
	}
	// All before the step are one, and all from there on: it takes no test but the ends'.
	w = world{last: 64, level: step(23, 0.02), noise: 0.001, code: func(c int) string {
		if c < 23 {
			return "good"
		}
		return "bad"
	}}
	if a, tested = w.drive(Options{}, rand.New(rand.NewPCG(3, 1))); a.Outcome != Found || a.Steps[0].At != 23 || len(tested) > 4 {
		t.Errorf("two codes: %+v; tested %v", a, tested)
	}
}

// TestSeveral: a difference that came in steps is told as such.
func TestSeveral(t *testing.T) {
	right := 0
	for i := range 40 {
		level := func(c int) float64 { return step(30, 0.02)(c) + step(90, 0.03)(c) }
		a, _ := world{last: 128, level: level, noise: 0.004}.drive(Options{}, rand.New(rand.NewPCG(uint64(i), 4)))
		at := map[int]bool{}
		for _, s := range a.Steps {
			at[s.At] = true
		}
		if a.Outcome == Several && len(at) == 2 && at[30] && at[90] {
			right++
		}
	}
	if right < 36 {
		t.Errorf("both steps were found in %d of 40", right)
	}
	// A slope, of which no step can be told: no one of them is blamed for all.
	slope := func(c int) float64 { return 0.02 * float64(c) / 1024 }
	for i := range 20 {
		a, _ := world{last: 1024, level: slope, noise: 0.01}.drive(Options{}, rand.New(rand.NewPCG(uint64(i), 5)))
		if a.Outcome == Found && a.Steps[0].Lo > 0.01 {
			t.Errorf("slope %d: %+v", i, a)
		}
	}
}

// TestWeights: what is likelier beforehand is tried first, and what cannot be it is
// never blamed.
func TestWeights(t *testing.T) {
	weights := make([]float64, 1025)
	for i := range weights {
		weights[i] = 0.01
	}
	weights[700], weights[300] = 10, 0
	w := world{last: 1024, level: step(700, 0.02), noise: 0.01}
	tests := 0
	for i := range 20 {
		a, _ := w.drive(Options{Weights: weights}, rand.New(rand.NewPCG(uint64(i), 6)))
		tests += a.Tests
		if a.Outcome != Found || a.Steps[0].At != 700 {
			t.Errorf("%+v", a)
		}
	}
	if tests > 20*35 {
		t.Errorf("%d tests of 20 searches", tests)
	}
}

// TestGoesOn: a search that is told again what it was told goes on where it was.
func TestGoesOn(t *testing.T) {
	w := world{last: 200, level: step(77, 0.02), noise: 0.008, skipped: map[int]bool{100: true}}
	values := func(c, n int) float64 {
		return w.level(c) + w.noise*rand.New(rand.NewPCG(uint64(c), uint64(n))).NormFloat64()
	}
	type event struct {
		change int
		skip   bool
		x      float64
	}
	var journal []event
	drive := func(s *Search, n map[int]int, most int) *Answer {
		for range most {
			c, ok := s.Next()
			if !ok {
				return s.Answer()
			}
			if w.skipped[c] {
				s.Skip(c)
				journal = append(journal, event{c, true, 0})
				continue
			}
			n[c]++
			x := values(c, n[c])
			s.Told(c, x)
			journal = append(journal, event{c, false, x})
		}
		return nil
	}
	whole := drive(New(200, Options{}), map[int]int{}, 1000)
	all := len(journal)
	for cut := 0; cut < all; cut += 5 {
		journal = nil
		n := map[int]int{}
		drive(New(200, Options{}), n, cut)
		s := New(200, Options{})
		for _, e := range journal {
			s.Next()
			if e.skip {
				s.Skip(e.change)
			} else {
				s.Told(e.change, e.x)
			}
		}
		if a := drive(s, n, 1000); a == nil || a.Outcome != whole.Outcome || a.Tests != whole.Tests || a.Steps[0] != whole.Steps[0] {
			t.Errorf("cut after %d: %+v, want %+v", cut, a, whole)
		}
	}
	if a := drive(New(200, Options{Most: 9}), map[int]int{}, 1000); a.Outcome != OutOfTests || a.Tests != 9 || len(a.Unsure) != 1 {
		t.Errorf("nine tests: %+v", a)
	}
}
