//go:build !race

package traffic

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

//go:nosplit
func (g *gate) wait() {
	for g.opened.Load() == 0 {
		syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(g)), futexWait, 0, 0, 0, 0)
	}
}
