package scenarios

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/results/cpulist"
)

func mustTraffic(t *testing.T, src string) Traffic {
	t.Helper()
	return mustExpand(t, twoCPUs, src)[0].Config.Traffic
}

func TestTrafficDefaults(t *testing.T) {
	for _, tt := range []struct {
		src, want string
	}{
		{"TCP_RR", "rr tcp 1/1 one-to-one 1:1 send recv  depth 1"},
		{"tcp_crr", "crr tcp 1/1 one-to-one 1:1 send recv open depth 1"},
		{"UDP_RR", "rr udp 1/1 one-to-one 1:1 send recv connected depth 1 timeout 100ms"},
		{"{protocol: udp, kind: rr, rate: 5k}", "rr udp 16/16 one-to-one 1:1 send recv connected depth 1 timeout 100ms burst 1"},
		{"{protocol: udp, kind: rr, depth: 8}", "rr udp 16/16 one-to-one 1:1 send recv connected depth 8 timeout 100ms"},
		{"{kind: rr, message: 100}", "rr tcp 100/100 one-to-one 1:1 send recv  depth 1"},
		{"{kind: rr, protocol: udp, sizes: imix}", "rr udp 0/1 one-to-one 1:1 send recv connected depth 1 timeout 100ms"},
		{"{kind: conn}", "conn tcp 64/0 one-to-one 1:1 send recv open"},
		{"{kind: conn, protocol: udp}", "conn udp 64/0 one-to-one 1:1 send recv open"},
		{"{kind: flood}", "flood udp 64/0 one-to-one 1:1 sendmmsg*32 recvmmsg*32 connected"},
		{"{kind: flood, source: packet}", "flood udp 64/0 one-to-one 1:1 packet*32 recvmmsg*32 open"},
		{"{kind: flood, source: {segment: 64}}", "flood udp 4096/0 one-to-one 1:1 sendmmsg*32 recvmmsg*32 connected"},
		{"{kind: multicast}", "multicast udp 1472/0 outcast 1:2 send recv open"},
		{"{kind: multicast, sinks: 4}", "multicast udp 1472/0 outcast 1:4 send recv open"},
		{"{protocol: udp, source: {segment: 1472}}", "stream udp 64768/0 one-to-one 1:1 send recv connected"},
		{"{protocol: udp, source: {segment: 1472}, sink: {gro: on}}", "stream udp 64768/0 one-to-one 1:1 send recvmsg connected"},
		{"{protocol: udp, source: {socket: open}}", "stream udp 1472/0 one-to-one 1:1 sendto recv connected"},
		{"{protocol: udp, source: {path: sendmmsg, batch: 8}, sink: recvmmsg}", "stream udp 1472/0 one-to-one 1:1 sendmmsg*8 recvmmsg*32 connected"},
		{"unix-stream", "stream unix-stream 131072/0 one-to-one 1:1 send recv "},
		{"unix-dgram", "stream unix-dgram 1472/0 one-to-one 1:1 send recv connected"},
		{"{sinks: 3}", "stream tcp 131072/0 one-to-one 3:3 send recv "},
		{"{pattern: incast}", "stream tcp 131072/0 incast 2:1 send recv "},
		{"{pattern: outcast}", "stream tcp 131072/0 outcast 1:2 send recv "},
		{"{pattern: all-to-all}", "stream tcp 131072/0 all-to-all 2:2 send recv "},
		{"{pattern: all-to-all, sinks: 3}", "stream tcp 131072/0 all-to-all 3:3 send recv "},
		{"{protocol: udp, loss_free: {to: 5M}}", "stream udp 1472/0 one-to-one 1:1 send recv connected burst 1 from 1k to 5M loss 0"},
	} {
		if got := summary(mustTraffic(t, "traffic: "+tt.src)); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.src, got, tt.want)
		}
	}
}

// summary is what defaults fill in, on one line.
func summary(t Traffic) string {
	batch := func(path string, n int) string {
		if n > 0 {
			path += fmt.Sprint("*", n)
		}
		return path
	}
	s := fmt.Sprintf("%s %s %d/%d %s %d:%d %s %s %s", t.Kind, t.Protocol, t.Message, t.Response, t.Pattern, t.Sources, t.Sinks,
		batch(t.Source.Path, t.Source.Batch), batch(t.Sink.Path, t.Sink.Batch), t.Sink.Socket)
	for _, n := range []struct {
		name  string
		given bool
		value any
	}{{"depth", t.Depth > 0, t.Depth}, {"timeout", t.Timeout > 0, t.Timeout}, {"burst", t.Burst > 0, t.Burst}} {
		if n.given {
			s += fmt.Sprintf(" %s %v", n.name, n.value)
		}
	}
	if l := t.LossFree; l != nil {
		s += fmt.Sprintf(" from %s to %s loss %g", l.From, l.To, float64(l.Loss))
	}
	return s
}

