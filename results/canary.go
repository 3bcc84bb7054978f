package results

// A machine has states that no counter shows and no setting fixes: a host moves a
// guest's virtual CPUs between core complexes, a core's frequency falls, its other
// thread has work. They last for seconds to minutes, and an effect may be another
// one in each. Canaries are tiny measurements that tell them apart.

// Canaries are what a slice's settle part told of the CPUs of its source and sink.
// What was asked for and timed out is null; what could not be asked for is left
// out, and the trial says why (no-canaries).
type Canaries struct {
	// DistanceNS is the round trip of a cache line between the source's and the
	// sink's CPU, the best of a few.
	DistanceNS *float64 `json:"distance_ns"`
	// What one step of a chain of dependent instructions took: the frequency.
	SourceStepNS float64 `json:"source_step_ns,omitempty"`
	SinkStepNS   float64 `json:"sink_step_ns,omitempty"`
	// Where that was measured. For roles that are free to move that is where they were
	// in the trial before.
	SourceCPU int `json:"source_cpu"`
	SinkCPU   int `json:"sink_cpu"`
}

// An EdgeCanary is what one edge of a trial told of a CPU that roles use, with
// nothing of netab's own running but itself. 0 = not measured.
type EdgeCanary struct {
	After bool `json:"after,omitempty"` // the trial; else before it
	CPU   int  `json:"cpu"`
	// StepNS is one step of the dependent chain alone, BesideNS with the other
	// role's CPU busy: more where they share a core.
	StepNS   float64 `json:"step_ns,omitempty"`
	BesideNS float64 `json:"beside_step_ns,omitempty"`
	// Copies within what fits into the second-level cache, and of more than fits into
	// the last one, or 64 MiB if that is less: bits per second.
	CacheBps  float64 `json:"cache_copy_bps,omitempty"`
	MemoryBps float64 `json:"memory_copy_bps,omitempty"`
	// WakeNS is from waking a thread on this CPU, idle, until it runs.
	WakeNS float64 `json:"wake_ns,omitempty"`
}
