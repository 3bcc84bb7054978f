package analysis

import "math"

// A contrast is the difference of the means of two independent samples.
type contrast struct {
	mean, se, df float64
	n            int // of both
	ok           bool
}

// welch lets the two samples have different variances; its degrees of freedom
// are Satterthwaite's (Welch 1947).
func welch(a, b sample) contrast {
	c := contrast{n: a.n + b.n}
	if a.n == 0 || b.n == 0 {
		return c
	}
	c.mean = b.mean - a.mean
	if a.n < 2 || b.n < 2 {
		return c
	}
	va, vb := a.se()*a.se(), b.se()*b.se()
	c.se = math.Sqrt(va + vb)
	c.df = (va + vb) * (va + vb) / (va*va/a.df() + vb*vb/b.df())
	if va+vb == 0 {
		c.df = a.df() + b.df()
	}
	if !isFinite(c.se) || !isFinite(c.df) {
		c.se, c.df = 0, 0
		return c
	}
	c.ok = true
	return c
}

func (c contrast) p() float64 {
	if !c.ok {
		return 1
	}
	return tTest(c.mean, c.se, c.df)
}

func (c contrast) interval(alpha float64) (lo, hi float64) {
	if !c.ok {
		return c.mean, c.mean
	}
	h := tCritical(alpha, c.df) * c.se
	return c.mean - h, c.mean + h
}

// smallestDetectable is as sample's.
func (c contrast) smallestDetectable(alpha float64) (float64, bool) {
	if !c.ok {
		return 0, false
	}
	return detectable(c.se, c.df, alpha)
}
