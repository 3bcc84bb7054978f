package test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/guest/cpio"
	"netab/test/guests"
	"netab/test/need"
)

// TestCampaignRefused: what cannot be booted is said in one line, before anything boots,
// and leaves nothing.
func TestCampaignRefused(t *testing.T) {
	need.Program(t, "qemu-system-x86_64")
	p := newPlace(t)
	p.write(t, "garbage.deb", "!<arch>\ndebian-binary   1400000000  0     0     100644  4         `\n2.0\nnonsense")
	p.write(t, "text.deb", "<html>not found</html>")
	p.write(t, "text.rpm", "<html>not found</html>")
	p.write(t, "text", "#!/bin/sh\n")
	arm := make([]byte, 64)
	copy(arm[56:], "ARM\x64")
	p.write(t, "Image", string(arm)+"Linux version 6.1.0-arm64 (builder@host) #1 SMP\x00")
	p.script(t, "qemu-old", `echo "QEMU emulator version 6.2.0 (Debian 1:6.2)"`)
	p.script(t, "qemu-odd", `echo "hello"`)
	p.script(t, "qemu-silent", `exit 3`)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a damaged .deb", []string{"./garbage.deb"}, "garbage.deb"},
		{"a page in place of a .deb", []string{"./text.deb"}, "text.deb: it is no Debian package, for all its name"},
		{"a page in place of an .rpm", []string{"./text.rpm"}, "text.rpm: it is no RPM package, for all its name"},
		{"no kernel", []string{"./text"}, "text: it is neither a bzImage nor a vmlinux"},
		{"no file", []string{"./none"}, "./none: there is no such file: want a bzImage"},
		{"another architecture", []string{"./Image"}, "it is a kernel for aarch64"},
		{"QEMU is missing", []string{"./Image", "--qemu", "./no-qemu"}, "guests run in QEMU, and ./no-qemu is none: no such file or directory"},
		{"QEMU is too old", []string{"./Image", "--qemu", "./qemu-old"}, "qemu-old is QEMU 6.2.0 (Debian 1:6.2), and guests want 7.2 or newer"},
		{"no QEMU at all", []string{"./Image", "--qemu", "./qemu-odd"}, `does not say which QEMU it is, but "hello`},
		{"QEMU says nothing", []string{"./Image", "--qemu", "./qemu-silent"}, "qemu-silent --version: exit status 3"},
		{"too short", []string{"./Image", "--boots", "5"}, "5 boots of --max-time 10s together are 2s each, shorter than two trials of 1800ms (slices of 25ms, 3 arms side by side): want --max-time 18s, or fewer --boots"},
	} {
		o := p.netab(t, slices.Concat([]string{"run", "loopback-rps", "--store", "store", "--boots", "1", "--max-time", "10s", "--kernels"}, tt.args)...)
		oneLine(t, tt.name, o, tt.want)
	}
	o := p.netab(t, "results", "--store", "store")
	if strings.Contains(o.stdout, "boots") {
		t.Errorf("a campaign that did not begin is kept:\n%s", o)
	}
	nothingBeside(t, p)
}

// TestCampaignLacks: a module that the scenario needs and the kernel has not is said
// before anything boots.
func TestCampaignLacks(t *testing.T) {
	_, image := guests.Find(t)
	p := newPlace(t)
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(strings.Replace(image, "vmlinuz-", "config-", 1))
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "bzImage", string(data))
	for _, tt := range []struct{ config, want string }{
		{string(config), "veth is a module (CONFIG_VETH=m), and its file is not there: name where its modules are"},
		{strings.Replace(string(config), "CONFIG_VETH=m", "# CONFIG_VETH is not set", 1), "it has no veth: no module of that name, and CONFIG_VETH is not set"},
	} {
		p.write(t, ".config", tt.config)
		oneLine(t, "no veth", p.netab(t, "run", "veth-rps", "--store", "store", "--boots", "1", "--kernels", "./bzImage"), tt.want)
	}
	nothingBeside(t, p)
}

