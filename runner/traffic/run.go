package traffic

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/probe"
)

// A worker is one thread of one role, and the ends that it serves.
type worker struct {
	config *Config
	sink   bool
	ends   []*endpoint
	thread *thread
	before probe.Thread
	loop   loop
	err    error
}

// makeWorkers gives every end its thread: one each, or in turn as many as the
// traffic's Threads.
func (s *Set) makeWorkers() {
	type role struct {
		config *Config
		sink   bool
	}
	shared := map[role][]*worker{}
	count := map[role]int{}
	for _, e := range s.endpoints {
		r := role{e.config, e.sink}
		if n := count[r]; e.config.Threads > 0 && n >= e.config.Threads {
			w := shared[r][n%e.config.Threads]
			w.ends = append(w.ends, e)
		} else {
			w := &worker{config: e.config, sink: e.sink, ends: []*endpoint{e}}
			s.workers = append(s.workers, w)
			shared[r] = append(shared[r], w)
		}
		count[r]++
	}
}

// Prepare starts the threads, each pinned and with its memory ready, and
// returns when all wait for Run behind the gate.
func (s *Set) Prepare() error {
	s.makeWorkers()
	// A P for every thread: on its way to the gate a pinned thread may wait long
	// for its CPU, and must not keep a P from the others meanwhile. This stops
	// the world, which must not happen once loops run. A P is 10 KiB, so many
	// threads come to the gate one after the other.
	runtime.GOMAXPROCS(min(len(s.workers)+4, maxPs))
	var ready sync.WaitGroup
	for _, w := range s.workers {
		ready.Add(1)
		s.ended.Go(func() { s.work(w, ready.Done) })
	}
	ready.Wait()
	var errs []error
	for _, w := range s.workers {
		if w.err != nil {
			errs = append(errs, w.failure())
		}
	}
	return errors.Join(errs...)
}

const maxPs = 256

// work is the life of one role thread.
func (s *Set) work(w *worker, ready func()) {
	w.loop.gate, w.loop.stop = &s.gate, &s.stop[0]
	if w.sink {
		w.loop.stop = &s.stop[1]
	}
	if w.err = w.enter(len(s.workers)); w.err != nil {
		w.err = errors.Join(w.err, w.loop.close())
		ready()
		return
	}
	defer w.thread.close()
	w.before = w.thread.account()
	ready()
	if w.loop.op == opKernel {
		w.err = w.loop.kernel.run(&w.loop)
	} else {
		w.err = w.loop.run(w.sink)
	}
	w.err = errors.Join(w.err, w.loop.close())
	if w.loop.meter == nil {
		return // the set was closed before Run
	}
	w.loop.finish()
	w.loop.take(&w.loop.last)
	w.collect()
}

// enter binds the worker to its thread and opens its entry.
func (w *worker) enter(threads int) (err error) {
	if w.thread, err = enterThread(w.ends[0].CPUs); err != nil {
		return err
	}
	role := &w.config.Source
	if w.sink {
		role = &w.config.Sink
	}
	if err := role.schedule(); err != nil {
		w.thread.close()
		return err
	}
	return w.loop.entry.open(w, threads)
}

// buffer begins on a page of its own, so that a message lies on as few as it can
// wherever the allocator has room: where each system call empties the TLB, every
// further page is paid for with each message.
func buffer(size int) []byte {
	page := os.Getpagesize()
	b := make([]byte, size+page)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (page - 1)
	return b[skip:][:size:size]
}

// pattern fills a message: neither zeros nor one page shared by all.
func pattern(size int) []byte {
	b := buffer(size)
	for i := range min(size, 256) {
		b[i] = byte(i * 167)
	}
	for done := 256; done < size; done *= 2 {
		copy(b[done:], b[:done])
	}
	return b
}

// After the last window sinks go on receiving until what is under way has
// arrived, so that the ledger of a whole trial balances: at least leastDrain,
// and at most maxDrain where a queue does not run empty.
const (
	leastDrain = 3 * time.Millisecond
	maxDrain   = 300 * time.Millisecond
)

// Run works off the windows and returns when the whole schedule, of which the
// windows are a part, is over: what an agent does afterwards would take time
// from the last slices of others. An error of any end is returned beside the
// report of the others; what is none of the traffic's is the report's Fault.
func (s *Set) Run(windows []Window, end int64) (*Report, error) {
	if len(windows) == 0 {
		return &Report{Groups: make([]GroupReport, len(s.configs))}, nil
	}
	for _, w := range s.workers {
		w.start(windows)
	}
	if w := s.watcher(); w != nil {
		w.loop.watch = newWatch(windows)
	}
	objects := allocated()
	own := ProcessCPU()
	late := Now() - windows[0].Start
	s.gate.open()
	end = max(end, windows[len(windows)-1].End)
	time.Sleep(time.Duration(end-Now()) + leastDrain)
	own = ProcessCPU() - own
	s.finish()
	objects = allocated() - objects
	r, err := s.report(windows, own)
	r.Allocated = objects
	if few := 10_000 + 300*int64(len(s.workers)) + r.msgs()/100; objects > few { // each worker's report is made of some
		r.Fault = fmt.Sprintf("the process made %d heap objects while slices ran: a loop allocates, which is a fault of netab", objects)
	}
	if late > 0 {
		// Slices would hold less than their time, and nobody would see it.
		r.Late, r.Fault = late, fmt.Sprintf("the schedule began %v before it was known here: the machine was too busy", time.Duration(late))
	}
	return r, err
}

