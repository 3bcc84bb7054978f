package html

import (
	"fmt"
	"slices"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/report"
	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

// A whyView is an explanation, as tables: they say all of it without a script.
type whyView struct {
	Arm, Baseline, Text, Unit string
	Tables                    []whyTable
	Notes                     []string
}

// A whyTable is parts of one kind. One that is Folded is for readers who ask.
type whyTable struct {
	Title  string
	Folded bool
	Rows   []whyRow
}

// A whyRow is a part. Surely: it differs beyond chance.
type whyRow struct {
	Name, From, To, Change, Interval string
	Surely                           bool
}

func newWhyViews(s analysis.Summary) (out []whyView) {
	for _, e := range s.Explanations {
		v := whyView{Arm: e.Arm, Baseline: e.Baseline, Text: e.Text, Unit: e.Unit, Notes: e.Notes}
		v.add("By context", false, e.Parts, func(p why.Part) bool { return p.Category == "" })
		v.add("By what it does", false, e.Parts, func(p why.Part) bool { return p.Category != "" && p.Context == "" })
		v.add("By context and what it does", true, e.Parts, func(p why.Part) bool { return p.Category != "" && p.Context != "" && p.Function == "" })
		v.add("By function", true, e.Parts, func(p why.Part) bool { return p.Function != "" })
		out = append(out, v)
	}
	return out
}

func (v *whyView) add(title string, folded bool, parts []why.Part, of func(why.Part) bool) {
	t := whyTable{Title: title, Folded: folded}
	for _, p := range parts {
		if of(p) {
			t.Rows = append(t.Rows, whyRow{Name: report.PartName(p), From: prose.Number(p.From), To: prose.Number(p.To), Change: prose.Signed(p.Delta),
				Interval: prose.Signed(p.Lo) + " to " + prose.Signed(p.Hi), Surely: p.Significant})
		}
	}
	if len(t.Rows) > 0 {
		v.Tables = append(v.Tables, t)
	}
}

// A backView is on whose back each CPU ran softirqs, ms a second, by arm.
type backView struct {
	Owners []string
	Rows   []backRow
}

type backRow struct {
	Arm, CPU string
	Cells    []string
}

// newBackView sums the explain trials of a run; nil = it has none that tell it.
func newBackView(run *results.Run) *backView {
	owners := []vocab.Owner{vocab.SourceTime, vocab.SinkTime, vocab.BesideTime, vocab.KsoftirqdTime, vocab.MeasuringTime, vocab.OthersTime, vocab.IdleTime}
	type at struct{ arm, cpu int }
	wall, ns := map[at]int64{}, map[at]map[vocab.Owner]int64{}
	var order []at
	for i := range run.Explains {
		x := &run.Explains[i]
		if x.Invalid != "" {
			continue
		}
		for _, c := range x.CPUs {
			k := at{c.Arm, c.CPU}
			if ns[k] == nil {
				ns[k] = map[vocab.Owner]int64{}
				order = append(order, k)
			}
			wall[k] += c.CountedNS
			for owner, contexts := range c.NS {
				for context, n := range contexts {
					if context != "task" && context != "irq" {
						ns[k][owner] += n
					}
				}
			}
		}
	}
	if len(order) == 0 {
		return nil
	}
	slices.SortFunc(order, func(a, b at) int {
		if a.arm != b.arm {
			return a.arm - b.arm
		}
		return a.cpu - b.cpu
	})
	v := &backView{}
	for _, owner := range owners {
		v.Owners = append(v.Owners, string(owner))
	}
	for _, k := range order {
		row := backRow{Arm: record.ArmName(run.Header.Design, k.arm), CPU: fmt.Sprint(k.cpu)}
		for _, owner := range owners {
			row.Cells = append(row.Cells, prose.Number(1000*float64(ns[k][owner])/float64(max(1, wall[k]))))
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
