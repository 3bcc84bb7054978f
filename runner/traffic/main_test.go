package traffic

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"netab/runner/packet"
	"netab/test/busytest"
	"netab/test/need"
)

// inNamespace says that this process is alone in a network namespace.
const inNamespace = "NETAB_TEST_NAMESPACE"

// TestMain runs the tests in a process that is in a network namespace of its
// own, as an agent is: some threads of a Set open sockets themselves, and qdiscs
// and sysctls of lo may be changed.
//
// No collection, as in an agent (GOGC=off): under the race detector the loops
// hold a P, and a stopped world would wait for them for ever.
func TestMain(m *testing.M) {
	if os.Geteuid() == 0 && os.Getenv(inNamespace) == "" {
		os.Exit(again())
	}
	debug.SetGCPercent(-1)
	if os.Getenv(inNamespace) != "" {
		if err := setUpLoopback(); err != nil {
			fmt.Fprintln(os.Stderr, "set up the test's namespace:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// again is the status of the same tests in a namespace.
func again() int {
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), inNamespace+"=1", "GODEBUG=asyncpreemptoff=1")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // Pdeathsig is of the thread
	err := c.Run()
	if c.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "start the tests in a namespace:", err)
		return 1
	}
	return c.ProcessState.ExitCode()
}

func setUpLoopback() error {
	for name, value := range packet.Sysctls("lo", false) {
		if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0); err != nil {
			return err
		}
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *Config) loopback() netip.Addr {
	if c.IPv6 {
		return netip.IPv6Loopback()
	}
	return netip.MustParseAddr("127.0.0.1")
}

// openFlows makes n flows over lo.
func openFlows(t testing.TB, c Config, n int) *Set {
	t.Helper()
	var sinks, sources []End
	for i := range n {
		sinks = append(sinks, End{Flow: i})
		sources = append(sources, End{Flow: i, Phase: float64(i) / float64(n)})
	}
	return openEnds(t, sinks, sources, c)
}

// openEnds opens a set over lo: sources send to the sink that has their flow, or
// has it among those that come From elsewhere.
func openEnds(t testing.TB, sinks, sources []End, c ...Config) *Set {
	t.Helper()
	s := NewSet(c...)
	t.Cleanup(func() {
		s.Close()
		runtime.GC() // no loop is at work now
	})
	for i := range sinks {
		sinks[i].Addr = c[sinks[i].Group].loopback()
	}
	ports, err := s.Listen(sinks)
	must(t, err)
	for i := range sources {
		e := &sources[i]
		for j, sink := range sinks {
			if sink.Group == e.Group && (sink.Flow == e.Flow || slices.Contains(sink.From, e.Flow)) {
				e.To = netip.AddrPortFrom(sink.Addr, ports[j])
				break
			}
		}
		if c[e.Group].makesFrames() {
			e.Frames = &Frames{Device: "lo", From: netip.AddrPortFrom(e.To.Addr(), 32768)}
		}
	}
	peers, err := s.Connect(sources)
	must(t, err)
	for i := range sinks {
		for j, e := range sources {
			if e.Group == sinks[i].Group && e.Flow == sinks[i].Flow {
				sinks[i].To = netip.AddrPortFrom(sinks[i].Addr, peers[j])
			}
		}
	}
	must(t, s.Accept(sinks))
	must(t, s.Prepare())
	return s
}

// openSource makes the source end of one flow alone, to a peer of the test's own.
func openSource(t testing.TB, c Config, to netip.AddrPort) *Set {
	t.Helper()
	s := NewSet(c)
	t.Cleanup(func() {
		s.Close()
		runtime.GC()
	})
	_, err := s.Connect([]End{{To: to}})
	must(t, err)
	must(t, s.Prepare())
	return s
}

// A stretch makes the schedules of a try.
type stretch busytest.Stretch

// asIs is for what holds however busy the machine is.
const asIs stretch = 1

func (by stretch) of(d time.Duration) time.Duration { return busytest.Stretch(by).Of(d) }

// windowsFrom makes n slices with gaps between them.
func (by stretch) windowsFrom(start time.Duration, n int, slice, settle, gap time.Duration) []Window {
	var out []Window
	start, slice, settle, gap = by.of(start), by.of(slice), by.of(settle), by.of(gap)
	at := Now() + int64(start)
	for i := range n {
		w := Window{Slice: i, Start: at, Count: at + int64(settle), End: at + int64(slice)}
		if gap > 0 {
			w.Tail = w.End + int64(gap)/2
		}
		out = append(out, w)
		at += int64(slice + gap)
	}
	return out
}

