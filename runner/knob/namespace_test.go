package knob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/scenarios"
	"netab/test/need"
)

// enterNamespace puts the test's goroutine, for the rest of its life, into a
// network and a mount namespace of its own, with the veth pair va, vb of two
// queues each way. Its thread dies with the goroutine, so nothing has to find
// a way back; subtests run elsewhere and must not be used.
func enterNamespace(t *testing.T) {
	t.Helper()
	need.Root(t)
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNET|unix.CLONE_NEWNS))
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	// A namespace's devices show only in a sysfs that was mounted in it.
	must(t, unix.Mount("sysfs", "/sys", "sysfs", 0, ""))
	veth := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: "vb"}
	veth.Name, veth.NumTxQueues, veth.NumRxQueues = "va", 2, 2
	must(t, netlink.LinkAdd(veth))
	for _, name := range []string{"lo", "va", "vb"} {
		link, err := netlink.LinkByName(name)
		must(t, err)
		must(t, netlink.LinkSetUp(link))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// namespaceTurns are changes of real files in such a namespace. Their scopes
// are those of a machine's own devices, so that they are journaled.
var namespaceTurns = []turn{
	{Spec{Family: familySysctl, Name: "net/ipv4/tcp_rmem", Scope: Host}, []string{"4096 65536 1048576", "8192 65536 1048576"}},
	{Spec{Family: familyRPSCPUs, Device: "lo", Queue: "rx-0", Scope: Device}, []string{"0", "none", "0"}},
	{Spec{Family: familyRPSFlowCnt, Device: "lo", Queue: "rx-0", Scope: Device}, []string{"100"}},
	{Spec{Family: familyMTU, Device: "va", Scope: Device}, []string{"9000"}},
	{Spec{Family: familyQdisc, Device: "va", Scope: Device}, []string{"pfifo limit 7"}},
	{Spec{Family: familyOffload, Device: "va", Name: "sg", Scope: Device}, []string{"off"}},
	{Spec{Family: familyOffload, Device: "va", Name: "tso", Scope: Device}, []string{"off"}},
	{Spec{Family: familyOffload, Device: "va", Name: "gro", Scope: Device}, []string{"on"}},
	{Spec{Family: familyTxQueueLen, Device: "va", Scope: Device}, []string{"50"}},
	{Spec{Family: familyGROFlushTimeout, Device: "va", Scope: Device}, []string{"20000"}},
	{Spec{Family: familyXPSCPUs, Device: "va", Queue: "tx-1", Scope: Device}, []string{"0"}},
	{Spec{Family: familyChannels, Device: "va", Name: "rx", Scope: Device}, []string{"1"}},
	{Spec{Family: familySysctl, Name: "net/ipv4/ip_forward", Scope: Host}, []string{"1"}},
}

// namespaceDump is all that the turns may disturb, read without this package's
// knobs: the files below /proc/sys/net and the devices' sysfs, their features,
// queue counts and links.
func namespaceDump(t *testing.T) map[string]string {
	t.Helper()
	var files []string
	err := filepath.WalkDir("/proc/sys/net", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	must(t, err)
	for _, pattern := range []string{"*", "queues/*/*"} {
		found, err := filepath.Glob("/sys/class/net/*/" + pattern)
		must(t, err)
		files = append(files, found...)
	}
	dump := map[string]string{}
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && !volatile(f) {
			dump[f] = strings.TrimSpace(string(data))
		}
	}
	for _, device := range []string{"va", "vb"} {
		features, err := host.Features(host.Local{}, device)
		must(t, err)
		channels, err := host.Local{}.Ethtool(device, []uint32{channelCounts.get, 0, 0, 0, 0, 0, 0, 0, 0})
		must(t, err)
		link, err := netlink.LinkByName(device)
		must(t, err)
		dump[device+" qdisc"], err = rootQdisc(link)
		must(t, err)
		dump[device+" ethtool"] = fmt.Sprint(features, channels)
	}
	return dump
}

// volatile files count or age, whoever does what.
func volatile(path string) bool {
	for _, part := range []string{"carrier", "random", "nf_conntrack_count", "flush", "fib_multipath_hash_seed"} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

// TestKillInNamespace kills a run with SIGKILL at each step of changing real
// sysctls, masks, features, MTU and queue counts; a later Restore must leave
// every file as it was. Which third of the steps is drawn: NETAB_TEST_LONG=1 (make
// soak) tries all, TestKillAtEveryStep does with a pretended machine.
func TestKillInNamespace(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for every step")
	}
	enterNamespace(t)
	before := namespaceDump(t)
	tmp := memoryDir(t)
	opts := testOptions(host.Local{})
	opts.Undo = map[string]UndoFunc{"file": removeFile}
	begin, by := rand.IntN(3), 3
	if os.Getenv("NETAB_TEST_LONG") == "1" {
		begin, by = 0, 1
	}
	for n := begin; ; n += by {
		k := killing{Dir: filepath.Join(tmp, "state"), Marker: filepath.Join(tmp, "marker"), At: n}
		killed, _ := kill(t, k)
		for _, r := range openJournal(t, k.Dir, opts).Restore(context.Background()) {
			if r.Err != nil || strings.Contains(r.Note, "somebody else") {
				t.Error(r)
			}
		}
		if diff := cmp.Diff(before, namespaceDump(t)); diff != "" {
			t.Fatalf("killed at step %d: not as before (-before +after):\n%s", n, diff)
		}
		if !killed {
			if n < 50 {
				t.Errorf("only %d steps", n)
			}
			return
		}
	}
}

func TestScopesOfRealSysctls(t *testing.T) {
	enterNamespace(t)
	for name, want := range map[string]Scope{
		"net/ipv4/tcp_rmem":         Netns,
		"net/core/somaxconn":        Netns,
		"net/core/netdev_budget":    Host, // absent in the namespace
		"net/core/rmem_max":         Host, // there, read-only
		"net/ipv4/tcp_mem":          Host,
		"kernel/timer_migration":    Host,
		"net/no/such/thing":         Host,
		"net/core/rps_default_mask": Netns,
	} {
		got, err := SysctlScope(host.Local{}, name)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
}

// TestBindAndApplyInNamespace goes the whole way of a scenario's knob on the
// real kernel.
func TestBindAndApplyInNamespace(t *testing.T) {
	enterNamespace(t)
	h := host.Local{}
	for _, c := range []struct {
		knob          scenarios.Knob
		device        string
		knobs         []string
		before, after string
	}{
		{scenarios.Knob{Family: "rps_cpus", Value: "0"}, "lo", []string{"lo rx-0 rps_cpus"}, "none", "0"},
		{scenarios.Knob{Family: "rps_cpus", Value: ""}, "lo", []string{"lo rx-0 rps_cpus"}, "0", "none"},
		{scenarios.Knob{Family: "rps_flow_cnt", Value: "100"}, "va", []string{"va rx-0 rps_flow_cnt", "va rx-1 rps_flow_cnt"}, "0", "128"},
		{scenarios.Knob{Family: "xps_cpus", Queue: "tx-1", Value: "0"}, "va", []string{"va tx-1 xps_cpus"}, "none", "0"},
		{scenarios.Knob{Family: "offload", Name: "tso", Value: "off"}, "va", []string{"va offload tso"}, "on", "off"},
		{scenarios.Knob{Family: "offload", Name: "gro", Value: "on"}, "va", []string{"va offload gro"}, "off", "on"},
		{scenarios.Knob{Family: "threaded", Value: "on"}, "va", []string{"va threaded"}, "off", "on"},
		{scenarios.Knob{Family: "channels", Name: "tx", Value: "1"}, "va", []string{"va channels tx"}, "2", "1"},
		{scenarios.Knob{Family: "mtu", Value: "600"}, "va", []string{"va mtu"}, "1500", "600"},
		{scenarios.Knob{Family: "tx_queue_len", Value: "7"}, "va", []string{"va tx_queue_len"}, "1000", "7"},
		{scenarios.Knob{Family: "napi_defer_hard_irqs", Value: "2"}, "va", []string{"va napi_defer_hard_irqs"}, "0", "2"},
		{scenarios.Knob{Family: "sysctl", Name: "net/ipv4/tcp_slow_start_after_idle", Value: "0"}, "", []string{"sysctl net.ipv4.tcp_slow_start_after_idle"}, "1", "0"},
		{scenarios.Knob{Family: "sysctl", Name: "net/core/rps_default_mask", Value: "00000001"}, "", []string{"sysctl net.core.rps_default_mask"}, "0", "1"},
	} {
		knobs, err := Bind(h, c.knob, c.device, Netns)
		if err != nil {
			t.Error(err)
			continue
		}
		var names []string
		for _, k := range knobs {
			names = append(names, k.String())
			s, err := Apply(h, k, c.knob.Value)
			if err != nil {
				t.Error(err)
			}
			if s.Before != c.before || s.After != c.after {
				t.Errorf("%s: %q to %q; want %q to %q", k, s.Before, s.After, c.before, c.after)
			}
		}
		if diff := cmp.Diff(c.knobs, names); diff != "" {
			t.Error(diff)
		}
	}
}

// TestWhatTheKernelRefuses pins the errors that users meet most.
func TestWhatTheKernelRefuses(t *testing.T) {
	enterNamespace(t)
	h := host.Local{}
	for _, c := range []struct {
		knob   scenarios.Knob
		device string
		want   []string // parts of the error
	}{
		{scenarios.Knob{Family: "xps_cpus", Value: "0"}, "lo", []string{"lo tx-0 xps_cpus", "one tx queue"}},
		{scenarios.Knob{Family: "threaded", Value: "on"}, "lo", []string{"lo threaded", "NAPI"}},
		{scenarios.Knob{Family: "rps_cpus", Value: "4000"}, "lo", []string{"lo rx-0 rps_cpus", "cpu/possible"}},
		{scenarios.Knob{Family: "rps_cpus", Queue: "rx-5", Value: "0"}, "lo", []string{"no queue rx-5", "rx-0, tx-0"}},
		{scenarios.Knob{Family: "rps_cpus", Value: "0"}, "eth9", []string{"no such device", "lo, va, vb"}},
		{scenarios.Knob{Family: "channels", Name: "rx", Value: "9"}, "va", []string{"at most 2"}},
		{scenarios.Knob{Family: "channels", Name: "combined", Value: "1"}, "lo", []string{"lo channels combined"}},
		{scenarios.Knob{Family: "offload", Name: "lro", Value: "on"}, "va", []string{"[fixed]"}},
		{scenarios.Knob{Family: "offload", Name: "warp", Value: "on"}, "va", []string{"no such feature", "rx-gro"}},
		{scenarios.Knob{Family: "mtu", Value: "20"}, "va", []string{"va mtu", "20"}},
		{scenarios.Knob{Family: "irq", Device: "va", Value: "0"}, "va", []string{"no interrupts"}},
		{scenarios.Knob{Family: "sysctl", Name: "net/core/netdev_budget", Value: "600"}, "", []string{"net.core.netdev_budget", "whole machine"}},
		{scenarios.Knob{Family: "sysctl", Name: "net/ipv4/conf/eth0.100/rp_filter", Value: "1"}, "", []string{"net.ipv4.conf.eth0/100.rp_filter", "eth0.100: no such device", "lo, va, vb"}},
		{scenarios.Knob{Family: "sysctl", Name: "net/ipv4/conf/va/warp", Value: "1"}, "", []string{"net.ipv4.conf.va.warp", "this kernel lacks it"}},
		{scenarios.Knob{Family: "sysctl", Name: "net/core/rmem_max", Value: "1"}, "", []string{"net.core.rmem_max", "nobody write"}},
		{scenarios.Knob{Family: "sysctl", Name: "net/ipv4/tcp_rmem", Value: "full"}, "", []string{"invalid argument", `"full"`}},
	} {
		knobs, err := Bind(h, c.knob, c.device, Netns)
		for _, k := range knobs {
			_, applied := Apply(h, k, c.knob.Value)
			err = errors.Join(err, applied)
		}
		if err == nil {
			t.Errorf("%+v on %s: no error", c.knob, c.device)
			continue
		}
		t.Log(err)
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: lacks %q", err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: more than one line", err)
		}
	}
}

