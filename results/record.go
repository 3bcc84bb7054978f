// Package results holds what netab knows after measuring: the record types of
// a run, the JSON Lines files they are kept in, and the store of run
// directories.
//
// A run file must be judgeable anywhere, years later and by another version,
// so a record carries everything that a verdict depends on (design, seed,
// machine, kernel, knobs as read back) and nothing that was concluded from it:
// conclusions are made by package analysis, again each time. Nothing is left
// out because it looks wrong: invalid trials and warnings are records too.
//
// Conventions of every field: units are in the name (_ns, _bytes, _bps),
// counters are differences over the stretch they belong to, and a map holds
// only what is not zero.
package results

import (
	"encoding/json"
	"slices"
	"time"

	"netab/results/vocab"
)

// SchemaRun names the format of a run file; it changes when a reader of the
// old format would misread a new file.
const SchemaRun = "netab/run/1"

// A Run is one run file in memory.
type Run struct {
	Header Header
	Trials []Trial
	// Explains are trials with more instruments, which no verdict counts.
	Explains []Explain
	End      *End // nil when the run was cut off (SIGKILL, power)
	// Resumed is where it went on after it had ended before, or was cut off.
	Resumed []Resumption
	// Warnings that reading found (a truncated last line), not stored.
	ReadWarnings []Warning
	// Foreign lines are of types that this version does not know; they are
	// written again where they stood.
	Foreign []ForeignLine
}

// A Header is the first line of a run file.
type Header struct {
	Type     string          `json:"type"` // "header"
	Schema   string          `json:"schema"`
	ID       string          `json:"id"`
	Scenario json.RawMessage `json:"scenario"` // as parsed, overrides applied
	Source   string          `json:"source"`   // file path, or builtin:NAME
	Design   Design          `json:"design"`
	Plan     Plan            `json:"plan"`
	Seed     uint64          `json:"seed"`
	Netab    Build           `json:"netab"`
	Command  []string        `json:"command"`
	Started  time.Time       `json:"started"`
	Machine  Machine         `json:"machine"` // of the first place: the sources'
	// Others are the machines of the other places, where a path has its sides on two.
	Others   []Machine `json:"other_machines,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"` // from the checks before measuring

	Unknown Unknown `json:"-"`
}

// A Design says what is compared with what, and how sure to become: all that
// analysis needs to know of the scenario.
type Design struct {
	Name     string   `json:"name"`
	Question string   `json:"question"`
	Factors  []Factor `json:"factors,omitempty"`
	Arms     []Arm    `json:"arms"`
	Baseline string   `json:"baseline,omitempty"` // "" when there is one arm
	// Metrics that are judged; the first is the headline. See package analysis
	// for the names.
	Metrics    []string `json:"metrics"`
	Confidence float64  `json:"confidence"` // 0.95
	Resolution float64  `json:"resolution"` // 0.01 = 1 %
	Width      float64  `json:"width"`      // relative half-width asked of a level, 0.05
	MaxTimeS   float64  `json:"max_time_s"` // of all sessions together
	// Sessions is how often the question is asked, spread over SpreadS; 0 and 1 are
	// once, in one go.
	Sessions int     `json:"sessions,omitempty"`
	SpreadS  float64 `json:"spread_s,omitempty"`
	// CountDisturbed: trials that others disturbed are judged like all others.
	CountDisturbed bool `json:"count_disturbed,omitempty"`
	// Gate holds the thresholds of metrics that have their own: there it takes
	// the resolution's place. A share, or for metrics that can be zero a
	// difference in their unit.
	Gate map[string]float64 `json:"gate,omitempty"`
	// RestDecided: arms that have their verdicts at a look are measured no more.
	RestDecided bool `json:"rest_decided,omitempty"`
	// Shard says that the arms are a part of those of a question; nil = they are all.
	Shard *Shard `json:"shard,omitempty"`
}

// A Shard is one of the parts of a question whose arms several runs measure, each with
// the baseline.
type Shard struct {
	Part  int    `json:"part"` // from 1
	Of    int    `json:"parts"`
	Arms  int    `json:"compared_arms"` // of all parts together, the baseline left out
	Whole string `json:"whole"`         // Design.Asked of all of them
}

