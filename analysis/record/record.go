// Package record is the trials of a run made ready to be judged and drawn: each arm's
// counted slices are put together once, by trial and by block, and whoever estimates,
// tells states apart or shows something asks the arm. A record holds every slice of a
// trial in one row, of which an arm's are one in so many.
//
// It copies nothing of the record, changes nothing in it, and judges nothing.
package record

import (
	"cmp"
	"slices"

	"netab/results"
)

// A Record is trials of one design, in order of time.
type Record struct {
	Design results.Design
	Trials []Trial
	Parts  Parts
}

// Parts are what the sessions of trials are.
type Parts int

const (
	Sessions Parts = iota // spread over time, to hear of a longer one
	Resumed               // before and after a pause that nobody meant
	Boots                 // each of a boot of its own
)

// A Trial is one of them, with what each arm left in it.
type Trial struct {
	*results.Trial
	At   int // position in the record
	arms []Arm
}

// An Arm is what one arm left in one trial.
type Arm struct {
	Seen    *results.ArmTrial // nil = nothing was recorded of it
	Valid   []*results.Slice  // its slices that are not invalid, in order of time
	Counted []*results.Slice  // those of them that have a counted part
	Blocks  []Block           // the same by block, in order
}

// A Block is an arm's counted slices in one block.
type Block struct {
	Number  int
	Counted []*results.Slice
}

// Counts says whether a slice does.
func Counts(s *results.Slice) bool { return s.Invalid == "" && s.CountedNS > 0 }

// Of makes the record of a design's trials. Slices of arms that the design lacks are
// in none.
func Of(d results.Design, trials []results.Trial) *Record {
	r := &Record{Design: d, Trials: make([]Trial, len(trials))}
	for i := range trials {
		r.Trials[i] = Trial{Trial: &trials[i], At: i, arms: armsOf(&trials[i], len(d.Arms))}
	}
	return r
}

// Valid are those of the trials that are to be used.
func (r *Record) Valid() []*Trial {
	out := make([]*Trial, 0, len(r.Trials))
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Invalid == "" {
			out = append(out, t)
		}
	}
	return out
}

// Only is the record of some of its trials; nothing is put together anew.
func (r *Record) Only(want func(t *Trial) bool) *Record {
	out := &Record{Design: r.Design, Parts: r.Parts}
	for i := range r.Trials {
		if t := r.Trials[i]; want(&t) {
			t.At = len(out.Trials)
			out.Trials = append(out.Trials, t)
		}
	}
	return out
}

// Rests says whether an arm was left out of the trial, of a design whose arms may be.
func (t *Trial) Rests(arm int) bool { return len(t.Order) > 0 && !slices.Contains(t.Order, arm) }

// Arm is what an arm left in the trial: nothing, if it has no such arm.
func (t *Trial) Arm(index int) *Arm {
	if index < 0 || index >= len(t.arms) {
		return &Arm{}
	}
	return &t.arms[index]
}

// armsOf puts together what each arm left. A record may be damaged: arms may be missing,
// there twice, or of no design.
func armsOf(t *results.Trial, n int) []Arm {
	arms := make([]Arm, n)
	for i := range t.Arms {
		if of := t.Arms[i].Arm; of >= 0 && of < n && arms[of].Seen == nil {
			arms[of].Seen = &t.Arms[i]
		}
	}
	valid := func(s *results.Slice) bool { return s.Arm >= 0 && s.Arm < n && s.Invalid == "" }
	many := make([]int, n)
	for k := range t.Slices {
		if s := &t.Slices[k]; valid(s) {
			many[s.Arm]++
		}
	}
	for i, n := range many {
		arms[i].Valid = make([]*results.Slice, 0, n)
	}
	for k := range t.Slices {
		if s := &t.Slices[k]; valid(s) {
			arms[s.Arm].Valid = append(arms[s.Arm].Valid, s)
		}
	}
	for i := range arms {
		a := &arms[i]
		a.Counted = filter(a.Valid, Counts)
		a.Blocks = blocksOf(a.Counted)
	}
	return arms
}

// filter is the list itself where all are wanted.
func filter(list []*results.Slice, want func(*results.Slice) bool) []*results.Slice {
	unwanted := func(s *results.Slice) bool { return !want(s) }
	if !slices.ContainsFunc(list, unwanted) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), unwanted)
}

func blocksOf(counted []*results.Slice) []Block {
	byBlock := func(a, b *results.Slice) int { return cmp.Compare(a.Block, b.Block) }
	if !slices.IsSortedFunc(counted, byBlock) {
		counted = slices.Clone(counted)
		slices.SortStableFunc(counted, byBlock)
	}
	blocks := make([]Block, 0, len(counted))
	for from, to := 0, 0; from < len(counted); from = to {
		for to < len(counted) && counted[to].Block == counted[from].Block {
			to++
		}
		blocks = append(blocks, Block{counted[from].Block, counted[from:to]})
	}
	return blocks
}

// SetAside is the trial as one that must not be used, for a reason.
func (t Trial) SetAside(why string) Trial {
	invalid := *t.Trial
	invalid.Invalid = why
	t.Trial = &invalid
	return t
}

// Within is the trial with what its arms left in some of its blocks. What is recorded
// of whole trials stays.
func (t Trial) Within(want func(block int) bool) Trial {
	arms := slices.Clone(t.arms)
	for i := range arms {
		a := &arms[i]
		in := func(s *results.Slice) bool { return want(s.Block) }
		a.Valid, a.Counted = filter(a.Valid, in), filter(a.Counted, in)
		a.Blocks = slices.DeleteFunc(slices.Clone(a.Blocks), func(b Block) bool { return !want(b.Number) })
	}
	t.arms = arms
	return t
}
