package hardware

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/test/need"
)

// software are events that every kernel counts, in place of a CPU's.
func software() []Event {
	return []Event{
		{"task clock", unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_TASK_CLOCK},
		{"switches", unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_CONTEXT_SWITCHES},
		{"none", unix.PERF_TYPE_SOFTWARE, 99},
	}
}

// TestCounters asks the kernel, of events that it counts itself.
func TestCounters(t *testing.T) {
	need.Root(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := software()[:2]
	c, err := Open(append(events, Event{"none", 1 << 30, 0}), []int{unix.Gettid()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	a, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 20*time.Millisecond; {
		ts := unix.NsecToTimespec(100e3)
		_ = unix.Nanosleep(&ts, nil)
	}
	for begin := time.Now(); time.Since(begin) < 20*time.Millisecond; {
	}
	b, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	clock, switches := Between(a[0], b[0]), Between(a[1], b[1])
	if clock == nil || *clock < 1e6 || *clock > 5e9 {
		t.Errorf("%v ns of the thread's clock", clock)
	}
	if switches == nil || *switches < 5 {
		t.Errorf("%v switches of a thread that slept time and again", switches)
	}
	if a[2] != nil || Between(a[2], b[2]) != nil {
		t.Error("counted what the kernel does not know")
	}
	if _, err := Open(Events()[:1], []int{unix.Gettid()}); err != nil && !errors.Is(err, ErrNone) {
		t.Errorf("without a PMU: %v", err)
	}
}

func TestBetween(t *testing.T) {
	is := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		a, b *Reading
		want *int64
	}{
		"all the time":     {&Reading{100, 10, 10}, &Reading{300, 20, 20}, is(200)},
		"half of the time": {&Reading{100, 10, 10}, &Reading{300, 30, 20}, is(400)},
		"hardly ever":      {&Reading{100, 10, 10}, &Reading{300, 110, 15}, nil},
		"never":            {&Reading{100, 10, 10}, &Reading{100, 20, 10}, nil},
		"asleep":           {&Reading{100, 10, 10}, &Reading{100, 10, 10}, is(0)},
		"not there":        {nil, nil, nil},
		"backwards":        {&Reading{300, 10, 10}, &Reading{100, 20, 20}, nil},
	} {
		got := Between(c.a, c.b)
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	raw := append(append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, 2, 0, 0, 0, 0, 0, 0, 0), 3, 0, 0, 0, 0, 0, 0, 0)
	if r := decode(raw); r != (Reading{1, 2, 3}) && r != (Reading{1 << 56, 2 << 56, 3 << 56}) {
		t.Errorf("%+v", r)
	}
}
