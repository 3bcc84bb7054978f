package test

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// An enclosure is a network and a mount namespace inside those of the test, as a
// container or `ip netns exec` makes them. /run is the one outside.
type enclosure struct{ work chan func() }

// enclose makes one. Its first thread is no process that anybody sees.
func enclose(t *testing.T) enclosure {
	t.Helper()
	e := enclosure{work: make(chan func())}
	made := make(chan error)
	var enter func()
	enter = func() {
		runtime.LockOSThread() // and never unlock it: the thread dies with the goroutine
		if unix.Gettid() == unix.Getpid() {
			// The process's first thread, whose namespaces are those of the process.
			go enter()
			select {}
		}
		made <- errors.Join(unix.Unshare(unix.CLONE_NEWNET|unix.CLONE_NEWNS), unix.Mount("sysfs", "/sys", "sysfs", 0, ""))
		for f := range e.work {
			f()
		}
	}
	go enter()
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(e.work) })
	return e
}

// in runs f inside; f must not call what ends the test.
func (e enclosure) in(f func()) {
	done := make(chan struct{})
	e.work <- func() { defer close(done); f() }
	<-done
}

// keep starts a process that stays inside.
func (e enclosure) keep(t *testing.T) {
	t.Helper()
	var err error
	cmd := exec.Command("sleep", "1000")
	e.in(func() { err = cmd.Start() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

func (e enclosure) snapshot() (s snapshot) {
	e.in(func() { s = snapshotSandbox() })
	return s
}

// TestRestoreElsewhere: a run over two NICs inside other namespaces is killed.
// From outside nothing can be put back, so nothing is touched, and it is said
// where to go; there everything comes back.
func TestRestoreElsewhere(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		e, p := enclose(t), newPlace(t)
		e.keep(t)
		// A device of the same name outside, which is another one.
		makeNICs(t)
		outside := withoutNamespaces()
		e.in(func() { makeNICs(t) })
		before := e.snapshot()
		scenario := nicScenario(t)
		var run *running
		e.in(func() {
			run = p.start(t, "run", scenario, "--store", "store", "--set", "measure.slice=40ms", "--set", "measure.trial=240ms",
				"--max-time", "10m", "--resolution", "0.001%")
		})
		if err := waitTrials(p.store(), 1); err != nil {
			run.signal(t, syscall.SIGKILL)
			t.Fatalf("%v\n%s", err, run.wait(t))
		}
		run.signal(t, syscall.SIGKILL)
		run.wait(t)
		noneLeft(t, endsAfterKill)
		p.unlocked(t)
		journal := filepath.Join(p.dir, "state", "journal.jsonl")
		left, err := os.ReadFile(journal)
		if err != nil {
			t.Fatal(err)
		}

		refused := p.netab(t, "restore")
		refused.want(t, 5, "not in this one", "left alone", "run it there: nsenter")
		p.netab(t, "run", scenario, "--restore").want(t, 5, "left alone")
		p.netab(t, "run", scenario).want(t, 5, "netab restore")
		if now, err := os.ReadFile(journal); err != nil || string(now) != string(left) {
			t.Errorf("the journal was changed: %v", err)
		}
		names, err := filepath.Glob("/run/netns/netab-*")
		if err != nil || len(names) != 2 {
			t.Errorf("namespaces %v (%v), want both", names, err)
		}
		if diff := outside.settledDiff(withoutNamespaces); diff != "" {
			t.Errorf("outside it is not as before:\n%s", diff)
		}

		// The way that it told.
		command := regexp.MustCompile(`nsenter [^\n]*netab restore`).FindString(refused.stderr)
		restore := exec.Command("sh", "-c", command)
		restore.Env = p.command().Env
		out, err := restore.CombinedOutput()
		if err != nil || strings.Count(string(out), ": restored") < 4 {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
		if diff := before.settledDiff(e.snapshot); diff != "" {
			t.Errorf("inside it is not as before:\n%s", diff)
		}
		p.netab(t, "restore").want(t, 0, "nothing to restore")
	})
}

// withoutNamespaces leaves out what the run inside has made and keeps.
func withoutNamespaces() snapshot {
	s := snapshotSandbox()
	maps.DeleteFunc(s, func(name, _ string) bool {
		return strings.HasPrefix(name, "/run/netns/") || strings.HasPrefix(name, "namespace ")
	})
	return s
}

// TestMountNamespaceOfOnesOwn: where a kill would end the mount namespace, and
// the names of the devices' namespaces with it, there is no run.
func TestMountNamespaceOfOnesOwn(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		e, p := enclose(t), newPlace(t)
		e.in(func() { makeNICs(t) })
		before := e.snapshot()
		scenario := nicScenario(t)
		inside := func(args ...string) (o outcome) {
			var r *running
			e.in(func() { r = p.start(t, args...) })
			return r.wait(t)
		}
		for _, args := range [][]string{{"run", scenario, "--dry-run"}, {"run", scenario, "--store", "store"}} {
			inside(args...).want(t, 5, "kill -9", "nic0 and nic1", "run netab from a shell")
		}
		if diff := before.settledDiff(e.snapshot); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
		e.keep(t)
		inside("run", scenario, "--dry-run").want(t, 0, "note: this mount namespace lives on with process", "(sleep)")
	})
}