// TestCampaignQEMUFails: a QEMU that does not come up says nothing of a kernel. It is
// tried again, and the campaign can go on, with what it was allowed to set, when it works.
func TestCampaignQEMUFails(t *testing.T) {
	folder, _ := guests.Find(t)
	p := newPlace(t)
	p.script(t, "qemu", `case "$*" in *--version*) echo "QEMU emulator version 9.9.9"; exit;; *"machine help"*) echo "q35   Standard PC"; exit;; *"cpu help"*) exit;; esac
echo "qemu: cannot set up guest memory" >&2; exit 1`)
	p.write(t, "printk.yaml", "traffic: {protocol: tcp}\nknobs: {sysctl: {kernel.printk_ratelimit: [5, 6]}}\n")
	args := []string{"--store", "store", "--qemu", "./qemu", "--quiet"}
	const allow = "--allow-sysctl=kernel.printk_ratelimit"
	o := p.netab(t, append([]string{"run", "printk.yaml", "--boots", "1", "--max-time", "20s", "--kernels", folder, allow}, args...)...)
	oneLine(t, "QEMU fails", o, "boot 0 was tried 3 times, and nothing is known of its kernel")
	if !strings.Contains(o.stderr, "cannot set up guest memory") {
		t.Errorf("what QEMU says is missing:\n%s", o)
	}
	ids, err := filepath.Glob(filepath.Join(p.store(), "*", results.CampaignFile))
	if err != nil || len(ids) != 1 {
		t.Fatalf("%v, %v", ids, err)
	}
	id := filepath.Base(filepath.Dir(ids[0]))
	o = p.netab(t, append([]string{"run", "--resume", id}, args...)...)
	if o.status == 0 || !strings.Contains(o.stderr, "--allow-sysctl kernel.printk_ratelimit") {
		t.Errorf("it sets what it was not allowed:\n%s", o)
	}
	o = p.netab(t, append([]string{"run", "--resume", id, allow}, args...)...)
	oneLine(t, "resumed", o, "boot 0 was tried 3 times")
	o = p.netab(t, append([]string{"run", "--resume", id, allow, "--boots", "1"}, args...)...)
	oneLine(t, "as many boots", o, "is of 1 boot of each kernel already")
	c, err := results.ReadCampaign(ids[0])
	if err != nil || len(c.Boots) != 6 || c.Boots[5].Attempt != 6 || c.Boots[5].End != vocab.QEMUFailed {
		t.Errorf("%v, %d attempts", err, len(c.Boots))
	}
	nothingBeside(t, p)
}

// TestCampaignEnds: however a boot ends, the campaign goes on and says how, and no QEMU
// is left.
func TestCampaignEnds(t *testing.T) {
	longBoots(t)
	for _, tt := range []struct {
		name   string
		qemu   string         // more of the script that starts it
		append string         // to the kernel's command line
		init   string         // an init in place of netab: machine code in hexadecimal
		args   []string       // of netab
		during func(*os.File) // is given QEMU's monitor once a boot measures
		within time.Duration  // all of it
		end    vocab.BootEnd
		text   string
	}{
		{name: "panic", append: "unknown_nmi_panic", during: monitor("nmi"), end: vocab.Panic, text: "the kernel panicked (Kernel panic - not syncing: NMI"},
		{name: "hang", during: monitor("stop"), within: 6 * time.Minute, end: vocab.Hang, text: "it hangs"},
		{name: "init was killed", init: exits, end: vocab.InitDied, text: "its process 1 died"},
		{name: "no memory", args: []string{"--set", "guest.memory=96M"}, end: vocab.NoMemory, text: "(--set guest.memory=192M)"},
		{name: "a CPU goes", qemu: hotplug, during: monitor("device_del cpu1"), args: []string{"--max-time", "20s"}, end: vocab.RunFailed, text: "the machine changed: when the run began CPUs 0-1 were online, and now 0 are"},
		{name: "powered off", during: monitor("quit"), end: vocab.Reset, text: "it ended without a word while the job ran"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder, _ := guests.Find(t)
			p := newPlace(t)
			socket := filepath.Join(p.dir, "monitor")
			initrd := ""
			if tt.init != "" {
				initrd = filepath.Join(p.dir, "initrd")
				writeInit(t, initrd, tt.init)
			}
			p.script(t, "qemu", fmt.Sprintf(`n=$#
while [ $n -gt 0 ]; do
	case "$1" in
	%s
	-append) set -- "$@" "$1" "$2 %s"; shift 2; n=$((n - 2));;
	-initrd) set -- "$@" "$1" "${INITRD:-$2}"; shift 2; n=$((n - 2));;
	*) set -- "$@" "$1"; shift; n=$((n - 1));;
	esac
done
exec %s "$@" -monitor unix:%s,server=on,wait=off`, tt.qemu, tt.append, need.Program(t, "qemu-system-x86_64"), socket))
			t.Setenv("INITRD", initrd)
			r := p.start(t, slices.Concat([]string{"run", "loopback-rps", "--store", "store", "--qemu", "./qemu", "--boots", "1", "--max-time", "6s", "--kernels", folder}, tt.args)...)
			if tt.during != nil {
				measuring(t, p, r)
				conn, err := net.Dial("unix", socket)
				if err != nil {
					t.Fatal(err)
				}
				f, err := conn.(*net.UnixConn).File()
				if err != nil {
					t.Fatal(err)
				}
				tt.during(f)
				defer f.Close()
				defer conn.Close()
			}
			o := r.waitFor(t, max(tt.within, 3*time.Minute))
			c := onlyCampaign(t, p)
			if len(c.Boots) != 1 || c.Boots[0].End != tt.end || !strings.Contains(c.Boots[0].Text, tt.text) || c.End == nil || c.End.Reason != vocab.AllBooted {
				t.Errorf("%+v, end %+v\n%s", c.Boots, c.End, o)
			}
			told := fmt.Sprintf("boot 1 of 1: %s: guest with kernel ", tt.end)
			if strings.Count(o.stderr, told) != 1 || o.status != 5 {
				t.Errorf("want one line %q\n%s", told, o)
			}
			t.Log(o.stderr)
			nothingBeside(t, p, "qemu", "monitor", "initrd")
		})
	}
}

