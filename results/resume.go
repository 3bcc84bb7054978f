package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"netab/results/vocab"
)

// A Resumption is a line of a run that went on after it had ended, or was cut off: the
// trials behind it are of the same question, on the same machine, of a random order of
// their own. What the looks before it had spent of alpha stands in it, for an end that
// stood before it counts no more.
type Resumption struct {
	Type    string    `json:"type"`   // "resumed"
	Trials  int       `json:"trials"` // that were measured before
	Started time.Time `json:"started"`
	// Stopped is when the last trial before ended; in between nothing was measured.
	Stopped time.Time `json:"stopped"`
	After   vocab.End `json:"after"` // how the run had ended
	// BootID is of the boot that it went on in.
	BootID   string  `json:"boot_id,omitempty"`
	ElapsedS float64 `json:"elapsed_s"`  // measured before, pauses left out
	MaxTimeS float64 `json:"max_time_s"` // of the whole run from here on
	// Alpha is what the looks from here on may spend; Looks are those before.
	Alpha float64 `json:"alpha"`
	Looks []Look  `json:"looks,omitempty"`
	// Extends: those before had spent all of it, so that this is a second chance.
	Extends bool     `json:"extends,omitempty"`
	Command []string `json:"command,omitempty"`

	Unknown Unknown `json:"-"`
}

// PauseS is for how long nothing was measured.
func (r *Resumption) PauseS() float64 {
	if r.Stopped.IsZero() {
		return 0
	}
	return max(0, r.Started.Sub(r.Stopped).Seconds())
}

// UnmarshalJSON keeps members that are not of this version in r.Unknown.
func (r *Resumption) UnmarshalJSON(data []byte) error {
	type plain Resumption
	return unmarshalKeeping(data, (*plain)(r), &r.Unknown)
}

// MarshalJSON writes r and what is in r.Unknown.
func (r Resumption) MarshalJSON() ([]byte, error) {
	type plain Resumption
	return marshalWith(plain(r), r.Unknown)
}

// LastResumed is where the run went on for the last time; nil = it never did.
func (r *Run) LastResumed() *Resumption {
	if len(r.Resumed) == 0 {
		return nil
	}
	return &r.Resumed[len(r.Resumed)-1]
}

// OtherBoot says whether some part of the run was measured in another boot than the
// first.
func (r *Run) OtherBoot() bool {
	for _, x := range r.Resumed {
		if x.BootID != r.Header.Machine.BootID {
			return true
		}
	}
	return false
}

// resumed makes what follows a part of the run.
func (in *reader) resumed(n int, line []byte) error {
	var x Resumption
	if err := json.Unmarshal(line, &x); err != nil {
		return lineError(n, err)
	}
	if err := in.totals.check(&x); err != nil {
		return lineError(n, err)
	}
	for i := range in.run.Resumed {
		known, err := json.Marshal(in.run.Resumed[i])
		if again, _ := json.Marshal(x); err == nil && bytes.Equal(known, again) {
			in.repeated++
			return nil
		}
	}
	if x.Trials != len(in.run.Trials) {
		return lineError(n, fmt.Errorf("the run went on after %d trials, and %d stand before it", x.Trials, len(in.run.Trials)))
	}
	in.run.Resumed, in.run.End = append(in.run.Resumed, x), nil
	return nil
}

// Resume opens a run to go on with it: what its record holds, and the writer of what
// follows. A last line that was cut off is taken away.
func Resume(path string) (w *Writer, run *Run, err error) {
	w = &Writer{lines{what: "run file"}}
	if err := w.reopen(path, RunFile, maxFile, func(path string) (err error) { run, err = ReadFile(path); return err }); err != nil {
		return nil, nil, err
	}
	return w, run, nil
}

// AppendResumption says that the run goes on. x is added to run, which was read from the
// same record, and its end counts no more.
func (w *Writer) AppendResumption(run *Run, x Resumption) error {
	x.Type, x.Trials = "resumed", len(run.Trials)
	if err := w.append(x); err != nil {
		return err
	}
	run.Resumed, run.End = append(run.Resumed, x), nil
	return nil
}
