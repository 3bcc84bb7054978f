package traffic

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results"
)

// Arrivals say how long what a sink receives was in the kernel: from the time stamp that
// each packet gets when a device, or lo, hands it over (SO_TIMESTAMPNS), to the return
// of the call that copied it. Of a byte stream, the stamp is that of the last packet that
// the call took from.
type arrivals struct {
	header  *unix.Msghdr
	control [128]byte
	ahead   int64               // of CLOCK_MONOTONIC is CLOCK_REALTIME, which stamps are of
	delay   []results.Histogram // by Window.Arm
}

// newArrivals gives a header room for stamps.
func newArrivals(h *unix.Msghdr) *arrivals {
	a := &arrivals{header: h}
	h.Control = &a.control[0]
	h.SetControllen(len(a.control))
	var real unix.Timespec
	before := nanotime()
	if unix.ClockGettime(unix.CLOCK_REALTIME, &real) == nil {
		a.ahead = real.Nano() - (before+nanotime())/2
	}
	return a
}

// arrived takes the stamp of the message that was just received, and makes room for the
// next one's. A message without one has none: it came before the kernel knew.
//
//go:nosplit
func (l *loop) arrived() {
	a := l.arrivals
	came := a.stamp()
	a.header.Controllen = uint64(len(a.control))
	i := l.passed / edgesPerWindow
	if came == 0 || l.passed%edgesPerWindow != 2 || i >= len(l.windows) {
		return // outside of a counted part
	}
	a.delay[l.windows[i].Arm].Counts[results.HistogramBucket(max(0, nanotime()+a.ahead-came))]++
}

// stamp is 0 without one.
//
//go:nosplit
func (a *arrivals) stamp() int64 {
	const head = int(unsafe.Sizeof(unix.Cmsghdr{}))
	for at := 0; at+head <= int(a.header.Controllen) && at+head <= len(a.control); {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&a.control[at]))
		if c.Level == unix.SOL_SOCKET && c.Type == unix.SCM_TIMESTAMPNS && at+head+16 <= len(a.control) {
			ts := (*unix.Timespec)(unsafe.Pointer(&a.control[at+head]))
			return ts.Sec*1e9 + ts.Nsec
		}
		if int(c.Len) < head {
			return 0
		}
		at += (int(c.Len) + 7) &^ 7
	}
	return 0
}
