package traffic

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A readiness lets one thread serve many ends: epoll says which are ready, and
// each gets a few calls in its turn.
type readiness struct {
	op     op // what is done with an end that is ready
	epoll  int
	fds    []int
	events [64]unix.EpollEvent
	n, pos int
	budget int
	// patience is for how many ms to wait: of rr over datagrams not long, for a
	// request may be lost.
	patience uintptr

	// rr: of each end, when its request was sent (0 = none is outstanding), and
	// how much of the request or response at hand has come.
	began   []int64
	partial []int
	number  []int64
	kicked  int64 // end of the window for which all ends were started
	waiting int   // requests outstanding
	search  int64 // when to look for requests that are too old
	closed  int   // ends whose stream is over
}

// turnBudget is how many calls an end gets before the next one's turn.
const turnBudget = 8

func (r *readiness) open(ends []*endpoint, sink bool, what op) (err error) {
	r.op, r.patience = what, forEver
	if what == opTransact && !ends[0].config.stream() {
		r.patience = 1
	}
	if r.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	events := uint32(unix.EPOLLIN)
	if !sink && what == opPlain {
		events = unix.EPOLLOUT
	}
	for i, e := range ends {
		// The requests of rr block, so that they are sent whole.
		if err := unix.SetNonblock(e.fd, what == opPlain); err != nil {
			return err
		}
		if err := unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, e.fd, &unix.EpollEvent{Events: events, Fd: int32(i)}); err != nil {
			return fmt.Errorf("epoll: %w", err)
		}
		r.fds = append(r.fds, e.fd)
	}
	r.began, r.partial, r.number = make([]int64, len(ends)), make([]int, len(ends)), make([]int64, len(ends))
	return nil
}

// next waits for ends that are ready if none is left.
//
//go:nosplit
func (r *readiness) next(timeout uintptr) (end int, errno syscall.Errno) {
	if r.pos == r.n {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(r.epoll), uintptr(unsafe.Pointer(&r.events)), uintptr(len(r.events)), timeout, 0, 0)
		if errno != 0 || n == 0 {
			return -1, errno
		}
		r.pos, r.n, r.budget = 0, int(n), turnBudget
	}
	return int(r.events[r.pos].Fd), 0
}

// done goes on to the next end.
//
//go:nosplit
func (r *readiness) done() { r.pos, r.budget = r.pos+1, turnBudget }

const forEver = ^uintptr(0)

// nextReady is a step of the end that is ready next.
//
//go:nosplit
func (l *loop) nextReady() (bytes, msgs int64, errno syscall.Errno) {
	if errno = l.findReady(); errno != 0 || l.current < 0 {
		return 0, 0, errno
	}
	switch l.ready.op {
	case opTransact:
		bytes, msgs, errno = l.hearOf(l.current, nanotime() < l.end)
	case opRespond:
		bytes, msgs, errno = l.respondTo(l.current)
	default:
		bytes, msgs, errno = l.plain()
	}
	if errno != 0 {
		return 0, 0, l.notReady(errno)
	}
	if l.ready.budget--; l.ready.budget <= 0 || l.ready.op != opPlain {
		l.ready.done()
	}
	return bytes, msgs, 0
}

// findReady makes the end that is ready next the current one; none is if it
// became late.
//
//go:nosplit
func (l *loop) findReady() (errno syscall.Errno) {
	r := &l.ready
	if r.op == opTransact {
		if errno := l.askAll(); errno != 0 {
			return errno
		}
	}
	if l.current, errno = r.next(r.patience); errno == 0 && l.current >= 0 {
		l.fd = uintptr(r.fds[l.current])
	}
	return errno
}

// notReady says what an end's error is to the others' thread.
//
//go:nosplit
func (l *loop) notReady(errno syscall.Errno) syscall.Errno {
	l.ready.done()
	switch {
	case errno == unix.EAGAIN && l.stop.Load(): // UDP without blocking does not say that it was shut down
		return errnoClosed
	case errno == unix.EAGAIN:
		return 0
	case errno == errnoClosed && l.over(errno):
		return l.forget()
	}
	return errno
}

