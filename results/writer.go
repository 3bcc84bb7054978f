package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"netab/results/disk"
)

// RunFile is the name of the run file in a run's directory.
const RunFile = "run.jsonl"

// A Writer appends the records of one run to its file, a line each. A line is
// one write followed by fsync: what was appended without an error is on disk,
// whatever happens next. It is for one goroutine.
type Writer struct{ lines }

// A lines is a file that records are appended to, a line each.
type lines struct {
	what  string // "run file", for its errors
	path  string
	file  *os.File
	size  int64 // of the whole lines
	count int
}

// Create makes the directory store/id with a run file that holds the header,
// and the store itself if need be. It never touches an existing run, and takes
// away the note that one was begun (Store.Attempt). Type,
// Schema and ID of the header are filled in.
func Create(store, id string, h Header) (*Writer, error) {
	if err := validID(id); err != nil {
		return nil, err
	}
	h.Type, h.Schema, h.ID = "header", SchemaRun, id
	w := &Writer{lines{what: "run file", path: filepath.Join(store, id, RunFile)}}
	if err := w.begin(store, id, h); err != nil {
		return nil, err
	}
	// From here on the record says what became of the run.
	if err := (&Store{dir: store}).recorded(h.Source, h.Design.Name, h.Started); err != nil {
		return nil, errors.Join(fmt.Errorf("the run store: %w", err), w.Close())
	}
	return w, nil
}

// begin makes the directory of an id, and in it the file with its header.
func (w *lines) begin(store, id string, header any) error {
	in, err := disk.MakeDir(store)
	if err != nil {
		return fmt.Errorf("make the run store: %w", err)
	}
	defer in.Close()
	dir, err := in.Mkdir(id)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("run %s is already in the store %s; give the new run another id: %w", id, store, err)
	}
	if err != nil {
		return fmt.Errorf("make the run's directory %s: %w", filepath.Join(store, id), err)
	}
	defer dir.Close()
	if err = w.create(dir, header); err == nil {
		// The names must survive a power cut too, not only the content.
		err = errors.Join(dir.Sync(), in.Sync())
	}
	if err != nil {
		// Nothing was measured yet: leave no empty run behind.
		_ = w.Close()
		_ = dir.Remove(filepath.Base(w.path))
		_ = in.Remove(id)
	}
	return err
}

func (w *lines) create(dir *disk.Dir, header any) error {
	f, err := dir.Create(filepath.Base(w.path))
	if err != nil {
		return fmt.Errorf("make the %s %s: %w", w.what, w.path, err)
	}
	w.file = f
	return w.append(header)
}

// Dir is the run's directory.
func (w *lines) Dir() string { return filepath.Dir(w.path) }

// AppendTrial appends a trial. After an error the trials before it are still
// whole in the file, and appending may be tried again.
func (w *Writer) AppendTrial(t Trial) error {
	t.Type = "trial"
	return w.append(t)
}

// End appends the last line and closes the file.
func (w *Writer) End(e End) error {
	e.Type = "end"
	return errors.Join(w.append(e), w.Close())
}

// Close closes the file without an end: the run counts as cut off. It does
// nothing after End.
func (w *lines) Close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

func (w *lines) append(record any) error {
	line, err := encodeLine(record)
	if err != nil {
		return fmt.Errorf("%s %s: %w", w.what, w.path, err)
	}
	return w.write(line)
}

// write appends a whole line.
func (w *lines) write(line []byte) error {
	if w.file == nil {
		return fmt.Errorf("%s %s: append after its end", w.what, w.path)
	}
	_, err := w.file.Write(line)
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		// Take the torn line away again; if that fails too, the reader skips it.
		_ = w.file.Truncate(w.size)
		return w.appendError(err)
	}
	w.size += int64(len(line))
	w.count++
	return nil
}

func (w *lines) appendError(err error) error {
	return fmt.Errorf("write line %d of the %s: %w (the %d lines before it are safe)%s", w.count+1, w.what, err, w.count, spaceHint(err))
}

