package traffic

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
)

// Strangers are those who are none of a set's own ends and come to its sockets
// all the same. In a namespace of netab's own nobody can; what a NIC is plugged
// into, can. They are kept out of every figure, and counted (eventStranger):
//
//   - Of connections each is accepted, asked whose it is, and closed if it is
//     nobody's who was to come.
//   - A datagram socket that has one peer is connected to it: the kernel then
//     finds no socket for anybody else. What lay in its queue before is thrown
//     away.
//   - One that has several cannot be, and receive calls do not all say where a
//     datagram is from. There a filter in the kernel empties a stranger's, and
//     an empty datagram is a stranger's: no source sends any. It is not dropped,
//     for the socket would count it among the drops that a slow sink has.
//
// The filter is a cost of each datagram: BenchmarkGuard says how much. So only
// a set whose sinks can be reached (Config.Exposed) has it.

// An Origin is where a sink's traffic may come from: an address, and its ports
// from First to Last; zeros = any port.
type Origin struct {
	Addr  netip.Addr `json:"addr"`
	First uint16     `json:"first,omitempty"`
	Last  uint16     `json:"last,omitempty"`
}

func (o Origin) has(a netip.AddrPort) bool {
	return o.Addr == a.Addr().Unmap() && (o.First == 0 && o.Last == 0 || a.Port() >= o.First && a.Port() <= o.Last)
}

// origins are all that an end, as given to Accept, may be reached from: its own
// source alone, unless it says otherwise.
func (c *Config) origins(end End) []Origin {
	if len(end.Origins) == 0 && c.Kind != vocab.Multicast && end.To.Addr().IsValid() {
		return []Origin{{end.To.Addr(), end.To.Port(), end.To.Port()}}
	}
	return end.Origins
}

const (
	// acceptTime is how long a connection may be on its way that its source
	// already has: the segment that ends the handshake may be lost.
	acceptTime = 10 * time.Second
	// maxForgotten bounds what is thrown away, and how many are turned away,
	// while others keep coming.
	maxForgotten = 1 << 16
	// silence is how long who has connected may say nothing, or not listen, where
	// each message has a connection of its own. A source's request follows at
	// once, also if a segment is lost twice.
	silence = time.Second
)

// accept takes the connection of the sink's source, and turns all others away.
func (e *endpoint) accept() error {
	if err := unix.SetNonblock(e.listener, true); err != nil {
		return err
	}
	for deadline := time.Now().Add(acceptTime); ; {
		fd, from, err := unix.Accept4(e.listener, unix.SOCK_CLOEXEC)
		switch {
		case err == unix.EAGAIN && e.fd >= 0:
			return e.closeListener()
		case err == unix.EAGAIN:
			poll := []unix.PollFd{{Fd: int32(e.listener), Events: unix.POLLIN}}
			if n, err := unix.Poll(poll, int(max(0, time.Until(deadline).Milliseconds()))); n == 0 && err == nil {
				return fmt.Errorf("accept: the source did not come within %v, %d others did", acceptTime, e.strangers)
			}
		case err == unix.EINTR, err == unix.ECONNABORTED:
		case err != nil:
			return fmt.Errorf("accept: %w", err)
		case e.fd < 0 && e.ours(fd, from):
			e.fd = fd
		default:
			unix.Close(fd)
			if e.strangers++; e.strangers >= maxForgotten && e.fd < 0 {
				return fmt.Errorf("accept: %d connections, none of them the source's", e.strangers)
			} else if e.strangers >= maxForgotten {
				return e.closeListener()
			}
		}
	}
}

func (e *endpoint) closeListener() error {
	fd := e.listener
	e.listener = -1
	return unix.Close(fd)
}

// ours says whether a connection is the sink's source's. AF_UNIX has no address
// for that end, but says which process it is: both ends are in one.
func (e *endpoint) ours(fd int, from unix.Sockaddr) bool {
	if e.config.unix() {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		return err == nil && int(cred.Pid) == os.Getpid()
	}
	return expected(e.origins, addrPort(from))
}

