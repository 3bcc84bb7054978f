package knob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/scenarios"
)

// A recorder is a host on which every file exists with the same text, and every
// write is noted.
type recorder struct {
	wrote []string
	mode  fs.FileMode
}

var _ host.Host = (*recorder)(nil)

func (r *recorder) ReadFile(string) ([]byte, error) { return []byte("7\n"), nil }
func (r *recorder) WriteFile(file string, _ []byte) error {
	r.wrote = append(r.wrote, file)
	return nil
}
func (r *recorder) Mode(string) (fs.FileMode, error) { return r.mode, nil }
func (r *recorder) Glob(p string) ([]string, error)  { return []string{p}, nil }
func (r *recorder) Links() ([]host.Link, error) {
	return []host.Link{{Name: "eth1", Index: 3, MTU: 1400}}, nil
}
func (r *recorder) SetLink(name string, c host.LinkChange) error {
	r.wrote = append(r.wrote, "link "+name+fmt.Sprint(" mtu ", *c.MTU))
	return nil
}
func (r *recorder) Ethtool(device string, request []uint32) ([]uint32, error) {
	switch request[0] {
	case channelCounts.get:
		return []uint32{0, 4, 4, 0, 4, 0, 0, 0, 2}, nil
	case channelCounts.set:
		r.wrote = append(r.wrote, "channels "+device)
		return request, nil
	}
	return askFeatures(request, map[string]host.Feature{"rx-gro": {}, "tx-tcp-segmentation": {}}, func(change map[string]bool) error {
		for name := range change {
			r.wrote = append(r.wrote, "feature "+device+" "+name)
		}
		return nil
	})
}
func (r *recorder) Rtnetlink(q host.NetlinkRequest) ([][]byte, error) {
	if q.Type != unix.RTM_GETQDISC {
		r.wrote = append(r.wrote, fmt.Sprintf("qdisc of device %d", native.Uint32(q.Body[4:])))
	}
	return nil, nil
}
func (r *recorder) Close(context.Context) error { return nil }

// mayWrite is all that any journal may make netab write.
var mayWrite = regexp.MustCompile(`^(` + strings.Join([]string{
	`/proc/sys/[^/].*`,
	`/sys/class/net/[^/ ]{1,60}/(queues/(rx|tx)-[0-9]+/(rps_cpus|rps_flow_cnt|xps_cpus)|gro_flush_timeout|napi_defer_hard_irqs|tx_queue_len|threaded)`,
	`/proc/irq/[0-9]+/smp_affinity_list`,
	`/sys/devices/system/cpu/cpufreq/policy[0-9]+/scaling_governor`,
	`/run/netns/netab-[A-Za-z0-9._-]*`,
	`link [^/ ]{1,60} mtu [0-9]+`, `feature [^/ ]{1,60} [A-Za-z0-9_-]+`, `channels [^/ ]{1,60}`, `qdisc of device 3`,
}, "|") + `)$`)

// notAllowed is what of the writes is none of netab's.
func notAllowed(wrote []string) (bad []string) {
	for _, w := range wrote {
		file := strings.HasPrefix(w, "/")
		if !mayWrite.MatchString(w) || file && path.Clean(w) != w || strings.ContainsAny(w, "\x00\n") {
			bad = append(bad, w)
		}
	}
	return bad
}

// recording are options under which all undoing is noted at a recorder: what of a
// moved device is files, and the name of a namespace.
func recording(r *recorder) Options {
	return Options{Here: Site{Boot: testBoot}, Host: func(string) (host.Host, error) { return r, nil }, Undo: map[string]UndoFunc{
		UndoNetns: func(_ context.Context, e Entry, _ Site) (string, error) {
			name, err := parseNetns(e.Data)
			if err == nil {
				r.wrote = append(r.wrote, filepath.Join(NetnsDir, name))
			}
			return "", err
		},
		UndoDevice: func(_ context.Context, e Entry, _ Site) (string, error) {
			d, err := parseMovedDevice(e.Data)
			if err != nil {
				return "", err
			}
			r.wrote = append(r.wrote, filepath.Join(NetnsDir, d.Netns), fmt.Sprintf("link %s mtu %d", d.Name, d.MTU))
			_ = d.restoreSysctls(r) // that the value did not take is no matter
			return "", nil
		},
	}}
}

