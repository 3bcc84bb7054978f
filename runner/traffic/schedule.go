// Package traffic is the sockets: sources that send, sinks that receive, and
// the meters that cut what they did into slices.
//
// One locked OS thread runs one end of one flow, by raw system calls on
// blocking sockets: no netpoller, no allocation, no clock read per message.
// All threads get the whole schedule ahead as CLOCK_MONOTONIC instants and
// keep it themselves, so that nothing else needs to run while slices run.
//
// The package refuses to know about namespaces, arms and trials: it has
// windows of time, and counts.
package traffic

// A Window is one slice as a flow sees it, in ns of CLOCK_MONOTONIC. A source
// sends from Start to End; what happens from Count to End is counted. What
// arrives after Tail is late: another arm is being counted then. Windows are in
// order and do not overlap.
type Window struct {
	Slice int   `json:"slice"` // index of the slice in the trial; -1 = nothing of it is counted
	Start int64 `json:"start"`
	Count int64 `json:"count"`
	End   int64 `json:"end"`
	Tail  int64 `json:"tail"` // 0 = the flow goes on at once in the next window
	// Arm numbers the arms that share a live flow: latencies are kept apart by it.
	Arm int `json:"arm,omitempty"`
	// Rate is offered by all sources of the arm's main traffic together in this
	// window, messages per second; 0 = as their Config says.
	Rate float64 `json:"rate,omitempty"`
	// Counters is how many of probe.EdgeFiles a source reads at the edges of the
	// counted part; 0 = none.
	Counters int `json:"counters,omitempty"`
}

// edgesPerWindow is how many samples a meter takes of each window.
const edgesPerWindow = 4

// edges lists the instants at which a meter takes a sample.
func edges(windows []Window) []int64 {
	out := make([]int64, 0, edgesPerWindow*len(windows))
	for _, w := range windows {
		out = append(out, w.Start, w.Count, w.End, max(w.Tail, w.End))
	}
	return out
}

// counted is what the samples say of the counted part of a window.
func counted(samples []sample, window int) Counts {
	return between(samples[edgesPerWindow*window+1], samples[edgesPerWindow*window+2])
}

// late is how many bytes came between a window's tail and the next window, or
// the end.
func late(samples []sample, window int, last sample) int64 {
	next := edgesPerWindow * (window + 1)
	if next < len(samples) {
		last = samples[next]
	}
	return last.Bytes - samples[next-1].Bytes
}
