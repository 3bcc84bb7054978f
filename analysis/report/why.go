package report

import (
	"math"
	"slices"
	"strings"

	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/why"
)

const (
	// mostWhy is how many parts are shown where there is little room.
	mostWhy = 6
	// mostCategories are shown besides.
	mostCategories = 4
	// negligible is a part that is so small against the largest.
	negligible = 0.003
)

// whySection is an explanation: its sentence, and what moved of the limiting role's time.
func whySection(e why.Explanation) page.Section {
	s := page.Section{Text: []page.Para{{Text: "Why: " + e.Text}}}
	t := page.Table{Columns: []page.Column{{Head: "Part of the time", Left: true}, {Group: e.Unit, Head: "from"}, {Group: e.Unit, Head: "to"},
		{Group: e.Unit, Head: "change"}, {Group: e.Unit, Head: "interval", Rank: 1}}}
	row := func(p why.Part) {
		change := prose.Signed(p.Delta)
		if !p.Significant {
			change = "(" + change + ")"
		}
		t.Row(page.Text(PartName(p)), page.NumberOf(prose.Number(p.From), p.From, e.Unit), page.NumberOf(prose.Number(p.To), p.To, e.Unit),
			page.NumberOf(change, p.Delta, e.Unit), page.IntervalOf(prose.Signed(p.Lo)+" to "+prose.Signed(p.Hi), p.Lo, p.Hi, e.Unit))
	}
	for _, p := range WhyRows(e, mostWhy) {
		row(p)
	}
	for _, p := range categoryRows(e, mostCategories) {
		row(p)
	}
	if len(t.Rows) > 0 {
		s.Table = t
	}
	s.Notes = e.Notes
	return s
}

// PartName is "source: net_rx softirq on its back".
func PartName(p why.Part) string {
	var words []string
	for _, word := range []string{why.Place(p.Context), p.Category, p.Function} {
		if word != "" {
			words = append(words, word)
		}
	}
	return string(p.Role) + ": " + strings.Join(words, ", ")
}

// WhyRows are the parts that are shown, in the order in which they stand: those of the
// limiting roles, or of both where no role is the limit, the smallest left out.
func WhyRows(e why.Explanation, most int) []why.Part {
	var out []why.Part
	total := 0.0
	for _, p := range e.Parts {
		if e.Role != "" && p.Role != e.Role && p.Role != e.BaselineRole {
			continue
		}
		if p.Category != "" {
			continue
		}
		total = max(total, p.From, p.To)
		out = append(out, p)
	}
	out = slices.DeleteFunc(out, func(p why.Part) bool { return max(p.From, p.To) < negligible*total })
	for len(out) > most {
		least := 0
		for i, p := range out {
			if weight(p) < weight(out[least]) {
				least = i
			}
		}
		out = append(out[:least], out[least+1:]...)
	}
	return out
}

// categoryRows are the categories of all contexts that moved most.
func categoryRows(e why.Explanation, most int) (out []why.Part) {
	for _, p := range e.Parts {
		if p.Context == "" && p.Function == "" && len(out) < most {
			out = append(out, p)
		}
	}
	return out
}

func weight(p why.Part) float64 { return math.Max(math.Abs(p.Delta), math.Max(p.From, p.To)/100) }
