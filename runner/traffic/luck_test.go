package traffic

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/test/need"
)

// prepare opens flows as far as it goes and returns the error of Prepare.
func prepare(t testing.TB, c Config, n int) (*Set, error) {
	t.Helper()
	s := NewSet(c)
	t.Cleanup(s.Close)
	var sinks []End
	for i := range n {
		sinks = append(sinks, End{Flow: i, Addr: c.loopback()})
	}
	ports, err := s.Listen(sinks)
	must(t, err)
	var sources []End
	for i, p := range ports {
		sources = append(sources, End{Flow: i, To: netip.AddrPortFrom(c.loopback(), p)})
	}
	from, err := s.Connect(sources)
	must(t, err)
	for i := range sinks {
		sinks[i].To = netip.AddrPortFrom(c.loopback(), from[i])
	}
	must(t, s.Accept(sinks))
	return s, s.Prepare()
}

// An end that dies in the middle says so, and the others' report is there.
func TestPeerGone(t *testing.T) {
	for name, tc := range map[string]struct {
		config Config
		kill   func(source, sink int)
		want   []error
	}{
		"tcp source": {Config{Protocol: "tcp", Message: 1000}, func(source, _ int) { unix.Shutdown(source, unix.SHUT_RDWR) }, []error{errPeerClosed, unix.EPIPE}},
		"rr sink":    {Config{Kind: "rr", Protocol: "tcp", Message: 10, Response: 10}, func(_, sink int) { unix.Shutdown(sink, unix.SHUT_RDWR) }, []error{errPeerClosed}},
		"epoll":      {Config{Protocol: "tcp", Message: 1000, Threads: 1}, func(source, _ int) { unix.Shutdown(source, unix.SHUT_RDWR) }, []error{errPeerClosed, unix.EPIPE}},
		"unix sink":  {Config{Protocol: "unix-stream", Message: 1000}, func(_, sink int) { unix.Shutdown(sink, unix.SHUT_RDWR) }, []error{unix.EPIPE}},
		"zerocopy":   {Config{Protocol: "tcp", Message: 1000, Source: Path{ZeroCopy: true}}, func(source, _ int) { unix.Shutdown(source, unix.SHUT_RDWR) }, []error{errPeerClosed, unix.EPIPE}},
	} {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string { return killOne(t, by, tc.config, tc.kill, tc.want) })
		})
	}
}

func killOne(t *testing.T, by stretch, c Config, kill func(source, sink int), wants []error) string {
	defer mustEnd(t, 20*time.Second)()
	s := openFlows(t, c, 2)
	var source, sink int
	for _, e := range s.endpoints {
		if e.Flow == 1 && e.sink {
			sink = e.fd
		} else if e.Flow == 1 {
			source = e.fd
		}
	}
	windows := by.windowsFrom(8*time.Millisecond, 3, 20*time.Millisecond, 5*time.Millisecond, 0)
	killed := make(chan int64, 1)
	time.AfterFunc(by.of(20*time.Millisecond), func() {
		kill(source, sink)
		killed <- Now()
	})
	r, err := s.Run(windows, 0)
	if late := <-killed - windows[2].Count; late > 0 {
		return fmt.Sprintf("killed %v too late", time.Duration(late))
	}
	if len(r.Groups[0].Ends) != 4 {
		t.Errorf("a report of %d ends", len(r.Groups[0].Ends))
	}
	for _, want := range wants {
		if !errors.Is(err, want) {
			return fmt.Sprintf("got %v, want %v in it", err, want)
		}
	}
	return ""
}

// newListener accepts connections over lo and does with each what the test says.
func newListener(t testing.TB, with func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			with(conn.(*net.TCPConn))
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// A connection that is reset is no end of the schedule.
func TestReset(t *testing.T) {
	for name, c := range map[string]Config{
		"stream":  {Protocol: "tcp", Message: 1000},
		"threads": {Protocol: "tcp", Message: 1000, Threads: 1},
		"rr":      {Protocol: "tcp", Kind: "rr", Message: 1000, Response: 1},
		"open rr": {Protocol: "tcp", Kind: "rr", Message: 1000, Response: 1, Rate: 1000},
		"uring":   {Protocol: "tcp", Message: 1000, Source: Path{Call: "io_uring", Batch: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				defer mustEnd(t, 20*time.Second)()
				to := newListener(t, func(conn *net.TCPConn) {
					time.AfterFunc(by.of(20*time.Millisecond), func() {
						conn.SetLinger(0)
						conn.Close()
					})
				})
				_, err := openSource(t, c, to).Run(by.windowsFrom(8*time.Millisecond, 2, 40*time.Millisecond, 5*time.Millisecond, 0), 0)
				if !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.EPIPE) {
					return fmt.Sprintf("got %v, want a reset connection", err)
				}
				return ""
			})
		})
	}
}

