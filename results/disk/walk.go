package disk

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Warn is told, once each, of what is off with a directory that root writes in.
var Warn = func(text string) { fmt.Fprintln(os.Stderr, "netab: warning:", text) }

var warned sync.Map // text -> true

// A guard knows whose directories and links may be gone through.
type guard struct {
	strict bool // this is root, and there are others
	uid    uint32
	sudo   int // who called sudo, and their group; -1 = nobody
	group  int
}

// current is the guard of this process.
func current() guard {
	g := guard{uid: uint32(os.Geteuid()), sudo: -1, group: -1}
	if g.uid != 0 || alone() {
		return g
	}
	g.strict = true
	if id, err := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 31); err == nil {
		g.sudo = int(id)
		if id, err := strconv.ParseUint(os.Getenv("SUDO_GID"), 10, 31); err == nil {
			g.group = int(id)
		}
	}
	return g
}

// alone says that there is nobody else in this user namespace: it is one that an
// ordinary user made, who is no more than that outside.
func alone() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(data))
	return err == nil && len(fields) == 3 && fields[2] == "1"
}

// trusts says whether a user is this one, root, or who became root.
func (g guard) trusts(uid uint32) bool {
	return uid == g.uid || uid == 0 || int64(uid) == int64(g.sudo)
}

// dir looks at a directory that stands on the way.
func (g guard) dir(path string, st *unix.Stat_t) error {
	if !g.strict {
		return nil
	}
	loose := st.Mode&unix.S_ISVTX == 0
	switch {
	case st.Mode&0o002 != 0 && loose:
		return fmt.Errorf("everybody can write to the directory %s, and so put another file in place of one that root writes: take that from others (chmod o-w), or choose another place", path)
	case !g.trusts(st.Uid):
		g.warn("the directory %s belongs to user %d, who can change or replace what root writes there", path, st.Uid)
	case st.Mode&0o020 != 0 && loose && st.Gid != 0 && int64(st.Gid) != int64(g.group):
		g.warn("group %d can write to the directory %s, and so change or replace what root writes there", st.Gid, path)
	}
	return nil
}

func (g guard) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if _, said := warned.LoadOrStore(text, true); !said {
		Warn(text)
	}
}

// link looks at a symbolic link in a directory that everybody can write to
// (sticky) or not, and whose owner is so.
func (g guard) link(st *unix.Stat_t, sticky bool, owner uint32) error {
	if g.trusts(st.Uid) || !g.strict && (!sticky || st.Uid == owner) {
		return nil
	}
	return fmt.Errorf("it is a symbolic link of user %d, who can turn it to any file: it is not followed; remove it, or choose another name", st.Uid)
}

// Numbers of devices (Linux's Documentation/admin-guide/devices.txt).
const (
	memory         = 1 // null 3, zero 5, full 7
	consoles       = 4
	terminals      = 5
	pseudoFirst    = 136
	pseudoLast     = 143
	currentConsole = 0 // of terminals: /dev/tty
)

// takes says whether what is no regular file may be written to.
func (g guard) takes(st *unix.Stat_t) bool {
	major, minor := unix.Major(st.Rdev), unix.Minor(st.Rdev)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return g.trusts(st.Uid)
	case unix.S_IFCHR:
		switch {
		case major == memory:
			return minor == 3 || minor == 5 || minor == 7
		case major == terminals && minor == currentConsole:
			return true
		case major == consoles, major == terminals, pseudoFirst <= major && major <= pseudoLast:
			return g.trusts(st.Uid)
		}
	}
	return false
}

// A walk goes along a path and holds the directory where it is.
type walk struct {
	guard  guard
	create bool
	fd     int
	kept   bool // fd is somebody else's to close
	at     string
	sticky bool // everybody can write there, and take away only what is theirs
	owner  uint32
	links  int
}

const maxLinks = 40 // as the kernel's

// to goes to a path. Root looks at all that is above the working directory too;
// others may not be able to go there.
func (w *walk) to(path string) error {
	if path == "" {
		return unix.ENOENT
	}
	start := "/"
	if !filepath.IsAbs(path) {
		if w.guard.strict {
			here, err := workingDirectory()
			if err != nil {
				return err
			}
			path = here + "/" + path
		} else {
			start = "."
		}
	}
	if err := w.begin(start); err != nil {
		return err
	}
	if err := w.through(path); err != nil {
		w.drop()
		return err
	}
	return nil
}

// workingDirectory is where it is, not by which links somebody came there.
func workingDirectory() (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Getcwd(buf)
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	here := string(bytes.TrimRight(buf[:n], "\x00"))
	if !filepath.IsAbs(here) { // "(unreachable)/..."
		return "", fmt.Errorf("working directory: %q is out of reach", here)
	}
	return here, nil
}

func (w *walk) begin(path string) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	return w.arrive(fd, path)
}

func (w *walk) through(path string) error {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		if err := w.enter(name); err != nil {
			return err
		}
	}
	return nil
}

// enter goes one component further.
func (w *walk) enter(name string) error {
	path := w.at + "/" + name
	if w.at == "/" {
		path = "/" + name
	}
	const directory = unix.O_PATH | unix.O_DIRECTORY
	fd, err := openat(w.fd, name, directory, 0)
	if errors.Is(err, unix.ENOENT) && w.create {
		if err = unix.Mkdirat(w.fd, name, dirMode); err == nil || errors.Is(err, unix.EEXIST) {
			fd, err = openat(w.fd, name, directory, 0)
		}
	}
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return w.follow(name, path)
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	return w.arrive(fd, path)
}

// follow goes where a link names.
func (w *walk) follow(name, path string) error {
	fd, err := openat(w.fd, name, unix.O_PATH, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return &os.PathError{Op: "open", Path: path, Err: unix.ENOTDIR}
	}
	if w.links++; w.links > maxLinks {
		return &os.PathError{Op: "open", Path: path, Err: unix.ELOOP}
	}
	if err := w.guard.link(&st, w.sticky, w.owner); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return &os.PathError{Op: "readlink", Path: path, Err: err}
	}
	target := string(buf[:n])
	if filepath.IsAbs(target) {
		if err := w.begin("/"); err != nil {
			return err
		}
	}
	return w.through(target)
}

// arrive makes fd where the walk is.
func (w *walk) arrive(fd int, path string) error {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	if err == nil {
		err = w.guard.dir(path, &st)
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	w.drop()
	w.fd, w.kept, w.at = fd, false, path
	w.sticky, w.owner = st.Mode&0o002 != 0 && st.Mode&unix.S_ISVTX != 0, st.Uid
	return nil
}

func (w *walk) drop() {
	if w.at != "" && !w.kept {
		unix.Close(w.fd)
	}
	w.at = ""
}
