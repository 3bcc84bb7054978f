package verify

import "encoding/binary"

// Header is how many bytes a datagram must have at least to be verified: its
// number, its flow and a checksum of both and of its length, little endian.
// Behind it is the flow's pattern, which the checker knows by itself, so that
// the checksum need not cover it.
const Header = 16

// A Stamper numbers the datagrams of one flow.
type Stamper struct {
	key  uint64
	next uint64
	flow uint32
}

// NewStamper returns the stamper of a flow; its numbers begin with 0.
func NewStamper(flow int) *Stamper {
	return &Stamper{key: messageKey(flow), flow: uint32(flow)}
}

// Prepare writes the pattern into a buffer of messages of size bytes each, the
// last of which may be shorter (UDP_SEGMENT; one message: size is the buffer's).
// The pattern of a shorter message is the beginning of a longer one's, so one
// prepared buffer does for all sizes, and only headers change from then on.
//
//go:nosplit
func (s *Stamper) Prepare(buf []byte, size int) {
	for len(buf) > 0 {
		n := max(1, min(size, len(buf)))
		if n > Header {
			fill(buf[Header:n], s.key, 0)
		}
		buf = buf[n:]
	}
}

// Stamp gives a prepared message the next number. A message shorter than
// Header is left alone, and will be corrupt to the checker.
//
//go:nosplit
func (s *Stamper) Stamp(msg []byte) {
	if len(msg) < Header {
		return
	}
	binary.LittleEndian.PutUint64(msg, s.next)
	binary.LittleEndian.PutUint32(msg[8:], s.flow)
	binary.LittleEndian.PutUint32(msg[12:], checksum(s.next, s.flow, len(msg)))
	s.next++
}

// StampEach stamps a buffer of messages of size bytes each, as Prepare lays
// them out, and returns how many they are.
//
//go:nosplit
func (s *Stamper) StampEach(buf []byte, size int) (n int) {
	for len(buf) > 0 {
		msg := buf[:max(1, min(size, len(buf)))]
		s.Stamp(msg)
		buf = buf[len(msg):]
		n++
	}
	return n
}

// Unsent takes back the last n numbers, whose messages the kernel refused
// (ENOBUFS, EAGAIN, the rest of a sendmmsg): they were not sent, so the sink
// cannot have lost them.
//
//go:nosplit
func (s *Stamper) Unsent(n int) { s.next -= uint64(n) }

// Sent is how many messages were stamped and not taken back.
func (s *Stamper) Sent() int64 { return int64(s.next) }

// checksum is of the header and of the length: a datagram cut short would else
// still have the right pattern.
//
//go:nosplit
func checksum(seq uint64, flow uint32, length int) uint32 {
	h := mix(seq ^ mix(uint64(flow)<<32|uint64(uint32(length))))
	return uint32(h ^ h>>32)
}
