package traffic

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
	"netab/runner/detached"
)

// A Quota has a Set work off so many messages instead of a schedule: where a clock
// counts instructions (QEMU's icount), that is what is counted, and between two
// instants at which the machine is idle nothing is cut off.
type Quota struct {
	Warmup   int64 `json:"warmup"`   // messages of each source before it is counted
	Messages int64 `json:"messages"` // of each source that are
	// Turns has one thread send a message and receive it, where the traffic allows
	// that (see TakesTurns): on one CPU it is the scheduler's choice how source and
	// sink alternate, and no cost of the path.
	Turns bool `json:"turns,omitempty"`
	// Others are processes with further sinks of these sources: their CPU time is the
	// sinks'.
	Others []int `json:"others,omitempty"`
}

// A Tally is what a Quota came to, between the two instants.
type Tally struct {
	BeganNS int64 `json:"began_ns"` // since the guest's start
	WallNS  int64 `json:"wall_ns"`
	IdleNS  int64 `json:"idle_ns"` // of all CPUs, as the kernel has it
	// CPU time of the threads, as the scheduler bills it: what interrupts them is theirs.
	SourceNS int64 `json:"source_ns"`
	SinkNS   int64 `json:"sink_ns"`
	// Messages of sources are transactions of those who wait for answers; of sinks of
	// byte streams what a call gave.
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
	Calls    int64 `json:"receive_calls"`
	// Bytes of payload: received, or of transactions the requests.
	Bytes int64 `json:"bytes"`
	Lost  int64 `json:"lost,omitempty"`
	// Counters are what the namespace counted meanwhile (/proc/net/snmp and netstat, by
	// "Tcp.InSegs").
	Counters map[string]int64 `json:"counters"`
}

// TakesTurns says whether one thread can do the steps of both ends: the source never
// waits for the sink, and the sink gets what was sent as messages.
func (c *Config) TakesTurns() bool {
	switch {
	case c.stream() || c.Kind != vocab.Stream || c.Threads > 0 || c.Rate > 0:
		return false
	case c.Source.Call == "io_uring" || c.Source.Call == "pktgen" || c.Source.Call == "splice" || c.Source.Call == "sendfile" || c.Sink.Call == "io_uring" || c.Sink.Call == "splice":
		return false
	}
	return !c.Sink.Spin && (c.Sink.Socket == "" || c.Sink.Socket == "connected" || c.Sink.Socket == "open")
}

// A Set that counts has the guest stop before the warm-up, and right before and right
// after what is counted: QEMU then tells the host. It does so by a watchdog that it does
// not feed, Intel's 6300ESB, a PCI device whose memory can be mapped: I/O ports take a
// capability that agents do not have (hw/watchdog/wdt_i6300esb.c in QEMU,
// drivers/watchdog/i6300esb.c in Linux).
type watchdog struct {
	config int // file of its configuration space; -1 = there is none
	memory []byte
}

const (
	watchdogVendor, watchdogDevice = "0x8086", "0x25ab"

	watchdogConfig, watchdogLock          = 0x60, 0x68 // in its configuration space
	watchdogTimer1, watchdogTimer2        = 0x00, 0x04 // in its memory
	watchdogReload, unlockFirst, unlockBy = 0x0c, 0x80, 0x86
)

var (
	watchdogByMHz   = [2]byte{1<<2 | 3, 0} // little-endian: ticks of 960 ns, and no interrupt of the first stage
	watchdogEnabled = [1]byte{1 << 1}
)

