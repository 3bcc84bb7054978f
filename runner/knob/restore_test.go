package knob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// lost is a journal whose run has gone after changing these knobs.
func lost(t *testing.T, h *tree, turns ...turn) (dir string) {
	t.Helper()
	dir = t.TempDir()
	j := begin(t, dir, testOptions(h))
	for _, turn := range turns {
		for _, v := range turn.values {
			_, err := j.Set(h, bind(t, turn.spec), v)
			must(t, err)
		}
	}
	must(t, j.Close())
	return dir
}

func restoreOne(t *testing.T, dir string, o Options) Result {
	t.Helper()
	found := openJournal(t, dir, o).Restore(context.Background())
	if len(found) != 1 {
		t.Fatalf("%d results: %v", len(found), found)
	}
	return found[0]
}

func TestRestoreTellsOfOthers(t *testing.T) {
	for _, c := range []struct {
		found  string
		status Status
		blames bool
	}{
		{"600", Restored, false}, // as we left it
		{"900", Restored, false}, // another value of ours
		{"777", Restored, true},
		{"300", Already, false}, // somebody put it back
	} {
		h := nic(t)
		dir := lost(t, h, turn{budget, []string{"900", "600"}})
		h.put(t, "/proc/sys/net/core/netdev_budget", c.found+"\n")
		r := restoreOne(t, dir, testOptions(h))
		if r.Status != c.status || r.Found != c.found || strings.Contains(r.Note, "somebody else") != c.blames {
			t.Errorf("%s: %+v", c.found, r)
		}
		if got := h.get(t, "/proc/sys/net/core/netdev_budget"); got != "300" {
			t.Errorf("%s: restored to %s", c.found, got)
		}
		if s := r.Setting(); s.Before != c.found || s.Asked != "300" || s.After != "300" {
			t.Errorf("%s: %+v", c.found, s)
		}
	}
}

func TestRestoreOfWhatIsGone(t *testing.T) {
	h := nic(t)
	dir := lost(t, h, turn{rps1, []string{"0"}})
	must(t, os.RemoveAll(h.at(netClass+"/eth1")))
	if r := restoreOne(t, dir, testOptions(h)); r.Status != Gone || r.Err != nil || !strings.Contains(r.String(), "eth1 rx-1 rps_cpus: gone") {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, fileName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal is left: %v", err)
	}
}

func TestRestoreAfterAnotherBoot(t *testing.T) {
	h := nic(t)
	dir := lost(t, h, turn{budget, []string{"600"}})
	o := testOptions(h)
	o.Here.Boot = "another"
	j := openJournal(t, dir, o)
	if len(j.Pending()) != 0 || len(j.Stale()) != 1 {
		t.Errorf("pending %v, stale %v", j.Pending(), j.Stale())
	}
	if r := restoreOne(t, dir, o); r.Status != Stale || !strings.Contains(r.Note, "booted") {
		t.Errorf("%+v", r)
	}
	if got := h.get(t, "/proc/sys/net/core/netdev_budget"); got != "600" {
		t.Errorf("touched: %s", got)
	}
	if len(openJournal(t, dir, o).Stale()) != 0 {
		t.Error("the journal is left")
	}
}

// TestBeginOverAnotherBoot: nobody has to restore what a reboot has undone.
func TestBeginOverAnotherBoot(t *testing.T) {
	h := nic(t)
	dir := lost(t, h, turn{budget, []string{"600"}})
	o := testOptions(h)
	o.Here.Boot = "another"
	j := openJournal(t, dir, o)
	must(t, j.Begin(Owner{Run: "r2"}))
	if _, err := j.Set(h, bind(t, weight), "32"); err != nil {
		t.Fatal(err)
	}
	left := openJournal(t, dir, o)
	if p := left.Pending(); len(p) != 1 || p[0].Owner.Run != "r2" || p[0].Before != "64" || len(left.Stale()) != 0 {
		t.Errorf("pending %+v, stale %+v", p, left.Stale())
	}
}

