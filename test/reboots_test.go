package test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/guest/cpio"
	"netab/runner/guest/kernel"
	"netab/test/guests"
	"netab/test/need"
	"netab/test/sources"
)

// TestBootsPlan: a campaign of boots is planned, told, stopped and taken up. Nothing is
// armed: the machine is not to be booted.
func TestBootsPlan(t *testing.T) {
	need.Root(t)
	folder, image := guests.Find(t)
	p := newPlace(t)
	var fs unix.Statfs_t
	if err := unix.Statfs(p.dir, &fs); err != nil {
		t.Fatal(err)
	}
	if fs.Type == unix.TMPFS_MAGIC {
		o := p.netab(t, "boots", "plan", "same", "--kernels", folder, "--store", "store")
		if o.status != 5 || !strings.Contains(o.stderr, "does not outlive a boot") {
			t.Errorf("a store in memory: %+v", o)
		}
		need.Missing(t, "a directory for temporary files that is on a disk", "set TMPDIR")
	}
	release := strings.TrimPrefix(filepath.Base(image), "vmlinuz-")
	kernels := filepath.Join(p.dir, "vmlinuz-"+release)
	data, err := os.ReadFile(image)
	if err == nil {
		err = os.WriteFile(kernels, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	plan := []string{"boots", "plan", "same", "--kernels", kernels, "--boots", "3", "--max-time", "30s", "--store", "store"}
	if o := p.netab(t, plan...); o.status != 5 || !strings.Contains(o.stderr, "there is no initrd for it") {
		t.Errorf("without an initrd: %+v", o)
	}
	p.write(t, "initrd.img-"+release, "an initrd")
	if o := p.netab(t, append(plan, "--dry-run")...); o.status != 0 || !strings.Contains(o.stdout, "3 boots of this machine by kexec, in random order, each of which measures for 10s") || strings.Contains(o.stdout, "BOOT_IMAGE") {
		t.Errorf("dry run: %+v", o)
	}
	if _, err := os.Stat(p.store()); err == nil {
		t.Error("a dry run has made the store")
	}
	if o := p.netab(t, plan...); o.status != 0 || !strings.Contains(o.stdout, "nothing is armed: netab boots next --reboot begins") {
		t.Fatalf("%+v", o)
	}
	c := campaignIn(t, p.store())
	if h := c.Header; len(h.Planned) != 3 || h.Guest != nil || h.Host == nil || h.Kernels[0].Release != release || !strings.Contains(h.Kernels[0].Cmdline, "panic=") {
		t.Errorf("%+v", h)
	}
	if o := p.netab(t, "boots", "status"); o.status != 0 || !strings.Contains(o.stdout, "0 measured, 0 failed, 3 left") || !strings.Contains(o.stdout, "armed     nothing") {
		t.Errorf("status: %+v", o)
	}
	if o := p.netab(t, plan...); o.status != 5 || !strings.Contains(o.stderr, "is planned on this machine already") {
		t.Errorf("planned twice: %+v", o)
	}
	if o := p.netab(t, "run", "--resume", c.Header.ID, "--store", "store"); o.status != 2 || !strings.Contains(o.stderr, "netab boots plan --resume") {
		t.Errorf("taken up as guests: %+v", o)
	}
	if o := p.netab(t, "boots", "stop"); o.status != 0 || !strings.Contains(o.stdout, "nothing is armed any more") {
		t.Errorf("stop: %+v", o)
	}
	if o := p.netab(t, "results", "show", c.Header.ID, "--store", "store"); o.status != 0 || !strings.Contains(o.stdout, "netab boots plan --resume") {
		t.Errorf("show: %+v", o)
	}
	if o := p.netab(t, "boots", "plan", "--resume", c.Header.ID, "--store", "store", "--max-time", "9s"); o.status != 2 || !strings.Contains(o.stderr, "--max-time would change") {
		t.Errorf("taken up as another: %+v", o)
	}
	if o := p.netab(t, "boots", "plan", "--resume", c.Header.ID, "--store", "store", "--boots", "4"); o.status != 0 {
		t.Errorf("taken up: %+v", o)
	}
	if o := p.netab(t, "boots", "status"); o.status != 0 || !strings.Contains(o.stdout, "0 measured, 0 failed, 4 left") {
		t.Errorf("made longer: %+v", o)
	}
	if o := p.netab(t, "boots", "stop"); o.status != 0 {
		t.Errorf("stop: %+v", o)
	}
	if err := os.WriteFile(kernels, append(data, 0), 0o644); err != nil {
		t.Fatal(err)
	}
	if o := p.netab(t, "boots", "plan", "--resume", c.Header.ID, "--store", "store"); o.status != 5 || !strings.Contains(o.stderr, "is another than when campaign") {
		t.Errorf("another kernel: %+v", o)
	}
}

// A diskMachine is a guest that stands for a real machine: it has a disk, and boots
// netab at each start, as a unit of systemd's would.
type diskMachine struct {
	dir           string
	image, initrd string // what its firmware boots
	release       string
	extra         []string // of QEMU's command line
	grub          bool     // it boots from its disk, by GRUB
}

const diskSize = "400M"

// otherKernel names the environment variable of a folder that has a second kernel for
// such a machine, as guests.Folder has the first; without, it is the first.
const otherKernel = "NETAB_TEST_OTHER_KERNEL"

// newDiskMachine makes the disk: netab, the kernel, its initramfs, what root says of
// kernels, and what is planned first.
func newDiskMachine(t *testing.T, kernels string, plan ...string) *diskMachine {
	t.Helper()
	m := &diskMachine{dir: t.TempDir()}
	m.fill(t, kernels, plan)
	m.format(t)
	return m
}

func (m *diskMachine) root() string { return filepath.Join(m.dir, "root") }

// fill puts all that is to be on the disk in a directory.
func (m *diskMachine) fill(t *testing.T, kernels string, plan []string) {
	t.Helper()
	folder, _ := guests.Find(t)
	root := m.root()
	copies := map[string]string{"netab": os.Getenv(envBinary)}
	other := os.Getenv(otherKernel)
	for _, folder := range []string{cmp.Or(other, folder), folder} { // the last is the machine's own
		k, err := kernel.Find(t.Context(), folder, kernel.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m.image, m.release, m.initrd = k.Image, k.Release, m.makeInitrd(t, k)
		copies["boot/vmlinuz-"+k.Release], copies["boot/initrd.img-"+k.Release] = m.image, m.initrd
		copies["boot/config-"+k.Release] = strings.Replace(m.image, "vmlinuz-", "config-", 1)
		if folder == other {
			kernels = strings.ReplaceAll(kernels, "OTHER", k.Release)
		}
	}
	kernels = strings.ReplaceAll(kernels, "OTHER", "RELEASE")
	for to, from := range copies {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		m.put(t, root, to, data)
	}
	m.put(t, root, "scenario.yaml", []byte(budgetScenario))
	m.put(t, root, "etc/netab/kernels.yaml", []byte(strings.ReplaceAll(kernels, "RELEASE", m.release)))
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	m.put(t, root, "plan.json", text)
}

// format makes the disk of it.
func (m *diskMachine) format(t *testing.T) {
	t.Helper()
	args := []string{"-q", "-t", "ext4", "-d", m.root()}
	if m.grub { // it knows fewer features
		args = append(args, "-O", "^metadata_csum,^metadata_csum_seed,^orphan_file", "-E", fmt.Sprintf("offset=%d", partition))
	}
	if out, err := exec.Command(need.Program(t, "mke2fs"), append(args, m.disk(), diskSize)...).CombinedOutput(); err != nil {
		t.Fatalf("mke2fs: %v\n%s", err, out)
	}
}

// partition is where the only one begins of a disk that GRUB boots from.
const partition = 1 << 20

// newGRUBMachine is one that boots from its disk, by GRUB.
func newGRUBMachine(t *testing.T, kernels string, plan ...string) *diskMachine {
	t.Helper()
	mkimage := need.Program(t, "grub-mkimage")
	const modules = "/usr/lib/grub/i386-pc"
	bootSector, err := os.ReadFile(filepath.Join(modules, "boot.img"))
	if err != nil {
		need.Missing(t, "GRUB for PCs", "apt-get install grub-pc-bin")
	}
	m := &diskMachine{dir: t.TempDir(), grub: true}
	m.fill(t, kernels, plan)
	m.put(t, m.root(), "boot/grub/grub.cfg", []byte(strings.ReplaceAll(grubMenu, "RELEASE", m.release)))
	m.put(t, m.root(), "boot/grub/grubenv", append([]byte("# GRUB Environment Block\n"), bytes.Repeat([]byte("#"), 1024-25)...))
	m.format(t)
	core := filepath.Join(m.dir, "core.img")
	if out, err := exec.Command(mkimage, "-O", "i386-pc", "-d", modules, "-o", core, "-p", "(hd0,msdos1)/boot/grub",
		"biosdisk", "part_msdos", "ext2", "normal", "linux", "loadenv", "configfile", "test", "echo", "minicmd").CombinedOutput(); err != nil {
		t.Fatalf("grub-mkimage: %v\n%s", err, out)
	}
	code, err := os.ReadFile(core)
	if err != nil || len(code) > partition-512 {
		t.Fatal(len(code), err)
	}
	// What grub-bios-setup does: the boot sector looks for the rest behind itself.
	info, err := os.Stat(m.disk())
	if err != nil {
		t.Fatal(err)
	}
	entry := bootSector[446:]
	copy(entry, make([]byte, 64))
	entry[0], entry[4] = 0x80, 0x83 // active, Linux
	binary.LittleEndian.PutUint32(entry[8:], partition/512)
	binary.LittleEndian.PutUint32(entry[12:], uint32((info.Size()-partition)/512))
	f, err := os.OpenFile(m.disk(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, errBoot := f.WriteAt(bootSector[:512], 0)
	_, errCode := f.WriteAt(code, 512)
	if err := errors.Join(errBoot, errCode, f.Close()); err != nil {
		t.Fatal(err)
	}
	return m
}

// grubMenu has what update-grub makes of booting once, and three entries.
const grubMenu = `if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi
if [ x"${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi
export menuentry_id_option
set timeout=0
menuentry 'Linux' $menuentry_id_option 'gnulinux-simple' {
	linux	/boot/vmlinuz-RELEASE console=ttyS0 quiet tsc=reliable panic=1 own
	initrd	/boot/initrd.img-RELEASE
}
submenu 'Advanced' $menuentry_id_option 'gnulinux-advanced' {
	menuentry 'Linux, one' $menuentry_id_option 'one' {
		linux	/boot/vmlinuz-RELEASE console=ttyS0 quiet tsc=reliable panic=1 entry=one
		initrd	/boot/initrd.img-RELEASE
	}
	menuentry 'Linux, two' $menuentry_id_option 'two' {
		linux	/boot/vmlinuz-RELEASE console=ttyS0 quiet tsc=reliable panic=1 entry=two
		initrd	/boot/initrd.img-RELEASE
	}
}
`

func (m *diskMachine) disk() string { return filepath.Join(m.dir, "disk") }

func (m *diskMachine) put(t *testing.T, root, name string, data []byte) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

// makeInitrd makes an initramfs of test/diskinit and the modules that the disk takes.
func (m *diskMachine) makeInitrd(t *testing.T, k *kernel.Kernel) string {
	t.Helper()
	program := filepath.Join(m.dir, "diskinit")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./test/diskinit")
	build.Dir = sources.Root(t)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build diskinit: %v\n%s", err, out)
	}
	init, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := cpio.NewWriter(&b)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.Device("dev/console", 0o600, 5, 1))
	check(w.File("init", 0o755, int64(len(init)), bytes.NewReader(init)))
	modules, missing := k.Load("virtio_pci", "virtio_blk", "ext4")
	if len(missing) > 0 {
		t.Fatalf("%s has no %q", k.Release, missing)
	}
	for i, module := range modules {
		data, err := module.Read()
		check(err)
		check(w.File(fmt.Sprintf("modules/%03d-%s.ko", i, module.Name), 0o644, int64(len(data)), bytes.NewReader(data)))
	}
	check(w.Close())
	path := filepath.Join(m.dir, "initrd-"+k.Release)
	check(os.WriteFile(path, b.Bytes(), 0o644))
	return path
}

// A poweredOn is the machine while it runs.
type poweredOn struct {
	cmd     *exec.Cmd
	mu      sync.Mutex
	lines   []string
	fresh   chan struct{}
	printed chan struct{}
}

// powerOn starts it as its firmware does: with the kernel that it always boots.
func (m *diskMachine) powerOn(t *testing.T) *poweredOn {
	t.Helper()
	p := &poweredOn{fresh: make(chan struct{}, 1), printed: make(chan struct{})}
	args := []string{"-nodefaults", "-no-user-config", "-display", "none",
		"-machine", "q35,hpet=off", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "512",
		"-drive", "if=none,id=disk,format=raw,file=" + m.disk(), "-device", "virtio-blk-pci,drive=disk", "-serial", "stdio"}
	if !m.grub {
		args = append(args, "-kernel", m.image, "-initrd", m.initrd, "-append", "console=ttyS0 quiet tsc=reliable panic=1")
	}
	p.cmd = exec.Command(need.Program(t, "qemu-system-x86_64"), append(args, m.extra...)...)
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.cmd.Stderr = os.Stderr
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.cut)
	go p.read(out)
	return p
}

func (p *poweredOn) read(out io.Reader) {
	defer close(p.printed)
	for s := bufio.NewScanner(out); s.Scan(); {
		p.mu.Lock()
		p.lines = append(p.lines, strings.TrimRight(s.Text(), "\r"))
		p.mu.Unlock()
		select {
		case p.fresh <- struct{}{}:
		default:
		}
	}
}

func (p *poweredOn) console() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// cut is a power cut.
func (p *poweredOn) cut() {
	_ = p.cmd.Process.Kill()
	<-p.printed
	_ = p.cmd.Wait()
}

// await waits until the console says something.
func (p *poweredOn) await(t *testing.T, what string) {
	t.Helper()
	re := regexp.MustCompile(what)
	for late := time.After(3 * time.Minute); ; {
		if re.MatchString(p.console()) {
			return
		}
		select {
		case <-p.fresh:
		case <-p.printed:
			if !re.MatchString(p.console()) {
				t.Fatalf("the machine is off and has not said %q:\n%s", what, p.console())
			}
		case <-late:
			t.Fatalf("the machine has not said %q in time:\n%s", what, p.console())
		}
	}
}

// off waits until it has switched itself off.
func (p *poweredOn) off(t *testing.T) {
	t.Helper()
	select {
	case <-p.printed:
	case <-time.After(8 * time.Minute):
		t.Fatalf("the machine does not end:\n%s", p.console())
	}
	_ = p.cmd.Wait()
}

// store takes the run store off the disk.
func (m *diskMachine) store(t *testing.T) string {
	t.Helper()
	out := filepath.Join(m.dir, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	disk := m.disk()
	if m.grub {
		disk += fmt.Sprintf("?offset=%d", partition)
	}
	for _, what := range []string{"/store", "/var/lib/netab", "/boot/grub"} {
		if text, err := exec.Command(need.Program(t, "debugfs"), "-R", "rdump "+what+" "+out, disk).CombinedOutput(); err != nil {
			t.Fatalf("debugfs: %v\n%s", err, text)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "netab", "boots.json")); err == nil {
		t.Error("the campaign is over, and its state is still there")
	}
	return filepath.Join(out, "store")
}

// campaign reads the one campaign of a store.
func campaignIn(t *testing.T, store string) *results.Campaign {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(store, "*", results.CampaignFile))
	if len(found) != 1 {
		t.Fatalf("campaigns %q", found)
	}
	c, err := results.ReadCampaign(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ReadWarnings) > 0 {
		t.Errorf("%+v", c.ReadWarnings)
	}
	return c
}

// budgetScenario changes a setting of the whole machine at the edges of slices.
const budgetScenario = `name: budget
topology: loopback
traffic: {protocol: udp, message: 64}
arms:
  "300": {knobs: {sysctl: {net.core.netdev_budget: 300}}}
  "900": {knobs: {sysctl: {net.core.netdev_budget: 900}}}
baseline: "300"
measure: {slice: 100ms, settle: 25ms}
`

// TestReboots: four boots by kexec, of two kernels, and the power is cut three times: in
// a run, when the next boot is armed, and while it comes up. Nothing is lost, nothing is
// there twice, and no setting outlives its boot.
func TestReboots(t *testing.T) {
	long(t)
	m := newDiskMachine(t, "plain: {kernel: RELEASE}\nbare: {kernel: OTHER, append: mitigations=off}\n", planBudget("plain,bare", 2)...)
	said := ""
	cut := func(p *poweredOn) {
		p.cut()
		said += p.console() + "\n-- the power is cut\n"
	}
	p := m.powerOn(t)
	p.await(t, `boot 2 of 4: .*`)
	time.Sleep(2 * time.Second) // in its run
	cut(p)
	p = m.powerOn(t)
	p.await(t, `boot 3 of 4 is armed`)
	cut(p)
	p = m.powerOn(t)
	p.await(t, `boot 3 of 4 is armed`)
	time.Sleep(time.Second) // it comes up
	cut(p)
	p = m.powerOn(t)
	p.off(t)
	said += p.console()
	t.Log(said)
	if !strings.Contains(said, "diskinit: next: <nil>") {
		t.Error("the campaign was not ended well")
	}
	c := campaignIn(t, m.store(t))
	if c.Reason() != vocab.AllBooted || len(c.Header.Planned) != 4 {
		t.Errorf("%+v ended %q", c.Header.Planned, c.Reason())
	}
	boots := map[string]bool{}
	for _, o := range c.Outcomes() {
		if o.State != results.Whole {
			t.Errorf("boot %d is not whole: %+v", o.Number, o.Boot)
			continue
		}
		run := o.Boot.Run
		boots[run.Header.Machine.BootID] = true
		if got, want := strings.Contains(run.Header.Machine.KernelCmdline, "mitigations=off"), c.Header.Kernels[o.Kernel].Ref == "bare"; got != want {
			t.Errorf("boot %d of kernel %d ran with %q", o.Number, o.Kernel, run.Header.Machine.KernelCmdline)
		}
	}
	killed := 0
	for _, b := range c.Boots {
		if b.End == vocab.Killed && b.Number == 1 {
			killed++
		}
	}
	if len(boots) != 4 || len(c.Boots) != 4+killed {
		t.Errorf("%d boots of the machine, %d attempts, %d of them cut off: want 4 whole ones", len(boots), len(c.Boots), killed)
	}
	budgets := regexp.MustCompile(`budget \d+`).FindAllString(said, -1)
	if len(budgets) < 8 || slices.ContainsFunc(budgets, func(b string) bool { return b != "budget 300" }) {
		t.Errorf("a setting outlived its boot: %s", budgets)
	}
}

// TestRebootsPanic: a kernel that panics before anything can be asked of it is an outcome
// at once where the machine keeps its last words, else after three times; and the
// machine is left on a kernel that works.
func TestRebootsPanic(t *testing.T) {
	long(t)
	for name, keeps := range map[string]bool{"words are kept": true, "no word": false} {
		t.Run(name, func(t *testing.T) {
			m := newDiskMachine(t, "plain: {kernel: RELEASE}\nbad: {kernel: RELEASE, append: rdinit=/none init=/none root=/dev/none}\n", planBudget("plain,bad", 1)...)
			if keeps {
				m.extra = []string{"-object", "memory-backend-file,id=words,size=64K,share=on,mem-path=" + filepath.Join(m.dir, "words"), "-device", "acpi-erst,memdev=words"}
			}
			p := m.powerOn(t)
			p.off(t)
			t.Log(p.console())
			c := campaignIn(t, m.store(t))
			for _, o := range c.Outcomes() {
				bad := c.Header.Kernels[o.Kernel].Ref == "bad"
				switch {
				case !bad && o.State == results.Whole:
				case bad && keeps && o.Boot != nil && o.Boot.End == vocab.Panic && strings.Contains(o.Boot.Text, "panicked: ") && len(o.Boot.Console) > 0:
				case bad && !keeps && o.Boot != nil && o.Boot.End == vocab.Reset && strings.Contains(o.Boot.Text, "armed 3 times"):
				default:
					t.Errorf("boot %d: %v, %+v", o.Number, o.State, o.Boot)
				}
			}
			if c.Reason() != vocab.AllBooted {
				t.Errorf("it ended %q", c.Reason())
			}
		})
	}
}

// TestRebootsGRUB: a real GRUB boots each entry once, also when the power is cut behind
// its being armed, and afterwards what it always boots.
func TestRebootsGRUB(t *testing.T) {
	long(t)
	m := newGRUBMachine(t, "one: {kernel: RELEASE, grub: gnulinux-advanced>one}\ntwo: {kernel: RELEASE, grub: gnulinux-advanced>two}\n", append(planBudget("one,two", 2), "--by", "grub")...)
	p := m.powerOn(t)
	p.await(t, `boot 1 of 4 is armed`)
	time.Sleep(500 * time.Millisecond)
	p.cut()
	t.Log(p.console())
	p = m.powerOn(t)
	p.await(t, `boot 2 of 4: .*`)
	time.Sleep(2 * time.Second)
	p.cut()
	t.Log(p.console())
	p = m.powerOn(t)
	p.off(t)
	t.Log(p.console())
	store := m.store(t)
	c := campaignIn(t, store)
	for _, o := range c.Outcomes() {
		if o.State != results.Whole {
			t.Errorf("boot %d is not whole: %+v", o.Number, o.Boot)
		} else if got, want := o.Boot.Run.Header.Machine.KernelCmdline, "entry="+c.Header.Kernels[o.Kernel].Ref; !strings.Contains(got, want) {
			t.Errorf("boot %d ran with %q, want %s", o.Number, got, want)
		}
	}
	if env, err := os.ReadFile(filepath.Join(filepath.Dir(store), "grub", "grubenv")); err != nil || len(env) != 1024 || bytes.Contains(env, []byte("gnulinux")) {
		t.Errorf("%q, %v", env, err)
	}
	p = m.powerOn(t) // there is nothing to be done, and it is the machine's own
	p.off(t)
	if !strings.Contains(p.console(), " own") || !strings.Contains(p.console(), "nothing is planned") {
		t.Error(p.console())
	}
}

// planBudget is the command that plans boots, the first of which is of the first kernel.
func planBudget(kernels string, each int) []string {
	return []string{"boots", "plan", "/scenario.yaml", "--kernels", kernels, "--boots", strconv.Itoa(each), "--max-time", fmt.Sprintf("%ds", 12*each), "--seed", "5", "--store", "/store"}
}

// long skips what takes minutes.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv(envLong) == "" {
		t.Skipf("reboots are for make soak: %s=1", envLong)
	}
}
