package traffic

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// step makes one step: bytes and messages moved, or the errno.
// errnoClosed says that a stream is over.
//
//go:nosplit
func (l *loop) step() (bytes, msgs int64, errno syscall.Errno) {
	switch l.op {
	case opPlain:
		return l.plain()
	case opAlike:
		return l.alike()
	case opBatch:
		return l.several()
	case opSendfile:
		return l.sendfile()
	case opSpliceOut:
		return l.spliceOut()
	case opSpliceIn:
		return l.spliceIn()
	case opZeroCopy:
		l.unpin()
		bytes, msgs, errno = l.plain()
		if l.full = errno == unix.ENOBUFS; errno == 0 {
			l.copies.pending++
		}
		return bytes, msgs, errno
	case opMapped:
		return l.receiveMapped()
	case opURing:
		return l.uring()
	case opPacket:
		return l.sendFrames()
	case opTransact:
		return l.transact()
	case opSchedule:
		return l.schedule()
	case opRespond:
		return l.respond()
	case opConnect:
		return l.connect()
	case opAnswer:
		return l.answer()
	}
	return l.nextReady()
}

// settle is what is left to do when a window is over.
//
//go:nosplit
func (l *loop) settle() syscall.Errno {
	switch l.op {
	case opTransact, opSchedule:
		return l.outstanding()
	case opReady:
		if l.ready.op == opTransact {
			return l.allOutstanding()
		}
	case opZeroCopy:
		l.reap()
	}
	return 0
}

// plain is one call that moves one message, or with UDP_SEGMENT and UDP_GRO a
// train of datagrams.
//
//go:nosplit
func (l *loop) plain() (bytes, msgs int64, errno syscall.Errno) {
	if l.sizes != nil {
		l.resize()
	}
	if l.stamp != nil || l.fill != nil {
		l.prepare()
	}
	n, _, errno := syscall.RawSyscall6(l.number, l.fd, l.args[0], l.args[1], l.args[2], l.args[3], l.args[4])
	if errno != 0 {
		if l.stamp != nil {
			l.stamp.Unsent(l.stamped)
		}
		return 0, 0, errno
	}
	if n > 0 && (l.checker != nil || l.match != nil || l.fill != nil) {
		l.inspect(int64(n))
	}
	if n == 0 {
		return l.empty()
	}
	if l.unit > 0 {
		return int64(n), (int64(n) + l.unit - 1) / l.unit, 0
	}
	return int64(n), 1, 0
}

// alike is as many calls as there are until the clock is due (meter.add), or
// until one fails. All but the last are counted here, and the last by who made
// the step, which may find that it was over an edge.
//
//go:nosplit
func (l *loop) alike() (bytes, msgs int64, errno syscall.Errno) {
	if errno = l.refused; errno != 0 {
		l.refused = 0
		if errno == errnoClosed {
			return l.empty()
		}
		return 0, 0, errno
	}
	times := int64(max(l.left, 1))
	if l.turns && l.next-l.meter.last > nearEdge {
		times = l.pace.dueBy(l.meter.last)
	}
	bytes, last, calls, failed := repeat(&l.systemCall, times)
	if calls == 0 && syscall.Errno(failed) == errnoClosed {
		return l.empty()
	}
	if calls == 0 {
		return 0, 0, syscall.Errno(failed)
	}
	if l.turns {
		l.pace.charge(calls - 1)
	}
	l.refused = syscall.Errno(failed)
	l.left -= int32(calls - 1)
	l.count(bytes-last, calls-1)
	return last, 1, 0
}

// sendFrames is a step of an AF_PACKET ring, which may send some frames and then
// be refused.
//
//go:nosplit
func (l *loop) sendFrames() (bytes, msgs int64, errno syscall.Errno) {
	bytes, msgs, errno = l.frames.Send()
	if msgs > 0 && errno != 0 && l.passing(errno) {
		errno = 0
	}
	return bytes, msgs, errno
}