// Of many connections one may fail: it is counted, and the next one made.
func TestConnectErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		config Config
		with   func(*net.TCPConn)
	}{
		"reset":  {Config{Protocol: "tcp", Kind: "crr", Message: 10, Response: 10, Rate: 1000}, func(c *net.TCPConn) { c.SetLinger(0); c.Close() }},
		"closed": {Config{Protocol: "tcp", Kind: "crr", Message: 10, Response: 10, Rate: 1000}, func(c *net.TCPConn) { c.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				defer mustEnd(t, 20*time.Second)()
				s := openSource(t, tc.config, newListener(t, tc.with))
				r, err := s.Run(by.shortRun(2), 0)
				if err != nil {
					return err.Error()
				}
				source, _ := r.Groups[0].sums()
				if source.Total.Msgs != 0 || count(r.Groups[0].Latency) != 0 {
					t.Errorf("%d transactions of requests that were not answered", source.Total.Msgs)
				}
				if source.Events["connect errors"] == 0 {
					return fmt.Sprintf("no errors: %v", source.Events)
				}
				return ""
			})
		})
	}
}

// Nobody listens: refused at once by TCP, and at the second message by UDP.
func TestRefused(t *testing.T) {
	var to netip.AddrPort
	for name, c := range map[string]Config{
		"send":     {Protocol: "udp", Message: 100},
		"sendmmsg": {Protocol: "udp", Message: 100, Source: Path{Call: "sendmmsg", Batch: 4}},
		"threads":  {Protocol: "udp", Message: 100, Threads: 1},
		"rr":       {Protocol: "udp", Kind: "rr", Message: 100, Response: 100, Timeout: 5 * ms},
		"rr rate":  {Protocol: "udp", Kind: "rr", Message: 100, Response: 100, Timeout: 5 * ms, Rate: 1000},
	} {
		retry(t, func(t *testing.T, by stretch) string {
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			must(t, err)
			to = conn.LocalAddr().(*net.UDPAddr).AddrPort()
			s := openSource(t, c, to)
			conn.Close()
			r, err := s.Run(by.shortRun(2), 0)
			// sendmmsg says only how many it sent: fewer than asked for, each time.
			told := r.Groups[0].Ends[0].Events["retries"] > 0
			if name != "sendmmsg" && !errors.Is(err, unix.ECONNREFUSED) || name == "sendmmsg" && !told {
				return fmt.Sprintf("%s: %v, want ECONNREFUSED", name, err)
			}
			return ""
		})
	}
	// No port that the kernel chooses by itself: a TCP socket can connect to itself.
	to = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 1)
	s := NewSet(Config{Protocol: "tcp", Message: 1})
	defer s.Close()
	if _, err := s.Connect([]End{{Flow: 7, To: to}}); !errors.Is(err, unix.ECONNREFUSED) || !strings.Contains(err.Error(), "flow 7") {
		t.Errorf("tcp: %v", err)
	}
	// crr tries again for as long as the schedule lasts.
	retry(t, func(t *testing.T, by stretch) string {
		r, ok := runs(t, openSource(t, Config{Protocol: "tcp", Kind: "crr", Message: 1}, to), by.shortRun(1))
		source, _ := r.Groups[0].sums()
		if source.Total.Msgs != 0 {
			t.Errorf("crr: %+v", source)
		}
		if !ok || source.Events["connect errors"] == 0 {
			return fmt.Sprintf("crr: %+v", source)
		}
		return ""
	})
}

