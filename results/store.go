package results

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Store is a directory of runs, one directory each. It holds nothing else
// that matters: the index beside them (see Index) only saves time and is made
// anew where it does not fit, so runs may be copied in and deleted by hand.
type Store struct{ dir string }

// An Entry is one run of a store's list.
type Entry struct {
	ID       string
	Path     string // the run's directory
	Scenario string
	Kernel   string
	Started  time.Time
	Trials   int
	Reason   string // as in End, "cut off" without one
	Err      error  // why this run cannot be read; the rest is then what the id tells
}

// Open opens a store. A directory that does not exist is an empty store: the
// first run makes it.
func Open(dir string) (*Store, error) {
	info, err := os.Stat(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the run store: %w", err)
	}
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("run store %s is not a directory", dir)
	}
	return &Store{dir: dir}, nil
}

// List lists all runs by their start, the oldest first. A run that cannot be
// read is listed with its error. Only the ends of each file are read.
func (s *Store) List() ([]Entry, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(ids))
	for i, id := range ids {
		entries[i] = s.entry(id)
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	return entries, nil
}

// ids lists the directories that are runs, whole or broken.
func (s *Store) ids() ([]string, error) {
	dirs, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the run store: %w", err)
	}
	var ids []string
	for _, d := range dirs {
		if d.IsDir() && validID(d.Name()) == nil {
			ids = append(ids, d.Name())
		}
	}
	return ids, nil
}

func (s *Store) entry(id string) Entry {
	e := Entry{ID: id, Path: filepath.Join(s.dir, id)}
	o, err := readOutline(filepath.Join(e.Path, RunFile))
	if err != nil {
		e.Started, _ = idStart(id)
		e.Err = err
		return e
	}
	e.Scenario, e.Kernel, e.Started = o.header.Design.Name, o.header.Machine.Kernel, o.header.Started
	e.Trials, e.Reason = o.trials, o.reason
	return e
}

// Resolve finds the run that a person means by ref: an id, a prefix that only
// one id has, the path of a run's directory or file, or "latest". It returns
// the path of the run file.
func (s *Store) Resolve(ref string) (string, error) {
	if ref == "" {
		return "", errors.New("no run named: give an id, a prefix of one, a path, or latest")
	}
	if ref == "latest" {
		return s.latest()
	}
	if file := filepath.Join(s.dir, ref, RunFile); validID(ref) == nil && isFile(file) {
		return file, nil
	}
	if file := filepath.Join(ref, RunFile); isFile(file) {
		return file, nil
	}
	if isFile(ref) {
		return ref, nil
	}
	if strings.ContainsRune(ref, filepath.Separator) {
		return "", fmt.Errorf("no run at %s: want a run's directory or its %s", ref, RunFile)
	}
	return s.byPrefix(ref)
}

func (s *Store) byPrefix(prefix string) (string, error) {
	ids, err := s.ids()
	if err != nil {
		return "", err
	}
	var found []string
	for _, id := range ids {
		if strings.HasPrefix(id, prefix) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no run %q in %s; `netab results` lists them", prefix, s.dir)
	case 1:
		return filepath.Join(s.dir, found[0], RunFile), nil
	}
	const shown = 5
	more := ""
	if n := len(found) - shown; n > 0 {
		found, more = found[:shown], fmt.Sprintf(" and %d more", n)
	}
	return "", fmt.Errorf("run %q is ambiguous: %s%s", prefix, strings.Join(found, ", "), more)
}

// latest is the newest run that can be read. The time comes from the id where
// it has one, so that one header is read and not ten thousand; runs of the
// same second are told apart by their headers.
func (s *Store) latest() (string, error) {
	ids, err := s.ids()
	if err != nil {
		return "", err
	}
	type run struct {
		file  string
		start time.Time
	}
	var runs []run
	for _, id := range ids {
		file := filepath.Join(s.dir, id, RunFile)
		start, ok := idStart(id)
		if !ok {
			h, err := readHeader(file)
			if err != nil {
				continue
			}
			start = h.Started.Truncate(time.Second)
		}
		runs = append(runs, run{file, start})
	}
	slices.SortFunc(runs, func(a, b run) int { return b.start.Compare(a.start) })
	var best run
	var started time.Time
	for _, r := range runs {
		if best.file != "" && r.start.Before(best.start) {
			break
		}
		h, err := readHeader(r.file)
		if err == nil && (best.file == "" || h.Started.After(started)) {
			best, started = r, h.Started
		}
	}
	if best.file == "" {
		return "", fmt.Errorf("no readable run in %s yet; `netab run` makes one", s.dir)
	}
	return best.file, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
