package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sleep is Student's own example (1908), as in R's data set "sleep": extra
// hours of sleep under two drugs, the same ten patients.
var sleep = struct{ a, b []float64 }{
	a: []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0},
	b: []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4},
}

// darwin is the difference in height of 15 pairs of plants, crossed and
// self-fertilised, in eighths of an inch (Fisher 1935, The Design of
// Experiments, section 17).
var darwin = []float64{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// R: t.test(sleep, paired = TRUE): t = 4.0621, df = 9, p-value = 0.002833,
// 95 percent confidence interval 0.7001142 2.4598858, mean 1.58.
func TestInterval(t *testing.T) {
	var d []float64
	for i := range sleep.a {
		d = append(d, sleep.b[i]-sleep.a[i])
	}
	s := newSample(d)
	lo, hi := s.interval(0.05)
	p, ok := s.p()
	near(t, "mean", s.mean, 1.58, 1e-12)
	near(t, "lo", lo, 0.7001142, 1e-6)
	near(t, "hi", hi, 2.4598858, 1e-6)
	near(t, "p", p, 0.002833, 1e-6)
	if !ok {
		t.Error("p is not ok")
	}
}

func TestIntervalNeedsTwo(t *testing.T) {
	s := newSample([]float64{3})
	lo, hi := s.interval(0.05)
	_, ok := s.p()
	if lo != 3 || hi != 3 || ok {
		t.Errorf("interval of one = %v to %v, p %v; want none", lo, hi, ok)
	}
}

// R: t.test(extra ~ group, sleep): t = -1.8608, df = 17.776, p-value =
// 0.07939, 95 percent confidence interval -3.3654832 0.2054832 (group 1 minus
// group 2; ours is b minus a).
func TestWelch(t *testing.T) {
	c := welch(newSample(sleep.a), newSample(sleep.b))
	lo, hi := c.interval(0.05)
	near(t, "df", c.df, 17.776, 1e-3)
	near(t, "p", c.p(), 0.07939, 1e-5)
	near(t, "lo", lo, -0.2054832, 1e-6)
	near(t, "hi", hi, 3.3654832, 1e-6)
}

// R: power.t.test(power = .90, delta = 1) gives n = 22.02110 in each group,
// so with 2(n-1) degrees of freedom the noncentrality is sqrt(n/2).
func TestDetectable(t *testing.T) {
	const n = 22.02110
	got, ok := detectable(1, 2*(n-1), 0.05)
	near(t, "noncentrality", got, math.Sqrt(n/2), 1e-4)
	if !ok {
		t.Error("not ok")
	}
}

func TestHodgesLehmann(t *testing.T) {
	for _, tt := range []struct {
		name string
		xs   []float64
		want float64
	}{
		{"one", []float64{7}, 7},
		{"symmetric", []float64{1, 2, 3}, 2},
		// Pairwise means of 1, 2, 9: 1 1.5 5 2 5.5 9, median (2+5)/2.
		{"skewed", []float64{1, 2, 9}, 3.5},
		// 15 pairwise means; the eighth is (0+1)/2 ... an outlier moves it little.
		{"outlier", []float64{-1, 0, 1, 0, 1000}, 0.5},
	} {
		near(t, tt.name, hodgesLehmann(tt.xs), tt.want, 1e-12)
	}
}

// Fisher (1935), section 21: of the 32768 sums 863 are as large as 314 or
// larger, so two-sided it is twice that.
func TestSignFlipDarwin(t *testing.T) {
	near(t, "exact", exactSignFlip(darwin, 314), 2*863.0/32768, 1e-12)
	near(t, "drawn", signFlip(darwin, seeded(1, "test")), 2*863.0/32768, 0.007) // 3 s.e. of 9999 draws
}

func TestSignFlip(t *testing.T) {
	for _, tt := range []struct {
		name string
		xs   []float64
		want float64
	}{
		{"all of one sign: 2/2^T", []float64{1, 2, 3, 4, 5, 6, 7, 8}, 2.0 / 256},
		{"rounding does not break ties", []float64{0.1, 0.2, 0.3}, 2.0 / 8},
		{"nothing", []float64{0, 0, 0}, 1},
		// Sums of ±1±1±1 at least 1 away from 0: all eight.
		{"even", []float64{1, 1, -1}, 1},
	} {
		near(t, tt.name, signFlip(tt.xs, seeded(1)), tt.want, 1e-12)
	}
}

// The example of Holm's procedure: of 0.01, 0.04, 0.03, 0.005 at 5 % the last
// and the first pass, and 0.03 > 0.025 stops it.
func TestHolm(t *testing.T) {
	got := holm([]float64{0.01, 0.04, 0.03, 0.005}, 0.05)
	for i, want := range []float64{0.05 / 3, 0.025, 0.025, 0.0125} {
		near(t, "share", got[i], want, 1e-12)
	}
}

func TestJudge(t *testing.T) {
	const m = 0.01
	for _, tt := range []struct {
		name   string
		lo, hi float64
		better Direction
		want   Verdict
	}{
		{"inside", -0.005, 0.009, Higher, Equivalent},
		{"inside though it excludes zero", 0.002, 0.009, Higher, Equivalent},
		{"touches the margin", 0.002, 0.01, Higher, Improvement},
		{"up is better", 0.02, 0.03, Higher, Improvement},
		{"up is worse", 0.02, 0.03, Lower, Regression},
		{"down is worse", -0.03, -0.02, Higher, Regression},
		{"down is better", -0.03, -0.02, Lower, Improvement},
		{"wide", -0.03, 0.02, Higher, Inconclusive},
		{"one end at zero", 0, 0.02, Higher, Inconclusive},
	} {
		if got := judge(tt.lo, tt.hi, m, tt.better); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// With F(2, d) the survival function has the closed form (1+2F/d)^(-d/2).
func TestSpread(t *testing.T) {
	es := []effect{{x: 0, se: 1, df: 9}, {x: 1, se: 1, df: 9}, {x: 2, se: 1, df: 9}}
	s, ok := spreadOf(es)
	near(t, "p", s.p, math.Pow(29.0/27, -13.5), 1e-9)
	near(t, "within", s.within, 1, 1e-12)
	near(t, "between", s.between, 0, 1e-12)
	if !ok {
		t.Error("not ok")
	}
	for i := range es {
		es[i].se = 0.1
	}
	s, _ = spreadOf(es)
	near(t, "between", s.between, math.Sqrt(1-0.01), 1e-12)
	if s.p > 1e-6 {
		t.Errorf("p = %v for effects ten errors apart", s.p)
	}
	if _, ok := spreadOf([]effect{{x: 1}, {x: 2}, {x: 3}}); ok {
		t.Error("a spread without standard errors")
	}
}

// A run of very many trials is judged in the memory that there is.
func TestHodgesLehmannOfMany(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, 200_000)
	for i := range xs {
		xs[i] = 1000 * r.Float64()
	}
	if got := hodgesLehmann(xs); got < 480 || got > 520 {
		t.Errorf("the centre of 0 to 999 is %v", got)
	}
}
