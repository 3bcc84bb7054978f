package probe

import (
	"strings"

	"netab/results"
	"netab/results/vocab"
)

// UDP is what is known of an arm's datagrams over a trial. A message is a
// datagram, also where a send call takes many (UDP_SEGMENT). All counters are
// differences over the same stretch; it should begin before the first send and
// end when the queues have drained, else what is under way is unexplained.
type UDP struct {
	Sent        int64 // datagrams that were to be sent, each once
	Refused     int64 // of them, those given up because a send call refused them (ENOBUFS, EAGAIN); not those tried again
	Received    int64 // datagrams that receive calls returned, of all sinks
	SocketDrops int64 // of the sinks' sockets (SO_MEMINFO)
	// Source and Sink are the namespaces of the two ends: the same for
	// loopback; for traffic in both directions each the sum of the two.
	Source, Sink Namespace
	// SoftnetDropped is of the whole machine, see SoftnetDropped.
	SoftnetDropped int64

	// IP is its version, 4 or 6: the other's counters are of neighbour discovery
	// and the like. 0 takes both.
	IP int
	// What follows says how packets and datagrams go together; 0 is 1.
	Train     int // datagrams, at most, in a packet as it leaves the source: those of one send call with UDP_SEGMENT
	SinkTrain int // datagrams, at most, that are queued as one at the sink's socket: with UDP_GRO
	Fragments int // IP fragments of one datagram
	Copies    int // sinks that get a copy of each datagram: multicast
	// Around says that the source goes around UDP (AF_PACKET, pktgen):
	// UdpOutDatagrams does not know what it sends.
	Around bool
	// Apart says that the sink's device is not fed by the source's in the same
	// call (two NICs): a drop of the one is not counted by the other too. It is
	// false for loopback and veth.
	Apart bool
}

// Ledger says where datagrams were lost. It always balances: Sent = Received +
// the sum of Dropped + Unexplained; only Unexplained may be negative, if more
// was received than sent. Of multicast all are sums over the sinks.
//
// Counters of the kernel overlap, and adding them up would count one loss up to
// five times. A datagram that finds the backlog full behind a veth pair is
// softnet dropped, rx_dropped of the sink's device (enqueue_to_backlog,
// net/core/dev.c), tx_dropped of the source's (veth_xmit, drivers/net/veth.c),
// and, on kernels whose veth_xmit then returns NET_XMIT_DROP (seen on 6.18, see
// TestLedgerOfVethDrop), also IpOutDiscards (ip_send_skb,
// net/ipv4/ip_output.c) and UdpSndbufErrors (udp_send_skb, net/ipv4/udp.c). So
// the losses are split first at the one counter that both sides of the split
// agree on, UdpOutDatagrams, which counts sends that the network took: Sent-Out
// were lost in the call, Out-Received after it. Then the places take their
// share in the order of how well they are known, each no more than is left:
//
//  1. What the source was refused, which it knows itself.
//  2. What the sink's UDP counts, exact and without overlap but for
//     UdpInErrors, which holds RcvbufErrors, MemErrors, InCsumErrors and socket
//     filters' drops (__udp_queue_rcv_skb and udp_queue_rcv_one_skb,
//     net/ipv4/udp.c: "an ENOMEM error is charged twice").
//  3. Drops of the sockets beyond UdpInErrors: since Linux 6.18 (commit
//     b650bf0977d3, "udp: remove busylock and add per NUMA queues") datagrams
//     dropped in batches for lack of UDP memory count on the socket only.
//  4. The sink's IP, before UDP.
//  5. The qdiscs of the source: their drops are no device's.
//  6. The backlog: softnet's count is the whole machine's, so no more than the
//     rx_dropped of the sink's own devices; then what is left of those.
//  7. The source's devices, less what the sink's saw, and what else was lost in
//     the call.
//
// A counter of packets says how many datagrams were lost only between bounds. A
// packet that is still to be cut into datagrams (UDP_SEGMENT; qdisc and device
// count it as one) is between one and Train of them; n fragments are between
// n/Fragments datagrams and n. All places first get the least that they may
// have lost, then, in the same order, what is left up to the most. So one place
// alone gets all, and with several a train that was cut before its loss may
// leave too much to the first: the sum is right, the shares are within bounds.
//
// What no counter here knows stays unexplained: netfilter, XDP programs,
// packets for another MAC address, packets that wait for an unresolved
// neighbour, and what is under way or unread at the end.
func Ledger(u UDP) results.Ledger {
	b := newBook(u)
	b.settle(b.claims(u))
	l := results.Ledger{
		Valid: true, Sent: b.sent, Received: u.Received,
		Dropped: b.dropped, Unexplained: b.sent - u.Received,
	}
	for _, n := range b.dropped {
		l.Unexplained -= n
	}
	return l
}

