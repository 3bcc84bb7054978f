package knob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/test/need"
)

func acquire(t *testing.T, path string) *Lock {
	t.Helper()
	l, err := LockFile{Path: path}.Acquire()
	must(t, err)
	return l
}

func TestLockExcludes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := acquire(t, path)
	_, err := LockFile{Path: path}.Acquire()
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
	if _, err := (LockFile{Path: path}).Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	got := make(chan error)
	go func() {
		second, err := LockFile{Path: path}.Wait(context.Background())
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

	_, err = LockFile{Path: path}.Acquire()
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
	f, err := LockFile{Path: path}.open()
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
	f, err := LockFile{Path: path}.open()
	must(t, err)
	must(t, os.Remove(path))
	if isStill(f, path) {
		t.Error("a removed file is still there")
	}
	must(t, f.Close())
	must(t, acquire(t, path).Release())
}

// TestLockIsAFile: item 3 of issue 10. Neither a link is followed nor a FIFO
// waited at.
func TestLockIsAFile(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	must(t, os.WriteFile(target, nil, 0o600))
	link, fifo, sub := filepath.Join(dir, "link"), filepath.Join(dir, "fifo"), filepath.Join(dir, "directory")
	must(t, os.Symlink("target", link))
	must(t, unix.Mkfifo(fifo, 0o666))
	must(t, os.Mkdir(sub, 0o700))
	for path, want := range map[string]string{
		link: "symbolic link", fifo: "not a regular file (prw", sub: "not a regular file (d", filepath.Join(target, "lock"): "not a directory", "/dev/null": "not a regular file (D",
	} {
		for _, private := range []bool{false, true} {
			_, err := LockFile{Path: path, private: private}.Acquire()
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, want %s", path, err, want)
			}
		}
	}
	if info, err := os.Stat(target); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestPrivateLockOfOthers: a lock that somebody else could hold open is none.
func TestPrivateLockOfOthers(t *testing.T) {
	dir := t.TempDir()
	open, twice := filepath.Join(dir, "open"), filepath.Join(dir, "twice")
	must(t, os.WriteFile(open, nil, 0o644))
	must(t, os.WriteFile(twice, nil, 0o600))
	must(t, os.Link(twice, twice+"2"))
	bad := map[string]string{open: "mode 0644", twice: "2 names"}
	if os.Geteuid() == 0 {
		other := filepath.Join(dir, "other")
		must(t, os.WriteFile(other, nil, 0o600))
		must(t, os.Chown(other, 65534, 65534))
		bad[other] = "is user 65534's, and should be user 0's"
	}
	for path, want := range bad {
		if _, err := (LockFile{Path: path, private: true}).Acquire(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	own := LockFile{Path: filepath.Join(dir, "own"), private: true}
	l, err := own.Acquire()
	must(t, err)
	if info, err := os.Stat(own.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	must(t, l.Release())
}

// TestLockOfAnotherUser: a file that is named as lock may belong to anybody, and
// opening it with O_CREAT in /tmp would then fail under fs.protected_regular.
func TestLockOfAnotherUser(t *testing.T) {
	need.Root(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	must(t, os.WriteFile(path, nil, 0o644))
	must(t, os.Chown(path, 65534, 65534))
	must(t, os.Chmod(dir, 0o1777))
	must(t, acquire(t, path).Release())
}

func TestParseLocks(t *testing.T) {
	f, err := os.Open("testdata/locks.txt")
	must(t, err)
	defer f.Close()
	for _, c := range []struct {
		major, minor uint32
		ino          uint64
		want         int
		other        bool // not exactly this file
	}{
		{0xfe, 0x00, 9978159, 7419, false}, // who took it, not who waits
		{0x00, 0x2a, 9978159, 7419, true},  // the inode alone: btrfs shows another device
		{0xfe, 0x00, 9978160, 0, true},     // a POSIX lock
		{0xfe, 0x00, 978159, 0, true},      // not a part of another number
	} {
		_, err := f.Seek(0, io.SeekStart)
		must(t, err)
		exact, byInode, err := parseLocks(f, unix.Mkdev(c.major, c.minor), c.ino)
		if got := cmp.Or(exact, byInode); err != nil || got != c.want || c.other && exact != 0 {
			t.Errorf("%+v: %d, %d, %v", c, exact, byInode, err)
		}
	}
}

func FuzzParseLocks(f *testing.F) {
	text, err := os.ReadFile("testdata/locks.txt")
	must(f, err)
	f.Add(string(text), uint64(9978159))
	f.Fuzz(func(t *testing.T, text string, ino uint64) {
		_, _, _ = parseLocks(strings.NewReader(text), 0, ino)
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
