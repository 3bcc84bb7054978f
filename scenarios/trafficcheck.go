package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/results/vocab"
)

// traffic checks what the arm's flows carry, and what goes beside them.
func (c armChecker) traffic() {
	t := c.draft.cfg.Traffic
	newTrafficChecker(c, "traffic", t).check()
	total := t.flowCount()
	for _, name := range slices.Sorted(maps.Keys(t.Beside)) {
		b := newTrafficChecker(c, join("traffic.beside", name), t.Beside[name])
		b.besides()
		b.check()
		total += b.t.flowCount()
	}
	if total > maxFlows {
		c.fail("traffic", fmt.Sprintf("%d flows are too many", total), fmt.Sprintf("at most %d of all pairs together", maxFlows))
	}
}

// A trafficChecker checks the traffic at one path of an arm.
type trafficChecker struct {
	armChecker
	path   string
	t      Traffic
	source sourceCall
	sink   sinkCall
}

func newTrafficChecker(c armChecker, path string, t Traffic) trafficChecker {
	return trafficChecker{c, path, t, sourceCalls()[t.Source.Path], sinkCalls()[t.Sink.Path]}
}

// refuse notes a fault at a key of the traffic if it is there.
func (c trafficChecker) refuse(fault bool, key, msg, hint string) {
	if fault {
		c.fail(join(c.path, key), msg, hint)
	}
}

func (c trafficChecker) kind(kinds ...vocab.Kind) bool { return slices.Contains(kinds, c.t.Kind) }

func (c trafficChecker) protocol(protocols ...vocab.Protocol) bool {
	return slices.Contains(protocols, c.t.Protocol)
}

// oneWay says whether messages go from source to sink only, through sockets
// that last.
func (c trafficChecker) oneWay() bool { return c.t.Kind.OneWay() }

func (c trafficChecker) check() {
	if !c.protocols() {
		return // the rest would speak of what is wrong already
	}
	c.pattern()
	c.sizes()
	c.pace()
	c.options()
	c.sourcePath()
	c.segments()
	c.sinkPath()
	c.sinkSocket()
	c.verify()
	c.crafted()
	c.threads()
}

// besides is what only traffic on its own can be.
func (c trafficChecker) besides() {
	c.refuse(len(c.t.Beside) > 0, "beside", "traffic beside others has none beside itself", "name it in traffic.beside")
	c.refuse(!c.kind(vocab.Stream, vocab.RR), "kind", "traffic beside others cannot be "+string(c.t.Kind), "use stream or rr, or make it the main traffic")
	c.refuse(c.t.LossFree != nil, "loss_free", "only the main traffic can search its rate", "give a rate, or make it the main traffic")
}

// protocols says whether the kind works over the protocol.
func (c trafficChecker) protocols() bool {
	if allowed := c.t.Kind.Protocols(); !c.protocol(allowed...) {
		c.fail(join(c.path, "protocol"), fmt.Sprintf("%s cannot be %s", c.t.Protocol, c.t.Kind), "use "+strings.Join(vocab.Words(allowed), " or ")+", or another kind")
		return false
	}
	topology := c.draft.cfg.Topology.Kind
	c.refuse(c.t.unix() && topology != vocab.Loopback, "protocol", string(c.t.Protocol)+" reaches no other network namespace by "+string(topology), "use topology loopback, or tcp or udp")
	c.refuse(c.t.Direction != "forward" && (c.t.Kind.Answers() || c.kind(vocab.Conn, vocab.Multicast)), "direction",
		string(c.t.Kind)+" goes one way only", "leave it off; traffic beside may go the other way")
	return true
}

func (c trafficChecker) pattern() {
	t := c.t
	c.refuse(t.Pattern == "one-to-one" && t.Sources != t.Sinks, "pattern",
		fmt.Sprintf("one-to-one of %s and %s", counted(t.Sources, "source"), counted(t.Sinks, "sink")), "give as many of each, or use incast, outcast or all-to-all")
	c.refuse(t.Kind == vocab.Multicast && t.Pattern != "outcast", "pattern", "multicast has one source and several sinks", "leave it off, and give sinks")
	// Seen on Linux 6.18: ip6_output finds no neighbour for a group on lo
	// (Ip6OutNoRoutes), whatever the routes are.
	topology := c.draft.cfg.Topology
	c.refuse(t.Kind == vocab.Multicast && topology.Kind == vocab.Loopback && topology.Family == "ipv6", "kind",
		"IPv6 multicast does not pass lo", "use topology veth, or ipv4")
	c.refuse(t.Kind == vocab.Multicast && t.Flows > 1, "flows", "a sink of multicast is in one group", "leave it off, and give sinks")
}

