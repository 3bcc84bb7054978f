package scenarios

import (
	"time"

	"netab/results/vocab"
)

const (
	// 128K is what iperf3 sends per call over TCP. 1472 bytes of UDP fill a
	// 1500 byte packet over IPv4; over IPv6 the headers are 20 bytes longer.
	defaultMessageTCP   Size = 128 << 10
	defaultMessageUDP   Size = 1472
	defaultMessageUDPv6 Size = 1452
	// The smallest usual packet is what floods and short messages are about.
	defaultMessageSmall Size = 64
	// netperf's TCP_RR asks one byte for one byte.
	defaultMessageRR Size = 1
	// A datagram that must find its request, or its place in an order, carries a
	// number, a flow and a check of itself.
	numberedMessage Size = 16

	// The host's default may pace (bbr does), and a flow that waits for its
	// turn must not leave an idle period that the algorithm reacts to.
	defaultCongestion = "cubic"

	defaultBatch   = 32
	defaultTimeout = Duration(100 * time.Millisecond)

	defaultFrom Rate = 1_000
	defaultTo   Rate = 10_000_000

	// UDP_MAX_SEGMENTS of include/linux/udp.h was 64 until it became 128 in Linux
	// 6.9; and what is cut must be a datagram that IPv4 could carry.
	maxSegments = 64
	maxTrain    = 65507
)

func (t Traffic) datagrams() bool { return t.Protocol.Datagrams() }
func (t Traffic) unix() bool      { return t.Protocol.Unix() }

// withDefaults is t with every field set that has a default, over an address
// family.
func (t Traffic) withDefaults(family string) Traffic {
	fill(&t.Kind, vocab.Stream)
	if t.Kind == vocab.Flood || t.Kind == vocab.Multicast {
		fill(&t.Protocol, vocab.UDP)
	}
	fill(&t.Protocol, vocab.TCP)
	fill(&t.Direction, "forward")
	if t.Protocol == vocab.TCP {
		fill(&t.Congestion, defaultCongestion)
	}
	t.layOut()
	t.choosePaths()
	t.chooseSizes(family)
	t.pace()
	if len(t.Beside) > 0 {
		beside := make(map[string]Traffic, len(t.Beside))
		for name, other := range t.Beside {
			beside[name] = other.withDefaults(family)
		}
		t.Beside = beside
	}
	return t
}

// layOut fills in what the pattern needs.
func (t *Traffic) layOut() {
	if t.Kind == vocab.Multicast {
		fill(&t.Pattern, "outcast")
	}
	fill(&t.Pattern, "one-to-one")
	switch t.Pattern {
	case "incast":
		fill(&t.Sources, 2)
	case "outcast":
		fill(&t.Sinks, 2)
	case "all-to-all":
		if t.Sources == 0 && t.Sinks == 0 {
			t.Sources = 2
		}
		fallthrough
	case "one-to-one":
		fill(&t.Sources, t.Sinks)
		fill(&t.Sinks, t.Sources)
	}
	fill(&t.Sources, 1)
	fill(&t.Sinks, 1)
	fill(&t.Flows, 1)
}

func (t *Traffic) choosePaths() {
	switch {
	case t.Kind == vocab.Flood:
		fill(&t.Source.Path, "sendmmsg")
		fill(&t.Sink.Path, "recvmmsg")
	case t.Source.Socket == "open":
		fill(&t.Source.Path, "sendto")
	}
	if t.Sink.GRO || t.Sink.Timestamp { // the length of what was merged, and when it came, are control messages
		fill(&t.Sink.Path, "recvmsg")
	}
	fill(&t.Source.Path, "send")
	fill(&t.Sink.Path, "recv")
	fill(&t.Sink.Wait, "block")
	if sourceCalls()[t.Source.Path].batch {
		fill(&t.Source.Batch, defaultBatch)
	}
	if sinkCalls()[t.Sink.Path].batch {
		fill(&t.Sink.Batch, defaultBatch)
	}
	crafted := sourceCalls()[t.Source.Path].crafted
	if !crafted {
		fill(&t.Source.Socket, "connected")
	}
	switch {
	case t.Protocol == vocab.UDP && (t.Kind == vocab.Conn || t.Kind == vocab.Multicast || crafted):
		fill(&t.Sink.Socket, "open") // there is no one socket to connect back to
	case t.datagrams():
		fill(&t.Sink.Socket, "connected")
	case t.Protocol == vocab.TCP && (t.Kind == vocab.CRR || t.Kind == vocab.Conn):
		fill(&t.Sink.Socket, "open")
	}
}

func (t *Traffic) chooseSizes(family string) {
	if len(t.Sizes) == 0 {
		fill(&t.Message, t.defaultMessage(family))
	}
	if t.Kind.Answers() {
		fill(&t.Response, t.Message)
		fill(&t.Response, defaultMessageRR) // sizes are drawn for requests
	}
}

func (t Traffic) defaultMessage(family string) Size {
	segment := t.Source.Segment
	switch {
	case segment > 0 && segment <= maxTrain:
		return min(maxSegments, maxTrain/segment) * segment
	case t.Kind == vocab.Flood || t.Kind == vocab.Conn:
		return defaultMessageSmall
	case t.Kind == vocab.RR && t.datagrams() && t.numbered():
		return numberedMessage
	case t.Kind.Answers():
		return defaultMessageRR
	case !t.datagrams():
		return defaultMessageTCP
	case t.Protocol == vocab.UDP && family == "ipv6":
		return defaultMessageUDPv6
	}
	return defaultMessageUDP
}

// meanMessage is the size of a message, or the mean where sizes are drawn.
func (t Traffic) meanMessage() float64 {
	total, weights := 0.0, 0.0
	for text, weight := range t.Sizes {
		size, _ := ParseSize(text)
		total, weights = total+float64(size)*float64(weight), weights+float64(weight)
	}
	if weights > 0 {
		return total / weights
	}
	return float64(t.Message)
}

// numbered says whether several requests may be on their way, so that a
// response must say which one it answers.
func (t Traffic) numbered() bool { return t.Rate > 0 || t.Depth > 1 }

func (t *Traffic) pace() {
	if size := t.meanMessage(); t.BitRate > 0 && size > 0 {
		t.Rate, t.BitRate = t.BitRate/8/Rate(size), 0
	}
	if t.LossFree != nil {
		bounds := *t.LossFree
		fill(&bounds.From, defaultFrom)
		fill(&bounds.To, defaultTo)
		t.LossFree = &bounds
	}
	if t.Rate > 0 || t.LossFree != nil {
		fill(&t.Burst, 1)
	}
	if t.Kind.Answers() {
		fill(&t.Depth, 1)
	}
	if t.Kind == vocab.RR && t.datagrams() {
		fill(&t.Timeout, defaultTimeout)
	}
}

// headline is the metric that the arms' traffic is about; goodput where they
// are about different things, as all have it.
func headline(drafts []draft) string {
	metric := ""
	for _, dr := range drafts {
		switch own := dr.cfg.Traffic.headline(); metric {
		case "", own:
			metric = own
		default:
			return "goodput"
		}
	}
	if metric == "" {
		return "goodput"
	}
	return metric
}

func (t Traffic) headline() string {
	switch {
	case t.LossFree != nil:
		return "loss_free_rate"
	case t.Kind.Answers() && t.Rate > 0:
		return "latency_p99" // the rate is given: what is left to ask is how long it takes
	case t.Kind.Answers() || t.Kind == vocab.Conn:
		return "transaction_rate"
	case t.Kind == vocab.Flood:
		return "packet_rate"
	}
	return "goodput"
}
