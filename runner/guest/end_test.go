package guest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"netab/runner/guest/inside"
)

// consoleOf is what a guest has printed that ended so; NETAB_TEST_CONSOLES keeps it.
func consoleOf(t *testing.T, name string) []string {
	t.Helper()
	if name == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join("testdata", "console", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// TestJudge: each end by what is seen from outside, of consoles that guests printed.
func TestJudge(t *testing.T) {
	up := &inside.Hello{Protocol: 1}
	ended := func(status int) *inside.Exit { return &inside.Exit{Status: status} }
	killed := &inside.Exit{Signal: int(syscall.SIGKILL)}
	term := qemuState{signal: syscall.SIGTERM}
	kill := qemuState{signal: syscall.SIGKILL}
	for _, tt := range []struct {
		name    string
		console string
		sight   sight
		end     End
		text    string
	}{
		{"finished", "fine-6.1", sight{hello: up, exit: ended(0)}, Finished, "the job ended with status 0"},
		{"a job that failed", "fine-6.1", sight{hello: up, exit: ended(3)}, Finished, "the job ended with status 3"},
		{"a job that was killed", "fine-6.1", sight{hello: up, exit: killed}, Finished, "the job was ended by a signal (killed)"},
		{"finished, and QEMU hung then", "fine-6.1", sight{hello: up, exit: ended(0), qemu: kill}, Finished, "the job ended with status 0"},
		{"finished, and interrupted then", "fine-6.1", sight{hello: up, exit: ended(0), interrupted: true, qemu: kill}, Finished, "the job ended with status 0"},
		{"a panic after the end", "panic-6.1", sight{hello: up, exit: ended(0)}, Finished, "the job ended with status 0"},
		{"late", "fine-6.1", sight{hello: up, exit: &inside.Exit{Signal: 15, Late: true}}, Late, "the job did not end in its time"},
		{"no job", "fine-6.1", sight{hello: up, exit: &inside.Exit{Fault: "start the job: exec\x1b format error"}}, NoJob, "no job could be started: start the job: exec format error"},

		{"panic", "panic-6.1", sight{hello: up}, Panic, "the kernel panicked (Kernel panic - not syncing: sysrq triggered crash)"},
		{"panic of 6.12", "panic-6.12", sight{hello: up}, Panic, "the kernel panicked (Kernel panic - not syncing: sysrq triggered crash)"},
		{"a panic that hangs", "panic-6.1", sight{hello: up, late: true, qemu: kill}, Panic, "the kernel panicked (Kernel panic - not syncing: sysrq triggered crash)"},
		{"oops", "oops-6.1", sight{hello: up}, Oops, "a fault in the kernel (BUG: kernel NULL pointer dereference, address: 0000000000000000)"},
		{"oops of 6.12", "oops-6.12", sight{hello: up}, Oops, "a fault in the kernel (BUG: kernel NULL pointer dereference, address: 0000000000000000)"},
		{"init died", "init-6.1", sight{hello: up}, InitDied, "its process 1 died, which is netab's own (Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000200)"},
		{"init of 6.12 died", "init-6.12", sight{hello: up}, InitDied, "its process 1 died, which is netab's own (Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000200)"},

		{"no memory for the initramfs", "nomemory-6.1", sight{memory: 96, unpacks: 83}, NoMemory, "it ran out of memory (Kernel panic - not syncing: System is deadlocked on memory): give it more than 96 MiB"},
		{"no memory for the job", "oom-6.1", sight{hello: up, memory: 128, unpacks: 83, exit: killed}, NoMemory, "it ran out of memory (Out of memory: Killed process "},
		{"no memory for the job on 6.12", "oom-6.12", sight{hello: up, memory: 128, unpacks: 83, exit: killed}, NoMemory, "it ran out of memory (Out of memory: Killed process "},
		{"out of memory, and yet it ended well", "oom-6.1", sight{hello: up, exit: ended(0)}, Finished, "the job ended with status 0"},
		{"no memory for the kernel", "", sight{memory: 64, unpacks: 83}, NoMemory, "64 MiB are not enough: it takes 83 to unpack it beside its initramfs"},
		{"an initramfs that was written over", "noinit-6.1", sight{memory: 80, unpacks: 83, late: true, qemu: kill}, NoMemory, "80 MiB are not enough: it takes 83 to unpack it beside its initramfs"},

		{"no initramfs", "noinit-6.1", sight{memory: 128}, NoInitramfs, "it cannot run what it is given as its first file system: a kernel for guests needs BLK_DEV_INITRD and BINFMT_ELF (Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0))"},
		{"no initramfs on 6.12", "noinit-6.12", sight{memory: 128}, NoInitramfs, "it cannot run what it is given as its first file system: a kernel for guests needs BLK_DEV_INITRD and BINFMT_ELF (Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0))"},
		{"no port", "noport-6.1", sight{memory: 128}, NoPort, "it is up and cannot talk to the host: a driver is missing (VIRTIO_PCI, VIRTIO_CONSOLE) (no port to the host: no virtio-serial port named netab; of virtio there is: virtio0; module 005-virtio_console: operation not permitted)"},

		{"hang", "fine-6.1", sight{hello: up, late: true, qemu: kill}, Hang, "it hangs: the job had its time, and neither it nor the guest ended"},
		{"not up", "fine-6.1", sight{late: true, qemu: kill, memory: 128}, Hang, "it was not up in time: reboot: Restarting system"},
		{"silent", "", sight{late: true, qemu: kill, memory: 128}, Hang, "it was not up in time, and its console is empty: has it a serial console (SERIAL_8250_CONSOLE), are 128 MiB enough?"},
		{"reset before it was up", "", sight{memory: 128}, Reset, "it ended before it was up, without a word, and its console is empty: has it a serial console (SERIAL_8250_CONSOLE), are 128 MiB enough?"},
		{"reset", "fine-6.1", sight{hello: up}, Reset, "it ended without a word while the job ran: something reset it or powered it off"},
		{"garbled", "fine-6.1", sight{hello: up, garbled: "garbled: a message of type \"x\"", qemu: kill}, Garbled, "garbled: a message of type \"x\""},
		{"interrupted", "fine-6.1", sight{hello: up, interrupted: true, qemu: kill}, Interrupted, "interrupted"},
		{"interrupted in a panic", "panic-6.1", sight{hello: up, interrupted: true, qemu: kill}, Interrupted, "interrupted"},

		{"QEMU does not start", "", sight{qemu: qemuState{status: 1}, qemuSaid: "qemu-system-x86_64: -device none: 'none' is not a valid device model name", memory: 64, unpacks: 83}, QEMUFailed, "QEMU ended with status 1: qemu-system-x86_64: -device none: 'none' is not a valid device model name"},
		{"QEMU crashes", "fine-6.1", sight{hello: up, qemu: qemuState{signal: syscall.SIGSEGV}}, QEMUFailed, "QEMU was ended by a signal (segmentation fault)"},
		{"QEMU is ended by another", "fine-6.1", sight{hello: up, qemu: term, qemuSaid: "qemu-system-x86_64: terminating on signal 15 from pid 1"}, QEMUFailed, "QEMU was ended by a signal (terminated): qemu-system-x86_64: terminating on signal 15 from pid 1"},
		{"no kernel", "", sight{qemu: qemuState{status: 1}, qemuSaid: "qemu: linux kernel too old to load a ram disk"}, WrongImage, "QEMU cannot boot it: qemu: linux kernel too old to load a ram disk"},
		{"a vmlinux without PVH", "", sight{qemu: qemuState{status: 1}, qemuSaid: "qemu-system-x86_64: Error loading uncompressed kernel without PVH ELF Note"}, WrongImage, "QEMU cannot boot it: qemu-system-x86_64: Error loading uncompressed kernel without PVH ELF Note"},
	} {
		tt.sight.kernel, tt.sight.console = "K", consoleOf(t, tt.console)
		end, text := tt.sight.judge()
		if end != tt.end || text != "guest with kernel K: "+tt.text && (!strings.HasSuffix(tt.text, " ") || !strings.HasPrefix(text, "guest with kernel K: "+tt.text)) {
			t.Errorf("%s: %s %s\nwant %s %s", tt.name, end, text, tt.end, tt.text)
		}
		if strings.ContainsAny(text, "\n\x1b") {
			t.Errorf("%s: no line: %q", tt.name, text)
		}
	}
}

// TestSignsDiffer: no console is a sign of nothing, and each of those that are kept is
// one of the end that it is kept for.
func TestSignsDiffer(t *testing.T) {
	files, err := filepath.Glob("testdata/console/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".txt")
		s := sight{console: consoleOf(t, name)}
		found := s.sign()
		if strings.HasPrefix(name, "fine") != (found == nil) {
			t.Errorf("%s: %+v", name, found)
		}
		slices.Reverse(s.console)
		if again := s.sign(); found != nil && again.end != found.end {
			t.Errorf("%s: %s, and from its end %s", name, found.end, again.end)
		}
	}
}
