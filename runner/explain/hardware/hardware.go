// Package hardware reads the CPUs' own counters of what roles' threads do: cycles,
// instructions, and the last level of cache.
//
// The counters are perf events of the threads, so that they count whatever else runs on
// the CPU for nobody; a softirq on a thread's back is in them, as it is in its time. They
// cost at each switch of the thread, so they are read in trials of events, and not in
// those that a verdict is of. A machine without such counters, as many guests are, says
// so; one that lacks some has the others.
package hardware

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An Event is what is counted.
type Event struct {
	Name   string
	Type   uint32
	Config uint64
}

// Events are those of HardwareCounts of the record, in their order.
func Events() []Event {
	return []Event{
		{"cycles", unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_CPU_CYCLES},
		{"instructions", unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_INSTRUCTIONS},
		{"cache references", unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_CACHE_REFERENCES},
		{"cache misses", unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_CACHE_MISSES},
	}
}

// ErrNone says that the machine has none of the counters.
var ErrNone = errors.New("this machine has no counters of what its CPUs do (a guest sees them where its hypervisor passes the PMU on)")

// Counters are open for some threads together.
type Counters struct {
	events []Event
	fds    [][]int // by event, then thread; nil = the machine has not that counter
}

// Open opens them for threads, by their numbers.
func Open(events []Event, threads []int) (*Counters, error) {
	c := &Counters{events: events, fds: make([][]int, len(events))}
	some := false
	for i, e := range events {
		for _, tid := range threads {
			fd, err := open(e, tid)
			if lacking(err) {
				break
			}
			if err != nil {
				return nil, errors.Join(fmt.Errorf("counting %s of thread %d: %w%s", e.Name, tid, err, hint(err)), c.Close())
			}
			some = true
			c.fds[i] = append(c.fds[i], fd)
		}
	}
	if !some {
		return nil, ErrNone
	}
	return c, nil
}

func open(e Event, tid int) (int, error) {
	attr := unix.PerfEventAttr{Type: e.Type, Config: e.Config, Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING}
	attr.Size = uint32(unsafe.Sizeof(attr))
	return unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
}

// lacking: the machine, or its kernel, does not know the counter.
func lacking(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOSYS)
}

func hint(err error) string {
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return ": it takes root, or CAP_PERFMON and no lockdown"
	}
	return ""
}

// A Reading is what a counter had come to, of all threads; the times say how long it was
// to count, and did.
type Reading struct{ Value, Enabled, Running uint64 }

// Read reads all: of a counter that the machine has not, nil.
func (c *Counters) Read() ([]*Reading, error) {
	out := make([]*Reading, len(c.events))
	var b [24]byte
	for i, fds := range c.fds {
		for _, fd := range fds {
			n, err := unix.Read(fd, b[:])
			if err != nil || n != len(b) {
				return nil, fmt.Errorf("counting %s: %d bytes were read: %w", c.events[i].Name, n, err)
			}
			if out[i] == nil {
				out[i] = &Reading{}
			}
			out[i].add(decode(b[:]))
		}
	}
	return out, nil
}

// decode is of struct read_format without a group (perf_event_open(2)).
func decode(b []byte) Reading {
	return Reading{binary.NativeEndian.Uint64(b), binary.NativeEndian.Uint64(b[8:]), binary.NativeEndian.Uint64(b[16:])}
}

func (r *Reading) add(m Reading) {
	r.Value, r.Enabled, r.Running = r.Value+m.Value, r.Enabled+m.Enabled, r.Running+m.Running
}

// leastRunning of the time a counter must have counted, for what it missed to be like
// what it saw.
const leastRunning = 0.2

// Between is what was counted between two readings. Counters that shared the CPU's take
// turns, and what one missed is added in proportion; nil = it had no turn, or too little.
func Between(a, b *Reading) *int64 {
	if a == nil || b == nil || b.Value < a.Value || b.Enabled < a.Enabled || b.Running < a.Running {
		return nil
	}
	value, enabled, running := float64(b.Value-a.Value), float64(b.Enabled-a.Enabled), float64(b.Running-a.Running)
	if enabled == 0 { // the threads slept
		return new(int64)
	}
	if running < leastRunning*enabled {
		return nil
	}
	n := int64(value * enabled / running)
	return &n
}

// Close gives them back.
func (c *Counters) Close() error {
	var errs []error
	for i, fds := range c.fds {
		for _, fd := range fds {
			errs = append(errs, unix.Close(fd))
		}
		c.fds[i] = nil
	}
	return errors.Join(errs...)
}
