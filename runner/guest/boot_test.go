package guest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/guest"
	"netab/runner/guest/inside"
	"netab/test/guests"
	"netab/test/need"
)

// long leaves out what takes more than make test has time for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("NETAB_TEST_LONG") == "" {
		t.Skip("boots are for make soak: NETAB_TEST_LONG=1")
	}
}

// A run is one boot and what came of it.
type run struct {
	guest.Outcome
	lines []string
	said  string
	err   error
}

func boot(t *testing.T, ctx context.Context, m guest.Machine, job guest.Job) run {
	t.Helper()
	var r run
	var said bytes.Buffer
	r.Outcome, r.err = m.Run(ctx, guests.Kernel(t), job, func(line []byte) error { r.lines = append(r.lines, string(line)); return nil }, &said)
	r.said = said.String()
	t.Logf("%s: %s (up after %v, over after %v, %d lines)", r.End, r.Text, r.Up.Round(time.Millisecond), r.Took.Round(time.Millisecond), len(r.lines))
	if r.Hello != nil {
		t.Logf("%+v", *r.Hello)
	}
	keepConsole(t, r.Console)
	if pids := ours(t); len(pids) > 0 {
		t.Errorf("QEMU is left: %v", pids)
	}
	if r.err == nil && (strings.Contains(r.Text, "\n") || r.Text == "") {
		t.Errorf("no line: %q", r.Text)
	}
	return r
}

// keepConsole keeps what a guest printed, where somebody wants it for testdata.
func keepConsole(t *testing.T, lines []string) {
	t.Helper()
	dir := os.Getenv("NETAB_TEST_CONSOLES")
	if dir == "" {
		return
	}
	name := strings.ReplaceAll(strings.TrimPrefix(t.Name(), "Test"), "/", "-") + ".txt"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Error(err)
	}
}

// ours are the QEMUs that this process has started.
func ours(t *testing.T) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(files) == 0 {
		need.Missing(t, "CONFIG_PROC_CHILDREN", "boot a kernel that has it")
	}
	for _, f := range files {
		text, _ := os.ReadFile(f) // the thread may be gone
		for word := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil && !ended(pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// ended says whether a process is gone, waited for or not.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func job(name string) guest.Job {
	return guest.Job{Args: []string{jobWord, name}, Env: []string{"WORD=a word"}, Files: []guest.File{{Name: "a/file.txt", Data: []byte("text")}}, Deadline: time.Minute}
}

// found is what the job "report" sees.
const found = `in /tmp with "text", WORD=a word, lo 0x9`

// TestPanic: what was written until then arrives, line by line; that the kernel
// panicked is told, though QEMU ends with 0.
func TestPanic(t *testing.T) {
	j := job("crash")
	j.Stream = "/tmp/store/*/run.jsonl"
	r := boot(t, t.Context(), guest.Machine{}, j)
	if r.err != nil || r.End != guest.Panic || !strings.Contains(r.Text, "sysrq triggered crash") {
		t.Errorf("%s %s, %v", r.End, r.Text, r.err)
	}
	if len(r.lines) != 3 || !strings.HasPrefix(r.lines[2], `{"line":2,`) || len(r.lines[2]) < 50_000 {
		t.Errorf("%d lines", len(r.lines))
	}
	if !strings.Contains(r.said, found+"\n") || !strings.Contains(r.said, "said for people\n") {
		t.Errorf("said %q", r.said)
	}
	if len(r.Console) == 0 || !slices.ContainsFunc(r.Console, func(l string) bool { return strings.Contains(l, "Kernel panic") }) {
		t.Errorf("console:\n%s", strings.Join(r.Console, "\n"))
	}
	t.Logf("console:\n%s", strings.Join(r.Console, "\n"))
}

// TestReport: standard output is the stream where no file is, over either port, and
// who is left behind by the job holds nobody up.
func TestReport(t *testing.T) {
	long(t)
	for _, port := range []inside.Port{inside.Virtio, inside.UART} {
		t.Run(string(port), func(t *testing.T) {
			r := boot(t, t.Context(), guest.Machine{Port: port, CPUs: 1}, job("report"))
			if r.err != nil || r.End != guest.Finished || r.Status != 3 {
				t.Fatalf("%s %s %d, %v\n%s", r.End, r.Text, r.Status, r.err, strings.Join(r.Console, "\n"))
			}
			if !slices.Equal(r.lines, []string{found, "no newline"}) || r.said != "said for people\n" {
				t.Errorf("%q, said %q", r.lines, r.said)
			}
			if h := r.Hello; h == nil || h.CPUs != 1 || len(h.BootID) != 36 || h.Uptime <= 0 || !strings.Contains(guests.Kernel(t).Release, h.Release) {
				t.Errorf("hello %+v", h)
			}
		})
	}
}

// TestEnds: every end is told from the others, and no QEMU is left after any.
func TestEnds(t *testing.T) {
	long(t)
	for _, tt := range []struct {
		name    string
		machine guest.Machine
		job     guest.Job
		end     guest.End
		text    string
	}{
		{"init", guest.Machine{}, job("init"), guest.InitDied, "Attempted to kill init!"},
		{"reset", guest.Machine{}, job("reset"), guest.Reset, "it ended without a word while the job ran"},
		{"late", guest.Machine{}, with(job("late"), time.Second), guest.Late, "did not end in its time"},
		{"ended in time", guest.Machine{}, with(job("ends"), time.Second), guest.Late, "did not end in its time"},
		{"no memory for the job", guest.Machine{}, job("memory"), guest.NoMemory, "Out of memory"},
		{"no memory for the initramfs", guest.Machine{MemoryMiB: 64}, job("report"), guest.NoMemory, "64 MiB are not enough"},
		{"hang", guest.Machine{CPUs: 1}, with(job("hang"), time.Second), guest.Hang, "it hangs"},
		{"not up", guest.Machine{BootWithin: 500 * time.Millisecond}, job("report"), guest.Hang, "it was not up in time"},
		{"no device", guest.Machine{Extra: []string{"-device", "none"}}, job("report"), guest.QEMUFailed, "none"},
		{"no port", guest.Machine{Port: inside.Virtio, Kernel: []string{"module_blacklist=virtio_console", "initcall_blacklist=virtio_console_init"}}, job("report"), guest.NoPort, "no virtio-serial port"},
		{"no init", guest.Machine{Kernel: []string{"rdinit=/none"}}, job("report"), guest.NoInitramfs, "Unable to mount root fs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := boot(t, t.Context(), tt.machine, tt.job)
			if r.err != nil || r.End != tt.end || !strings.Contains(r.Text, tt.text) {
				t.Errorf("%s %s, %v; want %s %s\n%s", r.End, r.Text, r.err, tt.end, tt.text, strings.Join(r.Console, "\n"))
			}
		})
	}
}