// A peer that takes everything and says nothing must not keep the set for ever.
func TestSilentPeer(t *testing.T) {
	for name, c := range map[string]Config{
		"rr":      {Protocol: "tcp", Kind: "rr", Message: 10, Response: 10},
		"open rr": {Protocol: "tcp", Kind: "rr", Message: 10, Response: 10, Rate: 1000},
		"threads": {Protocol: "tcp", Kind: "rr", Message: 10, Response: 10, Threads: 1},
		"crr":     {Protocol: "tcp", Kind: "crr", Message: 10, Response: 10},
		"stream":  {Protocol: "tcp", Message: 100_000},
		"epoll":   {Protocol: "tcp", Message: 100_000, Threads: 1},
		"splice":  {Protocol: "tcp", Message: 100_000, Source: Path{Call: "splice"}},
		"uring":   {Protocol: "tcp", Message: 100_000, Source: Path{Call: "io_uring", Batch: 2}},
		"zero":    {Protocol: "tcp", Message: 100_000, Source: Path{ZeroCopy: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSource(t, c, newListener(t, func(*net.TCPConn) {}))
			r, ok := runs(t, s, asIs.shortRun(2))
			if source, _ := r.Groups[0].sums(); ok && c.Kind.Answers() && source.Total.Msgs != 0 {
				t.Errorf("%d transactions with a peer that says nothing", source.Total.Msgs)
			}
		})
	}
}

// With hardly any room for completions the kernel refuses zero copy: those are
// retries, and all that was sent still arrives.
func TestRefusedZeroCopy(t *testing.T) {
	sysctl(t, "net/core/optmem_max", "2000")
	retry(t, func(t *testing.T, by stretch) string {
		c := Config{Protocol: "tcp", Message: 60_000, Source: Path{ZeroCopy: true}}
		r, ok := runs(t, openFlows(t, c, 1), by.shortRun(2))
		source, sink := r.Groups[0].sums()
		if !ok || source.Total.Bytes == 0 {
			return "late"
		}
		if source.Total.Bytes != sink.Total.Bytes || source.Events["zerocopy completed"] != source.Total.Msgs {
			t.Errorf("%+v %+v", source, sink)
		}
		if source.Events["retries"] == 0 {
			return fmt.Sprintf("no retries: %v", source.Events)
		}
		return ""
	})
}

// slowLoopback lets 4 Mbit/s through lo and drops what does not fit into a queue
// of so many bytes.
func slowLoopback(t testing.TB, limit uint32) {
	t.Helper()
	need.Root(t)
	lo, err := netlink.LinkByName("lo")
	must(t, err)
	tbf := &netlink.Tbf{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: lo.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate: 500_000, Buffer: netlink.Xmittime(500_000, 70_000), Limit: limit}
	if err := netlink.QdiscAdd(tbf); errors.Is(err, unix.ENOENT) {
		need.Option(t, "NET_SCH_TBF", err)
	} else {
		must(t, err)
	}
	t.Cleanup(func() { must(t, netlink.QdiscDel(tbf)) })
}

// qdiscDrops is how many packets lo's qdisc dropped.
func qdiscDrops(t testing.TB) int64 {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	must(t, err)
	list, err := netlink.QdiscList(lo)
	must(t, err)
	for _, q := range list {
		if q.Attrs().Parent == netlink.HANDLE_ROOT {
			return int64(q.Attrs().Statistics.Queue.Drops)
		}
	}
	t.Fatal("lo has no root qdisc")
	return 0
}

// A device that is too slow: what a full socket holds back is waited for, and
// what a full queue drops is the queue's.
func TestSlowDevice(t *testing.T) {
	for name, tc := range map[string]struct {
		limit  uint32
		config Config
	}{
		"blocked":  {10_000_000, Config{Protocol: "udp", Message: 1400, SendBuffer: 4096}},
		"dropped":  {20_000, Config{Protocol: "udp", Message: 1400}},
		"sendmmsg": {20_000, Config{Protocol: "udp", Message: 1400, Source: Path{Call: "sendmmsg", Batch: 8}}},
		"threads":  {10_000_000, Config{Protocol: "udp", Message: 1400, SendBuffer: 4096, Threads: 1}},
		"verify":   {20_000, Config{Protocol: "udp", Message: 1400, Verify: true, Rate: 20_000}},
		"tcp":      {100_000, Config{Protocol: "tcp", Message: 1400, SendBuffer: 4096}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			slowLoopback(t, tc.limit)
			retry(t, func(t *testing.T, by stretch) string {
				before := qdiscDrops(t)
				r, ok := runs(t, openFlows(t, tc.config, 1), by.patient(by.shortRun(2), 50*time.Millisecond))
				if !ok {
					return "late"
				}
				source, sink := r.Groups[0].sums()
				dropped := qdiscDrops(t) - before
				if tc.config.stream() {
					if source.Total.Bytes != sink.Total.Bytes {
						t.Errorf("%+v %+v", source, sink)
					}
					return ""
				}
				// A few packets of sockets of other tests may be among the dropped.
				dropped = min(dropped, max(dropped-20, source.Total.Msgs-sink.Total.Msgs-sink.Total.Drops))
				if missing := l.check(t, source.Total.Msgs, sink.Total.Msgs, sink.Total.Drops+dropped); missing != "" {
					return missing
				}
				if lost := sink.Events["lost"]; lost > dropped {
					t.Errorf("%d lost, the queue dropped %d", lost, dropped)
				}
				if tc.limit < 1_000_000 && dropped == 0 {
					return "nothing was dropped"
				}
				return ""
			})
		})
	}
}

