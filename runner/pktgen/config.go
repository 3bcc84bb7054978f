package pktgen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"netab/runner/host"
)

// leastPayload is what pktgen writes into every datagram: magic, sequence
// number, time (struct pktgen_hdr). It makes smaller ones larger, without a word.
const leastPayload = 16

// neverDelay is what pktgen takes for "never send", and spins.
const neverDelay = 0x7fffffff * time.Nanosecond

// Config says what one of pktgen's threads sends through one device.
type Config struct {
	Device string
	// CPU is whose thread sends. Several CPUs may send through one device, each
	// with a Config of its own.
	CPU                int
	SourceMAC, SinkMAC [6]byte
	// Source and Sink are of one family. Nothing is bound to Source.
	Source, Sink netip.AddrPort
	// Ports is the number of source ports, counted up from Source's, that the
	// packets take in turn; 0 = 1.
	Ports   int
	Payload int   // bytes of each datagram, 16 or more
	Count   int64 // packets; 0 = until stopped
	// Clone is how often a packet is sent before the next one is made, Burst how
	// often for one lock of the device's queue. Most virtual devices, veth too,
	// allow neither; 0 = once.
	Clone, Burst int
	// Delay is the time from one packet to the next; 0 = as fast as it goes.
	Delay time.Duration
}

// check refuses what pktgen would refuse without a reason, or change silently.
func (c Config) check(h host.Host) error {
	switch {
	case !c.Source.Addr().IsValid() || !c.Sink.Addr().IsValid():
		return errors.New("packets need a source and a sink address")
	case c.Source.Addr().Is4() != c.Sink.Addr().Is4():
		return fmt.Errorf("source %s and sink %s are not of one address family", c.Source, c.Sink)
	case c.Payload < leastPayload:
		return fmt.Errorf("datagrams of %d bytes: pktgen's have at least %d, its own header", c.Payload, leastPayload)
	case c.Ports < 0 || c.Count < 0 || c.Clone < 0 || c.Burst < 0 || c.CPU < 0 || c.Delay < 0:
		return errors.New("ports, count, clone, burst, cpu and delay cannot be negative")
	case c.Delay >= neverDelay:
		return fmt.Errorf("delay %s: pktgen's are below %s", c.Delay, neverDelay)
	// Its upper bound lies behind the last port, and has 16 bits too.
	case c.Ports > 1 && int(c.Source.Port())+c.Ports > 65535:
		return fmt.Errorf("%d source ports from %d on: pktgen's must be below 65535", c.Ports, c.Source.Port())
	}
	links, err := h.Links()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(links, func(l host.Link) bool { return l.Name == c.Device })
	switch packet := c.size() - etherLen; {
	case i < 0:
		return errors.New("no such device in this namespace")
	case c.Device == "lo":
		return errors.New("pktgen sends through Ethernet devices only; use a veth pair, or the packet path, which has lo too")
	case !links[i].Up:
		return errors.New("the device is down: set it up first")
	case packet > links[i].MTU:
		return fmt.Errorf("datagrams of %d bytes are packets of %d, more than the device's MTU %d", c.Payload, packet, links[i].MTU)
	}
	return nil
}

// Lengths of headers.
const (
	etherLen = 14
	ipv4Len  = 20
	ipv6Len  = 40
	udpLen   = 8
)

// size is that of a frame without its check sequence, as pkt_size means it.
func (c Config) size() int {
	if c.Source.Addr().Is4() {
		return etherLen + ipv4Len + udpLen + c.Payload
	}
	return etherLen + ipv6Len + udpLen + c.Payload
}

// parameters are the lines for the device's file, in order.
func (c Config) parameters() []string {
	mac := func(a [6]byte) string { return net.HardwareAddr(a[:]).String() }
	from, to := int(c.Source.Port()), strconv.Itoa(int(c.Sink.Port()))
	behind := from // equal bounds: always this one
	if c.Ports > 1 {
		behind = from + c.Ports
	}
	lines := []string{
		"count " + strconv.FormatInt(c.Count, 10),
		"delay " + strconv.FormatInt(int64(c.Delay), 10),
		"pkt_size " + strconv.Itoa(c.size()),
		"dst_mac " + mac(c.SinkMAC),
		"src_mac " + mac(c.SourceMAC),
		"udp_src_min " + strconv.Itoa(from),
		"udp_src_max " + strconv.Itoa(behind),
		"udp_dst_min " + to,
		"udp_dst_max " + to,
	}
	source, sink := c.Source.Addr().String(), c.Sink.Addr().String()
	if c.Source.Addr().Is4() {
		lines = append(lines, "src_min "+source, "src_max "+source, "dst_min "+sink, "dst_max "+sink)
	} else {
		// A UDP socket takes no datagrams without a checksum over IPv6.
		lines = append(lines, "src6 "+source, "dst6 "+sink, "flag UDPCSUM")
	}
	if c.Clone > 0 {
		lines = append(lines, "clone_skb "+strconv.Itoa(c.Clone))
	}
	if c.Burst > 0 {
		lines = append(lines, "burst "+strconv.Itoa(c.Burst))
	}
	return lines
}