// TestMovedDeviceComesBack moves a device with addresses, routes and sysctls
// of its own into a named namespace, loses the run, and restores.
func TestMovedDeviceComesBack(t *testing.T) {
	enterNamespace(t)
	here, err := netns.Get()
	must(t, err)
	defer here.Close()
	equipDevice(t, "va")
	before, routes := namespaceDump(t), deviceState(t, "va")
	name := fmt.Sprintf("%stest-%d", NetnsPrefix, os.Getpid())

	dir := t.TempDir()
	opts := testOptions(host.Local{})
	opts.Undo = Undos()
	j := begin(t, dir, opts)
	_, err = j.Record(UndoNetns, "namespace "+name, name)
	must(t, err)
	there, err := netns.NewNamed(name)
	must(t, err)
	defer there.Close()
	must(t, netns.Set(here))

	device, err := CaptureDevice("va", name)
	must(t, err)
	_, err = j.Record(UndoDevice, "device va in namespace "+name, device)
	must(t, err)
	link, err := netlink.LinkByName("va")
	must(t, err)
	must(t, netlink.LinkSetNsFd(link, int(there)))
	if _, err := netlink.LinkByName("va"); err == nil {
		t.Fatal("va is still here")
	}

	for _, r := range openJournal(t, dir, opts).Restore(context.Background()) {
		if r.Status != Restored {
			t.Error(r)
		}
	}
	if diff := cmp.Diff(before, namespaceDump(t)); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(routes, deviceState(t, "va")); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(NetnsDir, name)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the namespace is left: %v", err)
	}
}

