package guest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/runner/guest/arch"
	"netab/test/need"
)

func TestParseVersion(t *testing.T) {
	for _, tt := range []struct {
		out, version string
		major, minor int
	}{
		{"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c) 2003-2022 Fabrice Bellard\n", "7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)", 7, 2},
		{"QEMU emulator version 10.0.2 (qemu-10.0.2-1.fc42)\n", "10.0.2 (qemu-10.0.2-1.fc42)", 10, 0},
		{"QEMU emulator version 9.1.50 (v9.1.0-1-gabc)", "9.1.50 (v9.1.0-1-gabc)", 9, 1},
		{"QEMU emulator version 99999999999999.1", "", 0, 0},
		{"qemu-img version 7.2.22", "", 0, 0},
		{"", "", 0, 0},
	} {
		version, major, minor, ok := parseVersion(tt.out)
		if version != tt.version || major != tt.major || minor != tt.minor || ok != (tt.version != "") {
			t.Errorf("%q: %q %d.%d %v", tt.out, version, major, minor, ok)
		}
	}
}

// TestFindQEMU: what is wrong with it is one line, which says what to do.
func TestFindQEMU(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("PATH", dir+"/none:/bin:/usr/bin")
	for _, tt := range []struct{ name, program, want string }{
		{"missing", filepath.Join(dir, "no"), "no such file or directory"},
		{"too old", write("old", "echo QEMU emulator version 6.2.0"), "is QEMU 6.2.0, and guests want 7.2 or newer: install it"},
		{"another program", write("other", "echo hello"), `does not say which QEMU it is, but "hello\n": install it`},
		{"broken", write("broken", "echo cannot open shared object file >&2; exit 127"), "broken --version: cannot open shared object file"},
		{"without seccomp", write("plain", `case $1 in -sandbox) exit 1;; -machine) echo "q35     Standard PC";; -cpu) printf "Recognized CPUID flags:\\n  erms fsrm\\n";; *) echo QEMU emulator version 7.2.0;; esac`), ""},
		{"of other machines", write("arm", `case $1 in --version) echo QEMU emulator version 7.2.0;; *) echo "virt    ARM Virtual Machine";; esac`), "is a QEMU for other machines than x86_64, which are its q35: install it"},
	} {
		q, err := FindQEMU(t.Context(), tt.program, arch.X86)
		if tt.want == "" {
			if err != nil || q.sandbox || q.Version != "7.2.0" || !q.Knows("fsrm") || q.Knows("fsrs") {
				t.Errorf("%s: %+v, %v", tt.name, q, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	t.Setenv("PATH", dir)
	if _, err := FindQEMU(t.Context(), "", arch.X86); err == nil || !strings.Contains(err.Error(), "there is no qemu-system-x86_64 in $PATH: install it (Debian, Ubuntu: apt-get install qemu-system-x86;") {
		t.Errorf("not in $PATH: %v", err)
	}
}

// TestFirmware: the program that tries KVM is one that runs; under TCG everywhere.
func TestFirmware(t *testing.T) {
	need.Program(t, "qemu-system-x86_64")
	q, err := FindQEMU(t.Context(), "", arch.X86)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := q.try(t.Context(), TCG, "max", arch.X86); err != nil {
		t.Error(err)
	}
	t.Logf("%s, which confines itself: %v; %v", q.Version, q.sandbox, time.Since(began))
	if err := q.try(t.Context(), "none", "max", arch.X86); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("an accelerator that there is not: %v", err)
	}
}