func expected(origins []Origin, a netip.AddrPort) bool {
	for _, o := range origins {
		if o.has(a) {
			return true
		}
	}
	return false
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// forget throws away what came before the socket knew whom to expect: no source
// has sent yet. What it dropped until now is no loss of a source's either.
func (e *endpoint) forget() error {
	var b [1]byte
	for range maxForgotten {
		_, _, err := unix.Recvfrom(e.fd, b[:], unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		switch {
		case err == nil:
			e.strangers++
			continue
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ECONNREFUSED): // an ICMP error that waited
			continue
		case !errors.Is(err, unix.EAGAIN):
			return fmt.Errorf("empty the socket: %w", err)
		}
		break
	}
	t := thread{}
	e.dropped = t.socketDrops(e.fd)
	e.strangers += e.dropped
	return nil
}

// guard makes the kernel empty the datagrams of strangers.
func (e *endpoint) guard() error {
	program := guardProgram(e.config.IPv6, e.origins)
	err := unix.SetsockoptSockFprog(e.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("keep strangers' datagrams out: %w", err)
	}
	return nil
}

// guardProgram is a classic BPF program that keeps all of a datagram from one of
// the origins, and of others one byte: UDP never lets a filter cut into its own
// header (sk_filter_trim_cap in udp_queue_rcv_one_skb, net/ipv4/udp.c), so that
// is an empty datagram. The packet begins with UDP's header; IP's is found by a
// negative offset.
func guardProgram(v6 bool, origins []Origin) []unix.SockFilter {
	const networkHeader = 0xfff00000 // SKF_NET_OFF, include/uapi/linux/filter.h
	at := uint32(networkHeader + 12)
	if v6 {
		at = networkHeader + 8
	}
	load := func(size uint16, k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | size | unix.BPF_ABS, K: k}
	}
	var program []unix.SockFilter
	for _, o := range origins {
		var block []unix.SockFilter
		address := o.Addr.AsSlice()
		for i := 0; i < len(address); i += 4 {
			block = append(block, load(unix.BPF_W, at+uint32(i)),
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: binary.BigEndian.Uint32(address[i:])})
		}
		if o.First != 0 || o.Last != 0 {
			block = append(block, load(unix.BPF_H, 0),
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: uint32(o.First)},
				// A port above Last goes on behind the block, so it jumps if true.
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, K: uint32(o.Last)})
		}
		block = append(block, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff})
		for i := range block {
			behind := uint8(len(block) - i - 1)
			switch block[i].Code {
			case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
				block[i].Jt = behind
			case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
				block[i].Jf = behind
			}
		}
		program = append(program, block...)
	}
	return append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 1})
}

// A doorkeeper knows whose connections a sink takes while it runs.
type doorkeeper struct {
	from    [unix.SizeofSockaddrInet6]byte
	size    uint32
	at      int // where in from the address is
	allowed [][]byte
}

func (d *doorkeeper) open(e *endpoint) {
	if d.at = 4; e.config.IPv6 {
		d.at = 8
	}
	for _, o := range e.origins {
		d.allowed = append(d.allowed, o.Addr.AsSlice())
	}
}

// admits says whether the one just accepted is expected. Of a source with a
// socket for each message the port is not known.
//
//go:nosplit
func (d *doorkeeper) admits() bool {
	for _, a := range d.allowed {
		same := true
		for i := range a {
			same = same && a[i] == d.from[d.at+i]
		}
		if same {
			return true
		}
	}
	return false
}

// stranger is a step that met one.
//
//go:nosplit
func (l *loop) stranger() (bytes, msgs int64, errno syscall.Errno) {
	l.events[eventStranger]++
	return 0, 0, 0
}

// empty says what a datagram without a byte is: a stranger's, or the end of a
// socket that was shut down. Of a byte stream it is always the end.
//
//go:nosplit
func (l *loop) empty() (bytes, msgs int64, errno syscall.Errno) {
	if !l.datagrams || l.stop.Load() {
		return 0, 0, errnoClosed
	}
	return l.stranger()
}