func knobEntry(id int, spec, before string) string {
	return fmt.Sprintf(`{"kind":"knob","id":%d,"spec":%s,"before":%s}`+"\n", id, spec, before)
}

func undoEntry(id int, kind, data string) string {
	return fmt.Sprintf(`{"kind":"undo","id":%d,"undo":%q,"what":"x","data":%s}`+"\n", id, kind, data)
}

// TestJournalIsNotTrusted: item 4 of issue 10. An entry that netab would not have
// written is refused in one line, writes nothing, and the others are restored.
func TestJournalIsNotTrusted(t *testing.T) {
	const budget = `{"family":"sysctl","name":"net/core/netdev_budget","scope":"host"}`
	device := func(more string) string { return `{"name":"eth1","netns":"netab-1","mtu":1500` + more + `}` }
	for name, entry := range map[string]string{
		"sysctl above /proc/sys":        knobEntry(2, `{"family":"sysctl","name":"net/../../../etc/passwd","scope":"host"}`, `"x"`),
		"sysctl that is absolute":       knobEntry(2, `{"family":"sysctl","name":"/etc/passwd","scope":"host"}`, `"x"`),
		"sysctl that is a pattern":      knobEntry(2, `{"family":"sysctl","name":"net/*","scope":"host"}`, `"x"`),
		"sysctl of lines":               knobEntry(2, budget, `"1\n2"`),
		"sysctl of control characters":  knobEntry(2, budget, `"1\u001b[31m"`),
		"sysctl too long":               knobEntry(2, budget, `"`+strings.Repeat("1", maxValue+1)+`"`),
		"sysctl that loses addresses":   knobEntry(2, `{"family":"sysctl","name":"net/ipv6/conf/eth1/disable_ipv6","scope":"host"}`, `"1"`),
		"sysctl of a device as well":    knobEntry(2, `{"family":"sysctl","device":"eth1","name":"net/core/x","scope":"host"}`, `"1"`),
		"of a namespace of its own":     knobEntry(2, `{"family":"sysctl","name":"net/core/x","scope":"netns"}`, `"1"`),
		"of no scope":                   knobEntry(2, `{"family":"mtu","device":"eth1","scope":"universe"}`, `"1500"`),
		"family":                        knobEntry(2, `{"family":"../..","scope":"host"}`, `"1"`),
		"device that is a path":         knobEntry(2, `{"family":"tx_queue_len","device":"../../x","scope":"device"}`, `"1"`),
		"device that is a parent":       knobEntry(2, `{"family":"tx_queue_len","device":"..","scope":"device"}`, `"1"`),
		"device of escapes":             knobEntry(2, `{"family":"tx_queue_len","device":"e\u001b[31m","scope":"device"}`, `"1"`),
		"queue that is a path":          knobEntry(2, `{"family":"rps_cpus","device":"eth1","queue":"rx-0/../..","scope":"device"}`, `"1"`),
		"queue of another kind":         knobEntry(2, `{"family":"rps_cpus","device":"eth1","queue":"tx-0","scope":"device"}`, `"1"`),
		"CPUs that no kernel has":       knobEntry(2, `{"family":"rps_cpus","device":"eth1","queue":"rx-0","scope":"device"}`, `"0-4000000000"`),
		"mask of nonsense":              knobEntry(2, `{"family":"rps_cpus","device":"eth1","queue":"rx-0","scope":"device"}`, `"; rm"`),
		"interrupt that is a path":      knobEntry(2, `{"family":"irq","name":"1/../2","scope":"host"}`, `"1"`),
		"interrupt below zero":          knobEntry(2, `{"family":"irq","name":"-1","scope":"host"}`, `"1"`),
		"policy that is a path":         knobEntry(2, `{"family":"governor","name":"policy0/..","scope":"host"}`, `"x"`),
		"MTU of nothing":                knobEntry(2, `{"family":"mtu","device":"eth1","scope":"device"}`, `"0"`),
		"MTU beyond a number":           knobEntry(2, `{"family":"mtu","device":"eth1","scope":"device"}`, `"4294967296"`),
		"feature that is a pattern":     knobEntry(2, `{"family":"offload","device":"eth1","name":"*","scope":"device"}`, `"off"`),
		"feature of another name":       knobEntry(2, `{"family":"offload","device":"eth1","name":"tso","scope":"device"}`, `"rx-gro=off"`),
		"qdisc of no kind":              knobEntry(2, `{"family":"qdisc","device":"eth1","scope":"device"}`, `"htb"`),
		"qdisc of a script":             knobEntry(2, `{"family":"qdisc","device":"eth1","scope":"device"}`, `"netem distribution ../../x"`),
		"queues below zero":             knobEntry(2, `{"family":"channels","device":"eth1","name":"rx","scope":"device"}`, `"-1"`),
		"queues of no kind":             knobEntry(2, `{"family":"channels","device":"eth1","name":"other","scope":"device"}`, `"1"`),
		"place that is a path":          strings.Replace(knobEntry(2, budget, `"1"`), `"spec"`, `"place":"../../proc/1/ns/net","spec"`, 1),
		"namespace of another":          undoEntry(2, UndoNetns, `"production"`),
		"namespace that is a path":      undoEntry(2, UndoNetns, `"netab-/../../../etc"`),
		"namespace that is a parent":    undoEntry(2, UndoNetns, `".."`),
		"namespace that is a number":    undoEntry(2, UndoNetns, `7`),
		"moved device, no such name":    undoEntry(2, UndoDevice, `{"name":"../x","netns":"netab-1","mtu":1500}`),
		"moved device, a sysctl above":  undoEntry(2, UndoDevice, device(`,"sysctls":{"../../etc/passwd":"x"}`)),
		"moved device, a sysctl within": undoEntry(2, UndoDevice, device(`,"sysctls":{"net/ipv4/conf/eth1/../../../../../../etc/passwd":"x"}`)),
		"moved device, another's":       undoEntry(2, UndoDevice, device(`,"sysctls":{"net/ipv4/conf/eth0/rp_filter":"0"}`)),
		"moved device, the kernel's":    undoEntry(2, UndoDevice, device(`,"sysctls":{"kernel/core_pattern":"|/bin/sh"}`)),
		"moved device, a value":         undoEntry(2, UndoDevice, device(`,"sysctls":{"net/ipv4/conf/eth1/rp_filter":"0\n1"}`)),
		"moved device, its namespace":   undoEntry(2, UndoDevice, `{"name":"eth1","netns":"../../proc/1/ns/net","mtu":1500}`),
		"moved device, its MTU":         undoEntry(2, UndoDevice, `{"name":"eth1","netns":"netab-1","mtu":-1}`),
		"moved device, its queue":       undoEntry(2, UndoDevice, device(`,"tx_queue_len":-1`)),
		"moved device, an address":      undoEntry(2, UndoDevice, device(`,"addresses":[{"address":"192.0.2.1/24","flags":64}]`)),
		"moved device, two families":    undoEntry(2, UndoDevice, device(`,"addresses":[{"address":"192.0.2.1/24","peer":"2001:db8::1/64"}]`)),
		"moved device, a lifetime":      undoEntry(2, UndoDevice, device(`,"addresses":[{"address":"192.0.2.1/24","valid_lft":-5}]`)),
		"moved device, a route":         undoEntry(2, UndoDevice, device(`,"routes":[{"dst":"192.0.2.0/24","family":17,"table":254,"protocol":3,"scope":0}]`)),
		"moved device, a table":         undoEntry(2, UndoDevice, device(`,"routes":[{"dst":"192.0.2.0/24","family":2,"table":-1,"protocol":3,"scope":0}]`)),
		"moved device, a number":        undoEntry(2, UndoDevice, `7`),
		"what of escapes":               `{"kind":"undo","id":2,"undo":"netns","what":"\u001b]0;x\u0007","data":"netab-1"}` + "\n",
	} {
		dir := t.TempDir()
		good := knobEntry(1, budget, `"300"`)
		last := knobEntry(3, `{"family":"sysctl","name":"net/core/dev_weight","scope":"host"}`, `"64"`)
		must(t, os.WriteFile(filepath.Join(dir, fileName), []byte(good+entry+last), 0o600))
		r := &recorder{mode: 0o644}
		refused := 0
		for _, res := range openJournal(t, dir, recording(r)).Restore(context.Background()) {
			if res.Entry.ID != 2 {
				continue
			}
			refused++
			text := res.String()
			if res.Status != Failed || !strings.HasPrefix(text, "entry 2 of the journal (") || !strings.Contains(text, "--forget") || checkText(text, 4096) != nil {
				t.Errorf("%s: %s: %q", name, res.Status, text)
			}
		}
		if refused != 1 {
			t.Errorf("%s: refused %d times", name, refused)
		}
		wrote := strings.Join(r.wrote, " ")
		if !strings.Contains(wrote, "dev_weight") || !strings.Contains(wrote, "netdev_budget") || len(r.wrote) > 4 {
			t.Errorf("%s: wrote %s, want the two others", name, wrote)
		}
		if bad := notAllowed(r.wrote); bad != nil {
			t.Errorf("%s: wrote %q", name, bad)
		}
	}
}

