package traffic

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/vocab"
)

const ms = int64(time.Millisecond)

// twoArms gives every second window to another arm.
func twoArms(windows []Window) []Window {
	for i := range windows {
		windows[i].Arm = i % 2
	}
	return windows
}

// patient adds a window in which nothing begins, so that the last requests have
// time for their responses.
func (by stretch) patient(windows []Window, more time.Duration) []Window {
	at := windows[len(windows)-1].End + int64(by.of(more))
	return append(windows, Window{Slice: -1, Start: at, Count: at, End: at})
}

func count(latency []*results.Histogram) (n int64) {
	for _, h := range latency {
		n += h.Count()
	}
	return n
}

// TestTransactions: what was asked was served and answered, all of it once.
func TestTransactions(t *testing.T) {
	type tc struct {
		Config
		flows int
	}
	cases := map[string]tc{}
	for _, protocol := range []string{"tcp", "udp", "unix-stream", "unix-dgram"} {
		c := Config{Kind: "rr", Protocol: vocab.Protocol(protocol), Timeout: 500 * ms}
		for name, sizes := range map[string][2]int{"1 1": {1, 1}, "100 1000": {100, 1000}, "8 8": {8, 8}, "7 900": {7, 900}} {
			c.Message, c.Response = sizes[0], sizes[1]
			cases[protocol+" "+name] = tc{c, 1}
		}
		c.Message, c.Response = 64, 200
		c.Depth = 8
		cases[protocol+" depth"] = tc{c, 2}
		c.Source.Call, c.Sink.Call = "write", "read"
		cases[protocol+" depth write read"] = tc{c, 1}
		c.Source.Call, c.Sink.Call = "sendmsg", "recvmsg"
		cases[protocol+" depth sendmsg recvmsg"] = tc{c, 1}
		c.Depth, c.Think = 1, 50_000
		c.Source.Call, c.Sink.Call = "sendto", "recvfrom"
		cases[protocol+" think"] = tc{c, 2}
		c.Think, c.Rate = 0, 2000
		cases[protocol+" rate"] = tc{c, 3}
		c.Source.Call, c.Sink.Call = "write", "read"
		cases[protocol+" rate write read"] = tc{c, 1}
		if c.stream() { // many segments a message
			cases[protocol+" large"] = tc{Config{Kind: "rr", Protocol: vocab.Protocol(protocol), Message: 200_000, Response: 100_000}, 1}
			for _, sink := range []string{"recv", "read", "recvmsg"} {
				cases[protocol+" large depth "+sink] = tc{Config{Kind: "rr", Protocol: vocab.Protocol(protocol), Message: 100_000, Response: 50_000, Depth: 3, Sink: Path{Call: sink}}, 1}
			}
		} else {
			cases[protocol+" sizes"] = tc{Config{Kind: "rr", Protocol: vocab.Protocol(protocol), Message: 300, Sizes: []int{64, 300, 8}, Response: 8, Timeout: 500 * ms, Depth: 2}, 1}
		}
	}
	cases["udp ipv6"] = tc{Config{Kind: "rr", Protocol: "udp", IPv6: true, Message: 1, Response: 1, Timeout: 500 * ms}, 1}
	cases["udp open"] = tc{Config{Kind: "rr", Protocol: "udp", Message: 1, Response: 1, Timeout: 500 * ms, Source: Path{Call: "sendto", Socket: "open"}}, 1}
	for _, v6 := range []bool{false, true} {
		cases[fmt.Sprint("tcp crr ipv6 ", v6)] = tc{Config{Kind: "crr", Protocol: "tcp", IPv6: v6, Message: 100, Response: 1000, NoDelay: true, Congestion: "reno"}, 2}
		cases[fmt.Sprint("tcp conn ipv6 ", v6)] = tc{Config{Kind: "conn", Protocol: "tcp", IPv6: v6, Message: 100}, 2}
		cases[fmt.Sprint("udp conn ipv6 ", v6)] = tc{Config{Kind: "conn", Protocol: "udp", IPv6: v6, Message: 100, Sink: Path{Socket: "open"}}, 2}
	}
	cases["tcp crr rate"] = tc{Config{Kind: "crr", Protocol: "tcp", Message: 1, Response: 1, Rate: 1000}, 1}
	cases["tcp crr reuseport"] = tc{Config{Kind: "crr", Protocol: "tcp", Message: 1, Response: 1, Sink: Path{Socket: "reuseport"}}, 3}
	cases["udp conn rate reuseport"] = tc{Config{Kind: "conn", Protocol: "udp", Message: 20, Rate: 3000, Sink: Path{Socket: "reuseport"}}, 3}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string { return tryTransactions(t, by, c.Config, c.flows) })
		})
	}
}

