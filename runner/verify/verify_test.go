package verify

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryBit flips each bit of a datagram, cuts it at each length and makes
// it longer: all of it must be found.
func TestEveryBit(t *testing.T) {
	for _, size := range []int{Header, Header + 1, 64, 101} {
		c := NewChecker(0, 5)
		var want counts
		for bit := range 8 * size {
			msg := message(5, 0, size)
			msg[bit/8] ^= 1 << (bit % 8)
			c.Check(msg)
			want.Corrupt++
		}
		msg := message(5, 0, size)
		for n := range size {
			c.Check(msg[:n])
			want.Corrupt++
		}
		c.Check(append(bytes.Clone(msg), 0))
		c.Check(nil)
		want.Corrupt += 2
		if diff := cmp.Diff(want, countsOf(c)); diff != "" {
			t.Errorf("size %d (-want +got):\n%s", size, diff)
		}
		c.Check(msg)
		want.Received++
		if diff := cmp.Diff(want, countsOf(c)); diff != "" {
			t.Errorf("size %d, unchanged (-want +got):\n%s", size, diff)
		}
	}
}

// TestForeignPayload has payloads at the wrong place: of another flow under
// this one's header, and this flow's own words swapped.
func TestForeignPayload(t *testing.T) {
	c := NewChecker(1, 2)
	msg := message(1, 0, 64)
	copy(msg[Header:], message(2, 0, 64)[Header:])
	c.Check(msg)
	msg = message(1, 0, 64)
	copy(msg[Header:Header+8], msg[Header+8:Header+16])
	c.Check(msg)
	c.Check(message(0, 0, 64)) // a flow of somebody else, within the index
	c.Check(message(99, 0, 64))
	if diff := cmp.Diff(counts{Corrupt: 4}, countsOf(c)); diff != "" {
		t.Error(diff)
	}
	none := NewChecker()
	none.Check(message(0, 0, 64))
	if diff := cmp.Diff(counts{Corrupt: 1}, countsOf(none)); diff != "" {
		t.Error(diff)
	}
}

// TestWindow goes around the window several times, and to its very edges.
func TestWindow(t *testing.T) {
	c := NewChecker(0)
	check := func(seq uint64) { c.Check(message(0, seq, Header)) }
	for seq := range uint64(3*window + 7) {
		check(seq)
	}
	const next = 3*window + 7
	check(next - window)     // seen, at the edge
	check(next - window - 1) // nobody knows
	check(next + window)     // skips exactly a window
	check(next + 1)          // the oldest that can still be told
	check(next + 1)
	check(next)     // too old by one
	check(next + 2) // its bit was set by the turn before
	want := counts{Received: next + 7, Duplicated: 2, Late: 2, Reordered: 2, Lost: window - 2}
	if diff := cmp.Diff(want, countsOf(c)); diff != "" {
		t.Error(diff)
	}
}

func TestMerge(t *testing.T) {
	a, b := NewChecker(0, 1), NewChecker(1, 4)
	for seq := range uint64(100) {
		if seq%10 == 3 {
			continue // lost
		}
		to := a
		if seq%3 == 0 {
			to = b
		}
		to.Check(message(1, seq, 64))
	}
	b.Check(message(4, 1, 64))
	a.Check(nil)
	a.Merge(b)
	if diff := cmp.Diff(counts{Received: 91, Lost: 11, Corrupt: 1}, countsOf(a)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{"lost": 11, "corrupt": 1}, a.Events()); diff != "" {
		t.Error(diff)
	}
}

// TestSegments has one buffer of several datagrams at both ends, and one whose
// send failed.
func TestSegments(t *testing.T) {
	s, c := NewStamper(2), NewChecker(2)
	buf := make([]byte, 10*100+37)
	s.Prepare(buf, 100)
	for range 3 {
		if n := s.StampEach(buf, 100); n != 11 {
			t.Fatalf("%d messages stamped", n)
		}
		s.Unsent(11)
		if n := s.StampEach(buf[:500], 100); n != 5 {
			t.Fatalf("%d messages stamped", n)
		}
		c.CheckEach(buf[:500], 100)
	}
	if diff := cmp.Diff(counts{Received: 15}, countsOf(c)); diff != "" || s.Sent() != 15 {
		t.Error(s.Sent(), diff)
	}
	s.StampEach(buf, 100)
	c.CheckEach(buf, 99) // cut at the wrong places
	if diff := cmp.Diff(counts{Received: 15, Corrupt: 11}, countsOf(c)); diff != "" {
		t.Error(diff)
	}
	short := []byte("untouched")
	s.Stamp(short)
	if string(short) != "untouched" {
		t.Errorf("%q", short)
	}
}

