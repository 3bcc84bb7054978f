package account

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Slices 0 and 1 of 10 ns, with 2 ns between them that nothing counts.
var twoSlices = []Edge{{100, 0}, {110, None}, {112, 1}, {122, None}}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		name     string
		from, to uint64
		want     [2]int64 // of slices 0 and 1
	}{
		{"within one", 101, 104, [2]int64{3, 0}},
		{"over an edge", 105, 111, [2]int64{5, 0}},
		{"over both", 90, 200, [2]int64{10, 10}},
		{"from the gap on", 111, 115, [2]int64{0, 3}},
		{"before", 10, 100, [2]int64{0, 0}},
		{"behind", 122, 130, [2]int64{0, 0}},
		{"nothing", 105, 105, [2]int64{0, 0}},
		{"backwards", 108, 103, [2]int64{0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			times := newTimes(2, Size{Slices: 2, Arms: 1})
			times.cut(1, programsSpan{From: test.from, To: test.to, Slot: uint32(Role(0, true)), Context: firstSoftirq + 3}, twoSlices)
			got := [2]int64{times.At(1, 0, Role(0, true)).NS[firstSoftirq+3], times.At(1, 1, Role(0, true)).NS[firstSoftirq+3]}
			if got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			if got := [2]int64{times.Wall(1, 0), times.Wall(1, 1)}; got != test.want {
				t.Errorf("all slots together: %v, want %v", got, test.want)
			}
		})
	}
}

func TestRemaining(t *testing.T) {
	for _, test := range []struct {
		name  string
		clock programsClock
		seen  bool
		known Slot
		want  programsSpan
	}{
		{"not one event", programsClock{Last: 7, Slot: 99}, false, Softirqd, programsSpan{From: 100, To: 122, Slot: uint32(Softirqd)}},
		{"asleep since", programsClock{Last: 105, Slot: unknownSlot, Vector: -1}, true, Other, programsSpan{From: 105, To: 122, Slot: uint32(Idle)}},
		{"a task", programsClock{Last: 105, Slot: 6, Vector: -1}, true, Other, programsSpan{From: 105, To: 122, Slot: 6}},
		{"a softirq", programsClock{Last: 105, Slot: 6, Vector: 3}, true, Other, programsSpan{From: 105, To: 122, Slot: 6, Context: firstSoftirq + 3}},
		{"an interrupt in it", programsClock{Last: 105, Slot: 6, Vector: 3, Irq: 1}, true, Other, programsSpan{From: 105, To: 122, Slot: 6, Context: IRQ}},
		{"seen before the first edge only", programsClock{Last: 50, Slot: 6, Vector: -1}, true, Other, programsSpan{From: 100, To: 122, Slot: 6}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := remaining(test.clock, test.seen, twoSlices, test.known)
			if diff := cmp.Diff([4]uint64{test.want.From, test.want.To, uint64(test.want.Slot), uint64(test.want.Context)},
				[4]uint64{got.From, got.To, uint64(got.Slot), uint64(got.Context)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSlots(t *testing.T) {
	seen := map[Slot]bool{Other: true, Idle: true, Softirqd: true, Netab: true, Beside: true}
	for arm := range 3 {
		for _, sink := range []bool{false, true} {
			s := Role(arm, sink)
			if seen[s] || int(s) >= Slots(3) {
				t.Errorf("arm %d, sink %v: slot %d is another's, or there is none of that number", arm, sink, s)
			}
			seen[s] = true
		}
	}
}
