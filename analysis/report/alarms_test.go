package report

import (
	"testing"

	"netab/analysis"
	"netab/results"
)

func TestAlarmText(t *testing.T) {
	of := func(rested int, verdicts ...analysis.Verdict) analysis.Summary {
		s := analysis.Summary{Confidence: 0.95}
		for i, v := range verdicts {
			c := analysis.Comparison{Judged: true, Verdict: v}
			if i < rested {
				c.RestedAfter = 8
			}
			s.Comparisons = append(s.Comparisons, c, analysis.Comparison{Verdict: v}) // one that is not judged
		}
		return s
	}
	nine := []analysis.Verdict{analysis.Regression, analysis.Regression, analysis.Improvement, analysis.Equivalent, analysis.Equivalent, analysis.Equivalent, analysis.Inconclusive, analysis.Inconclusive, analysis.Equivalent}
	extended := of(0, nine...)
	extended.Warnings = []results.Warning{{Code: analysis.Extended}}
	for _, tt := range []struct {
		name string
		s    analysis.Summary
		want string
	}{
		{"few", of(0, nine[:3]...), ""},
		{"many", of(0, nine...), "2 regressions and 1 improvement in 9 comparisons: that any of these verdicts is false has a chance of 5 % at most, all comparisons and looks together."},
		{"few, one of which rested", of(1, nine[:3]...), "1 of 3 comparisons had a verdict before the end; those arms were measured no more, and the time went to the others."},
		{"made longer", extended, "2 regressions and 1 improvement in 9 comparisons."},
	} {
		if got := AlarmText(tt.s); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