// A set that is closed instead of run ends its threads.
func TestCloseWithoutRun(t *testing.T) {
	defer mustEnd(t, 20*time.Second)()
	for _, c := range []Config{{Protocol: "tcp", Message: 10}, {Protocol: "udp", Message: 10, Threads: 1}, {Protocol: "udp", Message: 10, Source: Path{Call: "io_uring"}, Sink: Path{Call: "io_uring"}}} {
		s := openFlows(t, c, 3)
		s.Close()
		s.ended.Wait()
		s.Close()
	}
	NewSet().Close()
	s := NewSet(Config{Protocol: "tcp"})
	_, err := s.Listen([]End{{Addr: netip.MustParseAddr("127.0.0.1")}})
	must(t, err)
	s.Close()
}

// A schedule without windows, and one that begins before the threads are there:
// that must not give zeros without a word.
func TestStrangeSchedules(t *testing.T) {
	defer mustEnd(t, 20*time.Second)()
	s := openFlows(t, Config{Protocol: "udp", Message: 100}, 1)
	if r, err := s.Run(nil, 0); err != nil || len(r.Groups) != 1 {
		t.Errorf("no windows: %+v, %v", r, err)
	}
	for _, c := range []Config{{Protocol: "udp", Message: 100}, {Protocol: "tcp", Message: 100}, {Protocol: "tcp", Kind: "rr", Message: 100, Response: 1}, {Protocol: "udp", Message: 100, Rate: 100}} {
		r, err := openFlows(t, c, 1).Run(asIs.windowsFrom(-time.Second, 2, 20*time.Millisecond, 5*time.Millisecond, 0), 0)
		if !strings.Contains(r.Fault, "too busy") {
			t.Errorf("%+v: a schedule of the past was worked off without a word: %q, %v", c, r.Fault, err)
		}
		if source, _ := r.Groups[0].sums(); source.Total.Msgs != 0 {
			t.Errorf("%+v: %d messages were sent outside of all windows", c, source.Total.Msgs)
		}
	}
}

// What cannot be opened is said when it is prepared.
func TestPrepareRefuses(t *testing.T) {
	for want, c := range map[string]Config{
		`there is no path "telepathy"`: {Protocol: "tcp", Message: 1, Source: Path{Call: "telepathy"}},
		`there is no path "mind"`:      {Protocol: "udp", Message: 1, Sink: Path{Call: "mind"}},
		"addresses of the link":        {Protocol: "udp", Message: 100, Source: Path{Call: "packet"}},
		"pktgen needs addresses":       {Protocol: "udp", Message: 100, Source: Path{Call: "pktgen"}},
		"TCP_ZEROCOPY_RECEIVE":         {Protocol: "udp", Message: 100, Sink: Path{Call: "tcp-zerocopy"}},
	} {
		if _, err := prepare(t, c, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s := NewSet(Config{Protocol: "udp"})
	defer s.Close()
	if _, err := s.Listen([]End{{Flow: 3, Group: 1}}); err == nil || !strings.Contains(err.Error(), "no traffic 1") {
		t.Error(err)
	}
	for want, c := range map[string]Config{
		`congestion control "nonsense"`: {Protocol: "tcp", Message: 1, Congestion: "nonsense"},
		"send_buffer":                   {Protocol: "tcp", Message: 1, SendBuffer: 1 << 30},
	} {
		s := NewSet(c)
		defer s.Close()
		if _, err := s.Listen([]End{{Addr: netip.MustParseAddr("127.0.0.1")}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
