package traffic

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
	"netab/test/need"
)

// A visitor is somebody who is none of the set's: what it does to the sinks'
// port before the sources connect, and while they send.
type visitor struct {
	before, during func(t *testing.T, to netip.AddrPort) error
	least          int64 // how many strangers must be counted, at least
}

// say connects from an address that is no source's and sends; what is dialled
// stays open till the test's end, or until the sink closes it.
func say(network, from string, message []byte, times int) func(*testing.T, netip.AddrPort) error {
	return func(t *testing.T, to netip.AddrPort) error {
		for range times {
			local, err := net.ResolveUDPAddr("udp", from)
			if err != nil {
				return err
			}
			d := net.Dialer{LocalAddr: local}
			if network == "tcp" {
				d.LocalAddr = net.TCPAddrFromAddrPort(local.AddrPort())
			}
			conn, err := d.Dial(network, to.String())
			if err != nil {
				return err
			}
			t.Cleanup(func() { conn.Close() })
			if message != nil {
				if _, err := conn.Write(message); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// visited opens flows over lo with a visitor before the sources and one during
// the run.
func visited(t *testing.T, c Config, v visitor, windows func() []Window) (source, sink EndResult, ok bool) {
	t.Helper()
	need.Root(t)
	const flows = 2
	s := NewSet(c)
	t.Cleanup(s.Close)
	var sinks, sources []End
	for i := range flows {
		sinks = append(sinks, End{Flow: i, Addr: c.loopback()})
	}
	ports, err := s.Listen(sinks)
	must(t, err)
	first := netip.AddrPortFrom(c.loopback(), ports[0])
	if v.before != nil {
		must(t, v.before(t, first))
	}
	for i := range sinks {
		sources = append(sources, End{Flow: i, To: netip.AddrPortFrom(c.loopback(), ports[i])})
	}
	from, err := s.Connect(sources)
	must(t, err)
	for i := range sinks {
		sinks[i].To = netip.AddrPortFrom(c.loopback(), from[i])
		for _, port := range from {
			if c.onePort() {
				sinks[i].Origins = append(sinks[i].Origins, Origin{c.loopback(), port, port})
			}
		}
	}
	must(t, s.Accept(sinks))
	must(t, s.Prepare())
	w := windows()
	met := make(chan error, 1)
	var came int64 // when they were all there
	go func() {
		if v.during == nil {
			met <- nil
			return
		}
		time.Sleep(time.Duration(w[0].Count - Now()))
		err := v.during(t, first)
		came = Now()
		met <- err
	}()
	r, ok := runs(t, s, w)
	must(t, <-met)
	source, sink = r.Groups[0].sums()
	return source, sink, ok && came < w[len(w)-1].End // who came later was met by nobody
}

// TestStrangersAreNoTraffic: who is none of the sources is in no figure, is
// counted, and keeps nobody waiting.
func TestStrangersAreNoTraffic(t *testing.T) {
	silent := []byte(nil)
	udp := func(call string, socket string) Config {
		return Config{Protocol: "udp", Message: 100, Rate: 4000, Exposed: true, Sink: Path{Call: call, Socket: socket}}
	}
	type tc struct {
		Config
		visitor
	}
	// Strangers have another address, or the sources' with another port.
	const elsewhere, here = "127.0.0.9:0", "127.0.0.1:0"
	cases := map[string]tc{}
	for name, from := range map[string]string{"elsewhere": elsewhere, "here": here} {
		tcp := Config{Protocol: "tcp", Message: 1000}
		cases["tcp first, silent, "+name] = tc{tcp, visitor{say("tcp", from, silent, 3), nil, 3}}
		cases["tcp first, sends, "+name] = tc{tcp, visitor{say("tcp", from, []byte("hello"), 3), nil, 3}}
		cases["tcp rr first, "+name] = tc{Config{Kind: "rr", Protocol: "tcp", Message: 1, Response: 1, NoDelay: true}, visitor{say("tcp", from, []byte{1}, 1), nil, 1}}
		// Connected to their sources: what comes later finds no socket.
		cases["udp connected, "+name] = tc{udp("recv", ""), visitor{say("udp", from, make([]byte, 100), 5), nil, 5}}
		cases["udp rr, "+name] = tc{Config{Kind: "rr", Protocol: "udp", Message: 1, Response: 1, Timeout: 500 * ms}, visitor{say("udp", from, []byte{1}, 5), nil, 5}}
		for _, call := range []string{"recv", "recvfrom", "recvmsg", "read", "recvmmsg", "io_uring"} {
			for _, socket := range []string{"open", "reuseport"} {
				c := udp(call, socket)
				if call == "recvmmsg" {
					c.Sink.Batch = 8
				}
				again := say("udp", from, make([]byte, 100), 20)
				cases["udp "+socket+" "+call+", "+name] = tc{c, visitor{say("udp", from, make([]byte, 100), 5), again, 25}}
			}
		}
		epoll := udp("recv", "open")
		epoll.Threads = 1
		cases["udp open epoll, "+name] = tc{epoll, visitor{nil, say("udp", from, make([]byte, 100), 20), 20}}
		spin := udp("recv", "open")
		spin.Sink.Spin = true
		cases["udp open spins, "+name] = tc{spin, visitor{nil, say("udp", from, make([]byte, 100), 20), 20}}
		paced := udp("recv", "open")
		paced.Rate = 0
		cases["udp open alike, "+name] = tc{paced, visitor{say("udp", from, make([]byte, 100), 5), nil, 5}}
	}
	// An empty datagram is nobody's, also without the kernel's filter.
	empty := udp("recv", "open")
	empty.Exposed = false
	cases["udp open, empty"] = tc{empty, visitor{say("udp", here, []byte{}, 5), say("udp", here, []byte{}, 5), 10}}
	many := udp("recvmmsg", "open")
	many.Exposed, many.Sink.Batch = false, 8
	cases["udp open recvmmsg, empty"] = tc{many, visitor{nil, say("udp", here, []byte{}, 5), 5}}
	v6 := udp("recv", "open")
	v6.IPv6 = true
	cases["udp open ipv6"] = tc{v6, visitor{say("udp", "[::1]:0", make([]byte, 100), 5), say("udp", "[::1]:0", make([]byte, 100), 5), 10}}
	cases["tcp ipv6"] = tc{Config{Protocol: "tcp", IPv6: true, Message: 1000}, visitor{say("tcp", "[::1]:0", silent, 2), nil, 2}}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				l := newLedger(t)
				source, sink, ok := visited(t, c.Config, c.visitor, func() []Window { return by.shortRun(3) })
				if !ok {
					return "late"
				}
				if got := source.Events["strangers"] + sink.Events["strangers"]; got < c.least {
					t.Errorf("%d strangers of %d were counted: %v", got, c.least, sink.Events)
				} else if got > c.least {
					t.Errorf("%d strangers were counted, %d came", got, c.least)
				}
				switch {
				case source.Total.Msgs == 0:
					return "nothing was sent"
				case c.Kind == "rr":
					if sink.Total.Msgs != source.Total.Msgs {
						return fmt.Sprintf("%d requests, %d responses", sink.Total.Msgs, source.Total.Msgs)
					}
				case c.stream():
					if sink.Total.Bytes != source.Total.Bytes {
						t.Errorf("sent %d bytes, received %d", source.Total.Bytes, sink.Total.Bytes)
					}
				case sink.Total.Bytes != 100*sink.Total.Msgs:
					t.Errorf("%d messages of 100 bytes are %d bytes", sink.Total.Msgs, sink.Total.Bytes)
				default:
					return l.check(t, source.Total.Msgs, sink.Total.Msgs, sink.Total.Drops)
				}
				return ""
			})
		})
	}
}

