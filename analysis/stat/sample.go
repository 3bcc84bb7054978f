package stat

import (
	"math"
	"slices"

	gonum "gonum.org/v1/gonum/stat"
)

// A Sample is the mean of independent values and their spread: Student's t.
type Sample struct {
	N        int
	Mean, SD float64
}

// NewSample is of values in any order.
func NewSample(xs []float64) Sample {
	s := Sample{N: len(xs)}
	switch s.N {
	case 0:
	case 1:
		s.Mean = xs[0]
	default:
		if Flat(xs) { // a mean of equal values is off by rounding, and then they scatter
			s.Mean = xs[0]
		} else {
			s.Mean, s.SD = gonum.MeanStdDev(xs, nil)
		}
	}
	return s
}

// Flat says whether values are equal but for the rounding of what made them:
// no metric is known, and no effect matters, to a part in a million million.
func Flat(xs []float64) bool {
	if len(xs) == 0 {
		return true
	}
	lo, hi := slices.Min(xs), slices.Max(xs)
	return hi-lo <= 1e-12*max(1, math.Abs(lo), math.Abs(hi))
}

// DF are its degrees of freedom.
func (s Sample) DF() float64 { return float64(max(s.N-1, 0)) }

// SE is the standard error of the mean.
func (s Sample) SE() float64 { return s.SD / math.Sqrt(float64(max(s.N, 1))) }

// Half is half of the interval at 1-alpha.
func (s Sample) Half(alpha float64) float64 { return Critical(alpha, s.DF()) * s.SE() }

// Name is of the test.
func (s Sample) Name() string { return StudentsT }

// Centre is the mean.
func (s Sample) Centre() float64 { return s.Mean }

// Interval is Student's; without a second value, or any spread, it is the mean
// alone, whatever alpha is left.
func (s Sample) Interval(alpha float64) Interval {
	in := Interval{Lo: s.Mean, Hi: s.Mean, By: []string{s.Name()}}
	if s.N >= 2 && s.SD != 0 {
		h := s.Half(alpha)
		in.Lo, in.Hi = s.Mean-h, s.Mean+h
	}
	return in
}

// P is two-sided, of the mean being zero.
func (s Sample) P(least float64) (p float64, ok bool) {
	if s.N < 2 {
		return 0, false
	}
	return max(least, TTest(s.Mean, s.SE(), s.DF())), true
}

// SmallestDetectable is by the noncentral t.
func (s Sample) SmallestDetectable(alpha float64) (float64, bool) {
	if s.N < 2 {
		return 0, false
	}
	return Detectable(s.SE(), s.DF(), alpha)
}
