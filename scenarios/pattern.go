package scenarios

// A Pair is the two ends of a flow: which of the sources sends to which of the
// sinks.
type Pair struct{ Source, Sink int }

// Pairs lists the flows of the pattern in their order: pair by pair, Flows of
// each. All-to-all goes through the sinks of the first source, then of the
// second.
func (t Traffic) Pairs() []Pair {
	out := make([]Pair, 0, t.flowCount())
	add := func(p Pair) {
		for range max(t.Flows, 1) {
			out = append(out, p)
		}
	}
	sources, sinks := t.ends()
	for source := range sources {
		if t.Pattern == "" || t.Pattern == "one-to-one" {
			add(Pair{source, source})
			continue
		}
		for sink := range sinks {
			add(Pair{source, sink})
		}
	}
	return out
}

// ends counts the sources and sinks that the pattern uses.
func (t Traffic) ends() (sources, sinks int) {
	sources, sinks = max(t.Sources, 1), max(t.Sinks, 1)
	switch t.Pattern {
	case "single":
		return 1, 1
	case "incast":
		return sources, 1
	case "outcast":
		return 1, sinks
	case "all-to-all":
		return sources, sinks
	}
	return max(sources, sinks), max(sources, sinks) // one-to-one: checked to be equal, or one not given
}

// flowCount is len(Pairs()).
func (t Traffic) flowCount() int {
	sources, sinks := t.ends()
	if t.Pattern == "" || t.Pattern == "one-to-one" {
		sinks = 1
	}
	return sources * sinks * max(t.Flows, 1)
}

// Places counts the CPUs that each role can make use of: as many as it has
// threads where flows share threads, else as many as it has sources or sinks.
// The flows of a single pair one-to-one are spread out: each is a place.
func (t Traffic) Places() (sources, sinks int) {
	sources, sinks = t.ends()
	switch {
	case t.Threads > 0:
		return t.Threads, t.Threads
	case t.spread():
		return max(t.Flows, 1), max(t.Flows, 1)
	}
	return sources, sinks
}

// spread says whether flows, not sources and sinks, are what places are for.
func (t Traffic) spread() bool {
	sources, sinks := t.ends()
	return (t.Pattern == "" || t.Pattern == "one-to-one") && sources == 1 && sinks == 1
}

// PlaceOf is the places of the ends of a flow, an index into Pairs: entries of
// ResolvedCPUs, over which the reader cycles where they are fewer.
func (t Traffic) PlaceOf(flow int) (source, sink int) {
	switch {
	case t.Threads > 0:
		return flow % t.Threads, flow % t.Threads
	case t.spread():
		return flow, flow
	}
	pair := flow / max(t.Flows, 1)
	if t.Pattern == "" || t.Pattern == "one-to-one" {
		return pair, pair
	}
	_, sinks := t.ends()
	return pair / sinks, pair % sinks
}
