//go:build !amd64 && !arm64

package traffic

import "syscall"

// repeat is the same as in assembly, for processors that nobody has measured.
//
//go:nosplit
func repeat(c *systemCall, times int64) (bytes, last, calls int64, errno uintptr) {
	for calls < times {
		n, _, e := syscall.RawSyscall6(c.number, c.fd, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4])
		if e != 0 {
			return bytes, last, calls, uintptr(e)
		}
		if n == 0 {
			return bytes, last, calls, uintptr(errnoClosed)
		}
		bytes, last, calls = bytes+int64(n), int64(n), calls+1
	}
	return bytes, last, calls, 0
}