func with(j guest.Job, deadline time.Duration) guest.Job {
	j.Deadline = deadline
	return j
}

// TestOops: a fault in the kernel is told from a panic. The fault is made by QEMU's
// debugger: it has the idle kernel go on at address 0.
func TestOops(t *testing.T) {
	long(t)
	socket := filepath.Join(t.TempDir(), "gdb")
	m := guest.Machine{CPUs: 1, Extra: []string{"-gdb", "unix:" + socket + ",server=on,wait=off"}}
	k, began := guests.Kernel(t), false
	o, err := m.Run(t.Context(), k, job("report-and-sleep"), func(line []byte) error {
		if began || string(line) != found {
			return nil
		}
		began = true
		time.Sleep(time.Second)
		conn, err := dial(socket)
		if err != nil {
			return err
		}
		defer conn.Close()
		registers, err := debug(conn, "g")
		if err != nil || len(registers) < 400 {
			return fmt.Errorf("registers %q: %w", registers, err)
		}
		const rip = 16 * 16 // of 16 registers of 8 bytes before it, in hexadecimal
		if _, err := debug(conn, "G"+registers[:rip]+strings.Repeat("0", 16)+registers[rip+16:]); err != nil {
			return err
		}
		if _, err := io.WriteString(conn, packet("c")); err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, conn) // QEMU stops the guest when the debugger leaves
		return nil
	}, nil)
	keepConsole(t, o.Console)
	if err != nil || o.End != guest.Oops || !strings.Contains(o.Text, "NULL pointer dereference") {
		t.Errorf("%s %s, %v\n%s", o.End, o.Text, err, strings.Join(o.Console, "\n"))
	}
}

// dial connects to a socket of this machine. Package net would make this test one that
// cannot be booted, where there is a C compiler.
func dial(path string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, f.SetDeadline(time.Now().Add(30 * time.Second))
}

// packet is a command as gdb sends it.
func packet(command string) string {
	sum := byte(0)
	for _, b := range []byte(command) {
		sum += b
	}
	return fmt.Sprintf("$%s#%02x", command, sum)
}

// debug gives QEMU's debugger a command, and returns the answer.
func debug(conn io.ReadWriter, command string) (string, error) {
	if _, err := io.WriteString(conn, packet(command)); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	for {
		answer, err := r.ReadString('#')
		if err == nil {
			_, err = io.ReadFull(r, make([]byte, 2))
		}
		if err == nil {
			_, err = io.WriteString(conn, "+")
		}
		_, answer, _ = strings.Cut(strings.TrimSuffix(answer, "#"), "$")
		if err != nil || !strings.HasPrefix(answer, "T") { // that the guest has stopped
			return answer, err
		}
	}
}

