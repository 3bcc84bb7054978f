package knob

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"netab/runner/host"
)

var governor = Spec{Family: familyGovernor, Name: "policy2", Scope: Host}

// TestRestoreInAnotherNamespace: what belongs to a network namespace is not
// touched in another, where the same names are other things; what belongs to the
// machine is put back anywhere.
func TestRestoreInAnotherNamespace(t *testing.T) {
	for name, c := range map[string]struct {
		made, here Site
		elsewhere  bool
	}{
		"the same":                 {Site{testBoot, 7, 1, 3}, Site{testBoot, 7, 1, 3}, false},
		"another":                  {Site{testBoot, 7, 1, 3}, Site{testBoot, 8, 2, 3}, true},
		"its number was reused":    {Site{testBoot, 7, 1, 3}, Site{testBoot, 7, 2, 3}, true},
		"a kernel without cookies": {Site{testBoot, 7, 0, 3}, Site{testBoot, 7, 0, 3}, false},
		"not known":                {Site{Boot: testBoot}, Site{testBoot, 7, 1, 3}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h, dir := nic(t), t.TempDir()
			before := h.dump(t)
			o := testOptions(h)
			o.Here = c.made
			j := begin(t, dir, o)
			for _, turn := range []turn{{budget, []string{"600"}}, {governor, []string{"performance"}}, {rps1, []string{"0"}}} {
				_, err := j.Set(h, bind(t, turn.spec), turn.values[0])
				must(t, err)
			}
			o.Here = c.here
			found := openJournal(t, dir, o).Restore(context.Background())
			if c.elsewhere {
				last := found[len(found)-1]
				if len(found) != 2 || !errors.Is(last.Err, ErrElsewhere) || !strings.Contains(last.String(), "eth1 rx-1 rps_cpus and 1 more were changed by run r1") {
					t.Errorf("%v", found)
				}
				for path, want := range map[string]string{"/proc/sys/net/core/netdev_budget": "600", netClass + "/eth1/queues/rx-1/rps_cpus": "1",
					cpufreqRoot + "/policy2/scaling_governor": "schedutil"} {
					if got := h.get(t, path); got != want {
						t.Errorf("%s is %s, want %s", path, got, want)
					}
				}
				o.Here = c.made
				found = openJournal(t, dir, o).Restore(context.Background())
			}
			for _, r := range found {
				if r.Status != Restored {
					t.Errorf("%+v", r)
				}
			}
			if diff := cmp.Diff(before, h.dump(t)); diff != "" {
				t.Errorf("not as before (-before +after):\n%s", diff)
			}
		})
	}
}

// TestStaleOnlyWhenKnown: entries of this boot are put back although the begin
// line is missing or damaged, and those of which the boot is not known as well.
func TestStaleOnlyWhenKnown(t *testing.T) {
	const zeros = "\x00\x00\x00\n"
	beginLine := func(boot string) string {
		return `{"kind":"begin","owner":{"run":"r","pid":1,"start":2,"boot_id":"` + boot + `","version":"v","began":"2026-01-02T03:04:05Z"}}` + "\n"
	}
	knobLine := func(site string) string {
		return `{"kind":"knob","id":1,` + site + `"spec":{"family":"sysctl","name":"net/core/netdev_budget","scope":"host"},"before":"300"}` + "\n"
	}
	here, other, silent := knobLine(`"site":{"boot":"`+testBoot+`"},`), knobLine(`"site":{"boot":"another"},`), knobLine("")
	for name, c := range map[string]struct {
		text  string
		stale bool
	}{
		"whole":                           {beginLine(testBoot) + here, false},
		"begin damaged":                   {zeros + here, false},
		"begin missing":                   {here, false},
		"begin of another boot, damage":   {beginLine("another") + zeros + here, false},
		"begin of another boot":           {beginLine("another") + here, false},
		"old netab":                       {beginLine(testBoot) + silent, false},
		"old netab, begin damaged":        {zeros + silent, false},
		"old netab, begin missing":        {silent, false},
		"old netab, second begin damaged": {beginLine("another") + zeros + silent, false},
		"old netab, another boot":         {beginLine("another") + silent, true},
		"another boot":                    {beginLine("another") + other, true},
		"another boot, begin damaged":     {zeros + other, true},
		"another boot, begin missing":     {other, true},
	} {
		t.Run(name, func(t *testing.T) {
			h, dir := nic(t), t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, fileName), []byte(c.text), 0o600))
			h.put(t, "/proc/sys/net/core/netdev_budget", "600\n")
			j := openJournal(t, dir, testOptions(h))
			if err := j.Begin(testOwner()); errors.Is(err, ErrPending) == c.stale {
				t.Errorf("Begin: %v", err)
			}
			if c.stale {
				return // Begin has cleared it away
			}
			if r := j.Restore(context.Background())[0]; r.Status != Restored {
				t.Errorf("%+v", r)
			}
			if got := h.get(t, "/proc/sys/net/core/netdev_budget"); got != "300" {
				t.Errorf("netdev_budget %s", got)
			}
		})
	}
}

