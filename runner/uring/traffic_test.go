package uring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// message is a message of which every byte tells its place.
func message(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*167 + i>>8*13)
	}
	return b
}

func openSource(t testing.TB, fd int, m []byte, batch int, zerocopy bool) *Source {
	t.Helper()
	s, err := OpenSource(fd, m, batch, zerocopy)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func openSink(t testing.TB, fd, size, buffers int) *Sink {
	t.Helper()
	s, err := OpenSink(fd, size, buffers)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// TestBothEnds: what a source says it sent is what a sink says has come, over
// every kind of socket; of UDP, together with what the socket refused.
func TestBothEnds(t *testing.T) {
	needed(t)
	for _, protocol := range protocols {
		for _, c := range []struct {
			size, batch int
			zerocopy    bool
		}{
			{1, 1, false}, {64, 32, false}, {1472, 7, false}, {60_000, 32, false},
			{64, 32, true}, {1472, 1, true}, {60_000, 8, true},
		} {
			if c.zerocopy && strings.HasPrefix(protocol, "unix") {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d/%d/zerocopy=%v", protocol, c.size, c.batch, c.zerocopy), func(t *testing.T) {
				a, b := pair(t, protocol)
				source := &end{source: openSource(t, a, message(c.size), c.batch, c.zerocopy), msgs: 3000}
				sink := &end{sink: openSink(t, b, 1<<16, 64)}
				receiving, sending := sink.start(true), source.start(true)
				must(t, within(t, "the source", sending))
				if isStream(protocol) {
					must(t, unix.Shutdown(a, unix.SHUT_WR))
				} else {
					must(t, unix.Shutdown(b, unix.SHUT_RDWR)) // what is queued is still received
				}
				must(t, within(t, "the sink", receiving))

				sent, came := source.total, sink.total
				if sent.errno != 0 || came.errno != 0 {
					t.Errorf("errors %v, %v", sent.errno, came.errno)
				}
				if sent.msgs < source.msgs || sent.msgs >= source.msgs+int64(c.batch) || sent.bytes != sent.msgs*int64(c.size) {
					t.Errorf("sent %+v", sent)
				}
				// How many a call takes hangs on how soon the other end makes room: of a
				// queue of ten datagrams, two now and then.
				if c.batch > 1 && c.size == 64 && !(c.zerocopy && isStream(protocol)) && sent.calls >= sent.msgs {
					t.Errorf("%d calls for %d messages: no batches", sent.calls, sent.msgs)
				}
				if source.source.sends != 0 || source.source.notices != 0 {
					t.Errorf("after Close %d sends and %d notifications are open", source.source.sends, source.source.notices)
				}
				sent.msgs, sent.bytes = sent.msgs+source.source.LateMsgs, sent.bytes+source.source.LateBytes
				copied := int64(0)
				if c.zerocopy {
					copied = sent.msgs // on loopback, always
				}
				if source.source.Copied != copied {
					t.Errorf("%d of %d zero-copy messages copied, want %d", source.source.Copied, sent.msgs, copied)
				}
				if isStream(protocol) {
					if came.bytes != sent.bytes {
						t.Errorf("sent %+v, came %+v", sent, came)
					}
					return
				}
				if drops := refused(t, b); came.msgs+drops != sent.msgs || came.bytes != came.msgs*int64(c.size) {
					t.Errorf("sent %+v, came %+v, refused %d", sent, came, drops)
				}
			})
		}
	}
}

// TestStreamIsWhole sends messages larger than the socket's buffer, so that
// every send is cut, several in flight: the stream must be one after the other.
func TestStreamIsWhole(t *testing.T) {
	needed(t)
	for _, c := range []struct {
		protocol string
		zerocopy bool
	}{{"tcp", false}, {"tcp", true}, {"unix-stream", false}} {
		t.Run(fmt.Sprintf("%s/zerocopy=%v", c.protocol, c.zerocopy), func(t *testing.T) {
			a, b := pair(t, c.protocol)
			must(t, unix.SetsockoptInt(a, unix.SOL_SOCKET, unix.SO_SNDBUF, 128<<10))
			m := message(999_983)
			source := &end{source: openSource(t, a, m, 8, c.zerocopy), msgs: 40}
			sending := source.start(true)
			came := bytes.NewBuffer(nil)
			received := make(chan error, 1)
			go func() {
				f := os.NewFile(uintptr(dup(t, b)), "sink")
				defer f.Close()
				_, err := io.Copy(came, f)
				received <- err
			}()
			must(t, within(t, "the source", sending))
			must(t, unix.Shutdown(a, unix.SHUT_WR))
			must(t, within(t, "the reader", received))
			if want := source.total.bytes + source.source.LateBytes; int64(came.Len()) != want || want < 40*int64(len(m)) {
				t.Errorf("%d bytes came, %d sent", came.Len(), want)
			}
			for at := 0; came.Len() > 0; at++ {
				if next := came.Next(len(m)); !bytes.Equal(next, m[:len(next)]) {
					t.Fatalf("message %d is not what was sent", at)
				}
			}
		})
	}
}

// TestFewBuffers: more is there than the buffers hold, the request ends for
// want of them and is made again.
func TestFewBuffers(t *testing.T) {
	needed(t)
	for _, protocol := range []string{"tcp", "udp"} {
		for _, buffers := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/%d", protocol, buffers), func(t *testing.T) {
				a, b := pair(t, protocol)
				for range 50 {
					_, err := unix.Write(a, make([]byte, 100))
					must(t, err)
				}
				time.Sleep(10 * time.Millisecond) // tcp: until it is all there
				sink := &end{sink: openSink(t, b, 100, buffers), bytes: 5000}
				must(t, within(t, "the sink", sink.start(true)))
				if n := sink.total; n.bytes != 5000 || n.msgs != 50 || n.most > int64(buffers) || n.errno != 0 {
					t.Errorf("%+v; want 50 messages, at most %d a call", n, buffers)
				}
			})
		}
	}
}

