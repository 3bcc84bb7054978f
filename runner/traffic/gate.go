package traffic

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A gate holds threads until it is opened. It is a futex and no channel, so
// that threads can wait in what Go's scheduler takes for their one long system
// call: once it is open, nothing but the kernel is between them and their loop.
type gate struct{ opened atomic.Uint32 }

const (
	futexWait = 0 | 128 // FUTEX_WAIT | FUTEX_PRIVATE_FLAG, include/uapi/linux/futex.h
	futexWake = 1 | 128
)

func (g *gate) open() {
	g.opened.Store(1)
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(g)), futexWake, 1<<30, 0, 0, 0)
}

// waitInGo is wait for a thread that is not detached: the runtime knows that it waits,
// and can stop the world meanwhile, as it does to change every thread's capabilities.
func (g *gate) waitInGo() {
	for g.opened.Load() == 0 {
		_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(g)), futexWait, 0, 0, 0, 0)
	}
}
