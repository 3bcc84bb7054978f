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
	"time"

	"golang.org/x/sys/unix"

	"netab/test/need"
)

// A deed is what an ordinary user does beside root, in a process of his own.
type deed struct {
	Do   string // flock: hold the lock of Path; machine: take the machine's lock as lockGrounds say
	Path string
	Run  string
	Tmp  string
}

const deedEnv = "NETAB_KNOB_DEED"

// doDeed is the child's main. It says "ready", or what went wrong, and what it has
// taken it holds until its standard input ends.
func doDeed(spec string) int {
	var d deed
	if err := json.Unmarshal([]byte(spec), &d); err != nil {
		fmt.Println(err)
		return 2
	}
	err := func() error {
		if d.Do == "machine" {
			file, err := lockGrounds{run: d.Run, tmp: d.Tmp, uid: os.Getuid()}.lock()
			if err != nil {
				return err
			}
			_, err = file.Acquire()
			return err
		}
		fd, err := unix.Open(d.Path, unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	}()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

// asUser lets uid 65534 do something, and returns what it says. What it takes it
// holds until the test ends.
func asUser(t *testing.T, d deed) string {
	t.Helper()
	spec, err := json.Marshal(d)
	must(t, err)
	// The test binary lies where others may not look.
	self, err := os.Open("/proc/self/exe")
	must(t, err)
	defer self.Close()
	cmd := exec.Command("/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Env = append(os.Environ(), deedEnv+"="+string(spec))
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	said := make([]byte, 4096)
	n, _ := stdout.Read(said)
	return strings.TrimSpace(string(said[:n]))
}

// openToAll makes a directory that everybody may look into, with a /run of root's
// and a /tmp in it.
func openToAll(t *testing.T) (run, tmp string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "netab-lock-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	run, tmp = filepath.Join(dir, "run"), filepath.Join(dir, "tmp")
	must(t, os.Mkdir(run, 0o755))
	must(t, os.Mkdir(tmp, 0o700))
	must(t, os.Chmod(tmp, 0o1777))
	return run, tmp
}

// TestNoUserBlocksRoot: item 3 of issue 10. Nothing that an ordinary user can lock
// or make keeps root waiting.
func TestNoUserBlocksRoot(t *testing.T) {
	need.Root(t)
	run, tmp := openToAll(t)
	// What he plants where an older netab looked.
	must(t, unix.Mkfifo(filepath.Join(tmp, "netab.lock"), 0o666))
	must(t, os.Mkdir(filepath.Join(tmp, "netab-0"), 0o777))
	grounds := lockGrounds{run: run, tmp: tmp}
	file, err := grounds.lock()
	must(t, err)
	if want := filepath.Join(run, "netab", "lock"); file.Path != want {
		t.Fatalf("root's lock is %s, want %s", file.Path, want)
	}
	lock, err := file.Acquire()
	must(t, err)
	must(t, lock.Release())
	// The file is there now: he can neither lock it nor its directory.
	for _, path := range []string{file.Path, filepath.Dir(file.Path)} {
		if said := asUser(t, deed{Do: "flock", Path: path}); !strings.Contains(said, "permission denied") {
			t.Errorf("an ordinary user and %s: %s", path, said)
		}
	}
	// A run of his does not either.
	if said := asUser(t, deed{Do: "machine", Run: run, Tmp: tmp}); said != "ready" {
		t.Fatalf("an ordinary user's lock: %s", said)
	}
	lock, err = file.Acquire()
	must(t, err)
	must(t, lock.Release())
}

// TestUsersGiveWay: a user's run does not begin while root's is at work, and says
// whose it is; two runs of one user exclude each other.
func TestUsersGiveWay(t *testing.T) {
	need.Root(t)
	run, tmp := openToAll(t)
	file, err := lockGrounds{run: run, tmp: tmp}.lock()
	must(t, err)
	lock, err := file.Acquire()
	must(t, err)
	user := deed{Do: "machine", Run: run, Tmp: tmp}
	want := fmt.Sprintf("another netab is at work: process %d (", os.Getpid())
	if said := asUser(t, user); !strings.HasPrefix(said, want) || !strings.HasSuffix(said, "holds "+file.Path) {
		t.Errorf("%s, want %s", said, want)
	}
	must(t, lock.Release())
	if said := asUser(t, user); said != "ready" {
		t.Fatalf("after root's run: %s", said)
	}
	own := filepath.Join(tmp, "netab-65534", "lock")
	if said := asUser(t, user); !strings.Contains(said, "another netab is at work") || !strings.HasSuffix(said, own) {
		t.Errorf("a second run: %s", said)
	}
}

// TestPlantedLockDirectory: what somebody else made in the place of a user's own
// directory is refused in one line that says what to do, and never followed.
func TestPlantedLockDirectory(t *testing.T) {
	need.Root(t)
	for name, c := range map[string]struct {
		plant func(path string) error
		want  string
	}{
		"another user's": {func(p string) error { return os.Mkdir(p, 0o777) }, "is user 0's, and should be user 65534's"},
		"link":           {func(p string) error { return os.Symlink("/", p) }, "is a symbolic link"},
		"FIFO":           {func(p string) error { return unix.Mkfifo(p, 0o666) }, "not a directory"},
		"open to others": {func(p string) error {
			return errors.Join(os.Mkdir(p, 0o700), os.Chown(p, 65534, 65534), os.Chmod(p, 0o777))
		}, "has mode 0777"},
	} {
		run, tmp := openToAll(t)
		must(t, c.plant(filepath.Join(tmp, "netab-65534")))
		said := asUser(t, deed{Do: "machine", Run: run, Tmp: tmp})
		if !strings.Contains(said, c.want) || !strings.Contains(said, "netab-65534") || !strings.Contains(said, "XDG_RUNTIME_DIR") || strings.Contains(said, "\n") {
			t.Errorf("%s: %s, want %s", name, said, c.want)
		}
	}
	// Root's own place, made by somebody else before /run was root's alone.
	run, tmp := openToAll(t)
	must(t, os.Mkdir(filepath.Join(run, "netab"), 0o700))
	must(t, os.Chown(filepath.Join(run, "netab"), 65534, 65534))
	if _, err := (lockGrounds{run: run, tmp: tmp}).lock(); err == nil || !strings.Contains(err.Error(), "is user 65534's") {
		t.Errorf("%v", err)
	}
}

func TestUsersLockPlace(t *testing.T) {
	dir := t.TempDir()
	runtime, open := filepath.Join(dir, "runtime"), filepath.Join(dir, "open")
	must(t, os.Mkdir(runtime, 0o700))
	must(t, os.Mkdir(open, 0o700))
	must(t, os.Chmod(open, 0o777))
	absent := filepath.Join(dir, "absent")
	for _, c := range []struct{ runtime, want string }{
		{runtime, runtime + "/netab/lock"},
		{"", dir + "/netab-7/lock"},
		{absent, dir + "/netab-7/lock"},
		{open, dir + "/netab-7/lock"}, // whoever can write there could take it away
		{"relative", dir + "/netab-7/lock"},
	} {
		got, err := lockGrounds{run: absent, runtime: c.runtime, tmp: dir, uid: 7}.lock()
		if err != nil || got.Path != c.want || !got.private || got.before != absent+"/netab/lock" {
			t.Errorf("%q: %+v, %v; want %s", c.runtime, got, err, c.want)
		}
	}
	if got, err := MachineLock("/anywhere/lock"); err != nil || got.Path != "/anywhere/lock" || got.private {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRestoreKnowsALiveRun: a run whose machine lock lies elsewhere (a private
// /tmp or /run, NETAB_LOCK) still holds that of the journal, and so do its agents.
func TestRestoreKnowsALiveRun(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	if _, err := StateLock(state, false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	file, err := StateLock(state, true)
	must(t, err)
	lock, err := file.Acquire()
	must(t, err)
	agent := exec.Command("cat")
	agent.ExtraFiles = []*os.File{lock.File()}
	stdin, err := agent.StdinPipe()
	must(t, err)
	must(t, agent.Start())
	must(t, lock.Release()) // the run is killed

	again, err := StateLock(state, false)
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := again.Wait(ctx); !errors.Is(err, ErrLocked) {
		t.Errorf("beside an agent at work: %v", err)
	}
	must(t, stdin.Close())
	must(t, agent.Wait())
	lock, err = again.Acquire()
	must(t, err)
	must(t, lock.Release())
}

func TestOtherRuns(t *testing.T) {
	proc := t.TempDir()
	put := func(pid int, parent int, args ...string) {
		dir := filepath.Join(proc, strconv.Itoa(pid))
		must(t, os.Mkdir(dir, 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "cmdline"), []byte(strings.Join(args, "\x00")+"\x00"), 0o644))
		must(t, os.WriteFile(filepath.Join(dir, "stat"), fmt.Appendf(nil, "%d (a) b) S %d 1 1", pid, parent), 0o644))
	}
	put(10, 1, "netab", "run", "same")
	put(11, 10, "netab", "agent")
	put(12, 10, "netab", "agent")
	put(20, 1, "netab", "agent")           // orphaned
	put(30, 1, "./x", "run\x1b[31m\u202e") // a name to fool a terminal
	put(31, 30, "netab", "agent")
	put(41, 40, "netab", "agent") // ours
	put(50, 1, "vim", "netab agent")
	put(51, 1, "netab", "agent", "x")
	got := strings.Join(otherRuns(proc, 40, time.Now()), "; ")
	want := "process 10 (netab run same); process 20 (netab agent); process 30 (./x run?[31m?)"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
