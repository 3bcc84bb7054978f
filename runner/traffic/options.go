package traffic

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
)

// An option is one socket option of a role, set where its value is not zero.
type option struct {
	name         string
	level, which int
	value        int
}

// options lists the plain socket options of one end.
func (c *Config) options(sink bool) []option {
	tcp := func(v int) int {
		if c.Protocol == vocab.TCP {
			return v
		}
		return 0
	}
	out := []option{
		{"nodelay", unix.IPPROTO_TCP, unix.TCP_NODELAY, tcp(number(c.NoDelay))},
		{"notsent_lowat", unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, tcp(c.NotSentLowat)},
		{"mss", unix.IPPROTO_TCP, unix.TCP_MAXSEG, tcp(c.MSS)},
	}
	switch { // of what is sent: by the sink, acknowledgements and responses
	case c.unix():
	case c.IPv6:
		out = append(out, option{"tos", unix.IPPROTO_IPV6, unix.IPV6_TCLASS, c.TOS},
			option{"dont_fragment", unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, number(c.DontFragment) * unix.IPV6_PMTUDISC_DO})
	default:
		out = append(out, option{"tos", unix.IPPROTO_IP, unix.IP_TOS, c.TOS},
			option{"dont_fragment", unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, number(c.DontFragment) * unix.IP_PMTUDISC_DO})
	}
	// A transaction's both ends receive.
	if sink || c.Kind.Answers() {
		out = append(out,
			option{"busy_poll", unix.SOL_SOCKET, unix.SO_BUSY_POLL, c.Sink.BusyPoll},
			option{"prefer_busy_poll", unix.SOL_SOCKET, unix.SO_PREFER_BUSY_POLL, number(c.Sink.PreferBusyPoll)})
	}
	if sink {
		return append(out,
			option{"gro", unix.IPPROTO_UDP, unix.UDP_GRO, number(c.Sink.GRO)},
			option{"timestamp", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, number(c.Sink.Timestamp)},
			option{"low_water", unix.SOL_SOCKET, unix.SO_RCVLOWAT, c.Sink.LowWater},
			option{"reuseport", unix.SOL_SOCKET, unix.SO_REUSEPORT, number(c.onePort() && c.Kind != vocab.Multicast)},
			option{"reuseaddr", unix.SOL_SOCKET, unix.SO_REUSEADDR, number(c.Kind == vocab.Multicast)})
	}
	return append(out,
		option{"segment", unix.IPPROTO_UDP, unix.UDP_SEGMENT, c.Source.Segment},
		option{"zerocopy", unix.SOL_SOCKET, unix.SO_ZEROCOPY, number(c.Source.ZeroCopy && c.Source.Call != "io_uring")})
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// configure sets everything that is to be set before a socket is bound or
// connected.
func (c *Config) configure(fd int, sink bool) error {
	if c.SendBuffer > 0 {
		if err := setBuffer(fd, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, c.SendBuffer); err != nil {
			return fmt.Errorf("send_buffer: %w", err)
		}
	}
	if c.ReceiveBuffer > 0 {
		if err := setBuffer(fd, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, c.ReceiveBuffer); err != nil {
			return fmt.Errorf("receive_buffer: %w", err)
		}
	}
	if c.Protocol == vocab.TCP && c.Congestion != "" {
		if err := unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, c.Congestion); err != nil {
			return fmt.Errorf("congestion control %q: %w (see net.ipv4.tcp_available_congestion_control)", c.Congestion, err)
		}
	}
	for _, o := range c.options(sink) {
		if o.value == 0 {
			continue
		}
		if err := unix.SetsockoptInt(fd, o.level, o.which, o.value); err != nil {
			return fmt.Errorf("%s: %w: the kernel lacks it, or does not allow it here", o.name, err)
		}
	}
	if c.PacingRate > 0 && !sink {
		if err := setPacingRate(fd, c.PacingRate); err != nil {
			return fmt.Errorf("pacing_rate: %w", err)
		}
	}
	if !sink && c.Kind == vocab.RR && !c.stream() {
		timeout := unix.NsecToTimeval(c.Timeout)
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
			return fmt.Errorf("timeout: %w", err)
		}
	}
	return nil
}

// setPacingRate takes 64 bits: an int of SO_MAX_PACING_RATE ends at 34 Gbit/s.
func setPacingRate(fd int, rate int64) error {
	value := unsafe.Slice((*byte)(unsafe.Pointer(&rate)), 8)
	return unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_MAX_PACING_RATE, string(value))
}

// setBuffer asks for a socket buffer past net.core.[rw]mem_max where it may,
// and refuses to go on with a smaller one than was asked for: the kernel
// doubles the value (socket(7)), so that is what must be read back.
func setBuffer(fd, plain, force, size int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size); err != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, size); err != nil {
			return err
		}
	}
	got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, plain)
	if err != nil {
		return err
	}
	if got < 2*size {
		return fmt.Errorf("asked for %d bytes, the kernel gave %d: raise net.core.wmem_max/rmem_max or run as root", size, got/2)
	}
	return nil
}

// steerByCPU attaches the classic BPF program "return the CPU modulo n" to a
// group of sockets with SO_REUSEPORT: the n-th socket bound gets the packets of
// CPU n (socket(7), SO_ATTACH_REUSEPORT_CBPF).
func steerByCPU(fd, n int) error {
	const cpu = 0xfffff000 + 36 // SKF_AD_OFF + SKF_AD_CPU, include/uapi/linux/filter.h
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: cpu},
		{Code: unix.BPF_ALU | unix.BPF_MOD | unix.BPF_K, K: uint32(n)},
		{Code: unix.BPF_RET | unix.BPF_A},
	}
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("steer by CPU: %w", err)
	}
	return nil
}

// join makes a socket a member of a multicast group on a device.
func join(fd int, group [16]byte, v6 bool, device int) error {
	var err error
	if v6 {
		err = unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &unix.IPv6Mreq{Multiaddr: group, Interface: uint32(device)})
	} else {
		err = unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: [4]byte(group[:4]), Ifindex: int32(device)})
	}
	if err != nil {
		return fmt.Errorf("join the multicast group: %w", err)
	}
	return nil
}

// sendBy makes a source's multicast packets leave by a device.
func sendBy(fd int, v6 bool, device int) error {
	var err error
	if v6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, device)
	} else {
		err = unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(device)})
	}
	if err != nil {
		return fmt.Errorf("send to the multicast group by the device: %w", err)
	}
	return nil
}