// TestStrangersDoNotStall: where each message has a connection, one who says
// nothing holds up nobody: not at all if it comes from elsewhere, and not for
// ever if it has the source's address.
func TestStrangersDoNotStall(t *testing.T) {
	for _, kind := range []string{"crr", "conn"} {
		for name, v := range map[string]struct {
			visitor
			length time.Duration
		}{
			"elsewhere": {visitor{say("tcp", "127.0.0.9:0", nil, 3), say("tcp", "127.0.0.9:0", nil, 3), 6}, 30 * time.Millisecond},
			"here":      {visitor{nil, say("tcp", "127.0.0.1:0", nil, 1), 1}, silence + 300*time.Millisecond},
			"half":      {visitor{nil, say("tcp", "127.0.0.1:0", []byte("ab"), 1), 1}, silence + 300*time.Millisecond},
		} {
			if kind == "conn" && name == "half" {
				v.least = 1 // its end never comes
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				retry(t, func(t *testing.T, by stretch) string {
					c := Config{Kind: vocab.Kind(kind), Protocol: "tcp", Message: 100, Response: 100}
					source, sink, ok := visited(t, c, v.visitor, func() []Window {
						return by.windowsFrom(7*time.Millisecond, 2, v.length, 3*time.Millisecond, 2*time.Millisecond)
					})
					switch got := sink.Events["strangers"]; {
					case !ok:
						return "late"
					case got != v.least:
						return fmt.Sprintf("%d strangers were counted, %d came: %v", got, v.least, sink.Events)
					}
					if source.Total.Msgs == 0 || sink.Total.Msgs != source.Total.Msgs {
						return fmt.Sprintf("%d messages were sent, %d received", source.Total.Msgs, sink.Total.Msgs)
					}
					if n := source.Events["connect errors"]; n > 0 {
						t.Errorf("%d of the source's connections were turned away", n)
					}
					return ""
				})
			})
		}
	}
}

