package stat

import "slices"

// A Method says what a centre may be, going by the values that it was made of. A new
// one is a file here and a line where analysis chooses (choose.go): what holds
// several methods is a Method too (Widened, Over, Hull), and whoever reads an
// interval asks nobody which it is.
type Method interface {
	// Name is that of the test whose inverse the interval is: "Student's t".
	Name() string
	// Centre is the estimate.
	Centre() float64
	// Interval is at 1-alpha. Where the values cannot tell their scatter it is the
	// centre alone.
	Interval(alpha float64) Interval
	// P is the smallest alpha, from least on, whose interval excludes zero; not ok
	// where the values cannot tell.
	P(least float64) (p float64, ok bool)
	// SmallestDetectable is the smallest true centre whose interval at 1-alpha would
	// exclude zero with 90 % chance.
	SmallestDetectable(alpha float64) (float64, bool)
}

// An Interval is what a centre may be.
type Interval struct {
	Lo, Hi float64
	// By are the names of the methods that set its ends, each once, the lower end's first.
	By []string
}

// Ends are both of them.
func (i Interval) Ends() (lo, hi float64) { return i.Lo, i.Hi }

// StudentsT is the name of what others are held against.
const StudentsT = "Student's t"

// A Widened interval holds those of several methods.
type Widened struct {
	Method // whose estimate it is
	more   []Method
}

// Widen makes one of the methods that doubt another.
func Widen(of Method, more ...Method) Method {
	if len(more) == 0 {
		return of
	}
	return Widened{of, more}
}

// Interval holds those of all.
func (w Widened) Interval(alpha float64) Interval {
	all := w.Method.Interval(alpha)
	below, above := w.Name(), w.Name()
	for _, m := range w.more {
		of := m.Interval(alpha)
		if of.Lo < all.Lo {
			all.Lo, below = of.Lo, m.Name()
		}
		if of.Hi > all.Hi {
			all.Hi, above = of.Hi, m.Name()
		}
	}
	all.By = slices.Compact([]string{below, above})
	return all
}

// P is that of the least sure.
func (w Widened) P(least float64) (p float64, ok bool) {
	p, ok = w.Method.P(least)
	for _, m := range w.more {
		if of, known := m.P(p); ok && known {
			p = of
		}
	}
	return p, ok
}

// SmallestDetectable is the first method's, by so much larger as its interval had to
// be widened.
func (w Widened) SmallestDetectable(alpha float64) (float64, bool) {
	return wider(w.Method, w.Interval(alpha), alpha)
}

// wider is what a method would detect if its interval were that one.
func wider(of Method, as Interval, alpha float64) (float64, bool) {
	d, ok := of.SmallestDetectable(alpha)
	if in := of.Interval(alpha); in.Lo < in.Hi {
		d *= (as.Hi - as.Lo) / (in.Hi - in.Lo)
	}
	return d, ok
}
