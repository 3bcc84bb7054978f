package canary

import (
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/detached"
	"netab/test/need"
)

// long is more time than any machine takes for what takes a millisecond.
const long = int64(20 * time.Second)

// TestExchange: two threads pass a line to and fro, turn after turn, and what a turn
// left behind that ended in its middle does not answer the next.
func TestExchange(t *testing.T) {
	var x exchange
	until := detached.Now() + long
	for turn := int64(1); turn <= 3; turn++ {
		var both sync.WaitGroup
		var best int64
		both.Go(func() {
			if x.meet(0, turn, until) {
				best = x.lead(turn, until)
			}
		})
		both.Go(func() {
			if x.meet(1, turn, until) {
				x.follow(turn, until)
			}
		})
		both.Wait()
		if best <= 0 {
			t.Errorf("turn %d took %d", turn, best)
		}
		if turn == 1 { // the third finds what a second one left that went on too long
			turn++
			x.ball.Store(turn*2*trips*rounds + 7)
		}
	}
}

// TestDeadlines: who is alone gives up at the deadline, at each point where it waits.
func TestDeadlines(t *testing.T) {
	var x exchange
	soon := func() int64 { return detached.Now() + int64(time.Millisecond) }
	if x.meet(0, 1, soon()) {
		t.Error("met nobody")
	}
	if best := x.lead(1, soon()); best != 0 {
		t.Errorf("nobody answered, and a round took %d ns", best)
	}
	until := soon()
	x.follow(2, until)
	if detached.Now() < until {
		t.Error("followed nobody to the end")
	}
	x.there[1].Store(3)
	if !x.meet(0, 3, soon()) {
		t.Error("did not meet who was there already")
	}
	x.ball.Store(3*2*trips*rounds + 2*trips) // answered through the first round, then no more
	until = soon()
	if best := x.lead(3, until); best == 0 && detached.Now() < until {
		t.Error("gave up before the deadline")
	}
}

// TestNoObjects: what runs without a P makes none.
func TestNoObjects(t *testing.T) {
	var x exchange
	n := testing.AllocsPerRun(10, func() {
		x.meet(0, 1, 0)
		x.lead(1, 0)
		x.follow(1, 0)
		var number uint64
		bestChunk(2, &number)
	})
	if n != 0 {
		t.Errorf("%v objects", n)
	}
}

// twoCPUs are two that this process may run on.
func twoCPUs(t *testing.T) [2]int {
	cpus := need.CPUs(t, 2)
	return [2]int{cpus[0], cpus[1]}
}

func instants(n int, apart, room time.Duration) []Instant {
	var out []Instant
	start := detached.Now() + int64(5*time.Millisecond)
	for i := range n {
		at := start + int64(i)*int64(apart)
		out = append(out, Instant{at, at + int64(room)})
	}
	return out
}

// TestWatch: threads on two CPUs answer each other at most of their instants, and are
// ended before the last.
func TestWatch(t *testing.T) {
	cpus := twoCPUs(t)
	var last []Reading
	for range 5 { // others may have the CPUs
		w, err := NewWatch(cpus)
		if err != nil {
			t.Fatal(err)
		}
		all := instants(20, 5*time.Millisecond, 3*time.Millisecond)
		all = append(all, Instant{detached.Now() + long, detached.Now() + 2*long})
		w.Begin(all)
		time.Sleep(time.Duration(all[19].Until-detached.Now()) + 5*time.Millisecond)
		last = w.End()
		answered := 0
		for _, r := range last {
			if r.Distance > 0 && r.Step[0] > 0 && r.Step[1] > 0 && r.Took[0] > 0 && r.Took[1] > 0 {
				answered++
			}
		}
		if len(last) > 20 {
			t.Fatalf("%d readings of 20 instants that were due", len(last))
		}
		if answered > 0 {
			t.Logf("%+v", last[0])
			return
		}
	}
	t.Errorf("never an answer: %+v", last)
}

// TestWatchTooLate: an instant that is over is no reading, and one side that has no
// time to meet the other tells of its own CPU alone.
func TestWatchTooLate(t *testing.T) {
	cpus := twoCPUs(t)
	w, err := NewWatch(cpus)
	if err != nil {
		t.Fatal(err)
	}
	now := detached.Now()
	w.Begin([]Instant{{now - 2, now - 1}})
	time.Sleep(20 * time.Millisecond)
	for _, r := range w.End() {
		if r != (Reading{}) {
			t.Errorf("read of the past: %+v", r)
		}
	}
}

// TestWatchOfOneCPU has no distance, and the same step for both.
func TestWatchOfOneCPU(t *testing.T) {
	cpus, err := Allowed()
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWatch([2]int{cpus[0], cpus[0]})
	if err != nil {
		t.Fatal(err)
	}
	w.Begin(instants(1, 0, time.Minute))
	time.Sleep(50 * time.Millisecond)
	r := w.End()
	for len(r) == 1 && (r[0].Distance != 0 || r[0].Step[0] <= 0 || r[0].Step[0] != r[0].Step[1]) {
		t.Fatalf("%+v", r)
	}
}

// TestThreadsAreGivenBack: whatever thread the watch had is free and ordinary again.
func TestThreadsAreGivenBack(t *testing.T) {
	cpus, err := Allowed()
	if err != nil {
		t.Fatal(err)
	}
	restore, err := enter(cpus[0])
	if err != nil {
		t.Fatal(err)
	}
	thread := unix.Gettid()
	restore()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(thread, &set); err != nil {
		t.Skip("the thread has ended")
	}
	attr, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		t.Fatal(err)
	}
	if set.Count() != len(cpus) || attr.Policy != unix.SCHED_NORMAL {
		t.Errorf("on %d of %d CPUs, policy %d", set.Count(), len(cpus), attr.Policy)
	}
	if _, err := NewWatch([2]int{1 << 9, cpus[0]}); err == nil {
		t.Error("a watch on a CPU that is not there")
	}
}
