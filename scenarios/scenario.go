// Package scenarios reads scenario files: the YAML that says which
// configurations ("arms") of the Linux network path to compare, and how.
//
// The way of a file is Parse (strict: every fault with file:line:column and
// what would be right, several faults in one go) → Override (--set) → Expand
// (matrix or explicit arms to a list of complete configurations, CPU sets
// resolved against the machine's CPUs). The package touches no machine: CPUs
// are passed in, and whether a device or a sysctl exists is the runner's to
// find out.
package scenarios

import (
	"time"

	"netab/results/vocab"
)

// A Scenario is one file: a question, a configuration, and the ways in which
// the arms differ from it.
type Scenario struct {
	Name     string `yaml:"name" json:"name"`                   // [a-z0-9-]+
	Question string `yaml:"question" json:"question,omitempty"` // what the run answers, one or two lines
	// The configuration that all arms share.
	Config `yaml:",inline"`
	// Matrix of factors, or explicit Arms, or neither (one arm); not both.
	Matrix Matrix `yaml:"matrix,omitempty" json:"matrix,omitempty"`
	Arms   Arms   `yaml:"arms,omitempty" json:"arms,omitempty"`
	// Baseline arm; default: the first.
	Baseline string `yaml:"baseline,omitempty" json:"baseline,omitempty"`
	// Only are the arms that are measured beside the baseline: names, or levels that they
	// have in common; none = all. Shard is which part of those, such as 2/3.
	Only  []string `yaml:"only,omitempty" json:"only,omitempty"`
	Shard string   `yaml:"shard,omitempty" json:"shard,omitempty"`
	// Measure has its defaults filled in after Parse.
	Measure Measure `yaml:"measure,omitempty" json:"measure"`
	Gate    Gate    `yaml:"gate,omitempty" json:"gate,omitempty"`
	// Guest is the machine that kernels are booted in.
	Guest Guest `yaml:"guest,omitempty" json:"guest,omitzero"`

	asked   string    // Question before --set
	where   positions // where each value was written
	set     positions // the paths of --set and its like
	sources sources   // the lines of the file and what was typed, for excerpts
	typed   []Typed   // what was laid over the file
	tree    *node     // the file with what was typed, but matrix and arms; for YAML
	// armsTyped is how many of Arms were typed.
	armsTyped int
	// matrixTyped: the first factor of Matrix was typed, so that no file has it.
	matrixTyped bool
}

// A Config is all that one arm is: what an arm or a factor may change.
type Config struct {
	Topology  Topology  `yaml:"topology,omitempty" json:"topology,omitzero"`
	Traffic   Traffic   `yaml:"traffic,omitempty" json:"traffic,omitzero"`
	Placement Placement `yaml:"placement,omitempty" json:"placement,omitzero"`
	Knobs     Knobs     `yaml:"knobs,omitempty" json:"knobs,omitzero"`
	// Kernel is booted in a guest for the arm; "" = the kernel that is running. See
	// ByKernel.
	Kernel string `yaml:"kernel,omitempty" json:"kernel,omitempty"`
}

// A Guest is the virtual machine that kernels are booted in.
type Guest struct {
	Memory Size `yaml:"memory,omitempty" json:"memory,omitempty"` // default 256M
	CPUs   int  `yaml:"cpus,omitempty" json:"cpus,omitempty"`     // default 2
	// CPUModel is a name of qemu -cpu help, with features; default max.
	CPUModel string `yaml:"cpu_model,omitempty" json:"cpu_model,omitempty"`
	// Accel: auto (default: KVM where a boot proves that it works, else TCG), kvm, tcg.
	Accel string `yaml:"accel,omitempty" json:"accel,omitempty"`
	// Turns: auto (default: guests under TCG are up at once and execute in turns), off.
	Turns string `yaml:"turns,omitempty" json:"turns,omitempty"`
}

