// Package sample reads what runs on a CPU, and by which calls it came there: perf
// events, read from their rings in Go.
//
// An event is of a CPU and not of a thread: a thread's own are scheduled with it, at
// each switch, which cost a fourth of the transactions of a flow that sleeps after each.
// Whose a sample is, its thread's number says afterwards. Samples are stamped with
// CLOCK_MONOTONIC, which slices are of. Where there is a counter of cycles it is used:
// it may interrupt what has interrupts off. Elsewhere it is a timer (cpu-clock), whose
// samples of such work come when interrupts are on again, on the function that does
// that; and of a CPU that sleeps and wakes it comes late, so that samples are fewer
// than the time. Who counts them has to know how many there should have been.
package sample

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Sample is what ran at an instant.
type Sample struct {
	At   int64 // CLOCK_MONOTONIC
	TID  int
	CPU  int
	User bool // in user space: Chain is empty
	// Chain are addresses of the kernel, the innermost first. All but the first are
	// where a call returns to.
	Chain []uint64
}

// A Ring is of one CPU.
type Ring struct {
	fd     int
	memory []byte
	size   uint64
	cpu    int
	// Cycles: it is the counter's, not the timer's.
	Cycles bool
}

// Open makes the ring of a CPU with room for so many bytes, sampled so many times a
// second once it is enabled.
func Open(cpu, hz, room int) (*Ring, error) {
	r := &Ring{cpu: cpu, Cycles: true}
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_HARDWARE, Config: unix.PERF_COUNT_HW_CPU_CYCLES, Sample: uint64(hz),
		Sample_type: unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME | unix.PERF_SAMPLE_CPU | unix.PERF_SAMPLE_CALLCHAIN,
		Bits:        unix.PerfBitDisabled | unix.PerfBitUseClockID | unix.PerfBitExcludeCallchainUser | unix.PerfBitFreq,
		Clockid:     unix.CLOCK_MONOTONIC,
	}
	attr.Size = uint32(unsafe.Sizeof(attr))
	var err error
	r.fd, err = unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL) {
		r.Cycles = false
		attr.Type, attr.Config, attr.Sample = unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_CPU_CLOCK, uint64(1e9/hz)
		attr.Bits &^= unix.PerfBitFreq
		r.fd, err = unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("sampling: CPU %d: %w%s", cpu, err, hint(err))
	}
	page := os.Getpagesize()
	pages := 1
	for pages*page < room {
		pages *= 2
	}
	r.size = uint64(pages * page)
	if r.memory, err = unix.Mmap(r.fd, 0, (1+pages)*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		unix.Close(r.fd)
		return nil, fmt.Errorf("sampling: CPU %d: a ring of %d KiB: %w", cpu, r.size>>10, err)
	}
	return r, nil
}

func hint(err error) string {
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return ": it takes root, or CAP_PERFMON and no lockdown"
	case errors.Is(err, unix.ENOSYS):
		return ": this kernel has no perf events (CONFIG_PERF_EVENTS)"
	}
	return ""
}

// Enable begins, Disable ends.
func (r *Ring) Enable() error { return unix.IoctlSetInt(r.fd, unix.PERF_EVENT_IOC_ENABLE, 0) }

// Disable ends.
func (r *Ring) Disable() error { return unix.IoctlSetInt(r.fd, unix.PERF_EVENT_IOC_DISABLE, 0) }

// Close gives the ring back.
func (r *Ring) Close() error { return errors.Join(unix.Munmap(r.memory), unix.Close(r.fd)) }

// Drain hands all samples that are there to f, and says how many found no room.
func (r *Ring) Drain(f func(Sample)) (lost int64, err error) {
	meta := (*unix.PerfEventMmapPage)(unsafe.Pointer(&r.memory[0]))
	head, tail := atomic.LoadUint64(&meta.Data_head), atomic.LoadUint64(&meta.Data_tail)
	lost, tail, err = records(r.memory[os.Getpagesize():][:r.size], head, tail, r.cpu, f)
	atomic.StoreUint64(&meta.Data_tail, tail)
	return lost, err
}

// Types of records, and what the header's misc says of where it was
// (include/uapi/linux/perf_event.h).
const (
	recordLost   = 2
	recordSample = 9
	miscMode     = 7
	miscUser     = 2
)

var errTorn = errors.New("sampling: the ring holds what is no record")

// records decodes a ring from tail to head.
func records(ring []byte, head, tail uint64, cpu int, f func(Sample)) (lost int64, at uint64, err error) {
	size := uint64(len(ring))
	var whole []byte
	for tail < head {
		from := tail % size
		// Headers are aligned to 8 bytes and never cut, as the size is a multiple of 8.
		kind, misc := binary.NativeEndian.Uint32(ring[from:]), binary.NativeEndian.Uint16(ring[from+4:])
		length := uint64(binary.NativeEndian.Uint16(ring[from+6:]))
		if length < 8 || length > head-tail {
			return lost, head, errTorn
		}
		record := ring[from:]
		if from+length > size {
			whole = append(append(whole[:0], record...), ring[:from+length-size]...)
			record = whole
		}
		switch body := record[8:length]; kind {
		case recordSample:
			s, ok := decode(body, misc)
			if !ok {
				return lost, head, errTorn
			}
			s.CPU = cpu
			f(s)
		case recordLost:
			if len(body) < 16 {
				return lost, head, errTorn
			}
			lost += int64(binary.NativeEndian.Uint64(body[8:]))
		}
		tail += length
	}
	return lost, tail, nil
}

// firstMark and above are no addresses: PERF_CONTEXT_KERNEL and its like.
const firstMark = ^uint64(4095) + 1 // -4095

// decode reads pid, tid, time, cpu, and the chain, in the order of perf_event_open(2).
func decode(b []byte, misc uint16) (s Sample, ok bool) {
	if len(b) < 32 {
		return s, false
	}
	s.TID, s.At = int(binary.NativeEndian.Uint32(b[4:])), int64(binary.NativeEndian.Uint64(b[8:]))
	s.User = misc&miscMode == miscUser
	n := binary.NativeEndian.Uint64(b[24:])
	if n > uint64(len(b)-32)/8 {
		return s, false
	}
	for i := range n {
		if ip := binary.NativeEndian.Uint64(b[32+8*i:]); ip < firstMark {
			s.Chain = append(s.Chain, ip)
		}
	}
	if s.User {
		s.Chain = nil
	}
	return s, true
}
