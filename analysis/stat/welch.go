package stat

import (
	"math"
	"slices"
)

// A Contrast is the difference of the means of two samples.
type Contrast struct {
	Mean, SE, DF float64
	N            int // of both
	OK           bool
	name         string
}

// Welch lets the two samples have different variances; its degrees of freedom
// are Satterthwaite's (Welch 1947).
func Welch(a, b Sample) Contrast {
	return Sum(b, Sample{N: a.N, Mean: -a.Mean, SD: a.SD})
}

// Sum is of the means of samples that are independent of each other, as Welch's. Of one
// it is Student's t.
func Sum(of ...Sample) Contrast {
	c := Contrast{name: "Welch's t"}
	if len(of) == 1 {
		c.name = StudentsT
	}
	v, inverse, df := 0.0, 0.0, 0.0
	for _, s := range of {
		c.N += s.N
		c.Mean += s.Mean
		square := s.SE() * s.SE()
		v, inverse, df = v+square, inverse+square*square/s.DF(), df+s.DF()
	}
	if slices.ContainsFunc(of, func(s Sample) bool { return s.N == 0 }) {
		c.Mean = 0
		return c
	}
	if len(of) == 0 || slices.ContainsFunc(of, func(s Sample) bool { return s.N < 2 }) {
		return c
	}
	c.SE, c.DF = math.Sqrt(v), v*v/inverse
	if v == 0 {
		c.DF = df
	}
	if !IsFinite(c.SE) || !IsFinite(c.DF) {
		c.SE, c.DF = 0, 0
		return c
	}
	c.OK = true
	return c
}

// Paired is the mean of differences of what belongs together.
func Paired(differences []float64) Contrast {
	s := NewSample(differences)
	return Contrast{Mean: s.Mean, SE: s.SE(), DF: s.DF(), N: s.N, OK: s.N >= 2 && IsFinite(s.SE()), name: StudentsT}
}

// A Variance is of a mean, with the degrees of freedom that it is known with; 0 =
// exactly.
type Variance struct{ V, DF float64 }

// Assumed is a contrast of n units whose variances were known beforehand, with
// Satterthwaite's degrees of freedom.
func Assumed(mean float64, n int, between, within Variance) Contrast {
	inverse := within.V * within.V / within.DF
	if between.DF > 0 {
		inverse += between.V * between.V / between.DF
	}
	all := between.V + within.V
	c := Contrast{Mean: mean, N: n, SE: math.Sqrt(all), DF: all * all / inverse, name: "Welch's t"}
	c.OK = IsFinite(c.Mean) && IsFinite(c.SE) && IsFinite(c.DF)
	return c
}

// Name is of the test.
func (c Contrast) Name() string { return c.name }

// Centre is the difference.
func (c Contrast) Centre() float64 { return c.Mean }

// P is two-sided, of the difference being zero.
func (c Contrast) P(least float64) (float64, bool) {
	if !c.OK {
		return 1, false
	}
	return max(least, TTest(c.Mean, c.SE, c.DF)), true
}

// Interval is Student's.
func (c Contrast) Interval(alpha float64) Interval {
	in := Interval{Lo: c.Mean, Hi: c.Mean, By: []string{c.name}}
	if c.OK {
		h := Critical(alpha, c.DF) * c.SE
		in.Lo, in.Hi = c.Mean-h, c.Mean+h
	}
	return in
}

// SmallestDetectable is as Sample's.
func (c Contrast) SmallestDetectable(alpha float64) (float64, bool) {
	if !c.OK {
		return 0, false
	}
	return Detectable(c.SE, c.DF, alpha)
}