// A book holds the losses that have no place yet.
type book struct {
	sent      int64 // copies
	refused   int64
	inCall    int64 // lost before the send call returned
	afterCall int64
	dropped   map[string]int64

	copies, train, sinkTrain, fragments int64
}

func newBook(u UDP) *book {
	b := &book{dropped: make(map[string]int64), copies: factor(u.Copies), train: factor(u.Train),
		sinkTrain: factor(u.SinkTrain), fragments: factor(u.Fragments)}
	b.sent = u.Sent * b.copies
	lost := max(0, b.sent-u.Received)
	b.refused = min(max(0, u.Refused*b.copies), lost)
	lost -= b.refused
	if u.Source.Net != nil && !u.Around {
		out := u.udpSum(u.Source.Net, "OutDatagrams") * b.train * b.copies
		// Other sockets of the namespace must not shift the split out of bounds.
		b.inCall = min(max(0, b.sent-b.refused-out), lost)
	}
	b.afterCall = lost - b.inCall
	return b
}

func factor(n int) int64 { return int64(max(n, 1)) }

// A claim is what a place may have lost, and of which losses it may be.
type claim struct {
	place       string
	least, most int64
	pools       []*int64
}

// settle gives every place its least, then what is left up to its most.
func (b *book) settle(claims []claim) {
	for i := range claims {
		c := &claims[i]
		c.most -= b.take(c.place, c.least, c.pools)
	}
	for _, c := range claims {
		b.take(c.place, c.most, c.pools)
	}
}

// take books n losses at place from the given pools, as far as they reach.
func (b *book) take(place string, n int64, pools []*int64) (taken int64) {
	for _, pool := range pools {
		m := min(max(n-taken, 0), *pool)
		if m > 0 {
			*pool -= m
			taken += m
			b.dropped[place] += m
		}
	}
	return taken
}

// packets claims n packets on their way, each with copies for all sinks.
func (b *book) packets(place string, n int64, pools ...*int64) claim {
	n = max(n, 0)
	return claim{place, (n + b.fragments - 1) / b.fragments * b.copies, n * b.train * b.copies, pools}
}

// queued claims n of what a sink's socket would have queued.
func (b *book) queued(place string, n int64) claim {
	return claim{place, n, n * b.sinkTrain, []*int64{&b.afterCall}}
}

// claims are all claims in the order of how well they are known.
func (b *book) claims(u UDP) []claim {
	all := []claim{{vocab.PlaceSourceSocket, b.refused, b.refused, []*int64{&b.refused}}}
	all = append(all, b.sinkClaims(u)...)
	all = append(all, b.linkClaims(u)...)
	return append(all, b.sourceClaims(u)...)
}

func (b *book) sinkClaims(u UDP) []claim {
	net := u.Sink.Net
	rcvbuf, mem, csum := u.udpSum(net, "RcvbufErrors"), u.udpSum(net, "MemErrors"), u.udpSum(net, "InCsumErrors")
	// The larger of the two: InErrors has losses that the socket does not know
	// (a checksum found wrong late), the socket those that InErrors does not.
	all := max(u.udpSum(net, "InErrors"), u.SocketDrops)
	noPort := u.udpSum(net, "NoPorts")
	if u.Copies > 0 {
		noPort += u.udpSum(net, "IgnoredMulti") // no socket of the host had joined
	}
	return []claim{
		b.queued(vocab.PlaceReceiveBuffer, rcvbuf),
		b.queued(vocab.PlaceMemory, mem),
		b.queued(vocab.PlaceChecksum, csum),
		b.queued(vocab.PlaceSocket, all-rcvbuf-mem-csum),
		b.packets(vocab.PlaceNoPort, noPort, &b.afterCall),
		b.packets(vocab.PlaceSinkIP, u.ipSum(net, "InDiscards")+u.ipSum(net, "InHdrErrors")+u.ipSum(net, "InAddrErrors")+
			u.ipSum(net, "InNoRoutes")+u.ipSum(net, "InTruncatedPkts")+net["TcpExtIPReversePathFilter"], &b.afterCall),
		b.packets(vocab.PlaceReassembly, u.ipSum(net, "ReasmFails"), &b.afterCall),
	}
}

