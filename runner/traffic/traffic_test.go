package traffic

import (
	"fmt"
	"testing"
	"time"

	"netab/runner/detached"
)

// The meter is pure but for the clock: messages before an edge are counted
// before it, a call that blocked over it after it.
func TestMeterAttributesBlockedCallToLaterWindow(t *testing.T) {
	th, err := enterThread(nil)
	must(t, err)
	retry(t, func(t *testing.T, by stretch) string {
		now := Now()
		w := []Window{{Slice: 0, Start: now, Count: now + 20*ms, End: now + 40*ms}, {Slice: 1, Start: now + 40*ms, Count: now + 60*ms, End: now + 80*ms}}
		m := newMeter(w, th, nil, false)
		// A gap longer than maxGap keeps the stride at 1: with a longer stride up to
		// maxStride messages of a flow that stops dead may count as later than they
		// were, never more than maxGap's worth of a flow that runs.
		for _, step := range []struct{ at, bytes, before int64 }{
			{1, 1, 20},    // before the first edge
			{25, 10, 40},  // returned inside window 0's counted part: belongs there
			{65, 100, 80}, // blocked over two edges: belongs to window 1
			{85, 1000, 1e6},
		} {
			detached.SleepUntil(now + step.at*ms)
			m.add(step.bytes, 1)
			if late := Now() - now; late >= step.before*ms {
				return fmt.Sprintf("the step of %d ms was made at %v", step.at, time.Duration(late))
			}
		}
		m.finish()
		if got := counted(m.samples, 0).Bytes; got != 10 {
			t.Errorf("window 0 counted %d bytes, want 10", got)
		}
		if got := counted(m.samples, 1).Bytes; got != 100 {
			t.Errorf("window 1 counted %d bytes, want 100", got)
		}
		return ""
	})
}

func TestNoAllocationPerMessage(t *testing.T) {
	th, err := enterThread(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := newMeter([]Window{{Start: 0, Count: Now() + 1e12, End: Now() + 2e12}}, th, nil, false)
	if n := testing.AllocsPerRun(1000, func() { m.add(1, 1) }); n != 0 {
		t.Errorf("%v allocations per message", n)
	}
	if n := testing.AllocsPerRun(100, func() { m.take(&m.samples[0]) }); n != 0 {
		t.Errorf("%v allocations per sample", n)
	}
}

// What arrives when the next arm is counted already is late, and only that.
func TestLateBytes(t *testing.T) {
	samples := func(bytes ...int64) (out []sample) {
		for _, b := range bytes {
			out = append(out, sample{Counts: Counts{Bytes: b}})
		}
		return out
	}
	// Start, Count, End, Tail of two windows; 10 bytes drain in the tail of the
	// first, 7 after it, 5 after the second's.
	s := samples(0, 20, 100, 110, 117, 130, 200, 200)
	if got := late(s, 0, sample{Counts: Counts{Bytes: 205}}); got != 7 {
		t.Errorf("first window: %d bytes late, want 7", got)
	}
	if got := late(s, 1, sample{Counts: Counts{Bytes: 205}}); got != 5 {
		t.Errorf("second window: %d bytes late, want 5", got)
	}
	if got := counted(s, 1).Bytes; got != 70 {
		t.Errorf("second window: %d bytes counted, want 70", got)
	}
}
