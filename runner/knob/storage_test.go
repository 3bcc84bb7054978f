package knob

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFailedAppendLeavesWholeLines: of several lines that failed, none may
// stick out behind a shorter one that is appended later.
func TestFailedAppendLeavesWholeLines(t *testing.T) {
	fail := ""
	s := storage{path: filepath.Join(t.TempDir(), fileName), step: func(step string) error {
		if step == fail {
			return unix.EIO
		}
		return nil
	}}
	long := record{Kind: kindUndo, ID: 2, Undo: "file", What: strings.Repeat("x", 100)}
	short := record{Kind: kindDone, ID: 1}
	must(t, s.append(true, short))
	for _, fail = range []string{"append:after", "sync:before", "sync:after"} {
		if err := s.append(true, long, long, long); err == nil {
			t.Fatalf("%s: no error", fail)
		}
		if info, err := os.Stat(s.path); err != nil || info.Size() != s.size {
			t.Errorf("%s: %d bytes, %v; want %d", fail, info.Size(), err, s.size)
		}
	}
	fail = ""
	must(t, s.append(true, short))
	must(t, s.close())
	data, err := s.load()
	must(t, err)
	lines, faults, torn, err := parseJournal(strings.NewReader(string(data)))
	if len(lines) != 2 || len(faults) > 0 || torn || err != nil {
		t.Errorf("%d lines, faults %v, torn %v, %v", len(lines), faults, torn, err)
	}
}

func TestTornLineIsCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), fileName)
	whole := `{"kind":"done","id":1}` + "\n"
	must(t, os.WriteFile(path, []byte(whole+`{"kind":"undo","id":2,"und`), 0o600))
	s := storage{path: path}
	must(t, s.open())
	if got, err := os.ReadFile(path); err != nil || string(got) != whole {
		t.Errorf("%q, %v", got, err)
	}
	must(t, s.close())
}