// TestCampaignKilled: kill -9 in the middle of a boot leaves no QEMU, and the campaign
// goes on where it was.
func TestCampaignKilled(t *testing.T) {
	longBoots(t)
	folder, _ := guests.Find(t)
	p := newPlace(t)
	r := p.start(t, "run", "loopback-rps", "--store", "store", "--boots", "1", "--max-time", "6s", "--kernels", folder)
	measuring(t, p, r)
	r.signal(t, syscall.SIGKILL)
	r.wait(t)
	nothingBeside(t, p)
	c := onlyCampaign(t, p)
	if c.End != nil || len(c.Boots) != 0 {
		t.Errorf("the record has %d boots and end %v", len(c.Boots), c.End)
	}
	o := p.start(t, "run", "--resume", c.Header.ID, "--store", "store").waitFor(t, 3*time.Minute)
	if o.status != 0 {
		t.Errorf("resumed: %s", o)
	}
	if c = onlyCampaign(t, p); len(c.Runs()) != 1 || c.Boots[0].Attempt != 2 {
		t.Errorf("%+v", c.Boots)
	}
	o = p.start(t, "run", "--resume", c.Header.ID, "--boots", "2", "--store", "store").waitFor(t, 3*time.Minute)
	if c = onlyCampaign(t, p); o.status != 0 || len(c.Runs()) != 2 || !strings.Contains(o.stderr, "boot 2 of 2: ") || !strings.Contains(o.stdout, "[boots-added]") {
		t.Errorf("with another boot: %+v\n%s", c.Boots, o)
	}
	nothingBeside(t, p)
}

// TestCampaignTogether: of guests that take turns one panics and one hangs, and the others
// go on; kill -9 leaves none of them.
func TestCampaignTogether(t *testing.T) {
	longBoots(t)
	folder, _ := guests.Find(t)
	p := newPlace(t)
	p.script(t, "qemu", fmt.Sprintf(`n=$#
while [ $n -gt 0 ]; do
	case "$1" in
	-append) set -- "$@" "$1" "$2 unknown_nmi_panic"; shift 2; n=$((n - 2));;
	*) set -- "$@" "$1"; shift; n=$((n - 1));;
	esac
done
case "$*" in *-initrd*) set -- "$@" -monitor "unix:%s.$$,server=on,wait=off";; esac
exec %s "$@"`, filepath.Join(p.dir, "qemu-monitor"), need.Program(t, "qemu-system-x86_64")))
	args := []string{"run", "loopback-rps", "--store", "store", "--qemu", "./qemu", "--boots", "4", "--max-time", "24s", "--kernels", folder}
	monitors := func(r *running) (all []string) {
		measuring(t, p, r)
		if err := within(4*patience, func() error {
			all, _ = filepath.Glob(filepath.Join(p.dir, "qemu-monitor.*"))
			if len(all) < 4 {
				return fmt.Errorf("%d guests are up", len(all))
			}
			return nil
		}); err != nil {
			t.Fatal(err, r.wait(t))
		}
		return all
	}
	tell := func(socket, order string) {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, order+"\n")
		time.Sleep(time.Second / 2) // QEMU reads it
	}
	r := p.start(t, args...)
	all := monitors(r)
	tell(all[0], "nmi")
	tell(all[1], "quit")
	o := r.waitFor(t, 6*time.Minute)
	c := onlyCampaign(t, p)
	ends := map[vocab.BootEnd]int{}
	for _, b := range c.Boots {
		ends[b.End]++
		if b.Together != 4 {
			t.Errorf("boot %d: %d took turns", b.Number, b.Together)
		}
	}
	if ends[vocab.Panic] != 1 || ends[vocab.Reset] != 1 || ends[vocab.Finished] != 2 {
		t.Errorf("%v\n%s", ends, o)
	}
	nothingBeside(t, p)
	for _, socket := range all {
		_ = os.Remove(socket)
	}
	if err := os.RemoveAll(filepath.Join(p.store(), c.Header.ID)); err != nil {
		t.Fatal(err)
	}
	r = p.start(t, args...)
	monitors(r)
	r.signal(t, syscall.SIGKILL)
	r.wait(t)
	nothingBeside(t, p)
}

