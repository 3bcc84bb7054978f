package traffic

import (
	"slices"

	"netab/results/vocab"
)

// A Config is what all flows of one kind of traffic have in common. Rates are
// per second, times in ns, sizes in bytes; zero leaves a setting to the kernel.
type Config struct {
	Kind     vocab.Kind     `json:"kind"` // never flood, which is a stream
	Protocol vocab.Protocol `json:"protocol"`
	IPv6     bool           `json:"ipv6,omitempty"`
	Message  int            `json:"message_bytes"`            // of each send call; of rr and crr the request
	Sizes    []int          `json:"sizes,omitempty"`          // taken in turn instead of Message
	Response int            `json:"response_bytes,omitempty"` // of rr and crr
	Threads  int            `json:"threads,omitempty"`        // of each role, sharing its flows by epoll; 0 = one a flow

	SendBuffer    int    `json:"send_buffer,omitempty"`
	ReceiveBuffer int    `json:"receive_buffer,omitempty"`
	Congestion    string `json:"congestion,omitempty"`
	NoDelay       bool   `json:"nodelay,omitempty"`
	NotSentLowat  int    `json:"notsent_lowat,omitempty"`
	MPTCP         bool   `json:"mptcp,omitempty"`
	MSS           int    `json:"mss,omitempty"` // TCP_MAXSEG
	TOS           int    `json:"tos,omitempty"` // IP_TOS, IPV6_TCLASS
	DontFragment  bool   `json:"dont_fragment,omitempty"`
	PacingRate    int64  `json:"pacing_rate_bytes,omitempty"` // SO_MAX_PACING_RATE, bytes per second

	Rate    float64 `json:"rate,omitempty"`  // messages or transactions of each source end; 0 = as fast as it goes
	Burst   int     `json:"burst,omitempty"` // messages at a time
	Depth   int     `json:"depth,omitempty"` // rr: requests outstanding in a closed loop
	Think   int64   `json:"think_ns,omitempty"`
	Timeout int64   `json:"timeout_ns,omitempty"` // of a request over datagrams
	Verify  bool    `json:"verify,omitempty"`
	// Exposed says that packets of others than the set's own ends can reach it.
	Exposed bool `json:"exposed,omitempty"`

	Source Path `json:"source,omitzero"`
	Sink   Path `json:"sink,omitzero"`
}

// A Path is by which system call, and with which of its options, one role moves
// its messages.
type Path struct {
	Call           string `json:"call,omitempty"` // see sourceCalls, sinkCalls
	Batch          int    `json:"batch,omitempty"`
	Segment        int    `json:"segment,omitempty"`  // UDP_SEGMENT
	ZeroCopy       bool   `json:"zerocopy,omitempty"` // MSG_ZEROCOPY, SEND_ZC
	GRO            bool   `json:"gro,omitempty"`      // UDP_GRO
	Truncate       bool   `json:"truncate,omitempty"` // MSG_TRUNC
	BusyPoll       int    `json:"busy_poll_us,omitempty"`
	PreferBusyPoll bool   `json:"prefer_busy_poll,omitempty"`
	LowWater       int    `json:"low_water,omitempty"`
	Read           int    `json:"read,omitempty"`      // of a sink: bytes of each call; 0 = see sinkBuffer
	Timestamp      bool   `json:"timestamp,omitempty"` // SO_TIMESTAMPNS, of recvmsg
	Spin           bool   `json:"spin,omitempty"`      // a sink asks again without a pause
	Socket         string `json:"socket,omitempty"`    // connected (also ""), open, shared, reuseport, reuseport-cpu
	// Policy and Nice are how the scheduler treats the role's threads.
	Policy string `json:"policy,omitempty"` // see policies
	Nice   int    `json:"nice,omitempty"`
	// Slowdown is the share of a source's time to be spun away.
	Slowdown float64 `json:"slowdown,omitempty"`
}

// stream says whether messages are lost in a stream of bytes.
func (c *Config) stream() bool { return c.Protocol.Streams() }

func (c *Config) unix() bool { return c.Protocol.Unix() }

// onePort says whether all sinks are bound to the same port.
func (c *Config) onePort() bool {
	return c.Kind == vocab.Multicast || c.Sink.Socket == "reuseport" || c.Sink.Socket == "reuseport-cpu"
}

// connectsBack says whether a datagram sink is connected to its source. Only
// for a connected UDP socket does the kernel keep the CPU of the softirq
// (udp_queue_rcv_skb: sk_incoming_cpu_update if inet_daddr is set).
func (c *Config) connectsBack() bool {
	return !c.stream() && c.Kind != vocab.Multicast && c.Kind != vocab.Conn && (c.Sink.Socket == "" || c.Sink.Socket == "connected")
}

// guarded says whether strangers' datagrams must be told apart one by one: the
// socket has no one peer, or, as the open source of rr, is not connected to it.
func (c *Config) guarded(sink bool) bool {
	if c.stream() || c.unix() || !c.Exposed {
		return false
	}
	if sink {
		return !c.connectsBack() || c.makesFrames()
	}
	return c.Kind == vocab.RR && c.Source.Socket == "open"
}

// makesFrames says whether the source needs no UDP socket: it hands whole packets
// to the device.
func (c *Config) makesFrames() bool { return c.Source.Call == "packet" || c.Source.Call == "pktgen" }

// longest is the size of the longest message.
func (c *Config) longest() int {
	if len(c.Sizes) > 0 {
		return slices.Max(c.Sizes)
	}
	return c.Message
}

// datagram is how many bytes the sink's unit has: a datagram, or a message of a
// byte stream.
func (c *Config) datagram() int {
	if c.Source.Segment > 0 {
		return c.Source.Segment
	}
	return c.Message
}

// step is how many messages one step of the source sends: less than that is no
// burst that it could keep to.
func (c *Config) step() int64 {
	trains := 1
	if c.Source.Segment > 0 {
		trains = (c.longest() + c.Source.Segment - 1) / c.Source.Segment
	}
	return int64(max(c.Source.Batch, 1) * trains)
}

// tcpReceive is the least size of a TCP sink's receive call. The size of the
// sender's messages says nothing of the reader of a byte stream, who takes what
// is there: against a bare loop that reads 128 KiB at a time, 512 KiB gave 1.031
// (1.007 to 1.055) of its rate, 128 KiB 1.007 (0.998 to 1.017), measured by
// bench/peers.
const tcpReceive = 512 << 10

// manyBuffers is how much memory the buffers of all sinks may take together.
const manyBuffers = 16 << 20

// sinkBuffer is the size of a receive call's buffer where so many threads have
// one.
func (c *Config) sinkBuffer(threads int) int {
	switch {
	case c.Sink.GRO:
		return 65536 // the most that GRO puts together
	case c.Sink.Read > 0:
		return c.Sink.Read
	case c.stream() && !c.Kind.Answers() && !c.Kind.Connects():
		return max(c.longest(), min(tcpReceive, manyBuffers/threads))
	}
	return c.longest()
}
