package knob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// A turn is one knob and the values that a run gives it, one after the other.
type turn struct {
	spec   Spec
	values []string
}

// treeTurns touch every family, one knob twice, knobs that overlap, and ones
// that the kernel changes along with another.
var treeTurns = []turn{
	{budget, []string{"600", "900"}},
	{rps1, []string{"0-1", "none"}},
	{Spec{Family: familyRPSFlowCnt, Device: "eth1", Queue: "rx-0", Scope: Device}, []string{"4096"}},
	{sg, []string{"off"}},
	{tso, []string{"off", "on-inactive"}},
	{Spec{Family: familyOffload, Device: "eth1", Name: "tx-tcp-segmentation", Scope: Device}, []string{"off"}},
	{Spec{Family: familyThreaded, Device: "eth1", Scope: Device}, []string{"on"}},
	{Spec{Family: familyMTU, Device: "eth1", Scope: Device}, []string{"9000"}},
	{Spec{Family: familyQdisc, Device: "eth1", Scope: Device}, []string{"pfifo limit 7", "tbf rate 1Gbit/s burst 128K limit 1M"}},
	{Spec{Family: familyChannels, Device: "eth1", Name: "combined", Scope: Device}, []string{"1"}},
	{Spec{Family: familyIRQ, Device: "eth1", Name: "42", Scope: Device}, []string{"1"}},
	{Spec{Family: familyGovernor, Name: "policy2", Scope: Host}, []string{"performance"}},
}

// borrowing is a whole run as far as the journal sees it: begin, change knobs,
// make something that has to be undone, restore.
func borrowing(h host.Host, dir string, o Options, turns []turn, marker string) error {
	j, err := Open(dir, o)
	if err != nil {
		return err
	}
	defer j.Close()
	if err := j.Begin(testOwner()); err != nil {
		return err
	}
	err = changes(j, h, turns, marker)
	for _, r := range j.Restore(context.Background()) {
		err = errors.Join(err, r.Err)
	}
	return err
}

