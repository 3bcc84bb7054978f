package question

import (
	"slices"
	"strings"
	"testing"
	"time"

	"netab/analysis"
	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

// TestExplainMode: a flag goes before the environment, and that before what is usual.
func TestExplainMode(t *testing.T) {
	t.Setenv(explainEnv, "")
	if mode := ExplainMode(); mode != "auto" {
		t.Errorf("by default %s", mode)
	}
	t.Setenv(explainEnv, "never")
	err := Explanation{Mode: ExplainMode(), Unasked: true}.Check()
	if err == nil || !strings.Contains(err.Error(), "NETAB_EXPLAIN=never in the environment: want auto, on or off") {
		t.Error(err)
	}
}

// TestAboutEmulated: two emulated CPUs are not put at risk by what nobody asked for.
func TestAboutEmulated(t *testing.T) {
	w := world.Quiet()
	w.Effects = []float64{-0.1}
	for _, tt := range []struct {
		mode string
		m    results.Machine
		want bool
	}{
		{"auto", results.Machine{CPUs: 2}, true},
		{"auto", results.Machine{CPUs: 1, Emulated: results.Emulated}, true},
		{"auto", results.Machine{CPUs: 2, Emulated: results.Emulated}, false},
		{"on", results.Machine{CPUs: 2, Emulated: results.Emulated}, true},
	} {
		run := w.Run(w.Design(0.01, time.Minute), 1, 8)
		run.Header.Machine = tt.m
		if about := (Explanation{Mode: tt.mode}).About(run); (about != nil) != tt.want {
			t.Errorf("%s on %+v: %+v", tt.mode, tt.m, about)
		}
	}
}

// TestAbout: what differs is explained, the largest first; what is shown to be the same
// is not.
func TestAbout(t *testing.T) {
	d := &results.Design{Baseline: "off", Metrics: []string{"goodput"}, Arms: []results.Arm{{Name: "off", Kind: vocab.Stream}, {Name: "a"}, {Name: "b"}}}
	p := 0.01
	s := &analysis.Summary{Trials: 8, Comparisons: []analysis.Comparison{
		{Baseline: "off", Arm: "a", Metric: "goodput", Judged: true, Verdict: analysis.Equivalent, Change: 0.001, P: &p},
		{Baseline: "off", Arm: "b", Metric: "goodput", Judged: true, Verdict: analysis.Regression, Change: -0.1, P: &p}}}
	about := Explanation{Mode: "auto", Unasked: true}.about(s, d)
	if about == nil || len(about.Arms) != 2 || about.Arms[1] != 2 || !about.Unasked || about.Time != hurriedTime {
		t.Errorf("%+v", about)
	}
	shown := s.Comparisons
	for _, undecided := range []float64{-0.3, 0.02} {
		s.Comparisons = append(slices.Clone(shown), analysis.Comparison{Baseline: "off", Arm: "a", Metric: "goodput", Judged: true, Verdict: analysis.Inconclusive, Change: undecided, P: &p})
		if about := (Explanation{Mode: "auto"}).about(s, d); about == nil || about.Arms[1] != 2 {
			t.Errorf("beside what is undecided (%v): %+v", undecided, about)
		}
		slices.Reverse(s.Comparisons)
		if about := (Explanation{Mode: "auto"}).about(s, d); about == nil || about.Arms[1] != 2 {
			t.Errorf("behind what is undecided (%v): %+v", undecided, about)
		}
	}
	s.Comparisons = shown[:1]
	if about := (Explanation{Mode: "auto"}).about(s, d); about != nil {
		t.Errorf("of the same: %+v", about)
	}
	if about := (Explanation{Mode: "on"}).about(s, d); about == nil || len(about.Arms) != 3 || about.Unasked {
		t.Errorf("on: %+v", about)
	}
}
