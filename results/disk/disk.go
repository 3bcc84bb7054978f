// Package disk is the one way in which netab writes and reads files: reports,
// run files, notes in the store, scenarios. netab runs as root, in directories
// that others can write to, on files that others made, so no other package opens
// a file by its path (TestOneWay names the exceptions).
//
// Writing: the directory is opened component by component, each looked at on the
// way; the file is made new under a random name in the opened directory, synced,
// and renamed over its place. The last component of a path is never resolved, so
// a link that somebody planted there is not written through. See Write.
//
// Reading: regular files only, so that a FIFO or a device cannot hold netab up,
// and never more of them than the caller says. See Read.
package disk

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Modes of what is made new; umask takes from them.
const (
	fileMode = 0o644
	dirMode  = 0o755
)

// Write writes a file whole or not at all: it appears in its place when all of
// it is on disk. An existing file keeps its mode; a new one has 0644 less the
// umask.
//
// What is no regular file is written to as it is, and only if it is /dev/null,
// a terminal, a pipe of the invoker's, or a descriptor that netab was started
// with (/dev/stdout, /dev/fd/63). A symbolic link is refused, unless it leads to
// one of these: what it names may be anywhere. For what is refused of root see
// OpenDir.
func Write(path string, write func(io.Writer) error) error {
	if fd, own := descriptor(path); own {
		return naming(path, writeDescriptor(fd, write))
	}
	dir, name, err := split(path)
	if err != nil {
		return naming(path, err)
	}
	d, err := OpenDir(dir)
	if err != nil {
		return naming(path, err)
	}
	defer d.Close()
	return naming(path, d.write(name, write, d.writeSpecial))
}

// naming says which file an error is of.
func naming(path string, err error) error {
	if err == nil {
		return nil
	}
	if what := "write " + path + ": "; strings.HasPrefix(err.Error(), what) {
		return err
	}
	return fmt.Errorf("write %s: %w", path, err)
}

// split splits a path into its directory and its last component.
func split(path string) (dir, name string, err error) {
	dir, name = filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	return dir, name, plain(name)
}

// plain refuses what is not the name of an entry of a directory.
func plain(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%q is not a file's name", name)
	}
	return nil
}

// descriptor says which of the descriptors that netab was started with a path
// means. Opened by that path a regular file would be another one, from its begin.
func descriptor(path string) (fd int, ok bool) {
	switch path = filepath.Clean(path); path {
	case "/dev/stdin":
		return 0, true
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if number, under := strings.CutPrefix(path, dir); under && number != "" && len(number) < 7 && strings.Trim(number, "0123456789") == "" {
			for _, digit := range number {
				fd = 10*fd + int(digit-'0')
			}
			return fd, true
		}
	}
	return 0, false
}

func writeDescriptor(fd int, write func(io.Writer) error) error {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return fmt.Errorf("descriptor %d: %w", fd, err)
	}
	f := os.NewFile(uintptr(own), fmt.Sprintf("descriptor %d", fd))
	return errors.Join(buffered(f, write), f.Close())
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// A Dir is an opened directory: whatever happens to its name, what is made in it
// is made there.
type Dir struct {
	fd    int
	path  string
	guard guard
	open  bool // to everybody, who can take away only what is theirs (sticky)
}

// OpenDir opens a directory to write in. As root, it is refused where a component
// of its path is a directory that everybody can write to (without the sticky
// bit), or a link that is not root's: anybody could put another in its place. A
// component that belongs to another user, or is writable by a group, is warned
// of once (Warn). The user who called sudo counts as root. The others may rely
// on their kernel's rules, and links in sticky directories are only followed
// where they are the user's own or the directory's owner's, as under
// fs.protected_symlinks.
func OpenDir(path string) (*Dir, error) { return openDir(path, false) }

// MakeDir is OpenDir that makes what is missing of the path.
func MakeDir(path string) (*Dir, error) { return openDir(path, true) }

func openDir(path string, create bool) (*Dir, error) {
	w := &walk{guard: current(), create: create}
	if err := w.to(path); err != nil {
		return nil, err
	}
	return &Dir{fd: w.fd, path: path, guard: w.guard, open: w.sticky}, nil
}

