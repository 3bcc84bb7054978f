package report

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/analysis/report/figure"
)

// consoleLines of a boot that failed are shown in a table's surroundings; the HTML
// report has all that were kept.
const consoleLines = 8

// shownOptions of kernels' configurations, likewise.
const shownOptions = 20

// campaignSections are what a campaign has beside the comparison of its kernels: its
// boots, what each arm does within each kernel, how many boots it takes, what the
// kernels were built with, and how boots failed.
func campaignSections(c *analysis.Campaign, s analysis.Summary) []page.Section {
	if c == nil {
		return nil
	}
	out := []page.Section{{Lead: "The kernels", Table: kernelTable(c)}}
	for _, t := range EffectTables(s) {
		out = append(out, page.Section{Lead: t.Title(), Table: t.table()})
	}
	out = append(out, page.Section{Lead: "How many boots it takes", Notes: BootsNeeded(s)})
	options := page.Section{Lead: "What the kernels were built and started with", Table: optionTable(c)}
	if n := len(c.Config) - shownOptions; n > 0 {
		options.Remarks = []string{fmt.Sprintf("%s more: in the HTML report and the JSON", prose.Counted(n, "option"))}
	}
	out = append(out, options)
	return append(out, page.Section{Lead: "Boots that failed", Notes: failedNotes(c)})
}

func kernelTable(c *analysis.Campaign) page.Table {
	t := page.Table{Columns: []page.Column{{Head: "kernel", Left: true}, {Head: "asked for as", Left: true, Rank: 2}, {Head: "boots"}, {Head: "failed"}, {Head: "missing", Rank: 1}}}
	count := func(n int) page.Cell { return page.NumberOf(fmt.Sprint(n), float64(n), "boots") }
	for _, k := range c.Kernels {
		t.Row(page.Text(k.Label), page.Text(k.Ref), count(k.Whole), count(k.Failed), count(k.Missing))
	}
	return t
}

// An EffectTable is what arms do within each kernel, on one metric.
type EffectTable struct {
	Headline figure.Info
	Against  string
	Change   figure.Scale
	Effects  []analysis.Comparison // by arm, then by kernel
}

// EffectTables are those of a campaign, a table for each judged metric, and for each arm
// that others are compared with: twins of a matrix have their own.
func EffectTables(s analysis.Summary) []EffectTable {
	var out []EffectTable
	if s.Campaign == nil {
		return nil
	}
	for _, metric := range metricsOf(s.Campaign.Effects) {
		w := Within(s)
		cs := ComparisonsOf(w, metric)
		if len(cs) == 0 {
			continue
		}
		v := VerdictTableOf(w, metric)
		slices.SortStableFunc(cs, func(a, b analysis.Comparison) int { return ArmIndex(s.Arms, a.Arm) - ArmIndex(s.Arms, b.Arm) })
		for len(cs) > 0 {
			t := EffectTable{Headline: v.Headline, Against: cs[0].Baseline, Change: v.Change}
			var others []analysis.Comparison
			for _, c := range cs {
				if c.Baseline == t.Against {
					t.Effects = append(t.Effects, c)
				} else {
					others = append(others, c)
				}
			}
			out, cs = append(out, t), others
		}
	}
	return out
}

// Within is the summary of a campaign with what its arms do within each kernel in the
// place of what its kernels differ in.
func Within(s analysis.Summary) analysis.Summary {
	s.Comparisons = s.Campaign.Effects
	return s
}

func metricsOf(cs []analysis.Comparison) []string {
	var out []string
	for _, c := range cs {
		if !slices.Contains(out, c.Metric) {
			out = append(out, c.Metric)
		}
	}
	return out
}

// Title says what is in the table.
func (t EffectTable) Title() string {
	return fmt.Sprintf("%s against %s, within each kernel", t.Headline.Title, t.Against)
}

// Interval of an effect, "" where there is none.
func (t EffectTable) Interval(c *analysis.Comparison) string {
	if c.N < 2 {
		return ""
	}
	return figure.Interval(t.Change, c.Lo, c.Hi)
}