func (b *book) linkClaims(u UDP) []claim {
	after, in := &b.afterCall, &b.inCall
	rx := devSum(u.Sink.Dev, "rx_dropped")
	backlog := u.SoftnetDropped
	if u.Sink.Dev != nil {
		backlog = min(backlog, rx)
	}
	tx := devSum(u.Source.Dev, "tx_dropped")
	if !u.Apart { // of a veth pair it holds what its peer dropped too
		tx -= max(rx, backlog)
	}
	// Over loopback both ends have the same filters, elsewhere each its own.
	filter := b.packets(vocab.PlaceFilter, devSum(u.Source.Dev, "filter_drops"), after, in)
	atSink := b.packets(vocab.PlaceFilter, devSum(u.Sink.Dev, "filter_drops"))
	filter.least, filter.most = max(filter.least, atSink.least), filter.most+atSink.most
	return []claim{
		b.packets(vocab.PlaceQdisc, devSum(u.Source.Dev, "qdisc_drops"), in, after),
		filter,
		b.packets(vocab.PlaceBacklog, backlog, after, in),
		b.packets(vocab.PlaceDevice, max(rx-backlog, 0)+max(tx, 0)+
			devSum(u.Sink.Dev, "rx_errors")+devSum(u.Source.Dev, "tx_errors"), after, in),
		b.packets(vocab.PlaceQueued, devSum(u.Source.Dev, "qdisc_len"), after),
	}
}

// sourceClaims is what else never left the source. UdpSndbufErrors also counts
// sends that failed for want of buffer space and so were refused or tried
// again, which is why only losses in the call can go here.
func (b *book) sourceClaims(u UDP) []claim {
	net, dev := u.Source.Net, u.Source.Dev
	refused := u.udpSum(net, "SndbufErrors")
	// What is lost in qdisc and device in the call stands in these again.
	elsewhere := devSum(dev, "qdisc_drops") + devSum(dev, "filter_drops") + devSum(dev, "tx_dropped") + devSum(u.Sink.Dev, "rx_dropped")
	beyond := func(place string, n, besides int64) claim {
		c := b.packets(place, n, &b.inCall)
		c.least = b.packets(place, n-besides).least
		return c
	}
	return []claim{
		beyond(vocab.PlaceSourceQueue, refused, elsewhere),
		beyond(vocab.PlaceSourceIP, max(u.ipSum(net, "OutDiscards"), u.ipSum(net, "FragFails")), max(refused, elsewhere)),
	}
}

// udpSum reads a counter of UDP.
func (u UDP) udpSum(net map[string]int64, name string) int64 {
	switch u.IP {
	case 4:
		return net["Udp"+name]
	case 6:
		return net["Udp6"+name]
	}
	return net["Udp"+name] + net["Udp6"+name]
}

// ipSum reads a counter of IP; IPv4's later ones stand in IpExt.
func (u UDP) ipSum(net map[string]int64, name string) int64 {
	switch u.IP {
	case 4:
		return net["Ip"+name] + net["IpExt"+name]
	case 6:
		return net["Ip6"+name]
	}
	return net["Ip"+name] + net["IpExt"+name] + net["Ip6"+name]
}

// devSum sums a counter over all devices.
func devSum(dev map[string]int64, counter string) int64 {
	var sum int64
	for name, n := range dev {
		if strings.HasSuffix(name, "."+counter) {
			sum += n
		}
	}
	return sum
}