// Close closes it. What was made in it stays.
func (d *Dir) Close() error {
	if d.fd < 0 {
		return nil
	}
	err := unix.Close(d.fd)
	d.fd = -1
	return err
}

// Mkdir makes a directory that was not there, and opens it.
func (d *Dir) Mkdir(name string) (*Dir, error) {
	if err := plain(name); err != nil {
		return nil, err
	}
	if err := unix.Mkdirat(d.fd, name, dirMode); err != nil {
		return nil, err
	}
	w := &walk{guard: d.guard, fd: d.fd, at: d.path, kept: true, sticky: d.open}
	if err := w.enter(name); err != nil {
		return nil, err
	}
	return &Dir{fd: w.fd, path: filepath.Join(d.path, name), guard: w.guard, open: w.sticky}, nil
}

// Create makes a file that was not there, to append to.
func (d *Dir) Create(name string) (*os.File, error) {
	if err := plain(name); err != nil {
		return nil, err
	}
	fd, err := openat(d.fd, name, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT|unix.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), nil
}

// Append opens a regular file that is there, to read it and append to it. What
// somebody else put there, where everybody can, is refused of root.
func (d *Dir) Append(name string) (*os.File, error) {
	if err := plain(name); err != nil {
		return nil, err
	}
	fd, err := openat(d.fd, name, unix.O_RDWR|unix.O_APPEND|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	switch {
	case err != nil:
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		err = fmt.Errorf("it is %s, in the place of a file of netab's", kindOf(st.Mode))
	case d.open && d.guard.strict && !d.guard.trusts(st.Uid):
		err = fmt.Errorf("it belongs to user %d, in a directory that everybody can write to: root does not write there", st.Uid)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), nil
}

// Write is the function Write for a file of the directory whose name is netab's
// choice: what is no regular file there is in the way.
func (d *Dir) Write(name string, write func(io.Writer) error) error {
	if err := plain(name); err != nil {
		return err
	}
	inTheWay := func(_ string, st *unix.Stat_t, _ func(io.Writer) error) error {
		return fmt.Errorf("it is %s of user %d, in the place of a file of netab's: remove it", kindOf(st.Mode), st.Uid)
	}
	return naming(filepath.Join(d.path, name), d.write(name, write, inTheWay))
}

// Remove removes a file, or an empty directory. A link is removed, not what it
// names.
func (d *Dir) Remove(name string) error {
	if err := plain(name); err != nil {
		return err
	}
	err := unix.Unlinkat(d.fd, name, 0)
	if errors.Is(err, unix.EISDIR) {
		err = unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR)
	}
	return err
}

// Rename gives a file or directory of it a name in another, or in the same. A file
// that has the name is replaced, a directory only where it is empty.
func (d *Dir) Rename(name string, to *Dir, as string) error {
	if err := errors.Join(plain(name), plain(as)); err != nil {
		return err
	}
	return unix.Renameat(d.fd, name, to.fd, as)
}

// Sync makes the names in it survive a power cut, where it may be read.
func (d *Dir) Sync() error {
	fd, err := openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if errors.Is(err, unix.EACCES) {
		return nil // to be written in only
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := retried(func() error { return unix.Fsync(fd) }); !errors.Is(err, unix.EINVAL) { // of file systems that cannot
		return err
	}
	return nil
}

// write leaves what is no regular file to another.
func (d *Dir) write(name string, write func(io.Writer) error, special func(string, *unix.Stat_t, func(io.Writer) error) error) error {
	mode := -1 // of the file that is there
	var st unix.Stat_t
	err := unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case errors.Is(err, unix.ENOENT):
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT == unix.S_IFREG:
		if d.open && d.guard.strict && !d.guard.trusts(st.Uid) {
			return fmt.Errorf("it belongs to user %d, in a directory that everybody can write to: root does not write there; remove it, or choose another name", st.Uid)
		}
		mode = int(st.Mode & 0o777)
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return unix.EISDIR
	default:
		return special(name, &st, write)
	}
	return d.replace(name, mode, write)
}