// TestInterrupt: a guest is over at once when its run is.
func TestInterrupt(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	began := time.Now()
	if r := boot(t, ctx, guest.Machine{}, job("sleep")); r.err != nil || r.End != guest.Interrupted {
		t.Errorf("%s %s, %v", r.End, r.Text, r.err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("after %v", took)
	}
}

// TestLineFails: who keeps the lines and cannot ends the guest.
func TestLineFails(t *testing.T) {
	long(t)
	full := errors.New("no space left on device")
	n := 0
	_, err := guest.Machine{}.Run(t.Context(), guests.Kernel(t), job("report"), func([]byte) error { n++; return full }, nil)
	if !errors.Is(err, full) || n != 1 || len(ours(t)) > 0 {
		t.Errorf("%v after %d lines; left %v", err, n, ours(t))
	}
}

// TestNothingBoots: what is wrong with a boot before it begins.
func TestNothingBoots(t *testing.T) {
	k := guests.Kernel(t)
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		run  func() error
		want string
	}{
		{"another architecture", func() error {
			return try(t, guest.Machine{}, of(k, func(k *guest.Kernel) { k.Arch = "aarch64" }), job("report"))
		}, "is a kernel for aarch64, and guests are x86_64"},
		{"no module", func() error {
			return try(t, guest.Machine{}, of(k, func(k *guest.Kernel) {
				k.Modules = func(names ...string) ([]guest.Module, []string) { return nil, names }
			}), guest.Job{Modules: []string{"veth"}})
		}, "has no veth, neither as a module nor built in"},
		{"no port", func() error {
			return try(t, guest.Machine{Port: inside.Virtio}, of(k, func(k *guest.Kernel) {
				k.Modules = func(names ...string) ([]guest.Module, []string) { return nil, names[1:] }
			}), job("report"))
		}, "has no virtio_console"},
		{"no QEMU", func() error { return try(t, guest.Machine{QEMU: dir + "/qemu"}, k, job("report")) }, "guests run in QEMU, and "},
		{"a file elsewhere", func() error {
			return try(t, guest.Machine{}, k, guest.Job{Files: []guest.File{{Name: "/etc/passwd"}}})
		}, "want a name below"},
		{"no memory", func() error { return try(t, guest.Machine{MemoryMiB: -1}, k, job("report")) }, "want at least one of each"},
		{"an unknown accelerator", func() error { return try(t, guest.Machine{Accel: "xen"}, k, job("report")) }, "want kvm or tcg"},
		{"a program with libraries", func() error { return try(t, guest.Machine{Program: "/bin/sh"}, k, job("report")) }, "it is linked dynamically"},
	} {
		if err := tt.run(); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func of(k guest.Kernel, change func(*guest.Kernel)) guest.Kernel {
	change(&k)
	return k
}

func try(t *testing.T, m guest.Machine, k guest.Kernel, j guest.Job) error {
	_, err := m.Run(t.Context(), k, j, func([]byte) error { return nil }, nil)
	return err
}

// TestFastest: KVM or TCG, it ends in time, and where it is TCG it says why.
func TestFastest(t *testing.T) {
	long(t)
	began := time.Now()
	accel, why, err := guest.Machine{}.Fastest(t.Context(), guests.Kernel(t))
	t.Logf("%s %s, %v", accel, why, time.Since(began))
	if err != nil || accel != guest.KVM && accel != guest.TCG || (accel == guest.TCG) != (why != "") || time.Since(began) > time.Minute {
		t.Errorf("%q %q, %v", accel, why, err)
	}
}

// TestKilled: a guest does not outlive who started it, whatever ended that.
func TestKilled(t *testing.T) {
	long(t)
	if os.Getenv("NETAB_TEST_PARENT") != "" {
		go func() {
			for len(ours(t)) == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			fmt.Println("guests", ours(t))
		}()
		_, err := guest.Machine{}.Run(t.Context(), guests.Kernel(t), job("sleep"), func([]byte) error { return nil }, nil)
		t.Fatal(err)
	}
	parent := exec.Command("/proc/self/exe", "-test.run=^TestKilled$")
	parent.Env = append(os.Environ(), "NETAB_TEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer parent.Process.Kill()
	var pid int
	for s := bufio.NewScanner(out); pid == 0 && s.Scan(); {
		_, _ = fmt.Sscanf(s.Text(), "guests [%d", &pid)
	}
	if pid == 0 || ended(pid) {
		t.Fatalf("no guest: %d", pid)
	}
	time.Sleep(2 * time.Second) // in the middle of its boot
	parent.Process.Kill()
	_ = parent.Wait()
	for range 300 {
		if ended(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("QEMU %d lives on", pid)
}