// TestBuffersGoRound: the 16 bits that count buffers turn over.
func TestBuffersGoRound(t *testing.T) {
	needed(t)
	a, b := pair(t, "unix-dgram")
	source := &end{source: openSource(t, a, message(8), 16, false), msgs: 200_000}
	sink := &end{sink: openSink(t, b, 8, 64), msgs: 200_000}
	receiving, sending := sink.start(true), source.start(true)
	must(t, within(t, "the sink", receiving))
	must(t, unix.Shutdown(b, unix.SHUT_RDWR))
	within(t, "the source", sending)
	if n := sink.total; n.bytes != 8*n.msgs || n.errno != 0 {
		t.Errorf("%+v", n)
	}
}

// TestShutdownOfSink ends a blocked Receive from outside.
func TestShutdownOfSink(t *testing.T) {
	needed(t)
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			a, b := pair(t, protocol)
			sink := &end{sink: openSink(t, b, 2048, 8)}
			receiving := sink.start(true)
			_, err := unix.Write(a, make([]byte, 77))
			must(t, err)
			blocked(t, sink)
			must(t, unix.Shutdown(b, unix.SHUT_RDWR))
			must(t, within(t, "Receive", receiving))
			if n := sink.total; n.bytes != 77 || n.msgs != 1 || n.errno != 0 {
				t.Errorf("%+v; want one message, then the end", n)
			}
		})
	}
}

