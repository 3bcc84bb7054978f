package knob

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// storage is the journal's file: lines are appended and synced, and in the end
// the file is removed. It is made with the first line, so that a run which
// borrows nothing needs no state directory.
type storage struct {
	path string
	file *os.File // nil until the first append
	size int64    // of the whole lines
	step stepper
}

// load reads what an earlier process left. No file is an empty journal.
func (s *storage) load() (data []byte, err error) {
	data, err = os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// open makes or continues the file. A torn last line of an earlier process is
// cut off, else our first line would be glued to it.
func (s *storage) open() error {
	if s.file != nil {
		return nil
	}
	dir := filepath.Dir(s.path)
	if err := makeDir(dir); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(f)
	if err == nil {
		s.size = int64(bytes.LastIndexByte(data, '\n') + 1)
		err = f.Truncate(s.size)
	}
	if err == nil {
		err = syncDir(dir) // the file's name must survive a power cut as well
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.file = f
	return nil
}

// append writes lines in one go, and syncs them when what follows depends on
// it. When that fails, the file is cut back to its whole lines: a journal that
// is full must stay readable.
func (s *storage) append(sync bool, records ...record) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b) // one line each
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	if err := s.open(); err != nil {
		return err
	}
	err := s.step.around("append", func() error {
		_, err := s.file.WriteAt(b.Bytes(), s.size)
		return err
	})
	if err == nil && sync {
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
		if err := os.Remove(s.path); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		return syncDir(filepath.Dir(s.path))
	})
}

// setAside keeps the journal, under another name, for people to look at. One
// that was kept before stays.
func (s *storage) setAside(suffix string) (as string, err error) {
	if err := s.close(); err != nil {
		return "", err
	}
	as = s.path + suffix
	for n := 2; ; n++ {
		// rename(2) would replace what is there.
		err := os.Link(s.path, as)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		as = fmt.Sprintf("%s%s.%d", s.path, suffix, n)
	}
	if err := os.Remove(s.path); err != nil {
		return "", err
	}
	return as, syncDir(filepath.Dir(s.path))
}

func (s *storage) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file, s.size = nil, 0
	return err
}

// makeDir makes the state directory, and syncs its parent when it is new.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
