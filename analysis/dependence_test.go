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
