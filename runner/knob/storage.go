package knob

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// storage is the journal's file: lines are appended and synced, and in the end
// the file is removed. It is made with the first line, so that a run which
// borrows nothing needs no state directory.
//
// What the file says is written, as root, to where it says. So it counts only as
// a file that nobody else can have written, and is looked for in a directory that
// nobody else can change: both are opened first and then checked, no link is
// followed, and everything is done under the opened directory.
type storage struct {
	path string
	dir  *os.File // open while file is
	file *os.File // nil until the first append
	size int64    // of the whole lines
	step stepper
}

// maxJournal bounds what is read of a journal, and so what is written. A moved
// device with 100,000 routes takes a third.
const maxJournal = 64 << 20

// load reads what an earlier process left. No file is an empty journal.
func (s *storage) load() (data []byte, err error) {
	dir, err := openStateDir(s.dirPath(), false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	f, err := s.openIn(dir, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err = s.read(f)
	return data, errors.Join(err, f.Close())
}

func (s *storage) dirPath() string { return filepath.Dir(s.path) }
func (s *storage) name() string    { return filepath.Base(s.path) }

// openIn opens the file under its opened directory.
func (s *storage) openIn(dir *os.File, flags int) (*os.File, error) {
	fd, err := unix.Openat(int(dir.Fd()), s.name(), flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("%s is a symbolic link, and netab makes none: look at it, and remove it", s.path)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: s.path, Err: err}
	}
	f := os.NewFile(uintptr(fd), s.path)
	// One that others can read is an older netab's, and none the worse for it.
	if err := checkOwn(f, s.path, 0o022); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s *storage) read(f *os.File) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, maxJournal+1))
	if err == nil && len(data) > maxJournal {
		err = fmt.Errorf("%s has more than the %d MiB that netab writes: look at it, and move it away", s.path, maxJournal>>20)
	}
	return data, err
}

// open makes or continues the file. A torn last line of an earlier process is
// cut off, else our first line would be glued to it.
func (s *storage) open() error {
	if s.file != nil {
		return nil
	}
	dir, err := openStateDir(s.dirPath(), true)
	if err != nil {
		return err
	}
	f, err := s.openIn(dir, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	data, err := s.read(f)
	if err == nil {
		s.size = int64(bytes.LastIndexByte(data, '\n') + 1)
		err = errors.Join(f.Chmod(0o600), f.Truncate(s.size))
	}
	if err == nil {
		err = syncDir(dir) // the file's name must survive a power cut as well
	}
	if err != nil {
		return errors.Join(err, f.Close(), dir.Close())
	}
	s.dir, s.file = dir, f
	return nil
}

// append writes lines in one go, and syncs them when what follows depends on
// it. When that fails, the file is cut back to its whole lines: a journal that
// is full must stay readable.
func (s *storage) append(durable bool, records ...record) error {
	var b bytes.Buffer
	for _, r := range records {
		line, err := r.line()
		if err != nil {
			return err
		}
		b.Write(line)
	}
	if err := s.open(); err != nil {
		return err
	}
	if s.size+int64(b.Len()) > maxJournal {
		return fmt.Errorf("it would have more than %d MiB", maxJournal>>20)
	}
	err := s.step.around("append", func() error {
		_, err := s.file.WriteAt(b.Bytes(), s.size)
		return err
	})
	if err == nil && durable {
		err = s.step.around("sync", s.file.Sync)
	}
	if err != nil {
		return errors.Join(err, s.file.Truncate(s.size))
	}
	s.size += int64(b.Len())
	return nil
}

// remove ends the journal: unlinking is atomic, and the directory is synced so
// that the file does not come back after a power cut.
func (s *storage) remove() error {
	return s.step.around("remove", func() error {
		if err := s.close(); err != nil {
			return err
		}
		return s.in(func(dir *os.File) error {
			if err := unix.Unlinkat(int(dir.Fd()), s.name(), 0); !errors.Is(err, fs.ErrNotExist) {
				return named("remove "+s.path, err)
			}
			return nil
		})
	})
}

// in does something in the state directory, if there is one, and syncs it.
func (s *storage) in(do func(dir *os.File) error) error {
	dir, err := openStateDir(s.dirPath(), false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err = do(dir); err == nil {
		err = syncDir(dir)
	}
	return errors.Join(err, dir.Close())
}

// setAside keeps the journal, under another name, for people to look at. One
// that was kept before stays.
func (s *storage) setAside(suffix string) (as string, err error) {
	if err := s.close(); err != nil {
		return "", err
	}
	err = s.in(func(dir *os.File) error {
		as = s.name() + suffix
		for n := 2; ; n++ {
			err := rename(int(dir.Fd()), s.name(), as)
			if !errors.Is(err, fs.ErrExist) {
				return named("rename "+s.path, err)
			}
			as = fmt.Sprintf("%s%s.%d", s.name(), suffix, n)
		}
	})
	return filepath.Join(s.dirPath(), as), err
}

// rename does not replace what is there; rename(2) would.
func rename(dir int, from, to string) error {
	err := unix.Renameat2(dir, from, dir, to, unix.RENAME_NOREPLACE)
	if !errors.Is(err, unix.EINVAL) {
		return err
	}
	// A file system that knows no such flag.
	if err := unix.Linkat(dir, from, dir, to, 0); err != nil {
		return err
	}
	return unix.Unlinkat(dir, from, 0)
}

func (s *storage) close() error {
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), s.dir.Close())
	s.dir, s.file, s.size = nil, nil, 0
	return err
}

// openStateDir opens the state directory, and checks that nobody else can change
// what is in it. With make it is made where it is not there, for its owner alone,
// and synced into its parent.
func openStateDir(dir string, make bool) (*os.File, error) {
	d, err := openOwnDir(dir)
	if !make || !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	if err := makeOwnDir(dir, 0o700); err != nil {
		return nil, err
	}
	parent, err := os.Open(filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(syncDir(parent), parent.Close()); err != nil {
		return nil, err
	}
	return openOwnDir(dir)
}

func syncDir(dir *os.File) error {
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir.Name(), err)
	}
	return nil
}