func TestBesideHasDefaults(t *testing.T) {
	rpc := mustTraffic(t, "topology: {family: ipv6}\ntraffic: {beside: {rpc: UDP_RR, bulk: udp}}").Beside
	if got, want := summary(rpc["rpc"]), "rr udp 1/1 one-to-one 1:1 send recv connected depth 1 timeout 100ms"; got != want {
		t.Errorf("rpc: %s, want %s", got, want)
	}
	if rpc["bulk"].Message != 1452 {
		t.Errorf("bulk: %d bytes, want what fits over ipv6", rpc["bulk"].Message)
	}
}

func TestHeadline(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"traffic: tcp", "goodput"},
		{"traffic: {kind: flood}", "packet_rate"},
		{"traffic: {kind: multicast}", "goodput"},
		{"traffic: TCP_RR", "transaction_rate"},
		{"traffic: TCP_CRR", "transaction_rate"},
		{"traffic: {kind: conn, rate: 1k}", "transaction_rate"},
		{"traffic: {kind: rr, rate: 1k}", "latency_p99"},
		{"traffic: {protocol: udp, loss_free: on}", "loss_free_rate"},
		{"arms: {a: {traffic: TCP_RR}, b: {traffic: TCP_CRR}}", "transaction_rate"},
		{"arms: {a: {traffic: TCP_RR}, b: {traffic: TCP_STREAM}}", "goodput"},
		{"traffic: TCP_RR\nmeasure: {metrics: [goodput]}", "goodput"},
	} {
		s, err := Parse("a.yaml", []byte(tt.src))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{tt.want}, s.Measure.Metrics); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.src, diff)
		}
	}
}

func TestPairs(t *testing.T) {
	p := func(pairs ...int) []Pair {
		var out []Pair
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, Pair{pairs[i], pairs[i+1]})
		}
		return out
	}
	for _, tt := range []struct {
		src   string
		pairs []Pair
		at    []Pair // places, if they are others
		n     Pair   // number of places
	}{
		{"{}", p(0, 0), nil, Pair{1, 1}},
		{"{flows: 3}", p(0, 0, 0, 0, 0, 0), p(0, 0, 1, 1, 2, 2), Pair{3, 3}},
		{"{flows: 3, threads: 2}", p(0, 0, 0, 0, 0, 0), p(0, 0, 1, 1, 0, 0), Pair{2, 2}},
		{"{flows: 2, sources: 2}", p(0, 0, 0, 0, 1, 1, 1, 1), nil, Pair{2, 2}},
		{"{pattern: single, flows: 2, sources: 2, sinks: 2}", p(0, 0, 0, 0), nil, Pair{1, 1}},
		{"{pattern: incast, sources: 3, sinks: 2}", p(0, 0, 1, 0, 2, 0), nil, Pair{3, 1}},
		{"{pattern: outcast, sources: 2, sinks: 3}", p(0, 0, 0, 1, 0, 2), nil, Pair{1, 3}},
		{"{pattern: all-to-all, sources: 2, sinks: 2, flows: 2}", p(0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1), nil, Pair{2, 2}},
		{"{pattern: all-to-all, sources: 1, sinks: 3}", p(0, 0, 0, 1, 0, 2), nil, Pair{1, 3}},
		{"{kind: multicast, sinks: 3}", p(0, 0, 0, 1, 0, 2), nil, Pair{1, 3}},
	} {
		traffic := mustTraffic(t, "traffic: "+tt.src)
		if diff := cmp.Diff(tt.pairs, traffic.Pairs()); diff != "" {
			t.Errorf("%s: pairs (-want +got):\n%s", tt.src, diff)
		}
		if tt.at == nil {
			tt.at = tt.pairs
		}
		var at []Pair
		for flow := range tt.pairs {
			source, sink := traffic.PlaceOf(flow)
			at = append(at, Pair{source, sink})
		}
		if diff := cmp.Diff(tt.at, at); diff != "" {
			t.Errorf("%s: places (-want +got):\n%s", tt.src, diff)
		}
		if sources, sinks := traffic.Places(); (Pair{sources, sinks}) != tt.n {
			t.Errorf("%s: %d and %d places, want %v", tt.src, sources, sinks, tt.n)
		}
	}
}