// findWatchdog maps the device's memory, where there is one.
func findWatchdog() watchdog {
	devices, _ := filepath.Glob("/sys/bus/pci/devices/*/device")
	for _, d := range devices {
		dir := filepath.Dir(d)
		device, _ := os.ReadFile(d)
		vendor, _ := os.ReadFile(filepath.Join(dir, "vendor"))
		if strings.TrimSpace(string(device)) != watchdogDevice || strings.TrimSpace(string(vendor)) != watchdogVendor {
			continue
		}
		answer(dir)
		config, err := unix.Open(filepath.Join(dir, "config"), unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		fd, err := unix.Open(filepath.Join(dir, "resource0"), unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			_ = unix.Close(config)
			continue
		}
		memory, err := unix.Mmap(fd, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		_ = unix.Close(fd)
		if err == nil {
			return watchdog{config, memory}
		}
		_ = unix.Close(config)
	}
	return watchdog{config: -1}
}

// expire has it expire after so many of its ticks. It is as it was at the start then.
//
//go:nosplit
func (w *watchdog) expire(ticks uint32) {
	syscall.RawSyscall6(unix.SYS_PWRITE64, uintptr(w.config), uintptr(unsafe.Pointer(&watchdogByMHz)), uintptr(len(watchdogByMHz)), watchdogConfig, 0, 0)
	w.set(watchdogTimer1, 1)
	w.set(watchdogTimer2, ticks)
	syscall.RawSyscall6(unix.SYS_PWRITE64, uintptr(w.config), uintptr(unsafe.Pointer(&watchdogEnabled)), uintptr(len(watchdogEnabled)), watchdogLock, 0, 0)
}

//go:nosplit
func (w *watchdog) set(register int, value uint32) {
	reload := (*uint32)(unsafe.Pointer(&w.memory[watchdogReload]))
	atomic.StoreUint32(reload, unlockFirst)
	atomic.StoreUint32(reload, unlockBy)
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&w.memory[register])), value)
}

func (w *watchdog) close() {
	if w.config >= 0 {
		_ = unix.Munmap(w.memory)
		_ = unix.Close(w.config)
		w.config = -1
	}
}

// answer has a device's memory answer, if firmware has not: a machine of Arm's that boots
// a kernel at once has none, and a driver would do it else (include/uapi/linux/pci_regs.h:
// PCI_COMMAND, PCI_COMMAND_MEMORY).
func answer(dir string) {
	const command, memory = 4, 2
	config, err := os.ReadFile(filepath.Join(dir, "config"))
	if err != nil || len(config) <= command || config[command]&memory != 0 {
		return
	}
	fd, err := unix.Open(filepath.Join(dir, "enable"), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return // then the guest does not stop, and the host says so
	}
	_, _ = unix.Write(fd, []byte("1"))
	_ = unix.Close(fd)
}

// What the kernel says of itself before and after.
var countFiles = [...]string{"/proc/timer_list", "/proc/self/net/snmp", "/proc/self/net/netstat"}

const (
	countFileSize = 128 << 10
	// nap is how long the one that conducts sleeps, to see whether the machine is idle.
	nap      = 2e6
	mostNaps = 5000
	// settle is for what a kernel does in the background in its first seconds. To an idle
	// guest that counts instructions time is free.
	settle = 5e9
	// alignment is of the instants at which the sources begin.
	alignment = 50e3
	// expiry is until the guest stops, in ticks of about a microsecond: long after its CPUs
	// have come to idle.
	expiry = 200
	// step is of ticks at 100, 250 or 1000 Hz.
	step = 20e6
)

// A counting is a Set's Quota at work. One thread conducts: it lets the sources begin and
// waits until all is done, so it is asleep while anything is counted.
type counting struct {
	Quota
	start    [2]gate // warm-up, counted
	finished atomic.Uint32
	over     gate
	sources  uint32
	workers  []*worker
	pairs    []*worker // of a source's thread that takes turns: the sink
	clocks   []int32   // of workers, then of others
	began    int64
	ended    int64
	cpu      [2][]int64
	seen     [2][]progress // of workers
	spin     []*spinner    // of each CPU
	spun     [2]int64      // of all
	files    [len(countFiles)]int
	text     [2][len(countFiles)][]byte
	size     [2][len(countFiles)]int
	watchdog watchdog
	busy     bool // it never came to rest
}

// A progress is what a loop has done so far, for others to read.
type progress struct{ bytes, msgs, calls, lost int64 }