// TestUnconnectedSink is ended in the same way, though shutdown complains.
func TestUnconnectedSink(t *testing.T) {
	needed(t)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	must(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	sink := &end{sink: openSink(t, fd, 2048, 8)}
	receiving := sink.start(true)
	blocked(t, sink)
	if err := unix.Shutdown(fd, unix.SHUT_RDWR); !errors.Is(err, unix.ENOTCONN) {
		t.Error(err)
	}
	must(t, within(t, "Receive", receiving))
	if n := sink.total; n.msgs != 0 || n.errno != 0 {
		t.Errorf("%+v", n)
	}
}

// TestPeerEnds: data and the end right behind it, which multishot can miss on
// UNIX sockets, many times.
func TestPeerEnds(t *testing.T) {
	needed(t)
	for _, protocol := range []string{"tcp", "unix-stream"} {
		t.Run(protocol, func(t *testing.T) {
			for range 200 {
				a, b := pair(t, protocol)
				sink := &end{sink: openSink(t, b, 50, 4)}
				receiving := sink.start(true)
				for sink.thread.Load() == 0 {
					time.Sleep(10 * time.Microsecond)
				}
				_, err := unix.Write(a, make([]byte, 123))
				must(t, err)
				must(t, unix.Shutdown(a, unix.SHUT_WR))
				must(t, within(t, "Receive", receiving))
				if n := sink.total; n.bytes != 123 || n.errno != 0 {
					t.Fatalf("%+v", n)
				}
			}
		})
	}
}

// TestShutdownOfSource ends a blocked Send from outside; what it has told and
// what Close tells is what has come.
func TestShutdownOfSource(t *testing.T) {
	needed(t)
	for _, c := range []struct {
		protocol string
		zerocopy bool
		size     int
	}{{"tcp", false, 30_000}, {"tcp", true, 30_000}, {"tcp", false, 10 << 20}, {"unix-stream", false, 30_000}, {"unix-dgram", false, 1000}} {
		t.Run(fmt.Sprintf("%s/%d/zerocopy=%v", c.protocol, c.size, c.zerocopy), func(t *testing.T) {
			a, b := pair(t, c.protocol)
			source := &end{source: openSource(t, a, message(c.size), 32, c.zerocopy)}
			sending := source.start(true)
			blocked(t, source)
			for range 5000 { // a thread that is kept from its CPU looks blocked too
				if n, err := unix.IoctlGetInt(b, unix.SIOCINQ); err != nil || n > 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			how := unix.SHUT_WR
			if !isStream(c.protocol) {
				how = unix.SHUT_RDWR
			}
			must(t, unix.Shutdown(a, how))
			came := make(chan int64, 1)
			go func() { came <- drain(b) }()
			must(t, within(t, "Send", sending))
			if errno := source.total.errno; errno != unix.EPIPE {
				t.Errorf("%v; want EPIPE", errno)
			}
			s := source.source
			if s.sends != 0 || s.notices != 0 {
				t.Errorf("after Close %d sends and %d notifications are open", s.sends, s.notices)
			}
			if want := source.total.msgs + s.LateMsgs; c.zerocopy && s.Copied != want {
				t.Errorf("%d of %d copied", s.Copied, want)
			}
			if got, sent := within(t, "the reader", came), source.total.bytes+s.LateBytes; got != sent || sent == 0 {
				t.Errorf("%d bytes sent, %d came", sent, got)
			}
		})
	}
}

// drain reads until nothing comes any more.
func drain(fd int) (n int64) {
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})
	for b := make([]byte, 1<<20); ; {
		got, err := unix.Read(fd, b)
		if err != nil || got == 0 {
			return n
		}
		n += int64(got)
	}
}

// TestPeerGone: errors of the socket come through.
func TestPeerGone(t *testing.T) {
	needed(t)
	t.Run("udp source", func(t *testing.T) {
		a, b := pair(t, "udp")
		must(t, unix.Close(b))
		source := &end{source: openSource(t, a, message(10), 4, false)}
		must(t, within(t, "Send", source.start(true)))
		if source.total.errno != unix.ECONNREFUSED {
			t.Errorf("%+v; want ECONNREFUSED", source.total)
		}
	})
	t.Run("udp sink", func(t *testing.T) {
		a, b := pair(t, "udp")
		sink := &end{sink: openSink(t, b, 100, 4)}
		receiving := sink.start(true)
		blocked(t, sink)
		must(t, unix.Close(a))
		_, err := unix.Write(b, []byte("anybody there?"))
		must(t, err)
		must(t, within(t, "Receive", receiving))
		if sink.total.errno != unix.ECONNREFUSED {
			t.Errorf("%+v; want ECONNREFUSED", sink.total)
		}
	})
	t.Run("tcp", func(t *testing.T) {
		a, b := pair(t, "tcp")
		sink := &end{sink: openSink(t, b, 100, 4)}
		receiving := sink.start(true)
		blocked(t, sink)
		must(t, unix.SetsockoptLinger(a, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
		must(t, unix.Close(a)) // a reset
		must(t, within(t, "Receive", receiving))
		if sink.total.errno != unix.ECONNRESET {
			t.Errorf("%+v; want ECONNRESET", sink.total)
		}
	})
}