func (t EffectTable) table() page.Table {
	out := page.Table{Columns: []page.Column{{Head: "arm", Left: true}, {Head: "kernel", Left: true},
		{Group: "change", Head: t.Change.Unit}, {Group: "change", Head: "interval", Spare: 1}, {Head: "boots", Rank: 1}, {Head: "verdict", Left: true}}}
	last := ""
	for i := range t.Effects {
		c := &t.Effects[i]
		arm := c.Arm
		if arm == last {
			arm = ""
		}
		last = c.Arm
		out.Row(page.Text(arm), page.Text(c.ArmRun), changeCell(c, t.Change.Signed(c.Change)), intervalCell(c, t.Interval(c)),
			page.NumberOf(fmt.Sprint(c.N), float64(c.N), "boots"), page.VerdictOf(symbolWords(c), c.Verdict))
	}
	return out
}

// BootsNeeded say how many boots would decide what is undecided, kernel by kernel.
func BootsNeeded(s analysis.Summary) (out []string) {
	if s.Campaign == nil || len(s.Campaign.Kernels) == 0 {
		return nil
	}
	base := s.Campaign.Kernels[0]
	for _, k := range s.Campaign.Kernels[1:] {
		text := boots(s.Comparisons, k.Label)
		if k.BootsNeeded > 0 {
			text = strings.TrimSuffix(fmt.Sprintf("a verdict needs %d boots of each at least; %s", k.BootsNeeded, text), "; ")
		}
		if text != "" {
			out = append(out, fmt.Sprintf("%s against %s: %s (there are %d and %d)", k.Label, base.Label, text, k.Whole, base.Whole))
		}
	}
	for _, k := range s.Campaign.Kernels {
		if text := boots(s.Campaign.Effects, k.Label); text != "" {
			out = append(out, fmt.Sprintf("arms within %s: %s (there are %d)", k.Label, text, k.Whole))
		}
	}
	return out
}

// muchOfBoots is the share of the variance of boots from which their trials are worth a
// word: without it the error is smaller by a sixth.
const muchOfBoots = 0.3

// boots say how many of one kernel would decide all of its comparisons.
func boots(cs []analysis.Comparison, kernel string) string {
	change, resolution, beyond, open, trials := 0, 0, false, "", 0.0
	for _, c := range cs {
		if c.ArmRun != kernel || !c.Judged || c.Verdict != analysis.Inconclusive || c.P == nil {
			continue
		}
		change, resolution = max(change, c.BootsForChange), max(resolution, c.BootsForResolution)
		beyond = beyond || c.BootsForResolution == 0
		trials = max(trials, c.TrialsShare)
		open = prose.Amount(c.Resolution, c.Difference)
	}
	var parts []string
	if change > 0 {
		parts = append(parts, fmt.Sprintf("going by how these boots scatter, about %d would tell changes as large as those seen", change))
	}
	switch {
	case resolution == 0 || change == 0 && beyond:
	case beyond:
		parts = append(parts, fmt.Sprintf("more than 1000 changes of %s", open))
	case resolution > change:
		parts = append(parts, fmt.Sprintf("about %d changes of %s", resolution, open))
	}
	if trials >= muchOfBoots && len(parts) > 0 {
		parts = append(parts, fmt.Sprintf("or fewer that measure longer (--max-time), as the trials within a boot make %s of that scatter", prose.Percent(trials)))
	}
	return strings.Join(parts, ", ")
}

func optionTable(c *analysis.Campaign) page.Table {
	if len(c.Config) == 0 {
		return page.Table{}
	}
	t := page.Table{Columns: []page.Column{{Head: "option", Left: true}}}
	for i, k := range c.Kernels {
		t.Columns = append(t.Columns, page.Column{Head: k.Label, Left: true, Rank: min(i, 1)})
	}
	for _, o := range c.Config[:min(len(c.Config), shownOptions)] {
		row := []page.Cell{page.Text(o.Name)}
		for _, v := range o.Values {
			row = append(row, page.Text(OptionText(v)))
		}
		t.Row(row...)
	}
	return t
}

// OptionText is a value of an option, which may not be set.
func OptionText(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}

// FailedText says which boot failed, and how.
func FailedText(b analysis.FailedBoot) string {
	text := fmt.Sprintf("boot %d, %s: %s", b.Number, b.Kernel, b.End)
	if b.Text != "" {
		text += ", " + b.Text
	}
	return text
}

func failedNotes(c *analysis.Campaign) (out []string) {
	for _, b := range c.Failed {
		out = append(out, FailedText(b))
		for _, line := range b.Console[max(0, len(b.Console)-consoleLines):] {
			out = append(out, "| "+line)
		}
	}
	return out
}