func (c trafficChecker) sizes() {
	t := c.t
	c.refuse(t.Response > 0 && !t.Kind.Answers(), "response", string(t.Kind)+" has no response", "leave it off, or use rr or crr")
	c.refuse(len(t.Sizes) > 0 && !c.source.plain, "sizes", t.Source.Path+" sends messages of one size", "use send, sendto, sendmsg or write, or one message size")
	c.refuse(len(t.Sizes) > 0 && t.Kind.Answers() && !t.datagrams(), "sizes",
		"in a byte stream the sink cannot tell where a request of unknown size ends", "use udp or unix-dgram, or one message size")
	if !t.datagrams() {
		return
	}
	limit := c.largest()
	tooLarge := func(key string, size Size, name string) {
		c.refuse(int(size) > limit, key, fmt.Sprintf("%d bytes do not fit into a datagram", size), fmt.Sprintf("at most %d over %s", limit, name))
	}
	over := c.draft.cfg.Topology.Family
	if t.unix() {
		over = "unix sockets with the usual send buffer; or set send_buffer"
	}
	tooLarge("message", t.Message, over)
	tooLarge("response", t.Response, over)
	for key := range t.Sizes {
		size, _ := ParseSize(key)
		tooLarge(join("sizes", key), size, over)
	}
	// Responses and requests find each other by a number.
	if t.Kind == vocab.RR && t.numbered() {
		const why = "with several requests on their way each datagram carries the number of its own"
		want := fmt.Sprintf("want at least %d bytes", numberedMessage)
		c.refuse(t.Response < numberedMessage, "response", why, want)
		c.refuse(c.smallest() < numberedMessage, "message", why, want)
	}
}

// largest is the most payload of a datagram: on unix sockets what the send
// buffer takes (net/unix/af_unix.c), by default net.core.wmem_default.
func (c trafficChecker) largest() int {
	const wmemDefault, overhead = 212992, 32
	switch {
	case !c.t.unix():
		return maxDatagram(c.draft.cfg.Topology.Family)
	case c.t.SendBuffer > 0: // the kernel doubles it
		return max(2*int(c.t.SendBuffer)-overhead, 1)
	case c.draft.cfg.Knobs.Sysctl["net/core/wmem_default"] != "":
		return maxMessage
	}
	return wmemDefault - overhead
}

// largestMessage is the most payload of a message.
func (c trafficChecker) largestMessage() int {
	most := c.t.Message
	for key := range c.t.Sizes {
		size, _ := ParseSize(key)
		most = max(most, size)
	}
	return int(most)
}

// smallest is the least payload of a message.
func (c trafficChecker) smallest() Size {
	least := c.t.Message
	for key := range c.t.Sizes {
		if size, err := ParseSize(key); err == nil && (least == 0 || size < least) {
			least = size
		}
	}
	return least
}

