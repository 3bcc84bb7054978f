package analysis

import (
	"cmp"
	"math"
	"strings"
	"testing"

	"netab/analysis/stat"
	"netab/analysis/world"

	"netab/analysis/record"
)

// Seven trials, six of one mode and one of the other: t sees a difference, and
// a fair coin falls so in one run of nine.
func TestSixOfSevenAlikeIsNoVerdict(t *testing.T) {
	xs := []float64{0.07, 0.0702, 0.0705, -0.07, 0.0698, 0.0701, 0.0703}
	if lo, _ := stat.NewSample(xs).Interval(0.05).Ends(); lo <= 0 {
		t.Fatal("Student's t does not see a difference here: the example is none")
	}
	var effects []effect
	for i, x := range xs {
		effects = append(effects, effect{at: i, x: x, Error: stat.Error{SE: 0.005, DF: 9}})
	}
	m, _ := LookupMetric("goodput")
	e := newEvidence(1, m, true, effects)
	e.alpha, e.method = 0.05, e.choose()
	if lo, hi := e.interval().Ends(); lo > 0 || hi < 0 {
		t.Errorf("interval %v to %v excludes zero", lo, hi)
	}
	if p, _ := e.p(); p <= 0.05 {
		t.Errorf("p = %v of an interval that holds zero", p)
	}
}

func TestFewestTrials(t *testing.T) {
	for confidence, want := range map[float64]int{0.95: 6, 0.99: 8, 0.999: 11, 0.9: 5, 0.5: 2} {
		if got := stat.FewestOfTwo(1 - confidence); got != want {
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
	e := newEvidence(1, goodput(t), true, trialEffects(record.Of(run.Header.Design, run.Trials), goodput(t), 0, 1))
	e.alpha, e.method = 0.05, e.choose()
	lo, hi := e.interval().Ends()
	wantLo, wantHi := e.sample.Interval(0.05).Ends()
	if e.disagree() || lo != wantLo || hi != wantHi || math.IsNaN(lo) {
		t.Errorf("interval %v to %v, want %v to %v", lo, hi, wantLo, wantHi)
	}
}

// What set the interval is named, and what could have been seen is by as much
// larger as it is wider.
func TestMethodIsNamed(t *testing.T) {
	m := goodput(t)
	modes := []effect{}
	for i, x := range []float64{0.07, -0.0702, 0.0705, -0.07, 0.0701, -0.0698, 0.0703, -0.0699} {
		modes = append(modes, effect{at: i, x: x, Error: stat.Error{SE: 0.005, DF: 9}})
	}
	rare := []effect{}
	for i := range 18 {
		x := 0.001 * math.Sin(2.4*float64(i))
		if i == 11 {
			x = -0.08
		}
		rare = append(rare, effect{at: i, x: x, Error: stat.Error{SE: 0.002, DF: 9}})
	}
	agree := []effect{}
	for i := range 12 {
		agree = append(agree, effect{at: i, x: 0.01 * math.Sin(2.4*float64(i)), Error: stat.Error{SE: 0.02, DF: 9}})
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
		e.alpha, e.method = tt.alpha, e.choose()
		in := e.interval()
		if got := cmp.Or(strings.Join(in.By, " and "), stat.StudentsT); got != tt.want {
			t.Errorf("%s: %q, want %q (%v to %v)", tt.name, got, tt.want, in.Lo, in.Hi)
		}
		tlo, thi := e.sample.Interval(tt.alpha).Ends()
		byT, _ := e.sample.SmallestDetectable(tt.alpha)
		got, ok := e.smallestDetectable()
		if want := byT * (in.Hi - in.Lo) / (thi - tlo); !ok || math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: smallest detectable %v, want %v (by t alone %v)", tt.name, got, want, byT)
		}
	}
}
