package quiet

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/runner/host"
	"netab/runner/knob"
)

// A machine has the files of a folder below /sys, and this machine's processes.
type machine struct {
	host.Local
	root string
}

func (m machine) at(file string) string {
	if strings.HasPrefix(file, "/proc/") {
		return file
	}
	return m.root + file
}
func (m machine) ReadFile(file string) ([]byte, error)     { return os.ReadFile(m.at(file)) }
func (m machine) WriteFile(file string, data []byte) error { return os.WriteFile(m.at(file), data, 0) }
func (m machine) Mode(string) (fs.FileMode, error)         { return 0o644, nil }
func (m machine) Glob(pattern string) ([]string, error) {
	found, err := filepath.Glob(m.at(pattern))
	for i := range found {
		found[i] = strings.TrimPrefix(found[i], m.root)
	}
	return found, err
}

func (m machine) put(t *testing.T, file, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(m.root+file), 0o755))
	must(t, os.WriteFile(m.root+file, []byte(text), 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// irqbalance starts a program of that name, which does nothing.
func irqbalance(t *testing.T) int {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	must(t, err)
	program, err := os.ReadFile(sleep)
	must(t, err)
	file := filepath.Join(t.TempDir(), "irqbalance")
	must(t, os.WriteFile(file, program, 0o755))
	cmd := exec.Command(file, "60")
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func stateOf(t *testing.T, pid int) string {
	t.Helper()
	var state byte
	for range 200 { // a signal takes effect when the process runs
		p, s, err := look(host.Local{}, pid)
		if err != nil || p == nil {
			t.Fatalf("pid %d: %v, %v", pid, p, err)
		}
		if state = s; state != 'R' {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return string(state)
}

// TestFixes: what is offered is done, journaled before it is, and undone by another
// process.
func TestFixes(t *testing.T) {
	m := machine{root: t.TempDir()}
	const policies = "/sys/devices/system/cpu/cpufreq/policy"
	for i, governor := range []string{"schedutil", "performance", "powersave"} {
		m.put(t, fmt.Sprint(policies, i, "/scaling_governor"), governor+"\n")
		m.put(t, fmt.Sprint(policies, i, "/scaling_available_governors"), "performance powersave schedutil\n")
	}
	pid := irqbalance(t)
	all, err := Fixes(m)
	must(t, err)
	var fixes []Fix
	for _, f := range all { // this machine may have one of its own
		if !strings.Contains(f.What, "irqbalance") || strings.Contains(f.What, fmt.Sprintf("pid %d;", pid)) {
			fixes = append(fixes, f)
		}
	}
	if len(fixes) != 2 || !strings.Contains(fixes[0].What, "2 of 3 policies have schedutil, powersave") {
		t.Fatalf("%+v", fixes)
	}
	state := t.TempDir()
	open := func() *knob.Journal {
		undos := knob.Undos()
		undos[undoIrqbalance] = goOn
		j, err := knob.Open(Dir(state), knob.Options{Host: func(string) (host.Host, error) { return m, nil }, Undo: undos})
		must(t, err)
		return j
	}
	j := open()
	owner, err := knob.Self("doctor", "test", time.Now())
	must(t, err)
	must(t, j.Begin(owner))
	for _, f := range fixes {
		must(t, f.Do(j))
	}
	must(t, j.Close())
	if got := stateOf(t, pid); got != "T" {
		t.Errorf("irqbalance is in state %s", got)
	}
	for _, f := range mustFixes(t, m) {
		if strings.Contains(f.What, "governor") || strings.Contains(f.What, fmt.Sprintf("pid %d;", pid)) {
			t.Errorf("offered again: %+v", f)
		}
	}
	for _, r := range open().Restore(context.Background()) {
		if r.Err != nil || r.Status != knob.Restored {
			t.Error(r)
		}
	}
	if got := stateOf(t, pid); got == "T" {
		t.Error("irqbalance still stands")
	}
	for i, governor := range []string{"schedutil", "performance", "powersave"} {
		if got, err := m.ReadFile(fmt.Sprint(policies, i, "/scaling_governor")); err != nil || strings.TrimSpace(string(got)) != governor {
			t.Errorf("policy %d: %s, %v", i, got, err)
		}
	}
}

func mustFixes(t *testing.T, h host.Host) []Fix {
	t.Helper()
	f, err := Fixes(h)
	must(t, err)
	return f
}

// TestGoOnIsCareful: a number that another process has is left alone.
func TestGoOnIsCareful(t *testing.T) {
	pid := irqbalance(t)
	for range 200 { // until it is what it will be
		if p, _, _ := look(host.Local{}, pid); p != nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	must(t, unix.Kill(pid, unix.SIGSTOP))
	for _, data := range []string{fmt.Sprintf(`{"pid":%d,"start":1}`, pid), fmt.Sprintf(`{"pid":%d,"start":1}`, os.Getpid()), `{"pid":1}`, `{"pid":-1}`, `7`} {
		if _, err := goOn(context.Background(), knob.Entry{Undo: undoIrqbalance, Data: []byte(data)}, knob.Site{}); err == nil {
			t.Errorf("%s was let go on", data)
		}
	}
	if got := stateOf(t, pid); got != "T" {
		t.Errorf("it is in state %s", got)
	}
	must(t, unix.Kill(pid, unix.SIGCONT))
}

func TestReboots(t *testing.T) {
	m := results.Machine{CPUs: 8, ThreadsPerCore: 2, KernelCmdline: "quiet", Mitigations: map[string]string{"meltdown": "Mitigation: PTI", "mds": "Not affected"}}
	args, why := Reboots(m, []int{2, 3})
	if got := strings.Join(args, " "); got != "isolcpus=2,3 nosmt mitigations=off" || len(why) != 3 {
		t.Errorf("%s\n%s", got, why)
	}
	if args, _ := Reboots(results.Machine{CPUs: 8, CPUsIsolated: "2-3", ThreadsPerCore: 1, KernelCmdline: "mitigations=off", Mitigations: m.Mitigations}, []int{2, 3}); len(args) > 0 {
		t.Errorf("nothing is left to say: %s", args)
	}
	h := machine{root: t.TempDir()}
	if got := RebootCommand(h, args); got != "add to the kernel's command line, and reboot: isolcpus=2,3 nosmt mitigations=off" {
		t.Error(got)
	}
	h.put(t, "/usr/sbin/update-grub", "")
	if got := RebootCommand(h, args); !strings.Contains(got, "update-grub && reboot") {
		t.Error(got)
	}
	h.put(t, "/usr/sbin/grubby", "")
	if got := RebootCommand(h, args); got != "grubby --update-kernel=ALL --args='isolcpus=2,3 nosmt mitigations=off' && reboot" {
		t.Error(got)
	}
}
