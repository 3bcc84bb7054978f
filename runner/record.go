package runner

import (
	"maps"
	"slices"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/agent"
	"netab/runner/place"
	"netab/runner/probe"
	"netab/runner/topology"
	"netab/runner/traffic"
	"netab/scenarios"
)

// An indexed slice knows its place in the session's schedule.
type indexed struct {
	results.Slice
	index int
}

// windowsOf sums what all agents report of one group, by slice.
func (l *live) windowsOf(g int) map[int]traffic.WindowResult {
	byIndex := map[int]traffic.WindowResult{}
	for _, r := range l.reports {
		for _, w := range r.Groups[g].Windows {
			byIndex[w.Slice] = w.Plus(byIndex[w.Slice])
		}
	}
	return byIndex
}

// slices turns what the agents report into the trial's records.
func (l *live) slices(turns []turn, offset int64) []indexed {
	var windows []map[int]traffic.WindowResult
	for g := range l.groups {
		windows = append(windows, l.windowsOf(g))
	}
	counted := l.counters()
	var out []indexed
	for _, t := range turns {
		if t.slice < 0 || !slices.Contains(l.arms, t.arm) {
			continue
		}
		w := windows[0][t.slice] // zeros, where the traffic has failed
		s := results.Slice{Block: t.block, Arm: t.arm, StartNS: offset + t.start, CountedNS: t.end - t.count, Rate: t.rate,
			Counts: w.Counts, Switches: l.switches(w)}
		if c, ok := counted[t.slice]; ok {
			s.Counters = &c.Sum
		}
		for g, group := range l.groups[1:] {
			if s.Beside == nil {
				s.Beside = map[string]results.Counts{}
			}
			s.Beside[group.name] = windows[g+1][t.slice].Counts
		}
		out = append(out, indexed{index: t.slice, Slice: s})
	}
	for _, arm := range l.arms {
		boundCPU(out, arm, l.arm.CPUs)
	}
	return out
}

// boundCPU holds a pinned role's CPU time in the slices of an arm to what its CPUs
// have. A thread that did not run when an edge came sees it up to 40 us of its own
// time later, and of hundreds of threads that share a CPU most did not: a slice
// gets some of its neighbour's, which cancels but for the last, and 500 flows
// used 102.6 % of one CPU.
func boundCPU(all []indexed, arm int, cpus scenarios.ResolvedCPUs) {
	bound := func(pinned []int, of func(*results.Slice) *int64) {
		var used, has int64
		for i := range all {
			if all[i].Arm == arm {
				used, has = used+*of(&all[i].Slice), has+all[i].CountedNS
			}
		}
		has *= int64(len(slices.Compact(slices.Sorted(slices.Values(pinned)))))
		if has == 0 || used <= has {
			return
		}
		for i := range all {
			if all[i].Arm == arm {
				ns := of(&all[i].Slice)
				*ns = int64(float64(*ns) * float64(has) / float64(used))
			}
		}
	}
	bound(cpus.Source, func(s *results.Slice) *int64 { return &s.SourceCPU })
	bound(cpus.Sink, func(s *results.Slice) *int64 { return &s.SinkCPU })
}

// armTrials are the setup's whole-trial records, one for each arm that it served
// in the session.
func (l *live) armTrials(served []int, turns []turn, settings map[int][]results.Setting, machines hostDeltas) []results.ArmTrial {
	main := l.ends(0)
	base := results.ArmTrial{Shared: len(served) > 1 && len(l.arms) > 1,
		Source: main.source, Sink: main.sink, Flows: main.flows, Beside: l.beside(0)}
	source, sink := l.net[l.built.Source.Agent], l.net[l.built.Sink.Agent]
	base.SinkNet, base.SinkDev = sink.Net, sink.Dev
	if l.built.Source.Agent != l.built.Sink.Agent {
		base.SourceNet, base.SourceDev = source.Net, source.Dev
	}
	if l.hasLedger() && l.failed == nil {
		base.Ledger = l.ledger(main.sent, main.received, machines.cpusOf(l.built.Places()))
	}
	counted := l.counters()
	var out []results.ArmTrial
	for i, a := range l.arms {
		if !slices.Contains(served, a) {
			continue
		}
		t := base
		t.Arm = a
		t.Latency, t.Beside = l.latency(0, i), l.beside(i)
		t.CopyDelay = l.merged(i, func(r *traffic.Report) []*results.Histogram { return r.Groups[0].CopyDelay })
		t.Counters = armCounters(counted, turns, a)
		t.Knobs = append(append([]results.Setting{}, l.settings...), settings[a]...)
		out = append(out, t)
	}
	return out
}

// hasLedger says whether the kernel's counters of UDP are about the main traffic's
// messages alone: there are no responses, and no UDP beside it.
func (l *live) hasLedger() bool {
	t := &l.groups[0].traffic
	others := slices.ContainsFunc(l.groups[1:], func(g group) bool { return g.traffic.Protocol == vocab.UDP })
	return t.Protocol == vocab.UDP && t.Kind != vocab.RR && !others
}

// A groupEnds is what all ends of one group did over the trial.
type groupEnds struct {
	source, sink   results.RoleDelta
	flows          []results.Flow
	sent, received traffic.Counts
}

func (l *live) ends(g int) groupEnds {
	out := groupEnds{flows: make([]results.Flow, len(l.groups[g].flows))}
	out.source.CPUs, out.sink.CPUs = map[int]int{}, map[int]int{}
	out.source.Pinned, out.sink.Pinned = l.arm.CPUs.Source, l.arm.CPUs.Sink
	for _, r := range l.reports {
		for _, e := range r.Groups[g].Ends {
			if e.Sink {
				addRole(&out.sink, e)
				out.received = out.received.Plus(e.Total)
			} else {
				addRole(&out.source, e)
				out.sent = out.sent.Plus(e.Total)
			}
			addFlow(&out.flows[e.Flow], e)
		}
	}
	return out
}