// A shown progress is written by the loop that it is of.
type shown struct{ bytes, msgs, calls, lost atomic.Int64 }

//go:nosplit
func (s *shown) progress() progress {
	return progress{s.bytes.Load(), s.msgs.Load(), s.calls.Load(), s.lost.Load()}
}

// SetQuota is for before Prepare: it opens what counting needs.
func (s *Set) SetQuota(q Quota) (err error) {
	c := &counting{Quota: q, watchdog: watchdog{config: -1}}
	for i := range c.files {
		c.files[i] = -1
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	for i, name := range countFiles {
		if c.files[i], err = unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return fmt.Errorf("count: open %s: %w", name, err)
		}
		for when := range c.text {
			c.text[when][i] = make([]byte, countFileSize)
		}
	}
	c.watchdog = findWatchdog()
	s.count = c
	return nil
}

func (c *counting) close() {
	c.watchdog.close()
	for _, fd := range c.files {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// begin gives the workers what counting takes, and lets sinks begin.
func (s *Set) beginCount() (err error) {
	c := s.count
	if c == nil {
		return errors.New("count: no quota was set")
	}
	// Nothing is cut into windows.
	never := []Window{{Slice: -1, Start: 1<<62 - 1, Count: 1<<62 - 1, End: 1<<62 - 1}}
	c.workers, c.pairs = s.workers, make([]*worker, len(s.workers))
	for i, w := range s.workers {
		if w.loop.op == opKernel {
			return errors.New("count: pktgen has a thread of the kernel's, which cannot be given a number of messages")
		}
		w.start(never)
		w.loop.counting = c
		w.loop.rpc.window = &w.loop.windows[0]
		if !w.sink {
			c.sources++
			if c.Turns && w.config.TakesTurns() {
				c.pairs[i] = s.sinkOf(w)
			}
		}
		c.clocks = append(c.clocks, threadClock(w.thread.tid))
	}
	for i, w := range s.workers {
		if sink := c.pairs[i]; sink != nil {
			w.loop.partner = &sink.loop
			sink.loop.idle = 0
			sink.loop.passive = true
			// Whoever waits for a message that was lost must not wait for ever.
			patience := unix.NsecToTimeval(100e6)
			if err := unix.SetsockoptTimeval(sink.ends[0].fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
				return fmt.Errorf("count: flow %d: %w", sink.ends[0].Flow, err)
			}
		}
	}
	for _, pid := range c.Others {
		c.clocks = append(c.clocks, processClock(pid))
	}
	for when := range c.cpu {
		c.cpu[when], c.seen[when] = make([]int64, len(c.clocks)), make([]progress, len(c.workers))
	}
	if c.sources > 0 {
		if c.spin, err = startSpinners(); err != nil {
			return err
		}
	}
	s.gate.open()
	return nil
}

func (s *Set) sinkOf(source *worker) *worker {
	i := slices.IndexFunc(s.workers, func(w *worker) bool {
		return w.sink && w.config == source.config && w.ends[0].Flow == source.ends[0].Flow
	})
	if i < 0 {
		return nil
	}
	return s.workers[i]
}

// Count works the quota off. A Set without sources only begins to receive, and what it
// received is in the report of EndCount.
func (s *Set) Count() (*Tally, error) {
	if err := s.beginCount(); err != nil {
		return nil, err
	}
	c := s.count
	if c.sources == 0 {
		return &Tally{}, nil
	}
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked: it ends with this
		defer close(done)
		detached.Enter()
		c.conduct()
		detached.Leave()
	}()
	<-done
	return c.tally()
}

// EndCount ends sources and sinks, and reports what they did in all.
func (s *Set) EndCount() (*Report, error) {
	if s.count == nil {
		return nil, errors.New("count: no quota was set")
	}
	s.stop[0].Store(true)
	s.count.over.open()
	for i := range s.count.start {
		s.count.start[i].open()
	}
	s.finish()
	for _, spin := range s.count.spin {
		spin.close()
	}
	s.count.close()
	return s.report([]Window{}, 0)
}

// conduct is all of it, on a thread of its own.
//
//go:nosplit
//go:noinline
func (c *counting) conduct() {
	detached.SleepUntil(nanotime() + settle)
	c.rest()
	c.inStep()
	c.pause()
	c.align()
	c.start[0].open()
	c.await(c.sources)
	c.rest()
	c.inStep()
	c.pause()
	c.mark(0)
	c.countBegins()
	c.align()
	c.start[1].open()
	c.await(2 * c.sources)
	c.rest()
	c.countEnds()
	c.mark(1)
	c.pause()
}

// countBegins, and countEnds, are known by their addresses to who reads a log of what
// was executed.
//
//go:nosplit
//go:noinline
func (c *counting) countBegins() { c.began = nanotime() }

//go:nosplit
//go:noinline
func (c *counting) countEnds() { c.ended = nanotime() }

// await waits until so many sources have finished.
//
//go:nosplit
//go:noinline
func (c *counting) await(sources uint32) {
	for {
		n := c.finished.Load()
		if n >= sources {
			return
		}
		syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&c.finished)), futexWait, uintptr(n), 0, 0, 0)
	}
}

