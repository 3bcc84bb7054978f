package analysis

import "testing"

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