// equipDevice gives a device what a move would lose.
func equipDevice(t *testing.T, name string) {
	t.Helper()
	link, err := netlink.LinkByName(name)
	must(t, err)
	for _, a := range []string{"192.0.2.1/24", "192.0.2.7/24", "2001:db8::1/64"} {
		addr, err := netlink.ParseAddr(a)
		must(t, err)
		switch a {
		case "192.0.2.7/24":
			addr.Broadcast = net.IPv4zero
		case "2001:db8::1/64":
			addr.Flags = unix.IFA_F_NODAD
		}
		must(t, netlink.AddrAdd(link, addr))
	}
	_, via, err := net.ParseCIDR("198.51.100.0/24")
	must(t, err)
	must(t, netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: via, Gw: net.ParseIP("192.0.2.254"), Table: 77}))
	must(t, netlink.LinkSetMTU(link, 1400))
	must(t, os.WriteFile("/proc/sys/net/ipv4/conf/"+name+"/rp_filter", []byte("2\n"), 0))
	must(t, os.WriteFile("/proc/sys/net/ipv4/neigh/"+name+"/gc_stale_time", []byte("33\n"), 0))
}

// deviceState is a device's addresses and routes for comparing.
func deviceState(t *testing.T, name string) map[string][]string {
	t.Helper()
	link, err := netlink.LinkByName(name)
	must(t, err)
	state := map[string][]string{}
	addrs, err := captureAddresses(link)
	must(t, err)
	for _, a := range addrs {
		state["addresses"] = append(state["addresses"], fmt.Sprintf("%+v", a))
	}
	routes, err := captureRoutes(link)
	must(t, err)
	for _, r := range routes {
		state["routes"] = append(state["routes"], fmt.Sprintf("%+v", r))
	}
	if len(state["addresses"]) < 2 || len(state["routes"]) < 1 {
		t.Fatalf("%s: nothing to compare: %v", name, state)
	}
	return state
}

// TestFullDisk fills the disk under the journal: the knob must not be written,
// the error must say so, and Restore must work on the full disk.
func TestFullDisk(t *testing.T) {
	enterNamespace(t)
	dir := t.TempDir()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4k,mode=0700"))
	defer unix.Unmount(dir, unix.MNT_DETACH)
	h := nic(t)
	before := h.dump(t)
	j := begin(t, dir, testOptions(h))
	refused := error(nil)
	for i := 0; refused == nil && i < 1000; i++ {
		last := h.get(t, "/proc/sys/net/core/netdev_budget")
		_, refused = j.Set(h, bind(t, budget), fmt.Sprint(1000+i))
		if now := h.get(t, "/proc/sys/net/core/netdev_budget"); refused != nil && now != last {
			t.Errorf("written as %s although the journal could not be", now)
		}
	}
	if !errors.Is(refused, unix.ENOSPC) || !strings.Contains(refused.Error(), "nothing was changed") {
		t.Errorf("error %v", refused)
	}
	for _, r := range openJournal(t, dir, testOptions(h)).Restore(context.Background()) {
		if r.Err != nil {
			t.Error(r)
		}
	}
	if diff := cmp.Diff(before, h.dump(t)); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
}
