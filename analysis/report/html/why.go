package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/report"
	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

// Bounds of what explanations take of a page. A run of 64 arms has 63 of them, and
// readers look at those that did most.
const (
	mostDetailed  = 6    // explanations with pictures and all tables
	mostFrames    = 2400 // of all flame graphs together
	framesOfOne   = 900
	mostPlainRows = 6  // of the table of each of the others
	mostRows      = 60 // of a table
	negligible    = 0.001
)

// A whyView is an explanation: a sentence, pictures, and tables that say all of it
// without a script.
type whyView struct {
	ID, Of, Arm, Baseline, Text, Unit string
	Folded                            bool // pictures and tables are for readers who ask
	Sums                              []sumRow
	Bars                              *barsView
	Tables                            []whyTable
	Flames                            []flameView
	Switch                            bool // there are several: a script shows one at a time
	Notes                             []string
}

// A whyTable is parts of one kind. One that is Folded is for readers who ask.
type whyTable struct {
	Title, Unit string
	Folded      bool
	Rows        []whyRow
	Left        int // parts that are not shown
}

// A whyRow is a part. Surely: it differs beyond chance.
type whyRow struct {
	Name, From, To, Change, Interval string
	Surely                           bool
}

// A sumRow is a line of the arithmetic.
type sumRow struct{ What, Value, Interval string }

// newWhyViews shows explanations, the largest differences first, and flame graphs of
// those that did most.
func newWhyViews(id string, s analysis.Summary, flames func(e *why.Explanation, most int) []why.Flame) (out []whyView, err error) {
	all := why.Ranked(s.Explanations)
	detailed := min(len(all), mostDetailed)
	for i := range all {
		e := &all[i]
		v := whyView{ID: fmt.Sprintf("%s-why-%d", id, i+1), Of: e.Of, Arm: e.Arm, Baseline: e.Baseline, Text: e.Text, Unit: e.Unit, Folded: i > 0}
		if i >= detailed {
			v.add("By context", true, e.Parts, mostPlainRows, func(p why.Part) bool { return p.Category == "" })
			out = append(out, v)
			continue
		}
		v.Notes, v.Sums, v.Bars = e.Notes, sumsOf(e, verdictOn(s, e)), newBars(e)
		v.add("By context", false, e.Parts, mostRows, func(p why.Part) bool { return p.Category == "" })
		v.add("Its own calls, in user space and in the kernel", false, e.Split, mostRows, func(why.Part) bool { return true })
		v.add("Waiting for a CPU, which is in none of these and explains nothing", false, e.Waiting, mostRows, func(why.Part) bool { return true })
		v.add("By what it does", false, e.Parts, mostRows, func(p why.Part) bool { return p.Category != "" && p.Context == "" })
		v.add("By context and what it does", true, e.Parts, mostRows, func(p why.Part) bool { return p.Category != "" && p.Context != "" && p.Function == "" })
		v.add("By function", true, e.Parts, mostRows, func(p why.Part) bool { return p.Function != "" })
		for j, f := range flames(e, min(framesOfOne, mostFrames/detailed)) {
			view, err := newFlame(fmt.Sprintf("%s-flame-%d", v.ID, j+1), f)
			if err != nil {
				return nil, err
			}
			v.Flames = append(v.Flames, view)
			if len(f.CPUs) > 0 {
				v.addCPUs(f.CPUs)
			}
		}
		v.Switch = len(v.Flames) > 1
		out = append(out, v)
	}
	return out, nil
}

// add makes a table of parts; of those that are next to nothing against the largest, and
// of more than so many, it says only how many there are.
func (v *whyView) add(title string, folded bool, parts []why.Part, most int, of func(why.Part) bool) {
	t := whyTable{Title: title, Unit: v.Unit, Folded: folded}
	largest := 0.0
	for _, p := range parts {
		if of(p) {
			largest = max(largest, p.From, p.To)
		}
	}
	for _, p := range parts {
		if !of(p) {
			continue
		}
		if len(t.Rows) == most || max(p.From, p.To) < negligible*largest {
			t.Left++
			continue
		}
		t.Rows = append(t.Rows, rowOf(p))
	}
	if len(t.Rows) > 0 {
		v.Tables = append(v.Tables, t)
	}
}

// addCPUs makes a table of what each CPU did, and for whom.
func (v *whyView) addCPUs(all []why.CPUPart) {
	t, largest := whyTable{Title: "By CPU, with what the accounting took", Unit: v.Unit, Folded: true}, 0.0
	for _, p := range all {
		largest = max(largest, p.From, p.To)
	}
	for _, p := range all {
		if len(t.Rows) == mostRows || max(p.From, p.To) < negligible*largest {
			t.Left++
			continue
		}
		row := rowOf(p.Part)
		row.Name = fmt.Sprintf("CPU %d, %s", p.CPU, row.Name)
		t.Rows = append(t.Rows, row)
	}
	v.Tables = append(v.Tables, t)
}

