package results

import (
	"testing"

	"netab/results/vocab"
)

// TestSinkIdles: a sink that asked in vain now and then is the limit, one that did so all
// the time waits; one that sleeps never asks in vain.
func TestSinkIdles(t *testing.T) {
	for empty, want := range map[int64]bool{0: false, 20: false, 900: true} {
		trials := []Trial{
			{Arms: []ArmTrial{{Arm: 1, Sink: RoleDelta{Events: map[string]int64{vocab.EmptyPolls: empty}}}, {Arm: 0}}, Slices: []Slice{{Arm: 1, Counts: Counts{RxMsgs: 1000}}, {Arm: 0, Counts: Counts{RxMsgs: 5}}}},
			{Invalid: "cut off", Arms: []ArmTrial{{Arm: 1, Sink: RoleDelta{Events: map[string]int64{vocab.EmptyPolls: 1e6}}}}},
		}
		if got := SinkIdles(trials, 1); got != want || SinkIdles(trials, 0) {
			t.Errorf("%d calls in vain of 1000: %v, want %v", empty, got, want)
		}
	}
}