func longBoots(t *testing.T) {
	t.Helper()
	if os.Getenv(envLong) == "" {
		t.Skipf("boots are for make soak: %s=1", envLong)
	}
}

// script makes a program there.
func (p place) script(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// waitFor is wait for what takes longer.
func (r *running) waitFor(t *testing.T, d time.Duration) outcome {
	t.Helper()
	for deadline := time.Now().Add(d); r.lives() && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	return r.wait(t)
}

// oneLine checks that a command failed and said why in one line, behind what it was doing.
func oneLine(t *testing.T, name string, o outcome, want string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(o.stderr), "\n")
	last := lines[len(lines)-1]
	said := slices.DeleteFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "unpacking ") || strings.Contains(l, "no time of theirs is hardware's")
	})
	if o.status == 0 || len(said) != 1 || !strings.HasPrefix(last, "netab: ") || !strings.Contains(last, want) {
		t.Errorf("%s: want one line with %q\n%s", name, want, o)
	}
}

// nothingBeside checks that a place has no QEMU, and no files but the store's, netab's
// own and those that the test made.
func nothingBeside(t *testing.T, p place, own ...string) {
	t.Helper()
	if err := eventually(func() error {
		environs, err := filepath.Glob("/proc/[0-9]*/environ")
		if err != nil {
			return err
		}
		for _, file := range environs {
			env, _ := os.ReadFile(file) // it may be gone
			exe, _ := os.Readlink(filepath.Join(filepath.Dir(file), "exe"))
			if bytes.Contains(env, []byte("HOME="+p.dir+"\x00")) && strings.Contains(filepath.Base(exe), "qemu") {
				return fmt.Errorf("QEMU is left: %s", filepath.Dir(file))
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		known := slices.Contains(own, name) || slices.Contains([]string{"store", "state", "lock", ".cache", "bzImage", ".config", "Image", "text", "printk.yaml"}, name)
		if !known && !strings.HasPrefix(name, "qemu") && !strings.HasSuffix(name, ".deb") && !strings.HasSuffix(name, ".rpm") {
			t.Errorf("%s is left", name)
		}
	}
}

// measuring waits until a boot has sent the first line of its run.
func measuring(t *testing.T, p place, r *running) {
	t.Helper()
	if err := within(4*patience, func() error { // a boot takes that where the machine is busy
		runs, _ := filepath.Glob(filepath.Join(p.store(), "*", "boots", "*", results.RunFile))
		for _, run := range runs {
			if info, err := os.Stat(run); err == nil && info.Size() > 0 {
				return nil
			}
		}
		return fmt.Errorf("no boot measures")
	}); err != nil {
		r.cmd.Process.Kill()
		t.Fatal(err, r.wait(t))
	}
}

func onlyCampaign(t *testing.T, p place) *results.Campaign {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.store(), "*", results.CampaignFile))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	c, err := results.ReadCampaign(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hotplug makes the second CPU one that can be taken away.
const hotplug = `-smp) set -- "$@" -smp 1,sockets=2,maxcpus=2 -device max-x86_64-cpu,id=cpu1,socket-id=1,core-id=0,thread-id=0; shift 2; n=$((n - 2));;`

// monitor gives QEMU an order.
func monitor(order string) func(*os.File) {
	return func(f *os.File) { _, _ = io.WriteString(f, order+"\n") }
}

// exits is a program that ends at once with 1: mov $60, %eax; mov $1, %edi; syscall.
const exits = "\xb8\x3c\x00\x00\x00\xbf\x01\x00\x00\x00\x0f\x05"

// writeInit makes an initramfs whose init has this code.
func writeInit(t *testing.T, file, code string) {
	t.Helper()
	const base, headers = 0x400000, 64 + 56
	le := binary.LittleEndian
	program := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	program = le.AppendUint16(le.AppendUint16(program, 2), 62) // an executable for x86-64
	program = le.AppendUint32(program, 1)                      // version
	program = le.AppendUint64(program, base+headers)           // entry
	program = le.AppendUint64(le.AppendUint64(program, 64), 0) // where the segments are, sections
	program = le.AppendUint32(program, 0)                      // flags
	for _, n := range []uint16{64, 56, 1, 0, 0, 0} {           // sizes and numbers
		program = le.AppendUint16(program, n)
	}
	program = le.AppendUint32(le.AppendUint32(program, 1), 5) // load, to be read and executed
	for _, n := range []uint64{0, base, base, headers + uint64(len(code)), headers + uint64(len(code)), 0x1000} {
		program = le.AppendUint64(program, n)
	}
	program = append(program, code...)
	var out bytes.Buffer
	w := cpio.NewWriter(&out)
	err := w.Device("dev/console", 0o666, 5, 1)
	if err == nil {
		err = w.File("init", 0o755, int64(len(program)), bytes.NewReader(program))
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = os.WriteFile(file, out.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
