package canary

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results/crew"
)

// shortSlice is what a thread without real-time priority asks for: less than what
// others run for, so that it runs soon after it wakes up (sched_runtime of
// SCHED_OTHER, from Linux 6.12; earlier kernels take no notice of it).
const shortSlice = 100_000

// onThreads runs a function for each of the CPUs on a thread of its own there, once
// all threads are; none if one cannot be. What it returns waits for their end.
func onThreads(cpus []int, run func(i int)) (*crew.Crew, error) {
	errs := make([]error, len(cpus))
	var entered sync.WaitGroup
	entered.Add(len(cpus))
	ended := &crew.Crew{}
	for i, cpu := range cpus {
		ended.Go(func() error {
			restore, err := enter(cpu)
			errs[i] = err
			entered.Done()
			if err != nil {
				return nil
			}
			defer restore()
			if entered.Wait(); errors.Join(errs...) == nil {
				run(i)
			}
			return nil
		})
	}
	entered.Wait()
	return ended, errors.Join(errs...)
}

// enter locks the goroutine to its thread, pins that to a CPU and lets it run there
// before others, as far as it may. restore makes it a thread like all others again:
// it may be the process's first, which never ends and stands for the process in /proc.
func enter(cpu int) (restore func(), err error) {
	runtime.LockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("affinity of a thread: %w", err)
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("pin a thread to CPU %d: %w", cpu, err)
	}
	policy := hurry()
	return func() {
		err := unix.SchedSetaffinity(0, &before)
		if policy != nil && err == nil {
			err = unix.SchedSetAttr(0, policy, 0)
		}
		if err == nil {
			err = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // its default
		}
		if err == nil {
			runtime.UnlockOSThread()
		} // else the thread ends with its goroutine
	}, nil
}

// hurry lets the thread run before others, and returns what it was before.
func hurry() *unix.SchedAttr {
	// Wake from sleep at the instant asked for. Where it cannot be had the readings
	// are fewer, not wrong.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	before, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return nil
	}
	size := before.Size
	if unix.SchedSetAttr(0, &unix.SchedAttr{Size: size, Policy: unix.SCHED_FIFO, Priority: 1}, 0) == nil {
		return before
	}
	short := *before
	short.Runtime = shortSlice
	if before.Policy != unix.SCHED_NORMAL || unix.SchedSetAttr(0, &short, 0) != nil {
		return nil
	}
	return before
}

// Allowed are the CPUs that this process may run on, in order.
func Allowed() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("affinity of this process: %w", err)
	}
	var out []int
	for cpu := range 8 * int(unsafe.Sizeof(set)) {
		if set.IsSet(cpu) {
			out = append(out, cpu)
		}
	}
	return out, nil
}
