package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netab/results/disk"
)

// An Attempt is a run that was begun, and of which nothing is recorded: it
// failed before there was anything to keep, or is being prepared. Without a
// trace of it, "latest" would be the run before, and a job that measures and
// then judges would judge what was measured yesterday.
type Attempt struct {
	Started  time.Time `json:"started"`
	Source   string    `json:"source"`             // of the scenario, as in Header; "" = not known
	Scenario string    `json:"scenario,omitempty"` // by name, where it came to be known
	Error    string    `json:"error,omitempty"`    // why nothing is recorded; "" = it is being prepared, or was killed

	file string
}

// attempts are files of their own, one a source, so that another scenario's run
// does not cover up that this one failed. Lists of runs do not see them.
const attemptPattern = ".attempt-*.json"

// maxNote bounds a note, bytes.
const maxNote = 1 << 20

func (s *Store) attemptFile(source string) string {
	return filepath.Join(s.dir, fmt.Sprintf(".attempt-%08x.json", crc32.ChecksumIEEE([]byte(source))))
}

// Attempt notes that a run is begun, in place of an earlier attempt at the same
// source. The run that is recorded next takes the note away (Create). A store
// that does not exist yet has no earlier run to be taken for this one, and gets
// no note.
func (s *Store) Attempt(a Attempt) error {
	if info, err := os.Stat(s.dir); err != nil || !info.IsDir() {
		return nil
	}
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	dir, err := disk.OpenDir(s.dir)
	if err != nil {
		return fmt.Errorf("note in the run store that a run is begun: %w", err)
	}
	defer dir.Close()
	name := filepath.Base(s.attemptFile(a.Source))
	err = dir.Write(name, func(w io.Writer) error { _, err := w.Write(append(data, '\n')); return err })
	if err == nil {
		return nil
	}
	// On a full disk an empty file says enough.
	if f, again := dir.Create(name); again == nil {
		_ = f.Close()
	}
	return fmt.Errorf("note in the run store that a run is begun: %w%s", err, spaceHint(err))
}

// AttemptFailed adds to the note of an attempt why it failed, unless something
// was recorded: then that says it.
func (s *Store) AttemptFailed(a Attempt, err error) error {
	if _, gone := os.Lstat(s.attemptFile(a.Source)); gone != nil {
		return nil
	}
	a.Error = err.Error()
	return s.Attempt(a)
}

// attempts are those that left a note. One that cannot be read counts too, from
// when it was written.
func (s *Store) attempts() []Attempt {
	files, _ := filepath.Glob(filepath.Join(s.dir, attemptPattern))
	var out []Attempt
	for _, file := range files {
		var a Attempt
		data, err := disk.Read(file, maxNote)
		if err == nil {
			err = json.Unmarshal(data, &a)
		}
		if info, gone := os.Lstat(file); err != nil && gone == nil {
			a = Attempt{Started: info.ModTime()}
		} else if err != nil {
			continue
		}
		a.file = file
		out = append(out, a)
	}
	return out
}

// recorded takes away the notes of attempts that a run which is recorded now
// has made good: of a source, or a scenario of that name, begun by then.
func (s *Store) recorded(source, scenario string, started time.Time) error {
	var errs []error
	for _, a := range s.attempts() {
		again := a.file == s.attemptFile(source) || a.Scenario != "" && a.Scenario == scenario
		if !again || a.Started.After(started) {
			continue
		}
		if err := s.remove(filepath.Base(a.file)); !isNotExist(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (s *Store) remove(name string) error {
	dir, err := disk.OpenDir(s.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Remove(name)
}

// lastAttempt is the newest after a time that may be at a scenario ("" = any):
// one whose scenario is not known may be at every one.
func (s *Store) lastAttempt(scenario string, after time.Time) (Attempt, bool) {
	all := slices.DeleteFunc(s.attempts(), func(a Attempt) bool {
		return !a.Started.After(after) || scenario != "" && a.Scenario != "" && a.Scenario != scenario
	})
	if len(all) == 0 {
		return Attempt{}, false
	}
	return slices.MaxFunc(all, func(a, b Attempt) int { return a.Started.Compare(b.Started) }), true
}

// err says that a run was begun after another one.
func (a Attempt) err() error {
	what := "a run"
	if name := a.Scenario; name != "" {
		what += " of " + name
	} else if a.Source != "" {
		what += " of " + strings.TrimPrefix(a.Source, "builtin:")
	}
	why := "nothing is recorded of it: it is being prepared, or it was killed"
	if a.Error != "" {
		why = "it failed before anything was recorded: " + a.Error
	}
	return fmt.Errorf("%s was begun later, at %s, and %s", what, a.Started.Local().Format(time.DateTime), why)
}