// TestWhereToGo finds a process, or a name, in the namespaces of a site. Files
// stand for the namespaces: only their inode numbers count.
func TestWhereToGo(t *testing.T) {
	proc, names := t.TempDir(), t.TempDir()
	file := func(name string) uint64 {
		must(t, os.WriteFile(filepath.Join(names, name), nil, 0o600))
		ino, err := inode(filepath.Join(names, name))
		must(t, err)
		return ino
	}
	process := func(pid, net, mnt string) {
		ns := filepath.Join(proc, pid, "ns")
		must(t, os.MkdirAll(ns, 0o755))
		must(t, os.Link(filepath.Join(names, net), filepath.Join(ns, "net")))
		must(t, os.Link(filepath.Join(names, mnt), filepath.Join(ns, "mnt")))
	}
	outer, inner, lone, mounts, others := file("outer"), file("inner"), file("lone"), file("mounts"), file("others")
	process("10", "outer", "others")
	process("20", "inner", "others")
	process("30", "inner", "mounts")
	here := Site{Net: outer, NetCookie: 1, Mnt: others}
	for _, c := range []struct {
		made Site
		want string
	}{
		{Site{Net: inner, NetCookie: 2, Mnt: mounts}, "nsenter --target 30 --net --mount"},
		{Site{Net: inner, NetCookie: 2, Mnt: lone}, "nsenter --target 20 --net --mount"}, // its mount namespace is gone
		{Site{Net: lone, NetCookie: 3, Mnt: mounts}, "ip netns exec lone"},
		{Site{Net: outer, NetCookie: 1, Mnt: mounts}, "--forget"}, // the same network, and nobody where its names are
		{Site{Net: outer, NetCookie: 4, Mnt: others}, "--forget"}, // gone; its number belongs to this one now
		{Site{}, "--forget"},
	} {
		if got := c.made.whereToGo(here, proc, names); !strings.Contains(got, c.want) {
			t.Errorf("%+v: %s, want %s", c.made, got, c.want)
		}
	}
}

// testNetns is a name for a namespace that is not left behind. Its mount ends
// with the test's mount namespace, the file below it does not.
func testNetns(t *testing.T, what string) string {
	name := fmt.Sprintf("%s%s-%d", NetnsPrefix, what, os.Getpid())
	t.Cleanup(func() { _ = os.Remove(filepath.Join(NetnsDir, name)) })
	return name
}

// TestNamespaceIsKeptWithItsDevice: a device that cannot come back keeps its
// namespace from being deleted, and comes back once it can.
func TestNamespaceIsKeptWithItsDevice(t *testing.T) {
	enterNamespace(t)
	here, err := netns.Get()
	must(t, err)
	defer here.Close()
	equipDevice(t, "va")
	name := testNetns(t, "kept")
	o := testOptions(host.Local{})
	o.Here, err = hereNow()
	must(t, err)
	o.Undo = Undos()
	dir := t.TempDir()
	j := begin(t, dir, o)
	_, err = j.Set(host.Local{}, bind(t, Spec{Family: familyXPSCPUs, Device: "va", Queue: "tx-1", Scope: Device}), "0")
	must(t, err)
	before := namespaceDump(t)
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
	// Its name is taken meanwhile.
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "va"}, PeerName: "vc"}))

	// In the same network namespace, but another mount namespace, as nsenter and
	// ip netns exec may make them.
	for _, mnt := range []uint64{o.Here.Mnt, o.Here.Mnt + 1} {
		other := o
		other.Here.Mnt = mnt
		found := openJournal(t, dir, other).Restore(context.Background())
		if len(found) != 3 || found[0].Status != Failed || !errors.Is(found[0].Err, unix.EEXIST) {
			t.Fatalf("%v", found)
		}
		for _, r := range found[1:] {
			if r.Status != Failed || !strings.Contains(r.String(), "va is not back") {
				t.Errorf("%+v", r)
			}
		}
		if _, err := os.Stat(filepath.Join(NetnsDir, name)); err != nil {
			t.Fatal(err)
		}
	}
	taker, err := netlink.LinkByName("va")
	must(t, err)
	must(t, netlink.LinkDel(taker))
	for _, r := range openJournal(t, dir, o).Restore(context.Background()) {
		if r.Status != Restored && r.Status != Already {
			t.Errorf("%+v", r)
		}
	}
	before["/sys/class/net/va/queues/tx-1/xps_cpus"] = "0"
	after := namespaceDump(t)
	after["/sys/class/net/va/queues/tx-1/xps_cpus"] = "0"
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
}