// several is one call that moves several messages.
//
//go:nosplit
func (l *loop) several() (bytes, msgs int64, errno syscall.Errno) {
	for i := range l.headers {
		if l.stamp != nil {
			l.stampEach(l.bufferAt(i))
		}
	}
	n, _, errno := syscall.RawSyscall6(l.number, l.fd, l.args[0], l.args[1], l.args[2], 0, 0)
	if errno != 0 {
		n = 0
	}
	if l.stamp != nil {
		l.stamp.Unsent(l.stamped * (len(l.headers) - int(n)))
	}
	if errno != 0 {
		return 0, 0, errno
	}
	if int(n) < len(l.headers) && l.number == unix.SYS_SENDMMSG {
		l.events[eventRetry]++ // an error that the kernel keeps to itself
	}
	empty := int64(0)
	for i := range l.headers[:n] {
		got := int64(l.headers[i].len)
		if got == 0 {
			empty++
			continue
		}
		if l.checker != nil {
			l.checkEach(l.bufferAt(i)[:got])
		}
		bytes += got
		if l.unit > 0 {
			msgs += (got + l.unit - 1) / l.unit
		}
	}
	if l.flags&unix.MSG_ZEROCOPY != 0 {
		if l.copies.pending += int64(n); l.copies.pending >= maxPending {
			l.reap()
		}
	}
	if bytes == 0 && l.stop.Load() {
		return 0, 0, errnoClosed // a socket that was shut down gives empty messages for ever
	}
	if empty > 0 {
		l.events[eventStranger] += empty
	}
	if l.unit == 0 {
		msgs = int64(n) - empty
	}
	return bytes, msgs, 0
}

// bufferAt is the buffer of one message of a batch.
//
//go:nosplit
func (p *entry) bufferAt(i int) []byte {
	return unsafe.Slice(p.vectors[i].Base, len(p.buf))
}

// resize gives the next message its size.
//
//go:nosplit
func (l *loop) resize() {
	size := l.sizes[l.turn]
	if l.turn++; l.turn == len(l.sizes) {
		l.turn = 0
	}
	l.length(size)
}

// length gives the next call its size.
//
//go:nosplit
func (l *loop) length(size int) {
	l.vectors[0].Len = uint64(size)
	if l.number != unix.SYS_SENDMSG && l.number != unix.SYS_RECVMSG {
		l.args[1] = uintptr(size)
	}
}

// prepare stamps the next message.
//
//go:nosplit
func (l *loop) prepare() {
	if l.stamp != nil {
		l.stampEach(unsafe.Slice(l.vectors[0].Base, l.vectors[0].Len))
	} else {
		l.fill.Fill(l.buf)
	}
}

// stampEach numbers the datagrams that one message of a call is cut into.
//
//go:nosplit
func (l *loop) stampEach(b []byte) {
	size := len(b)
	if l.unit > 0 {
		size = int(l.unit)
	}
	l.stamped = l.stamp.StampEach(b, size)
}

//go:nosplit
func (l *loop) checkEach(b []byte) {
	size := len(b)
	if l.unit > 0 {
		size = int(l.unit)
	}
	l.checker.CheckEach(b, size)
}

// inspect is what verification does with a message that was moved.
//
//go:nosplit
func (l *loop) inspect(n int64) {
	switch {
	case l.checker != nil:
		l.checkEach(l.buf[:n])
	case l.match != nil:
		l.match.Check(l.buf[:n])
	default:
		l.fill.Advance(int(n))
	}
}

// uring is a step of io_uring.
//
//go:nosplit
func (l *loop) uring() (bytes, msgs int64, errno syscall.Errno) {
	if l.ring != nil {
		return l.ring.Send()
	}
	bytes, msgs, errno = l.inbox.Receive()
	if errno == 0 && bytes == 0 {
		return l.empty()
	}
	return bytes, msgs, errno
}