// A Topology is the path between source and sink. In YAML a bare word
// ("topology: loopback") is its Kind.
type Topology struct {
	Kind   vocab.Topology `yaml:"kind" json:"kind,omitempty"`               // default loopback
	Family string         `yaml:"family,omitempty" json:"family,omitempty"` // ipv4 (default), ipv6
	MTU    int            `yaml:"mtu,omitempty" json:"mtu,omitempty"`       // 0 = the device's default
	Queues int            `yaml:"queues,omitempty" json:"queues,omitempty"` // of each veth end; 0 = the kernel's default
	// Existing interfaces for nic, moved into two namespaces for the run.
	SourceDevice string `yaml:"source_device,omitempty" json:"source_device,omitempty"`
	SinkDevice   string `yaml:"sink_device,omitempty" json:"sink_device,omitempty"`
	// Addresses are chosen by netab unless given: CIDR.
	SourceAddress string `yaml:"source_address,omitempty" json:"source_address,omitempty"`
	SinkAddress   string `yaml:"sink_address,omitempty" json:"sink_address,omitempty"`
}

// Traffic is what the flows carry. In YAML a bare workload name
// ("traffic: TCP_STREAM", any case) is its Protocol and Kind.
type Traffic struct {
	// Kind: stream (default), rr (request and response), crr (a connection for
	// each request), conn (a connection, or for UDP a socket, for each message,
	// without a response), flood (small datagrams as many as the kernel takes),
	// multicast (one source, all sinks joined to its group).
	Kind     vocab.Kind     `yaml:"kind,omitempty" json:"kind,omitempty"`
	Protocol vocab.Protocol `yaml:"protocol" json:"protocol,omitempty"` // default tcp
	// Message is bytes per send call, of rr and crr the request. Default 128K for
	// byte streams, 1472 for udp, 64 for flood and conn, 1 for rr and crr.
	Message Size `yaml:"message,omitempty" json:"message,omitempty"`
	// Sizes are drawn by weight for each message, instead of Message.
	Sizes    Sizes `yaml:"sizes,omitempty" json:"sizes,omitempty"`
	Response Size  `yaml:"response,omitempty" json:"response,omitempty"` // of rr and crr; default: as Message
	// Pattern lays Flows flows between Sources and Sinks: one-to-one (default),
	// incast (all sources to sink 0), outcast (source 0 to all sinks), all-to-all,
	// single (source 0 to sink 0). Placement's CPUs are cycled over sources and
	// sinks.
	Pattern string `yaml:"pattern,omitempty" json:"pattern,omitempty"`
	// Sources and Sinks default to 1, with one-to-one and all-to-all to the other
	// side's number, and to 2 on a side that incast, outcast, all-to-all and
	// multicast want several of. Those that a pattern does not use (sinks of incast
	// but the first) are not made: see Pairs.
	Sources   int    `yaml:"sources,omitempty" json:"sources,omitempty"`
	Sinks     int    `yaml:"sinks,omitempty" json:"sinks,omitempty"`
	Flows     int    `yaml:"flows,omitempty" json:"flows,omitempty"`         // of each pair; default 1
	Direction string `yaml:"direction,omitempty" json:"direction,omitempty"` // forward (default), reverse, both
	// Threads of each role that share its flows by epoll; 0 = one thread a flow.
	Threads int `yaml:"threads,omitempty" json:"threads,omitempty"`
	// Socket buffers in bytes as given to SO_SNDBUF/SO_RCVBUF; 0 = the kernel's
	// own (auto-tuned for TCP).
	SendBuffer    Size `yaml:"send_buffer,omitempty" json:"send_buffer,omitempty"`
	ReceiveBuffer Size `yaml:"receive_buffer,omitempty" json:"receive_buffer,omitempty"`
	// Congestion control of TCP; default cubic (the host's default may pace).
	Congestion string `yaml:"congestion,omitempty" json:"congestion,omitempty"`
	NoDelay    bool   `yaml:"nodelay,omitempty" json:"nodelay,omitempty"`
	// MPTCP of tcp: IPPROTO_MPTCP at both ends.
	MPTCP bool `yaml:"mptcp,omitempty" json:"mptcp,omitempty"`
	MSS   int  `yaml:"mss,omitempty" json:"mss,omitempty"` // TCP_MAXSEG at both ends; 0 = by the path's MTU
	// TOS is the byte of IP_TOS or IPV6_TCLASS of what is sent, as a number; a file may
	// give a DSCP by its name, which are its upper six bits.
	TOS string `yaml:"tos,omitempty" json:"tos,omitempty"`
	// DontFragment sets DF on all datagrams: what is too large is not sent.
	DontFragment bool `yaml:"dont_fragment,omitempty" json:"dont_fragment,omitempty"`
	NotSentLowat Size `yaml:"notsent_lowat,omitempty" json:"notsent_lowat,omitempty"` // TCP_NOTSENT_LOWAT
	// Rate is messages, or transactions, per second of all sources together, at
	// intended times that do not wait for the other side (open loop); 0 = as fast
	// as it goes. Burst messages are sent back to back at a time.
	Rate Rate `yaml:"rate,omitempty" json:"rate,omitempty"`
	// BitRate is Rate by the bits of payload per second; in YAML also "rate: 1Gbit/s".
	// Of complete arms it is 0, and Rate says what it comes to.
	BitRate Rate `yaml:"bit_rate,omitempty" json:"bit_rate,omitempty"`
	Burst   int  `yaml:"burst,omitempty" json:"burst,omitempty"` // default 1
	// PacingRate is SO_MAX_PACING_RATE of each flow, in bit/s.
	PacingRate Rate     `yaml:"pacing_rate,omitempty" json:"pacing_rate,omitempty"`
	Depth      int      `yaml:"depth,omitempty" json:"depth,omitempty"`     // rr: requests outstanding; default 1
	Think      Duration `yaml:"think,omitempty" json:"think,omitempty"`     // rr, crr: from a response to the next request
	Timeout    Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"` // after which a request over datagrams counts as lost; default 100ms
	// Verify numbers the messages and checks every byte received: lost,
	// duplicated, reordered and corrupt ones are counted.
	Verify bool `yaml:"verify,omitempty" json:"verify,omitempty"`
	// Source and Sink say by which system calls.
	Source SourcePath `yaml:"source,omitempty" json:"source,omitzero"`
	Sink   SinkPath   `yaml:"sink,omitempty" json:"sink,omitzero"`
	// LossFree searches the highest rate whose loss stays within a bound, in
	// place of Rate.
	LossFree *LossFree `yaml:"loss_free,omitempty" json:"loss_free,omitempty"`
	// Beside is further traffic on the same path at the same time, by name,
	// reported on its own (long streams beside short RPCs).
	Beside map[string]Traffic `yaml:"beside,omitempty" json:"beside,omitempty"`
}