func TestRestoreGoesOnPastFailures(t *testing.T) {
	h := nic(t)
	dir := lost(t, h, turn{budget, []string{"600"}}, turn{weight, []string{"32"}}, turn{rps1, []string{"0"}})
	const weightFile = "/proc/sys/net/core/dev_weight"
	h.take[weightFile] = func(string) (string, error) { return "", unix.EPERM }
	j := openJournal(t, dir, testOptions(h))
	var failed []Result
	for _, r := range j.Restore(context.Background()) {
		if r.Status == Failed {
			failed = append(failed, r)
		}
	}
	if len(failed) != 1 || !errors.Is(failed[0].Err, unix.EPERM) || !strings.Contains(failed[0].String(), "needs root") {
		t.Fatalf("failed: %v", failed)
	}
	if b, r := h.get(t, "/proc/sys/net/core/netdev_budget"), h.get(t, netClass+"/eth1/queues/rx-1/rps_cpus"); b != "300" || r != "c" {
		t.Errorf("budget %s, rps_cpus %s", b, r)
	}
	if err := j.Begin(testOwner()); !errors.Is(err, ErrPending) {
		t.Errorf("Begin: %v", err)
	}
	later := openJournal(t, dir, testOptions(h))
	// What came before the failure is kept with it.
	if p := later.Pending(); len(p) != 2 || p[1].String() != "sysctl net.core.dev_weight" {
		t.Fatalf("pending: %v", p)
	}
	delete(h.take, weightFile)
	found := later.Restore(context.Background())
	if len(found) != 2 || found[0].Status != Restored || found[1].Status != Already || h.get(t, weightFile) != "64" {
		t.Errorf("%+v", found)
	}
}

func TestDiscard(t *testing.T) {
	h := nic(t)
	dir := lost(t, h, turn{budget, []string{"600"}})
	j := openJournal(t, dir, testOptions(h))
	as, err := j.Discard()
	must(t, err)
	if text, err := os.ReadFile(as); err != nil || !strings.Contains(string(text), `"before":"300"`) {
		t.Errorf("%s: %q, %v", as, text, err)
	}
	must(t, j.Begin(testOwner()))
	if p := openJournal(t, dir, testOptions(h)).Pending(); len(p) != 0 || h.get(t, "/proc/sys/net/core/netdev_budget") != "600" {
		t.Errorf("pending: %v", p)
	}
}

func TestRestoreStopsWithItsContext(t *testing.T) {
	h := nic(t)
	dir := lost(t, h, turn{budget, []string{"600"}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	j := openJournal(t, dir, testOptions(h))
	if found := j.Restore(ctx); len(found) != 1 || !errors.Is(found[0].Err, context.Canceled) {
		t.Errorf("%v", found)
	}
	if len(openJournal(t, dir, testOptions(h)).Pending()) != 1 {
		t.Error("the entry is lost")
	}
}

// TestDamagedJournal: a bad line in the middle keeps the others from nothing,
// and is not forgotten.
func TestDamagedJournal(t *testing.T) {
	h := nic(t)
	dir := lost(t, h, turn{budget, []string{"600"}}, turn{weight, []string{"32"}})
	path := filepath.Join(dir, fileName)
	text, err := os.ReadFile(path)
	must(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	lines[2] = "\x00\x00\x00\n" + lines[2]
	must(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))

	other := testOptions(h)
	other.Here.Boot = "another"
	if j := openJournal(t, dir, other); len(j.faults) > 0 {
		t.Errorf("damage of an earlier boot: %v", j.faults)
	}
	found := openJournal(t, dir, testOptions(h)).Restore(context.Background())
	last := found[len(found)-1]
	if len(found) != 3 || last.Status != Failed || !strings.Contains(last.String(), "line 3") {
		t.Errorf("%v", found)
	}
	if h.get(t, "/proc/sys/net/core/netdev_budget") != "300" || h.get(t, "/proc/sys/net/core/dev_weight") != "64" {
		t.Error("the whole lines were not restored")
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error(err)
	}
	if again := openJournal(t, dir, testOptions(h)).Restore(context.Background()); len(again) != 0 {
		t.Errorf("a second restore: %v", again)
	}
}

// TestBeginOverDamage: what cannot be read may be what was changed.
func TestBeginOverDamage(t *testing.T) {
	h, dir := nic(t), t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, fileName), []byte("\x00\x00\n"), 0o600))
	j := openJournal(t, dir, testOptions(h))
	if err := j.Begin(testOwner()); !errors.Is(err, ErrPending) || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("Begin: %v", err)
	}
	j.Restore(context.Background())
	must(t, j.Begin(testOwner()))
}

func TestUnknownUndo(t *testing.T) {
	h, dir := nic(t), t.TempDir()
	j := begin(t, dir, testOptions(h))
	_, err := j.Record("teleport", "device eth1 on the moon", nil)
	must(t, err)
	if r := restoreOne(t, dir, testOptions(h)); r.Status != Failed || !strings.Contains(r.String(), `netab v1 wrote it`) {
		t.Errorf("%v", r)
	}
}

