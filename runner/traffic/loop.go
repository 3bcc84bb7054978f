package traffic

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/runner/detached"
)

// errPeerClosed says that the other end went away before the schedule's end.
var errPeerClosed = errors.New("the peer closed the connection before the end of the schedule")

// A loop is one thread of one role at work. There are two shapes: a source does
// steps while its windows last, a sink does steps until it is stopped. What a
// step is, the entry says (entry.go).
//
// stop is set, and the sockets shut down, when the schedule is over: that alone
// ends a blocked call.
//
// To Go's scheduler a whole loop is one long system call (package detached): with a
// P held the runtime's monitor thread would wake up 100 times a second, or, when
// threads go in and out of system calls, 300 times: 0.5 % of a CPU for each agent,
// measured. The price is that everything in a loop must be nosplit and must not
// allocate.
//
// System calls are package syscall's raw ones: unix.RawSyscall6 is the same
// behind an assembly jump and an ABI wrapper with a stack check.
type loop struct {
	*meter
	entry
	pace    pace
	turns   bool // every step waits for its intended time
	windows []Window
	end     int64 // of the window at work
	gate    *gate
	stop    *atomic.Bool
	first   sample // when the gate opened
	last    sample // when the loop was over

	// Of a Set with a Quota.
	counting *counting
	partner  *loop // the sink whose steps this source's thread makes; nil = none
	passive  bool  // the sink of such
	shown    shown
}

// run waits for the gate and works off the windows as source or sink.
func (l *loop) run(sink bool) error {
	var errno syscall.Errno
	detached.Enter()
	l.gate.wait()
	switch { // here, because stack is scarce
	case l.counting == nil:
		errno = l.work(sink)
	case l.passive: // its steps are made by the source's thread
		l.counting.over.wait()
	case sink:
		errno = l.countSink()
	case l.partner != nil:
		errno = l.countTurns()
	default:
		errno = l.countSource()
	}
	detached.Leave()
	switch {
	case errno == errnoClosed:
		return errPeerClosed
	case errno == 0:
		return nil
	case l.op == opTransact || l.op == opConnect:
		return fmt.Errorf("request or response: %w", errno)
	case sink:
		return fmt.Errorf("receive: %w", errno)
	}
	return fmt.Errorf("send: %w", errno)
}

// errnoClosed is no errno of the kernel: the peer closed before the end.
const errnoClosed syscall.Errno = 1 << 20

//go:nosplit
func (l *loop) work(sink bool) syscall.Errno {
	if l.meter == nil {
		return 0
	}
	l.take(&l.first)
	l.first.Drops = 0 // some may be older than this thread's waking
	if sink {
		return l.sink()
	}
	errno := l.source()
	l.overdue()
	return errno
}

// source does steps from Start to End of each window and sleeps in between.
// Windows that touch (live switching) run on without a pause.
//
//go:nosplit
func (l *loop) source() syscall.Errno {
	for i := range l.windows {
		w := &l.windows[i]
		detached.SleepUntil(w.Start)
		l.check() // a thread that slept for all of its window must not send in another's
		l.end, l.rpc.window = w.End, w
		l.slow.begin(l.meter.last)
		l.pace.begin(w)
		if l.watch != nil {
			l.watch.begin(i, w.Count)
		}
		l.turns = l.pace.paced && l.op != opSchedule
		for l.passed < edgesPerWindow*i+3 { // until the window's end
			if l.turns && !l.awaitTurn() {
				l.check() // the window is over
				continue
			}
			bytes, msgs, errno := l.step()
			if errno == 0 {
				if l.turns {
					l.pace.charge(msgs)
				}
				l.add(bytes, msgs)
				continue
			}
			l.check()
			if l.stop.Load() || l.over(errno) {
				return 0
			}
			if !l.passing(errno) {
				return errno
			}
		}
		if l.watch != nil {
			l.watch.after(w.End)
		}
		if errno := l.settle(); errno != 0 && !l.over(errno) {
			return errno
		}
	}
	return 0
}

// spin is how long before an instant a thread wakes up to wait for it awake:
// timers are late by tens of microseconds.
const spin = 60_000

// awaitTurn waits for the next intended time; false: it does not come before the
// window's end, which is waited for instead.
//
//go:nosplit
func (l *loop) awaitTurn() bool {
	at := l.pace.due()
	if l.watch != nil && l.watch.look < min(at, l.end) { // it would sleep over that
		detached.SleepUntil(l.watch.look)
		l.check()
	}
	l.await(min(at, l.end))
	if at >= l.end {
		return false
	}
	if l.pace.left == 0 {
		l.pace.open()
	}
	return true
}

// await sleeps until shortly before an instant and spins for the rest, which is
// no cost of what the loop is for: the meter keeps it apart.
//
//go:nosplit
func (l *loop) await(at int64) {
	now := nanotime()
	if at-now > spin {
		detached.SleepUntil(at - spin)
		now = nanotime()
	}
	l.idle += max(0, at-now)
	for now < at {
		now = nanotime()
	}
}

// sink does steps until the schedule is over; what arrives outside counted parts
// is received too, and counted by no window.
//
//go:nosplit
func (l *loop) sink() syscall.Errno {
	for {
		bytes, msgs, errno := l.step()
		if errno == 0 {
			if l.arrivals != nil {
				l.arrived()
			}
			l.add(bytes, msgs)
			continue
		}
		if l.spins && errno == unix.EAGAIN && !l.stop.Load() {
			l.events[eventEmpty]++
			l.add(0, 0)
			l.rest()
			continue
		}
		l.check()
		switch {
		case l.stop.Load(), l.over(errno): // without blocking, UDP does not say that it was shut down
			return 0
		case !l.passing(errno):
			return errno
		}
	}
}

// rest keeps a spinning sink from its CPU while others have their turn there:
// outside its windows it sleeps until something comes, or the next edge.
//
//go:nosplit
func (l *loop) rest() {
	if edge := l.passed % edgesPerWindow; edge == 1 || edge == 2 {
		return // from Start to End of a window
	}
	pause := int64(1e6) // after the last one: stop is set soon
	if l.passed < len(l.edges) {
		pause = l.next - nanotime()
	}
	if pause <= 0 {
		return
	}
	fds := unix.PollFd{Fd: int32(l.fd), Events: unix.POLLIN}
	limit := unix.Timespec{Sec: pause / 1e9, Nsec: pause % 1e9}
	syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	l.check()
}

// over says whether an error is the schedule's end: the other side's agent may
// end it a moment before ours does.
//
//go:nosplit
func (l *loop) over(errno syscall.Errno) bool {
	switch errno {
	case errnoClosed, unix.EPIPE, unix.ECONNRESET, unix.ECONNREFUSED:
		return nanotime() >= l.windows[len(l.windows)-1].End
	}
	return false
}

// passing says whether an error passes by itself; it is counted and the step
// made again.
//
//go:nosplit
func (l *loop) passing(errno syscall.Errno) bool {
	switch errno {
	case unix.ENOBUFS, unix.EAGAIN, unix.ENOMEM:
		l.events[eventRetry]++
		return true
	case unix.EADDRNOTAVAIL, unix.ECONNREFUSED, unix.ECONNRESET, unix.EPIPE:
		// Where every message has a connection of its own, one may fail.
		if l.op == opConnect || l.op == opAnswer {
			l.events[eventConnect]++
			return true
		}
	}
	return errno == unix.EINTR
}