func tryTransactions(t *testing.T, by stretch, c Config, flows int) string {
	l := newLedger(t)
	c.NoDelay = c.Protocol == "tcp" // else a response may wait for 40 ms
	s := openFlows(t, c, flows)
	windows := twoArms(by.shortRun(3))
	r, ok := runs(t, s, windows)
	if !ok {
		return "late"
	}
	g := &r.Groups[0]
	source, sink := g.sums()
	if c.Kind == "conn" && !c.stream() {
		if missing := l.check(t, source.Total.Msgs, sink.Total.Msgs, sink.Total.Drops); missing != "" {
			return missing
		}
	} else if under := sink.Total.Msgs - source.Total.Msgs; under < 0 || under > int64(flows*max(c.Depth, 1+int(c.Rate)/100)) {
		t.Errorf("the source had %d transactions, the sink %d", source.Total.Msgs, sink.Total.Msgs)
	} else if under > 0 {
		return fmt.Sprintf("%d responses were not received in the time that the schedule gave", under)
	}
	if c.stream() && (source.Total.Bytes != source.Total.Msgs*int64(max(c.Response, 1)) && c.Kind.Answers() || sink.Total.Bytes != sink.Total.Msgs*int64(c.Message)) {
		// Half of a request may be there when the schedule ends.
		return fmt.Sprintf("%+v are not the bytes of as many messages: %+v", source.Total, sink.Total)
	}
	if len(source.Events)+len(sink.Events) > 0 {
		t.Errorf("events %v %v", source.Events, sink.Events)
	}
	if source.Counted.Msgs == 0 || sink.Counted.Msgs == 0 {
		return fmt.Sprintf("no transactions: %+v %+v", source, sink)
	}
	if !c.Kind.Answers() {
		if g.Latency != nil {
			t.Error("there is no latency without a response")
		}
		return ""
	}
	// Begun in a counted part, and ended in it, but for those under way at its
	// edges.
	got, counted := count(g.Latency), source.Counted.Msgs
	under := int64(len(windows) * flows * max(c.Depth, 1))
	if c.Rate > 0 {
		under += int64(c.Rate * float64(flows) * by.of(11*time.Millisecond).Seconds() * float64(len(windows)))
	}
	if got > counted+under || got < counted-under {
		t.Errorf("%d latencies of %d transactions in counted parts", got, counted)
	}
	if got > source.Total.Msgs {
		t.Errorf("%d latencies of %d transactions", got, source.Total.Msgs)
	}
	for i, h := range g.Latency {
		if h.Count() == 0 {
			return fmt.Sprintf("no latencies of arm %d", i)
		}
		if least := h.Quantile(0); least < 500 {
			t.Errorf("arm %d: a transaction of %g ns", i, least)
		}
	}
	return ""
}

// refuseAll makes a socket drop whatever comes: a filter that keeps no byte.
func refuseAll(t testing.TB, fd int) {
	t.Helper()
	program := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	must(t, unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &program[0]}))
}

