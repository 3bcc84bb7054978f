package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"netab/test/busytest"
)

// A place is where one test's netabs keep what they know: a store, a journal
// and a lock of their own.
type place struct {
	dir  string
	user *syscall.Credential // nil = who runs the tests
	// through is a command line that starts the netab given behind it.
	through []string
}

func newPlace(t *testing.T) place { return place{dir: t.TempDir()} }

func (p place) store() string { return filepath.Join(p.dir, "store") }

// write makes a file there.
func (p place) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// command prepares a netab command line.
func (p place) command(args ...string) *exec.Cmd {
	line := slices.Concat(p.through, []string{os.Getenv(envBinary)}, args)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "HOME="+p.dir, "NETAB_STATE="+filepath.Join(p.dir, "state"),
		"NETAB_LOCK="+filepath.Join(p.dir, "lock"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.user}
	return cmd
}

// An outcome is how a command line ended.
type outcome struct {
	status         int
	stdout, stderr string
}

func (o outcome) String() string {
	return fmt.Sprintf("status %d\n[stdout]\n%s[stderr]\n%s", o.status, o.stdout, o.stderr)
}

// netab runs a command line to its end.
func (p place) netab(t *testing.T, args ...string) outcome {
	t.Helper()
	return p.start(t, args...).wait(t)
}

// measured is netab for runs of a trial or two that must be valid. On a busy
// machine an agent hears of its schedule too late, or a sink does not come to
// run in the two slices that it has: no fault of what is tested, which gets
// another chance.
func (p place) measured(t *testing.T, args ...string) (o outcome) {
	t.Helper()
	busytest.Retry(t, func(t *testing.T, _ busytest.Stretch) string {
		o = p.netab(t, args...)
		return o.busy()
	})
	return o
}

// busy returns what there is to be seen of a run that lost trials to a busy
// machine, "" of any other.
func (o outcome) busy() string {
	if tooBusy(strings.Join(strings.Fields(o.stdout+o.stderr), " ")) {
		return o.String()
	}
	return ""
}

// tooBusy says whether a text is the reason of a trial that was lost so.
func tooBusy(text string) bool {
	return strings.Contains(text, "the machine was too busy") || strings.Contains(text, "the sinks received nothing")
}

// A running netab.
type running struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	done           chan error
}

// start starts a command line; the test's end is its end, too.
func (p place) start(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{cmd: p.command(args...), done: make(chan error, 1)}
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- r.cmd.Wait() }()
	t.Cleanup(func() { r.cmd.Process.Kill() })
	return r
}

// lives says whether it runs still.
func (r *running) lives() bool { return len(r.done) == 0 }

// wait waits for the end, which must come.
func (r *running) wait(t *testing.T) outcome {
	t.Helper()
	select {
	case err := <-r.done:
		if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
			t.Fatal(err)
		}
	case <-time.After(patience):
		r.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines say where it hangs
		select {
		case <-r.done:
		case <-time.After(patience):
			r.cmd.Process.Kill()
		}
		t.Fatalf("netab %s hangs:\n%s", strings.Join(r.cmd.Args[1:], " "), r.stderr.String())
	}
	return outcome{r.cmd.ProcessState.ExitCode(), r.stdout.String(), r.stderr.String()}
}

func (r *running) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// want checks how a command line ended and that its output has all texts.
func (o outcome) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d\n%s", o.status, status, o)
	}
	for _, text := range texts {
		if !strings.Contains(o.stdout+o.stderr, text) {
			t.Errorf("output lacks %q\n%s", text, o)
		}
	}
}

// noneLeft checks that all netabs end soon, without help.
func noneLeft(t *testing.T, within time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		left := netabs()
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("after %v these netabs still live: %v", within, left)
			return
		}
	}
}

// decode decodes a command's JSON output.
func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Errorf("not JSON: %v: %.200q", err, text)
	}
}