// finish tells that a source has.
//
//go:nosplit
func (c *counting) finish() {
	c.finished.Add(1)
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&c.finished)), futexWake, 1, 0, 0, 0)
}

// rest sleeps until all work is done: until the spinners, which yield to everybody, had
// their CPUs for most of a nap.
//
//go:nosplit
//go:noinline
func (c *counting) rest() {
	for _, s := range c.spin {
		s.begin()
		s.seen = s.clock()
	}
	busy := true
	for range mostNaps {
		detached.SleepUntil(nanotime() + nap)
		resting := true
		for _, s := range c.spin {
			now := s.clock()
			resting = resting && now-s.seen >= nap/2
			s.seen = now
		}
		if resting {
			busy = false
			break
		}
	}
	for _, s := range c.spin {
		s.end()
	}
	c.busy = c.busy || busy
}

// inStep sleeps until the clock is at one of the timer's ticks: how many of them fall
// into what is counted, and where, is then the same in every boot. When a guest comes
// there otherwise is not: as it wakes up from idling, QEMU's threads may meet
// (icount_start_warp_timer), and in some boots its clock is put forward by more.
//
//go:nosplit
func (c *counting) inStep() {
	for _, s := range c.spin {
		s.begin()
	}
	detached.SleepUntil((nanotime()/step + 2) * step)
	for _, s := range c.spin {
		s.end()
	}
}

// align has what follows begin at the same instant of the clock in every boot, to the
// nanosecond: a timer's interrupt finds the CPU idle. Whatever came before, it found
// somewhere in the spinner's loop. The idle time is counted as such.
//
//go:nosplit
func (c *counting) align() {
	if len(c.spin) == 1 {
		detached.SleepUntil((nanotime()/alignment + 2) * alignment)
	}
}

// pause has the guest stop, while all its CPUs idle: what a CPU does while QEMU's threads
// agree on stopping would be another number in every boot, and so would be the clock,
// which one of them may put forward as the CPU stops (icount_start_warp_timer). A CPU that
// idles is stopped by the thread that puts the clock forward, at the watchdog's instant.
//
//go:nosplit
func (c *counting) pause() {
	if c.watchdog.config >= 0 {
		c.watchdog.expire(expiry)
		detached.SleepUntil(nanotime() + 2*expiry*1000)
	}
}