// TestTimeouts: every request that is lost is counted as such, once.
func TestTimeouts(t *testing.T) {
	c := Config{Kind: "rr", Protocol: "udp", Message: 20, Response: 20, Timeout: 3 * ms}
	for name, change := range map[string]func(*Config){
		"closed": func(*Config) {}, "tiny": func(c *Config) { c.Message, c.Response = 1, 1 }, "depth": func(c *Config) { c.Depth = 5 },
		"open": func(c *Config) { c.Rate = 3000 }, "threads": func(c *Config) { c.Threads = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			change(&c)
			retry(t, func(t *testing.T, by stretch) string {
				s := openFlows(t, c, 3)
				for _, e := range s.endpoints {
					if e.sink {
						refuseAll(t, e.fd)
					}
				}
				r, ok := runs(t, s, by.patient(by.shortRun(3), 20*time.Millisecond))
				source, sink := r.Groups[0].sums()
				if !ok || sink.Total.Drops == 0 {
					return "late"
				}
				if source.Total.Msgs != 0 || sink.Total.Msgs != 0 || count(r.Groups[0].Latency) != 0 {
					t.Errorf("transactions with a sink that hears nothing: %+v %+v", source, sink)
				}
				if n := source.Events["timeouts"]; n != sink.Total.Drops || len(source.Events) != 1 {
					t.Errorf("%d requests were dropped, events %v", sink.Total.Drops, source.Events)
				}
				if max(1, int64(c.Depth))*3*3 > sink.Total.Drops {
					return fmt.Sprintf("%d requests in three windows", sink.Total.Drops)
				}
				return ""
			})
		})
	}
}

// A responder is the test's own other side of rr over UDP. It answers request i
// when the function says so.
type responder struct {
	addr     netip.AddrPort
	conn     *net.UDPConn
	requests atomic.Int64
	answers  atomic.Int64
}

func newResponder(t testing.TB, answer func(i int64) bool) *responder {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	must(t, conn.SetReadBuffer(1<<20))
	t.Cleanup(func() { conn.Close() })
	r := &responder{conn: conn, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	go func() {
		b := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if answer(r.requests.Add(1) - 1) {
				r.answers.Add(1)
				conn.WriteToUDPAddrPort(b[:n], from)
			}
		}
	}()
	return r
}

// TestLostRequests: with some answered and some not, the timeouts are those not
// answered, however many others were outstanding.
func TestLostRequests(t *testing.T) {
	for _, threads := range []int{0, 1} {
		for _, depth := range []int{1, 8} {
			if threads > 0 && depth > 1 {
				continue
			}
			retry(t, func(t *testing.T, by stretch) string {
				p := newResponder(t, func(i int64) bool { return i%10 != 5 })
				s := openSource(t, Config{Kind: "rr", Protocol: "udp", Message: 16, Response: 16, Depth: depth, Timeout: 2 * ms, Threads: threads}, p.addr)
				r, ok := runs(t, s, by.patient(by.shortRun(4), 20*time.Millisecond))
				source, _ := r.Groups[0].sums()
				lost := p.requests.Load() - p.answers.Load()
				if !ok || lost == 0 {
					return "late"
				}
				// A request is answered in time, or it is a timeout.
				if want := p.requests.Load() - source.Total.Msgs; source.Events["timeouts"] != want {
					t.Errorf("depth %d threads %d: %d requests, %d transactions, %d timeouts", depth, threads, p.requests.Load(), source.Total.Msgs, source.Events["timeouts"])
				}
				if source.Total.Msgs != p.answers.Load() { // late, on a busy machine
					return fmt.Sprintf("depth %d threads %d: %d answers, %d transactions, %v", depth, threads, p.answers.Load(), source.Total.Msgs, source.Events)
				}
				return ""
			})
		}
	}
}

