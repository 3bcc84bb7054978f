package packet

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Lengths of the headers of a frame.
const (
	etherLen = 14
	ipv4Len  = 20
	ipv6Len  = 40
	udpLen   = 8
)

// appendFrame appends the Ethernet frame of one datagram with the given source
// port and IP identification. Byte i of its payload is byte(i).
func (c Config) appendFrame(b []byte, port, id uint16) []byte {
	b = append(append(b, c.SinkMAC[:]...), c.SourceMAC[:]...)
	if c.Source.Addr().Is4() {
		b = binary.BigEndian.AppendUint16(b, unix.ETH_P_IP)
		b = c.appendIPv4(b, id)
	} else {
		b = binary.BigEndian.AppendUint16(b, unix.ETH_P_IPV6)
		b = c.appendIPv6(b)
	}
	return c.appendUDP(b, port)
}

// appendIPv4 appends the header of RFC 791.
func (c Config) appendIPv4(b []byte, id uint16) []byte {
	start := len(b)
	b = append(b, 0x45, 0) // version 4, five words of header
	b = binary.BigEndian.AppendUint16(b, uint16(ipv4Len+udpLen+c.Payload))
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(b, 0x40, 0)                    // do not fragment
	b = append(b, 64, unix.IPPROTO_UDP, 0, 0) // the checksum follows
	b = append(b, c.Source.Addr().AsSlice()...)
	b = append(b, c.Sink.Addr().AsSlice()...)
	sum := ^fold(add(0, b[start:start+ipv4Len]))
	binary.BigEndian.PutUint16(b[start+10:], sum)
	return b
}

// appendIPv6 appends the header of RFC 8200.
func (c Config) appendIPv6(b []byte) []byte {
	b = append(b, 0x60, 0, 0, 0) // version 6, flow label 0
	b = binary.BigEndian.AppendUint16(b, uint16(udpLen+c.Payload))
	b = append(b, unix.IPPROTO_UDP, 64)
	b = append(b, c.Source.Addr().AsSlice()...)
	return append(b, c.Sink.Addr().AsSlice()...)
}

// appendUDP appends header (RFC 768) and payload.
func (c Config) appendUDP(b []byte, port uint16) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, port)
	b = binary.BigEndian.AppendUint16(b, c.Sink.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(udpLen+c.Payload))
	b = append(b, 0, 0)
	for i := range c.Payload {
		b = append(b, byte(i))
	}
	sum := ^fold(add(pseudoHeader(c.Source.Addr(), c.Sink.Addr(), udpLen+c.Payload), b[start:]))
	if sum == 0 {
		sum = 0xffff // 0 says that there is none, which IPv6 does not allow
	}
	binary.BigEndian.PutUint16(b[start+6:], sum)
	return b
}

// pseudoHeader is the sum of what UDP's checksum covers besides the datagram.
// That IPv6 has the length in 32 bits and IPv4 in 16 makes no difference to it.
func pseudoHeader(source, sink netip.Addr, length int) uint64 {
	return add(add(uint64(unix.IPPROTO_UDP+length), source.AsSlice()), sink.AsSlice())
}

// add adds the 16-bit words of b, the last one padded with a zero byte, to a
// sum that is not yet folded (RFC 1071).
func add(sum uint64, b []byte) uint64 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	return sum
}

// fold adds the carries until 16 bits are left.
func fold(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
