package analysis

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"netab/analysis/world"
)

// series are n values, each correlated by r with the one before.
func series(rng *rand.Rand, n int, r float64) []float64 {
	xs := make([]float64, n)
	x := rng.NormFloat64()
	for i := range xs {
		if i > 0 {
			x = r*x + math.Sqrt(1-r*r)*rng.NormFloat64()
		}
		xs[i] = x
	}
	return xs
}

// How often the mean of dependent series is missed, and what it costs independent
// ones in width. Student's t misses 5, 24 and 53 %.
func TestAutoregressionCovers(t *testing.T) {
	const runs = 400
	for _, tt := range []struct {
		n    int
		r    float64
		most int // missed
		wide float64
	}{
		{8, 0, within(0.05, runs), 1.3},
		{18, 0, within(0.05, runs), 1.3},
		{37, 0, within(0.06, runs), 1.2},
		{18, 0.5, 90, 0},
		{37, 0.5, within(0.06, runs), 0},
		{37, 0.8, 140, 0},
	} {
		rng := rand.New(rand.NewPCG(uint64(tt.n), 1))
		missed, wide := 0, 0.0
		for range runs {
			xs := series(rng, tt.n, tt.r)
			s := newSample(xs)
			tlo, thi := s.interval(0.05)
			lo, hi := newAutoregression(xs).interval(0.05)
			lo, hi = min(lo, tlo), max(hi, thi)
			if lo > 0 || hi < 0 {
				missed++
			}
			wide += (hi - lo) / (thi - tlo) / runs
		}
		t.Logf("n %d, correlation %.1f: %d of %d missed, %.2f times as wide as t", tt.n, tt.r, missed, runs, wide)
		if missed > tt.most || tt.wide > 0 && wide > tt.wide {
			t.Errorf("n %d, correlation %.1f: %d of %d missed, %.2f times as wide as t; want at most %d, %.2f", tt.n, tt.r, missed, runs, wide, tt.most, tt.wide)
		}
	}
}

// The interval is the test inverted, and moves with the values.
func TestAutoregressionIsTheTest(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		xs := series(rng, 6+rng.IntN(20), 0.4)
		a := newAutoregression(xs)
		p := a.p()
		if lo, hi := a.interval(p); p < 0.5 && math.Min(math.Abs(lo), math.Abs(hi)) > 1e-4*(hi-lo) {
			t.Fatalf("at p = %v the interval is %v to %v, want an end at zero", p, lo, hi)
		}
		lo, hi := a.interval(0.05)
		for i := range xs {
			xs[i] = 10 - 3*xs[i]
		}
		l, h := newAutoregression(xs).interval(0.05)
		near(t, "lower end, turned over", l, 10-3*hi, 1e-6)
		near(t, "upper end, turned over", h, 10-3*lo, 1e-6)
	}
}

func TestDependenceIsSeen(t *testing.T) {
	const runs = 400
	for _, tt := range []struct {
		n           int
		r           float64
		least, most int
	}{
		{8, 0, 0, within(dependentAlpha, runs)},
		{18, 0, 0, within(dependentAlpha, runs)},
		{8, -0.8, 0, within(dependentAlpha, runs)}, // which makes the mean sharper
		{18, 0.8, runs * 60 / 100, runs},
		{37, 0.5, runs * 60 / 100, runs},
	} {
		rng := rand.New(rand.NewPCG(uint64(tt.n), 2))
		seen := 0
		for range runs {
			if d := dependenceOf(series(rng, tt.n, tt.r), rng); d != nil {
				seen++
				if d.Worth < 0.02*float64(tt.n) || d.Worth > float64(tt.n) || d.P > dependentAlpha {
					t.Fatalf("%+v of %d", d, tt.n)
				}
			}
		}
		t.Logf("n %d, correlation %.1f: seen in %d of %d", tt.n, tt.r, seen, runs)
		if seen < tt.least || seen > tt.most {
			t.Errorf("n %d, correlation %.1f: seen in %d of %d, want %d to %d", tt.n, tt.r, seen, runs, tt.least, tt.most)
		}
	}
	for _, xs := range [][]float64{nil, {1, 2, 3, 4, 5, 6, 7}, {1, 1, 1, 1, 1, 1, 1, 1, 1}} { // too few, too flat
		if d := dependenceOf(xs, rand.New(rand.NewPCG(1, 1))); d != nil {
			t.Errorf("%v: %+v", xs, d)
		}
	}
}

