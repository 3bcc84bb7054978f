//go:build amd64 || arm64

package traffic

// repeat makes one system call over and over, at most so many times and until it
// gives nothing or fails. bytes are those of all calls, last those of the last
// one that gave some.
//
// Between two system calls a message costs here what no loop can do without:
// one page of code and the kernel's arguments in registers. Where the host or
// page-table isolation empties the TLB at every system call, each further page
// (the loop in Go has six, and a C library's send two) costs 20 to 100 ns: 7 % of
// a source's time for a datagram of 64 bytes, measured by perf.
//
//go:noescape
func repeat(c *systemCall, times int64) (bytes, last, calls int64, errno uintptr)