// A SourcePath is how a source sends. In YAML a bare word is its Path.
type SourcePath struct {
	// Path: send (default), sendto, sendmsg, write, sendmmsg, sendfile, splice,
	// io_uring, packet (AF_PACKET with a TX ring), pktgen.
	Path  string `yaml:"path,omitempty" json:"path,omitempty"`
	Batch int    `yaml:"batch,omitempty" json:"batch,omitempty"` // messages per call of sendmmsg, io_uring, packet; default 32
	// Segment is UDP_SEGMENT: the kernel cuts each message into datagrams of so
	// many bytes.
	Segment  Size   `yaml:"segment,omitempty" json:"segment,omitempty"`
	ZeroCopy bool   `yaml:"zerocopy,omitempty" json:"zerocopy,omitempty"` // MSG_ZEROCOPY; of io_uring, SEND_ZC
	Socket   string `yaml:"socket,omitempty" json:"socket,omitempty"`     // connected (default), open (udp: an address with each message)
	// Slowdown is a share of the source's time that it spins away between its
	// messages: a change whose size is known and measured.
	Slowdown Fraction `yaml:"slowdown,omitempty" json:"slowdown,omitempty"`
}

// A SinkPath is how a sink receives. In YAML a bare word is its Path.
type SinkPath struct {
	// Path: recv (default), recvfrom, recvmsg, read, recvmmsg, splice,
	// tcp-zerocopy (TCP_ZEROCOPY_RECEIVE), io_uring (multishot receive).
	Path     string `yaml:"path,omitempty" json:"path,omitempty"`
	Batch    int    `yaml:"batch,omitempty" json:"batch,omitempty"`       // messages per call of recvmmsg; default 32
	GRO      bool   `yaml:"gro,omitempty" json:"gro,omitempty"`           // UDP_GRO
	Truncate bool   `yaml:"truncate,omitempty" json:"truncate,omitempty"` // MSG_TRUNC: the payload is not copied
	// BusyPoll is SO_BUSY_POLL, in whole microseconds.
	BusyPoll       Duration `yaml:"busy_poll,omitempty" json:"busy_poll,omitempty"`
	PreferBusyPoll bool     `yaml:"prefer_busy_poll,omitempty" json:"prefer_busy_poll,omitempty"`
	// Wait: block (default) sleeps in the call until something comes; spin asks
	// again without a pause (O_NONBLOCK), so that nobody has to wake the sink.
	Wait     string `yaml:"wait,omitempty" json:"wait,omitempty"`
	LowWater Size   `yaml:"low_water,omitempty" json:"low_water,omitempty"` // SO_RCVLOWAT
	// Read is bytes per receive call of a byte stream; 0 = the message, and at least 512K.
	Read Size `yaml:"read,omitempty" json:"read,omitempty"`
	// Timestamp is SO_TIMESTAMPNS: the time from a packet's arrival at the kernel to the
	// return of the call that received it is measured.
	Timestamp bool `yaml:"timestamp,omitempty" json:"timestamp,omitempty"`
	// Socket of datagram sinks: connected (default: one a flow, connected back to
	// its source), open (one a flow, unconnected), shared (one for each sink of
	// the pattern), reuseport (one a flow, all on one port, chosen by the kernel's
	// hash), reuseport-cpu (the same, chosen by the CPU of the softirq). Of tcp
	// sinks of crr and conn: open, reuseport, reuseport-cpu.
	Socket string `yaml:"socket,omitempty" json:"socket,omitempty"`
}

