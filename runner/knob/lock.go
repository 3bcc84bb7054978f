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

// A LockFile says where a lock lies, and what it must be like. MachineLock and
// StateLock make the ones that netab goes by; a LockFile of a Path alone may be
// shared by whoever can open it.
type LockFile struct {
	Path string
	// private: nobody else may have the file open, and so keep us waiting.
	private bool
	// before, if set, is the file of a lock that goes first, though it cannot be
	// opened from here: root's.
	before string
}

// Acquire takes the lock, or says who holds it.
func (l LockFile) Acquire() (*Lock, error) {
	if err := l.giveWay(); err != nil {
		return nil, err
	}
	return l.try()
}

// Wait waits for the lock until the context ends. The error then says who held
// it.
func (l LockFile) Wait(ctx context.Context) (*Lock, error) {
	// Polling, because a thread that blocks in flock(2) cannot be called back.
	for {
		lock, err := l.Acquire()
		if !errors.Is(err, ErrLocked) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// giveWay looks whether the lock that goes first is held. It takes none: whoever
// can lock root's file can keep root waiting.
func (l LockFile) giveWay() error {
	var st unix.Stat_t
	if l.before == "" || unix.Lstat(l.before, &st) != nil {
		return nil
	}
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return nil // what cannot be seen here cannot be waited for
	}
	defer locks.Close()
	// The exact file only: the number of another file system's may be anybody's.
	pid, _, err := parseLocks(locks, st.Dev, st.Ino)
	if err != nil || pid == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s holds %s", ErrLocked, describeProcess("/proc", pid, time.Now()), l.before)
}

func (l LockFile) try() (*Lock, error) {
	for {
		f, err := l.open()
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		err = flock(f)
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = heldBy(f, l.Path)
			return nil, errors.Join(err, f.Close())
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", l.Path, err), f.Close())
		}
		if isStill(f, l.Path) {
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

// open opens the file for reading, which is enough for flock(2), and makes it
// only when it is not there: with fs.protected_regular, open(O_CREAT) of another
// user's file in /tmp fails even for root. It follows no link and waits for
// nobody: opening a FIFO would.
func (l LockFile) open() (*os.File, error) {
	const flags = os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK
	for {
		f, err := os.OpenFile(l.Path, flags, 0)
		if errors.Is(err, fs.ErrNotExist) {
			f, err = os.OpenFile(l.Path, flags|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
		}
		if errors.Is(err, unix.ELOOP) {
			return nil, fmt.Errorf("%s is a symbolic link, and a lock is a file: remove it: %w", l.Path, err)
		}
		if err != nil {
			return nil, err
		}
		if err := l.check(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return f, nil
	}
}

func (l LockFile) check(f *os.File) error {
	if l.private {
		return checkOwn(f, l.Path, 0o077)
	}
	return checkRegular(f, l.Path)
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
	exact, byInode, err := parseLocks(locks, st.Dev, st.Ino)
	if err != nil {
		return 0, err
	}
	pid = cmp.Or(exact, byInode)
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); pid > 0 && err == nil {
		return pid, nil
	}
	return inheritor(st)
}

// parseLocks finds who took the flock of a file in /proc/locks, 0 if the file
// is not there, by device and inode and by inode alone. Format (lock_get_status in fs/locks.c):
//
//	1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
//
// with the device's numbers in hexadecimal; "-> " marks waiters. Some file
// systems report another device in stat(2) than here (btrfs, overlayfs), so an
// inode that matches alone is the second choice for naming a holder.
func parseLocks(r io.Reader, dev, ino uint64) (exactly, byInode int, err error) {
	exact := fmt.Sprintf("%02x:%02x:%d", unix.Major(dev), unix.Minor(dev), ino)
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
			return pid, pid, nil
		}
		if strings.HasSuffix(f[5], ":"+strconv.FormatUint(ino, 10)) {
			byInode = pid
		}
	}
	return 0, byInode, in.Err()
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
	s := fmt.Sprintf("process %d (%s", pid, cmp.Or(tame(command), "command unknown"))
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