// TestUndoInReverse: what was done last is undone first, whatever its kind,
// and what the caller undid itself is left alone.
func TestUndoInReverse(t *testing.T) {
	h, dir := nic(t), t.TempDir()
	var order []string
	o := testOptions(h)
	o.Undo = map[string]UndoFunc{"note": func(_ context.Context, e Entry, _ Site) (string, error) {
		order = append(order, string(e.Data))
		return "", nil
	}}
	o.Step = func(s string) error {
		if s == "write:before" {
			order = append(order, "write")
		}
		return nil
	}
	j := begin(t, dir, o)
	record := func(data int) int {
		id, err := j.Record("note", "note", data)
		must(t, err)
		return id
	}
	record(1)
	_, err := j.Set(h, bind(t, budget), "600")
	must(t, err)
	id := record(2)
	record(3)
	record(4)
	must(t, j.Done(id))
	order = nil
	j.Restore(context.Background())
	if got := strings.Join(order, " "); got != "4 3 write 1" {
		t.Errorf("order %s", got)
	}
}

// TestDeviceOutlivesItsNamespace: the knobs of a device that was moved into a
// namespace are restored there, or where the kernel put the device.
func TestDeviceOutlivesItsNamespace(t *testing.T) {
	machine, inside := nic(t), nic(t)
	dir := t.TempDir()
	o := testOptions(machine)
	gone := false
	o.Host = func(place string) (host.Host, error) {
		switch {
		case place == "":
			return machine, nil
		case place == "netab-1" && !gone:
			return inside, nil
		}
		return nil, fs.ErrNotExist
	}
	for _, gone = range []bool{false, true} {
		j := begin(t, dir, o)
		_, err := j.Set(At(inside, "netab-1"), bind(t, rps1), "0")
		must(t, err)
		machine.put(t, netClass+"/eth1/queues/rx-1/rps_cpus", "1\n")
		r := restoreOne(t, dir, o)
		if r.Status != Restored || strings.Contains(r.Note, "is gone") != gone {
			t.Errorf("gone %v: %+v", gone, r)
		}
		where := inside
		if gone {
			where = machine
		}
		if got := where.get(t, netClass+"/eth1/queues/rx-1/rps_cpus"); got != "c" {
			t.Errorf("gone %v: %s", gone, got)
		}
	}
}

// TestNamespaceKnobsAreNotJournaled: they die with the namespace, and a run
// that borrows nothing leaves no trace.
func TestNamespaceKnobsAreNotJournaled(t *testing.T) {
	h, dir := nic(t), filepath.Join(t.TempDir(), "state")
	j := begin(t, dir, testOptions(h))
	s := rps1
	s.Scope = Netns
	if got, err := j.Set(h, bind(t, s), "0"); err != nil || got.After != "0" {
		t.Errorf("%+v, %v", got, err)
	}
	if found := j.Restore(context.Background()); len(found) != 0 {
		t.Errorf("%v", found)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a state directory was made: %v", err)
	}
}

// TestCollateral: queue counts take masks with them, which are put back after
// the queues and blamed on nobody.
func TestCollateral(t *testing.T) {
	h := nic(t)
	before := h.dump(t)
	dir := lost(t, h, turn{Spec{Family: familyChannels, Device: "eth1", Name: "combined", Scope: Device}, []string{"1"}})
	if got := h.get(t, netClass+"/eth1/queues/tx-0/xps_cpus"); got != "f" {
		t.Fatalf("the driver left XPS at %s", got)
	}
	h.put(t, "/proc/irq/42/smp_affinity_list", "0\n")
	for _, r := range openJournal(t, dir, testOptions(h)).Restore(context.Background()) {
		if r.Err != nil || strings.Contains(r.Note, "somebody") {
			t.Error(r)
		}
	}
	after := h.dump(t)
	for path, text := range before {
		if after[path] != text {
			t.Errorf("%s: %s, was %s", path, after[path], text)
		}
	}
}

