package results

// What the whole machine counted while an arm had its turn. The arms of a trial
// take turns, so a counter of the machine is an arm's only where it is read at the
// edges of slices: by a source's thread, in settle parts, just before the counted
// part begins and just after it has ended. What others do on the machine is in it.

// Counters are of one slice. nil = not read, which is not zero: the source came
// too late to an edge, or reading costs too much for every slice (Plan.Counters).
type Counters struct {
	OverNS   int64     `json:"over_ns"` // from one reading to the other
	Softnet  *Softnet  `json:"softnet,omitempty"`
	Softirqs *Softirqs `json:"softirqs,omitempty"`
	Totals   *Totals   `json:"totals,omitempty"`
}

// Softnet sums the counters of /proc/net/softnet_stat over all CPUs.
type Softnet struct {
	Processed   int64 `json:"processed"` // packets
	Dropped     int64 `json:"dropped"`
	TimeSqueeze int64 `json:"time_squeeze"`
	ReceivedRPS int64 `json:"received_rps"` // interrupts from other CPUs, not packets
}

// Softirqs sums how often softirqs ran over all CPUs.
type Softirqs struct {
	NetRX int64 `json:"net_rx"`
	NetTX int64 `json:"net_tx"`
}

// Totals are counted by the kernel for all CPUs together.
type Totals struct {
	Interrupts      int64 `json:"interrupts"`
	ContextSwitches int64 `json:"context_switches"`
}

// ArmCounters are of all slices of an arm in a trial of which Counters were read.
type ArmCounters struct {
	Slices int           `json:"slices"`
	OverNS int64         `json:"over_ns"`
	CPUs   []CPUCounters `json:"cpus"`
}

// A CPUCounters is one CPU's share.
type CPUCounters struct {
	CPU         int              `json:"cpu"`
	Processed   int64            `json:"softnet_processed,omitempty"`
	Dropped     int64            `json:"softnet_dropped,omitempty"`
	TimeSqueeze int64            `json:"softnet_time_squeeze,omitempty"`
	ReceivedRPS int64            `json:"softnet_received_rps,omitempty"`
	Softirqs    map[string]int64 `json:"softirqs,omitempty"` // NET_RX, TIMER, SCHED, ... (counts)
}

// Add adds what the CPUs did in one more slice.
func (a *ArmCounters) Add(overNS int64, cpus []CPUCounters) {
	a.Slices++
	a.OverNS += overNS
	for _, c := range cpus {
		a.cpu(c.CPU).add(c)
	}
}

func (a *ArmCounters) cpu(n int) *CPUCounters {
	for i := range a.CPUs {
		if a.CPUs[i].CPU == n {
			return &a.CPUs[i]
		}
	}
	a.CPUs = append(a.CPUs, CPUCounters{CPU: n})
	return &a.CPUs[len(a.CPUs)-1]
}

func (c *CPUCounters) add(more CPUCounters) {
	c.Processed += more.Processed
	c.Dropped += more.Dropped
	c.TimeSqueeze += more.TimeSqueeze
	c.ReceivedRPS += more.ReceivedRPS
	addCounts(&c.Softirqs, more.Softirqs)
}

// Switches are context switches of the role threads in the counted part of a
// slice, exact. Voluntary ones are sleeps, involuntary ones others that took the
// CPU.
type Switches struct {
	SourceVoluntary   int64 `json:"source_voluntary"`
	SourceInvoluntary int64 `json:"source_involuntary"`
	SinkVoluntary     int64 `json:"sink_voluntary"`
	SinkInvoluntary   int64 `json:"sink_involuntary"`
}

// Plus is the sum.
func (s Switches) Plus(o Switches) Switches {
	return Switches{s.SourceVoluntary + o.SourceVoluntary, s.SourceInvoluntary + o.SourceInvoluntary, s.SinkVoluntary + o.SinkVoluntary, s.SinkInvoluntary + o.SinkInvoluntary}
}

// Source is how often sources were switched away from.
func (s *Switches) Source() int64 { return s.SourceVoluntary + s.SourceInvoluntary }

// Sink is how often sinks were.
func (s *Switches) Sink() int64 { return s.SinkVoluntary + s.SinkInvoluntary }

// A CounterPlan says how Counters are read.
type CounterPlan struct {
	// EveryBlocks: of so many blocks, in one.
	EveryBlocks int `json:"every_blocks"`
	// Files that are read, and what reading all of them once took when the run began.
	Files  []string `json:"files"`
	CostNS int64    `json:"cost_ns"`
}
