package canary

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	futexWake       = 1 | 128 // FUTEX_WAKE | FUTEX_PRIVATE_FLAG, include/uapi/linux/futex.h
	futexWaitBitset = 9 | 128 // whose timeout is an instant of CLOCK_MONOTONIC
	anyBit          = 1<<32 - 1
)

// waitUntil sleeps while the word holds a value, until an instant at most.
//
//go:nosplit
func waitUntil(word *atomic.Uint32, value uint32, instant int64) {
	ts := unix.Timespec{Sec: instant / 1e9, Nsec: instant % 1e9}
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitBitset, uintptr(value), uintptr(unsafe.Pointer(&ts)), 0, anyBit)
}

// wakeAll wakes all threads that wait for a change of the word, and says how many
// they were.
//
//go:nosplit
func wakeAll(word *atomic.Uint32) int {
	n, _, _ := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1<<30, 0, 0, 0)
	return int(n)
}
