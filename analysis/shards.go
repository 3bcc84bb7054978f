package analysis

import (
	"fmt"
	"slices"

	"netab/analysis/confounder"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
)

// ShardMissing is the code of the warning of a question of which not all shards are here.
var ShardMissing = vocab.Doubts("shard-missing")

// A scenario's arms may be measured in shards, by several machines or in several nights.
// Every shard has the baseline, so every comparison is within one run and paired by its
// slices, and what differs between the shards' machines touches none of them. All of
// them together are one question: each shard spends the part of alpha that its arms are
// of all, so that together they spend what one run of all arms would.

// ShardsOf says whether runs are shards of one question, different ones. The error says
// what is wrong with runs that are meant to be.
func ShardsOf(runs []*results.Run) (bool, error) {
	seen := map[int]string{}
	for _, r := range runs {
		s, first := r.Header.Design.Shard, runs[0].Header.Design.Shard
		switch {
		case s == nil:
			return false, nil
		case s.Whole == "" || s.Whole != first.Whole || s.Of != first.Of:
			return false, fmt.Errorf("runs %s and %s are shards of two questions, or of one that was divided otherwise", runs[0].Header.ID, r.Header.ID)
		}
	}
	if len(runs) < 2 {
		return false, nil
	}
	parts := map[int]bool{}
	for _, r := range runs {
		parts[r.Header.Design.Shard.Part] = true
	}
	if len(parts) == 1 { // nights of one shard
		return false, nil
	}
	for _, r := range runs {
		s := r.Header.Design.Shard
		if before, again := seen[s.Part]; again {
			return false, fmt.Errorf("runs %s and %s are both shard %d of %d: name one of each", before, r.Header.ID, s.Part, s.Of)
		}
		seen[s.Part] = r.Header.ID
	}
	return true, nil
}

// JoinShards judges shards of one question (ShardsOf) and lists them as one.
func JoinShards(runs []*results.Run) Summary {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b *results.Run) int { return a.Header.Design.Shard.Part - b.Header.Design.Shard.Part })
	var out Summary
	design := runs[0].Header.Design
	design.Arms = slices.Clone(design.Arms)
	name := func(s *results.Shard) string { return fmt.Sprintf("shard %d/%d", s.Part, s.Of) }
	differs := map[string]bool{}
	var js matrix
	for i, r := range runs {
		d := r.Header.Design
		s, j := summarize(r)
		if i == 0 {
			out = s
			out.Run, out.Seed, out.Sweep, out.Warnings, out.Comparisons, out.States = "", 0, nil, nil, nil, nil
		} else {
			// Levels of a baseline that another run measured are told apart from the first's.
			base := d.Baseline
			own := base + " (" + name(d.Shard) + ")"
			for k := range s.Arms {
				if s.Arms[k].Name == base {
					s.Arms[k].Name = own
				}
			}
			for k := range s.Comparisons {
				s.Comparisons[k].Baseline = own
			}
			j.design.Arms, j.design.Baseline = slices.Clone(d.Arms), own
			for k := range j.design.Arms {
				if a := &j.design.Arms[k]; a.Name == base {
					a.Name = own
				}
			}
			design.Arms = append(design.Arms, j.design.Arms...)
			out.Arms, out.Explanations = append(out.Arms, s.Arms...), append(out.Explanations, s.Explanations...)
			out.DurationS, out.MeasuredS = out.DurationS+s.DurationS, out.MeasuredS+s.MeasuredS
			out.Trials, out.Invalid, out.Disturbed = out.Trials+s.Trials, out.Invalid+s.Invalid, out.Disturbed+s.Disturbed
			out.Converged, out.TooFewQuiet = out.Converged && s.Converged, out.TooFewQuiet || s.TooFewQuiet
			out.Ended = worstEnd(out.Ended, s.Ended)
			if s.Kernel != out.Kernel {
				out.Kernel = ""
			}
			for _, c := range confounder.Between(&results.Run{Header: runs[0].Header}, &results.Run{Header: r.Header}, []string{"arms"}) {
				if !c.Declared && !differs[c.Name] {
					differs[c.Name] = true
					c.Blocking = false // no comparison is between two shards
					out.Confounders = append(out.Confounders, c)
				}
			}
		}
		js = append(js, j)
		out.Comparisons = append(out.Comparisons, s.Comparisons...)
		for _, w := range s.Warnings {
			out.Warnings = append(out.Warnings, results.Warning{Code: w.Code, Text: name(d.Shard) + ": " + w.Text})
		}
	}
	if of := design.Shard.Of; len(runs) < of {
		out.Warnings = append([]results.Warning{{Code: ShardMissing, Text: fmt.Sprintf("%s of %d: the arms of the others are not here, and not in the answer", prose.Counted(len(runs), "shard"), of)}}, out.Warnings...)
		out.Converged = false
	}
	out.Warnings, out.Sweep = unique(out.Warnings), js.sweep()
	design.Shard = nil
	out.Answer = answer(&out, design)
	return out
}
