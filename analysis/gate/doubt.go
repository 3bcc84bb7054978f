package gate

import (
	"slices"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
)

// doubts are the warnings of records that are not what a run writes, whatever
// their figures say: nobody knows what is missing, or which is right. Figures that
// are no hardware's are among them. No gate passes on such a record, and whoever reads
// a verdict is told.
var doubts = []vocab.Code{analysis.NotHardware, analysis.CutOff, analysis.ShardMissing, results.TrialsDiffer, results.EndsDiffer, results.TrialsMissing, results.TrialsAfterEnd}

// doubtful are checks that no figure can answer. allowed are the codes that
// somebody takes the responsibility for.
func doubtful(s *analysis.Summary, allowed []vocab.Code) []Check {
	var out []Check
	for _, w := range s.Warnings {
		if slices.Contains(doubts, w.Code) {
			k := Check{Outcome: Undecided, Plain: prose.Capital(w.Text) + ".", about: w.Code}
			if slices.Contains(allowed, w.Code) {
				k.Outcome = Passed
				k.Plain += " That is allowed here."
			}
			out = append(out, k)
		}
	}
	return out
}

// doubt is what the sentence says beside a verdict that stands all the same: a
// regression in what was measured, or a pass that was allowed.
func (g *Gate) doubt() string {
	text := ""
	for _, k := range g.Checks {
		if k.about == "" || g.Outcome == Undecided { // there the list has it
			continue
		}
		switch k.about {
		case analysis.CutOff:
			text += "; the run was CUT OFF, and what was measured until then is judged"
		case analysis.ShardMissing:
			text += "; SHARDS ARE MISSING, and only the arms of those that are here are judged"
		case analysis.NotHardware:
			text += "; NOT HARDWARE TIME, the CPUs are emulated"
		default:
			text += "; the record is not as a run writes it (" + string(k.about) + ")"
		}
	}
	return text
}