func (c trafficChecker) pace() {
	t := c.t
	c.refuse(t.Burst > 0 && t.Rate == 0 && t.LossFree == nil, "burst", "a burst belongs to a rate", "give rate, or leave it off")
	_, bits := c.draft.where[join(c.path, "bit_rate")]
	c.refuse(bits && t.Rate > 0 && !c.oneWay(), "bit_rate", string(t.Kind)+" goes by transactions", "give a rate of them, such as 10k")
	c.refuse(bits && t.Rate > maxRate, "bit_rate", fmt.Sprintf("%s messages per second are too many", t.Rate), "want larger messages, or a lower rate")
	c.refuse(bits && t.Rate > 0 && t.Rate < minRate, "bit_rate", "less than a message in hours", "want smaller messages, or a higher rate")
	c.refuse(t.Depth > 1 && t.Kind != vocab.RR, "depth", string(t.Kind)+" has no requests outstanding", "leave it off, or use rr")
	c.refuse(t.Depth > 1 && t.Rate > 0, "depth", "requests at a rate do not wait for responses", "leave off depth, or rate")
	c.refuse(t.Think > 0 && !t.Kind.Answers(), "think", string(t.Kind)+" waits for no response", "leave it off, or use rr or crr")
	c.refuse(t.Think > 0 && t.Rate > 0, "think", "requests at a rate do not wait for responses", "leave off think, or rate")
	c.refuse(t.Timeout > 0 && !(t.Kind == vocab.RR && t.datagrams()), "timeout", "nothing is given up here", "only requests of rr over udp or unix-dgram are")
	pacer := c.protocol(vocab.TCP, vocab.UDP)
	ownSockets := c.kind(vocab.CRR, vocab.Conn)
	c.refuse(ownSockets && t.SendBuffer > 0, "send_buffer", "the sockets of "+string(t.Kind)+" live for one message and keep the kernel's own", "leave it off, or use stream or rr")
	c.refuse(ownSockets && t.PacingRate > 0, "pacing_rate", "the sockets of "+string(t.Kind)+" live for one message", "use rate, or stream or rr")
	c.refuse(t.PacingRate > 0 && !pacer, "pacing_rate", string(t.Protocol)+" is not paced by the kernel", "use rate, or tcp")
	if t.LossFree == nil {
		return
	}
	c.refuse(t.Rate > 0, "loss_free", "the search sets the rate", "leave off rate")
	c.refuse(t.Protocol != vocab.UDP || !c.oneWay(), "loss_free", string(t.Protocol)+" "+string(t.Kind)+" loses nothing that could be counted", "use udp with stream, flood or multicast")
	c.refuse(t.Direction == "both", "loss_free", "one rate is searched, of one direction", "use direction forward or reverse")
	c.refuse(t.LossFree.From >= t.LossFree.To, "loss_free.from", fmt.Sprintf("%s is not below %s", t.LossFree.From, t.LossFree.To), "give a lower from, or a higher to")
}

// options are those of sockets, at both ends.
func (c trafficChecker) options() {
	t := c.t
	const tcpOnly = "leave it off, or use tcp"
	c.refuse(t.Congestion != "" && t.Protocol != vocab.TCP, "congestion", string(t.Protocol)+" has no congestion control", tcpOnly)
	c.refuse(t.NoDelay && t.Protocol != vocab.TCP, "nodelay", string(t.Protocol)+" has no TCP_NODELAY", tcpOnly)
	c.refuse(t.MPTCP && (t.Protocol != vocab.TCP || !c.kind(vocab.Stream, vocab.RR)), "mptcp", protocolKind(t)+" is not carried by MPTCP here", "leave it off, or use tcp with stream or rr")
	c.refuse(t.MPTCP && t.Source.ZeroCopy, "mptcp", "MPTCP has no MSG_ZEROCOPY", "leave off source.zerocopy, or mptcp")
	c.refuse(t.MPTCP && t.Sink.Path == "tcp-zerocopy", "mptcp", "MPTCP has no TCP_ZEROCOPY_RECEIVE", "use another sink path, or leave off mptcp")
	c.refuse(t.MPTCP && (t.MSS > 0 || t.PacingRate > 0), "mptcp", "not every kernel hands mss and pacing_rate on to subflows", "leave these off, or mptcp")
	c.refuse(t.MSS > 0 && t.Protocol != vocab.TCP, "mss", string(t.Protocol)+" has no segments", tcpOnly)
	c.refuse(t.TOS != "" && t.unix(), "tos", "unix sockets have no IP header", "leave it off, or use tcp or udp")
	c.refuse(t.DontFragment && t.Protocol != vocab.UDP, "dont_fragment", string(t.Protocol)+" fragments nothing", "leave it off, or use udp")
	if mtu := mtuOf(c.draft.cfg); t.DontFragment && mtu > 0 && t.Source.Segment == 0 {
		most := mtu - udpHeaders(c.draft.cfg.Topology.Family)
		c.refuse(max(c.largestMessage(), int(t.Response)) > most, "dont_fragment", fmt.Sprintf("%d bytes and their headers do not fit into the MTU of %d, so nothing would be sent", max(c.largestMessage(), int(t.Response)), mtu), fmt.Sprintf("want messages of at most %d", max(most, 0)))
	}
	c.refuse(t.NotSentLowat > 0 && t.Protocol != vocab.TCP, "notsent_lowat", string(t.Protocol)+" has no TCP_NOTSENT_LOWAT", tcpOnly)
	c.refuse(t.ReceiveBuffer > 0 && t.unix(), "receive_buffer", "SO_RCVBUF has no effect on unix sockets: what is on its way counts against the sender", "use send_buffer")
}