func TestPlacesOnServer(t *testing.T) {
	for _, tt := range []struct{ src, source, sink string }{
		{"{flows: 2}", "0-1", "2-3"},
		{"{flows: 100}", "0-1,4", "2-3,5"},
		{"{flows: 100, threads: 2}", "0-1", "2-3"},
		{"{pattern: single, flows: 9}", "0", "1"},
		{"{pattern: incast, sources: 3}", "0-2", "3"},
		{"{pattern: incast, sources: 5}", "0-2,4-5", "3"},
		{"{pattern: outcast, sinks: 3}", "0", "1-3"},
		{"{pattern: all-to-all, sources: 2, sinks: 3}", "0-1", "2-4"},
	} {
		arm := mustExpand(t, server(), "traffic: "+tt.src)[0]
		if got := cpulist.Format(arm.CPUs.Source) + " " + cpulist.Format(arm.CPUs.Sink); got != tt.source+" "+tt.sink {
			t.Errorf("%s: on %s, want %s %s", tt.src, got, tt.source, tt.sink)
		}
	}
	// Nodes of one core each: no role may be left without.
	lone := CPUs{Online: []int{0, 1}, Node: map[int]int{0: 0, 1: 1}}
	for _, src := range []string{"incast", "outcast", "all-to-all"} {
		arm := mustExpand(t, lone, "traffic: {pattern: "+src+"}")[0]
		if len(arm.CPUs.Source) != 1 || len(arm.CPUs.Sink) != 1 || arm.CPUs.Source[0] == arm.CPUs.Sink[0] {
			t.Errorf("%s on two nodes of one core: %v", src, arm.CPUs)
		}
	}
}

// TestRefused: each combination that makes no sense, with the place and the
// reason. The text after | must be in the fault.
func TestRefused(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(refused), "\n") {
		src, want, ok := strings.Cut(line, " | ")
		if !ok {
			t.Fatalf("no | in %q", line)
		}
		topology := "loopback"
		if before, after, ok := strings.Cut(src, " over "); ok {
			src, topology = before, after
		}
		_, err := Parse("a.yaml", []byte("topology: "+topology+"\ntraffic: "+src+"\n"))
		if err == nil {
			t.Errorf("%s is taken", line)
			continue
		}
		faults := faultsIn(t, err)
		if len(faults) != 1 {
			t.Errorf("%s: %d faults, want one:\n%v", src, len(faults), err)
		}
		if got := faults[0].Error(); !strings.Contains(got, want) {
			t.Errorf("%s\n says %s\n want %s", src, got, want)
		}
		for _, fault := range faults {
			if fault.Pos.Line != 2 || fault.Hint == "" {
				t.Errorf("%s: fault without its place or a hint: %v", src, fault)
			}
		}
	}
}

