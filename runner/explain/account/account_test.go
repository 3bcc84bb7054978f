package account_test

import (
	"math"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/explain/account"
	"netab/test/need"
	"netab/test/objects"
)

func now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// spin burns CPU time on its own thread until an instant, beginning at the other.
func spin(cpu int, from, to int64, tid chan<- int, used chan<- int64) {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(cpu)
	_ = unix.SchedSetaffinity(0, &set)
	tid <- unix.Gettid()
	time.Sleep(time.Duration(from - now()))
	before := threadCPU()
	for now() < to {
		_ = unix.Getppid()
	}
	used <- threadCPU() - before
}

func threadCPU() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return ts.Nano()
}

// TestAccount asks the kernel: two stretches, a thread that spins in slices of the
// first, and sums that are wall time on every CPU.
func TestAccount(t *testing.T) {
	need.Root(t)
	a, err := account.New(account.Size{Slices: 6, Edges: 16, Arms: 1, Split: true})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()

	const ms = int64(time.Millisecond)
	begin := now() + 100*ms
	var edges []account.Edge
	for i := range 6 {
		at := begin + int64(i)*40*ms
		if i >= 3 {
			at += 60 * ms // between the stretches
		}
		edges = append(edges, account.Edge{At: at, Slice: account.None}, account.Edge{At: at + 10*ms, Slice: i})
		if i == 2 || i == 5 {
			edges = append(edges, account.Edge{At: at + 40*ms, Slice: account.None})
		}
	}
	tid, used := make(chan int), make(chan int64, 1)
	go spin(0, begin, begin+110*ms, tid, used) // to 30 ms of slice 2
	if err := a.Assign(map[int]account.Slot{<-tid: account.Role(0, false)}, map[int]account.Slot{os.Getpid(): account.Netab}); err != nil {
		t.Fatal(err)
	}
	if err := a.Schedule(edges); err != nil {
		t.Fatal(err)
	}
	for _, stretch := range [][2]int{{0, 7}, {7, 14}} {
		time.Sleep(time.Duration(edges[stretch[0]].At-now()) - 20*time.Millisecond)
		if err := a.Attach(stretch[0], stretch[1]); err != nil {
			t.Fatal(err)
		}
		late := now() > edges[stretch[0]].At
		time.Sleep(time.Duration(edges[stretch[1]-1].At-now()) + 12*time.Millisecond)
		if err := a.Detach(); err != nil {
			t.Fatal(err)
		}
		if late {
			t.Skip("the machine was too busy to attach in time")
		}
	}
	times, err := a.Times()
	if err != nil {
		t.Fatal(err)
	}
	for cpu := range times.CPUs() {
		for slice := range 6 {
			if got := times.Wall(cpu, slice); math.Abs(float64(got-30*ms)) > 0.001*30*float64(ms) {
				t.Errorf("CPU %d, slice %d: all parts are %v, want 30ms", cpu, slice, time.Duration(got))
			}
		}
	}
	var role account.Cell
	for cpu := range times.CPUs() {
		for slice := range 6 {
			c := times.At(cpu, slice, account.Role(0, false))
			role = role.Plus(c)
			if slice > 2 && c != (account.Cell{}) {
				t.Errorf("slice %d: the thread had ended, and is told to have had %v of CPU %d", slice, c, cpu)
			}
		}
	}
	var total int64
	for _, ns := range role.NS {
		total += ns
	}
	// It spun through the counted 30 ms of slices 0 and 1 and 20 of slice 2, if it got
	// its CPU: what it used in all, 10 ms a slice off, is known from the scheduler.
	spun := <-used
	if total < spun-30*ms-5*ms || total > spun {
		t.Errorf("the thread has %v of the slices, where it used %v in and between them", time.Duration(total), time.Duration(spun))
	}
	if role.Events[account.Task] == 0 {
		t.Error("no event ended in the thread's own context")
	}
	// It makes system calls all the time, of which some is on either side.
	if share := float64(role.NS[account.User]) / float64(total); a.Splits() && (share < 0.02 || share > 0.98 || role.Events[account.User] < 1000) {
		t.Errorf("%.1f %% of its time is in user space, over %d calls", 100*share, role.Events[account.User])
	}
	if a.Absent() != nil {
		t.Logf("no tracepoints of %v", a.Absent())
	}
}

// TestObject: the committed object is made of the committed source.
func TestObject(t *testing.T) { objects.Check(t, "account.go", "../bpf/CLANG") }
