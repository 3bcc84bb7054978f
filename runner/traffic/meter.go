package traffic

import (
	"math"
	"unsafe"

	"netab/results"
	"netab/runner/detached"
)

// nanotime is the clock of loops.
//
//go:nosplit
func nanotime() int64 { return detached.Now() }

// Now returns CLOCK_MONOTONIC in ns, the clock of every Window.
func Now() int64 { return nanotime() }

// The clock is read once in stride steps; stride adapts so that reads are
// between minGap and maxGap apart, and a 64-byte datagram pays 1-2 ns for the
// clock, or 5 of 5000 where system calls are dear. Within nearEdge of an edge it
// is read at every message: an edge is seen by the first message after it.
const (
	minGap    = 20_000
	maxGap    = 40_000
	nearEdge  = 3 * maxGap
	maxStride = 64
)

// A sample is what a thread had done, and had cost, when it saw an edge.
type sample struct {
	Counts
	onCPU      int32 // where the thread ran
	softirqCPU int32 // where the softirq for its socket ran last; -1 = unknown
}

// Counts are what one role did, and cost, in a stretch of time. All are int64, so
// that sums are of whatever fields there are.
type Counts struct {
	Bytes int64 `json:"bytes"`
	Msgs  int64 `json:"msgs"`
	CPU   int64 `json:"cpu_ns"`
	Wait  int64 `json:"wait_ns"`
	Drops int64 `json:"drops"`
	Spun  int64 `json:"spun_ns,omitempty"` // of CPU, to slow the source down
	Idle  int64 `json:"idle_ns,omitempty"` // of CPU, spun until an intended time: the same threads might have slept
	// Context switches: sleeps, and others that took the CPU.
	Voluntary int64 `json:"voluntary,omitempty"`
	Involunt  int64 `json:"involuntary,omitempty"`
}

// of is what a worker's counts are of a slice. Of rr and crr a source counts the
// responses that it got: transactions.
func (c Counts) of(w *worker) (results.Counts, results.Switches) {
	if w.sink {
		return results.Counts{RxBytes: c.Bytes, RxMsgs: c.Msgs, Drops: c.Drops, SinkCPU: c.CPU, SinkWait: c.Wait},
			results.Switches{SinkVoluntary: c.Voluntary, SinkInvoluntary: c.Involunt}
	}
	out := results.Counts{TxBytes: c.Bytes, TxMsgs: c.Msgs, SourceCPU: c.CPU, SourceWait: c.Wait, SourceSpun: c.Spun, SourceIdle: c.Idle}
	if w.config.Kind.Answers() {
		out.Transactions, out.TxBytes = c.Msgs, c.Msgs*int64(w.config.Message)
	}
	return out, results.Switches{SourceVoluntary: c.Voluntary, SourceInvoluntary: c.Involunt}
}

// Plus adds.
func (c Counts) Plus(d Counts) Counts { return c.plus(d, 1) }

// between is what was done from one sample to another.
func between(a, b sample) Counts { return b.plus(a.Counts, -1) }

func (c Counts) plus(d Counts, sign int64) Counts {
	sum, more := c.fields(), d.fields()
	for i := range sum {
		sum[i] += sign * more[i]
	}
	return c
}

func (c *Counts) fields() *[unsafe.Sizeof(Counts{}) / 8]int64 {
	return (*[unsafe.Sizeof(Counts{}) / 8]int64)(unsafe.Pointer(c))
}

// A meter counts messages and takes a sample at each edge. Everything reached
// from add is nosplit: see loop.
type meter struct {
	// A meter is written at every message, and allocated beside that of a thread
	// on another CPU: on one cache line with it, UDP was 6 % slower. Two lines,
	// as processors fetch them in pairs.
	_ [128]byte

	bytes, msgs int64
	left        int32 // steps until the clock is read
	stride      int32
	last        int64 // when it was read last
	next        int64 // the edge awaited
	passed      int   // edges passed
	edges       []int64
	samples     []sample // one per edge
	thread      *thread
	fds         []int   // the first tells of the softirq, all of datagrams dropped
	dropped     []int64 // by each of fds before it was a flow's
	drops       bool    // sockets that drop
	everyStep   bool    // read the clock at every step
	slow        slowdown
	idle        int64    // ns spun so far until intended times
	beside      int64    // CPU time of threads that are not ours and work for this one
	own         []ownSum // of each end, where a thread has several
	current     int      // the end of the step at hand
	watch       *watch   // of one source of a set; nil = none

	_ [128]byte
}