// ArmAt is the index of the arm with a name, -1 without.
func (d *Design) ArmAt(name string) int {
	return slices.IndexFunc(d.Arms, func(a Arm) bool { return a.Name == name })
}

// A Factor is one dimension of a matrix, with its levels in the order written.
type Factor struct {
	Name   string   `json:"name"`
	Levels []string `json:"levels"`
}

// An Arm is one configuration under comparison.
type Arm struct {
	Name     string         `json:"name"`
	Levels   []FactorLevel  `json:"levels,omitempty"` // empty for explicit arms
	Kind     vocab.Kind     `json:"kind,omitempty"`   // "" = stream
	Protocol vocab.Protocol `json:"protocol"`
	Message  int            `json:"message_bytes"` // the mean where sizes are drawn
	Flows    int            `json:"flows"`
	// SinkSpins: the sinks use all of their CPUs, however little they have to do.
	SinkSpins bool `json:"sink_spins,omitempty"`
	// SinkStamps: the sinks know when what they receive came (ArmTrial.CopyDelay).
	SinkStamps bool `json:"sink_stamps,omitempty"`
	// IdleKnown: the slices tell what sources spun until an intended instant
	// (SourceIdle). Of runs recorded before 2026-11-30 that is part of their cost.
	IdleKnown bool    `json:"source_idle_known,omitempty"`
	Rate      float64 `json:"rate,omitempty"` // messages per second offered by all sources together; 0 = as fast as it goes
	// LossFree is the bound of loss of an arm whose slices have rates of their
	// own (Slice.Rate), to find the highest without more loss.
	LossFree *float64 `json:"loss_free,omitempty"`
	// Beside are the kinds of further traffic on the same path, by name.
	Beside map[string]vocab.Kind `json:"beside,omitempty"`
	// BesideProtocols are its protocols; runs recorded before 2026-11-29 have none.
	BesideProtocols map[string]vocab.Protocol `json:"beside_protocols,omitempty"`
	Topology        vocab.Topology            `json:"topology"`
	Knobs           []string                  `json:"knobs,omitempty"`
	// Description is all that the arm was asked to be: what is above names it to
	// people, this tells it from others. Runs recorded before 2026-12 have none.
	Description     Description `json:"description,omitempty"`
	DescriptionHash string      `json:"description_hash,omitempty"` // Description.Hash
	// Notes label an arm whose setting cannot have the effect its name
	// promises (zerocopy over lo copies).
	Notes []string `json:"notes,omitempty"`
}

// A FactorLevel is the value that an arm has of a factor.
type FactorLevel struct {
	Factor string `json:"factor"`
	Value  string `json:"value"`
}

// A Plan is how the arms take turns, as it was carried out.
type Plan struct {
	// Grain: "slice" (arms side by side, turns of SliceNS), "slice-switched"
	// (host-wide knobs written at slice boundaries of live flows) or "trial"
	// (a fresh setup for each arm's turn).
	Grain          vocab.Grain `json:"grain"`
	Reason         string      `json:"reason"` // which knob forced this grain
	SliceNS        int64       `json:"slice_ns"`
	SettleNS       int64       `json:"settle_ns"`
	BlocksPerTrial int         `json:"blocks_per_trial"`
	WarmupNS       int64       `json:"warmup_ns"` // uncounted, of every fresh flow before its first slice
	// Processes is "kept" where the agents' processes served all trials (an
	// experiment); "" = each trial had fresh ones.
	Processes string `json:"processes,omitempty"`
	// Counters says how slices' Counters are read; nil = not at all.
	Counters *CounterPlan `json:"counters,omitempty"`
}

