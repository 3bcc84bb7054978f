package plan

import (
	"slices"
	"testing"
	"time"

	"netab/results"
	"netab/runner"
)

// TestTooShort: a run that cannot give a verdict says so, and how long it would
// need; one arm needs an interval only.
func TestTooShort(t *testing.T) {
	for _, tt := range []struct {
		arms       int
		confidence float64
		maxTime    time.Duration
		want       string
	}{
		{2, 0.95, 6 * time.Second, "no verdict can come of this run: its time limit of 6s has room for about 3 trials of 2s, and 6 are needed; give it --max-time 12s"},
		{2, 0.95, 12 * time.Second, ""},
		{2, 0.99, 12 * time.Second, "no verdict can come of this run: its time limit of 12s has room for about 6 trials of 2s, and 8 are needed; give it --max-time 16s"},
		{2, 0.95, time.Second, "no verdict can come of this run: its time limit of 1s has room for about 1 trial of 2s, and 6 are needed; give it --max-time 12s"},
		{1, 0.95, 4 * time.Second, ""},
		{1, 0.95, 3 * time.Second, "no interval can come of this run: its time limit of 3s has room for about 1 trial of 2s, and 2 are needed; give it --max-time 4s"},
	} {
		o := runner.Options{MaxTime: tt.maxTime, Header: results.Header{Design: results.Design{Arms: make([]results.Arm, tt.arms), Confidence: tt.confidence}}}
		each := (&runner.Preview{}).Each()
		if got := New(nil, o, &runner.Preview{Trial: 2*time.Second - each}).TooShort(); got != tt.want {
			t.Errorf("%d arms, %v, %v:\n%s\nwant\n%s", tt.arms, tt.confidence, tt.maxTime, got, tt.want)
		}
	}
}

// TestTable: cells begin below each other, whatever their letters, and a row ends with
// its last one.
func TestTable(t *testing.T) {
	wide := table{{"differs", "öäü", "b"}, {"topology.mtu", "1500", "-"}}
	if got, want := wide.lines(), []string{"differs       öäü   b", "topology.mtu  1500  -"}; !slices.Equal(got, want) || wide.width() != 21 {
		t.Errorf("%q, %d wide, want %q", got, wide.width(), want)
	}
	if got, want := wide.transposed().lines(), []string{"differs  topology.mtu", "öäü      1500", "b        -"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
