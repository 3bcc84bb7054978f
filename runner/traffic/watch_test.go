package traffic

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// TestCounters: what the machine counted in each window asked for holds at least
// what the flow moved there, and is of that window.
func TestCounters(t *testing.T) {
	for name, c := range map[string]Config{
		"flood": {Protocol: "udp", Message: 64},
		"paced": {Protocol: "udp", Message: 64, Rate: 2000},
		"rr":    {Kind: "rr", Protocol: "udp", Message: 64, Response: 64, Timeout: 500 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				windows := by.windowsFrom(8*time.Millisecond, 6, 40*time.Millisecond, 20*time.Millisecond, 6*time.Millisecond)
				for i := range windows[:5] {
					windows[i].Counters = 3
				}
				r, ok := runs(t, openFlows(t, c, 1), windows)
				if !ok || len(r.Counters) == 0 {
					return "no window was read on this busy machine"
				}
				for _, got := range r.Counters {
					i := got.Slice
					w, moved := windows[i], r.Groups[0].Windows[i]
					if w.Counters == 0 {
						t.Errorf("slice %d was read, and nobody asked", i)
					}
					if slack := (w.Count - w.Start) / watchSlack; got.Sum.OverNS < w.End-w.Count || got.Sum.OverNS > w.End-w.Count+2*slack {
						t.Errorf("slice %d: over %d ns, counted are %d", i, got.Sum.OverNS, w.End-w.Count)
					}
					// What the stack had processed before it was read, a sink that was kept from its
					// CPU received afterwards: a few, where the CPUs are taken away.
					if s := got.Sum.Softnet; s == nil || s.Processed < moved.RxMsgs*9/10 {
						t.Errorf("slice %d: %+v, where %d came", i, s, moved.RxMsgs)
					} else if s.Processed < moved.RxMsgs {
						return fmt.Sprintf("slice %d: %d were processed of the %d that came on this busy machine", i, s.Processed, moved.RxMsgs)
					}
					if s, n := got.Sum.Softirqs, got.Sum.Totals; s == nil || s.NetRX == 0 || n == nil || n.ContextSwitches == 0 {
						t.Errorf("slice %d: %+v, %+v", i, s, n)
					}
					var processed int64
					for _, c := range got.CPUs {
						processed += c.Processed
					}
					if processed != got.Sum.Softnet.Processed {
						t.Errorf("slice %d: %d by CPU, %d in all", i, processed, got.Sum.Softnet.Processed)
					}
				}
				return ""
			})
		})
	}
}

// TestSwitches: between two messages far apart the source leaves its CPU, by itself
// or for others, and the sink sleeps.
func TestSwitches(t *testing.T) {
	retry(t, func(t *testing.T, by stretch) string {
		r, ok := runs(t, openFlows(t, Config{Protocol: "udp", Message: 64, Rate: 2000}, 1), by.windowsFrom(8*time.Millisecond, 2, 60*time.Millisecond, 5*time.Millisecond, 5*time.Millisecond))
		for _, w := range r.Groups[0].Windows {
			if w.TxMsgs < 50 || !ok {
				return fmt.Sprintf("%d messages on this busy machine", w.TxMsgs)
			}
			if w.Switches.Source() < w.TxMsgs/2 || w.Switches.SinkVoluntary < w.RxMsgs/2 {
				t.Errorf("%+v", w)
			}
		}
		return ""
	})
}

// TestWatchTooLate: a reading that would run into the counted part, or into what
// others do after the window, is left out; the second is none without the first.
func TestWatchTooLate(t *testing.T) {
	now := Now()
	window := Window{Start: now - 10e6, Count: now + 1e12, End: now + 2e12, Counters: 1}
	read := func(act func(w *watch)) (before, after bool) {
		t.Helper()
		window.Start = window.Count - 5e6
		w := newWatch([]Window{window})
		if w == nil {
			t.Fatal("softnet_stat cannot be read here")
		}
		defer w.close()
		w.begin(0, window.Count)
		act(w)
		return w.times[1] > 0, w.times[3] > 0
	}
	for name, tc := range map[string]struct {
		act           func(w *watch)
		before, after bool
	}{
		"both":            {func(w *watch) { w.before(window.Count - 500_000); w.after(Now()) }, true, true},
		"first too late":  {func(w *watch) { w.before(window.Count - watchLeast + 1); w.after(Now()) }, false, false},
		"second too late": {func(w *watch) { w.before(window.Count - 500_000); w.after(Now() - 2e6) }, true, false},
	} {
		if before, after := read(tc.act); before != tc.before || after != tc.after {
			t.Errorf("%s: read %v and %v", name, before, after)
		}
	}
	if w := newWatch([]Window{{Start: 0, Count: 100_000, End: 1e6, Counters: 1}, {Start: 2e6, Count: 7e6, End: 9e6}}); w != nil {
		t.Errorf("a settle part of 100 us is watched, or what nobody asked for: %+v", w)
	}
	w := &watch{place: []int{-1}, look: 1} // left from a window that no step looked at
	if w.begin(0, 5); w.look != math.MaxInt64 {
		t.Error("a window that is not watched is looked at")
	}
}