// A Trial is fresh processes, sockets and namespaces, then many blocks.
type Trial struct {
	Type       string    `json:"type"` // "trial"
	Index      int       `json:"index"`
	Session    int       `json:"session,omitempty"` // of a run that was spread over time, from 0
	Started    time.Time `json:"started"`
	SetupNS    int64     `json:"setup_ns"`
	RunNS      int64     `json:"run_ns"` // first slice's start to last slice's end
	TeardownNS int64     `json:"teardown_ns"`
	// Invalid says why this trial must not be used; "" = valid.
	Invalid string     `json:"invalid,omitempty"`
	Order   []int      `json:"order"` // arms in the order in which they were warmed up; those that rest are not in it
	Slices  []Slice    `json:"slices"`
	Arms    []ArmTrial `json:"arms"` // by arm index; those that rest are left out
	Host    HostDelta  `json:"host"` // of Header.Machine
	// Others are of Header.Others, in the same order.
	Others []HostDelta `json:"other_hosts,omitempty"`
	// Edges are the canaries of the trial's two ends.
	Edges    []EdgeCanary `json:"edges,omitempty"`
	Warnings []Warning    `json:"warnings,omitempty"`

	Unknown Unknown `json:"-"`
}

// A Slice is a short stretch in which exactly one arm was active. Everything
// here is of its counted part only.
type Slice struct {
	Block     int   `json:"block"`
	Arm       int   `json:"arm"`
	StartNS   int64 `json:"start_ns"`   // begin of the slice (settle included), from the first warm-up
	CountedNS int64 `json:"counted_ns"` // length of the counted part
	Counts
	// Rate is what was offered in this slice, messages per second, where slices
	// differ in it (loss-free search).
	Rate float64 `json:"rate,omitempty"`
	// Beside is what further traffic did meanwhile.
	Beside map[string]Counts `json:"beside,omitempty"`
	// Canaries of the settle part before; nil = none were measured.
	Canaries *Canaries `json:"canaries,omitempty"`
	// Switches of its threads; nil in records from before 2026-12, and where another
	// thread than netab's sends (pktgen).
	Switches *Switches `json:"switches,omitempty"`
	// Counters of the machine; nil = not read.
	Counters *Counters `json:"counters,omitempty"`
	// Invalid says why this slice is not counted (thread stalled over the
	// whole slice, knob not switched in time); "" = valid.
	Invalid string `json:"invalid,omitempty"`
}

// A Beside is what was seen of traffic beside the arm's main one over one trial.
type Beside struct {
	Source  RoleDelta  `json:"source"`
	Sink    RoleDelta  `json:"sink"`
	Flows   []Flow     `json:"flows"`
	Latency *Histogram `json:"latency,omitempty"`
}

// An ArmTrial is what was seen of one arm over one trial.
type ArmTrial struct {
	Arm    int       `json:"arm"`
	Source RoleDelta `json:"source"`
	Sink   RoleDelta `json:"sink"`
	Flows  []Flow    `json:"flows"`
	Knobs  []Setting `json:"knobs,omitempty"` // as read back
	// Deltas of /proc/net/snmp, snmp6 and netstat of the arm's namespaces over
	// the whole trial ("UdpRcvbufErrors", "TcpExtTCPRcvCoalesce"); for arms that
	// share a live flow they are the flow's and stand at each of these arms
	// with Shared set.
	SourceNet map[string]int64 `json:"source_net,omitempty"`
	SinkNet   map[string]int64 `json:"sink_net,omitempty"`
	// Deltas of device counters (rx_packets, tx_dropped) by "device.counter".
	SourceDev map[string]int64 `json:"source_dev,omitempty"`
	SinkDev   map[string]int64 `json:"sink_dev,omitempty"`
	Shared    bool             `json:"shared,omitempty"`
	// Failed says why the arm moved nothing in this trial, or stopped in the midst
	// of it; "" = it worked. It is the arm's outcome: the trial is valid for the
	// others.
	Failed string `json:"failed,omitempty"`
	Ledger Ledger `json:"ledger"`
	// Latency of the transactions of the counted parts (rr, crr). In an open loop
	// it is from the intended time of the request. An arm of a shared live flow
	// has none: the flow's is not the arm's.
	Latency *Histogram `json:"latency,omitempty"`
	// CopyDelay is from a packet's arrival in the kernel (SO_TIMESTAMPNS) to the return
	// of the call that received it, of the counted parts; nil = not asked for.
	CopyDelay *Histogram        `json:"copy_delay,omitempty"`
	Beside    map[string]Beside `json:"beside,omitempty"`
	// Counters of the machine in the arm's slices, by CPU; nil = not read.
	Counters *ArmCounters `json:"counters,omitempty"`
}

