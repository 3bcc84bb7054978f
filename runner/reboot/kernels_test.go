package reboot

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/results"
)

// TestConfig: faults have their place, in one line.
func TestConfig(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"a: {kernel: 6.1.0-57-amd64}\nb: {kernel: /k, initrd: none, cmdline: x}\nc: {kernel: 6.1, grub: 'x>y'}", ""},
		{"a: {}", "f:1:1: a: kernel: is missing"},
		{"a: {kernel: x}\nb: {kernel: x, append: y, cmdline: z}", "f:2:1: b: append: adds"},
		{"a: {kernel: x, grub: y, append: z}", "f:1:1: a: grub: names"},
		{"a: {kernel: ./bzImage}", "want an absolute path"},
		{"a: {kernel: /k, initrd: x/y}", "initrd: x/y: want an absolute path"},
		{"a b: {kernel: x}", "a name has no blank"},
		{"a: {kernal: x}", `f:1:5: unknown field "kernal"`},
		{"a: x", "f:1:4: "},
		{"- a", "f:1:"},
		{"a: [", "f:"},
		{"a: &x !y", "f:"},
	} {
		_, err := parseConfig("f", []byte(tt.text))
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("%q: more than a line: %q", tt.text, err)
		}
	}
}

// TestConfigIsRoots: what others can write names no kernels.
func TestConfigIsRoots(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kernels.yaml")
	if named, err := ReadConfig(file); named != nil || err != nil {
		t.Errorf("no file: %v, %v", named, err)
	}
	if err := os.WriteFile(file, []byte("a: {kernel: x}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if named, err := ReadConfig(file); err != nil || named["a"].Kernel != "x" {
		t.Errorf("%v, %v", named, err)
	}
	refused := func(what string) {
		t.Helper()
		if _, err := ReadConfig(file); err == nil || !strings.Contains(err.Error(), "write to") && !strings.Contains(err.Error(), "belongs to") {
			t.Errorf("%s: %v", what, err)
		}
	}
	chmod := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(file, 0o666)
	refused("everybody can write to it")
	chmod(file, 0o644)
	chmod(dir, 0o777)
	refused("everybody can put another in its place")
	chmod(dir, 0o755)
	if os.Getuid() == 0 {
		if err := os.Chown(file, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		refused("it is another user's")
	}
}

// TestState: what is no state of ours boots nothing.
func TestState(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"{": "is damaged", `{"schema":"netab/boots/9"}`: "another version", `{"schema":"netab/boots/1","campaign":"x"}`: "none that netab has written",
	} {
		if err := os.WriteFile(filepath.Join(dir, StateFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := Save(dir, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	if err := Save(dir, nil); err != nil {
		t.Error("forgotten twice:", err)
	}
}

func TestCmdline(t *testing.T) {
	if got := Reused("BOOT_IMAGE=/vmlinuz root=/dev/sda1 initrd=\\x ro  quiet -- x"); got != "root=/dev/sda1 ro quiet -- x" {
		t.Errorf("%q", got)
	}
	for in, want := range map[string]string{"": "panic=10", "ro": "ro panic=10", "panic=0 ro": "panic=0 ro", "ro -- panic=1": "ro panic=10 -- panic=1"} {
		if got := withPanic(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := appended("ro -- x", "a  b"); got != "ro a b -- x" {
		t.Errorf("%q", got)
	}
}

// TestUpIs: a kernel is told from another build of its release, and from itself with
// another command line.
func TestUpIs(t *testing.T) {
	k := Kernel{Release: "6.1", Build: "6.1 (gcc) #1 SMP Debian 6.1.1-1 (2026-09-01)", Cmdline: "ro  quiet"}
	for _, tt := range []struct {
		up   Up
		by   Way
		want bool
		text string
	}{
		{Up{Release: "6.1", Version: "#1 SMP Debian 6.1.1-1 (2026-09-01)", Cmdline: "ro quiet"}, ByKexec, true, ""},
		{Up{Release: "6.1", Version: "#1 SMP Debian 6.1.1-1 (2026-09-01)", Cmdline: "BOOT_IMAGE=x ro quiet"}, ByGRUB, true, ""},
		{Up{Release: "6.1", Version: "#1 SMP Debian 6.1.1-1 (2026-09-01)", Cmdline: "BOOT_IMAGE=x ro"}, ByGRUB, false, "6.1 with another command line (without quiet)"},
		{Up{Release: "6.1", Version: "#1 SMP Debian 6.1.1-1 (2026-09-01)", Cmdline: "ro"}, ByKexec, false, "6.1 with another command line (without quiet)"},
		{Up{Release: "6.1", Version: "#1 SMP Debian 6.1.1-1 (2026-09-01)", Cmdline: "ro quiet mitigations=off"}, ByKexec, false, "6.1 with another command line (with mitigations=off)"},
		{Up{Release: "6.1", Version: "#2 SMP", Cmdline: "ro quiet"}, ByKexec, false, "another build of 6.1 (#2 SMP)"},
		{Up{Release: "6.12", Version: "#1 SMP Debian 6.1.1-1 (2026-09-01)", Cmdline: "ro quiet"}, ByGRUB, false, "6.12"},
	} {
		if got := tt.up.Is(k, tt.by); got != tt.want || !got && tt.up.text(k) != tt.text {
			t.Errorf("%+v by %s: %v, %q", tt.up, tt.by, got, tt.up.text(k))
		}
	}
}

// TestPanicked: last words are those of a panic since then, in their order.
func TestPanicked(t *testing.T) {
	root, since := t.TempDir(), time.Now()
	put := func(name, text string, at time.Time) {
		t.Helper()
		path := filepath.Join(root, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644), os.Chtimes(path, at, at))
		if err != nil {
			t.Fatal(err)
		}
	}
	put("sys/fs/pstore/dmesg-erst-1", "Panic#1 Part1\nold\n", since.Add(-time.Hour))
	put("sys/fs/pstore/dmesg-erst-2", "Oops#1 Part1\nno panic\n", since.Add(time.Minute))
	if got := Panicked(root, since); got != nil {
		t.Errorf("%q", got)
	}
	put("var/lib/systemd/pstore/7/dmesg-erst-3", "Panic#2 Part1\nKernel panic - not syncing: x\nend\n", since.Add(time.Minute))
	put("var/lib/systemd/pstore/7/dmesg-erst-4", "Panic#2 Part2\nbefore\n", since.Add(time.Minute))
	got := Panicked(root, since)
	if strings.Join(got, "|") != "before|Kernel panic - not syncing: x|end" || panicText(got) != "the kernel panicked: x" {
		t.Errorf("%q", got)
	}
}

// TestExplainKexec: what cannot be loaded is one line that says what to do.
func TestExplainKexec(t *testing.T) {
	disabled := results.Root(t.TempDir())
	path := string(disabled) + "/proc/sys/kernel/kexec_load_disabled"
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("1\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		err   error
		files results.Root
		want  string
	}{
		{unix.EPERM, disabled, "kexec_load_disabled is 1"}, {unix.EPERM, "/none", "locked down"}, {unix.ENOSYS, "/none", "CONFIG_KEXEC_FILE"},
		{unix.ENOEXEC, "/none", "bzImage"}, {unix.EKEYREJECTED, "/none", "signature"},
	} {
		if err := explainKexec(tt.err, tt.files); !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v", err)
		}
	}
}

// TestSummed: a file that was changed since is not booted.
func TestSummed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bzImage")
	if err := os.WriteFile(file, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	sum, err := Sum(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := openSummed(file, sum)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := os.WriteFile(file, []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openSummed(file, sum); err == nil || !strings.Contains(err.Error(), "no longer what it was") {
		t.Errorf("%v", err)
	}
}