// forget leaves an end alone whose stream is over, while others are not.
//
//go:nosplit
func (l *loop) forget() syscall.Errno {
	r := &l.ready
	syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(r.epoll), unix.EPOLL_CTL_DEL, l.fd, 0, 0, 0)
	if r.closed++; r.closed < len(r.fds) {
		return 0
	}
	return errnoClosed
}

// askAll sends the first requests of a window, and those after a lost one.
//
//go:nosplit
func (l *loop) askAll() syscall.Errno {
	r, now := &l.ready, nanotime()
	first := r.kicked != l.end
	if !first && (l.rpc.stream || now < r.search) {
		return 0
	}
	r.kicked = l.end
	l.expireAll(now)
	for i := 0; i < len(r.fds) && now < l.end; i++ {
		if errno := l.askOf(i); errno != 0 {
			return errno
		}
	}
	return 0
}

// expireAll gives up requests over datagrams that are too old.
//
//go:nosplit
func (l *loop) expireAll(now int64) {
	r := &l.ready
	if l.rpc.stream {
		return
	}
	r.search = now + l.rpc.timeout/4
	for i, began := range r.began {
		if began != 0 && now-began >= l.rpc.timeout {
			l.events[eventTimeout]++
			r.began[i] = 0
			r.waiting--
		}
	}
}

// askOf sends the next request of an end.
//
//go:nosplit
func (l *loop) askOf(end int) syscall.Errno {
	r := &l.ready
	if r.began[end] != 0 {
		return 0
	}
	if l.sizes != nil {
		l.resize()
	}
	r.number[end]++
	l.rpc.mark(&l.buf[0], r.number[end])
	began := nanotime()
	_, _, errno := syscall.RawSyscall6(l.number, uintptr(r.fds[end]), l.args[0], l.args[1], l.args[2], l.args[3], l.args[4])
	if errno == 0 {
		r.began[end] = began
		r.waiting++
	}
	return errno
}

// hearOf receives an end's response, and sends the next request if it may.
//
//go:nosplit
func (l *loop) hearOf(end int, more bool) (bytes, msgs int64, errno syscall.Errno) {
	r := &l.ready
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, l.fd, uintptr(unsafe.Pointer(&l.rpc.answer[0])), uintptr(l.rpc.response-r.partial[end]), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	if n == 0 {
		return l.empty()
	}
	if r.partial[end] += int(n); l.rpc.stream && r.partial[end] < l.rpc.response {
		return int64(n), 0, 0
	}
	r.partial[end] = 0
	if r.began[end] == 0 || !l.rpc.stream && l.rpc.behind(&l.rpc.answer[0], r.number[end]) != 0 {
		l.events[eventStale]++
		return 0, 0, 0
	}
	l.rpc.record(r.began[end], nanotime())
	r.began[end] = 0
	r.waiting--
	if more {
		errno = l.askOf(end)
	}
	return int64(n), 1, errno
}

// respondTo receives a request, or a part of it, and answers.
//
//go:nosplit
func (l *loop) respondTo(end int) (bytes, msgs int64, errno syscall.Errno) {
	r := &l.ready
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, l.fd, l.args[0], uintptr(l.rpc.request-r.partial[end]), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	if n == 0 {
		return l.empty()
	}
	if r.partial[end] += int(n); l.rpc.stream && r.partial[end] < l.rpc.request {
		return int64(n), 0, 0
	}
	r.partial[end] = 0
	l.echo()
	return int64(n), 1, l.reply(l.fd, uintptr(l.rpc.response))
}

// allOutstanding waits, after a window's end, for the responses under way.
//
//go:nosplit
func (l *loop) allOutstanding() syscall.Errno {
	r := &l.ready
	for r.waiting > 0 && !l.stop.Load() {
		end, errno := r.next(1) // ms
		if errno == 0 && end < 0 {
			l.expireAll(nanotime())
			continue
		}
		if errno == 0 {
			var bytes, msgs int64
			l.current, l.fd = end, uintptr(r.fds[end])
			bytes, msgs, errno = l.hearOf(end, false)
			r.done()
			l.count(bytes, msgs)
		}
		if errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
			if l.stop.Load() {
				return 0
			}
			return errno
		}
	}
	return 0
}
