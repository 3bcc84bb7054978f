package traffic

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
)

// A peer is whom a source with a socket for each message connects to.
type peer struct {
	family, kind uintptr
	addr         []byte
	options      []rawOption
	datagrams    bool
	answered     bool // crr
	request      int
	response     int
	fd           atomic.Int32 // of the message at hand; 0 = none
}

func (p *peer) open(c *Config, to netip.AddrPort) {
	p.family, p.kind = unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC
	if c.IPv6 {
		p.family = unix.AF_INET6
	}
	p.datagrams = !c.stream()
	if p.datagrams {
		p.kind = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC
	}
	p.answered = c.Kind == vocab.CRR
	p.request, p.response = c.Message, max(c.Response, 1)
	if to.IsValid() {
		p.addr = c.rawSockaddr(to)
		p.addr = p.addr[:map[bool]int{false: unix.SizeofSockaddrInet4, true: unix.SizeofSockaddrInet6}[c.IPv6]]
	}
	for _, o := range c.options(false) {
		if o.value != 0 {
			p.options = append(p.options, rawOption{uintptr(o.level), uintptr(o.which), binary.NativeEndian.AppendUint32(nil, uint32(o.value))})
		}
	}
	if c.Protocol == vocab.TCP && c.Congestion != "" {
		p.options = append(p.options, rawOption{unix.IPPROTO_TCP, unix.TCP_CONGESTION, []byte(c.Congestion)})
	}
}

// A rawOption is a socket option as a raw system call takes it.
type rawOption struct {
	level, which uintptr
	value        []byte
}

// connect is a step of crr and conn: a socket, a message, of crr the response,
// and the socket closed. The server closes first, as of old with HTTP: that
// leaves TIME_WAIT on its side, where it takes no source port. Of conn, the
// source has nothing to wait for and closes first.
//
//go:nosplit
func (l *loop) connect() (bytes, msgs int64, errno syscall.Errno) {
	p := &l.peer
	began := nanotime()
	if l.turns {
		began = l.pace.now
	}
	if l.sizes != nil {
		l.resize()
		p.request = int(l.args[1])
	}
	fd, _, errno := syscall.RawSyscall(unix.SYS_SOCKET, p.family, p.kind, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	p.fd.Store(int32(fd))
	bytes, errno = l.exchange(fd)
	p.fd.Store(0)
	syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	if errno != 0 {
		return 0, 0, errno
	}
	l.rpc.record(began, nanotime())
	return bytes, 1, 0
}

// exchange is what happens on one socket.
//
//go:nosplit
func (l *loop) exchange(fd uintptr) (bytes int64, errno syscall.Errno) {
	p := &l.peer
	for i := range p.options {
		o := &p.options[i]
		_, _, errno = syscall.RawSyscall6(unix.SYS_SETSOCKOPT, fd, o.level, o.which, uintptr(unsafe.Pointer(&o.value[0])), uintptr(len(o.value)), 0)
		if errno != 0 {
			return 0, errno
		}
	}
	addr, size := uintptr(unsafe.Pointer(&p.addr[0])), uintptr(len(p.addr))
	if p.datagrams {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, l.args[0], uintptr(p.request), unix.MSG_NOSIGNAL, addr, size)
		return int64(n), errno
	}
	if _, _, errno = syscall.RawSyscall(unix.SYS_CONNECT, fd, addr, size); errno != 0 {
		return 0, errno
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, l.args[0], uintptr(p.request), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 || !p.answered {
		return int64(n), errno
	}
	n, _, errno = l.receive(fd, p.response)
	if errno == 0 && int(n) < p.response {
		errno = unix.ECONNRESET // closed instead of answered
	}
	if errno == 0 {
		_, _, errno = l.receive(fd, 1) // the server's FIN
	}
	return int64(n), errno
}

// receive waits for so many bytes, or the end of the stream.
//
//go:nosplit
func (l *loop) receive(fd uintptr, size int) (n, _ uintptr, errno syscall.Errno) {
	return syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&l.rpc.answer[0])), uintptr(size), unix.MSG_WAITALL, 0, 0)
}

// answer is a step of the other side of crr and conn.
//
//go:nosplit
func (l *loop) answer() (bytes, msgs int64, errno syscall.Errno) {
	d := &l.door
	d.size = uint32(len(d.from))
	fd, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, l.fd, uintptr(unsafe.Pointer(&d.from)), uintptr(unsafe.Pointer(&d.size)), unix.SOCK_CLOEXEC, 0, 0)
	if errno == unix.EAGAIN && !l.stop.Load() {
		return 0, 0, 0 // nobody came for as long as a silence may last
	}
	if errno != 0 {
		return 0, 0, errno
	}
	if !d.admits() {
		syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
		return l.stranger()
	}
	l.peer.fd.Store(int32(fd))
	n, _, errno := l.receive(fd, l.peer.request)
	if errno == 0 && l.peer.answered && int(n) == l.peer.request {
		errno = l.reply(fd, uintptr(l.peer.response))
	} else if errno == 0 && n > 0 && !l.peer.answered {
		_, _, errno = l.receive(fd, 1) // the source's FIN
	}
	l.peer.fd.Store(0)
	syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	switch {
	case errno == 0 && n > 0 && (!l.peer.answered || int(n) == l.peer.request):
		return int64(n), 1, 0
	case (errno == 0 || errno == unix.EAGAIN) && !l.stop.Load():
		return l.stranger() // it said nothing, or too little, or did not listen
	}
	return 0, 0, errno
}
