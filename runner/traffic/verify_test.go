package traffic

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestVerifyClean: nothing happens to messages on lo but that a full socket
// drops them, and that is what is lost. The last window is slow, so that no loss
// is behind the last message that came.
func TestVerifyClean(t *testing.T) {
	for name, c := range map[string]Config{
		"udp":            {Protocol: "udp", Message: 100, ReceiveBuffer: 3000},
		"udp large":      {Protocol: "udp", Message: 1472, IPv6: true},
		"udp open":       {Protocol: "udp", Message: 64, Source: Path{Call: "sendto", Socket: "open"}, Sink: Path{Call: "recvfrom"}},
		"udp write read": {Protocol: "udp", Message: 64, Source: Path{Call: "write"}, Sink: Path{Call: "read"}},
		"udp batch":      {Protocol: "udp", Message: 300, Source: Path{Call: "sendmmsg", Batch: 16}, Sink: Path{Call: "recvmmsg", Batch: 8}, ReceiveBuffer: 20_000},
		"udp sizes":      {Protocol: "udp", Message: 1000, Sizes: []int{16, 1000, 64}, Source: Path{Call: "sendmsg"}, Sink: Path{Call: "recvmsg"}, ReceiveBuffer: 3000},
		"udp segment":    {Protocol: "udp", Message: 4000, Source: Path{Segment: 400}},
		"udp gro":        {Protocol: "udp", Message: 4000, Source: Path{Segment: 400}, Sink: Path{Call: "recvmsg", GRO: true}},
		"udp gro batch":  {Protocol: "udp", Message: 4000, Source: Path{Call: "sendmmsg", Batch: 3, Segment: 400}, Sink: Path{Call: "recvmmsg", Batch: 4, GRO: true}},
		"unix-dgram":     {Protocol: "unix-dgram", Message: 500},
		"unix-stream":    {Protocol: "unix-stream", Message: 5000, Source: Path{Call: "write"}, Sink: Path{Call: "read"}},
		"tcp":            {Protocol: "tcp", Message: 100_000},
		"tcp sendmsg":    {Protocol: "tcp", Message: 777, Source: Path{Call: "sendmsg"}, Sink: Path{Call: "recvmsg"}},
		"tcp sizes":      {Protocol: "tcp", Message: 777, Sizes: []int{1, 777, 30}},
	} {
		c.Verify = true
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				l := newLedger(t)
				windows := append(by.shortRun(2), by.windowsFrom(45*time.Millisecond, 1, 20*time.Millisecond, 5*time.Millisecond, 0)...)
				// A message, or what one call sends at once, each 2.5 ms.
				atOnce := max(c.Source.Batch, 1)
				if c.Source.Segment > 0 {
					atOnce *= c.Message / c.Source.Segment
				}
				windows[2].Slice, windows[2].Rate = 2, 400*float64(atOnce)
				sources := []End{{Share: 1}}
				r, ok := runs(t, openEnds(t, []End{{}}, sources, c), windows)
				source, sink := r.Groups[0].sums()
				if !ok || sink.Counted.Bytes == 0 || !c.stream() && r.Groups[0].Windows[2].RxMsgs == 0 {
					return fmt.Sprintf("late: %+v", r.Groups[0].Windows)
				}
				if c.stream() {
					if source.Total.Bytes != sink.Total.Bytes || len(sink.Events) > 0 {
						t.Errorf("%+v %+v", source, sink)
					}
					return ""
				}
				drops := sink.Total.Drops
				if c.Sink.GRO {
					drops *= int64(c.Message / c.Source.Segment)
				}
				if missing := l.check(t, source.Total.Msgs, sink.Total.Msgs, drops); missing != "" {
					return missing
				}
				lost := sink.Events["lost"]
				if behind := source.Total.Msgs - sink.Total.Msgs - lost; behind > 0 && lost < drops {
					return fmt.Sprintf("%d messages were dropped behind the last that came", behind) // its sink was held up
				}
				delete(sink.Events, "lost")
				if len(sink.Events) > 0 || lost < drops || lost > drops+softnetDrops(t)-l.softnet {
					t.Errorf("dropped %d, lost %d, and %v", drops, lost, sink.Events)
				}
				if c.ReceiveBuffer > 0 && drops == 0 {
					return "nothing was dropped in spite of a small buffer"
				}
				return ""
			})
		})
	}
}