func rowOf(p why.Part) whyRow {
	row := whyRow{Name: report.PartName(p), From: prose.Number(p.From), To: prose.Number(p.To), Change: prose.Signed(p.Delta), Surely: p.Significant}
	if p.Lo < p.Hi {
		row.Interval = prose.Signed(p.Lo) + " to " + prose.Signed(p.Hi)
	}
	return row
}

// sumsOf is the arithmetic: what is foretold beside what was measured, and what the
// instruments cost and saw.
func sumsOf(e *why.Explanation, verdict *analysis.Comparison) (out []sumRow) {
	change := func(what string, x, lo, hi *float64) {
		if x == nil {
			return
		}
		row := sumRow{What: what, Value: prose.Change(*x, false)}
		if lo != nil && hi != nil && *lo < *hi {
			row.Interval = prose.Interval(*lo, *hi, false)
		}
		out = append(out, row)
	}
	if verdict != nil {
		out = append(out, sumRow{What: "The verdict's change, of the trials before", Value: prose.Change(verdict.Change, verdict.Difference), Interval: prose.Interval(verdict.Lo, verdict.Hi, verdict.Difference)})
	}
	change("Predicted by the CPU time of the limit", e.Predicted, e.PredictedLo, e.PredictedHi)
	change("Measured in the same trials", e.Measured, e.MeasuredLo, e.MeasuredHi)
	change("Predicted against measured", e.Gap, e.GapLo, e.GapHi)
	if e.WithMeasured != nil && (e.Measured == nil || *e.WithMeasured != *e.Measured) {
		change("Predicted with the accounting on, and its cost", e.WithPredicted, nil, nil)
		change("Measured with the accounting on", e.WithMeasured, nil, nil)
	}
	change("What the accounting changed the rate by", e.Instrument, e.InstrumentLo, e.InstrumentHi)
	for _, b := range e.Busy {
		value := prose.WholePercent(b.From) + " to " + prose.WholePercent(b.To)
		if e.Baseline == "" {
			value = prose.WholePercent(b.To)
		}
		out = append(out, sumRow{What: fmt.Sprintf("How busy the %s was", b.Role), Value: value})
	}
	if e.Coverage != nil {
		out = append(out, sumRow{What: fmt.Sprintf("Samples cover, of the time of the %s", e.SampledRole), Value: prose.WholePercent(*e.Coverage)})
	}
	if e.Unmapped != nil {
		out = append(out, sumRow{What: "Of them in functions that no rule knows", Value: prose.Percent(*e.Unmapped)})
	}
	return out
}

// verdictOn is the comparison that an explanation is about, of the headline; nil = it is
// of no run by itself.
func verdictOn(s analysis.Summary, e *why.Explanation) *analysis.Comparison {
	for i, c := range s.Comparisons {
		if e.Of == "" && e.Baseline != "" && c.Metric == report.HeadlineOf(s) && c.Arm == e.Arm && c.Baseline == e.Baseline && !c.Untold() {
			return &s.Comparisons[i]
		}
	}
	return nil
}

// A barsView is bars of the time per unit, context by context, each split by category
// where that is known; the widths are per cent of the longest.
type barsView struct {
	Unit   string
	Bars   []barView
	Legend []barLegend
}

type barLegend struct{ Name, Class string }

type barView struct {
	Role, Arm, Total, Alt string
	Contexts              []barSpan
	Spans                 []barSpan
}

// A barSpan is a part of a bar, by its class in the style.
type barSpan struct {
	X, Width    string // per cent
	Name, Title string
	Class       string
}

const withoutCategory = "not split by samples"