// TestDependentTrialsAreWithheld: nine trials of one state and nine of another say
// no more than two independent ones, however far their mean is from zero.
func TestDependentTrialsAreWithheld(t *testing.T) {
	d := with(func(*world.World) {}).Design(0.02, time.Minute)
	of := func(order string) Summary {
		var effects [][]float64
		for i, state := range order {
			x := -0.05 + 0.002*math.Sin(2.4*float64(i))
			if state == 'b' {
				x = -0.07 + 0.002*math.Sin(2.4*float64(i))
			}
			effects = append(effects, []float64{x})
		}
		return Summarize(effectsRun(d, effects))
	}
	s := of("aaaaaaaaabbbbbbbbb")
	c, g := s.find(t, "arm1"), NewGate(s, nil, time.Time{})
	if c.Dependence == nil || c.Dependence.Worth > 3 || c.Verdict != Inconclusive || s.Converged || g.Outcome != Undecided {
		t.Errorf("%s, gate %s, %+v", c.Verdict, g.Outcome, c.Dependence)
	}
	if want := "neighbouring trials are alike (correlation 0.9"; !strings.HasPrefix(c.Withheld, want) || !strings.Contains(c.Withheld, "a verdict needs 6: that takes about ") || !warned(s, "autocorrelated") {
		t.Errorf("withheld %q, want %q; warnings %v", c.Withheld, want, s.Warnings)
	}
	near(t, "unseen share", *c.UnseenShare, 1-math.Pow(0.05, 1/c.Dependence.Worth), 1e-9)
	// The same trials in another order.
	s = of("abbabaabbaababbaab")
	c = s.find(t, "arm1")
	if c.Dependence != nil || c.Verdict != Regression || c.Withheld != "" || warned(s, "autocorrelated") {
		t.Errorf("mixed: %s, withheld %q, %+v", c.Verdict, c.Withheld, c.Dependence)
	}
	near(t, "unseen share, mixed", *c.UnseenShare, 1-math.Pow(0.05, 1.0/18), 1e-9)
}

func warned(s Summary, code string) bool {
	for _, w := range s.Warnings {
		if string(w.Code) == code {
			return true
		}
	}
	return false
}

// What set the interval is named, and what could have been seen is by as much
// larger as it is wider.
func TestMethodIsNamed(t *testing.T) {
	m := goodput(t)
	modes := []effect{}
	for i, x := range []float64{0.07, -0.0702, 0.0705, -0.07, 0.0701, -0.0698, 0.0703, -0.0699} {
		modes = append(modes, effect{at: i, x: x, se: 0.005, df: 9})
	}
	rare := []effect{}
	for i := range 18 {
		x := 0.001 * math.Sin(2.4*float64(i))
		if i == 11 {
			x = -0.08
		}
		rare = append(rare, effect{at: i, x: x, se: 0.002, df: 9})
	}
	agree := []effect{}
	for i := range 12 {
		agree = append(agree, effect{at: i, x: 0.01 * math.Sin(2.4*float64(i)), se: 0.02, df: 9})
	}
	for _, tt := range []struct {
		name    string
		effects []effect
		alpha   float64
		want    string
	}{
		{"agreeing", agree, 0.05, "Student's t"},
		{"two modes", modes, 0.04, "Wilcoxon's signed-rank test"},
		{"a rare one", rare, 0.05, "Stringer's bounds and Student's t averaged over correlations of neighbouring trials"},
	} {
		e := newEvidence(1, m, true, tt.effects)
		e.alpha = tt.alpha
		lo, hi, by := e.bounds()
		c := Comparison{Metric: "goodput", N: len(tt.effects), SetBy: by}
		if got := method(&c); !strings.HasPrefix(got, tt.want+" over trial effects (paired by blocks)") {
			t.Errorf("%s: %q, want %q (%v to %v)", tt.name, got, tt.want, lo, hi)
		}
		tlo, thi := e.sample.interval(tt.alpha)
		byT, _ := e.sample.smallestDetectable(tt.alpha)
		got, ok := e.smallestDetectable()
		if want := byT * (hi - lo) / (thi - tlo); !ok || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: smallest detectable %v, want %v (by t alone %v)", tt.name, got, want, byT)
		}
	}
}

// A percentile's bootstrap takes trials for independent, so it is stretched.
func TestStretchedBootstrap(t *testing.T) {
	b := bootstrap{n: 20, at: 1, draws: []float64{0, 1, 3}, se: 0.5}
	s := b.stretched(2)
	if s.at != 1 || s.se != 1 || s.draws[0] != -1 || s.draws[2] != 5 || b.draws[0] != 0 {
		t.Errorf("%+v of %+v", s, b)
	}
}

// "The same" says how much of the trials it knows nothing of.
func TestAnswerSaysWhatWentUnseen(t *testing.T) {
	w := with(func(*world.World) {})
	s := Summarize(w.Run(w.Design(0.05, time.Minute), 1, 8))
	if c := s.find(t, "arm1"); c.Verdict != Equivalent || math.Abs(*c.UnseenShare-0.3123) > 1e-4 {
		t.Fatalf("%s, %v", c.Verdict, c.UnseenShare)
	}
	if want := " What happens in fewer than 31.2 % of trials may have gone unseen in 8."; !strings.HasSuffix(s.Answer, want) {
		t.Errorf("answer %q, want %q at its end", s.Answer, want)
	}
	g := NewGate(s, nil, time.Time{})
	if k := g.Checks[0]; !strings.Contains(k.Sure, "going by what these trials show") || !strings.Contains(k.Sure, "fewer than one of 3 trials may have gone unseen") {
		t.Errorf("how sure: %q", k.Sure)
	}
}
