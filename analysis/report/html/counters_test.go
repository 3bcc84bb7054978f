package html

import (
	"testing"

	"netab/results"
)

// TestCountersText: where counters are missing, the page says of how many slices
// they are.
func TestCountersText(t *testing.T) {
	run := &results.Run{Trials: []results.Trial{{Slices: []results.Slice{{Counters: &results.Counters{}}, {}}}, {Slices: []results.Slice{{}}}}}
	if got := countersText(run); got != "" {
		t.Errorf("%q of an older record", got)
	}
	run.Header.Plan.Counters = &results.CounterPlan{EveryBlocks: 3, Files: []string{"/proc/thread-self/net/softnet_stat", "/proc/softirqs"}}
	if got, want := countersText(run), "softnet_stat, softirqs, in one of 3 blocks: read for 1 of 3 slices"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
