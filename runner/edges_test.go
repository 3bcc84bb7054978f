package runner

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netab/results"
	"netab/runner/probe"
	"netab/runner/traffic"
)

// TestPlanCounters: as much as costs 0.2 % of a slice, and the rarer the dearer.
func TestPlanCounters(t *testing.T) {
	for _, tc := range []struct {
		name         string
		slice        time.Duration
		costs        [3]int64 // of one, two, three files
		files, every int      // 0 = none
	}{
		{"a small machine", 25 * time.Millisecond, [3]int64{1300, 2700, 5800}, 3, 1},
		{"more CPUs", 25 * time.Millisecond, [3]int64{3000, 6000, 40_000}, 2, 1},
		{"many CPUs", 25 * time.Millisecond, [3]int64{20_000, 60_000, 200_000}, 1, 3},
		{"short slices", 6 * time.Millisecond, [3]int64{1300, 2700, 5800}, 1, 1},
		{"too many", 25 * time.Millisecond, [3]int64{200_000, 600_000, 900_000}, 0, 0},
		{"no such files", 25 * time.Millisecond, [3]int64{}, 0, 0},
		{"the first alone", 25 * time.Millisecond, [3]int64{1300, 0, 0}, 1, 1},
	} {
		got := planCounters(tc.slice, func(files int) int64 { return tc.costs[files-1] })
		var want *results.CounterPlan
		if tc.files > 0 {
			want = &results.CounterPlan{EveryBlocks: tc.every, Files: probe.EdgeFiles[:tc.files], CostNS: tc.costs[tc.files-1]}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// TestArmCounters: an arm's sums are of its own slices, of those that were read.
func TestArmCounters(t *testing.T) {
	turns := []turn{{slice: -1, arm: 0}, {slice: 0, arm: 0}, {slice: 1, arm: 1}, {slice: 2, arm: 1}, {slice: 3, arm: 0}}
	counted := map[int]traffic.Counted{}
	for slice, n := range map[int]int64{0: 5, 1: 7, 3: 11} {
		counted[slice] = traffic.Counted{Slice: slice, Sum: results.Counters{OverNS: 10}, CPUs: []results.CPUCounters{
			{CPU: 1, Processed: n, Softirqs: map[string]int64{"NET_RX": n}}, {CPU: int(n), Dropped: 1}}}
	}
	want := &results.ArmCounters{Slices: 2, OverNS: 20, CPUs: []results.CPUCounters{
		{CPU: 1, Processed: 16, Softirqs: map[string]int64{"NET_RX": 16}}, {CPU: 5, Dropped: 1}, {CPU: 11, Dropped: 1}}}
	if diff := cmp.Diff(want, armCounters(counted, turns, 0)); diff != "" {
		t.Error(diff)
	}
	if got := armCounters(map[int]traffic.Counted{}, turns, 0); got != nil {
		t.Errorf("%+v of what was not read", got)
	}
}
