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

	// What follows is of trials of events.

	// Drops are packets that the kernel threw away in the arms' slices, settle parts and
	// warm-up included, as ledgers are; Ledgers are those of the same stretch.
	Drops   []DropPlace    `json:"drops,omitempty"`
	Ledgers map[int]Ledger `json:"ledgers,omitempty"` // by arm, of those that have one
	// Scheduling, Interrupts and Locks are of the roles' threads in watched slices.
	Scheduling []RoleScheduling `json:"scheduling,omitempty"`
	Interrupts []SentInterrupt  `json:"interrupts_sent,omitempty"`
	Locks      []LockWait       `json:"locks,omitempty"`
	// Overflow is how many events found no room, and are missing from all these.
	Overflow int64 `json:"overflow,omitempty"`
	// Withheld says of parts of the instrument why this machine does not tell them:
	// "drops", "reasons", "namespaces", "scheduling", "interrupts", "locks", "counters",
	// "user".
	Withheld map[string]string `json:"withheld,omitempty"`

	Unknown Unknown `json:"-"`
}

// Samples are stacks of what a role's threads did on some CPUs, and of what came on
// their back.
type Samples struct {
	Role vocab.Owner `json:"role"`
	CPUs []int       `json:"sampled_cpus"`
	// EveryNS is the time between two of a timer; 0 = a counter of cycles was used.
	EveryNS   int64    `json:"every_ns,omitempty"`
	Lost      int64    `json:"lost_samples,omitempty"`
	Functions []string `json:"functions"`
	// Sizes are how many bytes each function has in the kernel's table of symbols, up to
	// where the next one begins; 0 = not known. Of two kernels they say which functions
	// are other ones.
	Sizes  []int64       `json:"sizes,omitempty"`
	Stacks []SampleStack `json:"stacks"`
}

// A SampleStack is how often one was seen in an arm's slices. No functions = in user
// space.
type SampleStack struct {
	Arm int `json:"arm"`
	// CPU is where; nil = the only one that was sampled, or, of several, not told.
	CPU *int `json:"cpu,omitempty"`
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
	// Watched: the programs of a trial of events were on. Its other slices tell what
	// they cost.
	Watched bool   `json:"watched,omitempty"`
	Invalid string `json:"invalid,omitempty"`
	// Canaries of the settle part before; nil = none were measured. They are where the
	// run before told several states of the machine apart.
	Canaries *Canaries `json:"canaries,omitempty"`
	// SourceCounted and SinkCounted are what the CPUs' own counters told of the roles'
	// threads; nil = they were not read.
	SourceCounted *HardwareCounts `json:"source_counted,omitempty"`
	SinkCounted   *HardwareCounts `json:"sink_counted,omitempty"`
}

// HardwareCounts are of a role's threads in a slice, in the kernel and in user space; a
// counter that the machine does not have, or that had no turn, is nil. Where there are
// more of them than the CPU can count at once, they take turns, and are scaled.
type HardwareCounts struct {
	Cycles       *int64 `json:"cycles,omitempty"`
	Instructions *int64 `json:"instructions,omitempty"`
	CacheRefs    *int64 `json:"cache_references,omitempty"` // of the last level
	CacheMisses  *int64 `json:"cache_misses,omitempty"`
}

// A DropPlace is where packets of an arm's slices were thrown away.
type DropPlace struct {
	Arm    int    `json:"arm"`
	Reason string `json:"reason,omitempty"` // the kernel's, as SOCKET_RCVBUFF; "" = before Linux 5.17
	Place  string `json:"place"`            // the kernel's function
	// Namespace is that of the "source" or the "sink", of "both", or another's ("other");
	// "" = not known.
	Namespace string `json:"namespace,omitempty"`
	Packets   int64  `json:"packets"`
}

// A RoleScheduling is how a role's threads came to run, and to stop.
type RoleScheduling struct {
	Arm         int         `json:"arm"`
	Role        vocab.Owner `json:"role"`
	Wakeups     int64       `json:"wakeups"`
	Runs        int64       `json:"runs"` // switches to its threads
	Migrations  int64       `json:"migrations"`
	Preemptions int64       `json:"preemptions"`
	// PreemptedBy is by whom: "source", "sink", "netab", or a process's name.
	PreemptedBy map[string]int64 `json:"preempted_by,omitempty"`
	// WakeLatency is from a wake-up to running. Its buckets are eighths of a power of two.
	WakeLatency *Histogram `json:"wake_latency,omitempty"`
}

// A SentInterrupt is one that a CPU sent another while a role had it, on its back too.
type SentInterrupt struct {
	Arm  int         `json:"arm"`
	Role vocab.Owner `json:"role"`
	From string      `json:"from"`           // the function that sends it
	Call string      `json:"call,omitempty"` // that is called there; "" = it wakes the CPU
	N    int64       `json:"n"`
}

// A LockWait is waiting for a lock while a role had the CPU, or slept for it.
type LockWait struct {
	Arm    int         `json:"arm"`
	Role   vocab.Owner `json:"role"`
	Kind   string      `json:"kind"`           // spinlock, mutex, rwlock, ...
	Lock   string      `json:"lock,omitempty"` // its name; "" = it is no variable of the kernel's own, but in an object
	Caller string      `json:"caller"`         // the innermost function that is none of locking
	N      int64       `json:"n"`
	NS     int64       `json:"ns"`
}

// A RoleTime is what a role's threads had of all CPUs, by context: their own ("task"),
// interrupts ("irq") and softirqs by vector ("net_rx", ...) that ran on their back.
type RoleTime struct {
	NS map[string]int64 `json:"ns"`
	// Events are how often a program of the accounting ran in each context.
	Events   map[string]int64 `json:"events,omitempty"`
	Switches int64            `json:"switches,omitempty"` // away from its threads
	// UserNS is how much of "task" was in user space; nil = not told.
	UserNS *int64 `json:"user_ns,omitempty"`
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
	if err := eventsOf(e, arms); err != nil {
		return err
	}
	if e.Samples == nil {
		return nil
	}
	if sizes, functions := len(e.Samples.Sizes), len(e.Samples.Functions); sizes > 0 && sizes != functions {
		return &outOfRange{"samples.sizes", fmt.Sprintf("%d sizes of %d functions", sizes, functions)}
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

// eventsOf holds what a trial of events tells against the number of arms.
func eventsOf(e *Explain, arms int) error {
	for i := range e.Drops {
		if arm := e.Drops[i].Arm; arm >= arms {
			return noArm("drops[%d].arm", i, arm, arms)
		}
	}
	for arm := range e.Ledgers {
		if arm < 0 || arm >= arms {
			return noArm("ledgers[%d]", arm, arm, arms)
		}
	}
	for i := range e.Scheduling {
		if arm := e.Scheduling[i].Arm; arm >= arms {
			return noArm("scheduling[%d].arm", i, arm, arms)
		}
	}
	for i := range e.Interrupts {
		if arm := e.Interrupts[i].Arm; arm >= arms {
			return noArm("interrupts_sent[%d].arm", i, arm, arms)
		}
	}
	for i := range e.Locks {
		if arm := e.Locks[i].Arm; arm >= arms {
			return noArm("locks[%d].arm", i, arm, arms)
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