// TestStaleResponses: an answer that comes late belongs to no other request,
// even where a message has room for one byte of its number only.
func TestStaleResponses(t *testing.T) {
	for _, tc := range []struct{ size, threads int }{{16, 0}, {1, 0}, {16, 1}, {1, 1}} {
		retry(t, func(t *testing.T, by stretch) string {
			p := newResponder(t, func(i int64) bool {
				if i == 20 {
					time.Sleep(40 * time.Millisecond)
				}
				return true
			})
			s := openSource(t, Config{Kind: "rr", Protocol: "udp", Message: tc.size, Response: tc.size, Timeout: 3 * ms, Threads: tc.threads}, p.addr)
			r, ok := runs(t, s, by.windowsFrom(8*time.Millisecond, 1, 90*time.Millisecond, time.Millisecond, 0))
			source, _ := r.Groups[0].sums()
			if !ok || p.requests.Load() < 60 {
				return "late"
			}
			// 40 ms are several timeouts of 3, also as the kernel counts them (jiffies).
			if n := source.Events["stale responses"]; n < 3 || n > source.Events["timeouts"] {
				return fmt.Sprintf("size %d threads %d: %v", tc.size, tc.threads, source.Events)
			}
			if all := source.Total.Msgs + source.Events["stale responses"]; all > p.answers.Load() || all < p.answers.Load()-2 {
				t.Errorf("size %d threads %d: %d answers, %d transactions, %v", tc.size, tc.threads, p.answers.Load(), source.Total.Msgs, source.Events)
			}
			if h := r.Groups[0].Latency[0]; h.Quantile(1) > 20e6 {
				return fmt.Sprintf("a latency of %g ns with a timeout of 3 ms", h.Quantile(1))
			}
			return ""
		})
	}
}

// TestStall shows that an open loop hides no stall of the other side (no
// coordinated omission): all requests that were due meanwhile have waited, the
// first for all of the stall, the last for nothing of it. A closed loop has one.
func TestStall(t *testing.T) {
	const rate = 2000.0
	for _, tc := range []struct {
		protocol string
		rate     float64
	}{{"udp", rate}, {"udp", 0}, {"tcp", rate}, {"tcp", 0}} {
		t.Run(fmt.Sprint(tc.protocol, " at ", tc.rate), func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				stall := by.of(40 * time.Millisecond)
				var took atomic.Int64
				// Of the requests that begin in the counted part the 20th stalls.
				answer := func(i int64) bool {
					if i == 40 {
						begin := Now()
						time.Sleep(stall)
						took.Store(Now() - begin)
					}
					return true
				}
				var to netip.AddrPort
				if tc.protocol == "udp" {
					to = newResponder(t, answer).addr
				} else {
					to = newStreamResponder(t, 64, 64, 0, answer).addr
				}
				s := openSource(t, Config{Kind: "rr", Protocol: vocab.Protocol(tc.protocol), Message: 64, Response: 64, Rate: tc.rate, Timeout: 1000 * ms, NoDelay: true}, to)
				r, ok := runs(t, s, by.windowsFrom(10*time.Millisecond, 1, 150*time.Millisecond, 0, 0))
				if !ok || took.Load() == 0 {
					return "late"
				}
				h := r.Groups[0].Latency[0]
				stalled := float64(took.Load())
				longerThan := func(part float64) float64 { return float64(h.Count() - h.Below(part*stalled)) }
				if tc.rate == 0 {
					if n := longerThan(0.9); n != 1 {
						return fmt.Sprintf("closed loop: %g transactions of a stall's length, want 1", n)
					}
					if n := longerThan(0.25); n > 3 {
						return fmt.Sprintf("closed loop: %g transactions longer than a quarter of the stall", n)
					}
					return ""
				}
				due := tc.rate * stalled / 1e9
				for _, part := range []float64{0.1, 0.25, 0.5, 0.75} {
					want := due * (1 - part)
					if n := longerThan(part); n < 0.9*want-2 || n > 1.2*want+5 {
						return fmt.Sprintf("open loop: %g transactions longer than %g of a stall of %v, want %g of the %g that were due", n, part, time.Duration(took.Load()), want, due)
					}
				}
				if longest := h.Quantile(1); longest < 0.97*stalled {
					t.Errorf("the longest of all is %g ns, the stall was %g", longest, stalled)
				}
				return ""
			})
		})
	}
}

