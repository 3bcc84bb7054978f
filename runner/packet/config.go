package packet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Defaults of Config.
const (
	defaultBatch = 32
	// Fewer than net.core.netdev_max_backlog (1000): where frames wait for the
	// receiver's softirq, one source fills its own ring and waits, rather than
	// have the backlog drop what it sends.
	defaultSlots = 512
	maxSlots     = 1 << 16
)

// Config says what a Source sends, and where.
type Config struct {
	Device string
	// SourceMAC and SinkMAC are all zeros on lo.
	SourceMAC, SinkMAC [6]byte
	// Source and Sink are of one family. Nothing is bound to Source: it is only
	// what the frames say.
	Source, Sink netip.AddrPort
	// Ports is the number of source ports, counted up from Source's, that the
	// frames take in turn, so that the hashes of RPS and RSS spread them; 0 = 1.
	// If it does not divide the number of slots, some ports come once more than
	// the others in each round of the ring.
	Ports   int
	Payload int // bytes of each datagram
	Batch   int // frames handed to the kernel by one call, at most; 0 = 32
	// Slots is the size of the ring in frames, rounded up to a power of two;
	// 0 = 512.
	Slots int
	// Qdisc sends through the device's qdisc, and not past it.
	Qdisc bool
}

// withDefaults returns a configuration that can be sent through a device of
// that MTU.
func (c Config) withDefaults(mtu int) (Config, error) {
	if c.Ports == 0 {
		c.Ports = 1
	}
	if c.Batch == 0 {
		c.Batch = defaultBatch
	}
	if c.Slots == 0 {
		c.Slots = defaultSlots
	}
	c.Slots = powerOfTwo(max(c.Slots, c.Ports, c.Batch))
	switch {
	case !c.Source.Addr().IsValid() || !c.Sink.Addr().IsValid():
		return c, errors.New("frames need a source and a sink address")
	case c.Source.Addr().Is4() != c.Sink.Addr().Is4():
		return c, fmt.Errorf("source %s and sink %s are not of one address family", c.Source, c.Sink)
	case c.Ports < 0 || c.Batch < 0 || c.Payload < 0:
		return c, fmt.Errorf("ports %d, batch %d, payload %d: none of them can be negative", c.Ports, c.Batch, c.Payload)
	case int(c.Source.Port())+c.Ports-1 > 65535:
		return c, fmt.Errorf("%d source ports from %d on go past 65535", c.Ports, c.Source.Port())
	case c.Slots > maxSlots:
		return c, fmt.Errorf("a ring of %d slots: at most %d, by ports and batch too", c.Slots, maxSlots)
	case c.headers()-etherLen+c.Payload > mtu:
		return c, fmt.Errorf("datagrams of %d bytes are packets of %d, more than the MTU %d of %s: nothing cuts the frames of a ring into fragments",
			c.Payload, c.headers()-etherLen+c.Payload, mtu, c.Device)
	}
	return c, nil
}

// headers is the number of bytes before the payload.
func (c Config) headers() int {
	if c.Source.Addr().Is4() {
		return etherLen + ipv4Len + udpLen
	}
	return etherLen + ipv6Len + udpLen
}

func powerOfTwo(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// Sysctls are what must be set, by slashed name below /proc/sys, in the
// namespace where the frames of a Source arrive by device; nil = nothing.
//
// A datagram that a socket sends over lo carries its route with it. A frame
// from a ring has none, and is routed as if it had come from outside: there the
// kernel drops packets to 127.0.0.0/8 (route_localnet) and packets from an
// address of its own (accept_local). IPv6 has no such checks on lo, and over a
// veth pair source and sink are in different namespaces.
func Sysctls(device string, ipv6 bool) map[string]string {
	if ipv6 || device != "lo" {
		return nil
	}
	return map[string]string{
		"net/ipv4/conf/lo/route_localnet": "1",
		"net/ipv4/conf/lo/accept_local":   "1",
	}
}

func lookUp(device string) (*net.Interface, error) {
	link, err := net.InterfaceByName(device)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", device, err)
	}
	if link.Flags&net.FlagUp == 0 {
		return nil, fmt.Errorf("%s is down: set it up first", device)
	}
	return link, nil
}