const refused = `
{kind: multicast, protocol: tcp} | traffic.protocol: tcp cannot be multicast; use udp
{kind: flood, protocol: tcp} | traffic.protocol: tcp cannot be flood
{kind: crr, protocol: udp} | traffic.protocol: udp cannot be crr
{kind: conn, protocol: unix-stream} | traffic.protocol: unix-stream cannot be conn
unix-stream over veth | traffic.protocol: unix-stream reaches no other network namespace by veth
{kind: rr, direction: both} | traffic.direction: rr goes one way only
{kind: multicast, direction: reverse} | traffic.direction: multicast goes one way only
{protocol: TCP_RR, kind: stream} | traffic.kind: stream is not the kind of TCP_RR
{sources: 2, sinks: 3} | traffic.pattern: one-to-one of 2 sources and 3 sinks
{kind: multicast, pattern: incast} | traffic.pattern: multicast has one source and several sinks
{kind: multicast, flows: 2} | traffic.flows: a sink of multicast is in one group
{pattern: all-to-all, sources: 50, sinks: 50} | traffic: 2500 flows are too many; at most 1000
{flows: 900, beside: {rpc: {kind: rr, flows: 200}}} | traffic: 1100 flows are too many
{response: 5} | traffic.response: stream has no response
{message: 64, sizes: imix} | traffic has both message and sizes; keep one
{protocol: udp, sizes: imix, source: sendmmsg} | traffic.sizes: sendmmsg sends messages of one size
{sizes: imix, source: sendfile} | traffic.sizes: sendfile sends messages of one size
{kind: rr, sizes: imix} | traffic.sizes: in a byte stream the sink cannot tell where a request of unknown size ends
{protocol: udp, sizes: {70000: 1}} | traffic.sizes.70000: 70000 bytes do not fit into a datagram
{protocol: udp, message: 65508} | traffic.message: 65508 bytes do not fit into a datagram; at most 65507
{protocol: unix-dgram, message: 1M} | traffic.message: 1048576 bytes do not fit into a datagram; at most 212960
{protocol: unix-dgram, message: 1M, send_buffer: 64K} | at most 131040
{protocol: udp, kind: rr, message: 8, response: 16, rate: 1k} | traffic.message: with several requests on their way
{protocol: udp, kind: rr, response: 1, depth: 2} | traffic.response: with several requests on their way
{burst: 4} | traffic.burst: a burst belongs to a rate
{depth: 4} | traffic.depth: stream has no requests outstanding
{kind: crr, depth: 4} | traffic.depth: crr has no requests outstanding
{kind: rr, depth: 4, rate: 1k} | traffic.depth: requests at a rate do not wait
{think: 1ms} | traffic.think: stream waits for no response
{kind: rr, think: 1ms, rate: 1k} | traffic.think: requests at a rate do not wait
{kind: rr, timeout: 1s} | traffic.timeout: nothing is given up here
{protocol: unix-stream, pacing_rate: 1G} | traffic.pacing_rate: unix-stream is not paced
{protocol: udp, rate: 5k, loss_free: on} | traffic has both rate and loss_free
{loss_free: on} | traffic.loss_free: tcp stream loses nothing
{protocol: unix-dgram, loss_free: on} | traffic.loss_free: unix-dgram stream loses nothing
{protocol: udp, kind: rr, loss_free: on} | traffic.loss_free: udp rr loses nothing
{protocol: udp, direction: both, loss_free: on} | traffic.loss_free: one rate is searched
{protocol: udp, loss_free: {from: 2M, to: 1M}} | traffic.loss_free.from: 2M is not below 1M
{protocol: udp, loss_free: {loss: 2}} | traffic.loss_free.loss: 2 is not below 1
{protocol: udp, congestion: bbr} | traffic.congestion: udp has no congestion control
{protocol: unix-stream, nodelay: on} | traffic.nodelay: unix-stream has no TCP_NODELAY
{protocol: udp, notsent_lowat: 16K} | traffic.notsent_lowat: udp has no TCP_NOTSENT_LOWAT
{protocol: unix-dgram, receive_buffer: 64K} | traffic.receive_buffer: SO_RCVBUF has no effect on unix sockets
{source: sendmmsg} | traffic.source.path: sendmmsg cannot send tcp; use io_uring, send, sendfile, sendmsg, sendto, splice, write
{protocol: udp, source: sendfile} | traffic.source.path: sendfile cannot send udp
{protocol: udp, source: splice} | traffic.source.path: splice cannot send udp
{protocol: unix-dgram, source: io_uring} | traffic.source.path: io_uring cannot send unix-dgram
{source: packet} | traffic.source.path: packet cannot send tcp
{protocol: unix-dgram, source: packet} | traffic.source.path: packet cannot send unix-dgram
{kind: rr, protocol: udp, source: sendmmsg} | traffic.source.path: sendmmsg sends more than the one message that rr wants
{kind: crr, source: sendfile} | traffic.source.path: sendfile sends more
{kind: conn, protocol: udp, source: pktgen} | traffic.source.path: pktgen sends more
{source: {batch: 8}} | traffic.source.batch: send sends one message a call
{source: {socket: open}} | traffic.source.socket: only udp sends without a connection
{protocol: udp, source: {path: send, socket: open}} | traffic.source.path: send gives no address
{protocol: unix-stream, source: {zerocopy: on}} | traffic.source.zerocopy: unix sockets have no MSG_ZEROCOPY
{source: {path: write, zerocopy: on}} | traffic.source.zerocopy: write cannot send without a copy
{source: {path: splice, zerocopy: on}} | traffic.source.zerocopy: splice cannot send without a copy
{kind: rr, source: {zerocopy: on}} | traffic.source.zerocopy: of tcp rr
{source: {segment: 1K}} | traffic.source.segment: tcp stream is not cut by UDP_SEGMENT
{kind: rr, protocol: udp, source: {segment: 1K}} | traffic.source.segment: udp rr is not cut
{protocol: udp, message: 64, source: {segment: 1K}} | traffic.source.segment: 1024 is more than the message of 64 bytes
{protocol: udp, message: 8K, source: {segment: 64}} | traffic.message: 8192 bytes are 128 segments of 64; kernels before 6.9 take at most 64: 4096 bytes
{protocol: udp, source: {segment: 1473}} over veth | traffic.source.segment: 1473 bytes and their headers do not fit into the MTU of 1500; want at most 1472
{protocol: udp, source: {segment: 1453}} over {kind: veth, family: ipv6} | want at most 1452
{protocol: udp, sizes: imix, source: {segment: 64}} | traffic.source.segment: messages of several sizes are not cut
{sink: recvmmsg} | traffic.sink.path: recvmmsg cannot receive tcp
{protocol: udp, sink: splice} | traffic.sink.path: splice cannot receive udp
{protocol: udp, sink: tcp-zerocopy} | traffic.sink.path: tcp-zerocopy cannot receive udp
{protocol: unix-stream, sink: tcp-zerocopy} | traffic.sink.path: tcp-zerocopy cannot receive unix-stream; use read, recv, recvfrom, recvmsg, splice
{protocol: unix-stream, sink: io_uring} | traffic.sink.path: io_uring cannot receive unix-stream
{kind: rr, sink: tcp-zerocopy} | traffic.sink.path: tcp-zerocopy receives more
{kind: conn, protocol: udp, sink: recvmmsg} | traffic.sink.path: recvmmsg receives more
{sink: {batch: 8}} | traffic.sink.batch: recv receives one message a call
{sink: {gro: on}} | traffic.sink.gro: tcp has no UDP_GRO
{kind: rr, protocol: udp, sink: {gro: on}} | traffic.sink.gro: of rr
{protocol: udp, sink: {path: read, gro: on}} | traffic.sink.path: read does not tell how long
{sink: {path: read, truncate: on}} | traffic.sink.truncate: read takes no MSG_TRUNC
{sink: {path: splice, truncate: on}} | traffic.sink.truncate: splice takes no MSG_TRUNC
{protocol: unix-stream, sink: {truncate: on}} | traffic.sink.truncate: unix-stream copies in spite of MSG_TRUNC
{kind: rr, sink: {truncate: on}} | traffic.sink.truncate: of rr the messages are read
{protocol: udp, sink: {low_water: 4K}} | traffic.sink.low_water: udp stream does not wait
{kind: rr, sink: {low_water: 4K}} | traffic.sink.low_water: tcp rr does not wait
{protocol: unix-dgram, sink: {busy_poll: 50us}} | traffic.sink.busy_poll: unix sockets have no device
{sink: {busy_poll: 1500ns}} | traffic.sink.busy_poll: 1500ns is not a number of microseconds
{sink: {prefer_busy_poll: on}} | traffic.sink.prefer_busy_poll: nothing is preferred
{kind: rr, sink: {wait: spin}} | traffic.sink.wait: a sink of rr sleeps until it is asked; leave it off, or use stream
{sink: {path: splice, wait: spin}} | traffic.sink.wait: splice does not come back empty-handed
{protocol: udp, sink: {path: io_uring, wait: spin}} | traffic.sink.wait: io_uring does not come back
{flows: 4, threads: 2, sink: {wait: spin}} | traffic.sink.wait: threads wait for any of their flows
{protocol: unix-stream, sink: {timestamp: true}} | traffic.sink.timestamp: unix sockets stamp nothing that comes
{kind: rr, sink: {timestamp: true}} | traffic.sink.timestamp: a message of rr is timed as a whole
{sink: {path: recv, timestamp: true}} | traffic.sink.timestamp: recv does not tell when a message came; leave sink.path off, or use recvmsg
{flows: 4, threads: 2, sink: {timestamp: true}} | traffic.sink.timestamp: threads take messages of all their flows
{sink: {wait: poll}} | traffic.sink.wait: "poll"
{sink: {socket: reuseport}} | traffic.sink.socket: a tcp sink accepts one connection a flow
{kind: crr, sink: {socket: shared}} | traffic.sink.socket: a tcp sink listens
{protocol: unix-dgram, sink: {socket: shared}} | traffic.sink.socket: unix sockets are connected in pairs
{kind: multicast, sink: {socket: reuseport}} | traffic.sink.socket: each sink of multicast
{kind: rr, protocol: udp, sink: {socket: reuseport-cpu}} | traffic.sink.socket: a response goes back
{kind: conn, protocol: udp, sink: {socket: connected}} | traffic.sink.socket: there is no source's socket
{verify: on, sink: {truncate: on}} | traffic.verify: what MSG_TRUNC throws away
{verify: on, sink: splice} | traffic.verify: a sink by splice does not look
{verify: on, sink: tcp-zerocopy} | traffic.verify: a sink by tcp-zerocopy does not look
{verify: on, source: sendfile} | traffic.verify: sendfile sends the same bytes
{verify: on, source: {zerocopy: on}} | traffic.verify: numbers would be written into pages
{kind: rr, verify: on} | traffic.verify: messages of rr are not numbered
{protocol: udp, verify: on, message: 15} | traffic.verify: a datagram of 15 bytes has no room
{protocol: udp, verify: on, sizes: {8: 1, 64: 1}} | traffic.verify: a datagram of 8 bytes has no room
{protocol: udp, verify: on, message: 100, source: {segment: 40}} | traffic.verify: the last datagram
{kind: flood, source: {path: packet, segment: 64}} | traffic.source.segment: packet sends without a UDP socket
{kind: flood, source: {path: packet, socket: connected}} | traffic.source.socket: packet sends without
{kind: flood, source: packet, direction: reverse} | traffic.direction: packet sends from the source's side only
{kind: flood, source: pktgen, pacing_rate: 1G} | traffic.pacing_rate: pktgen sends without
{kind: flood, source: pktgen, loss_free: on} | traffic.loss_free: pktgen's rate is not changed
{kind: flood, source: packet, message: 1473} over veth | traffic.message: packet fragments nothing
{kind: multicast, source: packet} | traffic.source.path: packet sends to one address
{kind: crr, flows: 9, threads: 2} | traffic.threads: flows of crr have threads of their own
{flows: 9, threads: 2, source: io_uring} | traffic.threads: io_uring is not driven by epoll
{flows: 9, threads: 2, sink: splice} | traffic.threads: splice is not driven by epoll
{threads: 2} | traffic.threads: 2 threads of 1 flow
{beside: {x: {kind: flood}}} | traffic.beside.x.kind: traffic beside others cannot be flood
{beside: {x: {beside: {y: tcp}}}} | traffic.beside.x.beside: traffic beside others has none
{beside: {x: {protocol: udp, loss_free: on}}} | traffic.beside.x.loss_free: only the main traffic
{beside: {x: {protocol: udp, congestion: bbr}}} | traffic.beside.x.congestion: udp has no congestion control
`