// A RoleDelta sums the threads of one role of one arm over the whole trial.
type RoleDelta struct {
	Threads    int         `json:"threads"`
	CPUNS      int64       `json:"cpu_ns"`
	WaitNS     int64       `json:"wait_ns"`
	Voluntary  int64       `json:"voluntary_switches"`
	Involunt   int64       `json:"involuntary_switches"`
	Migrations int64       `json:"migrations"`
	CPUs       map[int]int `json:"cpus"`             // CPU -> slices in which a thread was seen there at the end
	Pinned     []int       `json:"pinned,omitempty"` // where it was asked to be; empty = free
	// Events are what happened to a role's ends beside sending and receiving, by
	// name: "retries" (ENOBUFS, EAGAIN), "zerocopy copied", "lost", "reordered",
	// "timeouts", "connect errors", ... (runner/traffic lists them).
	Events map[string]int64 `json:"events,omitempty"`
}

// A Flow is one source-sink socket pair.
type Flow struct {
	SourcePort int   `json:"source_port"`
	SinkPort   int   `json:"sink_port"`
	RxBytes    int64 `json:"rx_bytes"` // counted parts only
	Drops      int64 `json:"drops"`
	// SoftirqCPU counts slices by the CPU that last ran the softirq for the
	// sink's socket (SO_INCOMING_CPU).
	SoftirqCPU map[int]int `json:"softirq_cpu,omitempty"`
	// AckCPU is the same for the source's socket, which receives the
	// acknowledgements of TCP: packets of a local flow carry their sender's own
	// random hash (sk_txhash), so RPS draws a CPU for each direction.
	AckCPU     map[int]int      `json:"ack_cpu,omitempty"`
	Source     Thread           `json:"source_thread"`
	Sink       Thread           `json:"sink_thread"`
	TCP        map[string]int64 `json:"tcp,omitempty"` // selected TCP_INFO of the source: rtt_us, cwnd, retrans, ...
	Congestion string           `json:"congestion,omitempty"`
}

// A Thread is the cost of one end of one flow over the whole trial.
type Thread struct {
	CPUNS      int64 `json:"cpu_ns"`
	WaitNS     int64 `json:"wait_ns"`
	Voluntary  int64 `json:"voluntary_switches"`
	Involunt   int64 `json:"involuntary_switches"`
	Migrations int64 `json:"migrations"`
}

// A Ledger accounts for every message of one arm over the whole trial
// (settle parts included): Sent = Received + sum(Dropped) + Unexplained. Only
// UDP has one; Valid says so.
type Ledger struct {
	Valid       bool             `json:"valid"`
	Sent        int64            `json:"sent_msgs"`
	Received    int64            `json:"received_msgs"`
	Dropped     map[string]int64 `json:"dropped_msgs,omitempty"` // place -> messages: "receive buffer", "qdisc", ... (runner/probe lists them)
	Unexplained int64            `json:"unexplained_msgs"`
}

// A HostDelta is what the whole machine did while a trial's slices ran.
type HostDelta struct {
	// Place is the name of the machine's place; "" = where netab ran.
	Place string     `json:"place,omitempty"`
	CPUs  []CPUDelta `json:"cpus"`
	// OwnNS is CPU time used by all threads of netab that are not roles
	// (runner, agents' runtimes).
	OwnNS int64 `json:"own_ns"`
	// ForeignNS is busy CPU time that belongs neither to netab nor to softirq
	// on idle CPUs, as far as 4 ms ticks can tell.
	ForeignNS int64 `json:"foreign_ns"`
	StealNS   int64 `json:"steal_ns"`
	// ForeignTop are the busiest of the processes that ForeignNS is of.
	ForeignTop []ForeignUse `json:"foreign_top,omitempty"`
	// ThrottledNS is for how long netab's control group (or one above it) was kept
	// from CPUs because its CPU quota was used up, summed over CPUs.
	ThrottledNS int64 `json:"throttled_ns,omitempty"`
}

