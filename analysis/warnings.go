package analysis

import (
	"fmt"
	"regexp"
	"slices"

	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
)

// CutOff is the code of the warning of a run that has no end.
var CutOff = vocab.Doubts("cut-off")

var (
	codeInvalidTrials = vocab.Warns("invalid-trials")
	codeInvalidSlices = vocab.Warns("invalid-slices")
	codeInterrupted   = vocab.Doubts("interrupted")
	codeFailed        = vocab.Doubts("failed")
	codeRestoreFailed = vocab.Doubts("restore-failed")
)

// carried collects the warnings that the record holds already: of the header,
// of reading, of the trials (once each, with how many trials have it), of the
// end, and the notes of arms.
func carried(run *results.Run) []results.Warning {
	ws := foreseen(run)
	ws = append(ws, run.ReadWarnings...)
	ws = append(ws, armNotes(run.Header.Design.Arms)...)
	ws = append(ws, ofTrials(run.Trials)...)
	ws = append(ws, invalid(run.Trials)...)
	return append(ws, ending(run.End)...)
}

// foreseen are the warnings of the checks before measuring, without those whose
// subject the record itself tells better: conditions says what was stolen while
// slices ran, not in a moment before, and which kernel it was.
func foreseen(run *results.Run) []results.Warning {
	told := map[vocab.Code]bool{codeCPUSteal: true, codeDebugKernel: len(run.Header.Machine.Debug) > 0,
		"cpu-quota": slices.ContainsFunc(run.Trials, func(t results.Trial) bool { return t.Invalid == "" && t.Host.ThrottledNS > 0 })}
	return slices.DeleteFunc(slices.Clone(run.Header.Warnings), func(w results.Warning) bool { return told[w.Code] })
}

// armNotes says each note once, for all arms that have it.
func armNotes(arms []results.Arm) []results.Warning {
	var ws []results.Warning
	of := map[string][]string{}
	var order []string
	for _, a := range arms {
		for _, note := range a.Notes {
			if of[note] == nil {
				order = append(order, note)
			}
			of[note] = append(of[note], a.Name)
		}
	}
	for _, note := range order {
		who := of[note][0]
		if more := len(of[note]) - 1; more > 0 {
			who += fmt.Sprintf(" and %d more %s", more, prose.Plural(more, "arm"))
		}
		ws = append(ws, results.Warning{Code: codeArmNote, Text: who + ": " + note})
	}
	return ws
}

// digits: figures differ from trial to trial in what is the same warning.
var digits = regexp.MustCompile(`[0-9]+([.,][0-9]+)*`)

func ofTrials(trials []results.Trial) []results.Warning {
	type seen struct {
		first  results.Warning
		trials int
		last   int
		differ bool
	}
	byKey := map[string]*seen{}
	var order []*seen
	for i := range trials {
		for _, w := range trials[i].Warnings {
			key := string(w.Code) + "\x00" + digits.ReplaceAllString(w.Text, "#")
			s := byKey[key]
			if s == nil {
				s = &seen{first: w, last: -1}
				byKey[key] = s
				order = append(order, s)
			}
			if s.last != i {
				s.last = i
				s.trials++
			}
			s.differ = s.differ || w.Text != s.first.Text
		}
	}
	var ws []results.Warning
	for _, s := range order {
		where := fmt.Sprintf(" (in %d of %d trials)", s.trials, len(trials))
		if s.differ {
			where = fmt.Sprintf(" (in %d of %d trials; figures of the first)", s.trials, len(trials))
		}
		ws = append(ws, results.Warning{Code: s.first.Code, Text: s.first.Text + where})
	}
	return ws
}

// invalid counts what was recorded but must not be used.
func invalid(trials []results.Trial) []results.Warning {
	var badTrials, badSlices, all int
	var trialWhy, sliceWhy string
	for i := range trials {
		t := &trials[i]
		if t.Invalid != "" {
			badTrials++
			trialWhy = first(trialWhy, t.Invalid)
			continue
		}
		for k := range t.Slices {
			all++
			if why := t.Slices[k].Invalid; why != "" {
				badSlices++
				sliceWhy = first(sliceWhy, why)
			}
		}
	}
	var ws []results.Warning
	if badTrials > 0 {
		ws = append(ws, results.Warning{Code: codeInvalidTrials, Text: fmt.Sprintf(
			"%d of %d trials are not used; first reason: %s", badTrials, len(trials), trialWhy)})
	}
	if badSlices > 0 {
		ws = append(ws, results.Warning{Code: codeInvalidSlices, Text: fmt.Sprintf(
			"%d of %d slices are not counted; first reason: %s", badSlices, all, sliceWhy)})
	}
	return ws
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func ending(end *results.End) []results.Warning {
	if end == nil {
		return []results.Warning{{Code: CutOff, Text: "the run was cut off: the file ends without an end record; `netab restore` puts settings back that it may have left changed"}}
	}
	ws := append([]results.Warning{}, end.Warnings...)
	switch {
	case end.Reason == vocab.Interrupted:
		ws = append(ws, results.Warning{Code: codeInterrupted, Text: "the run was interrupted; what had been measured is judged"})
	case end.Reason.Failed():
		ws = append(ws, results.Warning{Code: codeFailed, Text: "the run ended early: " + string(end.Reason)})
	}
	for _, e := range end.RestoreErrors {
		ws = append(ws, results.Warning{Code: codeRestoreFailed, Text: "not put back: " + e})
	}
	return ws
}

// unique drops repeated warnings, keeping the first.
func unique(ws []results.Warning) []results.Warning {
	seen := map[results.Warning]bool{}
	out := []results.Warning{}
	for _, w := range ws {
		if !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}
