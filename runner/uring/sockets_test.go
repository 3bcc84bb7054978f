package uring

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/runner/detached"
	"netab/test/need"
)

// patience is after what a test takes a call for hung.
const patience = 20 * time.Second

// needed ends the test where the kernel has no io_uring.
func needed(t testing.TB) {
	t.Helper()
	need.Option(t, "IO_URING", Available())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// protocols are what pairs of sockets there are.
var protocols = []string{"tcp", "udp", "unix-stream", "unix-dgram"}

func isStream(protocol string) bool { return protocol == "tcp" || protocol == "unix-stream" }

// pair returns two connected sockets, on loopback of IPv4 or a UNIX pair.
func pair(t testing.TB, protocol string) (source, sink int) {
	t.Helper()
	keep := func(fd int, err error) int {
		t.Helper()
		must(t, err)
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	local := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	switch protocol {
	case "unix-stream", "unix-dgram":
		kind := map[string]int{"unix-stream": unix.SOCK_STREAM, "unix-dgram": unix.SOCK_DGRAM}[protocol]
		fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		return keep(fds[0], err), keep(fds[1], err)
	case "udp":
		sink = keep(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0))
		must(t, unix.Bind(sink, local))
		source = keep(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0))
		must(t, unix.Bind(source, local))
		connect(t, source, sink)
		connect(t, sink, source)
		return source, sink
	case "tcp":
		listener := keep(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
		must(t, unix.Bind(listener, local))
		must(t, unix.Listen(listener, 1))
		source = keep(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
		connect(t, source, listener)
		fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
		return source, keep(fd, err)
	}
	t.Fatalf("no protocol %q", protocol)
	return -1, -1
}

func connect(t testing.TB, fd, to int) {
	t.Helper()
	address, err := unix.Getsockname(to)
	must(t, err)
	must(t, unix.Connect(fd, address))
}

// total is what calls of Send or Receive returned together.
type total struct {
	bytes, msgs int64
	calls, most int64 // most messages that one call returned
	errno       syscall.Errno
}

// An end is a source or a sink at work until it has moved so many messages, or
// bytes, or fails, or nothing comes any more.
type end struct {
	source      *Source
	sink        *Sink
	msgs, bytes int64 // 0 = no bound
	total       total
	thread      atomic.Int64 // once it has begun
	interrupted atomic.Int64 // calls, by a signal
}

// start runs the end as the traffic loops do: on a thread of its own, in what
// Go's scheduler takes for one long system call. It is closed there too, unless
// by the test.
func (e *end) start(closed bool) <-chan error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		e.thread.Store(int64(unix.Gettid()))
		detached.Enter()
		e.work()
		detached.Leave()
		var err error
		if closed && e.source != nil {
			err = e.source.Close()
		} else if closed {
			err = e.sink.Close()
		}
		result <- err
	}()
	return result
}

// work has a large frame: with it the linker, which adds up the frames of
// nosplit functions, has 792 bytes for all, and links no test if Send or
// Receive needs more than the rest of it.
//
//go:nosplit
func (e *end) work() {
	var used [792 - stackLimit - frameOfWork]byte
	n := &e.total
	for (e.msgs == 0 || n.msgs < e.msgs) && (e.bytes == 0 || n.bytes < e.bytes) {
		var bytes, msgs int64
		var errno syscall.Errno
		if e.source != nil {
			bytes, msgs, errno = e.source.Send()
		} else {
			bytes, msgs, errno = e.sink.Receive()
		}
		if errno == unix.EINTR {
			e.interrupted.Add(1)
			continue
		}
		used[msgs&127]++
		n.bytes, n.msgs, n.errno = n.bytes+bytes, n.msgs+msgs, errno
		n.calls++
		n.most = max(n.most, msgs)
		if errno != 0 || msgs == 0 {
			return
		}
	}
	runtime.KeepAlive(&used)
}

// within waits for a result, but not for ever.
func within[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
	}
	panic("not reached")
}

// blocked waits until an end sleeps in the kernel: the test would
// prove nothing if the call to be ended had not begun.
func blocked(t testing.TB, e *end) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		task := "/proc/self/task/" + strconv.FormatInt(e.thread.Load(), 10)
		call, _ := os.ReadFile(task + "/syscall")
		if !strings.HasPrefix(string(call), strconv.Itoa(unix.SYS_IO_URING_ENTER)+" ") {
			continue
		}
		// Twice the same number of switches: it did not just pass through.
		before := switches(task)
		time.Sleep(10 * time.Millisecond)
		if before != "" && before == switches(task) {
			return
		}
	}
	t.Fatal("the thread never blocked in io_uring_enter")
}

// switches are how often a thread has gone to sleep and was preempted.
func switches(task string) string {
	status, _ := os.ReadFile(task + "/status")
	_, after, _ := strings.Cut(string(status), "voluntary_ctxt_switches:")
	return after
}

func dup(t testing.TB, fd int) int {
	t.Helper()
	fd, err := unix.Dup(fd)
	must(t, err)
	return fd
}

// refused is how many packets a socket did not take (SK_MEMINFO_DROPS).
func refused(t testing.TB, fd int) int64 {
	t.Helper()
	var values [9]uint32
	size := uint32(unsafe.Sizeof(values))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&values)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	return int64(values[8])
}
