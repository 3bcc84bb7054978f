package traffic

import (
	"io/fs"
	"math"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/probe"
)

// A watch lets one source's thread read counters of the machine (probe.EdgeFiles)
// in settle parts: just before the counted part, and just after the window. It is
// there anyhow. A thread that woke up for it alone would cost more than what it
// reads: 25 us of CPU time for the sleep and the timer, measured on a guest, beside
// 10-20 us for the files. What was read is parsed when all is over.
type watch struct {
	fds, sizes []int   // of each file: its descriptor, and the room for one reading
	slot       int     // bytes, of all sizes
	place      []int   // of each window among those that are watched, -1 = it is not
	times      []int64 // when each reading, two of each watched window, began and ended; 0 = there is none
	lengths    []int64 // of each file in each reading
	room       []byte
	slack      int64 // ns, see watchSlack
	look       int64 // instant of the next reading before a counted part
	count      int64 // where the counted part at hand begins
	at         int   // the place of the window at hand, -1 = not watched
}

const (
	// A reading is due a fifth of the settle part before the counted part begins,
	// and is left out where less than watchLeast is left of that, or where the same
	// time has passed since the window's end: a source that waits for room in a
	// buffer comes back within a millisecond mostly.
	watchSlack = 5
	watchLeast = 50_000
	// maxWatchRoom bounds what is kept of one schedule, in bytes.
	maxWatchRoom = 64 << 20
)

// newWatch opens the files for the windows that are to be watched; nil where
// there are none, or nothing to read.
func newWatch(windows []Window) *watch {
	w := &watch{look: math.MaxInt64, at: -1}
	n := 0
	for _, win := range windows {
		place := -1
		if slack := (win.Count - win.Start) / watchSlack; win.Counters > 0 && slack >= 2*watchLeast {
			place, n = n, n+1
			w.slack = slack
		}
		w.place = append(w.place, place)
	}
	if n == 0 || !w.open(maxCounters(windows)) || 2*n*w.slot > maxWatchRoom {
		w.close()
		return nil
	}
	w.times, w.lengths = make([]int64, 4*n), make([]int64, 2*n*len(w.fds))
	w.room = make([]byte, 2*n*w.slot)
	for i := 0; i < len(w.room); i += 4096 {
		w.room[i] = 1 // a page fault now is none while slices run
	}
	return w
}

func maxCounters(windows []Window) int {
	n := 0
	for _, win := range windows {
		n = max(n, win.Counters)
	}
	return min(n, len(probe.EdgeFiles))
}

// open opens so many files, and says whether all could be.
func (w *watch) open(files int) bool {
	for _, path := range probe.EdgeFiles[:files] {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return false
		}
		w.fds = append(w.fds, fd)
		size := sizeOf(fd)
		if size == 0 {
			return false
		}
		size += size/4 + 256 // numbers get longer
		w.sizes, w.slot = append(w.sizes, size), w.slot+size
	}
	return true
}

// sizeOf is how long what a file says is now: files of /proc have no size.
func sizeOf(fd int) int {
	for size := 4096; ; size *= 2 {
		n, err := unix.Pread(fd, make([]byte, size), 0)
		if err != nil {
			return 0
		}
		if n < size {
			return n
		}
	}
}

func (w *watch) close() {
	for _, fd := range w.fds {
		unix.Close(fd)
	}
	w.fds = nil
}

// begin is the start of a window.
//
//go:nosplit
func (w *watch) begin(i int, count int64) {
	w.look = math.MaxInt64
	if w.at = w.place[i]; w.at >= 0 {
		w.look, w.count = count-w.slack, count
	}
}

// before reads before the counted part, unless a step took so long that this is
// about to begin.
//
//go:nosplit
func (w *watch) before(now int64) {
	w.look = math.MaxInt64
	if w.count-now >= watchLeast {
		w.read(2 * w.at)
	}
}

// after reads when the window has ended, if it was read before.
//
//go:nosplit
func (w *watch) after(end int64) {
	w.look = math.MaxInt64
	if w.at >= 0 && w.times[4*w.at] > 0 && nanotime()-end < w.slack {
		w.read(2*w.at + 1)
	}
}

//go:nosplit
func (w *watch) read(reading int) {
	w.times[2*reading] = nanotime()
	at := reading * w.slot
	for f := range w.fds {
		n, _, errno := syscall.RawSyscall6(unix.SYS_PREAD64, uintptr(w.fds[f]), uintptr(unsafe.Pointer(&w.room[at])), uintptr(w.sizes[f]), 0, 0, 0)
		if errno == 0 && int(n) < w.sizes[f] { // what fills its room was cut off
			w.lengths[reading*len(w.fds)+f] = int64(n)
		}
		at += w.sizes[f]
	}
	w.times[2*reading+1] = nanotime()
}

// A Counted is what the machine counted in one window.
type Counted struct {
	Slice int                   `json:"slice"`
	Sum   results.Counters      `json:"sum"`
	CPUs  []results.CPUCounters `json:"cpus"`
}

// counted parses what was read of the windows. Where something is missing of one,
// has a form that nobody knows, or was read too late because another had the CPU
// meanwhile, there is nothing of it.
func (w *watch) counted(windows []Window) []Counted {
	var out []Counted
	for i, place := range w.place {
		if place < 0 || w.times[4*place+2] == 0 || w.times[4*place+1] > windows[i].Count || w.times[4*place+3] > windows[i].End+w.slack {
			continue
		}
		before, errBefore := probe.ReadEdge(w.reading(2*place), len(w.fds))
		after, errAfter := probe.ReadEdge(w.reading(2*place+1), len(w.fds))
		if errBefore != nil || errAfter != nil {
			continue
		}
		c := Counted{Slice: windows[i].Slice}
		c.Sum, c.CPUs = after.Sub(before)
		c.Sum.OverNS = w.times[4*place+2] - w.times[4*place]
		out = append(out, c)
	}
	return out
}

// reading is a reading as the files that it was made of.
func (w *watch) reading(i int) watched { return watched{w, i} }

type watched struct {
	*watch
	i int
}

func (r watched) ReadFile(path string) ([]byte, error) {
	f := slices.Index(probe.EdgeFiles, path)
	at := r.i * r.slot
	for _, size := range r.sizes[:f] {
		at += size
	}
	n := r.lengths[r.i*len(r.fds)+f]
	if n == 0 {
		return nil, fs.ErrNotExist
	}
	return r.room[at : at+int(n)], nil
}

// WatchCost is what reading the first so many of the files takes, ns, the best of
// a few times; 0 where it cannot be done.
func WatchCost(files int) int64 {
	w := &watch{}
	defer w.close()
	if !w.open(files) {
		return 0
	}
	w.times, w.lengths, w.room = make([]int64, 2), make([]int64, files), make([]byte, w.slot)
	best := int64(math.MaxInt64)
	for range 15 {
		w.read(0)
		best = min(best, w.times[1]-w.times[0])
	}
	return best
}