func (c trafficChecker) sourcePath() {
	t, s := c.t, c.t.Source
	if s.Path == "" || c.source == (sourceCall{}) {
		return // refused while decoding
	}
	what := protocolKind(t)
	c.refuse(!c.carries(c.source.stream, c.source.datagram, c.source.unix), "source.path", fmt.Sprintf("%s cannot send %s", s.Path, t.Protocol), "use "+c.pathsFor(true))
	c.refuse(!c.source.plain && !c.oneWay(), "source.path", fmt.Sprintf("%s sends more than the one message that %s wants", s.Path, t.Kind), "use send, sendto, sendmsg or write")
	c.refuse(s.Batch > 0 && !c.source.batch, "source.batch", s.Path+" sends one message a call", "leave it off, or use sendmmsg or io_uring")
	c.refuse(s.Socket == "open" && t.Protocol != vocab.UDP, "source.socket", "only udp sends without a connection here", "leave it off, or use udp")
	c.refuse(s.Socket == "open" && t.Protocol == vocab.UDP && !c.source.address && !c.source.crafted, "source.path", s.Path+" gives no address, as an open socket needs", "use sendto, sendmsg or sendmmsg, or a connected socket")
	c.refuse(s.Slowdown > 0 && (!c.oneWay() && t.Kind != vocab.RR || t.Depth > 1 || t.Think > 0 || t.Threads > 0), "source.slowdown",
		"of "+what+" the source's own time is not what limits the rate", "use stream, flood, or rr with one request at a time, and a thread a flow")
	c.refuse(s.Slowdown > 0 && (t.Rate > 0 || t.LossFree != nil), "source.slowdown", "a source that keeps to a rate has time to spare", "leave off rate, or slowdown")
	c.refuse(s.Slowdown > 0 && s.Path == "pktgen", "source.slowdown", "the kernel's thread cannot be slowed down", "use another path")
	c.refuse(s.Slowdown >= 1, "source.slowdown", "no time is left to send in", "want a share such as 3%")
	if !s.ZeroCopy {
		return
	}
	c.refuse(t.unix(), "source.zerocopy", "unix sockets have no MSG_ZEROCOPY", "leave it off, or use tcp or udp")
	c.refuse(!t.unix() && !c.source.zerocopy, "source.zerocopy", s.Path+" cannot send without a copy by MSG_ZEROCOPY", "use send, sendto, sendmsg, sendmmsg or io_uring")
	c.refuse(!c.oneWay(), "source.zerocopy", "of "+what+" each message would wait for its completion", "use stream")
}

// carries says whether a path that works on such sockets fits the protocol.
func (c trafficChecker) carries(stream, datagram, unix bool) bool {
	if c.t.unix() && !unix {
		return false
	}
	return c.t.datagrams() && datagram || !c.t.datagrams() && stream
}

