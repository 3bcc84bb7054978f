package traffic

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
	"netab/runner/packet"
	"netab/runner/uring"
	"netab/runner/verify"
)

// An entry is a loop's way into the kernel: its path, made ready. What the kernel
// reads and writes lies here, or is held by it, and so does not move: Go moves
// stacks only.
type entry struct {
	op op
	systemCall
	refused syscall.Errno // of a call behind some that moved messages
	spins   bool          // does not sleep until there is something
	// datagrams says that nothing received is not the end.
	datagrams bool
	flags     uintptr
	buf       []byte // the first message's
	unit      int64  // bytes of a datagram, where a call moves several; 0 = a call is a message
	headers   []mmsghdr
	vectors   []unix.Iovec
	name      []byte // socket address of open sources; room for one of recvfrom's
	size      uint32 // of name, for recvfrom
	sizes     []int  // of messages, taken in turn
	turn      int
	events    [eventKinds]int64

	file   file
	copies zeroCopy
	full   bool // the last call with MSG_ZEROCOPY found too much memory pinned
	mapped mapping
	ring   *uring.Source
	inbox  *uring.Sink
	frames *packet.Source
	kernel kernelSource
	rpc    rpc
	peer   peer
	door   doorkeeper
	ready  readiness

	// Verification, of datagrams and of byte streams.
	stamp   *verify.Stamper
	stamped int // datagrams of one message
	checker *verify.Checker
	fill    *verify.StreamStamper
	match   *verify.StreamChecker

	arrivals *arrivals // of a sink that knows when messages came
}

// A systemCall is a call with its arguments as the kernel takes them; its layout
// is known to repeat.
type systemCall struct {
	number uintptr
	fd     uintptr
	args   [5]uintptr
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	unix.Msghdr
	len uint32
	_   uint32
}

// open makes the entry of a worker ready. It runs on the worker's thread, before
// the gate.
func (p *entry) open(w *worker, threads int) error {
	c, e := w.config, w.ends[0]
	calls, way := sourceCalls, c.Source
	if w.sink {
		calls, way = sinkCalls, c.Sink
	}
	if way.Call == "" {
		way.Call = map[bool]string{false: "send", true: "recv"}[w.sink]
	}
	call, ok := calls[way.Call]
	if !ok {
		return fmt.Errorf("there is no path %q", way.Call)
	}
	p.op, p.number, p.fd, p.datagrams = call.op, call.number, uintptr(e.fd), !c.stream()
	for _, e := range w.ends {
		p.events[eventStranger] += e.strangers
	}
	if w.sink {
		p.buf = buffer(c.sinkBuffer(threads))
	} else {
		p.buf = pattern(c.longest())
	}
	p.describe(c, way, w.sink)
	if p.op == opBatch {
		p.batch(max(way.Batch, 1), w.sink || c.Verify)
	} else {
		p.batch(1, true)
	}
	if c.Source.Socket == "open" && !w.sink && !c.unix() {
		p.address(c.rawSockaddr(e.To))
	} else if way.Call == "recvfrom" {
		p.address(make([]byte, 128))
	}
	p.args = call.args(p)
	if w.sink && way.Timestamp {
		p.arrivals = newArrivals(&p.headers[0].Msghdr)
	}
	if err := p.equip(w, way); err != nil {
		return err
	}
	return p.role(w)
}

// describe sets flags and units.
func (p *entry) describe(c *Config, way Path, sink bool) {
	if !sink {
		p.flags = unix.MSG_NOSIGNAL
		p.sizes = c.Sizes
	}
	if way.ZeroCopy && way.Call != "io_uring" {
		p.flags |= unix.MSG_ZEROCOPY
	}
	if way.Truncate {
		p.flags |= unix.MSG_TRUNC
		if !c.stream() {
			p.buf = p.buf[:1]
		}
	}
	if way.Call == "recvmmsg" {
		p.flags |= unix.MSG_WAITFORONE
	}
	if c.Source.Segment > 0 && !sink || way.GRO {
		p.unit = int64(c.datagram())
	}
}

// batch prepares headers for so many messages of one call, with a buffer for
// each or one for all.
func (p *entry) batch(n int, each bool) {
	p.headers, p.vectors = make([]mmsghdr, n), make([]unix.Iovec, n)
	size := len(p.buf)
	if each && n > 1 {
		whole := buffer(n * size)
		for i := range n {
			copy(whole[i*size:], p.buf)
		}
		p.buf = whole[:size]
	}
	for i := range n {
		p.vectors[i].Base = &p.buf[0]
		if each {
			p.vectors[i].Base = &p.buf[:n*size][i*size]
		}
		p.vectors[i].SetLen(size)
		p.headers[i].Iov = &p.vectors[i]
		p.headers[i].SetIovlen(1)
	}
}

