package test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whatever moment SIGKILL comes at, and whoever it comes to (the runner, an agent,
// which may be one that switches settings, or both), `netab restore` leaves the machine
// as it was before the run. The moments are random; the seed is in the log, and given
// in NETAB_TEST_SEED it draws the same ones again.

// endsAfterKill is how long agents may outlive their runner. The kernel kills
// them with it; they need a moment to die.
const endsAfterKill = 2 * time.Second

// TestKillVeth: all that a veth scenario makes dies with its processes.
func TestKillVeth(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		killing{args: []string{"run", "veth-rps", "--set", "measure.slice=40ms", "--set", "measure.trial=240ms"}, few: 2}.run(t)
	})
}

// TestKillNIC: two ends of a veth pair stand for two network cards, which are
// moved into namespaces, lose addresses, routes and settings there, and must
// come home with all of them.
func TestKillNIC(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		makeNICs(t)
		killing{args: []string{"run", nicScenario(t), "--set", "measure.slice=40ms", "--set", "measure.trial=240ms"}, few: 6, borrows: true}.run(t)
	})
}

// TestKillHostWide: settings of the whole machine are changed at every slice.
func TestKillHostWide(t *testing.T) {
	sandboxed(t, hostNetwork, func(t *testing.T) {
		keepHostSysctls(t, "netdev_budget", "dev_weight")
		killing{args: []string{"run", "netdev-budget", "--set", "measure.slice=40ms", "--set", "measure.trial=720ms"}, few: 3, borrows: true}.run(t)
	})
}

// A killing is a scenario that is killed many times.
type killing struct {
	args    []string
	few     int  // how many times, but in `make soak`
	borrows bool // it changes what must be put back by the journal
}

func (k killing) run(t *testing.T) {
	p := newPlace(t)
	k.args = append(k.args, "--store", "store", "--max-time", "10m", "--resolution", "0.001%")
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("NETAB_TEST_SEED"); given != "" {
		if _, err := fmt.Sscan(given, &seed); err != nil {
			t.Fatalf("NETAB_TEST_SEED: %v", err)
		}
	}
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	before := snapshotSandbox()
	for i := range k.times(t) {
		m := drawMoment(rng, i)
		k.once(t, p, m)
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Fatalf("kill %d, %+v: not as before (- before, + after restore):\n%s", i, m, diff)
		}
		readable(t, p)
		if t.Failed() {
			t.Fatalf("at kill %d, %+v", i, m)
		}
	}
	k.again(t, p)
	if diff := before.settledDiff(snapshotSandbox); diff != "" {
		t.Errorf("not as before after a run with --restore:\n%s", diff)
	}
}

// times is how many moments are tried.
func (k killing) times(t *testing.T) int {
	if given := os.Getenv(envKills); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil {
			t.Fatalf("%s: %v", envKills, err)
		}
		return n
	}
	if os.Getenv(envLong) == "1" {
		return 30
	}
	return k.few
}

// A moment is when SIGKILL comes.
type moment struct {
	Victim    victim
	Agent     uint64        // which of them, if one is killed: the rest of this and their number
	After     time.Duration // the start; setting up takes some 400 ms
	Interrupt time.Duration // how long before that SIGINT came, so that the run is restoring; 0 = none
	Restore   time.Duration // after the start of a restore that is killed as well; 0 = none
	Rest      time.Duration // from the agent's death to the runner's, or to the SIGINT that ends it
}

// A victim is who is killed.
type victim string

const (
	theRunner victim = "runner"
	anAgent   victim = "agent" // and SIGINT ends the runner, which restores by itself
	both      victim = "both"
)

// drawMoment draws the i-th one: each second run is at restoring already,
// and each third restore is killed, too.
func drawMoment(rng *rand.Rand, i int) moment {
	draw := func(most time.Duration) time.Duration { return 1 + time.Duration(rng.Int64N(int64(most))) }
	m := moment{Victim: []victim{theRunner, theRunner, anAgent, both}[i%4], Agent: rng.Uint64(), After: draw(1500 * time.Millisecond)}
	if m.Victim == anAgent {
		m.Rest = draw(300 * time.Millisecond)
		return m
	}
	if m.Victim == both {
		m.Rest = draw(3 * time.Millisecond)
	}
	if i%2 == 1 {
		m.Interrupt = draw(60 * time.Millisecond)
	}
	if i%3 == 2 {
		m.Restore = draw(25 * time.Millisecond)
	}
	return m
}