// TestStreamChunks sends a stream in chunks of any size and reads it in others.
func TestStreamChunks(t *testing.T) {
	for _, period := range []int64{0, 8, 13, 4096, 1000} {
		t.Run(fmt.Sprint("period ", period), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, uint64(period)))
			s, c := NewStreamStamper(7, period), NewStreamChecker(7, period)
			var wire []byte
			for len(wire) < 200_000 {
				buf := make([]byte, rng.IntN(3000))
				s.Fill(buf)
				sent := rng.IntN(len(buf) + 1)
				wire = append(wire, buf[:sent]...)
				s.Advance(sent)
			}
			if s.Sent() != int64(len(wire)) {
				t.Fatalf("%d sent, not %d", s.Sent(), len(wire))
			}
			if period > 0 && (!bytes.Equal(wire[:period], wire[period:2*period]) || s.At() != int64(len(wire))%period) {
				t.Error("does not repeat")
			}
			read := func(wire []byte) {
				for len(wire) > 0 {
					n := min(rng.IntN(2000), len(wire))
					c.Check(wire[:n])
					wire = wire[n:]
				}
			}
			read(wire)
			if c.Corrupt != 0 || c.Received() != int64(len(wire)) {
				t.Errorf("%d of %d bytes corrupt", c.Corrupt, c.Received())
			}
			var want int64
			flipped := bytes.Clone(wire)
			for i := rng.IntN(500); i < len(flipped); i += 1 + rng.IntN(500) {
				flipped[i] ^= 1 << rng.IntN(8)
				want++
			}
			c.Reset()
			read(flipped)
			if c.Corrupt != want {
				t.Errorf("%d bytes corrupt, not %d", c.Corrupt, want)
			}
		})
	}
}

// TestStreamShift has one byte, one word, one page and 64 KiB missing: what
// follows must be nearly all corrupt, wherever it is compared.
func TestStreamShift(t *testing.T) {
	wire := make([]byte, 1<<18)
	NewStreamStamper(0, 0).Fill(wire)
	for _, shift := range []int{1, 7, 8, 512, 2048, 4096, 65536} {
		c := NewStreamChecker(0, 0)
		c.Check(wire[shift : shift+65536])
		if c.Corrupt < 65536*98/100 {
			t.Errorf("shifted by %d, only %d of 65536 bytes differ", shift, c.Corrupt)
		}
	}
	c := NewStreamChecker(1, 0)
	c.Check(wire[:65536])
	if c.Corrupt < 65536*98/100 {
		t.Errorf("of another flow only %d of 65536 bytes differ", c.Corrupt)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 9}, uint16(0), uint32(12))
	f.Add([]byte{255, 255, 8, 0, 8}, uint16(24), uint32(5))
	f.Fuzz(func(t *testing.T, chunks []byte, period uint16, flip uint32) {
		s, c := NewStreamStamper(1, int64(period)), NewStreamChecker(1, int64(period))
		var wire []byte
		for _, n := range chunks {
			buf := make([]byte, n)
			s.Fill(buf)
			s.Advance(int(n) / 2)
			wire = append(wire, buf[:n/2]...)
		}
		var want int64
		if len(wire) > 0 {
			wire[int(flip)%len(wire)] ^= 0x40
			want = 1
		}
		for i := len(chunks) - 1; len(wire) > 0; i-- {
			n := len(wire)
			if i >= 0 {
				n = min(n, int(chunks[i]))
			}
			c.Check(wire[:n])
			wire = wire[n:]
		}
		if c.Corrupt != want || c.Received() != s.Sent() {
			t.Errorf("%d corrupt, want %d; %d received of %d", c.Corrupt, want, c.Received(), s.Sent())
		}
	})
}

// onLittleStack fails to link if Check and all below it need more than what a
// traffic loop leaves of the 800 bytes that nosplit functions have together
// (more with a fuzzer's instrumentation, which has to fit in too).
//
//go:nosplit
func onLittleStack(c *Checker, sc *StreamChecker, s *Stamper, ss *StreamStamper, buf []byte) byte {
	var used [280]byte
	for i := range used {
		used[i] = buf[i%len(buf)]
	}
	s.StampEach(buf, 100)
	c.CheckEach(buf, 100)
	ss.Fill(buf)
	ss.Advance(len(buf))
	sc.Check(buf)
	return used[buf[0]]
}

func TestNoAllocations(t *testing.T) {
	s, c := NewStamper(1), NewChecker(0, 1)
	ss, sc := NewStreamStamper(1, 4096), NewStreamChecker(1, 4096)
	buf := make([]byte, 1472)
	s.Prepare(buf, len(buf))
	if n := testing.AllocsPerRun(100, func() {
		s.Prepare(buf, 100)
		onLittleStack(c, sc, s, ss, buf)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if c.Received != 101*15 || c.Corrupt != 0 || sc.Corrupt != 0 {
		t.Errorf("%+v, %d corrupt bytes", countsOf(c), sc.Corrupt)
	}
}

func BenchmarkDatagram(b *testing.B) {
	for _, size := range []int{64, 1472, 65507} {
		msg := make([]byte, size)
		b.Run(fmt.Sprintf("stamp/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			s := NewStamper(1)
			s.Prepare(msg, size)
			for b.Loop() {
				s.Stamp(msg)
			}
		})
		b.Run(fmt.Sprintf("stamp+check/%d", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			s, c := NewStamper(1), NewChecker(1)
			s.Prepare(msg, size)
			for b.Loop() {
				s.Stamp(msg)
				c.Check(msg)
			}
			if got := countsOf(c); got.Received != s.Sent() || got.Lost+got.Corrupt+got.Duplicated != 0 {
				b.Errorf("%+v", got)
			}
		})
	}
}

func BenchmarkStream(b *testing.B) {
	buf := make([]byte, 128<<10)
	b.Run("fill", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(buf)))
		s := NewStreamStamper(1, 0)
		for b.Loop() {
			s.Fill(buf)
			s.Advance(len(buf))
		}
	})
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(buf)))
		NewStreamStamper(1, int64(len(buf))).Fill(buf)
		c := NewStreamChecker(1, int64(len(buf)))
		for b.Loop() {
			c.Check(buf)
		}
		if c.Corrupt != 0 {
			b.Errorf("%d corrupt", c.Corrupt)
		}
	})
}