// TestVerifyFindsFaults puts a man in the middle, who does to datagrams what a
// broken path might.
func TestVerifyFindsFaults(t *testing.T) {
	for _, batch := range []int{0, 4} {
		retry(t, func(t *testing.T, by stretch) string {
			c := Config{Protocol: "udp", Message: 120, Verify: true, Rate: 4000, ReceiveBuffer: 1 << 20, Sink: Path{Socket: "open"}}
			if batch > 0 {
				c.Sink = Path{Socket: "open", Call: "recvmmsg", Batch: batch}
			}
			s := NewSet(c)
			t.Cleanup(s.Close)
			ports, err := s.Listen([]End{{Addr: netip.MustParseAddr("127.0.0.1")}})
			must(t, err)
			did := map[string]int64{}
			middle, done := manInTheMiddle(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), ports[0]), did)
			_, err = s.Connect([]End{{To: middle}})
			must(t, err)
			must(t, s.Accept(nil))
			must(t, s.Prepare())
			r, ok := runs(t, s, by.patient(by.windowsFrom(8*time.Millisecond, 1, 90*time.Millisecond, 0, 0), 20*time.Millisecond))
			done()
			source, sink := r.Groups[0].sums()
			if !ok || did["passed"] != source.Total.Msgs || sink.Total.Drops > 0 || did["duplicated"] == 0 || did["reordered"] == 0 {
				return fmt.Sprintf("late: %v of %d", did, source.Total.Msgs)
			}
			delete(did, "passed")
			if did["lost"] == sink.Events["lost"]+1 {
				return "one more was lost than anybody can know of: the last" // if it was: in each try it is not
			}
			if !maps.Equal(sink.Events, did) {
				t.Errorf("done %v, found %v", did, sink.Events)
			}
			return ""
		})
	}
}

// manInTheMiddle passes datagrams on, but of each hundred it loses one, doubles
// one, swaps one with the next and flips a bit of two. A corrupt one is lost as
// well: its number is not to be believed.
func manInTheMiddle(t testing.TB, to netip.AddrPort, did map[string]int64) (at netip.AddrPort, done func()) {
	t.Helper()
	in, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	must(t, in.SetReadBuffer(1<<20))
	out, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	must(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer out.Close()
		b, held := make([]byte, 2000), make([]byte, 0, 2000)
		for i := int64(0); ; i++ {
			n, _, err := in.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			did["passed"]++
			switch i % 100 {
			case 10:
				did["lost"]++
				continue
			case 20:
				did["duplicated"]++
				out.Write(b[:n])
			case 30:
				held = append(held[:0], b[:n]...)
				continue
			case 31:
				did["reordered"]++
				out.Write(b[:n])
				out.Write(held)
				continue
			case 40:
				did["corrupt"]++
				did["lost"]++
				b[n-1] ^= 1
			case 50:
				did["corrupt"]++
				did["lost"]++
				b[3] ^= 0x80
			}
			out.Write(b[:n])
		}
	}()
	return in.LocalAddr().(*net.UDPAddr).AddrPort(), func() {
		in.Close()
		<-ended
	}
}

// TestVerifyFindsFlippedBytes of a stream.
func TestVerifyFindsFlippedBytes(t *testing.T) {
	for _, call := range []string{"recv", "read", "recvmsg"} {
		retry(t, func(t *testing.T, by stretch) string {
			c := Config{Protocol: "tcp", Message: 10_000, Verify: true, Sink: Path{Call: call}}
			s := NewSet(c)
			t.Cleanup(s.Close)
			ports, err := s.Listen([]End{{Addr: netip.MustParseAddr("127.0.0.1")}})
			must(t, err)
			flipped := make(chan int64, 1)
			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), ports[0])
			middle := newListener(t, func(in *net.TCPConn) {
				out, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(to))
				if err != nil {
					t.Error(err)
					return
				}
				defer out.Close()
				flipped <- flipBytes(in, out)
			})
			_, err = s.Connect([]End{{To: middle}})
			must(t, err)
			must(t, s.Accept([]End{{Origins: []Origin{{Addr: netip.MustParseAddr("127.0.0.1")}}}})) // the proxy's port is its own
			must(t, s.Prepare())
			r, ok := runs(t, s, by.shortRun(2))
			source, sink := r.Groups[0].sums()
			n := <-flipped
			if !ok || n == 0 {
				return "late"
			}
			if source.Total.Bytes != sink.Total.Bytes || sink.Events["corrupt"] != n {
				t.Errorf("%d of %d bytes flipped; received %d, %v", n, source.Total.Bytes, sink.Total.Bytes, sink.Events)
			}
			return ""
		})
	}
}

// flipBytes copies a stream, flips one byte of each read, and tells how many.
func flipBytes(in io.Reader, out io.Writer) (n int64) {
	b := make([]byte, 50_001)
	for {
		got, err := in.Read(b)
		if got > 0 {
			b[got/3] ^= 0x10
			n++
			out.Write(b[:got])
		}
		if err != nil {
			return n
		}
	}
}

// What the kernel refuses to take was not sent, and so cannot be lost.
func TestVerifyRefusedIsNotLost(t *testing.T) {
	_, l := byHand(t, Config{Protocol: "udp", Message: 100, Verify: true, Source: Path{Call: "sendmmsg", Batch: 4}})
	fd := l.fd
	for range 3 {
		if _, msgs, errno := l.step(); errno != 0 || msgs != 4 {
			t.Fatal(msgs, errno)
		}
		l.fd = ^uintptr(0)
		if _, _, errno := l.step(); errno != unix.EBADF {
			t.Fatal(errno)
		}
		l.fd = fd
	}
	if n := l.stamp.Sent(); n != 12 {
		t.Errorf("%d numbers given to 12 messages", n)
	}
}
