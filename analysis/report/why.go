package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/why"
)

// A terminal has ten lines for all of it: what one explanation says and the parts that
// moved most, or what several say.
const (
	mostParts = 4
	mostTexts = 2
)

// negligible is a part that is so small against the largest.
const negligible = 0.003

// whySections are explanations: their sentences, those of the largest differences first,
// and of a single one what moved of the limiting role's time.
func whySections(all []why.Explanation) (out []page.Section) {
	all = why.Ranked(all)
	// That a mode was seen too seldom to be explained is in the way where something else is.
	if told := slices.DeleteFunc(slices.Clone(all), func(e why.Explanation) bool { return e.Of != "" && e.Measured == nil }); len(told) > 0 {
		all = told
	}
	for i, e := range all {
		if i == mostTexts {
			left := prose.Counted(len(all)-mostTexts, "other explanation")
			return append(out, page.Section{Text: []page.Para{{Text: "Why: " + left + ": in the HTML report, and in --json."}}})
		}
		s := page.Section{Text: []page.Para{{Text: "Why: " + e.Text}}}
		if len(all) == 1 {
			s.Table = whyTable(e)
		}
		s.Asides = e.Notes
		out = append(out, s)
	}
	return out
}

func whyTable(e why.Explanation) page.Table {
	t := page.Table{Columns: []page.Column{{Head: "Part of the time", Left: true}, {Group: e.Unit, Head: "from"}, {Group: e.Unit, Head: "to"},
		{Group: e.Unit, Head: "change"}, {Group: e.Unit, Head: "interval", Rank: 1}}}
	for _, p := range whyRows(e, mostParts) {
		change := prose.Signed(p.Delta)
		if !p.Significant {
			change = "(" + change + ")"
		}
		t.Row(page.Text(briefName(p)), page.NumberOf(prose.Number(p.From), p.From, e.Unit), page.NumberOf(prose.Number(p.To), p.To, e.Unit),
			page.NumberOf(change, p.Delta, e.Unit), page.IntervalOf(prose.Signed(p.Lo)+" to "+prose.Signed(p.Hi), p.Lo, p.Hi, e.Unit))
	}
	if len(t.Rows) == 0 {
		return page.Table{}
	}
	return t
}

// briefName is that of a part where there is little room: of a function without its
// category.
func briefName(p why.Part) string {
	if p.Function == "" {
		return PartName(p)
	}
	context := p.Context
	if context == "task" {
		context = "own calls"
	}
	if p.Changed() {
		context += ", changed"
	}
	return fmt.Sprintf("%s: %s (%s)", p.Role, p.Function, context)
}

// PartName is "source: net_rx softirq on its back".
func PartName(p why.Part) string {
	var words []string
	for _, word := range []string{why.Place(p.Context), p.Category, p.Function} {
		if word != "" && !slices.Contains(words, word) { // user space is a category of its own
			words = append(words, word)
		}
	}
	name := string(p.Role) + ": " + strings.Join(words, ", ")
	if p.Changed() {
		name += fmt.Sprintf(" (changed: %s → %s bytes)", prose.Grouped(p.FromBytes), prose.Grouped(p.ToBytes))
	}
	return name
}

// whyRows are the parts that moved most, in the order in which they stand: contexts of
// the limiting roles, or of both where no role is the limit, and then functions of what
// they do. Half of the rows are for each.
func whyRows(e why.Explanation, most int) []why.Part {
	of := func(belongs func(why.Part) bool, most int) (out []why.Part) {
		total := 0.0
		for _, p := range e.Parts {
			if belongs(p) && (e.Role == "" || p.Role == e.Role || p.Role == e.BaselineRole) {
				total = max(total, p.From, p.To)
				out = append(out, p)
			}
		}
		out = slices.DeleteFunc(out, func(p why.Part) bool { return max(p.From, p.To) < negligible*total })
		for len(out) > most {
			least := 0
			for i, p := range out {
				if weight(p) < weight(out[least]) {
					least = i
				}
			}
			out = slices.Delete(out, least, least+1)
		}
		return out
	}
	functions := of(func(p why.Part) bool { return p.Function != "" && p.Significant }, most/2)
	contexts := of(func(p why.Part) bool { return p.Category == "" && p.Context != why.Measuring }, most-len(functions))
	return append(contexts, functions...)
}

// weight is by how much a part moved, and a function that is another one in the other
// kernel weighs more than any that is not.
func weight(p why.Part) float64 {
	x := math.Max(math.Abs(p.Delta), math.Max(p.From, p.To)/100)
	if p.Changed() {
		x += 1e18
	}
	return x
}
