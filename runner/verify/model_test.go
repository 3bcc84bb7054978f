package verify

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// counts are the public counts of a Checker.
type counts struct{ Received, Lost, Duplicated, Reordered, Late, Corrupt int64 }

func countsOf(c *Checker) counts {
	c.Finish()
	return counts{c.Received, c.Lost, c.Duplicated, c.Reordered, c.Late, c.Corrupt}
}

// message makes the datagram of one number.
func message(flow int, seq uint64, size int) []byte {
	s := NewStamper(flow)
	s.next = seq
	msg := make([]byte, size)
	s.Prepare(msg, size)
	s.Stamp(msg)
	return msg
}

// A delivery is one datagram that arrives at the model's sink.
type delivery struct {
	flow int
	seq  uint64
}

// naive counts with a set of all numbers ever seen.
func naive(deliveries []delivery) (c counts) {
	seen := map[delivery]bool{} // the late too
	distinct := map[int]int64{}
	highest := map[int]int64{}
	for _, d := range deliveries {
		top, any := highest[d.flow]
		if !any {
			top = -1
		}
		c.Received++
		switch seq := int64(d.seq); {
		case seq <= top-window:
			c.Late++
			continue
		case seen[d]:
			c.Duplicated++
			continue
		case seq < top:
			c.Reordered++
		default:
			highest[d.flow] = seq
		}
		seen[d] = true
		distinct[d.flow]++
	}
	for flow, top := range highest {
		c.Lost += top + 1 - distinct[flow]
	}
	return c
}

// script turns bytes into deliveries: each pair of bytes is a flow and how far
// the next number is from the last, near or far, back or forth.
func script(data []byte) (out []delivery) {
	var at [4]int64
	for ; len(data) >= 2; data = data[2:] {
		flow := int(data[0] & 3)
		jump := int64(int8(data[1]))
		switch data[0] >> 2 & 7 {
		case 0, 1, 2, 3:
			jump = 1
		case 4:
			jump *= 33 // about a window
		case 5:
			jump *= 4096 / 64
		case 6:
			jump <<= data[0] >> 5 * 4
		}
		at[flow] = max(0, at[flow]+jump)
		out = append(out, delivery{flow, uint64(at[flow])})
	}
	return out
}

func againstModel(t *testing.T, deliveries []delivery) {
	t.Helper()
	c := NewChecker(0, 1, 2, 3)
	for _, d := range deliveries {
		c.Check(message(d.flow, d.seq, Header+3))
	}
	if diff := cmp.Diff(naive(deliveries), countsOf(c)); diff != "" {
		t.Errorf("%d deliveries (-model +checker):\n%s", len(deliveries), diff)
	}
	if got := int64(len(deliveries)) - c.Duplicated - c.Late; c.Distinct() != got {
		t.Errorf("%d distinct, want %d", c.Distinct(), got)
	}
}

func TestCheckerAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var all counts
	for range 200 {
		data := make([]byte, 2*rng.IntN(5000))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		deliveries := script(data)
		againstModel(t, deliveries)
		n := naive(deliveries)
		all.Lost += n.Lost
		all.Duplicated += n.Duplicated
		all.Reordered += n.Reordered
		all.Late += n.Late
	}
	// A model that sees none of it would agree with anything.
	if all.Lost == 0 || all.Duplicated < 1000 || all.Reordered < 1000 || all.Late < 1000 {
		t.Errorf("the scripts do too little: %+v", all)
	}
}

func FuzzCheckerAgainstModel(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 28, 250, 0, 0})
	f.Add([]byte{24 | 7<<5, 127, 16, 128, 20, 127, 20, 129})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			t.Skip("the model is slow")
		}
		againstModel(t, script(data))
	})
}

// FuzzCheck gives a checker what may come from anywhere: it must count it and
// nothing else.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(nil), 0)
	f.Add(message(3, 7, 100), 1)
	f.Add(message(3, maxMessages-1, Header), 20)
	f.Add(message(3, maxMessages, Header), 20)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		c := NewChecker(3)
		c.Check(data)
		if c.Received+c.Corrupt != 1 {
			t.Errorf("one datagram counted as %+v", countsOf(c))
		}
		// Whatever is accepted is what a stamper makes.
		if c.Received == 1 {
			if diff := cmp.Diff(message(3, binary.LittleEndian.Uint64(data), len(data)), data); diff != "" {
				t.Error(diff)
			}
		}
		c.CheckEach(data, size)
		got := countsOf(c)
		if got.Lost < 0 || got.Lost >= maxMessages {
			t.Errorf("%+v", got)
		}
	})
}