// shortRun is a schedule that takes no longer than it must: the threads begin
// together when the gate opens, which takes below a millisecond on an idle
// machine and tens on a busy one.
func (by stretch) shortRun(n int) []Window {
	return by.windowsFrom(7*time.Millisecond, n, 11*time.Millisecond, 3*time.Millisecond, 2*time.Millisecond)
}

// mustEnd fails the whole process, with all stacks, if what it watches hangs:
// the threads of a Set cannot be stopped from outside.
func mustEnd(t testing.TB, within time.Duration) (ended func() bool) {
	t.Helper()
	name := t.Name()
	return time.AfterFunc(within, func() {
		debug.SetTraceback("all")
		panic(name + " did not end within " + within.String())
	}).Stop
}

// runs runs a set and returns its report; it fails on errors. A busy machine may
// begin late, which is an error of its own and none of the test's: then the
// answer is false, and the caller may try again.
func runs(t testing.TB, s *Set, windows []Window) (*Report, bool) {
	t.Helper()
	defer mustEnd(t, 20*time.Second)()
	r, err := s.Run(windows, 0)
	if strings.Contains(r.Fault, "too busy") {
		t.Log(r.Fault)
		return r, false
	}
	if must(t, err); r.Fault != "" {
		t.Fatal(r.Fault)
	}
	return r, true
}

// retry gives a try another chance, and a longer schedule, on a busy machine.
func retry(t *testing.T, try func(t *testing.T, by stretch) string) {
	t.Helper()
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string { return try(t, stretch(by)) })
}

// sums adds up the ends of a group by role.
func (g *GroupReport) sums() (source, sink EndResult) {
	source.Events, sink.Events = map[string]int64{}, map[string]int64{}
	for _, e := range g.Ends {
		to := &source
		if e.Sink {
			to = &sink
		}
		to.Total, to.Counted = to.Total.Plus(e.Total), to.Counted.Plus(e.Counted)
		to.Threads += e.Threads
		for name, n := range e.Events {
			to.Events[name] += n
		}
	}
	return source, sink
}

// windowSums adds up the windows of a group, by role. Bytes are what each counts of
// itself: a source of rr its responses.
func (g *GroupReport) windowSums(c *Config) (source, sink Counts) {
	var sum WindowResult
	for _, w := range g.Windows {
		sum = sum.Plus(w)
	}
	source = Counts{Bytes: sum.TxBytes, Msgs: sum.TxMsgs, CPU: sum.SourceCPU, Wait: sum.SourceWait, Spun: sum.SourceSpun, Idle: sum.SourceIdle,
		Voluntary: sum.Switches.SourceVoluntary, Involunt: sum.Switches.SourceInvoluntary}
	if c.Kind.Answers() {
		source.Bytes = sum.TxMsgs * int64(max(1, c.Response))
	}
	return source, Counts{Bytes: sum.RxBytes, Msgs: sum.RxMsgs, CPU: sum.SinkCPU, Wait: sum.SinkWait, Drops: sum.Drops,
		Voluntary: sum.Switches.SinkVoluntary, Involunt: sum.Switches.SinkInvoluntary}
}

// softnetDrops is how many packets the backlog of any CPU refused so far, of any
// namespace: the only place on lo where a datagram may be lost unseen by sockets
// (second column, net/core/net-procfs.c).
func softnetDrops(t testing.TB) (n int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/net/softnet_stat")
	must(t, err)
	for line := range strings.Lines(string(text)) {
		dropped, err := strconv.ParseInt(strings.Fields(line)[1], 16, 64)
		must(t, err)
		n += dropped
	}
	return n
}

// A ledger compares what was sent with what arrived. Take it before the run.
type ledger struct{ softnet int64 }

func newLedger(t testing.TB) ledger { return ledger{softnetDrops(t)} }

// check says what is missing: on a busy machine a packet may still wait for its
// softirq when the sinks end, so that is worth another try.
func (l ledger) check(t testing.TB, sent, received, dropped int64) string {
	t.Helper()
	lost := sent - received - dropped
	switch text := fmt.Sprintf("sent %d, received %d, dropped by sockets %d: %d unexplained", sent, received, dropped, lost); {
	case lost < 0:
		t.Error(text)
	case lost > softnetDrops(t)-l.softnet:
		return text
	}
	return ""
}

// sysctl changes a sysctl of the namespace for the test.
func sysctl(t testing.TB, name, value string) {
	t.Helper()
	need.Root(t) // for TestMain, which makes the namespace
	path := filepath.Join("/proc/sys", name)
	old, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip(path + " is not of the namespace in this kernel")
	}
	must(t, err)
	must(t, os.WriteFile(path, []byte(value), 0))
	t.Cleanup(func() { must(t, os.WriteFile(path, old, 0)) })
}
