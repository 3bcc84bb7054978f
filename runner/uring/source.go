package uring

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	maxBatch = 4096
	// maxNotices bounds the zero-copy sends whose memory the kernel still uses.
	// A wire gives it back only when the peer has acknowledged: with no more of
	// them than the batch, small messages would be at the mercy of the round trip.
	maxNotices = 4096
	// streamChunk is how much of a byte stream a call waits for: one completion
	// a call would cost small messages a system call each, all of the batch would
	// let a call of large ones run for a millisecond.
	streamChunk = 128 << 10
	// drainTime is how long Close waits, above all for zero-copy memory.
	drainTime = time.Second
)

// A Source sends one message again and again.
//
// Datagrams are independent requests: up to batch of them are in flight. A byte
// stream's requests must not be: the kernel runs them independently, and where
// the socket takes only a part of one, the next would go on in its middle. They
// are linked, so that each starts when the one before has been sent whole
// (MSG_WAITALL), and the next chain follows when one is complete. With zero copy
// a chain is one message, whatever the batch: the kernel posts notices of what
// it cancels with a broken chain and does not say so (seen on 6.18).
type Source struct {
	// Copied counts zero-copy messages that the kernel copied nevertheless, as
	// loopback and veth do. It is complete after Close.
	Copied int64
	// LateBytes and LateMsgs were in flight after the last Send and are sent
	// nevertheless: known after Close, and to be added to what Send returned.
	LateBytes, LateMsgs int64

	ring    *ring
	message []byte // the kernel has its address
	batch   int
	chunk   int  // completions that a call waits for
	stream  bool // linked
	sends   int  // queued or in flight
	notices int  // zero-copy sends done whose memory is still in use
	limit   int  // of sends and notices together
	failed  syscall.Errno
}

// OpenSource prepares sending of message over a connected socket with batch
// messages in flight. zerocopy is IORING_OP_SEND_ZC. The message must not be
// changed before Close.
//
// Any thread may open it; it belongs to the thread that first calls Send.
func OpenSource(fd int, message []byte, batch int, zerocopy bool) (*Source, error) {
	switch {
	case len(message) == 0:
		return nil, errors.New("io_uring: the message is empty")
	case batch < 1 || batch > maxBatch:
		return nil, fmt.Errorf("io_uring: a batch of %d; it can be 1 to %d messages", batch, maxBatch)
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return nil, fmt.Errorf("io_uring: type of the socket: %w", err)
	}
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return nil, fmt.Errorf("io_uring: family of the socket: %w", err)
	}
	if zerocopy && family == unix.AF_UNIX {
		return nil, errors.New("io_uring: UNIX sockets have no zero copy")
	}
	s := &Source{message: message, batch: batch, chunk: 1, stream: kind != unix.SOCK_DGRAM, limit: batch}
	if s.stream && zerocopy {
		s.batch = 1
	}
	if s.stream {
		s.chunk = min(s.batch, max(1, streamChunk/len(message)))
	}
	if zerocopy {
		s.limit = maxNotices
	}
	if s.ring, err = openRing(s.batch, 2*s.limit); err != nil {
		return nil, err
	}
	if zerocopy {
		if err := s.share(); err != nil {
			return nil, errors.Join(err, s.ring.close())
		}
	}
	s.fill(fd, zerocopy)
	return s, nil
}

// share makes the message a registered buffer: its pages are looked up and
// pinned once, and not for every send.
func (s *Source) share() error {
	if err := s.ring.supports(opSendZeroCopy, "SEND_ZC"); err != nil {
		return err
	}
	v := unix.Iovec{Base: &s.message[0]}
	v.SetLen(len(s.message))
	if err := s.ring.register(registerBuffers, unsafe.Pointer(&v), 1); err != nil {
		return lockedMemory("register the message for zero copy", err)
	}
	return nil
}

// fill writes the one submission that there is. A chain of it ends with what is
// submitted in one call, though the last of it is marked as linked too.
func (s *Source) fill(fd int, zerocopy bool) {
	e := sqe{
		opcode:  opSend,
		fd:      int32(fd),
		address: uint64(uintptr(unsafe.Pointer(&s.message[0]))),
		length:  uint32(len(s.message)),
		opFlags: unix.MSG_NOSIGNAL,
	}
	if zerocopy {
		e.opcode, e.ioprio = opSendZeroCopy, fixedBuffer|reportUsage
	}
	if s.stream {
		e.opFlags |= unix.MSG_WAITALL
	}
	if s.stream && s.batch > 1 {
		e.flags |= sqeLink
	}
	s.ring.submissions()[0] = e
}

// Send fills up what is in flight, waits until some of it is sent, and returns
// how much. An error is returned in place of a count of zero; what was sent
// together with a failure is returned before it.
//
//go:nosplit
func (s *Source) Send() (bytes, msgs int64, errno syscall.Errno) {
	for s.failed == 0 {
		for n := s.room(); n > 0; n-- {
			s.ring.queue(0)
			s.sends++
		}
		errno = s.ring.enter(max(1, min(s.chunk, s.sends)))
		bytes, msgs = s.reap()
		if msgs > 0 {
			return bytes, msgs, 0
		}
		if errno != 0 {
			return 0, 0, errno
		}
	}
	errno, s.failed = s.failed, 0
	return 0, 0, errno
}

// room is how many sends may be added to those in flight.
//
//go:nosplit
func (s *Source) room() int {
	if s.stream && s.sends > 0 {
		return 0
	}
	return min(s.batch-s.sends, s.limit-s.sends-s.notices)
}

// reap takes what has completed.
//
//go:nosplit
func (s *Source) reap() (bytes, msgs int64) {
	i, tail := s.ring.completions()
	for ; i != tail; i++ {
		c := s.ring.at(i)
		if c.flags&completionNotice != 0 {
			s.notices--
			if uint32(c.result)&usageCopied != 0 {
				s.Copied++
			}
			continue
		}
		s.sends--
		if c.flags&completionMore != 0 {
			s.notices++
			if c.result < 0 {
				s.Copied-- // its notice will count what was never sent
			}
		}
		switch {
		case c.result >= 0:
			bytes += int64(c.result)
			msgs++
		case c.result == -int32(unix.ECANCELED):
			// The rest of a chain: the one that broke it says why.
		case s.failed == 0:
			s.failed = syscall.Errno(-c.result)
		}
	}
	s.ring.done(tail)
	return bytes, msgs
}

// Close ends what is in flight and waits, up to a second, for the memory of
// zero-copy sends. It is to be called by the thread that called Send: for any
// other the ring is out of reach, and it then only gives it back.
func (s *Source) Close() error {
	if s.ring.fd < 0 {
		return nil
	}
	var err error
	if s.ring.mine() {
		err = s.drain()
	}
	err = errors.Join(err, s.ring.close())
	runtime.KeepAlive(s.message)
	return err
}

func (s *Source) drain() error {
	if err := s.ring.cancel(); err != nil {
		return err
	}
	for deadline := time.Now().Add(drainTime); ; {
		bytes, msgs := s.reap()
		s.LateBytes, s.LateMsgs = s.LateBytes+bytes, s.LateMsgs+msgs
		if s.sends <= 0 && s.notices <= 0 {
			return nil
		}
		err := s.ring.enterFor(time.Until(deadline))
		if errors.Is(err, unix.ETIME) {
			return fmt.Errorf("io_uring: after %v the kernel still uses the memory of %d messages sent without copying", drainTime, s.sends+s.notices)
		}
		if err != nil {
			return fmt.Errorf("io_uring: wait for zero-copy memory: %w", err)
		}
	}
}
