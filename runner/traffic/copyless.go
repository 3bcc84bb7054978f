package traffic

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Steps that try not to copy the payload between kernel and user space.

// A file is what sendfile and splice move messages from and to.
type file struct {
	fd     int // source: a memfd that holds one message; sink: /dev/null
	pipe   [2]int
	offset int64
	size   int
	piped  int // bytes that are in the pipe
}

// pipeSize is the most that /proc/sys/fs/pipe-max-size allows by default.
const pipeSize = 1 << 20

func (f *file) open(content []byte, sink bool) (err error) {
	f.size = len(content)
	if sink {
		f.fd, err = unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	} else {
		f.fd, err = unix.MemfdCreate("netab-message", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return err
	}
	if !sink {
		if _, err := unix.Write(f.fd, content); err != nil {
			return err
		}
	}
	if err := unix.Pipe2(f.pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	size := min(max(f.size, 65536), pipeSize)
	if _, err := unix.FcntlInt(uintptr(f.pipe[0]), unix.F_SETPIPE_SZ, size); err != nil {
		return fmt.Errorf("pipe of %d bytes: %w", size, err)
	}
	return nil
}

func (f *file) close() {
	for _, fd := range []int{f.fd, f.pipe[0], f.pipe[1]} {
		if fd > 0 {
			unix.Close(fd)
		}
	}
}

//go:nosplit
func (l *loop) sendfile() (bytes, msgs int64, errno syscall.Errno) {
	l.file.offset = 0
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDFILE, l.fd, uintptr(l.file.fd), uintptr(unsafe.Pointer(&l.file.offset)), uintptr(l.file.size), 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	return int64(n), 1, 0
}

//go:nosplit
func splice(from, offset, to, size uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SPLICE, from, offset, to, 0, size, unix.SPLICE_F_MOVE)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

//go:nosplit
func (l *loop) spliceOut() (bytes, msgs int64, errno syscall.Errno) {
	f := &l.file
	if f.piped == 0 {
		f.offset = 0
		if f.piped, errno = splice(uintptr(f.fd), uintptr(unsafe.Pointer(&f.offset)), uintptr(f.pipe[1]), uintptr(f.size)); errno != 0 {
			return 0, 0, errno
		}
	}
	n, errno := splice(uintptr(f.pipe[0]), 0, l.fd, uintptr(f.piped))
	f.piped -= n
	return int64(n), 1, errno
}

//go:nosplit
func (l *loop) spliceIn() (bytes, msgs int64, errno syscall.Errno) {
	f := &l.file
	n, errno := splice(l.fd, 0, uintptr(f.pipe[1]), pipeSize)
	if errno != 0 {
		return 0, 0, errno
	}
	if n == 0 {
		return 0, 0, errnoClosed
	}
	for f.piped = n; f.piped > 0; {
		m, errno := splice(uintptr(f.pipe[0]), 0, uintptr(f.fd), uintptr(f.piped))
		if errno != 0 {
			return 0, 0, errno
		}
		f.piped -= m
	}
	return int64(n), 1, 0
}

// A zeroCopy is what MSG_ZEROCOPY needs beside the call: the kernel says in the
// socket's error queue when it no longer reads a message's memory, and whether
// it had to copy it after all (Documentation/networking/msg_zerocopy.rst). Our
// messages are all the same memory and never change, so sending need not wait
// for that; only the queue must not fill up.
type zeroCopy struct {
	pending int64
	hdr     unix.Msghdr
	control [128]byte
	poll    unix.PollFd
	limit   unix.Timespec // how long to wait for a completion
}

// maxPending is after how many sends the error queue is read.
const maxPending = 64

// open sets the header's pointer once: writing one in the loop would take a
// write barrier, and more stack than a loop has.
func (z *zeroCopy) open() {
	z.hdr.Control = &z.control[0]
	z.limit = unix.NsecToTimespec(1e6)
}

// unpin is what comes before a call with MSG_ZEROCOPY: it reads the error queue
// from time to time.
//
//go:nosplit
func (l *loop) unpin() {
	z := &l.copies
	if l.full { // too much memory is pinned: wait for a completion
		l.full = false
		z.poll.Fd = int32(l.fd)
		syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&z.poll)), 1, uintptr(unsafe.Pointer(&z.limit)), 0, 0, 0)
		l.reap()
	}
	if z.pending >= maxPending {
		l.reap()
	}
}

