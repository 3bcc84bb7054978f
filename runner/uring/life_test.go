package uring

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestNoAllocations: each call for itself never blocks here, for AllocsPerRun
// leaves one P.
func TestNoAllocations(t *testing.T) {
	needed(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m, buffer := message(1000), make([]byte, 1<<16)
	for _, zerocopy := range []bool{false, true} {
		a, b := pair(t, "tcp")
		must(t, unix.SetsockoptInt(a, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)) // the test waits for each message
		source := openSource(t, a, m, 4, zerocopy)
		allocates(t, "Send", func() {
			must(t, again(source.Send))
			if _, err := unix.Read(b, buffer); err != nil {
				t.Fatal(err)
			}
		})
		must(t, source.Close())
	}
	a, b := pair(t, "udp")
	sink := openSink(t, b, 2048, 4)
	allocates(t, "Receive", func() {
		if _, err := unix.Write(a, m); err != nil {
			t.Fatal(err)
		}
		must(t, again(sink.Receive))
	})
	must(t, unix.Shutdown(b, unix.SHUT_RDWR))
	allocates(t, "Receive after the end", func() { sink.Receive() })
	must(t, sink.Close())
}

// again calls until no signal comes between (kernel-facts: SIGURG).
func again(f func() (bytes, msgs int64, errno syscall.Errno)) error {
	for {
		switch _, msgs, errno := f(); {
		case errno != 0 && errno != unix.EINTR:
			return errno
		case msgs > 0:
			return nil
		}
	}
}

func allocates(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(1000, f); n != 0 {
		t.Errorf("%s allocates %v times a call", what, n)
	}
}

// TestWrongThread: a ring is its first user's.
func TestWrongThread(t *testing.T) {
	needed(t)
	a, _ := pair(t, "udp")
	source := openSource(t, a, message(10), 1, false)
	first := &end{source: source, msgs: 1}
	hold := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		first.work()
		hold <- struct{}{}
		<-hold
	}()
	<-hold
	second := &end{source: source}
	must(t, within(t, "Send", second.start(false)))
	if second.total.errno != unix.EEXIST {
		t.Errorf("%+v; want EEXIST", second.total)
	}
	must(t, source.Close()) // from a third thread
	close(hold)
}

// TestNothingIsLeft opens, uses or not, and closes, on the right thread or not.
func TestNothingIsLeft(t *testing.T) {
	needed(t)
	a, b := pair(t, "udp")
	cycle := func(use, own bool) {
		source, sink := openSource(t, a, message(10), 4, true), openSink(t, b, 1000, 4)
		if use {
			sending, receiving := &end{source: source, msgs: 4}, &end{sink: sink, msgs: 1}
			must(t, within(t, "Send", sending.start(own)))
			must(t, within(t, "Receive", receiving.start(own)))
		}
		must(t, source.Close())
		must(t, sink.Close())
		must(t, source.Close()) // twice does nothing
		must(t, sink.Close())
	}
	cycle(true, true)
	before, mapped := descriptors(t), mappings(t)
	for range 20 {
		cycle(true, true)
		cycle(true, false)
		cycle(false, false)
	}
	if n := descriptors(t); n != before {
		t.Errorf("%d descriptors were open, %d are", before, n)
	}
	if n := mappings(t); n != mapped {
		t.Errorf("%d mappings of rings were there, %d are", mapped, n)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(all)
}

func mappings(t *testing.T) int {
	t.Helper()
	all, err := os.ReadFile("/proc/self/maps")
	must(t, err)
	return strings.Count(string(all), "io_uring")
}

// TestSocketIsFree: after Close on the right thread the ring holds the socket
// no more, and its port can be taken at once.
func TestSocketIsFree(t *testing.T) {
	needed(t)
	for range 20 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		must(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
		address, err := unix.Getsockname(fd)
		must(t, err)
		sink := &end{sink: openSink(t, fd, 100, 4)}
		receiving := sink.start(true)
		blocked(t, sink)
		unix.Shutdown(fd, unix.SHUT_RDWR)
		must(t, within(t, "Receive", receiving))
		must(t, unix.Close(fd))
		again, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		err = unix.Bind(again, address)
		must(t, unix.Close(again))
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestInterrupted: a signal ends a blocked call with EINTR, and the next goes
// on where it was.
func TestInterrupted(t *testing.T) {
	needed(t)
	a, b := pair(t, "udp")
	sink := &end{sink: openSink(t, b, 100, 4), msgs: 1}
	receiving := sink.start(true)
	blocked(t, sink)
	// The first may end just the wait of the enter that has submitted, which then
	// tells of what it submitted. Go's runtime ignores the signal.
	for deadline := time.Now().Add(patience); sink.interrupted.Load() == 0; time.Sleep(10 * time.Millisecond) {
		must(t, unix.Tgkill(unix.Getpid(), int(sink.thread.Load()), unix.SIGURG))
		if time.Now().After(deadline) {
			t.Fatal("Receive was not interrupted")
		}
	}
	blocked(t, sink)
	_, err := unix.Write(a, []byte("x"))
	must(t, err)
	must(t, within(t, "Receive", receiving))
	if n := sink.total; n.msgs != 1 || n.errno != 0 {
		t.Errorf("%+v; want one message", n)
	}
}