// Add sums what a machine did in two stretches.
func (d *HostDelta) Add(more HostDelta) {
	if d.CPUs == nil {
		*d = more
		return
	}
	d.OwnNS += more.OwnNS
	d.ForeignNS += more.ForeignNS
	d.StealNS += more.StealNS
	d.ThrottledNS += more.ThrottledNS
	for _, use := range more.ForeignTop {
		d.AddForeign(use)
	}
	for i := range d.CPUs {
		for _, c := range more.CPUs {
			if c.CPU == d.CPUs[i].CPU {
				d.CPUs[i].Add(c)
			}
		}
	}
}

// AddForeign adds what processes of one name used to what is known of them.
func (d *HostDelta) AddForeign(use ForeignUse) {
	for i := range d.ForeignTop {
		if d.ForeignTop[i].Name == use.Name && d.ForeignTop[i].Kernel == use.Kernel {
			d.ForeignTop[i].NS += use.NS
			return
		}
	}
	d.ForeignTop = append(d.ForeignTop, use)
}

// A ForeignUse is the CPU time that processes of one name used.
type ForeignUse struct {
	Name   string `json:"name"`
	NS     int64  `json:"ns"`
	Kernel bool   `json:"kernel,omitempty"` // threads of the kernel
}

// A CPUDelta is one CPU's share of HostDelta.
type CPUDelta struct {
	CPU         int              `json:"cpu"`
	BusyNS      int64            `json:"busy_ns"` // everything but idle, iowait, steal (/proc/stat, 10 ms units)
	UserNS      int64            `json:"user_ns"`
	SystemNS    int64            `json:"system_ns"`
	IRQNS       int64            `json:"irq_ns"`
	SoftirqNS   int64            `json:"softirq_ns"`
	StealNS     int64            `json:"steal_ns"`
	Softirqs    map[string]int64 `json:"softirqs,omitempty"` // NET_RX, NET_TX, TIMER, SCHED, RCU (counts)
	Processed   int64            `json:"softnet_processed,omitempty"`
	Dropped     int64            `json:"softnet_dropped,omitempty"`
	TimeSqueeze int64            `json:"softnet_time_squeeze,omitempty"`
	ReceivedRPS int64            `json:"softnet_received_rps,omitempty"`
	FlowLimit   int64            `json:"softnet_flow_limit,omitempty"`
	// Interrupts by the kernel's names for those of the architecture (RES, CAL, TLB,
	// LOC), "device" for all others.
	Interrupts map[string]int64 `json:"interrupts,omitempty"`
	MHz        float64          `json:"mhz,omitempty"` // mean of the readings at both edges, 0 = unknown
}

// Add sums what a CPU did in two stretches; MHz, a mean, is left as it is.
func (d *CPUDelta) Add(more CPUDelta) {
	d.BusyNS += more.BusyNS
	d.UserNS += more.UserNS
	d.SystemNS += more.SystemNS
	d.IRQNS += more.IRQNS
	d.SoftirqNS += more.SoftirqNS
	d.StealNS += more.StealNS
	d.Processed += more.Processed
	d.Dropped += more.Dropped
	d.TimeSqueeze += more.TimeSqueeze
	d.ReceivedRPS += more.ReceivedRPS
	d.FlowLimit += more.FlowLimit
	addCounts(&d.Softirqs, more.Softirqs)
	addCounts(&d.Interrupts, more.Interrupts)
}

func addCounts(sum *map[string]int64, more map[string]int64) {
	for name, n := range more {
		if *sum == nil {
			*sum = map[string]int64{}
		}
		(*sum)[name] += n
	}
}

// An End is the last line of a run that ended by itself or by Ctrl-C.
type End struct {
	Type   string    `json:"type"` // "end"
	Ended  time.Time `json:"ended"`
	Reason vocab.End `json:"reason"`
	Looks  []Look    `json:"looks,omitempty"`
	// Restored lists host and device knobs that were put back; RestoreErrors
	// those that could not be.
	Restored      []Setting `json:"restored,omitempty"`
	RestoreErrors []string  `json:"restore_errors,omitempty"`
	Warnings      []Warning `json:"warnings,omitempty"`
	// LeadNS is what trials needed in the end, beyond the usual, to begin in time.
	LeadNS int64 `json:"lead_ns,omitempty"`

	Unknown Unknown `json:"-"`
}

