package probe

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/host"
)

// tree is a fake /proc and /sys: path -> content.
type tree map[string]string

func (t tree) ReadFile(path string) ([]byte, error) {
	text, ok := t[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

// Qdiscs are none.
func (t tree) Qdiscs() ([]host.Qdisc, error) { return nil, nil }

// Glob knows the patterns with one star or character class that probe uses.
func (t tree) Glob(pattern string) ([]string, error) {
	prefix, suffix, _ := strings.Cut(pattern, "[0-9]*")
	var paths []string
	for path := range t {
		middle, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		if suffix == "" { // a directory below prefix
			name, _, _ := strings.Cut(middle, "/")
			path = prefix + name
		} else if middle, ok = strings.CutSuffix(middle, suffix); !ok || strings.Contains(middle, "/") {
			continue
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// captured is the fixtures as a tree.
func captured(t testing.TB) tree {
	files := tree{}
	for path, name := range map[string]string{
		"/proc/thread-self/net/snmp": "snmp", "/proc/thread-self/net/snmp6": "snmp6", "/proc/thread-self/net/netstat": "netstat",
		"/proc/thread-self/net/dev": "dev", "/proc/thread-self/net/softnet_stat": "softnet_stat",
		"/proc/stat": "stat", "/proc/softirqs": "softirqs", "/proc/cpuinfo": "cpuinfo",
		"/proc/7/task/8/schedstat": "schedstat", "/proc/7/task/8/status": "status", "/proc/7/task/8/stat": "pid_stat", "/proc/7/task/8/sched": "sched",
	} {
		files[path] = string(fixture(t, name))
	}
	return files
}

func TestNamespaceSub(t *testing.T) {
	files := captured(t)
	before, err := ReadNamespace(files)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "nothing moved", Namespace{Net: counts{}, Dev: counts{}}, before.Sub(before))

	files["/proc/thread-self/net/snmp"] = strings.Replace(files["/proc/thread-self/net/snmp"], "Udp: 61 0 0 62 0", "Udp: 100 0 9 162 9", 1)
	dev := files["/proc/thread-self/net/dev"]
	files["/proc/thread-self/net/dev"] = strings.Replace(dev, "  ifb0:", " veth0:", 1) +
		"  new0:       1       2    0    0    0     0          0         0        0       0    0    5    0     0       0          0\n"
	after, err := ReadNamespace(files)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "moved", Namespace{
		Net: counts{"UdpInDatagrams": 39, "UdpInErrors": 9, "UdpOutDatagrams": 100, "UdpRcvbufErrors": 9},
		Dev: counts{"new0.rx_bytes": 1, "new0.rx_packets": 2, "new0.tx_dropped": 5}, // ifb0 is gone, veth0 is new and idle
	}, after.Sub(before))
}

// What parents count is not added up with their children's, and a qdisc that
// was made anew counts from zero.
func TestQdiscCounters(t *testing.T) {
	const root, ingress, class = netlink.HANDLE_ROOT, netlink.HANDLE_INGRESS, 0x10001
	read := func(all ...host.Qdisc) Namespace {
		n := Namespace{Dev: counts{}}
		addQdiscs(n.Dev, all)
		return n
	}
	before := read(host.Qdisc{Device: "va", Parent: root, Drops: 10, Overlimits: 5, Len: 7, Backlog: 700},
		host.Qdisc{Device: "vb", Parent: root, Drops: 900}, host.Qdisc{Device: "vc", Parent: root, Drops: 3})
	after := read(host.Qdisc{Device: "va", Parent: root, Drops: 30, Overlimits: 9, Requeues: 1, Len: 2, Backlog: 200},
		host.Qdisc{Device: "va", Parent: class, Drops: 20, Len: 2}, host.Qdisc{Device: "va", Parent: ingress, Drops: 4},
		host.Qdisc{Device: "vb", Parent: root, Drops: 6}, host.Qdisc{Device: "vc", Parent: root})
	diff(t, "moved", counts{"va.qdisc_drops": 20, "va.qdisc_overlimits": 4, "va.qdisc_requeues": 1, "va.qdisc_len": -5,
		"va.qdisc_backlog_bytes": -500, "va.filter_drops": 4, "vb.qdisc_drops": 6}, after.Sub(before).Dev)
}

func TestNamespaceWithoutIPv6(t *testing.T) {
	files := captured(t)
	delete(files, "/proc/thread-self/net/snmp6")
	n, err := ReadNamespace(files)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := n.Net["Ip6InReceives"]; ok || n.Net["UdpInDatagrams"] != 61 {
		t.Errorf("%v", n.Net)
	}
}

func TestMissingFilesAreErrors(t *testing.T) {
	for path := range captured(t) {
		if strings.HasSuffix(path, "snmp6") || strings.HasPrefix(path, "/proc/7") {
			continue
		}
		files := captured(t)
		delete(files, path)
		_, errN := ReadNamespace(files)
		_, errM := ReadMachine(files)
		err := errors.Join(errN, errM)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("without %s: %v", path, err)
		}
	}
}

func TestMachineSub(t *testing.T) {
	before := Machine{
		Times:      map[int]CPUTimes{0: {User: 10e7, System: 20e7, Idle: 1e9, Softirq: 5e7, Steal: 1e7, Guest: 3e7}, 1: {User: 1e7}, 3: {}},
		Softirqs:   Softirqs{0: {"NET_RX": 1<<32 - 1, "RCU": 7, "HI": 0}, 1: {}},
		Softnet:    map[int]Softnet{0: {Processed: 1<<32 - 10, Dropped: 3, ReceivedRPS: 1}, 1: {}},
		MHz:        map[int]float64{0: 2000},
		Interrupts: map[int]map[string]uint32{0: {"RES": 1<<32 - 2, "LOC": 9}, 1: {}},
	}
	after := Machine{
		Times:      map[int]CPUTimes{0: {User: 12e7, Nice: 4e7, System: 25e7, Idle: 2e9, IRQ: 1e7, Softirq: 8e7, Steal: 3e7, Guest: 3e7}, 1: {User: 1e7}, 2: {User: 9e9}},
		Softirqs:   Softirqs{0: {"NET_RX": 4, "RCU": 7, "HI": 1}, 1: {}},
		Softnet:    map[int]Softnet{0: {Processed: 90, Dropped: 5, ReceivedRPS: 1, TimeSqueeze: 2, FlowLimit: 1}, 2: {Processed: 1}},
		MHz:        map[int]float64{0: 3000, 1: 1000},
		Interrupts: map[int]map[string]uint32{0: {"RES": 1, "LOC": 9}, 1: {}},
	}
	want := results.HostDelta{StealNS: 2e7, CPUs: []results.CPUDelta{
		{CPU: 0, BusyNS: 15e7, UserNS: 6e7, SystemNS: 5e7, IRQNS: 1e7, SoftirqNS: 3e7, StealNS: 2e7,
			Softirqs: counts{"NET_RX": 5, "HI": 1}, Interrupts: counts{"RES": 3}, Processed: 100, Dropped: 2, TimeSqueeze: 2, FlowLimit: 1, MHz: 2500},
		{CPU: 1, Softirqs: counts{}, Interrupts: counts{}}, // CPUs 2 and 3 came and went
	}}
	got := after.HostDelta(before)
	diff(t, "host delta", want, got)
	if n := SoftnetDropped(got.CPUs); n != 2 {
		t.Errorf("dropped %d, want 2", n)
	}
}

// TestInterruptsByCPU: those of the architecture keep their names, devices are one.
func TestInterruptsByCPU(t *testing.T) {
	got := interruptsByCPU([]Interrupt{
		{Name: "24", IRQ: 24, Counts: map[int]uint32{0: 1<<32 - 1, 1: 2}}, {Name: "25", IRQ: 25, Counts: map[int]uint32{0: 5, 1: 0}},
		{Name: "RES", IRQ: -1, Counts: map[int]uint32{0: 7, 1: 8}}, {Name: "ERR", IRQ: -1}})
	diff(t, "by CPU", map[int]map[string]uint32{0: {"device": 4, "RES": 7}, 1: {"device": 2, "RES": 8}}, got)
}

func TestMHz(t *testing.T) {
	files := tree{
		"/proc/cpuinfo": "processor : 0\ncpu MHz : 1000\n",
		"/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2500000\n",
		"/sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "800000\n",
	}
	got, err := ReadMHz(files, []int{0, 1})
	diff(t, "cpufreq", map[int]float64{0: 2500, 1: 800}, got)
	if err != nil {
		t.Error(err)
	}
	delete(files, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
	got, err = ReadMHz(files, []int{0})
	diff(t, "cpuinfo", map[int]float64{0: 1000}, got)
	if err != nil {
		t.Error(err)
	}
}

func TestThread(t *testing.T) {
	files := captured(t)
	got, err := ReadThread(files, 7, 8)
	if err != nil {
		t.Fatal(err)
	}
	want := Thread{RunNS: 34039737, WaitNS: 10066016, Voluntary: 82, Involuntary: 24, Migrations: 17, CPU: 1}
	diff(t, "thread", want, got)
	diff(t, "delta", Thread{RunNS: 37, WaitNS: 16, Voluntary: 2, Involuntary: 4, Migrations: 7, CPU: 1},
		got.Sub(Thread{RunNS: 34039700, WaitNS: 10066000, Voluntary: 80, Involuntary: 20, Migrations: 10, CPU: 0}))

	delete(files, "/proc/7/task/8/sched") // CONFIG_SCHED_DEBUG=n
	want.Migrations = 0
	got, err = ReadThread(files, 7, 8)
	diff(t, "without sched", want, got)
	if err != nil {
		t.Error(err)
	}
}

func TestForeign(t *testing.T) {
	const ms = 1_000_000
	before := Processes{
		1:  {PID: 1, Name: "init", CPUNS: 100 * ms},
		2:  {PID: 2, Name: "kthreadd", Kernel: true},
		16: {PID: 16, Parent: 2, Name: "ksoftirqd/0", Kernel: true, CPUNS: 10 * ms},
		17: {PID: 17, Parent: 2, Name: "kworker/0:1", Kernel: true},
		20: {PID: 20, Parent: 1, Name: "make", CPUNS: 10 * ms, ChildrenNS: 500 * ms},
		21: {PID: 21, Parent: 20, Name: "cc", CPUNS: 300 * ms},
		22: {PID: 22, Parent: 21, Name: "as", CPUNS: 40 * ms},
		30: {PID: 30, Parent: 1, Name: "netab"},
		31: {PID: 31, Parent: 30, Name: "agent"},
		40: {PID: 40, Parent: 1, Name: "old", CPUNS: 900 * ms, Started: 1},
	}
	after := Processes{
		1:  {PID: 1, Name: "init", CPUNS: 100 * ms, ChildrenNS: 900 * ms}, // waited for old
		2:  before[2],
		16: {PID: 16, Parent: 2, Name: "ksoftirqd/0", Kernel: true, CPUNS: 800 * ms},
		17: {PID: 17, Parent: 2, Name: "kworker/0:1", Kernel: true, CPUNS: 20 * ms},
		// cc (300 before, 350 in all) and its as (40, 60) ended; a further child of 30 came and went.
		20: {PID: 20, Parent: 1, Name: "make", CPUNS: 20 * ms, ChildrenNS: 940 * ms},
		30: {PID: 30, Parent: 1, Name: "netab", CPUNS: 600 * ms},
		31: {PID: 31, Parent: 30, Name: "agent", CPUNS: 700 * ms},
		40: {PID: 40, Parent: 1, Name: "new", CPUNS: 30 * ms, Started: 2}, // the number again
		50: {PID: 50, Parent: 9999, Name: "orphan", CPUNS: 5 * ms},
	}
	got := after.Foreign(before, []int{30}, 2)
	// make: 10 own + 50 + 20 + 30 of its children.
	want := Foreign{TotalNS: (110 + 30 + 20 + 5) * ms, Top: []Process{
		{PID: 20, Parent: 1, Name: "make", CPUNS: 110 * ms},
		{PID: 40, Parent: 1, Name: "new", CPUNS: 30 * ms, Started: 2},
	}}
	diff(t, "foreign", want, got)

	none := after.Foreign(after, nil, 3)
	diff(t, "nothing moved", Foreign{Top: []Process{}}, Foreign{TotalNS: none.TotalNS, Top: append([]Process{}, none.Top...)})
}

// A snapshot is not atomic: parents may form a ring.
func TestDescendsEnds(t *testing.T) {
	p := Processes{1: {PID: 1, Parent: 2}, 2: {PID: 2, Parent: 1}}
	if p.descends(1, []int{3}) || !p.descends(1, []int{2}) {
		t.Error("a ring of parents is followed wrongly")
	}
}

// The machine under test: every file is there and reads.
func TestReadHere(t *testing.T) {
	here := results.Root("")
	if _, err := ReadNamespace(host.Local{}); err != nil {
		t.Error(err)
	}
	m, err := ReadMachine(here)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Times) == 0 || len(m.Softnet) != len(m.Times) {
		t.Errorf("%d CPUs in stat, %d in softnet_stat", len(m.Times), len(m.Softnet))
	}
	if _, err := ReadInterrupts(here); err != nil {
		t.Error(err)
	}
	procs, err := ReadProcesses(here)
	if err != nil || procs[os.Getpid()].Parent != os.Getppid() {
		t.Errorf("this process is %+v, %v", procs[os.Getpid()], err)
	}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	th, err := ReadThread(here, os.Getpid(), unix.Gettid())
	if err != nil || th.RunNS == 0 {
		t.Errorf("this thread is %+v, %v", th, err)
	}
}
