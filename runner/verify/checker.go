package verify

import (
	"encoding/binary"
	"slices"

	"netab/results/vocab"
)

// window is over how many numbers behind the highest seen a datagram can be
// told from its duplicate: four times the default net.core.netdev_max_backlog,
// which is what one CPU's queue can hold back while another's is empty.
const window = 4096

// A Checker checks the datagrams of all flows that come to one sink.
//
// Every datagram is counted in Received or in Corrupt. Of the received, those
// Duplicated had been seen before; Reordered came after one with a higher
// number (RFC 4737, type-P-reordered); Late are so far behind (4096) that
// nobody can say whether they came before, and count as lost. Corrupt are all
// others: cut short, changed, or of a flow that does not belong here. Whose
// number a corrupt datagram had cannot be trusted, so it is lost as well.
type Checker struct {
	Received, Lost, Duplicated, Reordered, Late, Corrupt int64

	index []int32 // of a flow in flows; -1 = not ours
	flows []tracker
}

// A tracker knows which numbers of a flow have come.
type tracker struct {
	key      uint64
	next     uint64              // the highest number seen, plus one
	distinct int64               // numbers seen, neither again nor late
	seen     [window / 64]uint64 // the last numbers below next, by number modulo window
}

// maxMessages bounds the numbers of a flow: at 10 million a second they last
// for longer than any run, and no arithmetic overflows.
const maxMessages = 1 << 62

// NewChecker returns a checker that expects these flows and no others.
func NewChecker(flows ...int) *Checker {
	c := &Checker{flows: make([]tracker, 0, len(flows))}
	if len(flows) > 0 {
		c.index = slices.Repeat([]int32{-1}, slices.Max(flows)+1)
	}
	for _, f := range flows {
		if c.index[f] < 0 {
			c.index[f] = int32(len(c.flows))
			c.flows = append(c.flows, tracker{key: messageKey(f)})
		}
	}
	return c
}

// Check counts one datagram, as received.
//
//go:nosplit
func (c *Checker) Check(msg []byte) {
	t, seq := c.identify(msg)
	if t == nil || compare(msg[Header:], t.key, 0) != 0 {
		c.Corrupt++
		return
	}
	c.Received++
	switch {
	case seq >= t.next:
		t.advance(seq)
	case t.next-seq > window:
		c.Late++
		return
	case t.seen[seq%window/64]&(1<<(seq%64)) != 0:
		c.Duplicated++
		return
	default:
		c.Reordered++
	}
	t.seen[seq%window/64] |= 1 << (seq % 64)
	t.distinct++
}

// CheckEach checks a buffer of datagrams of size bytes each, the last of which
// may be shorter: what one call returns with UDP_GRO.
//
//go:nosplit
func (c *Checker) CheckEach(buf []byte, size int) {
	for len(buf) > 0 {
		msg := buf[:max(1, min(size, len(buf)))]
		c.Check(msg)
		buf = buf[len(msg):]
	}
}

// identify finds the tracker of a datagram's flow, nil if its header is wrong.
//
//go:nosplit
func (c *Checker) identify(msg []byte) (*tracker, uint64) {
	if len(msg) < Header {
		return nil, 0
	}
	seq := binary.LittleEndian.Uint64(msg)
	flow := binary.LittleEndian.Uint32(msg[8:])
	// Compared as the compiler wants it, which then leaves out its own check: that would
	// take stack that the loops have not.
	if uint(flow) >= uint(len(c.index)) {
		return nil, 0
	}
	at := int(c.index[flow]) // -1 = no flow of ours
	if uint(at) >= uint(len(c.flows)) || seq >= maxMessages || binary.LittleEndian.Uint32(msg[12:]) != checksum(seq, flow, len(msg)) {
		return nil, 0
	}
	return &c.flows[at], seq
}

// advance makes seq the highest number. What was skipped has not been seen,
// whatever was at its place a window before.
//
//go:nosplit
func (t *tracker) advance(seq uint64) {
	if seq-t.next >= window {
		for i := range t.seen {
			t.seen[i] = 0
		}
	} else {
		for n := t.next; n < seq; n++ {
			t.seen[n%window/64] &^= 1 << (n % 64)
		}
	}
	t.next = seq + 1
}

// Merge adds what another checker saw of the same flows, before Finish: the
// kernel may spread a flow's datagrams over several sockets (SO_REUSEPORT by
// CPU), and only together they know what was lost. What is between two sockets,
// in another order or twice, is not seen.
func (c *Checker) Merge(o *Checker) {
	c.Received += o.Received
	c.Duplicated += o.Duplicated
	c.Reordered += o.Reordered
	c.Late += o.Late
	c.Corrupt += o.Corrupt
	for flow, i := range o.index {
		if i < 0 {
			continue
		}
		for len(c.index) <= flow {
			c.index = append(c.index, -1)
		}
		if c.index[flow] < 0 {
			c.index[flow] = int32(len(c.flows))
			c.flows = append(c.flows, o.flows[i])
			continue
		}
		t := &c.flows[c.index[flow]]
		t.next = max(t.next, o.flows[i].next)
		t.distinct += o.flows[i].distinct
	}
}

// Finish counts the lost: all numbers up to the highest seen that did not come.
// Whatever was lost behind the last datagram received is not known here; the
// ledger, which knows what was sent, has it.
func (c *Checker) Finish() {
	c.Lost = 0
	for i := range c.flows {
		c.Lost += max(0, int64(c.flows[i].next)-c.flows[i].distinct)
	}
}

// Distinct is how many different messages arrived, the late not among them.
func (c *Checker) Distinct() int64 { return c.Received - c.Duplicated - c.Late }

// Events are the counts that are not zero, by name, as results.RoleDelta has
// them.
func (c *Checker) Events() map[string]int64 {
	events := map[string]int64{}
	for name, n := range map[string]int64{
		vocab.Lost: c.Lost, vocab.Duplicated: c.Duplicated, vocab.Reordered: c.Reordered, vocab.Late: c.Late, vocab.Corrupt: c.Corrupt,
	} {
		if n != 0 {
			events[name] = n
		}
	}
	return events
}