// A Look is one time at which the stop rule judged the run so far. It is kept
// because an interval is only valid together with the alpha that its look was
// given.
type Look struct {
	Trials   int     `json:"trials"` // valid trials at this look
	ElapsedS float64 `json:"elapsed_s"`
	Fraction float64 `json:"fraction"` // of T_max
	Alpha    float64 `json:"alpha"`    // spent at this look
	Decided  bool    `json:"decided"`
	// Rested are the arms that were measured no more from here on.
	Rested []int `json:"rested,omitempty"`
}

// A Warning is something that is off but did not stop the measurement. Code is
// stable and short (source-not-saturated, cpu-steal, not-pinned); Text says
// what, where, and what to do.
type Warning struct {
	Code vocab.Code `json:"code"`
	Text string     `json:"text"`
}

// A Build says which netab measured.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	// Semantics counts the times that netab changed what its figures mean; see
	// the constant. 0, of older records, is 1.
	Semantics int `json:"semantics,omitempty"`
}

// A Machine is where and under what the run was measured; what differs here
// between two runs is a confounder of their comparison.
type Machine struct {
	// Place is the name of the place that it was; "" = where netab ran.
	Place string `json:"place,omitempty"`
	// What says which machine this is, whatever its hostname; see Identity.
	Name      string `json:"name,omitempty"`       // that a person gave it
	MachineID string `json:"machine_id,omitempty"` // derived from /etc/machine-id
	Board     string `json:"board,omitempty"`      // as the firmware names it: "Dell Inc. PowerEdge R640, board 0H28RR"

	Hostname       string            `json:"hostname"`
	BootID         string            `json:"boot_id"`
	Kernel         string            `json:"kernel"`       // release
	KernelBuild    string            `json:"kernel_build"` // version string of uname
	KernelCmdline  string            `json:"kernel_cmdline"`
	Arch           string            `json:"arch"`
	CPUModel       string            `json:"cpu_model"`
	Microcode      string            `json:"microcode,omitempty"`
	CPUs           int               `json:"cpus_online"`
	CPUsOnline     string            `json:"cpus_online_list"`
	CPUsAllowed    string            `json:"cpus_allowed,omitempty"` // where netab could not run on all that are online (taskset, cpuset)
	CPUQuota       float64           `json:"cpu_quota,omitempty"`    // CPUs' worth of time that netab's control group may use; 0 = no limit
	CPUsIsolated   string            `json:"cpus_isolated,omitempty"`
	ThreadsPerCore int               `json:"threads_per_core"`
	Sockets        int               `json:"sockets"`
	NUMANodes      int               `json:"numa_nodes"`
	MemoryBytes    int64             `json:"memory_bytes"`
	Mitigations    map[string]string `json:"mitigations,omitempty"`
	Clocksource    string            `json:"clocksource"`
	Governor       string            `json:"governor,omitempty"`
	Virtualization string            `json:"virtualization,omitempty"` // kvm, none, ...
	// Emulated is "tcg" where the CPUs are computed by QEMU: what time they take is not
	// what hardware takes. "" = hardware, as far as is known.
	Emulated string            `json:"emulated,omitempty"`
	IRQTime  string            `json:"irq_time_accounting"`     // yes, no, unknown
	Debug    []string          `json:"debug_options,omitempty"` // KASAN, LOCKDEP, ... found in the kernel's config
	Modules  []string          `json:"modules,omitempty"`       // that change the packet path: nf_conntrack, br_netfilter, ...
	Sysctls  map[string]string `json:"sysctls,omitempty"`       // of the host, that matter here
	Offloads map[string]string `json:"offloads,omitempty"`      // "lo.gro" -> "on" of the first arm's devices
	Qdiscs   map[string]string `json:"qdiscs,omitempty"`        // device -> kind
}
