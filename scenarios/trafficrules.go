package scenarios

import (
	"maps"
	"slices"

	"netab/results/vocab"
)

// trafficRules are the rules of what the flows carry, and how.
func trafficRules() ruleBook {
	const bytes = 1 << 30
	return ruleBook{
		"Traffic.kind":           {doc: "stream: as much as goes, or at a rate; rr: request and response; crr: a connection for each request; conn: a new socket for each message; flood: many small datagrams; multicast: one source, all sinks in its group.", enum: vocab.Words(vocab.Kinds()), def: string(vocab.Stream)},
		"Traffic.protocol":       {doc: "tcp, udp, unix-stream or unix-dgram; netperf's names of workloads (TCP_STREAM, UDP_RR, ...) set the kind too, TCP_MAERTS the direction and TCP_SENDFILE the source. Default: tcp, for flood and multicast udp.", text: protocolSyntax()},
		"Traffic.message":        {doc: "Bytes per send call, of rr and crr of a request. Default: 128K for byte streams, 1472 for datagrams (1452 over ipv6), 64 for flood and conn, 1 for rr and crr.", min: 1, max: maxMessage},
		"Traffic.sizes":          {doc: "Distribution that sizes of messages are drawn from, instead of message: size -> weight, or imix."},
		"Traffic.response":       {doc: "Bytes of a response of rr and crr. Default: as the request.", min: 1, max: maxMessage},
		"Traffic.pattern":        {doc: "Which sources send to which sinks: one-to-one: source i to sink i; single: only the first to the first; incast: all sources to the first sink; outcast: the first source to all sinks; all-to-all. Default: one-to-one, for multicast outcast.", enum: patterns()},
		"Traffic.sources":        {doc: "Number of sources. Default: 1, or what the pattern needs.", min: 1, max: maxFlows},
		"Traffic.sinks":          {doc: "Number of sinks. Default: 1, or what the pattern needs.", min: 1, max: maxFlows},
		"Traffic.flows":          {doc: "Number of flows of each pair of source and sink; in all at most 1000.", min: 1, max: maxFlows, def: 1},
		"Traffic.direction":      {doc: "forward: source to sink; reverse: the sink's side connects and the source's sends; both: both ways at once.", enum: []string{"forward", "reverse", "both"}, def: "forward"},
		"Traffic.threads":        {doc: "Threads of each role that share its flows by epoll; 0: each flow has a thread of its own.", max: maxFlows},
		"Traffic.send_buffer":    {doc: "SO_SNDBUF in bytes. Default: the kernel's own.", min: 1, max: bytes},
		"Traffic.receive_buffer": {doc: "SO_RCVBUF in bytes. Default: the kernel's own.", min: 1, max: bytes},
		"Traffic.congestion":     {doc: "Congestion control of TCP. Default: cubic.", text: wordSyntax("congestion control", "_-")},
		"Traffic.nodelay":        {doc: "TCP_NODELAY: send small segments at once."},
		"Traffic.mptcp":          {doc: "Multipath TCP (IPPROTO_MPTCP) at both ends, with one subflow: what its framing and its second queue cost."},
		"Traffic.mss":            {doc: "TCP_MAXSEG at both ends: the largest segment. Default: what the MTU leaves.", min: minMSS, max: maxMSS},
		"Traffic.tos":            {doc: "Type of service of what is sent: 0 to 255 (also 0x20, 040), or a DSCP by name: ef, af11 to af43, cs0 to cs7, le.", text: tosSyntax()},
		"Traffic.dont_fragment":  {doc: "Set DF on datagrams (IP_PMTUDISC_DO): what is larger than the path's MTU is not sent. TCP has it always."},
		"Traffic.notsent_lowat":  {doc: "TCP_NOTSENT_LOWAT: bytes not yet sent above which a source waits.", max: bytes},
		"Traffic.rate":           {doc: "Messages, or transactions, per second of all sources together, at times that do not wait for the other side; 0: as fast as it goes.", max: maxRate},
		"Traffic.bit_rate":       {doc: "The rate in bits of payload per second of all sources together, in place of rate; rate: 1Gbit/s says the same.", max: maxPacing},
		"Traffic.burst":          {doc: "Messages sent back to back at a time, at the same rate. Default: 1.", min: 1, max: maxBurst},
		"Traffic.pacing_rate":    {doc: "SO_MAX_PACING_RATE of each flow, in bit/s; 0: none.", max: maxPacing},
		"Traffic.depth":          {doc: "rr: requests outstanding on each flow. Default: 1.", min: 1, max: maxDepth},
		"Traffic.think":          {doc: "rr and crr: pause from a response to the next request.", zero: true, until: maxPause},
		"Traffic.timeout":        {doc: "rr over datagrams: after so long a request counts as lost. Default: " + defaultTimeout.String() + ".", until: maxPause},
		"Traffic.verify":         {doc: "Number the messages and check every byte received: lost, duplicated, reordered and corrupt ones are counted."},
		"Traffic.source":         {doc: "How sources send; a bare word is the path."},
		"Traffic.sink":           {doc: "How sinks receive; a bare word is the path."},
		"Traffic.loss_free":      {doc: "Search the highest rate whose loss stays within a bound, in place of rate; true takes the defaults."},
		"Traffic.beside":         {doc: "Further traffic on the same path and CPUs at the same time, by name; reported on its own.", key: besideSyntax(), most: maxBeside},

		"SourcePath.path":     {doc: "System call of the source. Default: send, with an open socket sendto, for flood sendmmsg.", enum: slices.Sorted(maps.Keys(sourceCalls()))},
		"SourcePath.batch":    {doc: "Messages per call of sendmmsg, io_uring and packet. Default: 32.", min: 1, max: maxBatch},
		"SourcePath.segment":  {doc: "UDP_SEGMENT: the kernel cuts each message into datagrams of so many bytes; 0: it does not.", max: 65535},
		"SourcePath.zerocopy": {doc: "MSG_ZEROCOPY; of io_uring, SEND_ZC."},
		"SourcePath.slowdown": {doc: "Share of the source's time that it spins away between its messages: a change of known size, for netab calibrate and to try out a gate.", zero: true},
		"SourcePath.socket":   {doc: "connected, or open: udp with an address given with each message.", enum: []string{"connected", "open"}, def: "connected"},

		"SinkPath.path":             {doc: "System call of the sink. Default: recv, with gro or timestamp recvmsg, for flood recvmmsg.", enum: slices.Sorted(maps.Keys(sinkCalls()))},
		"SinkPath.batch":            {doc: "Messages per call of recvmmsg. Default: 32.", min: 1, max: maxBatch},
		"SinkPath.gro":              {doc: "UDP_GRO: several datagrams of a flow are received as one."},
		"SinkPath.truncate":         {doc: "MSG_TRUNC: the payload is thrown away and not copied."},
		"SinkPath.busy_poll":        {doc: "SO_BUSY_POLL: poll the device for so long before sleeping, in whole microseconds.", zero: true, until: maxPoll},
		"SinkPath.prefer_busy_poll": {doc: "SO_PREFER_BUSY_POLL: keep the softirq away while busy polling."},
		"SinkPath.wait":             {doc: "block: sleep until something comes. spin: ask again without a pause (O_NONBLOCK), so that nobody has to wake the sink; takes a whole CPU.", enum: []string{"block", "spin"}, def: "block"},
		"SinkPath.read":             {doc: "Bytes that a sink of a byte stream asks for in a call. Default: as the message, and 512K at least (less with many sinks), because what the sender's messages are says nothing of the reader.", min: 1, max: maxMessage},
		"SinkPath.timestamp":        {doc: "SO_TIMESTAMPNS: measure from a packet's arrival in the kernel to the return of the call that received it (copy_delay_p50, copy_delay_p99). Each message costs the kernel a look at the clock and the sink a control message."},
		"SinkPath.low_water":        {doc: "SO_RCVLOWAT: bytes that must have come before a sink wakes up.", min: 1, max: bytes},
		"SinkPath.socket":           {doc: "Of udp: connected (one a flow), open (one a flow, not connected), shared (one for each sink), reuseport (one a flow on one port, chosen by hash), reuseport-cpu (chosen by the CPU of the softirq). Of tcp with crr and conn: open, reuseport, reuseport-cpu.", enum: []string{"connected", "open", "shared", "reuseport", "reuseport-cpu"}},

		"LossFree.loss": {doc: "Share of messages that may be lost. Default: 0.", zero: true},
		"LossFree.from": {doc: "Lowest rate tried, messages per second. Default: " + defaultFrom.String() + ".", min: 1, max: maxRate},
		"LossFree.to":   {doc: "Highest rate tried, messages per second. Default: " + defaultTo.String() + ".", min: 1, max: maxRate},
	}
}

func patterns() []string {
	return []string{"one-to-one", "single", "incast", "outcast", "all-to-all"}
}

func besideSyntax() *syntax { return wordSyntax("name of traffic", "_-") }