func changes(j *Journal, h host.Host, turns []turn, marker string) error {
	for i, turn := range turns {
		k, err := FromSpec(turn.spec)
		if err != nil {
			return err
		}
		for _, v := range turn.values {
			if _, err := j.Set(h, k, v); err != nil {
				return err
			}
		}
		if i == 1 {
			if _, err := j.Record("file", "file "+marker, marker); err != nil {
				return err
			}
			if err := os.WriteFile(marker, nil, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeFile is the undo function of the kind "file".
func removeFile(_ context.Context, e Entry, _ Site) (string, error) {
	var path string
	if err := json.Unmarshal(e.Data, &path); err != nil {
		return "", err
	}
	err := os.Remove(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", ErrGone
	}
	return "", err
}

// A rehearsal is the place and the options of one borrowing.
type rehearsal struct {
	tree   *tree
	dir    string
	marker string
	opts   Options
}

func rehearse(t *testing.T) rehearsal {
	h := nic(t)
	tmp := memoryDir(t)
	r := rehearsal{tree: h, dir: filepath.Join(tmp, "state"), marker: filepath.Join(tmp, "marker"), opts: testOptions(h)}
	r.opts.Undo = map[string]UndoFunc{"file": removeFile}
	return r
}

func (r rehearsal) run(step func(string) error) error {
	o := r.opts
	o.Step = step
	return borrowing(r.tree, r.dir, o, treeTurns, r.marker)
}

// recover is netab restore: a fresh process reads the journal. Everything must
// be as before, the journal gone.
func (r rehearsal) recover(t *testing.T, before map[string]string) {
	t.Helper()
	for _, res := range openJournal(t, r.dir, r.opts).Restore(context.Background()) {
		if res.Err != nil {
			t.Error(res)
		}
	}
	if diff := cmp.Diff(before, r.tree.dump(t)); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
	for _, path := range []string{r.marker, filepath.Join(r.dir, fileName)} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}

// steps lists the steps of a borrowing that nothing disturbs.
func steps(t *testing.T) []string {
	r := rehearse(t)
	var names []string
	if err := r.run(func(s string) error { names = append(names, s); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"append", "sync", "write", "read-back", "restore", "remove"} {
		for _, side := range []string{":before", ":after"} {
			if !strings.Contains(strings.Join(names, " ")+" ", want+side+" ") {
				t.Fatalf("no step %s%s in %v", want, side, names)
			}
		}
	}
	return names
}

// TestAbortAtEveryStep ends the run at each step by a panic, so that nothing
// behind it happens in that Journal any more.
func TestAbortAtEveryStep(t *testing.T) {
	for n, name := range steps(t) {
		t.Run(fmt.Sprintf("%03d-%s", n, name), func(t *testing.T) {
			r := rehearse(t)
			before := r.tree.dump(t)
			type abort struct{}
			func() {
				defer func() {
					if p := recover(); p != (abort{}) {
						t.Fatalf("ended with %v, want the abort", p)
					}
				}()
				at := 0
				err := r.run(func(string) error {
					if at == n {
						panic(abort{})
					}
					at++
					return nil
				})
				t.Errorf("run went on to its end: %v", err)
			}()
			r.recover(t, before)
		})
	}
}

// TestFailureAtEveryStep makes each step fail: the run must say so, and go on
// to put back all it can; a later Restore does the rest.
func TestFailureAtEveryStep(t *testing.T) {
	for n, name := range steps(t) {
		t.Run(fmt.Sprintf("%03d-%s", n, name), func(t *testing.T) {
			r := rehearse(t)
			before := r.tree.dump(t)
			at := 0
			err := r.run(func(string) error {
				at++
				if at == n+1 {
					return unix.EIO
				}
				return nil
			})
			// What failed while restoring was done again, or it was a done line, which
			// costs nothing but a second look.
			if diff := cmp.Diff(before, r.tree.dump(t)); err == nil && diff != "" {
				t.Errorf("the failure was swallowed (-before +after):\n%s", diff)
			}
			r.recover(t, before)
		})
	}
}

// TestTornAtEveryByte cuts a journal's file at each byte: whatever is left
// restores what it speaks of, and no cut is an error.
func TestTornAtEveryByte(t *testing.T) {
	r := rehearse(t)
	j := begin(t, r.dir, r.opts)
	if err := changes(j, r.tree, treeTurns[:2], r.marker); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if err := os.WriteFile(j.Path(), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		cut := openJournal(t, r.dir, r.opts)
		if len(cut.faults) > 0 {
			t.Fatalf("cut at %d: %v", n, cut.faults)
		}
		// An append behind a torn line must not be glued to it.
		if len(cut.Pending()) > 0 {
			if err := cut.Done(cut.Pending()[0].ID); err != nil {
				t.Fatal(err)
			}
			again := openJournal(t, r.dir, r.opts)
			if len(again.faults) > 0 || len(again.Pending()) != len(cut.Pending()) {
				t.Fatalf("cut at %d: after an append: faults %v, pending %v", n, again.faults, again.Pending())
			}
		}
	}
}

const killEnv = "NETAB_KNOB_KILL"

// A killing tells a child process where to run and at which step to kill
// itself.
type killing struct {
	Root, Dir, Marker string // Root "" = this process's own /proc and /sys
	At                int
}

// TestMain lets the test binary be the child of the tests that kill.
func TestMain(m *testing.M) {
	if spec := os.Getenv(killEnv); spec != "" {
		os.Exit(victim(spec))
	}
	if spec := os.Getenv(deedEnv); spec != "" {
		os.Exit(doDeed(spec))
	}
	os.Exit(m.Run())
}

// victim is a run in a process of its own that dies of SIGKILL at a step. It
// prints the number of steps when it reaches its end.
func victim(spec string) int {
	var k killing
	if err := json.Unmarshal([]byte(spec), &k); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var h host.Host = host.Local{}
	turns := namespaceTurns
	if k.Root != "" {
		h, turns = &tree{root: k.Root}, treeTurns
	}
	at := 0
	o := testOptions(h)
	o.Undo = map[string]UndoFunc{"file": removeFile}
	o.Step = func(string) error {
		if at == k.At {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		at++
		return nil
	}
	if err := borrowing(h, k.Dir, o, turns, k.Marker); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(at)
	return 0
}

// kill runs a victim. killed says that it died as planned; else it reached its
// end after that many steps.
func kill(t *testing.T, k killing) (killed bool, steps int) {
	t.Helper()
	spec, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killEnv+"="+string(spec))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		if ws, ok := ee.Sys().(syscall.WaitStatus); ok && ws.Signal() == syscall.SIGKILL {
			return true, 0
		}
	}
	if err != nil {
		t.Fatalf("victim: %v: %s", err, stderr.String())
	}
	steps, err = strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return false, steps
}

// TestKillAtEveryStep does it for real: a child process kills itself with
// SIGKILL.
func TestKillAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for every step")
	}
	want := len(steps(t))
	for n := 0; ; n++ {
		r := rehearse(t)
		before := r.tree.dump(t)
		killed, ran := kill(t, killing{Root: r.tree.root, Dir: r.dir, Marker: r.marker, At: n})
		if !killed {
			if n != want || ran != want {
				t.Errorf("%d victims died, the last one ran %d steps; want %d", n, ran, want)
			}
			return
		}
		r.recover(t, before)
		if t.Failed() {
			t.Fatalf("killed at step %d", n)
		}
	}
}