// TestSecondPass: tso was remembered while sg was on, and sg was turned off
// later, so going backwards tso comes first and cannot be active yet.
func TestSecondPass(t *testing.T) {
	h := nic(t)
	before := h.dump(t)
	dir := lost(t, h, turn{sg, []string{"on"}}, turn{tso, []string{"off"}}, turn{sg, []string{"off"}})
	for _, r := range openJournal(t, dir, testOptions(h)).Restore(context.Background()) {
		if r.Status != Restored || r.Note != "" {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff(before, h.dump(t)); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
}

// TestPortsComeBackInAnOrderThatWorks: the range of ports must lie above the
// privileged ones, so going backwards the first step is refused at first.
func TestPortsComeBackInAnOrderThatWorks(t *testing.T) {
	enterNamespace(t)
	before := namespaceDump(t)
	dir := t.TempDir()
	j := begin(t, dir, testOptions(host.Local{}))
	ports := []Knob{
		bind(t, Spec{Family: familySysctl, Name: "net/ipv4/ip_local_port_range", Scope: Host}),
		bind(t, Spec{Family: familySysctl, Name: "net/ipv4/ip_unprivileged_port_start", Scope: Host}),
	}
	values := []string{"500 1500", "100"}
	for i, k := range ports {
		must(t, j.Borrow(host.Local{}, k, values[i]))
	}
	var first, last error
	Passes(len(ports), func(pass, i int) (open, changed bool) {
		s, err := Apply(host.Local{}, ports[i], values[i])
		if pass == 0 {
			first = errors.Join(first, err)
		} else {
			last = errors.Join(last, err)
		}
		return err != nil, err == nil && s.Before != s.After
	})
	if !errors.Is(first, unix.EINVAL) || last != nil {
		t.Fatalf("first pass: %v; last: %v", first, last)
	}
	for _, r := range openJournal(t, dir, testOptions(host.Local{})).Restore(context.Background()) {
		if r.Status != Restored || r.Note != "" {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff(before, namespaceDump(t)); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
}

// TestGoneForNow: a queue's mask cannot be seen while its device has too few
// queues, and is put back once it has them again.
func TestGoneForNow(t *testing.T) {
	h := nic(t)
	mask, away := h.at(netClass+"/eth1/queues/rx-1/rps_cpus"), h.at("/rps_cpus")
	dir := lost(t, h, turn{budget, []string{"600"}}, turn{rps1, []string{"0"}})
	must(t, os.Rename(mask, away))
	h.take["/proc/sys/net/core/netdev_budget"] = func(text string) (string, error) { return text, os.Rename(away, mask) }
	found := openJournal(t, dir, testOptions(h)).Restore(context.Background())
	if len(found) != 2 || found[0].Status != Restored || found[1].Status != Restored || h.get(t, netClass+"/eth1/queues/rx-1/rps_cpus") != "c" {
		t.Errorf("%+v", found)
	}
}

func TestForwardingTakesDevicesAlong(t *testing.T) {
	h := nic(t)
	dir := lost(t, h, turn{Spec{Family: familySysctl, Name: "net/ipv4/ip_forward", Scope: Host}, []string{"1"}})
	for path, text := range map[string]string{"all/forwarding": "1", "eth1/forwarding": "1", "eth1/accept_redirects": "0"} {
		h.put(t, "/proc/sys/net/ipv4/conf/"+path, text+"\n")
	}
	openJournal(t, dir, testOptions(h)).Restore(context.Background())
	for path, want := range map[string]string{"all/forwarding": "0", "eth1/forwarding": "1", "eth1/accept_redirects": "1"} {
		if got := h.get(t, "/proc/sys/net/ipv4/conf/"+path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestRefusedValueIsOurDoing: what the kernel made of our value is not blamed
// on somebody else.
func TestRefusedValueIsOurDoing(t *testing.T) {
	h, dir := nic(t), t.TempDir()
	file := netClass + "/eth1/queues/rx-1/rps_cpus"
	h.take[file] = func(string) (string, error) { return "1\n", nil }
	j := begin(t, dir, testOptions(h))
	if _, err := j.Set(h, bind(t, rps1), "0-1"); !errors.Is(err, ErrRefused) {
		t.Fatalf("%v", err)
	}
	delete(h.take, file)
	if r := restoreOne(t, dir, testOptions(h)); r.Status != Restored || r.Note != "" || h.get(t, file) != "c" {
		t.Errorf("%+v", r)
	}
}

func TestChangeBeforeBegin(t *testing.T) {
	h := nic(t)
	j := openJournal(t, t.TempDir(), testOptions(h))
	if _, err := j.Set(h, bind(t, budget), "600"); err == nil || h.get(t, "/proc/sys/net/core/netdev_budget") != "300" {
		t.Errorf("%v", err)
	}
}
