//go:build !race

package traffic

import (
	"syscall"
	"unsafe" // for go:linkname too

	"golang.org/x/sys/unix"
)

// entersyscallblock and exitsyscall tell Go's scheduler that the thread is in a
// system call. It gives its P to the next thread at once; after plain
// entersyscall the monitor thread would have to come and take it, up to 10 ms
// later, and the loops of many flows would begin one after the other. Both are
// kept linkable by the runtime (gVisor's platforms use them so); see loop.
//
//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

//go:nosplit
func (g *gate) wait() {
	for g.opened.Load() == 0 {
		syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(g)), futexWait, 0, 0, 0, 0)
	}
}