// watcher is the worker that reads the machine's counters: the first source of the
// main traffic, if a thread of netab's sends; nil if there is none.
func (s *Set) watcher() *worker {
	i := slices.IndexFunc(s.workers, func(w *worker) bool { return !w.sink && w.ends[0].Group == 0 && w.loop.op != opKernel })
	if i < 0 {
		return nil
	}
	return s.workers[i]
}

// start gives the worker its windows.
func (w *worker) start(windows []Window) {
	fds, dropped := make([]int, 0, len(w.ends)), make([]int64, 0, len(w.ends))
	for _, e := range w.ends {
		if e.fd >= 0 {
			fds, dropped = append(fds, e.fd), append(dropped, e.dropped)
		}
	}
	l, c, e, ends := &w.loop, w.config, w.ends[0], float64(len(w.ends))
	l.meter = newMeter(windows, w.thread, fds, w.sink && !c.stream())
	l.meter.dropped = dropped
	l.windows = windows
	if !w.sink {
		l.slow = newSlowdown(c.Source.Slowdown)
	}
	l.pace = pace{rate: c.Rate * ends, share: e.Share * ends, phase: e.Phase, burst: max(int64(c.Burst), c.step())}
	arms, paced := 1, c.Rate > 0
	for _, win := range windows {
		arms, paced = max(arms, win.Arm+1), paced || win.Rate > 0
	}
	if !w.sink && (c.Kind.Answers() || c.Kind.Connects()) {
		l.rpc.latency = make([]results.Histogram, arms)
	}
	if l.arrivals != nil {
		l.arrivals.delay = make([]results.Histogram, arms)
	}
	// Where a step is long against reading the clock, every edge is seen at once.
	l.everyStep = c.Kind == vocab.RR || c.Kind.Connects() || paced
}

// allocated counts the heap objects made so far. It stops the world, without which
// objects are counted long after they were made: not while loops run.
func allocated() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Mallocs)
}

// finish ends the sources, then the sinks when they have received everything.
func (s *Set) finish() {
	s.halt(false)
	for deadline := time.Now().Add(maxDrain); time.Now().Before(deadline) && !s.drained(); {
		time.Sleep(time.Millisecond)
	}
	s.halt(true)
	s.join()
}

// join waits for the threads. One with a socket for each message may wait for a
// peer that says nothing, on a socket that only it knows of.
func (s *Set) join() {
	all := make(chan struct{})
	go func() {
		s.ended.Wait()
		close(all)
	}()
	for {
		select {
		case <-all:
			return
		case <-time.After(maxDrain):
		}
		for _, w := range s.workers {
			if fd := w.loop.peer.fd.Load(); fd > 0 {
				unix.Shutdown(int(fd), unix.SHUT_RDWR)
			}
		}
	}
}

// halt ends a role's blocked calls: shutdown wakes TCP and, though it then
// says ENOTCONN, UDP.
func (s *Set) halt(sinks bool) {
	stop := &s.stop[0]
	if sinks {
		stop = &s.stop[1]
	}
	stop.Store(true)
	for _, e := range s.endpoints {
		if e.sink != sinks || e.fd < 0 {
			continue
		}
		how := unix.SHUT_WR
		if sinks || e.config.Kind.Answers() { // whose source may wait for a response
			how = unix.SHUT_RDWR
		}
		unix.Shutdown(e.fd, how)
	}
}

// drained says whether the sinks' receive queues are empty and the streams over:
// what a sender still holds back (pacing, a slow device) comes before its end.
func (s *Set) drained() bool {
	for _, e := range s.endpoints {
		if !e.sink || e.fd < 0 {
			continue
		}
		if e.config.stream() && !ended(e.fd, e.config.Kind.Connects()) {
			return false
		}
		if queued, err := unix.IoctlGetInt(e.fd, unix.SIOCINQ); err == nil && queued > 0 {
			return false
		}
	}
	return true
}

// ended says whether the peer has closed and all of its stream is here, or
// whether a listener has nobody waiting (TCP_INFO says so in Unacked).
func ended(fd int, listener bool) bool {
	if listener {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err != nil || info.Unacked == 0
	}
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	_, err := unix.Poll(p, 0)
	return err == nil && p[0].Revents != 0
}
