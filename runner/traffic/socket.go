package traffic

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
)

func (c *Config) socket(sink bool) (fd int, err error) {
	family, kind := unix.AF_INET, unix.SOCK_STREAM
	if c.IPv6 {
		family = unix.AF_INET6
	}
	if c.unix() {
		family = unix.AF_UNIX
	}
	if !c.stream() {
		kind = unix.SOCK_DGRAM
	}
	protocol, called := 0, string(c.Protocol)
	if c.MPTCP {
		protocol, called = unix.IPPROTO_MPTCP, "mptcp"
	}
	fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, fmt.Errorf("open %s socket: %w", called, err)
	}
	if err := c.configure(fd, sink); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// listen opens the receiving socket of one end: bound, and listening where there
// are connections. port 0 = one of the kernel's choice.
func (c *Config) listen(e *endpoint, port uint16) (err error) {
	fd, err := c.socket(true)
	if err != nil {
		return err
	}
	defer closeOnError(fd, &err)
	addr := e.Addr
	if c.Kind == vocab.Multicast {
		addr = e.To.Addr() // none but the group's packets
	}
	if err := unix.Bind(fd, c.sockaddr(netip.AddrPortFrom(addr, port))); err != nil {
		return fmt.Errorf("bind %s socket to %s: %w", c.Protocol, addr, err)
	}
	if c.stream() {
		// Strangers must not keep the source out. net.core.somaxconn cuts it.
		if err := unix.Listen(fd, 4096); err != nil {
			return fmt.Errorf("listen on %s: %w", addr, err)
		}
	}
	if c.stream() && c.Kind.Connects() {
		if err := boundSilence(fd); err != nil {
			return err
		}
	}
	if c.Kind == vocab.Multicast {
		if err := join(fd, groupBytes(e.To.Addr()), c.IPv6, e.Device); err != nil {
			return err
		}
	}
	e.fd = fd
	e.port, err = localPort(fd)
	return err
}

func groupBytes(group netip.Addr) (out [16]byte) {
	copy(out[:], group.AsSlice())
	return out
}

// connect opens the sending socket of one end.
func (c *Config) connect(e *endpoint) (err error) {
	fd, err := c.socket(false)
	if err != nil {
		return err
	}
	defer closeOnError(fd, &err)
	if c.Kind == vocab.Multicast {
		if err := sendBy(fd, c.IPv6, e.Device); err != nil {
			return err
		}
	}
	if c.Protocol == vocab.UnixDgram { // so that the sink can connect back
		if err := unix.Bind(fd, c.sockaddr(netip.AddrPort{})); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
	}
	if c.Source.Socket == "open" {
		// The kernel chooses its port now, so that the sink can be told.
		if err := unix.Bind(fd, c.sockaddr(netip.AddrPortFrom(unspecified(c.IPv6), 0))); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
	} else if err := connect(fd, c.sockaddr(e.To)); err != nil {
		return fmt.Errorf("connect %s to %s: %w", c.Protocol, e.To, err)
	}
	e.fd = fd
	if c.Kind == vocab.RR && !c.stream() { // it receives too
		if c.guarded(false) {
			e.origins = []Origin{{e.To.Addr(), e.To.Port(), e.To.Port()}}
			if err := e.guard(); err != nil {
				return err
			}
		}
		if err := e.forget(); err != nil {
			return err
		}
	}
	e.port, err = localPort(fd)
	return err
}

// boundSilence bounds how long each connection that a listener accepts, which
// inherits it, may keep its sink waiting.
func boundSilence(listener int) error {
	limit := unix.NsecToTimeval(int64(silence))
	for _, which := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(listener, unix.SOL_SOCKET, which, &limit); err != nil {
			return fmt.Errorf("bound the silence of connections: %w", err)
		}
	}
	return nil
}

func unspecified(v6 bool) netip.Addr {
	if v6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func connect(fd int, to unix.Sockaddr) error {
	for {
		if err := unix.Connect(fd, to); err != unix.EINTR {
			return err
		}
	}
}

func closeOnError(fd int, err *error) {
	if *err != nil {
		unix.Close(fd)
	}
}

// unixNames numbers the abstract names of AF_UNIX sockets. They are the network
// namespace's, as ports are, and take the place of ports here.
var unixNames atomic.Uint32

// sockaddr is the kernel's form of an address; of AF_UNIX, the port is the number
// of a name, and 0 asks for a new one.
func (c *Config) sockaddr(a netip.AddrPort) unix.Sockaddr {
	switch {
	case c.unix():
		n := uint32(a.Port())
		if n == 0 {
			n = unixNames.Add(1)
		}
		return &unix.SockaddrUnix{Name: fmt.Sprintf("@netab-%d", n)}
	case a.Addr().Is4():
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// rawSockaddr is the same as the bytes that a raw system call takes.
func (c *Config) rawSockaddr(a netip.AddrPort) []byte {
	family, flow := uint16(unix.AF_INET), 0
	if a.Addr().Is6() {
		family, flow = unix.AF_INET6, 4
	}
	out := binary.NativeEndian.AppendUint16(nil, family)
	out = binary.BigEndian.AppendUint16(out, a.Port())
	out = append(out, make([]byte, flow)...)
	out = append(out, a.Addr().AsSlice()...)
	return append(out, make([]byte, 8)...) // sin_zero; sin6_scope_id and more
}

func localPort(fd int) (uint16, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0, fmt.Errorf("getsockname: %w", err)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return uint16(sa.Port), nil
	case *unix.SockaddrInet6:
		return uint16(sa.Port), nil
	case *unix.SockaddrUnix:
		var n uint16
		if sa.Name == "" || sa.Name == "@" { // an unnamed end of a stream
			return 0, nil
		}
		_, err := fmt.Sscanf(sa.Name, "@netab-%d", &n)
		return n, err
	}
	return 0, fmt.Errorf("getsockname: unexpected address %T", sa)
}

// tcpInfo picks what explains a rate from TCP_INFO of a sending socket.
func tcpInfo(fd int) map[string]int64 {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return nil
	}
	return map[string]int64{
		"rtt_us":            int64(info.Rtt),
		"cwnd":              int64(info.Snd_cwnd),
		"mss":               int64(info.Snd_mss),
		"retrans":           int64(info.Total_retrans),
		"lost":              int64(info.Lost),
		"rwnd_limited_us":   int64(info.Rwnd_limited),
		"sndbuf_limited_us": int64(info.Sndbuf_limited),
		"busy_us":           int64(info.Busy_time),
		"segs_out":          int64(info.Segs_out),
	}
}