// once kills one run and restores.
func (k killing) once(t *testing.T, p place, m moment) {
	t.Helper()
	r := p.start(t, k.args...)
	time.Sleep(m.After)
	if m.Interrupt > 0 {
		r.signal(t, syscall.SIGINT)
		time.Sleep(m.Interrupt)
	}
	if m.Victim != theRunner {
		r.killAgent(m.Agent)
		time.Sleep(m.Rest)
	}
	if m.Victim == anAgent {
		_ = r.cmd.Process.Signal(syscall.SIGINT) // it may have ended already
	} else {
		_ = r.cmd.Process.Kill() // so it may
	}
	r.wait(t)
	noneLeft(t, endsAfterKill)
	if m.Restore > 0 {
		r := p.start(t, "restore")
		time.Sleep(m.Restore)
		r.cmd.Process.Kill()
		r.wait(t)
	}
	p.unlocked(t)
	if p.pending() {
		p.netab(t, k.args...).want(t, 5, "netab restore", "--restore")
	}
	if o := p.netab(t, "restore"); o.status != 0 {
		t.Fatalf("netab restore: %s", o)
	}
	p.netab(t, "restore").want(t, 0, "nothing to restore")
}

// killAgent kills one of the run's agents, if there is any at that moment.
func (r *running) killAgent(which uint64) {
	agents := slices.DeleteFunc(netabs(), func(pid int) bool { return pid == r.cmd.Process.Pid })
	if len(agents) > 0 {
		_ = unix.Kill(agents[which%uint64(len(agents))], unix.SIGKILL) // it may have ended already
	}
}

// unlocked waits until the killed have given up their locks: the kernel closes files
// of a process that has no executable any more.
func (p place) unlocked(t *testing.T) {
	t.Helper()
	for _, name := range []string{"lock", "state/lock"} {
		file, err := os.Open(filepath.Join(p.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = eventually(func() error { return unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB) })
			file.Close()
		}
		if err != nil {
			t.Fatalf("lock of the killed: %s: %v", name, err)
		}
	}
}

// pending says whether the journal holds something to be put back.
func (p place) pending() bool {
	_, err := os.Stat(filepath.Join(p.dir, "state", "journal.jsonl"))
	return err == nil
}

// again kills a run once it measures and lets the next one restore: that run
// measures, and puts back what was there before the first.
func (k killing) again(t *testing.T, p place) {
	t.Helper()
	p.dir = t.TempDir()
	r := p.start(t, k.args...)
	if err := waitTrials(p.store(), 1); err != nil {
		t.Fatal(err)
	}
	r.signal(t, syscall.SIGKILL)
	r.wait(t)
	noneLeft(t, endsAfterKill)
	p.unlocked(t)
	if p.pending() != k.borrows {
		t.Errorf("killed while it measured: journal left %v, want %v", p.pending(), k.borrows)
	}
	next := p.start(t, append(k.args, "--restore", "--store", "next")...)
	if err := waitTrials(filepath.Join(p.dir, "next"), 1); err != nil {
		next.signal(t, syscall.SIGINT)
		t.Fatalf("a run with --restore: %v\n%s", err, next.wait(t))
	}
	next.signal(t, syscall.SIGINT)
	next.wait(t).want(t, 5, "interrupted")
}

// readable checks that every run of the store can be shown: a kill costs at most
// the trial it came in.
func readable(t *testing.T, p place) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.store(), "*", "run.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "\n") {
			continue // killed while the header was written
		}
		o := p.netab(t, "results", "show", file, "--json")
		var s struct {
			Trials  int
			Invalid int `json:"invalid_trials"`
		}
		decode(t, o.stdout, &s)
		if trials := countTrials(t, file); o.status != 0 || s.Trials+s.Invalid != trials {
			t.Errorf("%s: %d trials shown, %d in the file\n%s", file, s.Trials+s.Invalid, trials, o)
		}
		if err := os.RemoveAll(filepath.Dir(file)); err != nil {
			t.Fatal(err)
		}
	}
}

// keepHostSysctls writes host-wide sysctls back when a test failed to: whatever
// is broken, the machine is not.
func keepHostSysctls(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		path := "/proc/sys/net/core/" + name
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			for _, pid := range netabs() {
				unix.Kill(pid, unix.SIGKILL)
			}
			noneLeft(t, endsAfterKill)
			if now, err := os.ReadFile(path); err != nil || string(now) != string(before) {
				t.Errorf("%s was left at %q (%v); it is %q again", path, now, err, before)
				if err := os.WriteFile(path, before, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