// A stranger that takes a unix socket's name and waits is no source either.
func TestStrangerOnUnixSocket(t *testing.T) {
	need.Root(t)
	c := Config{Protocol: "unix-dgram", Message: 100}
	s := NewSet(c)
	t.Cleanup(s.Close)
	ports, err := s.Listen([]End{{}})
	must(t, err)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	must(t, unix.Sendto(fd, make([]byte, 100), 0, c.sockaddr(netip.AddrPortFrom(netip.Addr{}, ports[0]))))
	from, err := s.Connect([]End{{To: netip.AddrPortFrom(netip.Addr{}, ports[0])}})
	must(t, err)
	must(t, s.Accept([]End{{To: netip.AddrPortFrom(netip.Addr{}, from[0])}}))
	if err := unix.Sendto(fd, make([]byte, 100), 0, c.sockaddr(netip.AddrPortFrom(netip.Addr{}, ports[0]))); err == nil {
		t.Error("the sink takes another's datagram")
	}
	if got := s.endpoints[0].strangers; got != 1 {
		t.Errorf("%d strangers, want 1", got)
	}
}

// A sink that was not told whom to expect expects nobody.
func TestNobodyIsExpected(t *testing.T) {
	for _, c := range []Config{{Protocol: "tcp", Message: 1}, {Kind: "crr", Protocol: "tcp", Message: 1}, {Protocol: "udp", Message: 1, Exposed: true, Sink: Path{Socket: "open"}}} {
		s := NewSet(c)
		_, err := s.Listen([]End{{Addr: netip.MustParseAddr("127.0.0.1")}})
		must(t, err)
		if err := s.Accept(nil); err == nil {
			t.Errorf("%+v: no error", c)
		}
		s.Close()
	}
}

func TestOrigin(t *testing.T) {
	a := netip.MustParseAddr("10.0.0.1")
	for text, o := range map[string]Origin{
		"10.0.0.1:1": {a, 0, 0}, "10.0.0.1:5": {a, 5, 5}, "10.0.0.1:7": {a, 5, 9}, "[::ffff:10.0.0.1]:7": {a, 5, 9}, "[fe80::1]:7": {netip.MustParseAddr("fe80::1"), 7, 7},
	} {
		if !o.has(netip.MustParseAddrPort(text)) {
			t.Errorf("%+v has not %s", o, text)
		}
		b, err := json.Marshal(o)
		must(t, err)
		var back Origin
		if must(t, json.Unmarshal(b, &back)); back != o {
			t.Errorf("%s became %+v", b, back)
		}
	}
	for text, o := range map[string]Origin{"10.0.0.2:1": {a, 0, 0}, "10.0.0.1:4": {a, 5, 9}, "10.0.0.1:10": {a, 5, 9}} {
		if o.has(netip.MustParseAddrPort(text)) {
			t.Errorf("%+v has %s", o, text)
		}
	}
}

// BenchmarkGuard sends and receives datagrams over lo, with and without the
// filter that an open sink has where strangers can reach it, in turns of a hundred:
// CPU time of the thread, medians of the turns.
func BenchmarkGuard(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := func() int64 {
		var ts unix.Timespec
		must(b, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts))
		return ts.Nano()
	}
	const turn = 100
	var sets [2]*Set
	var took [2][]float64
	lo := netip.MustParseAddr("127.0.0.1")
	for i := range sets {
		s := NewSet(Config{Protocol: "udp", Exposed: i == 1, Sink: Path{Socket: "open"}})
		defer s.Close()
		ports, err := s.Listen([]End{{Addr: lo}})
		must(b, err)
		from, err := s.Connect([]End{{To: netip.AddrPortFrom(lo, ports[0])}})
		must(b, err)
		must(b, s.Accept([]End{{To: netip.AddrPortFrom(lo, from[0])}}))
		sets[i] = s
	}
	message := make([]byte, 64)
	for b.Loop() {
		for i, s := range sets {
			began := used()
			for range turn {
				if _, err := unix.Write(s.endpoints[1].fd, message); err != nil {
					b.Fatal(err)
				}
				if n, err := unix.Read(s.endpoints[0].fd, message); err != nil || n != 64 {
					b.Fatal(n, err)
				}
			}
			took[i] = append(took[i], float64(used()-began)/turn)
		}
	}
	for _, t := range took {
		slices.Sort(t)
	}
	without, with := took[0][len(took[0])/2], took[1][len(took[1])/2]
	b.ReportMetric(without, "ns/datagram")
	b.ReportMetric(with, "ns/filtered")
	b.ReportMetric(with/without, "ratio")
}
