package traffic

import (
	"errors"
	"fmt"
	"maps"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/vocab"
)

// A WindowResult is the counted part of one window, summed over the ends.
type WindowResult struct {
	Slice int `json:"slice"`
	results.Counts
	Switches results.Switches `json:"switches"`
}

// Plus adds what another agent saw of the same slice.
func (w WindowResult) Plus(o WindowResult) WindowResult {
	return WindowResult{w.Slice, w.Counts.Plus(o.Counts), w.Switches.Plus(o.Switches)}
}

// An EndResult is one end's whole life. What is of the thread stands at the
// first of the ends that it served.
type EndResult struct {
	Flow       int              `json:"flow"`
	Sink       bool             `json:"sink"`
	Port       uint16           `json:"port"`
	Threads    int              `json:"threads"` // 1, or 0 where another end of the thread has it
	Total      Counts           `json:"total"`   // everything, settle and drain included
	Counted    Counts           `json:"counted"` // counted parts only
	CPUs       map[int]int      `json:"cpus"`    // CPU -> windows at whose end the thread was there
	SoftirqCPU map[int]int      `json:"softirq_cpu,omitempty"`
	TCP        map[string]int64 `json:"tcp,omitempty"`
	Congestion string           `json:"congestion,omitempty"`
	Events     map[string]int64 `json:"events,omitempty"`
	// Of the thread, over the run.
	Voluntary  int64 `json:"voluntary_switches"`
	Involunt   int64 `json:"involuntary_switches"`
	Migrations int64 `json:"migrations"`
}

// A GroupReport is what one kind of traffic of a Set did.
type GroupReport struct {
	Windows []WindowResult `json:"windows"`
	Ends    []EndResult    `json:"ends"`
	// Latency of transactions by Window.Arm.
	Latency []*results.Histogram `json:"latency,omitempty"`
	// CopyDelay of what the sinks received, by Window.Arm.
	CopyDelay []*results.Histogram `json:"copy_delay,omitempty"`
}

// A Report is what a Set did over one schedule.
type Report struct {
	Groups []GroupReport `json:"groups"` // in the order of the Set's Configs
	// Counters are what the machine counted in windows, where this set's sources
	// read it.
	Counters []Counted `json:"counters,omitempty"`
	// OwnCPU is the process's CPU time outside the role threads while the
	// schedule ran.
	OwnCPU int64 `json:"own_cpu_ns"`
	// Allocated is how many heap objects the process made meanwhile, and for the
	// report: none a message.
	Allocated int64 `json:"allocated"`
	// Late is how long after its beginning the schedule was known here.
	Late int64 `json:"late_ns,omitempty"`
	// Fault is why nothing here counts, for a reason that lies with the machine or
	// with netab and not with the traffic; "" = none.
	Fault string `json:"fault,omitempty"`
}

// msgs counts what all sinks received and all sources sent.
func (r *Report) msgs() (n int64) {
	for _, g := range r.Groups {
		for _, e := range g.Ends {
			n += e.Total.Msgs
		}
	}
	return n
}