func newBars(e *why.Explanation) *barsView {
	v := &barsView{Unit: e.Unit}
	type one struct {
		role  vocab.Owner
		side  int
		total float64
	}
	var bars []one
	longest := 0.0
	of := func(p why.Part, side int) float64 { return max(0, []float64{p.From, p.To}[side]) }
	roles := []vocab.Owner{vocab.SourceTime, vocab.SinkTime}
	for _, p := range e.Parts {
		if !slices.Contains(roles, p.Role) {
			roles = append(roles, p.Role)
		}
	}
	for _, role := range roles {
		for side := range 2 {
			if side == 0 && e.Baseline == "" {
				continue
			}
			b := one{role: role, side: side}
			for _, p := range e.Parts {
				if p.Role == role && p.Category == "" {
					b.total += of(p, side)
				}
			}
			longest = max(longest, b.total)
			bars = append(bars, b)
		}
	}
	if !(longest > 0) {
		return nil
	}
	used := map[string]bool{}
	for _, b := range bars {
		if b.total <= 0 {
			continue
		}
		arm := e.Arm
		if b.side == 0 {
			arm = e.Baseline
		}
		bar := barView{Role: string(b.role), Arm: arm, Total: prose.Number(b.total)}
		at := 0.0
		span := func(x float64, name, title, class string) barSpan {
			name, class = fitting(name, class, 100*x/longest)
			return barSpan{X: percentOf(at, longest), Width: percentOf(x, longest), Name: name, Title: fmt.Sprintf("%s: %s %s", title, prose.Number(x), e.Unit), Class: class}
		}
		for _, p := range e.Parts {
			if p.Role != b.role || p.Category != "" || of(p, b.side) <= 0 {
				continue
			}
			context := of(p, b.side)
			bar.Contexts = append(bar.Contexts, span(context, shortContext(p.Context), why.Place(p.Context), ""))
			bar.Alt += fmt.Sprintf("; %s %s", why.Place(p.Context), prose.Number(context))
			rest := context
			for i, category := range why.Categories() {
				for _, q := range e.Parts {
					if q.Role != b.role || q.Context != p.Context || q.Category != category || q.Function != "" || of(q, b.side) <= 0 {
						continue
					}
					x := min(of(q, b.side), rest)
					bar.Spans = append(bar.Spans, span(x, category, why.Place(p.Context)+", "+category, fmt.Sprintf("cat-%d", i)))
					used[category] = true
					at, rest = at+x, rest-x
				}
			}
			if rest > 0.001*longest || rest == context {
				bar.Spans = append(bar.Spans, span(rest, "", why.Place(p.Context)+", "+withoutCategory, "cat-none"))
				used[withoutCategory] = true
			}
			at += rest
		}
		v.Bars = append(v.Bars, bar)
	}
	for i, category := range why.Categories() {
		if used[category] {
			v.Legend = append(v.Legend, barLegend{category, fmt.Sprintf("cat-%d", i)})
		}
	}
	if used[withoutCategory] {
		v.Legend = append(v.Legend, barLegend{withoutCategory, "cat-none"})
	}
	return v
}

// fitting leaves out a name that has no room in so many per cent of a wide page, and
// marks what has none on a narrow one.
func fitting(name, class string, percent float64) (string, string) {
	const lettersWide, lettersNarrow = 1.6, 0.5 // in a per cent of the width
	letters := float64(len(name))
	if letters > percent*lettersWide {
		return "", class
	}
	if letters > percent*lettersNarrow {
		class = strings.TrimSpace(class + " tight")
	}
	return name, class
}

func percentOf(x, all float64) string { return fmt.Sprintf("%.2f%%", 100*x/all) }

// shortContext is a context where there is little room.
func shortContext(context string) string {
	switch context {
	case "task":
		return "own calls"
	case "irq":
		return "interrupts"
	}
	return context
}

// A backView is on whose back each CPU ran softirqs, ms a second, by arm.
type backView struct {
	Owners []string
	Rows   []backRow
	Left   int // CPUs that had next to none
}

type backRow struct {
	Arm, CPU string
	Cells    []backCell
}

// A backCell is a figure, and how much of the largest it is.
type backCell struct{ Text, Heat string }

const (
	mostBacks = 128 // rows
	// leastBack of softirq time, ns in a second, makes a CPU worth a row.
	leastBack = 1e6
)

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
	slices.SortFunc(order, func(a, b at) int { return cmp.Or(a.arm-b.arm, a.cpu-b.cpu) })
	v := &backView{}
	for _, owner := range owners {
		v.Owners = append(v.Owners, string(owner))
	}
	perSecond := func(k at, owner vocab.Owner) float64 {
		return 1e9 * float64(ns[k][owner]) / float64(max(1, wall[k]))
	}
	most := 0.0
	for _, k := range order {
		for _, owner := range owners {
			most = max(most, perSecond(k, owner))
		}
	}
	for _, k := range order {
		row, all := backRow{Arm: record.ArmName(run.Header.Design, k.arm), CPU: fmt.Sprint(k.cpu)}, 0.0
		for _, owner := range owners {
			x := perSecond(k, owner)
			all += x
			row.Cells = append(row.Cells, backCell{prose.Number(x / 1e6), fmt.Sprintf("%.2f", x/max(1, most))})
		}
		if all < leastBack && len(order) > 8 || len(v.Rows) == mostBacks {
			v.Left++
			continue
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
