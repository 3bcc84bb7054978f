package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// methods are all that there are, of the same values.
func methods(xs []float64) []Method {
	odd, other := make([]float64, len(xs)), make([]float64, len(xs))
	for i, x := range xs {
		odd[i], other[i] = 0.2-x, 0.5*x
	}
	s := NewSample(xs)
	mean := func(times []float64) float64 {
		sum := 0.0
		for i, n := range times {
			sum += n * xs[i] / float64(len(xs))
		}
		return sum
	}
	b, _ := NewBootstrap(len(xs), Seeded(1), mean)
	wide := Widen(s, NewSignedRank(xs), NewStringer(xs), NewAutoregression(xs))
	return []Method{
		s, Welch(NewSample(odd), s), Paired(xs), Assumed(s.Mean, 4, Variance{0.1, 5}, Variance{0.01, 10}),
		NewSignedRank(xs), NewStringer(xs), NewAutoregression(xs), b, wide,
		Over{Sample: s, Units: s, Parts: Widen(NewSample(other), NewSignedRank(other))},
		NewHull([]Part{{s, 0.7}, {Widen(NewSample(other), NewStringer(other)), 0.3}}),
	}
}

// What every method promises: its interval holds the centre, is wider the less is to
// be missed, excludes zero just where p says so, and names what set it; what it would
// have detected lies beyond its interval's half width.
func TestMethods(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	told := 0
	for range 200 {
		xs := make([]float64, 8+rng.IntN(12))
		at := rng.NormFloat64()
		for i := range xs {
			xs[i] = at + rng.NormFloat64()
		}
		for _, m := range methods(xs) {
			p, ok := m.P(0)
			if !ok || !(p >= 0 && p <= 1) || m.Name() == "" {
				t.Fatalf("%q: p = %v, %v", m.Name(), p, ok)
			}
			if again, _ := m.P(min(1, p+0.1)); math.Abs(again-min(1, p+0.1)) > 1e-6 && again != 1 {
				t.Errorf("%s: from %v on p is %v", m.Name(), p+0.1, again)
			}
			last := Interval{Lo: math.Inf(1), Hi: math.Inf(-1)}
			for _, alpha := range []float64{0.3, 0.05, 0.01} {
				in := m.Interval(alpha)
				if c := m.Centre(); !(in.Lo <= c && c <= in.Hi) || in.Lo > last.Lo || in.Hi < last.Hi || len(in.By) == 0 {
					t.Errorf("%s: %+v about %v at alpha %v, %+v before", m.Name(), in, c, alpha, last)
				}
				_, shares := m.(Hull)
				if out := in.Lo > 0 || in.Hi < 0; out {
					told++
				} else if p < alpha*0.999 && !shares {
					t.Errorf("%s: p = %v, and at %v the interval is %+v", m.Name(), p, alpha, in)
				}
				if (in.Lo > 0 || in.Hi < 0) && p > alpha*1.001 {
					t.Errorf("%s: p = %v, and at %v the interval is %+v", m.Name(), p, alpha, in)
				}
				if lo, hi := in.Ends(); lo != in.Lo || hi != in.Hi {
					t.Errorf("ends %v, %v of %+v", lo, hi, in)
				}
				if d, ok := m.SmallestDetectable(alpha); !ok || d <= 0 || math.IsInf(d, 0) {
					t.Errorf("%s: detects %v, %v", m.Name(), d, ok)
				}
				last = in
			}
		}
	}
	if told < 1000 {
		t.Errorf("zero was outside %d times: the test tests nothing", told)
	}
}

// Of values that cannot tell their scatter nothing is known but the centre.
func TestMethodsOfOne(t *testing.T) {
	one := NewSample([]float64{3})
	for _, m := range []Method{one, Welch(one, one), Paired([]float64{3}), NewHull([]Part{{one, 1}}), Over{Sample: one, Units: one, Parts: one}} {
		in := m.Interval(0.05)
		_, known := m.P(0)
		_, seen := m.SmallestDetectable(0.05)
		if in.Lo != m.Centre() || in.Hi != m.Centre() || known || seen {
			t.Errorf("%s: %+v about %v, p known %v, detects %v", m.Name(), in, m.Centre(), known, seen)
		}
	}
}

// Several states, one of them undecided: the hull is sure of what all are sure of.
func TestHull(t *testing.T) {
	of := func(mean float64) Contrast {
		return Contrast{Mean: mean, SE: 1, DF: 10, N: 12, OK: true, name: StudentsT}
	}
	for _, tt := range []struct {
		name  string
		means []float64
		p     float64
	}{
		{"both up", []float64{4, 5}, TTest(4, 1, 10)},
		{"both down", []float64{-5, -4}, TTest(4, 1, 10)},
		{"apart", []float64{-5, 5}, 1},
		{"one of nothing", []float64{0, 5}, 1},
	} {
		h := NewHull([]Part{{of(tt.means[0]), 0.75}, {of(tt.means[1]), 0.25}})
		p, ok := h.P(0)
		near(t, tt.name+": p", p, tt.p, 1e-12)
		near(t, tt.name+": centre", h.Centre(), 0.75*tt.means[0]+0.25*tt.means[1], 1e-12)
		in, least := h.Interval(0.05), Critical(0.05, 10)
		if !ok || in.Lo > min(tt.means[0], tt.means[1])-least || in.Hi < max(tt.means[0], tt.means[1])+least || len(in.By) != 1 {
			t.Errorf("%s: %+v", tt.name, in)
		}
	}
}