// latency merges what the sources of a group saw of an arm of the setup, by number;
// nil if it has no transactions.
func (l *live) latency(g, arm int) *results.Histogram {
	return l.merged(arm, func(r *traffic.Report) []*results.Histogram { return r.Groups[g].Latency })
}

// merged merges what all reports have of an arm; nil if none has it.
func (l *live) merged(arm int, of func(*traffic.Report) []*results.Histogram) *results.Histogram {
	var sum *results.Histogram
	for _, r := range l.reports {
		if each := of(r); arm < len(each) {
			if sum == nil {
				sum = &results.Histogram{}
			}
			sum.Merge(each[arm])
		}
	}
	return sum
}

// beside is the record of the groups beside the main one.
func (l *live) beside(arm int) map[string]results.Beside {
	var out map[string]results.Beside
	for i, group := range l.groups[1:] {
		if out == nil {
			out = map[string]results.Beside{}
		}
		e := l.ends(i + 1)
		out[group.name] = results.Beside{Source: e.source, Sink: e.sink, Flows: e.flows, Latency: l.latency(i+1, arm)}
	}
	return out
}

func addRole(r *results.RoleDelta, e traffic.EndResult) {
	r.Threads += e.Threads
	r.CPUNS += e.Total.CPU
	r.WaitNS += e.Total.Wait
	r.Voluntary += e.Voluntary
	r.Involunt += e.Involunt
	r.Migrations += e.Migrations
	for cpu, n := range e.CPUs {
		r.CPUs[cpu] += n
	}
	for name, n := range e.Events {
		if r.Events == nil {
			r.Events = map[string]int64{}
		}
		r.Events[name] += n
	}
}

func addFlow(f *results.Flow, e traffic.EndResult) {
	thread := results.Thread{CPUNS: e.Total.CPU, WaitNS: e.Total.Wait,
		Voluntary: e.Voluntary, Involunt: e.Involunt, Migrations: e.Migrations}
	if e.Sink {
		f.Sink = thread
		f.SinkPort = int(e.Port)
		f.RxBytes = e.Counted.Bytes
		f.Drops = e.Total.Drops
		f.SoftirqCPU = maps.Clone(e.SoftirqCPU)
		return
	}
	f.Source = thread
	f.SourcePort = int(e.Port)
	f.AckCPU = maps.Clone(e.SoftirqCPU)
	f.TCP, f.Congestion = e.TCP, e.Congestion
}

// ownCPU is what the setup's agents at a place used beside their role threads.
func (l *live) ownCPU(at place.Place) int64 {
	var n int64
	for a, r := range l.reports {
		if l.built.PlaceOf(a) == at {
			n += r.OwnCPU
		}
	}
	return n
}

// differences keeps what the namespaces' counters did.
func (l *live) differences(after map[*agent.Agent]probe.Namespace) {
	l.net = map[*agent.Agent]probe.Namespace{}
	for a, n := range after {
		l.net[a] = n.Sub(l.before[a])
	}
}

// ledger accounts for every datagram of the setup. For flows in both directions
// each namespace is that of sources and of sinks.
func (l *live) ledger(sent, received traffic.Counts, cpus []results.CPUDelta) results.Ledger {
	t := &l.groups[0].traffic
	source, sink := l.net[l.built.Source.Agent], l.net[l.built.Sink.Agent]
	switch {
	case t.Direction == "reverse":
		source, sink = sink, source
	case t.Direction == "both" && l.built.Source.Agent != l.built.Sink.Agent:
		source = probe.Namespace{Net: sum(source.Net, sink.Net), Dev: sum(source.Dev, sink.Dev)}
		sink = source
	}
	u := probe.UDP{Sent: sent.Msgs, Received: received.Msgs, SocketDrops: received.Drops,
		Source: source, Sink: sink, SoftnetDropped: probe.SoftnetDropped(cpus)}
	u.IP = 4
	if l.built.Sink.Addr.Is6() {
		u.IP = 6
	}
	l.trains(&u, t)
	return probe.Ledger(u)
}

// maxGRO is how many datagrams UDP_GRO puts together at most (UDP_GRO_CNT_MAX,
// net/ipv4/udp_offload.c).
const maxGRO = 64

// trains says how packets and datagrams go together.
func (l *live) trains(u *probe.UDP, t *scenarios.Traffic) {
	datagram := t.Message
	if t.Source.Segment > 0 {
		datagram = t.Source.Segment
		u.Train = int((t.Message + t.Source.Segment - 1) / t.Source.Segment)
	}
	if t.Sink.GRO {
		u.SinkTrain = maxGRO
	}
	if t.Kind == vocab.Multicast {
		u.Copies = len(l.groups[0].flows)
	}
	u.Around = t.Source.Path == "packet" || t.Source.Path == "pktgen"
	u.Apart = l.arm.Config.Topology.Kind == vocab.NIC
	u.Fragments = fragments(l.built.Source, int(datagram))
}

// fragments is into how many IP fragments a datagram is cut on its way.
func fragments(side topology.Side, message int) int {
	link, err := side.Link()
	if err != nil || link.MTU == 0 {
		return 0
	}
	header := 20
	if side.Addr.Is6() {
		header = 40 + 8
	}
	if message+8+header <= link.MTU {
		return 0
	}
	each := (link.MTU - header) &^ 7
	return (message + 8 + each - 1) / each
}

func sum(a, b map[string]int64) map[string]int64 {
	out := maps.Clone(a)
	for name, n := range b {
		out[name] += n
	}
	return out
}
