package analysis

import (
	"math"
	"strings"
	"testing"
	"time"

	"netab/analysis/world"
)

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

// TestObviousThoughDependent: what trials share changes an effect by tenths. A change
// that their whole scatter cannot touch has its verdict, and is said to be of trials
// that depend on each other (a CI machine: 64 bytes against 128 KiB, -98.6 %).
func TestObviousThoughDependent(t *testing.T) {
	d := with(func(*world.World) {}).Design(0.1, time.Minute)
	for name, tc := range map[string]struct {
		a, b    float64 // ln of the effect in the first nine trials, and in the others
		verdict Verdict
	}{
		"a seventieth":                   {-4.2, -4.5, Regression},
		"seventy times":                  {4.2, 4.5, Improvement},
		"less than half":                 {-0.75, -0.78, Regression},
		"a little more than half":        {-0.65, -0.66, Inconclusive},
		"scatter that could take it all": {-0.8, -1.1, Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			var effects [][]float64
			for i := range 18 {
				x := tc.a
				if i >= 9 {
					x = tc.b
				}
				effects = append(effects, []float64{x + 0.002*math.Sin(2.4*float64(i))})
			}
			s := Summarize(effectsRun(d, effects))
			c := s.find(t, "arm1")
			if c.Verdict != tc.verdict || c.Dependence == nil || !warned(s, "autocorrelated") || (c.Withheld == "") != (tc.verdict != Inconclusive) {
				t.Errorf("%s (withheld %q), want %s; %+v", c.Verdict, c.Withheld, tc.verdict, c.Dependence)
			}
			if g := NewGate(s, nil, time.Time{}); tc.verdict == Inconclusive && !strings.Contains(g.Sentence, "neighbouring trials are alike") {
				t.Errorf("the gate does not say why: %s", g.Sentence)
			}
		})
	}
}

func warned(s Summary, code string) bool {
	for _, w := range s.Warnings {
		if string(w.Code) == code {
			return true
		}
	}
	return false
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
