package trend

import (
	"strings"
	"testing"
	"time"

	"netab/results"
)

// A host that moves a guest's CPUs apart for some nights is no regression of the
// kernel, and a kernel's is found among the nights of one state.
func TestNightsOfOneState(t *testing.T) {
	near, far := map[string]float64{"distance_ns": 75}, map[string]float64{"distance_ns": 350}
	nights := func(n int, of func(i int) (float64, map[string]float64)) []results.Digest {
		var ds []results.Digest
		for i := range n {
			x, state := of(i)
			ds = append(ds, results.Digest{ID: "run" + string(rune('a'+i)), Started: time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC).AddDate(0, 0, i),
				Scenario: "tcp", Facts: map[string]string{"machine id": "m"}, State: state,
				Series: []results.SeriesKey{{Arm: "off", Metric: "goodput", Judged: true, Traffic: "tcp", Question: "q", Resolution: 0.01}},
				Values: []float64{x * (1 + 0.001*float64(i*7%5))}})
		}
		return ds
	}
	for _, tt := range []struct {
		name    string
		of      func(i int) (float64, map[string]float64)
		points  int
		changes int
		warning string
	}{
		{"one state", func(int) (float64, map[string]float64) { return 40e9, near }, 24, 0, ""},
		{"far every third night", func(i int) (float64, map[string]float64) {
			if i%3 == 1 {
				return 28e9, far
			}
			return 40e9, near
		}, 16, 0, "8 of 24 runs were in another state of the machine than the newest (CPUs 350 ns apart, not CPUs 75 ns apart) and are left out"},
		{"and a change", func(i int) (float64, map[string]float64) {
			x, state := 40e9, near
			if i%3 == 1 {
				x, state = 28e9, far
			}
			if i >= 12 {
				x *= 0.9
			}
			return x, state
		}, 16, 1, "8 of 24 runs"},
		{"what older netabs recorded stays", func(i int) (float64, map[string]float64) {
			if i < 12 {
				return 40e9, nil
			}
			return 40e9, far
		}, 24, 0, ""},
	} {
		s := Analyze(nights(24, tt.of), Options{}).Series[0]
		var said []string
		for _, w := range s.Warnings {
			if w.Code == "states-differ" {
				said = append(said, w.Text)
			}
		}
		if len(s.Points) != tt.points || len(s.Changes) != tt.changes || !strings.Contains(strings.Join(said, "\n"), tt.warning) || (tt.warning == "") != (len(said) == 0) {
			t.Errorf("%s: %d points, %d changes, %q", tt.name, len(s.Points), len(s.Changes), said)
		}
	}
}
