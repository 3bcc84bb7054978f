// Package verify numbers the messages of a source and checks, at the sink,
// every byte of what arrives: what `verify: true` of a scenario's traffic does.
//
// Datagrams have a header (Stamper, Checker): lost, duplicated, reordered and
// corrupt ones are counted. A byte stream has none, for its chunks are nobody's
// messages: its bytes are a function of their offset (StreamStamper,
// StreamChecker), and each that is not as it should be is counted.
//
// Checking reads every byte once more and costs what that costs: rates of
// verified traffic are compared with rates of verified traffic only.
//
// The traffic loops are one long system call to Go's scheduler (see package
// traffic): whatever they call here is nosplit, allocates nothing, and needs,
// with all it calls, less than 300 bytes of stack.
package verify

import "encoding/binary"

// step is the odd number next to 2^64 divided by the golden ratio: its
// multiples modulo 2^64 (a Weyl sequence) do not come back before 2^64 of them.
const step = 0x9e3779b97f4a7c15

// mix is the finalizer of splitmix64 (Steele, Lea, Flood 2014): a bijection in
// which each bit of x changes about half of the result's.
//
//go:nosplit
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Payloads are a sequence of 64-bit words, little endian: word k of a key is
// word(key + k*step). Two different words of a flow are never the same, so data
// at the wrong place is found as surely as a flipped bit; and a word costs three
// instructions, where a table would take the cache from the traffic. The shift
// brings the well-mixed upper half into the lower, whose bits have short
// periods.
//
//go:nosplit
func word(x uint64) uint64 { return x ^ x>>32 }

// Datagrams and streams of a flow have keys of their own.
func messageKey(flow int) uint64 { return mix(2*uint64(flow) + 1) }
func streamKey(flow int) uint64  { return mix(2*uint64(flow) + 2) }

// fill writes the pattern from offset bytes behind its beginning.
//
//go:nosplit
func fill(b []byte, key uint64, offset int64) {
	x := key + uint64(offset>>3)*step
	if at := uint(offset & 7); at != 0 { // to the next whole word
		w := word(x) >> (8 * at)
		n := min(8-int(at), len(b))
		for i := range n {
			b[i] = byte(w)
			w >>= 8
		}
		b = b[n:]
		x += step
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, word(x))
		b = b[8:]
		x += step
	}
	w := word(x)
	for i := range b {
		b[i] = byte(w)
		w >>= 8
	}
}

// compare returns how many bytes are not the pattern's.
//
//go:nosplit
func compare(b []byte, key uint64, offset int64) (wrong int64) {
	x := key + uint64(offset>>3)*step
	if at := uint(offset & 7); at != 0 {
		w := word(x) >> (8 * at)
		n := min(8-int(at), len(b))
		for i := range n {
			if b[i] != byte(w) {
				wrong++
			}
			w >>= 8
		}
		b = b[n:]
		x += step
	}
	for len(b) >= 8 {
		if diff := binary.LittleEndian.Uint64(b) ^ word(x); diff != 0 {
			for ; diff != 0; diff >>= 8 {
				if byte(diff) != 0 {
					wrong++
				}
			}
		}
		b = b[8:]
		x += step
	}
	w := word(x)
	for i := range b {
		if b[i] != byte(w) {
			wrong++
		}
		w >>= 8
	}
	return wrong
}