// pathsFor lists the paths that fit the protocol.
func (c trafficChecker) pathsFor(source bool) string {
	var out []string
	for name, p := range sourceCalls() {
		if source && c.carries(p.stream, p.datagram, p.unix) && !p.crafted {
			out = append(out, name)
		}
	}
	for name, p := range sinkCalls() {
		if !source && c.carries(p.stream, p.datagram, p.unix) && (name != "tcp-zerocopy" || c.t.Protocol == vocab.TCP) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (c trafficChecker) segments() {
	t, segment := c.t, c.t.Source.Segment
	if segment == 0 {
		return
	}
	const key = "source.segment"
	if t.Protocol != vocab.UDP || !c.oneWay() {
		c.fail(join(c.path, key), protocolKind(t)+" is not cut by UDP_SEGMENT", "leave it off, or use udp with stream, flood or multicast")
		return
	}
	c.refuse(len(t.Sizes) > 0, key, "messages of several sizes are not cut", "leave off sizes, or segment")
	c.refuse(len(t.Sizes) == 0 && segment > t.Message, key, fmt.Sprintf("%d is more than the message of %s", segment, counted(int(t.Message), "byte")), "the message is what is cut: give a larger one, or leave message off")
	pieces := (t.Message + segment - 1) / segment
	c.refuse(pieces > maxSegments, "message", fmt.Sprintf("%d bytes are %d segments of %d", t.Message, pieces, segment), fmt.Sprintf("kernels before 6.9 take at most %d: %d bytes", maxSegments, maxSegments*segment))
	if mtu := mtuOf(c.draft.cfg); mtu > 0 {
		most := mtu - udpHeaders(c.draft.cfg.Topology.Family)
		c.refuse(int(segment) > most, key, fmt.Sprintf("%d bytes and their headers do not fit into the MTU of %d", segment, mtu), fmt.Sprintf("want at most %d: the kernel refuses to fragment segments", max(most, 0)))
	}
}

func (c trafficChecker) sinkPath() {
	t, s := c.t, c.t.Sink
	if s.Path == "" || c.sink == (sinkCall{}) {
		return // refused while decoding
	}
	fits := c.carries(c.sink.stream, c.sink.datagram, c.sink.unix)
	c.refuse(!fits, "sink.path", fmt.Sprintf("%s cannot receive %s", s.Path, t.Protocol), "use "+c.pathsFor(false))
	c.refuse(fits && !c.sink.plain && !c.oneWay(), "sink.path", fmt.Sprintf("%s receives more than the one message that %s wants", s.Path, t.Kind), "use recv, recvfrom, recvmsg or read")
	c.refuse(s.Batch > 0 && !c.sink.batch, "sink.batch", s.Path+" receives one message a call", "leave it off, or use recvmmsg")
	c.refuse(s.GRO && t.Protocol != vocab.UDP, "sink.gro", string(t.Protocol)+" has no UDP_GRO", "leave it off: TCP merges by itself; offload.gro is a knob of the device")
	c.refuse(s.GRO && t.Protocol == vocab.UDP && !c.oneWay(), "sink.gro", "of "+string(t.Kind)+" each datagram is answered or counted by itself", "leave it off, or use stream")
	c.refuse(s.GRO && t.Protocol == vocab.UDP && !c.sink.control, "sink.path", s.Path+" does not tell how long the merged datagrams were", "use recvmsg or recvmmsg with gro")
	c.refuse(s.Truncate && !c.sink.truncate, "sink.truncate", s.Path+" takes no MSG_TRUNC", "use recv, recvfrom, recvmsg or recvmmsg")
	c.refuse(s.Truncate && t.Protocol == vocab.UnixStream, "sink.truncate", "unix-stream copies in spite of MSG_TRUNC", "leave it off, or use tcp, udp or unix-dgram")
	c.refuse(s.Truncate && !c.oneWay(), "sink.truncate", "of "+string(t.Kind)+" the messages are read", "leave it off, or use stream")
	c.refuse(s.Read > 0 && (t.datagrams() || t.Kind != vocab.Stream), "sink.read", protocolKind(t)+" is received message by message", "leave it off, or use tcp or unix-stream with stream")
	c.refuse(s.Read > 0 && !c.sink.plain, "sink.read", s.Path+" has no buffer to receive into", "use recv, recvfrom, recvmsg or read")
	c.refuse(s.LowWater > 0 && (t.datagrams() || t.Kind != vocab.Stream), "sink.low_water", protocolKind(t)+" does not wait for more bytes than a message", "leave it off, or use tcp or unix-stream with stream")
	busy := time.Duration(s.BusyPoll)
	c.refuse(busy > 0 && t.unix(), "sink.busy_poll", "unix sockets have no device to poll", "leave it off, or use tcp or udp")
	c.refuse(busy%time.Microsecond != 0, "sink.busy_poll", s.BusyPoll.String()+" is not a number of microseconds, which SO_BUSY_POLL takes", "want whole microseconds, such as 50us")
	spin := s.Wait == "spin"
	c.refuse(spin && !c.oneWay(), "sink.wait", "a sink of "+string(t.Kind)+" sleeps until it is asked", "leave it off, or use stream, flood or multicast")
	c.refuse(spin && !c.sink.verify, "sink.wait", s.Path+" does not come back empty-handed", "use recv, recvfrom, recvmsg, read or recvmmsg")
	c.refuse(spin && t.Threads > 0, "sink.wait", "threads wait for any of their flows by epoll", "leave off wait, or threads")
	c.refuse(s.Timestamp && t.unix(), "sink.timestamp", "unix sockets stamp nothing that comes", "leave it off, or use tcp or udp")
	c.refuse(s.Timestamp && !t.unix() && !c.oneWay(), "sink.timestamp", "a message of "+string(t.Kind)+" is timed as a whole", "leave it off: latency tells more; or use stream, flood or multicast")
	c.refuse(s.Timestamp && s.Path != "recvmsg", "sink.timestamp", s.Path+" does not tell when a message came", "leave sink.path off, or use recvmsg")
	c.refuse(s.Timestamp && t.Threads > 0, "sink.timestamp", "threads take messages of all their flows", "leave off timestamp, or threads")
	c.refuse(s.PreferBusyPoll && busy == 0, "sink.prefer_busy_poll", "nothing is preferred without busy polling", "give busy_poll, such as 50us")
}

func (c trafficChecker) sinkSocket() {
	t, socket := c.t, c.t.Sink.Socket
	many := socket == "shared" || strings.HasPrefix(socket, "reuseport")
	const key = "sink.socket"
	switch {
	case socket == "":
	case t.Protocol == vocab.TCP && !c.kind(vocab.CRR, vocab.Conn):
		c.fail(join(c.path, key), "a tcp sink accepts one connection a flow", "leave it off, or use crr or conn")
	case t.Protocol == vocab.TCP:
		c.refuse(socket == "connected" || socket == "shared", key, "a tcp sink listens for connections", "use open, reuseport or reuseport-cpu")
	case t.unix():
		c.refuse(socket != "connected" || t.Protocol == vocab.UnixStream, key, "unix sockets are connected in pairs", "leave it off, or use udp")
	case t.Kind == vocab.Multicast:
		c.refuse(socket != "open", key, "each sink of multicast has a socket of its own in the group", "leave it off")
	case t.Kind == vocab.RR:
		c.refuse(many, key, "a response goes back over the flow's own socket", "use connected or open")
	case t.Kind == vocab.Conn || c.source.crafted:
		c.refuse(socket == "connected", key, "there is no source's socket to connect back to", "use open, shared, reuseport or reuseport-cpu")
	}
}

// verify needs sequence numbers written into each message, and all of it read.
func (c trafficChecker) verify() {
	t := c.t
	if !t.Verify {
		return
	}
	const key = "verify"
	c.refuse(!c.oneWay(), key, "messages of "+string(t.Kind)+" are not numbered", "use stream, flood or multicast")
	c.refuse(t.Sink.Truncate, key, "what MSG_TRUNC throws away cannot be checked", "leave off sink.truncate")
	c.refuse(!c.sink.verify, key, "a sink by "+t.Sink.Path+" does not look at the payload", "use recv, recvfrom, recvmsg, read or recvmmsg")
	c.refuse(!c.source.stamp, key, t.Source.Path+" sends the same bytes again and again", "use send, sendto, sendmsg, write or sendmmsg")
	c.refuse(t.Source.ZeroCopy, key, "numbers would be written into pages that the kernel still sends", "leave off source.zerocopy")
	least := c.smallest()
	if t.Source.Segment > 0 {
		least = min(least, t.Source.Segment)
		c.refuse(t.Message%t.Source.Segment != 0, key, fmt.Sprintf("the last datagram of %s cut by %d is a short one", counted(int(t.Message), "byte"), t.Source.Segment), "make message a multiple of source.segment")
	}
	c.refuse(t.datagrams() && least > 0 && least < numberedMessage, key, fmt.Sprintf("a datagram of %s has no room for its number", counted(int(least), "byte")), fmt.Sprintf("want at least %d bytes", numberedMessage))
}

// crafted paths make their packets themselves: what sockets do is not there.
func (c trafficChecker) crafted() {
	t, s := c.t, c.t.Source
	if !c.source.crafted || t.Protocol != vocab.UDP {
		return
	}
	c.refuse(t.Kind == vocab.Multicast, "source.path", s.Path+" sends to one address", "use stream or flood, or a path of sockets")
	c.refuse(t.Direction != "forward", "direction", s.Path+" sends from the source's side only", "use forward")
	for _, setting := range []struct {
		given bool
		key   string
	}{
		{s.Segment > 0, "source.segment"},
		{s.Socket != "", "source.socket"},
		{t.SendBuffer > 0, "send_buffer"},
		{t.PacingRate > 0, "pacing_rate"},
		{t.TOS != "", "tos"},
		{t.DontFragment, "dont_fragment"},
	} {
		c.refuse(setting.given, setting.key, s.Path+" sends without a UDP socket", "leave it off, or use a path of sockets")
	}
	if mtu := mtuOf(c.draft.cfg); mtu > 0 {
		most := mtu - udpHeaders(c.draft.cfg.Topology.Family)
		c.refuse(int(t.Message) > most, "message", fmt.Sprintf("%s fragments nothing, and %d bytes do not fit into the MTU of %d", s.Path, t.Message, mtu), fmt.Sprintf("want at most %d", max(most, 0)))
	}
	c.refuse(s.Path == "pktgen" && t.LossFree != nil, "loss_free", "pktgen's rate is not changed while it runs", "use packet, sendmmsg or send")
	c.refuse(s.Path == "pktgen" && t.Burst > 1, "burst", "pktgen paces packet by packet", "leave it off, or use packet, sendmmsg or send")
}

func (c trafficChecker) threads() {
	t := c.t
	if t.Threads == 0 {
		return
	}
	c.refuse(!c.kind(vocab.Stream, vocab.RR), "threads", "flows of "+string(t.Kind)+" have threads of their own", "leave it off, or use stream or rr")
	c.refuse(t.Kind == vocab.RR && (t.Rate > 0 || t.Depth > 1 || t.Think > 0), "threads", "shared threads send a flow's next request when its response is there", "leave off rate, depth and think, or threads")
	c.refuse(t.Verify, "threads", "shared threads do not verify", "leave off verify, or threads")
	c.refuse(t.Source.ZeroCopy, "threads", "shared threads do not read the completions of zerocopy", "leave off zerocopy, or threads")
	c.refuse(!c.source.plain, "threads", t.Source.Path+" is not driven by epoll", "use source send, sendto, sendmsg or write")
	c.refuse(!c.sink.plain, "threads", t.Sink.Path+" is not driven by epoll", "use sink recv, recvfrom, recvmsg or read")
	c.refuse(t.Threads > t.flowCount(), "threads", fmt.Sprintf("%s of %s", counted(t.Threads, "thread"), counted(t.flowCount(), "flow")), "each thread needs a flow: give fewer threads, or 0 for one a flow")
}

func protocolKind(t Traffic) string { return string(t.Protocol) + " " + string(t.Kind) }

// mtuOf is the MTU of the path as far as it is known: 0 for a device whose own
// is kept. A knob of either end is stronger than the topology's.
func mtuOf(c Config) int {
	mtu := map[vocab.Topology]int{vocab.Loopback: 65536, vocab.Veth: 1500}[c.Topology.Kind]
	if c.Topology.MTU > 0 {
		mtu = c.Topology.MTU
	}
	ends := []string{"both", "source", "sink"}
	if c.Topology.Kind == vocab.Loopback {
		ends = append(ends, "lo")
	}
	least := 0
	for _, end := range ends {
		if set, err := strconv.Atoi(c.Knobs.Device[end].MTU); err == nil && (least == 0 || set < least) {
			least = set
		}
	}
	if least > 0 {
		return least
	}
	return mtu
}

func udpHeaders(family string) int {
	if family == "ipv6" {
		return 40 + 8
	}
	return 20 + 8
}
