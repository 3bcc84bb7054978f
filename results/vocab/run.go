package vocab

import "strings"

// A Grain is how finely the arms of a run take turns.
type Grain string

const (
	BySlice         Grain = "slice"          // arms side by side, each with namespaces of its own
	BySliceSwitched Grain = "slice-switched" // shared knobs written at slice boundaries of live flows
	ByTrial         Grain = "trial"          // a fresh setup for each arm's turn
	ByRun           Grain = "run"            // runs against runs
)

// An End is why a run ended.
type End string

const (
	Decided     End = "decided"  // every comparison has a verdict
	MaxTime     End = "max-time" // nothing else ended it before
	Enough      End = "enough"   // measure.max_bytes or max_messages were moved
	Interrupted End = "interrupted"
	AllBooted   End = "all booted" // of a campaign: every boot of its plan has an outcome, or its kernel was given up
	CutOff      End = "cut off"    // the file has no end
	failed      End = "failed"     // followed by the error
)

// FailedBy is the end of a run that an error ended.
func FailedBy(err error) End { return failed + End(": "+err.Error()) }

// Failed says whether an error ended the run.
func (e End) Failed() bool { return strings.HasPrefix(string(e), string(failed)) }

// Whole says whether the run ended as it was meant to.
func (e End) Whole() bool { return e == Decided || e == MaxTime || e == Enough || e == AllBooted }
