// Package detached is for OS threads that work beside Go's scheduler: a locked
// goroutine whose whole work is, to the runtime, one long system call. It holds no
// P meanwhile and is never preempted, and where all Ps are idle the runtime's
// monitor thread sleeps too, so that nothing of netab runs while slices do but
// what is meant to.
//
// The price: everything between Enter and Leave must be nosplit, must not allocate
// and must not write a pointer (the collector may be at work, and its write barrier
// takes a P). Both stand in the function that does the work, and in no wrapper: the
// runtime keeps the frame that called Enter.
package detached

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Now is CLOCK_MONOTONIC in ns, by the runtime through the vDSO: 20-30 ns, where
// unix.ClockGettime is a real system call of several hundred. time.Since would do
// but is not nosplit.
//
//go:linkname Now runtime.nanotime
func Now() int64

// SleepUntil blocks the thread until an instant of CLOCK_MONOTONIC.
//
//go:nosplit
func SleepUntil(instant int64) {
	ts := unix.Timespec{Sec: instant / 1e9, Nsec: instant % 1e9}
	for Now() < instant {
		// EINTR only, and then the instant still stands.
		syscall.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
	}
}

// CPUTime is the thread's CPU time in ns, exact to the moment (the first field of its
// schedstat is only as fresh as the last tick).
//
//go:nosplit
func CPUTime() int64 {
	var ts unix.Timespec
	syscall.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_THREAD_CPUTIME_ID, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Sec*1e9 + ts.Nsec
}
