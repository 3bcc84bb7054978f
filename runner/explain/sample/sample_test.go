package sample

import (
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netab/results"
	"netab/test/need"
)

// record makes one as the kernel does.
func record(kind uint32, misc uint16, words ...uint64) []byte {
	b := binary.NativeEndian.AppendUint32(nil, kind)
	b = binary.NativeEndian.AppendUint16(b, misc)
	b = binary.NativeEndian.AppendUint16(b, uint16(8+8*len(words)))
	for _, w := range words {
		b = binary.NativeEndian.AppendUint64(b, w)
	}
	return b
}

// in puts records into a ring of 256 bytes, beginning at an offset.
func in(offset int, records ...[]byte) (ring []byte, head, tail uint64) {
	ring = make([]byte, 256)
	at := offset
	for _, r := range records {
		for _, b := range r {
			ring[at%256] = b
			at++
		}
	}
	return ring, uint64(at), uint64(offset)
}

func TestRecords(t *testing.T) {
	kernel := ^uint64(0) - 127 // PERF_CONTEXT_KERNEL
	sampled := record(9, 1, 7<<32|5, 1000, 3, 3, kernel, 0xffffffff81000010, 0xffffffff81000020)
	user := record(9, 2, 9<<32|5, 2000, 3, 1, ^uint64(0)-511)
	lost := record(2, 0, 1, 42)
	want := []Sample{{At: 1000, TID: 7, CPU: 3, Chain: []uint64{0xffffffff81000010, 0xffffffff81000020}}, {At: 2000, TID: 9, CPU: 3, User: true}}
	for _, offset := range []int{0, 8, 128, 216, 248, 256 * 3} { // also over the ring's end
		ring, head, tail := in(offset, sampled, record(99, 0, 1), user, lost)
		var got []Sample
		n, at, err := records(ring, head, tail, 3, func(s Sample) { got = append(got, s) })
		if err != nil || n != 42 || at != head {
			t.Errorf("offset %d: %d lost, tail %d of %d, %v", offset, n, at, head, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("offset %d: %s", offset, diff)
		}
	}
	for name, bad := range map[string][]byte{
		"no length":        {9, 0, 0, 0, 0, 0, 0, 0},
		"too long":         {9, 0, 0, 0, 0, 0, 255, 0},
		"no room for it":   record(9, 1, 7, 1000),
		"more than it has": record(9, 1, 7, 1000, 3, 300, 1, 2),
		"a lost without":   record(2, 0),
	} {
		ring, head, tail := in(0, bad)
		if _, at, err := records(ring, head, tail, 0, func(Sample) {}); !errors.Is(err, errTorn) || at != head {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSymbols(t *testing.T) {
	s, err := ParseSymbols(strings.NewReader(`ffffffff81000100 T tcp_ack
ffffffff81000000 T _stext
ffffffff81000200 t tcp_rcv.isra.0
ffffffff81000300 d some_data
ffffffff81000400 t virtnet_poll	[virtio_net]
ffffffff81000500 t bpf_prog_6deef7357e7b4530_softirq_in	[bpf]
ffffffff81000600 T _einittext
`))
	if err != nil {
		t.Fatal(err)
	}
	got := s.Names([]uint64{0xffffffff81000150, 0xffffffff81000200, 0xffffffff81000201, 0xffffffff810004ff, 0xffffffff81000510, 0xffffffff81000700, 5})
	want := []string{"tcp_ack", "tcp_ack", "tcp_rcv", "virtnet_poll", Program, Program, Unknown}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ParseSymbols(strings.NewReader("0000000000000000 T tcp_ack\n")); !errors.Is(err, errHidden) {
		t.Errorf("without addresses: %v", err)
	}
	for _, bad := range []string{"nothing\n", "xyz T tcp_ack\n"} {
		if _, err := ParseSymbols(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), "kallsyms:1: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestSizes: a function has what is up to the next symbol, with all that the compiler
// made of it; of a name that modules have too, only the kernel's own counts.
func TestSizes(t *testing.T) {
	s, err := ParseSymbols(strings.NewReader(`ffffffff81000000 T _stext
ffffffff81000100 t tcp_rcv.isra.0
ffffffff81000110 T tcp_ack
ffffffff81000110 T tcp_ack_alias
ffffffff81000200 t tcp_rcv
ffffffff81000240 t __pfx_init
ffffffff81000250 t init
ffffffff81000280 T _etext
ffffffffc0000000 t init	[a_module]
ffffffffc0000400 t poll	[a_module]
ffffffffc0000480 t poll.cold	[a_module]
ffffffffc0000490 t last	[a_module]
ffffffffc1000000 t next	[far_module]
`))
	if err != nil {
		t.Fatal(err)
	}
	got := s.Sizes([]string{"tcp_rcv", Program, "tcp_ack", "tcp_ack_alias", "init", "poll", "last", "next", "nobody"})
	if diff := cmp.Diff([]int64{0x10 + 0x40, 0, 0xf0, 0xf0, 0x30, 0x80 + 0x10, 0, 0, 0}, got); diff != "" {
		t.Error(diff)
	}
}

// TestRing asks the kernel: a thread that makes system calls is seen, with functions
// that this kernel has.
func TestRing(t *testing.T) {
	need.Root(t)
	symbols, err := ReadSymbols(results.Root(""))
	if err != nil {
		t.Skip(err)
	}
	r, err := Open(0, 1999, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	only.Set(0)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		t.Skip(err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	if err := r.Enable(); err != nil {
		t.Fatal(err)
	}
	var from, to unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &from)
	for until := time.Now().Add(300 * time.Millisecond); time.Now().Before(until); {
		for range 100 {
			_, _ = unix.Getpriority(unix.PRIO_PROCESS, 0)
		}
	}
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &to)
	if err := r.Disable(); err != nil {
		t.Fatal(err)
	}
	own, named := 0, 0
	lost, err := r.Drain(func(s Sample) {
		if s.TID != unix.Gettid() {
			return
		}
		if own++; s.At < from.Nano() || s.At > to.Nano() {
			t.Errorf("a sample at %d, outside of %d to %d", s.At, from.Nano(), to.Nano())
		}
		if !s.User && len(s.Chain) > 0 && symbols.Name(s.Chain[0]) != Unknown {
			named++
		}
	})
	if err != nil || lost > 0 {
		t.Errorf("%d lost, %v", lost, err)
	}
	if own < 5 || named == 0 {
		t.Errorf("%d samples of this thread, %d in functions of the kernel", own, named)
	}
	if n, err := r.Drain(func(Sample) { t.Error("a sample twice") }); n != 0 || err != nil {
		t.Error(n, err)
	}
}