// LossFree bounds the search for the highest rate without loss.
type LossFree struct {
	Loss Fraction `yaml:"loss,omitempty" json:"loss,omitempty"` // share of messages that may be lost; default 0
	From Rate     `yaml:"from,omitempty" json:"from,omitempty"` // messages per second; default 1k
	To   Rate     `yaml:"to,omitempty" json:"to,omitempty"`     // default 10M
}

// A Placement says on which CPUs the roles' threads run. In YAML either a
// bare mode ("placement: distinct") or CPU sets per role; a set is cycled over
// the flows.
//
// CPU set expressions: "0,2-4", "all", "none", "{source}", "{sink}",
// "sibling of EXPR", "node N", "node of EXPR", "isolated", "EXPR - EXPR",
// "EXPR + EXPR", "(EXPR)". The roles may also be written without braces.
type Placement struct {
	Mode   string `yaml:"mode,omitempty" json:"mode,omitempty"` // distinct (default), same, free; "" when sets are given
	Source string `yaml:"source,omitempty" json:"source,omitempty"`
	Sink   string `yaml:"sink,omitempty" json:"sink,omitempty"`
	// How the scheduler treats the threads of each role: other (default), batch, idle,
	// fifo, round-robin; and niceness, of the first two.
	SourcePolicy string `yaml:"source_policy,omitempty" json:"source_policy,omitempty"`
	SinkPolicy   string `yaml:"sink_policy,omitempty" json:"sink_policy,omitempty"`
	SourceNice   int    `yaml:"source_nice,omitempty" json:"source_nice,omitempty"`
	SinkNice     int    `yaml:"sink_nice,omitempty" json:"sink_nice,omitempty"`
}