// equip opens what it needs beside its socket.
func (p *entry) equip(w *worker, way Path) (err error) {
	c, e := w.config, w.ends[0]
	p.copies.open()
	switch p.op {
	case opPlain:
		if p.flags&unix.MSG_ZEROCOPY != 0 {
			p.op = opZeroCopy
		}
	case opSendfile, opSpliceOut, opSpliceIn:
		return p.file.open(p.buf, w.sink)
	case opMapped:
		return p.mapped.open(e.fd)
	case opURing:
		if w.sink {
			// A burst that finds no buffer ends the multishot receive.
			size, buffers := len(p.buf), 256
			if c.stream() {
				size, buffers = min(size, 65536), 64
			}
			p.inbox, err = uring.OpenSink(e.fd, size, buffers)
		} else {
			p.ring, err = uring.OpenSource(e.fd, p.buf, max(way.Batch, 1), way.ZeroCopy)
		}
		return err
	case opPacket:
		p.frames, err = e.openFrames(c)
		return err
	case opKernel:
		return p.kernel.open(e, c)
	}
	if c.Verify {
		p.verify(w)
	}
	if p.spins = way.Spin && w.sink; p.spins {
		return unix.SetNonblock(e.fd, true)
	}
	return nil
}

// verify gives it what numbers or checks its messages.
func (p *entry) verify(w *worker) {
	c, e := w.config, w.ends[0]
	switch {
	case c.stream() && w.sink:
		p.match = verify.NewStreamChecker(e.Flow, 0)
	case c.stream():
		p.fill = verify.NewStreamStamper(e.Flow, 0)
	case w.sink:
		p.checker = verify.NewChecker(append([]int{e.Flow}, e.From...)...)
	default:
		p.stamp = verify.NewStamper(e.Flow)
		for i := range p.headers {
			p.stamp.Prepare(p.bufferAt(i), c.datagram())
		}
	}
}

// role turns the entry of a single call into that of the role's kind.
func (p *entry) role(w *worker) error {
	c := w.config
	switch {
	case c.Kind == vocab.RR && w.sink:
		p.op = opRespond
	case c.Kind == vocab.RR && c.Rate > 0:
		p.op = opSchedule
		if err := unix.SetNonblock(w.ends[0].fd, true); err != nil { // write(2) has no flag for it
			return err
		}
	case c.Kind == vocab.RR:
		p.op = opTransact
	case c.Kind.Connects() && !w.sink:
		p.op = opConnect
		p.peer.open(c, w.ends[0].To)
	case c.Kind.Connects() && c.stream():
		p.op = opAnswer
		p.peer.open(c, netip.AddrPort{})
		p.door.open(w.ends[0])
	}
	if c.Kind == vocab.RR || c.Kind.Connects() {
		p.rpc.open(c)
	}
	if c.Threads == 0 {
		if p.op == opPlain && p.sizes == nil && p.unit == 0 && !c.Verify && p.arrivals == nil {
			p.op = opAlike
		}
		return nil
	}
	what := p.op
	switch {
	case what == opSchedule || what == opTransact && (c.Depth > 1 || c.Think > 0):
		return errors.New("threads keep one request of each flow outstanding: leave off rate, depth and think, or threads")
	case what != opPlain && what != opTransact && what != opRespond || c.Verify:
		return errors.New("this path needs a thread for each flow: leave off threads")
	}
	p.op = opReady
	return p.ready.open(w.ends, w.sink, what)
}

// close gives back what equip and role opened. It comes before the last sample:
// what io_uring had under way is sent nevertheless, and counts.
func (l *loop) close() error {
	l.reapAll()
	l.file.close()
	var errs []error
	if l.mapped.memory != nil {
		errs = append(errs, unix.Munmap(l.mapped.memory))
	}
	if l.ring != nil {
		errs = append(errs, l.ring.Close())
		l.events[eventZeroCopied] += l.ring.Copied
		if l.meter != nil {
			l.bytes, l.msgs = l.bytes+l.ring.LateBytes, l.msgs+l.ring.LateMsgs
		}
	}
	if l.inbox != nil {
		errs = append(errs, l.inbox.Close())
	}
	if l.frames != nil {
		errs = append(errs, l.frames.Close())
	}
	if l.ready.epoll > 0 {
		errs = append(errs, unix.Close(l.ready.epoll))
	}
	return errors.Join(errs...)
}

// address gives every message a socket address.
func (p *entry) address(name []byte) {
	p.name, p.size = name, uint32(len(name))
	for i := range p.headers {
		p.headers[i].Name = &name[0]
		p.headers[i].Namelen = uint32(len(name))
	}
}

// at is the address of a byte of the buffer.
func (p *entry) at(i int) uintptr { return uintptr(unsafe.Pointer(&p.buf[i])) }

func addressOf(b []byte) uintptr {
	if len(b) == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(&b[0]))
}

// nameLen is sendto's length, or the address of recvfrom's.
func (p *entry) nameLen() uintptr {
	if len(p.name) == 0 {
		return 0
	}
	if p.number == unix.SYS_RECVFROM {
		return uintptr(unsafe.Pointer(&p.size))
	}
	return uintptr(p.size)
}
