package counting

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/guest/arch"
	"netab/scenarios"
)

// TestBuiltins: each is counted in guests of one CPU or of two, or a line says why not, and
// those are that say something of a path.
func TestBuiltins(t *testing.T) {
	counted := map[string]int{}
	for _, b := range scenarios.Builtins() {
		var why []string
		for _, cpus := range []int{1, 2} {
			q, err := Load(b.Name, nil, cpus)
			if err == nil {
				err = Refused(q, "", cpus)
			}
			if err == nil {
				counted[b.Name] = cpus
				break
			}
			why = append(why, err.Error())
		}
		if counted[b.Name] > 0 {
			continue
		}
		t.Logf("%s: %s", b.Name, why[1])
		if text := why[1]; text == "" || strings.Contains(text, "\n") || !strings.Contains(text, "cannot be counted") && !strings.Contains(text, "CPU") {
			t.Errorf("%s: %q", b.Name, text)
		}
	}
	for name, cpus := range map[string]int{"udp-rr": 1, "udp-gso": 1, "same": 1, "tcp-rr": 2, "loopback-rps": 2, "placement": 2} {
		if counted[name] != cpus {
			t.Errorf("%s is counted with %d CPUs, want %d", name, counted[name], cpus)
		}
	}
}

// TestChoose: what takes two CPUs says so where there is no QEMU for them.
func TestChoose(t *testing.T) {
	old := filepath.Join(t.TempDir(), "qemu")
	if err := os.WriteFile(old, []byte("#!/bin/sh\necho QEMU emulator version 7.2.22\necho 'q35 '\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, cpus, qemu, err := Choose(context.Background(), "udp-rr", nil, 0, old, arch.X86); err != nil || cpus != 1 || qemu != old {
		t.Errorf("%d, %s, %v", cpus, qemu, err)
	}
	_, _, _, err := Choose(context.Background(), "tcp-rr", nil, 0, old, arch.X86)
	if err == nil || !strings.Contains(err.Error(), "arm off cannot be counted: rps_cpus says which CPU does what") || !strings.Contains(err.Error(), "7.2.22") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if _, _, _, err := Choose(context.Background(), "udp-rr", nil, 2, old, arch.X86); err == nil {
		t.Error("two CPUs in a QEMU in which they hang")
	}
	if err := os.WriteFile(old, []byte("#!/bin/sh\necho QEMU emulator version 10.0.2\necho 'q35 '\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	q, cpus, _, err := Choose(context.Background(), "tcp-rr", nil, 0, old, arch.X86)
	if err != nil || cpus != 2 || len(q.Arms) != 2 {
		t.Fatalf("%d, %v", cpus, err)
	}
	c, err := New(context.Background(), q, Options{QEMU: old, CPUs: 2})
	if err != nil || c.Identity().Unit != results.PerTransaction || c.Repeats() != 2 || c.Identity().Guest.CPUs != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	if args := c.args("off"); !slices.Contains(args, "--threads") || args[slices.Index(args, "--threads")+1] != "2" {
		t.Errorf("%q", args)
	}
}

// TestUnit: a transaction is of traffic that has answers.
func TestUnit(t *testing.T) {
	q, err := Load("udp-gso", nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if q.Arms[0].Config.Traffic.Kind != vocab.Stream {
		t.Fatal("udp-gso has answers")
	}
	if _, err := New(context.Background(), q, Options{Unit: results.PerTransaction}); err == nil || !strings.Contains(err.Error(), "--unit") {
		t.Errorf("%v", err)
	}
}
