package knob

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"netab/results/nesting"
)

// Kinds of lines in a journal.
const (
	kindBegin = "begin" // whose entries follow
	kindKnob  = "knob"  // a knob's value before we touch it
	kindValue = "value" // a value that we are about to write to a knob
	kindUndo  = "undo"  // anything else to be undone
	kindDone  = "done"  // an entry is back as it was

	kindDamage = "" // stands for a line that cannot be read; never written
)

// A record is one line of the journal. Which fields are set depends on Kind.
type record struct {
	Kind string `json:"kind"`
	// ID counts the knob and undo lines of a file; value and done refer to it.
	ID    int    `json:"id,omitempty"`
	Owner *Owner `json:"owner,omitempty"` // begin

	// Site is on every knob and undo line, so that they need no begin line to be
	// understood. Older netabs did not write it.
	Site *Site `json:"site,omitempty"`

	Place  string  `json:"place,omitempty"` // knob: see At
	Spec   *Spec   `json:"spec,omitempty"`
	Before *string `json:"before,omitempty"`
	With   string  `json:"with,omitempty"` // knob: changed by the kernel along with that one

	Value *string `json:"value,omitempty"` // value

	Undo string          `json:"undo,omitempty"` // undo: its kind
	What string          `json:"what,omitempty"` // undo: for people
	Data json.RawMessage `json:"data,omitempty"`

	Note string `json:"note,omitempty"` // done
}

// An Owner is the run that the entries after a begin line belong to.
type Owner struct {
	Run     string    `json:"run"`
	PID     int       `json:"pid"`
	Start   uint64    `json:"start"` // of the process, in ticks since boot: tells a reused PID
	BootID  string    `json:"boot_id"`
	Version string    `json:"version"` // of netab
	Began   time.Time `json:"began"`
}

// parseJournal reads a journal. The lines are in order, so whatever is whole
// was on disk before the change that it speaks of.
//
// A last line that is not whole is the trace of a crash while it was written:
// the change that it announces never happened, because a knob is only written
// after its line is synced. It is dropped; torn says so. A damaged line
// elsewhere is nothing that netab makes; it is told in faults, and a line of
// kindDamage stands for it, so that the others can still be restored.
func parseJournal(r io.Reader) (lines []record, faults []string, torn bool, err error) {
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return lines, faults, len(text) > 0, nil
		}
		if err != nil {
			return nil, nil, false, err
		}
		rec, err := parseRecord(bytes.TrimSpace(text))
		if err != nil {
			faults = append(faults, fmt.Sprintf("line %d: %s", n, oneLine(err)))
			lines = append(lines, record{Kind: kindDamage})
			continue
		}
		lines = append(lines, rec)
	}
}

// parseRecord reads one line and checks that what its kind needs is there.
func parseRecord(text []byte) (record, error) {
	var r record
	if len(text) >= maxLine || nesting.JSONPast(text, maxDepth) > 0 {
		return r, errors.New("not a journal line: longer or deeper than netab writes any")
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("not a journal line: %v", err)
	}
	complete := false
	switch r.Kind {
	case kindBegin:
		complete = r.Owner != nil
	case kindKnob:
		complete = r.ID > 0 && r.Spec != nil && r.Before != nil
	case kindValue:
		complete = r.ID > 0 && r.Value != nil
	case kindUndo:
		complete = r.ID > 0 && r.Undo != ""
	case kindDone:
		complete = r.ID > 0
	}
	if !complete || r.ID < 0 || r.ID > maxID {
		return r, fmt.Errorf("incomplete or unknown line of kind %q", r.Kind)
	}
	if r.Kind == kindBegin || r.Kind == kindValue {
		return r, r.check() // that of the others is told of their entry
	}
	return r, nil
}
