package traffic

import (
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestRepeat: as many calls as asked for, and of those that fail or end the
// stream no more than what came before.
func TestRepeat(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
	must(t, err)
	defer unix.Close(fds[0])
	buf := make([]byte, 64)
	call := func(number uintptr, fd, size int) *systemCall {
		return &systemCall{number, uintptr(fd), [5]uintptr{uintptr(unsafe.Pointer(&buf[0])), uintptr(size), unix.MSG_NOSIGNAL}}
	}
	for _, tc := range []struct {
		name               string
		do                 func()
		call               *systemCall
		times              int64
		bytes, last, calls int64
		errno              syscall.Errno
	}{
		{"once", nil, call(unix.SYS_SENDTO, fds[0], 10), 1, 10, 10, 1, 0},
		{"thrice", nil, call(unix.SYS_SENDTO, fds[0], 20), 3, 60, 20, 3, 0},
		{"until it would block", nil, call(unix.SYS_RECVFROM, fds[1], 64), 100, 70, 20, 4, unix.EAGAIN},
		{"nothing", nil, call(unix.SYS_RECVFROM, fds[1], 64), 100, 0, 0, 0, unix.EAGAIN},
		{"no such socket", nil, call(unix.SYS_RECVFROM, -1, 64), 100, 0, 0, 0, unix.EBADF},
		{"an empty message", func() { must(t, unix.Send(fds[0], buf[:7], 0)); must(t, unix.Send(fds[0], nil, 0)) },
			call(unix.SYS_RECVFROM, fds[1], 64), 100, 7, 7, 1, errnoClosed},
		{"nobody there", func() { must(t, unix.Close(fds[1])) }, call(unix.SYS_SENDTO, fds[0], 1), 5, 0, 0, 0, unix.ECONNREFUSED},
	} {
		if tc.do != nil {
			tc.do()
		}
		bytes, last, calls, errno := repeat(tc.call, tc.times)
		if bytes != tc.bytes || last != tc.last || calls != tc.calls || syscall.Errno(errno) != tc.errno {
			t.Errorf("%s: %d bytes, the last %d, of %d calls, then %v; want %d, %d, %d, %v", tc.name,
				bytes, last, calls, syscall.Errno(errno), tc.bytes, tc.last, tc.calls, tc.errno)
		}
	}
}

// An error behind some messages of one step is the next step's: a refused
// connection is said once only.
func TestAlikeKeepsItsError(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
	must(t, err)
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	buf := make([]byte, 64)
	for range 3 {
		must(t, unix.Send(fds[0], buf[:10], 0))
	}
	l := &loop{meter: &meter{left: 16}}
	l.op = opAlike
	l.systemCall = systemCall{unix.SYS_RECVFROM, uintptr(fds[1]), [5]uintptr{uintptr(unsafe.Pointer(&buf[0])), 64}}
	bytes, msgs, errno := l.step()
	if bytes != 10 || msgs != 1 || errno != 0 || l.bytes != 20 || l.msgs != 2 || l.left != 14 {
		t.Errorf("step: %d bytes, %d messages, %v beside %d and %d, %d left", bytes, msgs, errno, l.bytes, l.msgs, l.left)
	}
	if bytes, msgs, errno = l.step(); bytes != 0 || msgs != 0 || errno != unix.EAGAIN {
		t.Errorf("the next: %d bytes, %d messages, %v", bytes, msgs, errno)
	}
	must(t, unix.Send(fds[0], buf[:5], 0))
	if bytes, msgs, errno = l.step(); bytes != 5 || msgs != 1 || errno != 0 {
		t.Errorf("the one after: %d bytes, %d messages, %v", bytes, msgs, errno)
	}
}