// mark keeps what is known at one of the two instants.
//
//go:nosplit
func (c *counting) mark(when int) {
	c.spun[when] = 0
	for _, s := range c.spin {
		c.spun[when] += s.clock()
	}
	for i := range c.clocks {
		var ts unix.Timespec
		syscall.RawSyscall(unix.SYS_CLOCK_GETTIME, uintptr(c.clocks[i]), uintptr(unsafe.Pointer(&ts)), 0)
		c.cpu[when][i] = ts.Sec*1e9 + ts.Nsec
	}
	for i := range c.workers {
		c.seen[when][i] = c.workers[i].loop.shown.progress()
	}
	for i := range c.files {
		text := c.text[when][i]
		c.size[when][i] = 0
		for c.size[when][i] < len(text) { // a seq_file gives it in pieces
			at := c.size[when][i]
			n, _, errno := syscall.RawSyscall6(unix.SYS_PREAD64, uintptr(c.files[i]), uintptr(unsafe.Pointer(&text[at])), uintptr(len(text)-at), uintptr(at), 0, 0)
			if errno != 0 || n == 0 {
				break
			}
			c.size[when][i] += int(n)
		}
	}
}

// The clock of another thread, or process (include/linux/posix-timers_types.h:
// CPUCLOCK_SCHED, CPUCLOCK_PERTHREAD_MASK).
func threadClock(tid int) int32  { return int32(^tid<<3 | 2 | 4) }
func processClock(pid int) int32 { return int32(^pid<<3 | 2) }

// tally makes of the marks what was counted.
func (c *counting) tally() (*Tally, error) {
	if c.busy {
		return nil, errors.New("count: the machine did not come to rest: something else runs in it")
	}
	t := &Tally{BeganNS: c.began, WallNS: c.ended - c.began, Counters: map[string]int64{}}
	idle := [2]int64{}
	for when := range idle {
		n, err := idleSleep(c.text[when][0][:c.size[when][0]])
		if err != nil {
			return nil, err
		}
		idle[when] = n
	}
	t.IdleNS = idle[1] - idle[0] + c.spun[1] - c.spun[0]
	for i := range c.clocks {
		cpu := c.cpu[1][i] - c.cpu[0][i]
		if i >= len(c.workers) {
			t.SinkNS += cpu
			continue
		}
		w, from, to := c.workers[i], c.seen[0][i], c.seen[1][i]
		t.Lost += to.lost - from.lost
		if w.sink {
			t.SinkNS += cpu
			t.Received += to.msgs - from.msgs
			t.Bytes += to.bytes - from.bytes
			t.Calls += to.calls - from.calls
		} else {
			t.SourceNS += cpu
			t.Sent += to.msgs - from.msgs
		}
	}
	for i := 1; i < len(countFiles); i++ {
		before, after := netCounters(c.text[0][i][:c.size[0][i]]), netCounters(c.text[1][i][:c.size[1][i]])
		for name, n := range after {
			if d := n - before[name]; d != 0 {
				t.Counters[name] = d
			}
		}
	}
	return t, nil
}

// idleSleep sums for how many ns all CPUs have slept in their idle loops, of
// /proc/timer_list (kernel/time/timer_list.c: "  .idle_sleeptime: 123 nsecs").
func idleSleep(text []byte) (int64, error) {
	sum, found := int64(0), false
	for line := range bytes.Lines(text) {
		rest, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte(".idle_sleeptime"))
		if !ok {
			continue
		}
		fields := bytes.Fields(bytes.TrimLeft(rest, " :"))
		if len(fields) == 0 {
			continue
		}
		n, err := strconv.ParseInt(string(fields[0]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("count: /proc/timer_list: %q", bytes.TrimSpace(line))
		}
		sum, found = sum+n, true
	}
	if !found {
		return 0, errors.New("count: /proc/timer_list has no idle_sleeptime: the kernel does not account for idle time (NO_HZ_IDLE)")
	}
	return sum, nil
}

// netCounters reads what has a line of names and a line of numbers for each protocol.
func netCounters(text []byte) map[string]int64 {
	out := map[string]int64{}
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		if len(names) != len(fields) || names[0] != fields[0] {
			names = fields
			continue
		}
		for i, f := range fields[1:] {
			if n, err := strconv.ParseInt(f, 10, 64); err == nil {
				out[strings.TrimSuffix(fields[0], ":")+"."+names[i+1]] = n
			}
		}
		names = nil
	}
	return out
}