// replace makes the file anew and renames it over its place.
func (d *Dir) replace(name string, mode int, write func(io.Writer) error) error {
	create := uint32(fileMode)
	if mode >= 0 {
		create = 0o600
	}
	f, temporary, err := d.temporary(create)
	if err != nil {
		return err
	}
	renamed := false
	defer func() { // also of a panic in write
		if !renamed {
			_ = f.Close()
			_ = unix.Unlinkat(d.fd, temporary, 0)
		}
		unfinished.Delete(place{d.fd, temporary})
	}()
	err = buffered(f, write)
	if err == nil && mode >= 0 {
		err = f.Chmod(os.FileMode(mode))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := unix.Renameat(d.fd, temporary, d.fd, name); err != nil {
		return err
	}
	renamed = true
	return d.Sync()
}

func (d *Dir) temporary(mode uint32) (*os.File, string, error) {
	name := ".netab-" + random()
	fd, err := openat(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, mode)
	if err != nil {
		return nil, "", err
	}
	unfinished.Store(place{d.fd, name}, true)
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), name, nil
}

func random() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Temporary makes a new file for its owner alone in the directory of temporary
// files, to be kept: prefix, something random, suffix.
func Temporary(prefix, suffix string) (*os.File, error) {
	d, err := OpenDir(os.TempDir())
	if err != nil {
		return nil, err
	}
	defer d.Close()
	name := prefix + random() + suffix
	fd, err := openat(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), nil
}

// unfinished are the files that are being written.
var unfinished sync.Map // place -> true

type place struct {
	dir  int
	name string
}

// Abandon removes what is half written, for a process that ends at once.
func Abandon() {
	unfinished.Range(func(key, _ any) bool {
		p := key.(place)
		_ = unix.Unlinkat(p.dir, p.name, 0)
		return true
	})
}

// writeSpecial writes to what is no regular file. It is looked at before it is
// opened: opening some devices does something already.
func (d *Dir) writeSpecial(name string, named *unix.Stat_t, write func(io.Writer) error) error {
	link := named.Mode&unix.S_IFMT == unix.S_IFLNK
	open := openat
	if link {
		if err := d.guard.link(named, d.open, d.owner()); err != nil {
			return err
		}
		open = follow
	}
	fd, err := open(d.fd, name, unix.O_PATH, 0)
	if err == nil {
		defer unix.Close(fd)
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	if link && (err != nil || !d.guard.takes(&st)) {
		to := make([]byte, 4096)
		n, _ := unix.Readlinkat(d.fd, name, to)
		return fmt.Errorf("it is a symbolic link to %q, and netab does not write through links: name the file itself, or remove the link", to[:max(n, 0)])
	}
	if err != nil {
		return err
	}
	if !d.guard.takes(&st) {
		return fmt.Errorf("it is %s of user %d: netab writes to files, /dev/null, and pipes and terminals of the user who runs it", kindOf(st.Mode), st.Uid)
	}
	f, err := reopen(fd, filepath.Join(d.path, name))
	if err != nil {
		return err
	}
	return errors.Join(buffered(f, write), f.Close())
}

// owner is the directory's.
func (d *Dir) owner() uint32 {
	var st unix.Stat_t
	_ = unix.Fstat(d.fd, &st)
	return st.Uid
}

// reopen opens what an O_PATH descriptor holds. A FIFO is waited for until
// somebody reads it.
func reopen(fd int, name string) (*os.File, error) {
	const again = 20 * time.Millisecond
	for {
		out, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENXIO) || errors.Is(err, unix.EINTR) {
			time.Sleep(again)
			continue
		}
		if err != nil {
			return nil, err
		}
		return os.NewFile(uintptr(out), name), nil
	}
}

func kindOf(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "a file"
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFIFO:
		return "a pipe (FIFO)"
	case unix.S_IFSOCK:
		return "a socket"
	case unix.S_IFLNK:
		return "a symbolic link"
	}
	return "a device"
}

// openat never follows a link at the end.
func openat(dir int, name string, flags int, mode uint32) (int, error) {
	return follow(dir, name, flags|unix.O_NOFOLLOW, mode)
}

// follow is openat that does.
func follow(dir int, name string, flags int, mode uint32) (fd int, err error) {
	err = retried(func() error { fd, err = unix.Openat(dir, name, flags|unix.O_CLOEXEC, mode); return err })
	return fd, err
}

func retried(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
