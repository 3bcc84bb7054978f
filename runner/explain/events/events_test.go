package events

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/explain/sample"
	"netab/test/need"
	"netab/test/objects"
)

func now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// watched watches what f does in the only slice of an arm, as its source.
func watched(t *testing.T, parts []string, f func()) Told {
	t.Helper()
	need.Root(t)
	functions, err := sample.ReadSymbols(results.Root(""))
	if err != nil {
		t.Skip(err)
	}
	variables, err := sample.ReadVariables(results.Root(""))
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Schedule{SliceNS: int64(time.Hour), Turns: []Turn{{Arm: 0, Setup: 0}}}, 1, ReadKernel())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := w.Assign(map[int]Role{unix.Gettid(): {}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Begin(now()); err != nil {
		t.Fatal(err)
	}
	if err := w.Attach(parts...); err != nil {
		t.Fatal(err)
	}
	f()
	if err := w.Detach(); err != nil {
		t.Fatal(err)
	}
	var own unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &own); err != nil {
		t.Fatal(err)
	}
	told, err := w.Told(Names{Functions: functions, Variables: variables, Namespaces: map[int][2]uint32{0: {uint32(own.Ino), uint32(own.Ino)}}})
	if err != nil {
		t.Fatal(err)
	}
	if told.Overflow > 0 {
		t.Errorf("%d events found no room", told.Overflow)
	}
	return told
}

