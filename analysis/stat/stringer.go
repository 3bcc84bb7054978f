package stat

import (
	"math"
	"slices"
)

// Stringer's bounds are for values of which a few may be far from the others: a
// burst of loss, a slow mode, once in ten. Of few values one or none is seen, and then
// neither Student's t nor a signed-rank test knows what the mean is: t calls 18
// values, of which one is 8 % slow, the same to within 1.4 %, although as many as one
// in four may be.
//
// They are one-sided, at alpha each (Stringer 1963, "Practical aspects of statistical
// sampling in auditing"), with the value furthest out for the largest that there can
// be: the share of values as far out as each of them, or further, is taken at its
// exact binomial bound (Clopper and Pearson 1934), and the mean is that of these
// shares. It takes all shares for wrong at once, which is right of two modes and
// too much of anything smoother; so its distance from the mean is shortened as Pap
// and van Zuijlen do (1996, "On the asymptotic behaviour of the Stringer bound"),
// who make it exact in large samples. One-sided bounds are what claims of no
// change rest on: that a change is small, or none for the worse.
//
// What no value showed, no bound can know.
type Stringer struct {
	Sample
	sorted []float64
}

// NewStringer is of one value at least.
func NewStringer(xs []float64) Stringer {
	sorted := slices.Sorted(slices.Values(xs))
	return Stringer{NewSample(sorted), sorted}
}

// Name is of the bounds.
func (s Stringer) Name() string { return "Stringer's bounds" }

// Interval are the bounds of the mean at 1-alpha each.
func (s Stringer) Interval(alpha float64) Interval {
	lo, hi := s.bounds(alpha)
	return Interval{lo, hi, []string{s.Name()}}
}

func (s Stringer) bounds(alpha float64) (lo, hi float64) {
	n := s.N
	before := 0.0 // the bound of the share that is further out
	apart := 0.0
	for j := range n {
		share := 1.0
		if j+1 < n {
			share = AtMost(j+1, float64(n), alpha)
			k := float64(j+1) / float64(n)
			apart += math.Sqrt(k*(1-k)) * (s.sorted[j+1] - s.sorted[j])
		}
		lo += (share - before) * s.sorted[j]
		hi += (share - before) * s.sorted[n-1-j]
		before = share
	}
	// apart is the standard deviation of values that lie at two points, and more
	// than it of all others.
	shrink := 1.0
	if apart > 0 {
		shrink = min(1, s.SD*math.Sqrt(s.DF()/float64(n))/apart)
	}
	return s.Mean - shrink*(s.Mean-lo), s.Mean + shrink*(hi-s.Mean)
}

// P is searched for.
func (s Stringer) P(least float64) (float64, bool) {
	excludes := func(alpha float64) bool {
		lo, hi := s.bounds(alpha)
		return lo > 0 || hi < 0
	}
	if least >= 1 || excludes(least) {
		return least, true
	}
	lo, hi := least, 1.0
	for range 30 {
		if mid := (lo + hi) / 2; excludes(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi, true
}

// SmallestDetectable is t's, by so much larger as the bounds are wider apart.
func (s Stringer) SmallestDetectable(alpha float64) (float64, bool) {
	return wider(s.Sample, s.Interval(alpha), alpha)
}