// Knobs are kernel and device settings. Device keys: "source" and "sink" are
// the device at that side of the arm's own topology (lo for loopback), "both"
// is both; any other name is a device of that name: of the arm's namespace if
// it exists there (lo), else of the host.
type Knobs struct {
	// Sysctl: name -> value. A file may write names dotted or slashed; here they
	// are slashed paths below /proc/sys, as only those are unambiguous.
	Sysctl   map[string]string      `yaml:"sysctl,omitempty" json:"sysctl,omitempty"`
	Device   map[string]DeviceKnobs `yaml:"device,omitempty" json:"device,omitempty"`
	IRQ      map[string]string      `yaml:"irq,omitempty" json:"irq,omitempty"`           // device name or IRQ number -> CPU set
	Governor string                 `yaml:"governor,omitempty" json:"governor,omitempty"` // of all CPUs
}

// Measure says how sure to become and how long that may take.
type Measure struct {
	Confidence Fraction `yaml:"confidence,omitempty" json:"confidence,omitempty"` // default 95 %
	Resolution Fraction `yaml:"resolution,omitempty" json:"resolution,omitempty"` // default 1 %
	Width      Fraction `yaml:"width,omitempty" json:"width,omitempty"`           // default 5 %
	MaxTime    Duration `yaml:"max_time,omitempty" json:"max_time,omitempty"`     // default 60s
	// The run ends, too, when every arm has received so much in its counted slices.
	MaxBytes    Size `yaml:"max_bytes,omitempty" json:"max_bytes,omitempty"`
	MaxMessages Rate `yaml:"max_messages,omitempty" json:"max_messages,omitempty"`
	// Sessions is how often the question is asked, in equal parts of MaxTime that
	// are spread over Spread; 0 = once.
	Sessions int      `yaml:"sessions,omitempty" json:"sessions,omitempty"`
	Spread   Duration `yaml:"spread,omitempty" json:"spread,omitempty"`
	// Boots is how often each kernel is booted, where kernels are compared; MaxTime is
	// of all boots together.
	Boots  int      `yaml:"boots,omitempty" json:"boots,omitempty"`
	Slice  Duration `yaml:"slice,omitempty" json:"slice,omitempty"` // default: see defaults.go
	Settle Duration `yaml:"settle,omitempty" json:"settle,omitempty"`
	// Grain trial gives each arm a setup and a turn of its own in every trial,
	// instead of slices as fine as the knobs allow.
	Grain vocab.Grain `yaml:"grain,omitempty" json:"grain,omitempty"`
	// Disturbed count judges trials beside other programs like all others, for
	// machines that are never quiet.
	Disturbed string `yaml:"disturbed,omitempty" json:"disturbed,omitempty"`
	// Decided rest measures arms no more once they have their verdicts at a look, so that
	// the time goes to those that are open.
	Decided string `yaml:"decided,omitempty" json:"decided,omitempty"`
	// Canaries off leaves out what tells the states of the CPUs apart.
	Canaries string   `yaml:"canaries,omitempty" json:"canaries,omitempty"`
	Trial    Duration `yaml:"trial,omitempty" json:"trial,omitempty"` // counted and settle parts of one trial's slices together
	Seed     uint64   `yaml:"seed,omitempty" json:"seed,omitempty"`
	// Metrics that are judged, the first is the headline; default: what the kind
	// of traffic is about (goodput, packet_rate, transaction_rate, ...).
	Metrics []string `yaml:"metrics,omitempty" json:"metrics,omitempty"`
}

