package results

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"netab/results/disk"
	"netab/results/vocab"
)

// An Explain is a trial that was measured after the verdict, with more instruments, to
// tell where the time goes. Nothing of it counts in a verdict: instruments cost, and
// they cost one arm more than another. Its line may stand anywhere behind the header.
type Explain struct {
	Type       string           `json:"type"` // "explain"
	Index      int              `json:"index"`
	Started    time.Time        `json:"started"`
	Instrument vocab.Instrument `json:"instrument"`
	// Invalid says why it tells nothing; "" = it does.
	Invalid string         `json:"invalid,omitempty"`
	RunNS   int64          `json:"run_ns"`
	Slices  []ExplainSlice `json:"slices,omitempty"`
	CPUs    []ExplainCPU   `json:"cpus,omitempty"`
	// Absent are interrupts that the kernel has no tracepoints of: their time is counted
	// as that of whom they interrupted.
	Absent []string `json:"absent,omitempty"`
	// AttachNS is how long switching the accounting on took, the longest.
	AttachNS int64     `json:"attach_ns,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
	// Samples are of the accounted slices; nil = none were taken.
	Samples *Samples `json:"samples,omitempty"`

	Unknown Unknown `json:"-"`
}

// Samples are stacks of what a role's threads did on some CPUs, and of what came on
// their back.
type Samples struct {
	Role vocab.Owner `json:"role"`
	CPUs []int       `json:"sampled_cpus"`
	// EveryNS is the time between two of a timer; 0 = a counter of cycles was used.
	EveryNS   int64         `json:"every_ns,omitempty"`
	Lost      int64         `json:"lost_samples,omitempty"`
	Functions []string      `json:"functions"`
	Stacks    []SampleStack `json:"stacks"`
}

// A SampleStack is how often one was seen in an arm's slices. No functions = in user
// space.
type SampleStack struct {
	Arm int `json:"arm"`
	// Frames are indices of Functions, the innermost first.
	Frames []int `json:"frames,omitempty"`
	N      int64 `json:"n"`
}

// An ExplainSlice is a slice, with whose the CPUs' time was in its counted part.
type ExplainSlice struct {
	Block     int   `json:"block"`
	Arm       int   `json:"arm"`
	StartNS   int64 `json:"start_ns"`
	CountedNS int64 `json:"counted_ns"`
	Counts
	// Source and Sink are nil where the accounting was off. That is so in some blocks, so
	// that its cost is known: they were measured without it, unless Between says that it
	// was being switched.
	Source  *RoleTime `json:"source,omitempty"`
	Sink    *RoleTime `json:"sink,omitempty"`
	Between bool      `json:"between,omitempty"`
	Invalid string    `json:"invalid,omitempty"`
}

// A RoleTime is what a role's threads had of all CPUs, by context: their own ("task"),
// interrupts ("irq") and softirqs by vector ("net_rx", ...) that ran on their back.
type RoleTime struct {
	NS map[string]int64 `json:"ns"`
	// Events are how often a program of the accounting ran in each context.
	Events   map[string]int64 `json:"events,omitempty"`
	Switches int64            `json:"switches,omitempty"` // away from its threads
}

// An ExplainCPU is a CPU's time in the accounted slices of an arm, by owner, then
// context. All of it together is CountedNS.
type ExplainCPU struct {
	CPU       int                              `json:"cpu"`
	Arm       int                              `json:"arm"`
	CountedNS int64                            `json:"counted_ns"`
	NS        map[vocab.Owner]map[string]int64 `json:"ns"`
}

// UnmarshalJSON keeps members that are not of this version in e.Unknown.
func (e *Explain) UnmarshalJSON(data []byte) error {
	type plain Explain
	return unmarshalKeeping(data, (*plain)(e), &e.Unknown)
}

// MarshalJSON writes e and what is in e.Unknown.
func (e Explain) MarshalJSON() ([]byte, error) {
	type plain Explain
	return marshalWith(plain(e), e.Unknown)
}

// AppendExplain appends an explain trial, as AppendTrial does a trial.
func (w *Writer) AppendExplain(e Explain) error {
	e.Type = "explain"
	return w.append(e)
}

// explain holds an explain trial of a design of so many arms against the limits.
func (t totals) explain(e *Explain, arms int) error {
	if err := t.check(e); err != nil {
		return err
	}
	for i := range e.Slices {
		if arm := e.Slices[i].Arm; arm >= arms {
			return noArm("slices[%d].arm", i, arm, arms)
		}
	}
	for i := range e.CPUs {
		if arm := e.CPUs[i].Arm; arm >= arms {
			return noArm("cpus[%d].arm", i, arm, arms)
		}
	}
	if e.Samples == nil {
		return nil
	}
	for i := range e.Samples.Stacks {
		s := &e.Samples.Stacks[i]
		if s.Arm >= arms {
			return noArm("samples.stacks[%d].arm", i, s.Arm, arms)
		}
		for _, f := range s.Frames {
			if f < 0 || f >= len(e.Samples.Functions) {
				return &outOfRange{fmt.Sprintf("samples.stacks[%d].frames", i), fmt.Sprintf("%d is out of range: there are %d functions", f, len(e.Samples.Functions))}
			}
		}
	}
	return nil
}

// Continue opens the file of a run that has ended, to append explain trials to it.
func Continue(path string) (*Writer, error) {
	w := &Writer{lines{what: "run file", path: path}}
	dir, err := disk.OpenDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("open the run's directory: %w", err)
	}
	defer dir.Close()
	if w.file, err = dir.Append(filepath.Base(path)); err != nil {
		return nil, fmt.Errorf("open the run file %s: %w", path, err)
	}
	info, err := w.file.Stat()
	if err == nil {
		w.size = info.Size()
		whole := false
		if whole, err = endsLine(w.file, w.size); err == nil && !whole {
			err = errors.New("its last line was cut off: measure the run anew")
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("run file %s: %w", path, err), w.Close())
	}
	return w, nil
}
