package knob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// MachineLock is the right to measure on this machine: the lock of the given file,
// or, for "", the one that everybody goes by.
//
// Root's lies in /run/netab, where nobody else can make or open anything, so that
// no user can keep root waiting. An ordinary user's lies in a directory of his own
// ($XDG_RUNTIME_DIR, /run/user/UID, or /tmp/netab-UID), and gives way to root's: he
// cannot open that, but sees in /proc/locks that it is held. What no lock keeps
// apart (two users; root while a user measures; another mount namespace) OtherRuns
// finds.
func MachineLock(file string) (LockFile, error) {
	if file != "" {
		return LockFile{Path: file}, nil
	}
	return lockGrounds{run: "/run", runtime: os.Getenv("XDG_RUNTIME_DIR"), tmp: "/tmp", uid: host.OuterUID()}.lock()
}

// StateLock is the lock of the journal in a state directory. Whoever holds it has
// changed what the journal speaks of, or is about to, wherever his other lock lies.
// Without make a directory that is not there gives an error that is
// fs.ErrNotExist.
func StateLock(dir string, make bool) (LockFile, error) {
	d, err := openStateDir(dir, make)
	if err != nil {
		return LockFile{}, err
	}
	return LockFile{Path: filepath.Join(dir, lockName), private: true}, d.Close()
}

const lockName = "lock"

// lockGrounds are where locks may lie.
type lockGrounds struct {
	run, runtime, tmp string
	uid               int
}

func (g lockGrounds) lock() (LockFile, error) {
	root := filepath.Join(g.run, "netab")
	if os.Geteuid() == 0 && ownDir(g.run) == nil {
		// Others may look for the lock in there and not open it.
		err := makeOwnDir(root, 0o711)
		if !errors.Is(err, unix.EROFS) {
			return LockFile{Path: filepath.Join(root, lockName), private: true}, named("lock", err)
		}
	}
	dir := filepath.Join(g.tmp, "netab-"+strconv.Itoa(g.uid))
	for _, base := range []string{g.runtime, filepath.Join(g.run, "user", strconv.Itoa(g.uid))} {
		if filepath.IsAbs(base) && ownDir(base) == nil {
			dir = filepath.Join(base, "netab")
			break
		}
	}
	if err := makeOwnDir(dir, 0o700); err != nil {
		return LockFile{}, fmt.Errorf("lock: %w; or set XDG_RUNTIME_DIR to a directory of your own", err)
	}
	return LockFile{Path: filepath.Join(dir, lockName), private: true, before: filepath.Join(root, lockName)}, nil
}

// makeOwnDir makes a directory unless it is there, and checks that it is ours.
func makeOwnDir(dir string, mode fs.FileMode) error {
	made := os.Mkdir(dir, mode)
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return made
	}
	d, err := openOwnDir(dir)
	if err != nil {
		return err
	}
	if made == nil {
		err = d.Chmod(mode) // whatever the umask
	}
	return errors.Join(err, d.Close())
}

// ownDir checks that a directory is ours, and that nobody else can make or take
// away anything in it.
func ownDir(dir string) error {
	d, err := openOwnDir(dir)
	if err != nil {
		return err
	}
	return d.Close()
}

// openOwnDir opens a directory as ownDir checks it.
func openOwnDir(dir string) (*os.File, error) {
	d, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, unix.ENOTDIR) && isLink(dir):
		return nil, fmt.Errorf("%s is a symbolic link, and should be a directory: remove it, or name where it leads", dir)
	case err != nil:
		return nil, err
	}
	if err := checkOwned(d, dir, 0o022); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// checkOwn checks that an open file is a regular one of ours with no other name,
// of whose mode none of the forbidden bits is set.
func checkOwn(f *os.File, path string, forbidden uint32) error {
	if err := checkRegular(f, path); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	// None is left of a file that was removed since.
	if st.Nlink > 1 {
		return fmt.Errorf("%s has %d names (hard links), and should have one: look at it, and remove it", path, st.Nlink)
	}
	return checkOwned(f, path, forbidden)
}

func checkOwned(f *os.File, path string, forbidden uint32) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if uid := os.Geteuid(); int(st.Uid) != uid {
		return fmt.Errorf("%s is user %d's, and should be user %d's: look at it, and remove it", path, st.Uid, uid)
	}
	if mode := st.Mode & 0o777; mode&forbidden != 0 {
		return fmt.Errorf("%s has mode %04o, and others must not be able to change it: look at it, and chmod go-rwx it", path, mode)
	}
	return nil
}

// checkRegular refuses what is no file: a FIFO, a device, a directory.
func checkRegular(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file (%s): remove it", path, info.Mode())
	}
	return nil
}