// TestDrops: packets that are thrown away for a known reason are told by that, and by
// the function that did it, each once. The backlog is missing here: it is the machine's,
// and fills up only when one CPU is late for another.
func TestDrops(t *testing.T) {
	need.Root(t)
	const sent = 60
	for name, c := range map[string]struct {
		reason, place string
		least         int64 // packets
		drop          func(t *testing.T)
	}{
		"no socket": {"NO_SOCKET", "udp", sent, func(t *testing.T) {
			send(t, port(t, listen(t)), sent, func(c net.PacketConn) { _ = c.Close() })
		}},
		"small buffer": {"SOCKET_RCVBUFF", "udp", sent / 2, func(t *testing.T) {
			c := listen(t)
			must(t, c.(*net.UDPConn).SetReadBuffer(1))
			send(t, port(t, c), sent, nil)
		}},
		"checksum": {"UDP_CSUM", "udp", 1, func(t *testing.T) {
			c := listen(t)
			sendWrong(t, port(t, c).addr.Port)
			must(t, c.SetReadDeadline(time.Now().Add(30*time.Millisecond)))
			if _, _, err := c.ReadFrom(make([]byte, 64)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a datagram with a wrong checksum was received: %v", err)
			}
		}},
		"qdisc": {"QDISC_", "dev_queue_xmit", sent, func(t *testing.T) {
			tc := exec.Command(need.Program(t, "tc"), "qdisc", "add", "dev", "lo", "root", "pfifo", "limit", "0")
			if out, err := tc.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			send(t, port(t, listen(t)), sent, nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ownNamespace(t)
			told := watched(t, []string{Drops}, func() {
				c.drop(t)
				time.Sleep(20 * time.Millisecond)
			})
			var found []results.DropPlace
			for _, d := range told.Drops {
				// The raw socket has a copy of what it sends, and is closed with it.
				if d.Namespace != "other" && d.Place != "inet_sock_destruct" {
					found = append(found, d)
				}
			}
			if len(found) != 1 {
				t.Fatalf("%+v, withheld %v", found, told.Withheld)
			}
			d := found[0]
			if told.Withheld[Reasons] == "" && !strings.HasPrefix(d.Reason, c.reason) || !strings.Contains(d.Place, c.place) || d.Packets < c.least || d.Packets > sent {
				t.Errorf("%+v, want %s in %s, %d packets at least", d, c.reason, c.place, c.least)
			}
			if told.Withheld[Namespaces] == "" && d.Namespace != "both" {
				t.Errorf("dropped in the namespace %q", d.Namespace)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ownNamespace leaves the thread in one with lo; it ends with the test.
func ownNamespace(t *testing.T) {
	t.Helper()
	ip := need.Program(t, "ip")
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNET))
	if out, err := exec.Command(ip, "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func listen(t *testing.T) net.PacketConn {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

type target struct {
	c    net.PacketConn
	addr *net.UDPAddr
}

func port(t *testing.T, c net.PacketConn) target {
	t.Helper()
	return target{c, c.LocalAddr().(*net.UDPAddr)}
}

// send datagrams to a socket, from another, which is not told that nobody is there.
func send(t *testing.T, to target, n int, before func(net.PacketConn)) {
	t.Helper()
	c := listen(t)
	if before != nil {
		before(to.c)
	}
	for range n {
		if _, err := c.WriteTo(make([]byte, 400), to.addr); err != nil && !errors.Is(err, unix.ENOBUFS) {
			t.Fatal(err)
		}
	}
}

// sendWrong sends a datagram with a wrong checksum.
func sendWrong(t *testing.T, port int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	must(t, err)
	defer func() { _ = unix.Close(fd) }()
	datagram := make([]byte, 16) // from port 9, of 16 bytes, with a checksum that is none
	binary.BigEndian.PutUint16(datagram, 9)
	binary.BigEndian.PutUint16(datagram[2:], uint16(port))
	binary.BigEndian.PutUint16(datagram[4:], 16)
	binary.BigEndian.PutUint16(datagram[6:], 0x1234)
	must(t, unix.Sendto(fd, datagram, 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
}

// TestSchedulingWatched: a thread that sleeps is woken, and runs some time later.
func TestSchedulingWatched(t *testing.T) {
	const slept = 40
	told := watched(t, []string{Scheduling}, func() {
		for range slept {
			ts := unix.NsecToTimespec(200e3)
			_ = unix.Nanosleep(&ts, nil)
		}
	})
	if why := told.Withheld[Scheduling]; why != "" {
		t.Skip(why)
	}
	if len(told.Scheduling) != 1 || told.Scheduling[0].Role != vocab.SourceTime {
		t.Fatalf("%+v", told.Scheduling)
	}
	// Go's runtime preempts, and may wake it once more.
	s := told.Scheduling[0]
	if s.Wakeups < slept || s.Wakeups > 2*slept || s.Runs < slept || s.WakeLatency.Count() < slept/2 {
		t.Errorf("slept %d times: %d wake-ups, ran %d times, %d latencies", slept, s.Wakeups, s.Runs, s.WakeLatency.Count())
	}
	if p50 := s.WakeLatency.Quantile(0.5); p50 < 200 || p50 > 50e6 {
		t.Errorf("from wake-up to running took %v ns", p50)
	}
}

// TestInterruptsAndLocks: these come as they like; what comes is told by name.
func TestInterruptsAndLocks(t *testing.T) {
	told := watched(t, []string{Interrupts, Locks}, func() {
		var one, other [2]int
		if unix.Pipe(one[:]) != nil || unix.Pipe(other[:]) != nil {
			t.Fatal("no pipes")
		}
		done := make(chan bool)
		go func() {
			b := make([]byte, 1)
			for {
				if n, err := unix.Read(one[0], b); n < 1 || err != nil {
					close(done)
					return
				}
				_, _ = unix.Write(other[1], b)
			}
		}()
		b := make([]byte, 1)
		for range 500 {
			_, _ = unix.Write(one[1], b)
			_, _ = unix.Read(other[0], b)
		}
		_ = unix.Close(one[1])
		<-done
	})
	for _, s := range told.Interrupts {
		if s.N <= 0 || s.From == sample.Unknown || s.From == "" {
			t.Errorf("an interrupt sent: %+v", s)
		}
	}
	for _, l := range told.Locks {
		if l.N <= 0 || l.NS <= 0 || l.Kind == "" {
			t.Errorf("a wait: %+v", l)
		}
	}
	t.Logf("%+v, %+v, withheld %v", told.Interrupts, told.Locks, told.Withheld)
}

func TestBuckets(t *testing.T) {
	last := int64(-1)
	for b := range 300 {
		if m := middle(b); m <= last && b > 0 {
			t.Fatalf("bucket %d is at %d, behind one at %d", b, m, last)
		} else {
			last = m
		}
	}
	for b, want := range map[int]int64{0: 0, 15: 15, 16: 17, 23: 31, 24: 34, 32: 68} {
		if got := middle(b); got != want {
			t.Errorf("bucket %d is at %d, want %d", b, got, want)
		}
	}
}

func TestWhose(t *testing.T) {
	n := Names{Namespaces: map[int][2]uint32{0: {7, 7}, 1: {8, 9}, 2: {7, 7}}} // 2 shares the flow of 0
	for _, c := range []struct {
		arm    int
		number uint32
		of     int
		space  string
	}{{0, 7, 0, "both"}, {2, 7, 2, "both"}, {1, 8, 1, "source"}, {1, 9, 1, "sink"}, {0, 9, 1, "sink"}, {1, 7, 0, "both"}, {1, 5, 1, "other"}, {1, 0, 1, ""}} {
		if of, space := n.whose(c.arm, c.number); of != c.of || space != c.space {
			t.Errorf("namespace %d in a slice of arm %d: arm %d, %q; want %d, %q", c.number, c.arm, of, space, c.of, c.space)
		}
	}
}

func TestLockNames(t *testing.T) {
	for flags, want := range map[uint32]string{1: "spinlock", 0: "mutex", 32: "mutex", 33: "mutex", 2: "rwsem", 4: "rwsem", 3: "rwlock", 8: "rt mutex", 18: "percpu rwsem"} {
		if got := lockKind(flags); got != want {
			t.Errorf("flags %d: %s, want %s", flags, got, want)
		}
	}
	for want, chain := range map[string][]string{
		"sock_def_readable": {"__traceiter_contention_begin", "native_queued_spin_lock_slowpath", "_raw_spin_lock_irqsave", "sock_def_readable", "tcp_data_ready"},
		sample.Unknown:      {"[bpf]", "_raw_spin_lock"},
	} {
		if got := caller(chain); got != want {
			t.Errorf("%v: %s, want %s", chain, got, want)
		}
	}
	if got := preempter(programsPreemption{Name: name("ksoftirqd/1")}); got != "ksoftirqd" {
		t.Error(got)
	}
	if got := preempter(programsPreemption{By: 2}); got != "sink" {
		t.Error(got)
	}
}

func name(s string) (out [16]int8) {
	for i, c := range []byte(s) {
		out[i] = int8(c)
	}
	return out
}

// TestKernel: fields are found also in structs without a name, and what is not there is
// said.
func TestKernel(t *testing.T) {
	u32 := &btf.Int{Name: "unsigned int", Size: 4}
	inner := &btf.Union{Size: 8, Members: []btf.Member{{Name: "dev", Type: u32}, {Name: "scratch", Type: u32}}}
	s := &btf.Struct{Name: "sk_buff", Size: 24, Members: []btf.Member{{Name: "next", Type: u32}, {Type: inner, Offset: 64}, {Name: "sk", Type: u32, Offset: 128}}}
	for field, want := range map[string]uint32{"dev": 8, "scratch": 8, "sk": 16} {
		if at, ok := offset(s, []string{field}); !ok || at != want {
			t.Errorf("%s is at %d, want %d", field, at, want)
		}
	}
	if _, ok := offset(s, []string{"gone"}); ok {
		t.Error("found what is not there")
	}
	k := &Kernel{missing: os.ErrNotExist}
	if why := k.lacks(programsVarTaskPid); !strings.Contains(why, "CONFIG_DEBUG_INFO_BTF") {
		t.Error(why)
	}
	k = &Kernel{at: map[string]uint32{}}
	if why := k.lacks(programsVarDevNet); why != "this kernel's struct net_device has no nd_net.net where netab looks for it" {
		t.Error(why)
	}
	if k.hasReasons() || k.reason(7) != "" {
		t.Error("reasons of a kernel that has none")
	}
	k = &Kernel{args: 4, reasons: map[uint32]string{6: "SOCKET_RCVBUFF"}}
	if k.reason(6) != "SOCKET_RCVBUFF" || k.reason(0x30001) != "reason 0x30001" {
		t.Error(k.reason(6), k.reason(0x30001))
	}
}

// TestObject: the committed object is made of the committed source.
func TestObject(t *testing.T) { objects.Check(t, "events.go", "../bpf/CLANG") }