// spaceHint says what to do where there is no room, and nothing elsewhere.
func spaceHint(err error) string {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return "; free some space, or choose another --store"
	}
	return ""
}

// encodeLine is a record as one line. encoding/json would write <, > and & of
// a question as \u003c; a person reads these files too.
func encodeLine(record any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(record); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// WriteTo writes the run as a run file, lines of unknown types where they
// stood.
func (r *Run) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	foreign, resumed := r.Foreign, r.Resumed
	put := func(record any) error {
		line, err := encodeLine(record)
		b.Write(line)
		return err
	}
	for i := -1; i < len(r.Trials); i++ {
		var err error
		if i < 0 {
			h := r.Header
			h.Type, h.Schema = "header", cmp.Or(h.Schema, SchemaRun)
			err = put(h)
		} else {
			t := r.Trials[i]
			t.Type = "trial"
			err = put(t)
		}
		for err == nil && len(resumed) > 0 && resumed[0].Trials <= i+1 {
			x := resumed[0]
			x.Type, resumed = "resumed", resumed[1:]
			err = put(x)
		}
		if err != nil {
			return 0, err
		}
		for len(foreign) > 0 && foreign[0].Trials <= i+1 {
			b.Write(append(bytes.Clone(foreign[0].Raw), '\n'))
			foreign = foreign[1:]
		}
	}
	for _, e := range r.Explains {
		e.Type = "explain"
		if err := put(e); err != nil {
			return 0, err
		}
	}
	if r.End != nil {
		e := *r.End
		e.Type = "end"
		if err := put(e); err != nil {
			return 0, err
		}
	}
	return b.WriteTo(w)
}

// ErrGoingOn is under the error of a record that another process writes.
var ErrGoingOn = errors.New("another netab writes its record")

// alone takes the record for this process. It is let go with the file.
func (w *lines) alone() error {
	err := unix.Flock(int(w.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("%s %s is going on: %w", w.what, filepath.Dir(w.path), ErrGoingOn)
	}
	if err != nil {
		return fmt.Errorf("lock the %s %s: %w", w.what, filepath.Dir(w.path), err)
	}
	return nil
}

// mend makes a record that was read ready to be appended to: a torn last line goes, a
// whole one gets its end.
func (w *lines) mend(most int64) error {
	data, err := io.ReadAll(disk.AtMost(w.file, most))
	if err != nil {
		return fmt.Errorf("read the %s %s: %w", w.what, w.path, err)
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	if whole < len(data) {
		// A reader uses a last line that lacks nothing but its end.
		if json.Valid(data[whole:]) {
			w.size, w.count = int64(len(data)), bytes.Count(data, []byte("\n"))
			return w.write([]byte("\n"))
		}
		if err := w.file.Truncate(int64(whole)); err != nil {
			return fmt.Errorf("take the torn last line of the %s %s away: %w", w.what, w.path, err)
		}
	}
	w.size, w.count = int64(whole), bytes.Count(data, []byte("\n"))
	return nil
}

// reopen opens a record in the directory of path to go on with it: read reads what it
// holds while nobody else can write, and a torn last line is taken away.
func (w *lines) reopen(path, file string, most int64, read func(path string) error) error {
	if filepath.Base(path) == file {
		path = filepath.Dir(path)
	}
	dir, err := disk.OpenDir(path)
	if err != nil {
		return fmt.Errorf("open the %s: %w", w.what, err)
	}
	defer dir.Close()
	w.path = filepath.Join(path, file)
	if w.file, err = dir.Append(file); err != nil {
		return fmt.Errorf("open the %s %s: %w", w.what, w.path, err)
	}
	if err = w.alone(); err == nil {
		err = read(w.path)
	}
	if err == nil {
		err = w.mend(most)
	}
	if err != nil {
		return errors.Join(err, w.Close())
	}
	return nil
}
