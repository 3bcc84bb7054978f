package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"netab/results/vocab"
)

// SchemaBisection names the format of a bisection's record.
const SchemaBisection = "netab/bisection/1"

// BisectionFile is the name of the record in a bisection's directory, which has it in
// place of a run file.
const BisectionFile = "bisection.jsonl"

// The limits of a bisection's record.
const (
	maxBisection = 64 << 20 // bytes
	maxChanges   = 1 << 17
)

// A Bisection is a search for the change at which a cost moved. Its record is what was
// done in its order; whoever goes on does the same again in mind (package
// analysis/culprit), and is where it was.
type Bisection struct {
	Dir    string
	Header BisectionHeader
	Events []BisectionEvent
	End    *BisectionEnd // nil = it was cut off, or goes on
	// ReadWarnings are what reading found, not stored.
	ReadWarnings []Warning
}

// A BisectionHeader is the first line.
type BisectionHeader struct {
	Type     string          `json:"type"` // "bisection"
	Schema   string          `json:"schema"`
	ID       string          `json:"id"`
	Scenario json.RawMessage `json:"scenario"` // as parsed, overrides applied
	Source   string          `json:"source"`
	Name     string          `json:"name"` // of the scenario
	Mode     string          `json:"mode"` // "count" or "time"
	Arm      string          `json:"arm"`  // whose cost it is
	Metric   string          `json:"metric"`
	Unit     string          `json:"unit"`           // of a cost
	AtLeast  float64         `json:"at_least"`       // of the change of the cost that matters
	Most     int             `json:"most_tests"`     // altogether
	Repo     string          `json:"repo,omitempty"` // "" = the changes are kernels
	Build    string          `json:"build,omitempty"`
	Config   string          `json:"config,omitempty"` // the file's content
	Changes  []Change        `json:"changes"`          // the first is known to be good, the last to be bad
	Netab    Build           `json:"netab"`
	Command  []string        `json:"command"`
	Started  time.Time       `json:"started"`
	Host     *Machine        `json:"host,omitempty"`
	Guest    *Guest          `json:"guest,omitempty"`
}

// In what costs are told.
const (
	ModeCount = "count" // instructions
	ModeTime  = "time"
)

// A Change is a commit, or a kernel of a list.
type Change struct {
	ID      string    `json:"id"` // the commit's hash, or how the kernel is named
	Subject string    `json:"subject,omitempty"`
	Author  string    `json:"author,omitempty"`
	Date    time.Time `json:"date,omitzero"`
	Files   []string  `json:"files,omitempty"`  // that it touches
	Weight  float64   `json:"weight,omitempty"` // how likely it is beforehand; the first has none
}

// A BisectionEvent is a line of what was done.
type BisectionEvent struct {
	Type   string    `json:"type"` // "made", "skipped", "test"
	Change int       `json:"change"`
	Code   string    `json:"code,omitempty"`  // of what was made: a digest
	Built  string    `json:"built,omitempty"` // where it is, from the bisection's directory, or the kernel's name
	Text   string    `json:"text,omitempty"`  // why it was skipped
	Seed   uint64    `json:"seed,omitempty"`  // of a test
	Cost   float64   `json:"cost,omitempty"`  // its logarithm
	Ended  time.Time `json:"ended"`
	TookS  float64   `json:"took_s,omitempty"`
}

// The types of events.
const (
	EventMade    = "made"
	EventSkipped = "skipped"
	EventTest    = "test"
)

// A BisectionEnd says why nothing more was done.
type BisectionEnd struct {
	Type   string    `json:"type"` // "end"
	Ended  time.Time `json:"ended"`
	Reason vocab.End `json:"reason"`
}

// IsBisection says whether a path that Resolve returned is that of a bisection.
func IsBisection(path string) bool { return filepath.Base(path) == BisectionFile }

// BisectionStore is where bisections are kept: their runs are no history of anything,
// and so are not among the store's own.
func (s *Store) BisectionStore() string { return filepath.Join(s.dir, bisectionDir) }

// Bisection is the path of the record that a person means: its id, a prefix that only one
// has, a path, or "latest".
func (s *Store) Bisection(ref string) (string, error) {
	if path := filepath.Join(ref, BisectionFile); ref != "" && isFile(path) {
		return path, nil
	}
	dirs, err := os.ReadDir(s.BisectionStore())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("list the bisections: %w", err)
	}
	var found []string
	var last time.Time
	for _, d := range dirs {
		started, ok := idStart(d.Name())
		switch {
		case !d.IsDir() || validID(d.Name()) != nil:
		case ref == "latest" && ok && started.After(last):
			found, last = []string{d.Name()}, started
		case ref != "" && strings.HasPrefix(d.Name(), ref):
			found = append(found, d.Name())
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d bisections %q in %s, want one", len(found), ref, s.BisectionStore())
	}
	return filepath.Join(s.BisectionStore(), found[0], BisectionFile), nil
}