// reap reads all completions that are there.
//
//go:nosplit
func (l *loop) reap() {
	z := &l.copies
	for {
		z.hdr.Controllen = uint64(len(z.control))
		_, _, errno := syscall.RawSyscall(unix.SYS_RECVMSG, l.fd, uintptr(unsafe.Pointer(&z.hdr)), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if errno != 0 || z.hdr.Controllen < unix.SizeofCmsghdr+16 {
			return
		}
		// struct sock_extended_err: errno, origin, type, code, pad, info, data
		e := (*[4]uint32)(unsafe.Pointer(&z.control[unix.SizeofCmsghdr]))
		code := z.control[unix.SizeofCmsghdr+6]
		if z.control[unix.SizeofCmsghdr+4] != unix.SO_EE_ORIGIN_ZEROCOPY {
			continue
		}
		n := int64(e[3]-e[2]) + 1
		z.pending -= n
		l.events[eventZeroDone] += n
		if code&unix.SO_EE_CODE_ZEROCOPY_COPIED != 0 {
			l.events[eventZeroCopied] += n
		}
	}
}

// reapAll waits for the completions of all that was sent, for a while: a receiver
// that stalls keeps them.
func (l *loop) reapAll() {
	for deadline := time.Now().Add(maxDrain); l.copies.pending > 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		l.reap()
	}
}

// A mapping receives by TCP_ZEROCOPY_RECEIVE: whole pages of payload are mapped,
// the rest is copied (net/ipv4/tcp.c, tcp_zerocopy_receive).
type mapping struct {
	memory []byte
	arg    zeroCopyReceive
	size   uint32
	poll   unix.PollFd
}

// zeroCopyReceive is struct tcp_zerocopy_receive.
type zeroCopyReceive struct {
	address    uint64
	length     uint32
	skip       uint32
	inq        uint32
	err        int32
	copyBuffer uint64
	copyLength int32
	flags      uint32
	control    uint64
	controlLen uint64
	msgFlags   uint32
	reserved   uint32
}

const mappingSize = 512 << 10

func (m *mapping) open(fd int) (err error) {
	m.memory, err = unix.Mmap(fd, 0, mappingSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("TCP_ZEROCOPY_RECEIVE: map the socket: %w", err)
	}
	return nil
}

//go:nosplit
func (l *loop) receiveMapped() (bytes, msgs int64, errno syscall.Errno) {
	m := &l.mapped
	m.poll = unix.PollFd{Fd: int32(l.fd), Events: unix.POLLIN}
	if _, _, errno = syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&m.poll)), 1, 0, 0, 0, 0); errno != 0 {
		return 0, 0, errno
	}
	memory := uintptr(unsafe.Pointer(&m.memory[0]))
	m.arg = zeroCopyReceive{address: uint64(memory), length: mappingSize}
	m.size = uint32(unsafe.Sizeof(m.arg))
	_, _, errno = syscall.RawSyscall6(unix.SYS_GETSOCKOPT, l.fd, unix.IPPROTO_TCP, unix.TCP_ZEROCOPY_RECEIVE,
		uintptr(unsafe.Pointer(&m.arg)), uintptr(unsafe.Pointer(&m.size)), 0)
	if errno == unix.EIO { // how it says that the stream is over
		return 0, 0, errnoClosed
	}
	if errno != 0 {
		return 0, 0, errno
	}
	if n := int64(m.arg.length); n > 0 {
		l.events[eventMapped] += n
		bytes += n
		// Give the pages back now; the next call would otherwise do it page by page.
		syscall.RawSyscall(unix.SYS_MADVISE, memory, uintptr(n), unix.MADV_DONTNEED)
	}
	if rest := int(m.arg.skip); rest > 0 || bytes == 0 {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, l.fd, uintptr(unsafe.Pointer(&l.buf[0])), uintptr(max(1, min(rest, len(l.buf)))), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == 0 && n > 0:
			l.events[eventCopied] += int64(n)
			bytes += int64(n)
		case bytes > 0, errno == unix.EAGAIN:
		case errno == 0:
			return 0, 0, errnoClosed
		default:
			return 0, 0, errno
		}
	}
	return bytes, min(bytes, 1), 0
}
