package packet

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Send hands up to Batch frames to the kernel and returns what it took, in
// bytes of payload and in datagrams; both hold whatever the error. If no slot is
// free it waits for one, 100 ms at most. Errors:
//
//   - EAGAIN: nothing was sent, no slot became free in time;
//   - ENOBUFS: the device refused a frame, which is not counted. It comes again
//     with the next call, but where the kernel counts drops (veth, softnet
//     backlog) it has counted one;
//   - EINTR: a signal came while it waited;
//   - others do not pass: ENETDOWN and ENXIO (the device is down or gone),
//     EMSGSIZE (its MTU was made smaller).
//
// It may be called inside a long system call of Go's scheduler (see package
// traffic): nothing that it reaches splits the stack or allocates.
//
//go:nosplit
func (s *Source) Send() (bytes, msgs int64, errno syscall.Errno) { return s.SendUpTo(s.batch) }

// SendUpTo is Send for up to n frames.
//
//go:nosplit
func (s *Source) SendUpTo(n int) (bytes, msgs int64, errno syscall.Errno) {
	asked := s.request(n)
	if asked == 0 {
		if errno = s.wait(); errno != 0 {
			return 0, 0, errno
		}
		asked = s.request(n)
	}
	// The call does not block: it would return only when all slots are free
	// again, and the receiver had nothing to do in the meantime.
	_, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
	msgs = s.taken(asked)
	if errno == unix.EAGAIN { // the send buffer is full
		if msgs > 0 {
			errno = 0
		} else if errno = s.wait(); errno == 0 {
			errno = unix.EAGAIN
		}
	} else if errno == 0 && msgs == 0 {
		errno = unix.EAGAIN
	}
	return msgs * s.payload, msgs, errno
}

// request marks up to n free slots for sending.
//
//go:nosplit
func (s *Source) request(n int) (asked uint32) {
	for int(asked) < n && atomic.LoadUint32(s.status(asked)) == unix.TP_STATUS_AVAILABLE {
		atomic.StoreUint32(s.status(asked), unix.TP_STATUS_SEND_REQUEST)
		asked++
	}
	return asked
}

// taken counts how many of the requested slots the kernel took, which it does
// in order, and withdraws the others. The call's own return value does not say:
// after an error it holds no count.
//
//go:nosplit
func (s *Source) taken(asked uint32) int64 {
	n := uint32(0)
	for ; n < asked; n++ {
		if st := atomic.LoadUint32(s.status(n)); st == unix.TP_STATUS_SEND_REQUEST || st == unix.TP_STATUS_WRONG_FORMAT {
			break
		}
	}
	for i := n; i < asked; i++ {
		atomic.StoreUint32(s.status(i), unix.TP_STATUS_AVAILABLE)
	}
	s.next += n
	return int64(n)
}

// status is that of the slot i places behind the next one.
//
//go:nosplit
func (s *Source) status(i uint32) *uint32 {
	return &s.words[int((s.next+i)&s.mask)<<s.shift]
}

// wait waits until the next slot is free.
//
//go:nosplit
func (s *Source) wait() syscall.Errno {
	s.limit = unix.Timespec{Nsec: waitLimit}
	n, _, errno := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&s.poll)), 1, uintptr(unsafe.Pointer(&s.limit)), 0, 0, 0)
	if errno == 0 && n == 0 {
		return unix.EAGAIN
	}
	return errno
}
