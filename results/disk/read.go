package disk

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens a regular file to read. Whatever else it is (a FIFO that nobody
// writes to, a device without an end), it is refused without waiting for it; a
// descriptor that netab was started with (/dev/stdin, /dev/fd/63) may be a pipe.
func Open(path string) (*os.File, error) {
	fd, own := descriptor(path)
	var err error
	if own {
		fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	} else {
		err = retried(func() error {
			var err error
			fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
			return err
		})
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	kind := st.Mode & unix.S_IFMT
	if kind != unix.S_IFREG && (!own || kind != unix.S_IFIFO) {
		unix.Close(fd)
		return nil, fmt.Errorf("%s is %s: want a regular file", path, kindOf(st.Mode))
	}
	return os.NewFile(uintptr(fd), path), nil
}

// Own says why a file or directory is not only this user's (or root's, or of who
// called sudo): it belongs to another, or others can write to it. A group that has
// its owner's number is the owner alone. nil = it is. A link is nobody's own.
func Own(path string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return own(path, &st)
}

func own(path string, st *unix.Stat_t) error {
	kind := st.Mode & unix.S_IFMT
	switch {
	case kind != unix.S_IFREG && kind != unix.S_IFDIR:
		return fmt.Errorf("%s is %s", path, kindOf(st.Mode))
	case !current().trusts(st.Uid):
		return fmt.Errorf("%s belongs to user %d", path, st.Uid)
	case st.Mode&0o002 != 0:
		return fmt.Errorf("everybody can write to %s", path)
	case st.Mode&0o020 != 0 && st.Gid != st.Uid && st.Gid != 0:
		return fmt.Errorf("group %d can write to %s", st.Gid, path)
	}
	return nil
}

// ErrNotOwn is the error of ReadOwn for a file that others can write.
var ErrNotOwn = errors.New("it is not only yours")

// ReadOwn is Read of a file that nobody else can write to: see Own. Another's is
// ErrNotOwn.
func ReadOwn(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if err := own(path, &st); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotOwn, err)
	}
	return readAll(f, path, most)
}

// ErrTooLarge is the error of a file with more bytes than are read.
var ErrTooLarge = errors.New("it is too large")

// Read reads all of a file of at most so many bytes.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path, most)
}

func readAll(f *os.File, path string, most int64) ([]byte, error) {
	data, err := io.ReadAll(AtMost(f, most))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// AtMost reads so many bytes; one more is ErrTooLarge.
func AtMost(r io.Reader, most int64) io.Reader { return &bounded{r, most, most} }

type bounded struct {
	r          io.Reader
	left, most int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		return n, fmt.Errorf("%w: more than the %d bytes that are read", ErrTooLarge, b.most)
	}
	b.left -= int64(n)
	return n, err
}
