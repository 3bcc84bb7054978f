package traffic

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/probe"
)

// A thread is the OS thread of one role, and what must be open to read its
// cost without allocating.
type thread struct {
	tid       int
	schedstat int // fd; -1 where the kernel has no CONFIG_SCHED_INFO
	// Where system calls write to: nosplit functions have little stack.
	buf    [96]byte
	values [9]uint32
	size   uint32
	usage  unix.Rusage
}

// enterThread locks the goroutine to its OS thread for good (the thread dies
// with it) and pins that to the CPUs; none = leave it free.
func enterThread(cpus []int) (*thread, error) {
	runtime.LockOSThread()
	if len(cpus) > 0 {
		var set unix.CPUSet
		for _, c := range cpus {
			set.Set(c)
		}
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return nil, fmt.Errorf("pin thread to CPUs %v: %w", cpus, err)
		}
	}
	// Wake from sleep at the instant asked for, not up to 50 us later.
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("set timer slack: %w", err)
	}
	t := &thread{tid: unix.Gettid()}
	fd, err := unix.Open("/proc/self/task/"+strconv.Itoa(t.tid)+"/schedstat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		fd = -1
	}
	t.schedstat = fd
	return t, nil
}

// account is what the scheduler says of the thread; zeros where it says nothing.
func (t *thread) account() probe.Thread {
	a, err := probe.ReadThread(results.Root(""), os.Getpid(), t.tid)
	if err != nil {
		return probe.Thread{}
	}
	return a
}

func (t *thread) close() {
	if t.schedstat >= 0 {
		unix.Close(t.schedstat)
	}
}

// waited is for how many ns the thread has been runnable but not running:
// the second field of schedstat (Documentation/scheduler/sched-stats.rst).
//
//go:nosplit
func (t *thread) waited() int64 {
	if t.schedstat < 0 {
		return 0
	}
	n, _, _ := syscall.RawSyscall6(unix.SYS_PREAD64, uintptr(t.schedstat), uintptr(unsafe.Pointer(&t.buf[0])), uintptr(len(t.buf)), 0, 0, 0)
	field, value := 0, int64(0)
	for i := 0; i < int(n) && i < len(t.buf); i++ {
		switch c := t.buf[i]; {
		case c == ' ':
			field++
		case field == 1 && c >= '0' && c <= '9':
			value = value*10 + int64(c-'0')
		}
	}
	return value
}

// switches is how often the thread was switched away from so far: because it slept,
// and because another took the CPU. 0.2 us, where its status in /proc takes 3.
//
//go:nosplit
func (t *thread) switches() [2]int64 {
	syscall.RawSyscall(unix.SYS_GETRUSAGE, unix.RUSAGE_THREAD, uintptr(unsafe.Pointer(&t.usage)), 0)
	return [2]int64{t.usage.Nvcsw, t.usage.Nivcsw}
}

//go:nosplit
func (t *thread) currentCPU() int32 {
	syscall.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&t.values)), 0, 0)
	return int32(t.values[0])
}

// socketDrops is the number of packets that a socket refused so far
// (SK_MEMINFO_DROPS, include/uapi/linux/sock_diag.h). SO_RXQ_OVFL would come
// with a later packet only.
//
//go:nosplit
func (t *thread) socketDrops(fd int) int64 {
	if !t.socketOption(fd, unix.SO_MEMINFO, uint32(unsafe.Sizeof(t.values))) {
		return 0
	}
	return int64(t.values[8])
}

// incomingCPU is the CPU that last ran the softirq for the socket, -1 if the
// kernel does not say.
//
//go:nosplit
func (t *thread) incomingCPU(fd int) int32 {
	if !t.socketOption(fd, unix.SO_INCOMING_CPU, 4) {
		return -1
	}
	return int32(t.values[0])
}

//go:nosplit
func (t *thread) socketOption(fd, option int, size uint32) bool {
	t.size = size
	_, _, errno := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, uintptr(option),
		uintptr(unsafe.Pointer(&t.values)), uintptr(unsafe.Pointer(&t.size)), 0)
	return errno == 0
}
