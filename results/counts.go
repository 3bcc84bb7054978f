package results

import "unsafe"

// Counts are what one kind of traffic did in the counted part of a slice: an agent
// reports them, sums of agents are made of them, and the record holds them. All are
// int64, so that sums are of whatever fields there are.
type Counts struct {
	RxBytes   int64 `json:"rx_bytes"` // payload received by the sinks
	RxMsgs    int64 `json:"rx_msgs"`  // receive calls that returned data; datagrams for UDP
	TxBytes   int64 `json:"tx_bytes"`
	TxMsgs    int64 `json:"tx_msgs"`
	Drops     int64 `json:"drops"`         // of the sinks' sockets (SO_MEMINFO)
	SourceCPU int64 `json:"source_cpu_ns"` // CPU time of the source threads, softirq on their back included
	// SourceSpun is how much of SourceCPU was spun away because the scenario
	// slows the source down (traffic.source.slowdown).
	SourceSpun int64 `json:"source_spun_ns,omitempty"`
	// SourceIdle is how much of SourceCPU was spun until the instant to send at (a
	// rate, think time): no cost of sending, see SourceCost.
	SourceIdle int64 `json:"source_idle_ns,omitempty"`
	SinkCPU    int64 `json:"sink_cpu_ns"`
	// Time for which role threads were runnable but not running.
	SourceWait int64 `json:"source_wait_ns"`
	SinkWait   int64 `json:"sink_wait_ns"`
	// Transactions completed at the source (rr, crr).
	Transactions int64 `json:"transactions,omitempty"`
	// LateBytes are bytes of this slice that were received only when the next
	// arm's settle part was over: in its counted part, at its cost.
	LateBytes int64 `json:"late_bytes,omitempty"`
}

// SourceCost is the CPU time that sending cost, ns.
func (c *Counts) SourceCost() int64 { return max(0, c.SourceCPU-c.SourceIdle) }

// Plus is the sum.
func (c Counts) Plus(d Counts) Counts {
	sum, more := c.fields(), d.fields()
	for i := range sum {
		sum[i] += more[i]
	}
	return c
}

func (c *Counts) fields() *[unsafe.Sizeof(Counts{}) / 8]int64 {
	return (*[unsafe.Sizeof(Counts{}) / 8]int64)(unsafe.Pointer(c))
}