// TestNamespaceWithAStranger: whatever is in a namespace, it is not deleted with
// it, also when the journal knows nothing of it (any more).
func TestNamespaceWithAStranger(t *testing.T) {
	enterNamespace(t)
	here, err := netns.Get()
	must(t, err)
	defer here.Close()
	name := testNetns(t, "stranger")
	o := testOptions(host.Local{})
	o.Undo = Undos()
	dir := t.TempDir()
	j := begin(t, dir, o)
	_, err = j.Record(UndoNetns, "namespace "+name, name)
	must(t, err)
	there, err := netns.NewNamed(name)
	must(t, err)
	defer there.Close()
	must(t, netns.Set(here))
	link, err := netlink.LinkByName("va")
	must(t, err)
	must(t, netlink.LinkSetNsFd(link, int(there)))
	if r := restoreOne(t, dir, o); r.Status != Failed || !strings.Contains(r.String(), "va is in it") {
		t.Errorf("%+v", r)
	}
	if held, err := devicesIn(there); err != nil || len(held) != 1 {
		t.Errorf("in there: %v, %v", held, err)
	}
	nl, err := netlink.NewHandleAt(there, unix.NETLINK_ROUTE)
	must(t, err)
	defer nl.Close()
	must(t, nl.LinkSetNsFd(link, int(here)))
	if r := restoreOne(t, dir, o); r.Status != Restored {
		t.Errorf("%+v", r)
	}
}

// TestUnseenNamespace: from another mount namespace, a file where a namespace's
// name is mounted elsewhere looks like the trace of a crash. Unlinking it would
// end the namespace.
func TestUnseenNamespace(t *testing.T) {
	enterNamespace(t)
	name := testNetns(t, "unseen")
	path := filepath.Join(NetnsDir, name)
	o := testOptions(host.Local{})
	o.Undo = Undos()
	for _, c := range []struct {
		made, here uint64
		forgets    bool
	}{{3, 3, true}, {3, 4, false}, {0, 4, false}} {
		dir := t.TempDir()
		o.Here.Mnt = c.made
		j := begin(t, dir, o)
		_, err := j.Record(UndoNetns, "namespace "+name, name)
		must(t, err)
		must(t, os.MkdirAll(NetnsDir, 0o755))
		must(t, os.WriteFile(path, nil, 0o600))
		_, err = j.Record(UndoDevice, "device nic9 in namespace "+name, MovedDevice{Name: "nic9", Netns: name, MTU: 1500})
		must(t, err)
		o.Here.Mnt = c.here
		found := openJournal(t, dir, o).Restore(context.Background())
		_, err = os.Stat(path)
		if gone := errors.Is(err, os.ErrNotExist); gone != c.forgets || (found[0].Status == Gone) != c.forgets {
			t.Errorf("%+v: %v; %v", c, found, err)
		}
		_ = os.Remove(path)
	}
}

// TestBackWithoutItsNamespace: a mount namespace ended with a killed run, and the
// kernel gave the device back, as it does with real ones.
func TestBackWithoutItsNamespace(t *testing.T) {
	enterNamespace(t)
	equipDevice(t, "va")
	name := testNetns(t, "ended")
	path := filepath.Join(NetnsDir, name)
	o := testOptions(host.Local{})
	o.Undo, o.Here.Mnt = Undos(), 3
	dir := t.TempDir()
	j := begin(t, dir, o)
	_, err := j.Record(UndoNetns, "namespace "+name, name)
	must(t, err)
	must(t, os.MkdirAll(NetnsDir, 0o755))
	must(t, os.WriteFile(path, nil, 0o600))
	before := deviceState(t, "va")
	device, err := CaptureDevice("va", name)
	must(t, err)
	_, err = j.Record(UndoDevice, "device va in namespace "+name, device)
	must(t, err)
	link, err := netlink.LinkByName("va")
	must(t, err)
	must(t, netlink.LinkSetDown(link)) // which takes its routes and IPv6 addresses
	o.Here.Mnt = 4
	for _, r := range openJournal(t, dir, o).Restore(context.Background()) {
		if r.Status != Restored {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff(before, deviceState(t, "va")); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", path, err)
	}
}

func TestSetAsideKeepsWhatWasKept(t *testing.T) {
	dir := t.TempDir()
	var kept []string
	for range 3 {
		h := nic(t)
		j := begin(t, dir, testOptions(h))
		_, err := j.Set(h, bind(t, budget), "600")
		must(t, err)
		as, err := j.Discard()
		must(t, err)
		kept = append(kept, filepath.Base(as))
	}
	if diff := cmp.Diff([]string{"journal.jsonl.discarded", "journal.jsonl.discarded.2", "journal.jsonl.discarded.3"}, kept); diff != "" {
		t.Error(diff)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 3 {
		t.Errorf("%v, %v", files, err)
	}
}