const bisectionDir = ".bisection"

// A BisectionWriter appends to the record of a bisection. Only one at a time has one.
type BisectionWriter struct{ lines }

// CreateBisection makes the directory store/id with a record that has a header.
func CreateBisection(store, id string, h BisectionHeader) (*BisectionWriter, error) {
	if err := validID(id); err != nil {
		return nil, err
	}
	h.Type, h.Schema, h.ID = "bisection", SchemaBisection, id
	if err := checkChanges(&h); err != nil {
		return nil, fmt.Errorf("bisection %s: %w", id, err)
	}
	w := &BisectionWriter{lines{what: "bisection", path: filepath.Join(store, id, BisectionFile)}}
	if err := w.begin(store, id, h); err != nil {
		return nil, err
	}
	if err := w.alone(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// ResumeBisection opens a bisection to go on with it. A last line that was cut off is
// taken away.
func ResumeBisection(path string) (w *BisectionWriter, b *Bisection, err error) {
	w = &BisectionWriter{lines{what: "bisection"}}
	if err := w.reopen(path, BisectionFile, maxBisection, func(path string) (err error) { b, err = ReadBisection(path); return err }); err != nil {
		return nil, nil, err
	}
	return w, b, nil
}

// Event appends one.
func (w *BisectionWriter) Event(e BisectionEvent) error { return w.append(e) }

// End appends why nothing more follows, and closes the record.
func (w *BisectionWriter) End(e BisectionEnd) error {
	e.Type = "end"
	return errors.Join(w.append(e), w.Close())
}

// ReadBisection reads the record of a bisection, by its path or that of its directory,
// as ReadCampaign does a campaign's.
func ReadBisection(path string) (*Bisection, error) {
	b := &Bisection{}
	var err error
	if b.Dir, err = readRecord("bisection", path, BisectionFile, b.read); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bisection) read(r io.Reader) error {
	sums := make(totals)
	if err := eachLine(r, maxBisection, func(n int, line []byte) error { return b.add(n, line, sums) }, func(n, size int) {
		b.ReadWarnings = append(b.ReadWarnings, Warning{Code: codeTruncated, Text: fmt.Sprintf(
			"line %d, the last, was cut off after %d bytes and is not used; the bisection was ended hard, the %d lines before are whole", n, size, n-1)})
	}); err != nil {
		return err
	}
	if b.Header.Type == "" {
		return errors.New("empty: a bisection starts with its header")
	}
	return nil
}

func (b *Bisection) add(n int, line []byte, sums totals) error {
	kind, err := kindOf(n, line, "bisection", "the header of the bisection")
	if err != nil {
		return err
	}
	switch kind.Type {
	case "bisection":
		if err := checkSchema(kind.Schema, SchemaBisection, "bisection"); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := json.Unmarshal(line, &b.Header); err != nil {
			return lineError(n, err)
		}
		if err := sums.check(&b.Header); err != nil {
			return lineError(n, err)
		}
		return lineError(n, checkChanges(&b.Header))
	case EventMade, EventSkipped, EventTest:
		var e BisectionEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return lineError(n, err)
		}
		if err := sums.check(&e); err != nil {
			return lineError(n, err)
		}
		if e.Change < 0 || e.Change >= len(b.Header.Changes) {
			return lineError(n, &outOfRange{"change", fmt.Sprintf("%d is out of range: there are %d", e.Change, len(b.Header.Changes))})
		}
		if e.Built != "" && b.Header.Repo != "" && !filepath.IsLocal(e.Built) {
			return lineError(n, &outOfRange{"built", fmt.Sprintf("%q is outside of the bisection's directory", e.Built)})
		}
		b.Events, b.End = append(b.Events, e), nil
	case "end":
		var e BisectionEnd
		if err := json.Unmarshal(line, &e); err != nil {
			return lineError(n, err)
		}
		b.End = &e
	case "":
		return fmt.Errorf(`line %d: a record without "type"`, n)
	}
	return nil
}

func checkChanges(h *BisectionHeader) error {
	if n := len(h.Changes); n < 2 || n > maxChanges {
		return &outOfRange{"changes", fmt.Sprintf("%d changes, want 2 to %d: a good one and a bad one", n, maxChanges)}
	}
	for i, c := range h.Changes {
		if strings.TrimSpace(c.ID) == "" || c.Weight < 0 {
			return &outOfRange{fmt.Sprintf("changes[%d]", i), "it has no id, or a negative weight"}
		}
	}
	return nil
}
