package analysis

import (
	"slices"

	"netab/analysis/record"
	"netab/results"
)

// A portion is how much of a trial is of a state.
type portion int

const (
	nothing portion = iota
	some
	everything
)

// portion is that of the trial at this position, if its blocks in the state are
// enough. Of what is recorded of whole trials only (whole), it is nothing where the
// trial was in another state too.
func (s *states) portion(at, state int, whole bool) portion {
	in, all := 0, 0
	for _, k := range s.blocks[at] {
		all++
		if k == state {
			in++
		}
	}
	switch {
	case whole && in < all, in == 0, in < min(partBlocks, all), float64(in) < partShare*float64(all):
		return nothing
	case in < all:
		return some
	}
	return everything
}

// in says whether a block of the trial at this position was in a state.
func (s *states) in(at, state int) func(block int) bool {
	return func(block int) bool {
		k, known := s.blocks[at][block]
		return known && k == state
	}
}

// elsewhere is why a trial is not used within a state.
const elsewhere = "in another state"

// part is the trials as they were in one state.
func (s *states) part(r *record.Record, state int, whole bool) *record.Record {
	out := &record.Record{Design: r.Design, Parts: r.Parts, Trials: slices.Clone(r.Trials)}
	for i := range out.Trials {
		t := &out.Trials[i]
		if t.Invalid != "" {
			continue
		}
		switch s.portion(i, state, whole) {
		case nothing:
			*t = t.SetAside(elsewhere)
		case some:
			*t = t.Within(s.in(i, state))
		}
	}
	return out
}

// runPart is part of a run that is compared with others.
func (s *states) runPart(trials []results.Trial, state int, whole bool) []results.Trial {
	out := slices.Clone(trials)
	for i := range out {
		t := &out[i]
		if t.Invalid != "" {
			continue
		}
		switch s.portion(i, state, whole) {
		case nothing:
			t.Invalid = elsewhere
		case some:
			in := s.in(i, state)
			t.Slices = slices.DeleteFunc(slices.Clone(t.Slices), func(sl results.Slice) bool { return !in(sl.Block) })
		}
	}
	return out
}
