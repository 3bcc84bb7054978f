package traffic

import (
	"math/bits"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results"
)

// An rpc is one end's requests that wait for their responses. Requests are
// numbered; over datagrams the number travels in their first eight bytes, or
// its last byte where there is no room for more, and the other side sends it
// back.
type rpc struct {
	request, response int
	stream            bool
	long              bool // a number takes eight bytes
	unsent            int  // bytes of a stream's request that did not fit into the socket
	depth             int64
	think, timeout    int64
	head, tail        int64   // of the requests outstanding
	began             []int64 // by number modulo its length: when sent, or intended; 0 = answered
	answer            []byte  // buffer of responses, or of the server's
	partial           int     // bytes of the response at hand that have come
	window            *Window
	latency           []results.Histogram // by Window.Arm
	poll              unix.PollFd
	wait              unix.Timespec
}

// maxOutstanding of an open loop, where the other side may stall.
const maxOutstanding = 1 << 16

func (r *rpc) open(c *Config) {
	r.request, r.response = c.Message, max(c.Response, 1)
	r.stream = c.stream()
	r.long = min(r.request, r.response) >= 8
	r.depth, r.think, r.timeout = int64(max(c.Depth, 1)), c.Think, c.Timeout
	room := int64(maxOutstanding)
	if c.Rate == 0 {
		room = 1 << bits.Len64(uint64(r.depth))
	}
	r.began = make([]int64, room)
	r.answer = pattern(max(r.request, r.response))
}

// mark writes a request's number into its message, or its response.
//
//go:nosplit
func (r *rpc) mark(b *byte, number int64) {
	switch {
	case r.stream:
	case r.long:
		*(*int64)(unsafe.Pointer(b)) = number
	default:
		*b = byte(number)
	}
}

// behind is how far the number in a datagram is behind another.
//
//go:nosplit
func (r *rpc) behind(b *byte, number int64) int64 {
	if r.long {
		return *(*int64)(unsafe.Pointer(b)) - number
	}
	return int64(*b - byte(number))
}

// record keeps the latency of a transaction that began in the counted part of
// the window, whenever it ended.
//
//go:nosplit
func (r *rpc) record(began, now int64) {
	if w := r.window; w.Slice >= 0 && began >= w.Count && began < w.End {
		r.latency[w.Arm].Counts[results.HistogramBucket(now-began)]++
	}
}

// transact is a step of a closed loop: requests up to the depth, one response.
//
//go:nosplit
func (l *loop) transact() (bytes, msgs int64, errno syscall.Errno) {
	r := &l.rpc
	for r.head-r.tail < r.depth {
		began := nanotime()
		if l.turns {
			began = l.pace.now
		}
		if errno := l.ask(began, 0); errno != 0 {
			return 0, 0, errno
		}
	}
	bytes, msgs, errno = l.hear(0)
	if errno == unix.EAGAIN {
		// SO_RCVTIMEO: whatever was outstanding is lost.
		l.giveUp()
		return 0, 0, 0
	}
	if r.think > 0 && errno == 0 {
		l.await(nanotime() + r.think)
	}
	return bytes, msgs, errno
}

// giveUp counts all requests outstanding as lost; some behind a lost one may have
// been answered.
//
//go:nosplit
func (l *loop) giveUp() {
	r := &l.rpc
	for ; r.tail < r.head; r.tail++ {
		if began := &r.began[r.tail&int64(len(r.began)-1)]; *began != 0 {
			l.events[eventTimeout]++
			*began = 0
		}
	}
}

// ask sends a request, or the rest of one.
//
//go:nosplit
func (l *loop) ask(began int64, flags uintptr) syscall.Errno {
	r := &l.rpc
	if l.sizes != nil {
		l.resize()
	}
	r.mark(&l.buf[0], r.head)
	n, _, errno := syscall.RawSyscall6(l.number, l.fd, l.args[0], l.args[1], l.args[2]|flags, l.args[3], l.args[4])
	if errno != 0 {
		return errno
	}
	if r.stream {
		size := r.request
		if r.unsent > 0 {
			size = r.unsent
		}
		if r.unsent = size - int(n); r.unsent > 0 {
			l.length(r.unsent)
			return unix.EAGAIN
		} else if size < r.request {
			l.length(r.request)
		}
	}
	r.began[r.head&int64(len(r.began)-1)] = began
	r.head++
	return 0
}

