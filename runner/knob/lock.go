package knob

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Lock is the right to measure on this machine. It is a flock(2) on an open
// file, so it ends with its last holder, however that ends, and is inherited:
// an agent that is given File keeps it locked until it is gone, too.
type Lock struct{ file *os.File }

// File is what a child inherits (exec.Cmd.ExtraFiles) to hold the lock as well.
func (l *Lock) File() *os.File { return l.file }

// Release gives up this process's hold. It only closes the file: LOCK_UN would
// take the lock away from the children that inherited it, too. The file itself
// stays, because removing a lock file lets two processes lock two files.
func (l *Lock) Release() error { return l.file.Close() }

// ErrLocked says that another process holds the lock.
var ErrLocked = errors.New("another netab is at work")

// Acquire takes the lock, or says who holds it; with wait it waits for it.
func Acquire(path string, wait bool) (*Lock, error) {
	if wait {
		return AcquireContext(context.Background(), path)
	}
	return tryLock(path)
}

// AcquireContext waits for the lock until the context ends. The error then
// says who held it.
func AcquireContext(ctx context.Context, path string) (*Lock, error) {
	// Polling, because a thread that blocks in flock(2) cannot be called back.
	for {
		l, err := tryLock(path)
		if !errors.Is(err, ErrLocked) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func tryLock(path string) (*Lock, error) {
	for {
		f, err := openLock(path)
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		err = flock(f)
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = heldBy(f, path)
			return nil, errors.Join(err, f.Close())
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		}
		if isStill(f, path) {
			return &Lock{f}, nil
		}
		// Somebody removed the file between our open and our lock.
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// openLock opens the file for reading, which is enough for flock(2), and makes
// it only when it is not there: with fs.protected_regular, open(O_CREAT) of
// another user's file in /tmp fails even for root.
func openLock(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		f, err = os.OpenFile(path, os.O_RDONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// isStill says whether path names the file that was opened.
func isStill(f *os.File, path string) bool {
	opened, errOpened := f.Stat()
	named, errNamed := os.Lstat(path)
	return errOpened == nil && errNamed == nil && os.SameFile(opened, named)
}

// heldBy makes the error that says who holds a lock, as far as /proc tells.
func heldBy(f *os.File, path string) error {
	who := "a process that cannot be seen from here"
	if pid, err := holder(f); err == nil {
		who = describeProcess("/proc", pid, time.Now())
	}
	return fmt.Errorf("%w: %s holds %s", ErrLocked, who, path)
}

// holder finds a process that holds the lock of an open file. /proc/locks
// names the process that took it; when that is gone, one that inherited it is
// found by its open files.
func holder(f *os.File) (pid int, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return 0, err
	}
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return 0, err
	}
	defer locks.Close()
	pid, err = parseLocks(locks, st.Dev, st.Ino)
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); pid > 0 && err == nil {
		return pid, nil
	}
	return inheritor(st)
}

// parseLocks finds who took the flock of a file in /proc/locks, 0 if the file
// is not there. Format (lock_get_status in fs/locks.c):
//
//	1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
//
// with the device's numbers in hexadecimal; "-> " marks waiters. Some file
// systems report another device in stat(2) than here (btrfs, overlayfs), so an
// inode that matches alone is the second choice.
func parseLocks(r io.Reader, dev, ino uint64) (pid int, err error) {
	exact := fmt.Sprintf("%02x:%02x:%d", unix.Major(dev), unix.Minor(dev), ino)
	byInode := 0
	in := bufio.NewScanner(r)
	for in.Scan() {
		f := strings.Fields(in.Text())
		if len(f) < 6 || f[1] != "FLOCK" {
			continue
		}
		pid, err := strconv.Atoi(f[4])
		if err != nil {
			continue
		}
		if f[5] == exact {
			return pid, nil
		}
		if strings.HasSuffix(f[5], ":"+strconv.FormatUint(ino, 10)) {
			byInode = pid
		}
	}
	return byInode, in.Err()
}

// inheritor finds a process other than this one that has the file open.
// Without root that only works for one's own processes.
func inheritor(want unix.Stat_t) (pid int, err error) {
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, err
	}
	for _, fd := range fds {
		pid, err := strconv.Atoi(strings.Split(fd, "/")[2])
		if err != nil || pid == os.Getpid() {
			continue
		}
		var st unix.Stat_t
		if unix.Stat(fd, &st) == nil && st.Dev == want.Dev && st.Ino == want.Ino {
			return pid, nil
		}
	}
	return 0, fs.ErrNotExist
}

// describeProcess is a process for people: its number, command line and start.
func describeProcess(proc string, pid int, now time.Time) string {
	cmdline, _ := os.ReadFile(fmt.Sprintf("%s/%d/cmdline", proc, pid))
	command := string(bytes.TrimSpace(bytes.ReplaceAll(cmdline, []byte{0}, []byte{' '})))
	s := fmt.Sprintf("process %d (%s", pid, cmp.Or(command, "command unknown"))
	if started, err := startTime(proc, pid, now); err == nil {
		s += ", since " + started.Format(time.DateTime)
	}
	return s + ")"
}

// userHZ is the unit of times in /proc/PID/stat; it is part of the kernel's ABI.
const userHZ = 100

// startTime is when a process started, by the clock on the wall.
func startTime(proc string, pid int, now time.Time) (time.Time, error) {
	ticks, err := processStart(proc, pid)
	if err != nil {
		return time.Time{}, err
	}
	data, err := os.ReadFile(proc + "/uptime")
	if err != nil {
		return time.Time{}, err
	}
	first, _, _ := strings.Cut(string(data), " ")
	uptime, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s/uptime: %w", proc, err)
	}
	age := uptime - float64(ticks)/userHZ
	return now.Add(-time.Duration(age * float64(time.Second))), nil
}