// TestTaken: what looks odd and makes sense.
func TestTaken(t *testing.T) {
	for _, src := range []string{
		"{source: {path: io_uring, zerocopy: on}, sink: io_uring}",
		"{protocol: udp, source: {path: sendmmsg, segment: 1K, zerocopy: on, socket: open}, sink: {path: recvmmsg, gro: on, truncate: on, socket: reuseport-cpu}}",
		"{protocol: udp, verify: on, source: {segment: 1K}, sink: {gro: on}}",
		"{protocol: unix-stream, source: splice, sink: splice}",
		"{protocol: unix-dgram, source: sendmmsg, sink: {path: recvmmsg, truncate: on}}",
		"{protocol: udp, kind: rr, sizes: {64: 1, 1K: 1}, response: 64, rate: 5k, burst: 3}",
		"{kind: conn, rate: 1k, sink: {socket: reuseport}}",
		"{kind: crr, think: 1ms, flows: 4}",
		"{flows: 1000, threads: 2, direction: both}",
		"{pattern: single, sources: 2, sinks: 2}",
		"{kind: multicast, sinks: 4, loss_free: {loss: 0.1%}}",
		"{kind: flood, source: {path: packet, batch: 64}, loss_free: on}",
		"{beside: {rpc: {kind: rr, pattern: incast, sources: 3, threads: 2}}}",
		"{protocol: udp, loss_free: {loss: 0}}",
		"{rate: 0, pacing_rate: 0, threads: 0}",
	} {
		if _, err := Parse("a.yaml", []byte("traffic: "+src)); err != nil {
			t.Errorf("%s: %v", src, err)
		}
	}
}