// An ownSum is what one of several ends of a thread did.
type ownSum struct {
	bytes, msgs, drops       int64
	atCount, msgsAtCount     int64 // when the counted part at hand began
	counted, msgsWhenCounted int64 // in all counted parts
}

func newMeter(windows []Window, t *thread, fds []int, drops bool) *meter {
	m := &meter{edges: edges(windows), stride: 1, left: 1, thread: t, fds: fds, drops: drops}
	if len(fds) > 1 {
		m.own = make([]ownSum, len(fds))
	}
	m.samples = make([]sample, len(m.edges))
	m.last = nanotime()
	m.await()
	return m
}

// await sets next to the first edge not passed.
//
//go:nosplit
func (m *meter) await() {
	m.next = math.MaxInt64
	if m.passed < len(m.edges) {
		m.next = m.edges[m.passed]
	}
}

// add counts what a step did.
//
//go:nosplit
func (m *meter) add(bytes, msgs int64) {
	m.left--
	if m.left <= 0 {
		m.check()
		if m.slow.ratio > 0 {
			m.last = m.slow.spin(m.last)
		}
	}
	m.count(bytes, msgs)
}

// count counts without looking at the clock.
//
//go:nosplit
func (m *meter) count(bytes, msgs int64) {
	m.bytes += bytes
	m.msgs += msgs
	if m.own != nil && m.current >= 0 {
		m.own[m.current].bytes += bytes
		m.own[m.current].msgs += msgs
	}
}

// check reads the clock and takes a sample for every edge that has passed. The
// step at hand is not yet counted: a call that blocked over an edge belongs to
// what comes after it.
//
//go:nosplit
func (m *meter) check() {
	now := nanotime()
	if gap := now - m.last; gap > maxGap {
		// A call that blocked, or slow messages: look at every one again at
		// once, for the next may block too.
		m.stride = max(m.stride/2, 1)
		if gap > 64*maxGap {
			m.stride = 1
		}
	} else if gap < minGap && !m.everyStep {
		m.stride = min(m.stride*2, maxStride)
	}
	m.last, m.left = now, m.stride
	if now < m.next {
		if m.next-now < nearEdge {
			m.left = 1
		}
		if m.watch != nil && now >= m.watch.look {
			m.watch.before(now)
		}
		return
	}
	s := &m.samples[m.passed]
	m.take(s)
	for now >= m.next {
		m.samples[m.passed] = *s
		m.pass()
		m.await()
	}
}

// pass goes over one edge.
//
//go:nosplit
func (m *meter) pass() {
	edge := m.passed % edgesPerWindow
	m.passed++
	for i := range m.own {
		own := &m.own[i]
		switch edge {
		case 1:
			own.atCount, own.msgsAtCount = own.bytes, own.msgs
		case 2:
			own.counted += own.bytes - own.atCount
			own.msgsWhenCounted += own.msgs - own.msgsAtCount
		}
	}
}

// take reads what the thread has done and cost so far: three to six system
// calls, 2-4 us, once per edge; one more for each further socket.
//
//go:nosplit
func (m *meter) take(s *sample) {
	*s = sample{Counts: Counts{Bytes: m.bytes, Msgs: m.msgs, Spun: m.slow.spun, Idle: m.idle}, softirqCPU: -1}
	s.CPU = detached.CPUTime() + m.beside
	s.Wait = m.thread.waited()
	switches := m.thread.switches()
	s.Voluntary, s.Involunt = switches[0], switches[1]
	s.onCPU = m.thread.currentCPU()
	if len(m.fds) > 0 {
		s.softirqCPU = m.thread.incomingCPU(m.fds[0])
	}
	if !m.drops {
		return
	}
	for i := range m.fds {
		n := m.thread.socketDrops(m.fds[i])
		if m.dropped != nil {
			n -= m.dropped[i]
		}
		if m.own != nil {
			m.own[i].drops = n
		}
		s.Drops += n
	}
}

// finish takes the samples of edges that no message came after.
func (m *meter) finish() {
	var s sample
	m.take(&s)
	for m.passed < len(m.edges) {
		m.samples[m.passed] = s
		m.pass()
	}
}
