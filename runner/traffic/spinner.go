package traffic

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/runner/detached"
)

// A spinner keeps a CPU awake with the least of priorities: while it spins, the guest's
// clock counts instructions and nothing else.
type spinner struct {
	run     gate // 0 = it sleeps
	rested  gate // 1 = it sleeps
	quit    atomic.Bool
	clockID int32
	seen    int64 // of its clock
}

// startSpinners starts one on each CPU, and returns when they sleep.
func startSpinners() (all []*spinner, err error) {
	var cpus unix.CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &cpus); err != nil {
		return nil, fmt.Errorf("count: CPUs: %w", err)
	}
	for i := 0; len(all) < cpus.Count(); i++ {
		if !cpus.IsSet(i) {
			continue
		}
		s := &spinner{}
		if err := s.start(i); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (s *spinner) start(cpu int) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: it ends with this
		var own unix.CPUSet
		own.Set(cpu)
		err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0)
		if err == nil {
			err = unix.SchedSetaffinity(0, &own)
		}
		s.clockID = threadClock(unix.Gettid())
		failed <- err
		if err != nil {
			return
		}
		detached.Enter()
		s.work()
		detached.Leave()
	}()
	if err := <-failed; err != nil {
		return fmt.Errorf("count: an idle thread on CPU %d: %w", cpu, err)
	}
	return nil
}

//go:nosplit
//go:noinline
func (s *spinner) work() {
	for {
		s.run.wait()
		if s.quit.Load() {
			return
		}
		for s.run.opened.Load() != 0 {
		}
		s.rested.open()
	}
}

//go:nosplit
func (s *spinner) begin() {
	s.rested.opened.Store(0)
	s.run.open()
}

//go:nosplit
func (s *spinner) end() {
	s.run.opened.Store(0)
	s.rested.wait()
}

//go:nosplit
func (s *spinner) clock() int64 {
	var ts unix.Timespec
	syscall.RawSyscall(unix.SYS_CLOCK_GETTIME, uintptr(s.clockID), uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Sec*1e9 + ts.Nsec
}

func (s *spinner) close() {
	s.quit.Store(true)
	s.run.open()
}
