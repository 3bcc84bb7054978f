package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"netab/analysis/world"
)

// Tables of the signed-rank test: P(W+ <= w) times two (Hollander, Wolfe and
// Chicken 2014, table A.4; n = 8: 3 at 0.039, 5 at 0.078).
func TestSignedRankTail(t *testing.T) {
	for _, tt := range []struct {
		n, w int
		p    float64
	}{{5, 0, 2.0 / 32}, {6, 0, 2.0 / 64}, {7, 2, 6.0 / 128}, {8, 3, 10.0 / 256}, {8, 5, 20.0 / 256}, {10, 8, 50.0 / 1024}, {3, 6, 2}} {
		near(t, "two-sided p", 2*newSignedRank(make([]float64, tt.n)).tail[tt.w], tt.p, 1e-12)
	}
}

// The interval must be the test inverted: zero is outside exactly where p is
// at most alpha.
func TestSignedRankIntervalIsTheTest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	outside := 0
	for range 3000 {
		xs := make([]float64, 6+rng.IntN(15))
		for i := range xs {
			xs[i] = rng.NormFloat64() + 0.5
		}
		r := newSignedRank(xs)
		for _, alpha := range []float64{0.05, 0.2} {
			lo, hi := r.interval(alpha)
			if out := lo > 0 || hi < 0; out != (r.p() <= alpha) {
				t.Fatalf("%d trials: interval %v to %v at alpha %v, but p = %v", len(xs), lo, hi, alpha, r.p())
			} else if out {
				outside++
			}
		}
	}
	if outside < 1000 || outside > 5000 {
		t.Errorf("zero was outside of %d of 6000 intervals: the test is one-sided", outside)
	}
}

// So few trials, or so little alpha, that the test cannot reject: the interval
// is the range and p says that it is no more than that.
func TestSignedRankOfFew(t *testing.T) {
	r := newSignedRank([]float64{3, 1, 2, 4})
	if lo, hi := r.interval(0.05); lo != 1 || hi != 4 {
		t.Errorf("interval %v to %v, want the range, 1 to 4", lo, hi)
	}
	near(t, "p", r.p(), 2.0/16, 1e-12)
}

// Seven trials, six of one mode and one of the other: t sees a difference, and
// a fair coin falls so in one run of nine.
func TestSixOfSevenAlikeIsNoVerdict(t *testing.T) {
	xs := []float64{0.07, 0.0702, 0.0705, -0.07, 0.0698, 0.0701, 0.0703}
	if lo, _ := newSample(xs).interval(0.05); lo <= 0 {
		t.Fatal("Student's t does not see a difference here: the example is none")
	}
	var effects []effect
	for i, x := range xs {
		effects = append(effects, effect{at: i, x: x, se: 0.005, df: 9})
	}
	m, _ := LookupMetric("goodput")
	e := newEvidence(1, m, true, effects)
	e.alpha = 0.05
	if lo, hi := e.interval(); lo > 0 || hi < 0 {
		t.Errorf("interval %v to %v excludes zero", lo, hi)
	}
	if p, _ := e.p(); p <= 0.05 {
		t.Errorf("p = %v of an interval that holds zero", p)
	}
}

func TestFewestTrials(t *testing.T) {
	for confidence, want := range map[float64]int{0.95: 6, 0.99: 8, 0.999: 11, 0.9: 5, 0.5: 2} {
		if got := fewestTrials(1 - confidence); got != want {
			t.Errorf("%g: %d trials, want %d", confidence, got, want)
		}
	}
	for _, n := range []int{2, 5, 6} {
		w := with(func(w *world.World) { w.Effects = []float64{0.5} })
		c := Summarize(w.Run(w.Design(0.01, 0), 1, n)).find(t, "arm1")
		if want := n >= 6; (c.Verdict == Improvement) != want || (c.Withheld == "") != want {
			t.Errorf("%d trials of a change by 65 %%: verdict %s, withheld %q", n, c.Verdict, c.Withheld)
		}
	}
}

// Agreeing trials keep Student's interval to the last digit.
func TestAgreeingTrialsKeepT(t *testing.T) {
	run := plain.Run(plain.Design(0.01, 0), 3, 12)
	e := newEvidence(1, goodput(t), true, trialEffects(run.Header.Design, run.Trials, goodput(t), 0, 1))
	e.alpha = 0.05
	lo, hi := e.interval()
	wantLo, wantHi := e.sample.interval(0.05)
	if e.disagree() || lo != wantLo || hi != wantHi || math.IsNaN(lo) {
		t.Errorf("interval %v to %v, want %v to %v", lo, hi, wantLo, wantHi)
	}
}