// TestCheckedOnItsWayIn: what would be refused at restoring is not changed.
func TestCheckedOnItsWayIn(t *testing.T) {
	h := nic(t)
	h.put(t, "/proc/sys/net/core/netdev_budget", "300\x1b[31m\n")
	j := begin(t, t.TempDir(), testOptions(h))
	if _, err := j.Set(h, bind(t, budget), "600"); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("%v", err)
	}
	if got := h.get(t, "/proc/sys/net/core/netdev_budget"); got != "300\x1b[31m" {
		t.Errorf("changed: %q", got)
	}
	if _, err := j.Set(h, bind(t, weight), "6\n4"); err == nil || h.get(t, "/proc/sys/net/core/dev_weight") != "64" {
		t.Errorf("%v", err)
	}
	for kind, data := range map[string]any{UndoNetns: "production", UndoDevice: MovedDevice{Name: "eth1", Netns: "production", MTU: 1500}} {
		if _, err := j.Record(kind, "x", data); err == nil {
			t.Errorf("%s of %v was remembered", kind, data)
		}
	}
	if len(j.Pending()) > 0 {
		t.Errorf("pending: %v", j.Pending())
	}
}

// TestJournalFile: item 4 of issue 10. The journal counts only as a file of one's
// own that nobody else can have written.
func TestJournalFile(t *testing.T) {
	line := []byte(knobEntry(1, `{"family":"sysctl","name":"net/core/netdev_budget","scope":"host"}`, `"300"`))
	for name, c := range map[string]struct {
		root  bool
		plant func(dir, file string) error
		want  string
	}{
		"link": {false, func(dir, file string) error {
			return errors.Join(os.WriteFile(dir+"/x", line, 0o600), os.Symlink("x", file))
		}, "symbolic link"},
		"second name": {false, func(dir, file string) error {
			return errors.Join(os.WriteFile(dir+"/x", line, 0o600), os.Link(dir+"/x", file))
		}, "2 names"},
		"FIFO":            {false, func(_, file string) error { return unix.Mkfifo(file, 0o600) }, "not a regular file"},
		"directory":       {false, func(_, file string) error { return os.Mkdir(file, 0o700) }, "not a regular file"},
		"open to others":  {false, func(_, file string) error { return errors.Join(os.WriteFile(file, line, 0o600), os.Chmod(file, 0o666)) }, "mode 0666"},
		"open to a group": {false, func(_, file string) error { return errors.Join(os.WriteFile(file, line, 0o600), os.Chmod(file, 0o620)) }, "mode 0620"},
		"another user's": {true, func(_, file string) error {
			return errors.Join(os.WriteFile(file, line, 0o600), os.Chown(file, 65534, 65534))
		}, "is user 65534's"},
		"open directory": {false, func(dir, file string) error {
			return errors.Join(os.WriteFile(file, line, 0o600), os.Chmod(dir, 0o777))
		}, "mode 0777"},
		"another user's directory": {true, func(dir, file string) error {
			return errors.Join(os.WriteFile(file, line, 0o600), os.Chown(dir, 65534, 65534))
		}, "is user 65534's"},
		"linked directory": {false, func(dir, file string) error {
			return errors.Join(os.WriteFile(file, line, 0o600), os.Rename(dir, dir+"-2"), os.Symlink(dir+"-2", dir))
		}, "symbolic link"},
		"endless": {false, func(_, file string) error {
			return errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, maxJournal+1))
		}, "more than the 64 MiB"},
	} {
		if c.root && os.Geteuid() != 0 {
			continue
		}
		dir := filepath.Join(t.TempDir(), "state")
		must(t, os.Mkdir(dir, 0o700))
		must(t, c.plant(dir, filepath.Join(dir, fileName)))
		_, err := Open(dir, testOptions(nic(t)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestJournalIsPrivate: what only root may read may be in it.
func TestJournalIsPrivate(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	h, dir := nic(t), filepath.Join(t.TempDir(), "state")
	for _, left := range []bool{false, true} {
		if left { // by an older netab, which let others read it
			must(t, os.WriteFile(filepath.Join(dir, fileName), nil, 0o644))
		}
		j := begin(t, dir, testOptions(h))
		_, err := j.Set(h, bind(t, budget), "600")
		must(t, err)
		for file, want := range map[string]fs.FileMode{dir: 0o700, j.Path(): 0o600} {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", file, info.Mode(), err)
			}
		}
		must(t, errors.Join(j.store.remove(), j.Close()))
	}
}

// TestSecrets: item 4 of issue 10. What only root may read is in the journal, and
// neither in the record of a run nor said.
func TestSecrets(t *testing.T) {
	const file = "/proc/sys/net/ipv4/conf/eth1/some_key"
	h := nic(t)
	h.put(t, file, "sesame\n")
	must(t, os.Chmod(h.at(file), 0o600))
	spec := Spec{Family: familySysctl, Name: strings.TrimPrefix(file, sysctlRoot), Scope: Host}
	bound, err := Bind(h, scenarios.Knob{Family: familySysctl, Name: spec.Name}, "", Host)
	must(t, err)
	dir := t.TempDir()
	j := begin(t, dir, testOptions(h))
	set, err := j.Set(h, bound[0], "public")
	must(t, err)
	if set.Before != Kept || set.Asked != "public" || set.After != "public" || h.get(t, file) != "public" {
		t.Errorf("%+v", set)
	}
	if again, err := Apply(h, bound[0], "public"); err != nil || again.Before != "public" || again.After != "public" {
		t.Errorf("%+v, %v", again, err)
	}
	text, err := os.ReadFile(j.Path())
	if err != nil || !strings.Contains(string(text), "sesame") {
		t.Errorf("the journal does not remember: %s, %v", text, err)
	}
	h.put(t, file, "else\n")
	h.take[file] = func(string) (string, error) { return "other", nil }
	r := restoreOne(t, dir, testOptions(h))
	said := fmt.Sprintf("%s %+v", r, r.Setting())
	delete(h.take, file)
	done := restoreOne(t, dir, testOptions(h))
	said += fmt.Sprintf("%s %+v", done, done.Setting())
	if r.Status != Failed || done.Status != Restored || h.get(t, file) != "sesame" {
		t.Errorf("%v, %v", r, done)
	}
	for _, secret := range []string{"sesame", `"else"`, `"other"`} {
		if strings.Contains(said, secret) {
			t.Errorf("said: %s", said)
		}
	}
	for _, name := range []string{"net/ipv6/conf/eth1/stable_secret", "net/ipv4/tcp_fastopen_key"} {
		if !IsSecret(bind(t, Spec{Family: familySysctl, Name: name, Scope: Host})) {
			t.Errorf("%s is told", name)
		}
	}
	if IsSecret(bind(t, budget)) || IsSecret(bind(t, Spec{Family: familyMTU, Device: "eth1", Scope: Device})) {
		t.Error("what everybody may read is kept")
	}
}

// FuzzJournal: no journal makes Open or Restore panic or write anything but what
// knobs are, whatever it says.
func FuzzJournal(f *testing.F) {
	owner := `{"kind":"begin","owner":{"run":"r","pid":1,"start":2,"boot_id":"` + testBoot + `","version":"v","began":"2026-01-02T03:04:05Z"}}` + "\n"
	knob := knobEntry(1, `{"family":"sysctl","name":"net/core/netdev_budget","scope":"host"}`, `"300"`)
	f.Add(owner + knob + `{"kind":"value","id":1,"value":"600"}` + "\n" + `{"kind":"done","id":1}` + "\n")
	f.Add(owner + knob + knob)
	f.Add(owner + undoEntry(2, UndoNetns, `"x"`) + `{"ki`)
	f.Add(`{"kind":"done","id":7}` + "\n\n\x00\n" + knob)
	f.Add(owner + undoEntry(2, UndoNetns, `"netab-1-source"`) + undoEntry(3, UndoDevice, `{"name":"eth1","netns":"netab-1","mtu":1500,"tx_queue_len":1000,"qdisc":"fq",`+
		`"addresses":[{"address":"192.0.2.1/24","peer":"192.0.2.1/24","broadcast":"192.0.2.255","label":"eth1"}],`+
		`"routes":[{"dst":"198.51.100.0/24","gateway":"192.0.2.2","family":2,"table":254,"protocol":3,"scope":0}],`+
		`"sysctls":{"net/ipv4/conf/eth1/rp_filter":"0","net/ipv6/neigh/eth1/gc_stale_time":"60"}}`))
	for _, s := range []struct{ spec, before string }{
		{`{"family":"rps_cpus","device":"eth1","queue":"rx-1","scope":"device"}`, `"0-1"`},
		{`{"family":"xps_cpus","device":"eth1","queue":"tx-1","scope":"device"}`, `"none"`},
		{`{"family":"rps_flow_cnt","device":"eth1","queue":"rx-1","scope":"device"}`, `"4096"`},
		{`{"family":"threaded","device":"eth1","scope":"device"}`, `"on"`},
		{`{"family":"offload","device":"eth1","name":"gro","scope":"device"}`, `"rx-gro=on-inactive"`},
		{`{"family":"channels","device":"eth1","name":"combined","scope":"device"}`, `"1"`},
		{`{"family":"mtu","device":"eth1","scope":"device"}`, `"1500"`},
		{`{"family":"irq","device":"eth1","name":"41","scope":"device"}`, `"0-3"`},
		{`{"family":"irq","name":"41","scope":"host"}`, `"0-3"`},
		{`{"family":"governor","name":"policy0","scope":"host"}`, `"schedutil"`},
		{`{"family":"sysctl","name":"net/ipv4/ip_forward","scope":"host"}`, `"1"`},
	} {
		f.Add(owner + knobEntry(1, s.spec, s.before))
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, _, torn, err := parseJournal(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if torn != (text != "" && !strings.HasSuffix(text, "\n")) {
			t.Errorf("torn %v", torn)
		}
		// What is read is written as it is read again.
		for _, l := range lines {
			if l.Kind == kindDamage || l.check() != nil {
				continue
			}
			written, err := l.line()
			if err != nil {
				t.Errorf("%+v cannot be written: %v", l, err)
				continue
			}
			if again, faults, _, _ := parseJournal(strings.NewReader(string(written))); len(again) != 1 || len(faults) > 0 {
				t.Errorf("%s is read as %+v, %v", written, again, faults)
			}
		}
		dir, err := os.MkdirTemp("/dev/shm", "netab-fuzz-")
		must(t, err)
		defer os.RemoveAll(dir)
		must(t, os.WriteFile(filepath.Join(dir, fileName), []byte(text), 0o600))
		r := &recorder{mode: 0o644}
		j := openJournal(t, dir, recording(r))
		if n := len(j.Pending()) + len(j.Stale()); n > len(lines) {
			t.Errorf("%d entries from %d lines", n, len(lines))
		}
		for _, res := range j.Restore(context.Background()) {
			if (res.Status == Failed) != (res.Err != nil) || strings.ContainsAny(res.String(), "\n\x1b") {
				t.Errorf("%q %+v", res.String(), res)
			}
		}
		if bad := notAllowed(r.wrote); bad != nil {
			t.Errorf("wrote %q", bad)
		}
	})
}