// collect gathers the results of a worker's ends; it runs on its own thread.
func (w *worker) collect() {
	l := &w.loop
	if l.checker != nil {
		l.checker.Finish()
	}
	for i, e := range w.ends {
		e.result = EndResult{Flow: e.Flow, Sink: e.sink, Port: e.port}
		if l.own != nil {
			own := l.own[i]
			e.result.Total = Counts{Bytes: own.bytes, Msgs: own.msgs, Drops: own.drops}
			e.result.Counted = Counts{Bytes: own.counted, Msgs: own.msgsWhenCounted}
		}
		if w.config.Protocol == vocab.TCP && e.fd >= 0 {
			e.result.Congestion, _ = unix.GetsockoptString(e.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
			if !e.sink {
				e.result.TCP = tcpInfo(e.fd)
			}
		}
	}
	w.collectThread(&w.ends[0].result)
}

// collectThread adds what is of the thread to its first end's result.
func (w *worker) collectThread(r *EndResult) {
	l := &w.loop
	task := w.thread.account().Sub(w.before)
	r.Threads, r.CPUs, r.Events = 1, map[int]int{}, w.loop.happened()
	r.Voluntary, r.Involunt, r.Migrations = task.Voluntary, task.Involuntary, task.Migrations
	total, counts := between(l.first, l.last), Counts{}
	for i, win := range l.windows {
		if win.Slice < 0 {
			continue // warm-up
		}
		end := l.samples[edgesPerWindow*i+2]
		counts = counts.Plus(counted(l.samples, i))
		r.CPUs[int(end.onCPU)]++
		if end.softirqCPU >= 0 {
			if r.SoftirqCPU == nil {
				r.SoftirqCPU = map[int]int{}
			}
			r.SoftirqCPU[int(end.softirqCPU)]++
		}
	}
	if l.own != nil { // bytes and messages are the single ends'
		total.Bytes, total.Msgs, total.Drops = r.Total.Bytes, r.Total.Msgs, r.Total.Drops
		counts.Bytes, counts.Msgs, counts.Drops = r.Counted.Bytes, r.Counted.Msgs, r.Counted.Drops
	}
	r.Total, r.Counted = total, counts
}

// happened are the worker's events by name.
func (l *loop) happened() map[string]int64 {
	out := map[string]int64{}
	for i, n := range l.events {
		if n != 0 {
			out[eventNames[i]] = n
		}
	}
	if l.checker != nil {
		maps.Copy(out, l.checker.Events())
	}
	if l.match != nil && l.match.Corrupt > 0 {
		out[eventNames[eventCorrupt]] = l.match.Corrupt
	}
	return out
}

func (s *Set) report(windows []Window, own int64) (*Report, error) {
	r := &Report{Groups: make([]GroupReport, len(s.configs)), OwnCPU: own}
	for i := range r.Groups {
		r.Groups[i].Windows = make([]WindowResult, len(windows))
		for j, w := range windows {
			r.Groups[i].Windows[j].Slice = w.Slice
		}
	}
	var errs []error
	for _, w := range s.workers {
		if w.err != nil {
			errs = append(errs, w.failure())
		}
		if w.loop.meter == nil {
			continue
		}
		r.OwnCPU -= between(w.loop.first, w.loop.last).CPU - w.loop.beside
		r.Groups[w.ends[0].Group].add(w, windows)
		if w.loop.watch != nil {
			r.Counters = w.loop.watch.counted(windows)
			w.loop.watch.close()
		}
	}
	r.OwnCPU = max(r.OwnCPU, 0)
	return r, errors.Join(errs...)
}

// add adds what a worker did.
func (g *GroupReport) add(w *worker, windows []Window) {
	for _, e := range w.ends {
		g.Ends = append(g.Ends, e.result)
	}
	for i := range windows {
		did := WindowResult{Slice: windows[i].Slice}
		did.Counts, did.Switches = counted(w.loop.samples, i).of(w)
		if w.sink && windows[i].Tail > 0 {
			did.LateBytes = late(w.loop.samples, i, w.loop.last)
		}
		g.Windows[i] = g.Windows[i].Plus(did)
	}
	switch {
	case w.sink && w.loop.arrivals != nil:
		g.CopyDelay = mergeEach(g.CopyDelay, w.loop.arrivals.delay)
	case !w.sink && w.config.Kind.Answers():
		g.Latency = mergeEach(g.Latency, w.loop.rpc.latency)
	}
}

// mergeEach adds histograms to those of the same arms.
func mergeEach(sums []*results.Histogram, more []results.Histogram) []*results.Histogram {
	if sums == nil {
		sums = make([]*results.Histogram, len(more))
	}
	for i := range more {
		if sums[i] == nil {
			sums[i] = &results.Histogram{}
		}
		sums[i].Merge(&more[i])
	}
	return sums
}

func (w *worker) failure() error {
	role := "source"
	if w.sink {
		role = "sink"
	}
	if len(w.ends) > 1 {
		return fmt.Errorf("%s thread of %d flows: %w", role, len(w.ends), w.err)
	}
	return fmt.Errorf("%s of flow %d: %w", role, w.ends[0].Flow, w.err)
}

// ProcessCPU is the CPU time of this whole process in ns.
func ProcessCPU() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