// newStreamResponder is the same over TCP; a receive buffer of so many bytes, 0 =
// the kernel's choice.
func newStreamResponder(t testing.TB, request, response, buffer int, answer func(i int64) bool) *responder {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	if buffer > 0 {
		must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer))
	}
	must(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, unix.Listen(fd, 5))
	port, err := localPort(fd)
	must(t, err)
	r := &responder{addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
	done := make(chan struct{})
	t.Cleanup(func() {
		unix.Shutdown(fd, unix.SHUT_RDWR)
		<-done
		unix.Close(fd)
	})
	go func() {
		defer close(done)
		for {
			conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
			if err != nil {
				return
			}
			unix.SetsockoptInt(conn, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
			r.serve(conn, request, response, answer)
			unix.Close(conn)
		}
	}()
	return r
}

func (r *responder) serve(conn, request, response int, answer func(i int64) bool) {
	b, out := make([]byte, request), make([]byte, response)
	for {
		for got := 0; got < request; {
			n, err := unix.Read(conn, b[got:])
			if err != nil || n == 0 {
				return
			}
			got += n
		}
		if answer(r.requests.Add(1) - 1) {
			r.answers.Add(1)
			if _, err := unix.Write(conn, out); err != nil {
				return
			}
		}
	}
}

// An open loop goes on sending while the other side stalls, until the socket is
// full: also a request of which a part fits in must arrive whole.
func TestOpenLoopFillsSocket(t *testing.T) {
	for _, call := range []string{"send", "write", "sendmsg"} {
		t.Run(call, func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				p := newStreamResponder(t, 1111, 3, 4096, func(i int64) bool {
					if i == 100 {
						time.Sleep(60 * time.Millisecond)
					}
					return true
				})
				c := Config{Kind: "rr", Protocol: "tcp", Message: 1111, Response: 3, Rate: 20_000, SendBuffer: 8192, NoDelay: true, Source: Path{Call: call}}
				windows := by.windowsFrom(8*time.Millisecond, 1, 120*time.Millisecond, 0, 0)
				r, ok := runs(t, openSource(t, c, p.addr), by.patient(windows, 60*time.Millisecond))
				source, _ := r.Groups[0].sums()
				if !ok || p.requests.Load() < 150 {
					return fmt.Sprintf("late, or too slow: %d requests", p.requests.Load())
				}
				if source.Total.Msgs != p.answers.Load() || source.Total.Bytes != 3*source.Total.Msgs {
					return fmt.Sprintf("%d answers, %d transactions of %d bytes", p.answers.Load(), source.Total.Msgs, source.Total.Bytes)
				}
				return ""
			})
		})
	}
}

// TestOverdueAtTheEnd: a request that nobody answered in time is a timeout too if
// its thread was told to stop before it could look; one under way is none.
func TestOverdueAtTheEnd(t *testing.T) {
	now := nanotime()
	late, underWay := now-5*ms, now+1000*ms // the test may be held up between here and the look
	alone := &loop{entry: entry{op: opTransact, rpc: rpc{timeout: 3 * ms, began: []int64{late, late, underWay, 0}, head: 3}}}
	shared := &loop{entry: entry{op: opReady, rpc: rpc{timeout: 3 * ms}, ready: readiness{op: opTransact, began: []int64{late, 0, underWay, late}, waiting: 3}}}
	stream := &loop{entry: entry{op: opTransact, rpc: rpc{timeout: 3 * ms, stream: true, began: []int64{late, late}, head: 2}}}
	for _, l := range []*loop{alone, shared, stream, {entry: entry{op: opPlain}}} {
		l.overdue()
		want := int64(2)
		if l.rpc.stream || l.op == opPlain {
			want = 0
		}
		if l.events[eventTimeout] != want {
			t.Errorf("loop of kind %d: %d requests timed out, want %d", l.op, l.events[eventTimeout], want)
		}
	}
}