// hear receives one response, or a part of one.
//
//go:nosplit
func (l *loop) hear(flags uintptr) (bytes, msgs int64, errno syscall.Errno) {
	r := &l.rpc
	if r.stream && flags == 0 {
		flags = unix.MSG_WAITALL
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, l.fd, uintptr(unsafe.Pointer(&r.answer[0])), uintptr(r.response-r.partial), flags, 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	if n == 0 {
		return l.empty()
	}
	number := r.tail
	if r.stream {
		if r.partial += int(n); r.partial < r.response {
			return int64(n), 0, 0
		}
		r.partial = 0
	} else {
		number += r.behind(&r.answer[0], r.tail)
	}
	slot := number & int64(len(r.began)-1)
	if number < r.tail || number >= r.head || r.began[slot] == 0 {
		l.events[eventStale]++
		return 0, 0, 0
	}
	r.record(r.began[slot], nanotime())
	r.began[slot] = 0
	for r.tail < r.head && r.began[r.tail&int64(len(r.began)-1)] == 0 {
		r.tail++
	}
	return int64(n), 1, 0
}

// schedule is a step of an open loop: the next request if its time has come,
// else a response, else waiting for either. Latency counts from the intended
// time, so that a stall of either side is in it (no coordinated omission).
//
//go:nosplit
func (l *loop) schedule() (bytes, msgs int64, errno syscall.Errno) {
	r := &l.rpc
	now := nanotime()
	due := l.pace.due()
	if due <= now && due < l.end && r.head-r.tail < int64(len(r.began)) {
		errno = l.ask(due, unix.MSG_DONTWAIT)
		if errno == 0 {
			if l.pace.left == 0 {
				l.pace.open()
			}
			l.pace.charge(1)
			return 0, 0, 0
		}
		if errno != unix.EAGAIN {
			return 0, 0, errno
		}
	}
	bytes, msgs, errno = l.hear(unix.MSG_DONTWAIT)
	if errno != unix.EAGAIN {
		return bytes, msgs, errno
	}
	l.expire(now)
	if wait := min(due, l.end) - now; wait > spin {
		l.awaitAnswer(wait - spin)
	} else if wait > 0 {
		l.idle += min(wait, nanotime()-now) // awake for the next request alone
	}
	return 0, 0, 0
}

// awaitAnswer waits for a response, or until so many ns are over.
//
//go:nosplit
func (l *loop) awaitAnswer(ns int64) {
	r := &l.rpc
	r.poll = unix.PollFd{Fd: int32(l.fd), Events: unix.POLLIN}
	r.wait = unix.Timespec{Sec: ns / 1e9, Nsec: ns % 1e9}
	syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&r.poll)), 1, uintptr(unsafe.Pointer(&r.wait)), 0, 0, 0)
}

// expire gives up requests over datagrams that are too old.
//
//go:nosplit
func (l *loop) expire(now int64) {
	r := &l.rpc
	if r.stream {
		return
	}
	for r.tail < r.head {
		began := &r.began[r.tail&int64(len(r.began)-1)]
		if *began != 0 {
			if now-*began < r.timeout {
				return
			}
			l.events[eventTimeout]++
			*began = 0
		}
		r.tail++
	}
}

// overdue gives up, when all is over, requests whose time is too: a thread that did
// not run meanwhile is told to stop before it could.
//
//go:nosplit
func (l *loop) overdue() {
	switch {
	case l.op == opTransact, l.op == opSchedule:
		l.expire(nanotime())
	case l.op == opReady && l.ready.op == opTransact:
		l.expireAll(nanotime())
	}
}

// outstanding waits, after a window's end, for the responses under way: left in
// the socket they would look as old as the pause until the next window.
//
//go:nosplit
func (l *loop) outstanding() syscall.Errno {
	r := &l.rpc
	for r.tail < r.head && !l.stop.Load() {
		bytes, msgs, errno := l.hear(unix.MSG_DONTWAIT)
		switch errno {
		case 0:
			l.count(bytes, msgs)
		case unix.EAGAIN:
			l.expire(nanotime())
			l.awaitAnswer(1e6)
		default:
			if l.stop.Load() {
				return 0
			}
			return errno
		}
	}
	return 0
}

// respond is a step of the other side: a request in, a response out.
//
//go:nosplit
func (l *loop) respond() (bytes, msgs int64, errno syscall.Errno) {
	r := &l.rpc
	if r.stream { // no more than the rest of the request at hand: the next may be there
		l.length(r.request - r.partial)
	}
	n, _, errno := syscall.RawSyscall6(l.number, l.fd, l.args[0], l.args[1], l.args[2], l.args[3], l.args[4])
	if errno != 0 {
		return 0, 0, errno
	}
	if n == 0 {
		return l.empty()
	}
	if r.stream {
		if r.partial += int(n); r.partial < r.request {
			return int64(n), 0, 0
		}
		r.partial = 0
	}
	l.echo()
	if errno := l.reply(l.fd, uintptr(r.response)); errno != 0 {
		return 0, 0, errno
	}
	return int64(n), 1, 0
}

// echo gives the response its request's number.
//
//go:nosplit
func (l *loop) echo() {
	if r := &l.rpc; !r.stream {
		r.mark(&r.answer[0], r.behind(&l.buf[0], 0))
	}
}

//go:nosplit
func (l *loop) reply(fd, size uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&l.rpc.answer[0])), size, unix.MSG_NOSIGNAL, 0, 0)
	return errno
}