// A Gate says of metrics by name which change matters: there it takes the
// place of Measure.Resolution, and the metric is judged whether or not
// Measure.Metrics names it. Metrics that can be zero (loss) take a difference.
type Gate map[string]Fraction

// A Matrix is an ordered list of factors: a YAML mapping whose key is the path
// that the factor sets ("traffic.message", "knobs.device.sink.rps_cpus") or,
// with a value of {path, levels}, a name of the author's choice. Levels are a
// list, or a mapping of level name to value. Arms are the product, the first
// factor varying slowest.
type Matrix []Factor

// A Factor is one dimension of a matrix.
type Factor struct {
	Name   string  `json:"name"`
	Path   string  `json:"path"` // "." = the whole configuration
	Levels []Level `json:"levels"`

	pos Pos
}

// A Level is one value of a factor; Value is any YAML value that fits Path.
type Level struct {
	Name  string `json:"name"`
	Value any    `json:"value"`

	node *node // Value with positions; nil if not from a file
}

// Arms are the explicit arms in the order written: a YAML mapping of arm name
// to what differs from the common configuration.
type Arms []NamedArm

// A NamedArm is one explicit arm before it is laid over the common Config.
type NamedArm struct {
	Name    string `json:"name"`
	Overlay any    `json:"config,omitempty"` // the YAML mapping as written; nil = nothing differs

	node *node // Overlay with positions; nil if not from a file
	pos  Pos
}

// Size is a number of bytes; YAML accepts 1472, 64K (binary, as iperf3), 1KiB.
type Size int

// Rate is a number per second; YAML accepts 5000, 300k, 1.5M, 10G (powers of
// 1000), and "/s" behind them.
type Rate float64

// Sizes is a distribution of message sizes: bytes in decimal -> weight. YAML
// accepts sizes as Size does, and the word imix for the simple Internet mix.
type Sizes map[string]int

// Fraction is a share; YAML accepts 0.01 and 1%.
type Fraction float64

// Duration is a time.Duration that YAML and JSON write as "100ms".
type Duration time.Duration

// An Arm is one complete configuration after Expand.
type Arm struct {
	Name   string       // "sink", or of a matrix "message=64,rps=off"
	Levels []ArmLevel   // of a matrix, in the order of factors
	Config Config       // defaults filled in
	CPUs   ResolvedCPUs // placement resolved
	Knobs  []Knob       // Config.Knobs flattened, in the order of the file, CPU sets resolved
}

// An ArmLevel names the level that an arm has of a factor.
type ArmLevel struct{ Factor, Level string }

// ResolvedCPUs are the CPUs of each role, one entry for each of its places (see
// Traffic.Places; cycled by the reader if shorter); nil = not pinned.
type ResolvedCPUs struct{ Source, Sink []int }

// A Knob is one kernel or device setting of one arm, ready to be applied.
type Knob struct {
	Family string // sysctl, irq, governor, or as the setting of a device or queue is called: rps_cpus, channels, mtu, ...
	Device string // device key as in Knobs.Device; for irq its key; "" for sysctl and governor
	Queue  string // "" = every queue of the kind, else rx-N or tx-N
	Name   string // sysctl: slashed path below /proc/sys; of a setting that is a mapping (offload, channels) the key
	Value  string // canonical: CPU list "0,2-3" ("" = empty set), on/off, integer (ns for times), text
	Pos    Pos
}

// A Pos is where a value was written, for errors found later.
type Pos struct {
	File         string
	Line, Column int
}

// A CPUs describes the CPUs of a machine, as far as CPU sets need it.
type CPUs struct {
	Online []int
	// Allowed are those of them that this process may run on (taskset, a cpuset);
	// nil = all.
	Allowed  []int
	Isolated []int
	Node     map[int]int   // CPU -> NUMA node
	Siblings map[int][]int // CPU -> all hardware threads of its core, itself included
}
