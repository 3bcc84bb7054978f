package knob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func acquire(t *testing.T, path string) *Lock {
	t.Helper()
	l, err := Acquire(path, false)
	must(t, err)
	return l
}

func TestLockExcludes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := acquire(t, path)
	_, err := Acquire(path, false)
	me := fmt.Sprintf("process %d (%s", os.Getpid(), os.Args[0])
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), me) || !strings.Contains(err.Error(), ", since ") || !strings.Contains(err.Error(), path) {
		t.Errorf("%v; want %s, since ... in it", err, me)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %v", err)
	}
	must(t, l.Release())
	must(t, acquire(t, path).Release())
}

func TestLockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := acquire(t, path)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := AcquireContext(ctx, path); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	got := make(chan error)
	go func() {
		second, err := Acquire(path, true)
		if err == nil {
			err = second.Release()
		}
		got <- err
	}()
	must(t, l.Release())
	must(t, <-got)
}

// TestLockIsInherited: a child that was given the file holds the lock when the
// one who took it is gone, and is named.
func TestLockIsInherited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := acquire(t, path)
	child := exec.Command("cat")
	child.ExtraFiles = []*os.File{l.File()}
	stdin, err := child.StdinPipe()
	must(t, err)
	must(t, child.Start())
	must(t, l.Release())

	_, err = Acquire(path, false)
	if !errors.Is(err, ErrLocked) {
		t.Errorf("the lock did not outlive its taker: %v", err)
	}
	must(t, stdin.Close())
	must(t, child.Wait())
	must(t, acquire(t, path).Release())
}

// TestInheritorIsFound: the taker is dead, so only its child's open file tells.
func TestInheritorIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := openLock(path)
	must(t, err)
	child := exec.Command("cat")
	child.ExtraFiles = []*os.File{f}
	stdin, err := child.StdinPipe()
	must(t, err)
	must(t, child.Start())
	var st unix.Stat_t
	must(t, unix.Fstat(int(f.Fd()), &st))
	if pid, err := inheritor(st); err != nil || pid != child.Process.Pid {
		t.Errorf("found %d, %v; want %d", pid, err, child.Process.Pid)
	}
	must(t, stdin.Close())
	must(t, child.Wait())
	must(t, f.Close())
}

// TestLockOfARemovedFile: a lock on a file that nobody can find any more locks
// nobody out.
func TestLockOfARemovedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := openLock(path)
	must(t, err)
	must(t, os.Remove(path))
	if isStill(f, path) {
		t.Error("a removed file is still there")
	}
	must(t, f.Close())
	must(t, acquire(t, path).Release())
}

func TestLockFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "target"), nil, 0o600))
	must(t, os.Symlink("target", filepath.Join(dir, "lock")))
	if _, err := Acquire(filepath.Join(dir, "lock"), false); !errors.Is(err, unix.ELOOP) {
		t.Errorf("%v", err)
	}
}

// TestLockOfAnotherUser: in /tmp the file may belong to anybody, and opening
// it with O_CREAT would then fail under fs.protected_regular.
func TestLockOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: gives the lock file to another user")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	must(t, os.WriteFile(path, nil, 0o644))
	must(t, os.Chown(path, 65534, 65534))
	must(t, os.Chmod(dir, 0o1777))
	must(t, acquire(t, path).Release())
	must(t, os.Chown(path, 0, 0))

	// And the other way round: an ordinary user locks root's file.
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	cmd := exec.Command("flock", "-n", path, "true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestParseLocks(t *testing.T) {
	f, err := os.Open("testdata/locks.txt")
	must(t, err)
	defer f.Close()
	for _, c := range []struct {
		major, minor uint32
		ino          uint64
		want         int
	}{
		{0xfe, 0x00, 9978159, 7419}, // who took it, not who waits
		{0x00, 0x2a, 9978159, 7419}, // the inode alone: btrfs shows another device
		{0xfe, 0x00, 9978160, 0},    // a POSIX lock
		{0xfe, 0x00, 978159, 0},     // not a part of another number
	} {
		_, err := f.Seek(0, io.SeekStart)
		must(t, err)
		if got, err := parseLocks(f, unix.Mkdev(c.major, c.minor), c.ino); err != nil || got != c.want {
			t.Errorf("%+v: %d, %v", c, got, err)
		}
	}
}

func FuzzParseLocks(f *testing.F) {
	text, err := os.ReadFile("testdata/locks.txt")
	must(f, err)
	f.Add(string(text), uint64(9978159))
	f.Fuzz(func(t *testing.T, text string, ino uint64) {
		_, _ = parseLocks(strings.NewReader(text), 0, ino)
	})
}

func TestOwnerLives(t *testing.T) {
	me, err := Self("r1", "v1", time.Now())
	must(t, err)
	if !me.Alive() {
		t.Error("this process is not alive")
	}
	reused := me
	reused.Start++
	if reused.Alive() {
		t.Error("another process of the same number is taken for the owner")
	}
	if started, err := startTime("/proc", os.Getpid(), time.Now()); err != nil || time.Since(started) > time.Hour || time.Since(started) < -time.Second {
		t.Errorf("started %s, %v", started, err)
	}
}
