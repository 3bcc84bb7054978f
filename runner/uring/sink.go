package uring

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	maxBuffers    = 1 << 15 // entries of a buffer ring (io_uring/kbuf.c)
	maxSinkMemory = 1 << 30
)

// The submissions of a sink.
const (
	entryReceive = iota
	entryWatch
)

// A Sink receives whatever comes, by one request that stays in flight
// (multishot) and takes its buffers from a ring.
//
// Nobody reads what is in the buffers, and one request takes them in order: to
// give n back is to move the ring's tail by n.
//
// Multishot does not notice every end: of a UDP socket that is shut down it
// learns nothing, for recv(2) without blocking says EAGAIN there and not 0, and
// of UNIX sockets it may miss the last event (axboe/liburing#1549). So a poll
// for the end lies beside it, and after that recv(2) says what is left.
type Sink struct {
	ring    *ring
	fd      int
	size    int           // of a buffer
	last    *byte         // buffer
	memory  []byte        // the buffers' ring, then the buffers
	entries []bufferEntry // in memory
	tail    uint16
	armed   bool // the request is in flight
	watched bool // the poll is
	over    bool // the poll has seen the end
	ended   bool // a zero was received
	failed  syscall.Errno
}

// OpenSink prepares receiving into so many buffers, rounded up to a power of
// two, of a size each: a larger datagram is truncated, of a byte stream one
// buffer at most counts as one message.
//
// Any thread may open it; it belongs to the thread that first calls Receive.
func OpenSink(fd int, bufferSize, buffers int) (*Sink, error) {
	switch {
	case bufferSize < 1 || buffers < 1 || buffers > maxBuffers:
		return nil, fmt.Errorf("io_uring: %d buffers of %d bytes; it can be 1 to %d buffers of at least a byte", buffers, bufferSize, maxBuffers)
	case bufferSize > maxSinkMemory/powerOfTwo(buffers):
		return nil, fmt.Errorf("io_uring: %d buffers of %d bytes are more than 1 GiB", powerOfTwo(buffers), bufferSize)
	}
	if _, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return nil, fmt.Errorf("io_uring: type of the socket: %w", err)
	}
	buffers = powerOfTwo(buffers)
	r, err := openRing(2, buffers+2)
	if err != nil {
		return nil, err
	}
	s := &Sink{ring: r, fd: fd, size: bufferSize}
	if err := s.provide(bufferSize, buffers); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	entries := r.submissions()
	entries[entryReceive] = sqe{opcode: opReceive, flags: sqeSelectBuffer, ioprio: receiveMultishot, fd: int32(fd), userData: entryReceive}
	entries[entryWatch] = sqe{opcode: opPoll, fd: int32(fd), opFlags: unix.POLLRDHUP, userData: entryWatch}
	return s, nil
}

// provide makes the buffers and gives them to the kernel.
func (s *Sink) provide(size, buffers int) (err error) {
	head := buffers * int(unsafe.Sizeof(bufferEntry{}))
	s.memory, err = unix.Mmap(-1, 0, head+buffers*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return fmt.Errorf("io_uring: %d bytes of buffers: %w", head+buffers*size, err)
	}
	s.entries = unsafe.Slice((*bufferEntry)(unsafe.Pointer(&s.memory[0])), buffers)
	for i := range s.entries {
		s.entries[i] = bufferEntry{
			address: uint64(uintptr(unsafe.Pointer(&s.memory[head+i*size]))),
			length:  uint32(size),
			id:      uint16(i),
		}
	}
	s.last = &s.memory[head+(buffers-1)*size]
	registration := bufferRegistration{
		ringAddress: uint64(uintptr(unsafe.Pointer(&s.memory[0]))),
		ringEntries: uint32(buffers),
	}
	if err := s.ring.register(registerBufferRing, unsafe.Pointer(&registration), 1); err != nil {
		return lockedMemory("register the ring of buffers", err)
	}
	s.giveBack(buffers)
	return nil
}

// giveBack hands the next n buffers to the kernel. The tail is half a word, and
// there is no atomic store of that: the other half is the first buffer's id, 0.
//
//go:nosplit
func (s *Sink) giveBack(n int) {
	s.tail += uint16(n)
	var word uint32
	(*[2]uint16)(unsafe.Pointer(&word))[1] = s.tail
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&s.entries[0].id)), word)
}

// Receive waits until something has come and returns how much. Zeros are the
// end of a byte stream, or of a socket that was shut down, as of recv(2). An
// error is returned in place of a count of zero; what came before it is
// returned first.
//
//go:nosplit
func (s *Sink) Receive() (bytes, msgs int64, errno syscall.Errno) {
	for s.failed == 0 && !s.ended {
		if s.over {
			return s.rest()
		}
		if !s.watched {
			s.ring.queue(entryWatch)
			s.watched = true
		}
		if !s.armed {
			s.ring.queue(entryReceive)
			s.armed = true
		}
		errno = s.ring.enter(1)
		bytes, msgs = s.reap()
		if msgs > 0 {
			return bytes, msgs, 0
		}
		if errno != 0 {
			return 0, 0, errno
		}
	}
	errno, s.failed, s.ended = s.failed, 0, false
	return 0, 0, errno
}

// rest receives what multishot has left, without blocking.
//
//go:nosplit
func (s *Sink) rest() (bytes, msgs int64, errno syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(s.last)), uintptr(s.size), unix.MSG_DONTWAIT, 0, 0)
	switch {
	case errno == unix.EAGAIN || errno == 0 && n == 0:
		return 0, 0, 0
	case errno != 0:
		return 0, 0, errno
	}
	return int64(n), 1, 0
}

// reap takes what has completed and gives its buffers back.
//
//go:nosplit
func (s *Sink) reap() (bytes, msgs int64) {
	used := 0
	i, tail := s.ring.completions()
	for ; i != tail; i++ {
		c := s.ring.at(i)
		if c.userData == entryWatch {
			s.watched, s.over = false, c.result > 0 && c.result&(unix.POLLRDHUP|unix.POLLHUP) != 0
			continue
		}
		if c.flags&completionMore == 0 {
			s.armed = false
		}
		if c.flags&completionBuffer != 0 {
			used++
		}
		switch {
		case c.result > 0:
			bytes += int64(c.result)
			msgs++
		case c.result == 0:
			s.ended = true
		case c.result == -int32(unix.ENOBUFS):
			// All buffers were full: they are given back here.
		case s.failed == 0:
			s.failed = syscall.Errno(-c.result)
		}
	}
	s.ring.done(tail)
	if used > 0 {
		s.giveBack(used)
	}
	return bytes, msgs
}

// Close ends the request and gives everything back. It is to be called by the
// thread that called Receive; after any other's the kernel holds the socket a
// moment longer.
func (s *Sink) Close() error {
	if s.ring.fd < 0 {
		return nil
	}
	var err error
	if s.ring.mine() {
		err = s.drain()
	}
	err = errors.Join(err, s.ring.close())
	if s.memory != nil {
		err = errors.Join(err, unix.Munmap(s.memory))
		s.memory, s.entries = nil, nil
	}
	return err
}

// drain waits for the end of what is cancelled: till then it holds the socket.
func (s *Sink) drain() error {
	if err := s.ring.cancel(); err != nil {
		return err
	}
	for deadline := time.Now().Add(drainTime); ; {
		s.reap()
		if !s.armed && !s.watched {
			return nil
		}
		if err := s.ring.enterFor(time.Until(deadline)); err != nil {
			return fmt.Errorf("io_uring: wait for the end of the request: %w", err)
		}
	}
}
