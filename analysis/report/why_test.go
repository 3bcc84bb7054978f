package report_test

import (
	"slices"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report"
	"netab/analysis/report/export"
	"netab/analysis/report/sample"
	"netab/analysis/why"
)

// whyLines are the lines of a terminal from the explanations on, up to what rests on
// trials.
func whyLines(t *testing.T, s analysis.Summary) []string {
	t.Helper()
	var b strings.Builder
	if err := export.Text(&b, report.Summary(s), export.Options{Width: 100}); err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(b.String(), "\nWhy: ")
	text, _, ends := strings.Cut(text, "\n95 % confidence")
	if !ok || !ends {
		t.Fatal(b.String())
	}
	var out []string
	for line := range strings.Lines("Why: " + text) {
		if strings.TrimSpace(line) != "" {
			out = append(out, strings.TrimRight(line, "\n"))
		}
	}
	return out
}

// TestWhyInTenLines: a terminal has ten lines for an explanation, or for several.
func TestWhyInTenLines(t *testing.T) {
	w := sample.TCPWorld()
	three := whyLines(t, analysis.Summarize(sample.Explained(w, 8)))
	w.Design.Arms = w.Design.Arms[:2]
	two := whyLines(t, analysis.Summarize(sample.Explained(w, 8)))
	for _, lines := range [][]string{two, three} {
		if len(lines) > 10 || len(lines) < 4 {
			t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
		}
	}
	text := strings.Join(two, "\n")
	for _, want := range []string{"Why: sink is 21", "source: net_rx softirq on its back", "source: try_to_wake_up (net_rx)", "left it, drivers and IPIs (+"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("%s\nhas no %q", text, want)
		}
	}
}

// TestWhyLeavesOutUntold: a mode of which too little was seen takes no line from what is
// explained.
func TestWhyLeavesOutUntold(t *testing.T) {
	w := sample.TCPWorld()
	w.Design.Arms = w.Design.Arms[:2]
	s := analysis.Summarize(sample.Explained(w, 8))
	want := whyLines(t, s)
	untold := why.Explanation{Of: "off", Baseline: "near", Arm: "far", Text: "off, from near to far: not explained: it takes three explain trials."}
	s.Explanations = append([]why.Explanation{untold}, s.Explanations...)
	if got := whyLines(t, s); !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	s.Explanations = s.Explanations[:1]
	if got := whyLines(t, s); !strings.Contains(got[0], "not explained") {
		t.Errorf("%q", got)
	}
}

// TestUnexplainedDrops: which function threw away what a ledger does not explain stands
// in a terminal too.
func TestUnexplainedDrops(t *testing.T) {
	const text = "Of sink, 126 datagrams are at no place of its ledger; the kernel threw away 120 packets that are not there either: NETFILTER_DROP in nf_hook_slow 120."
	for _, w := range []*why.Watching{nil, {Unexplained: []string{text}, Texts: []string{"Not told: counters."}}} {
		var notes []string
		for _, s := range report.Summary(analysis.Summary{Watching: w}).Sections {
			notes = append(notes, s.Notes...)
		}
		if has := slices.Contains(notes, text); has != (w != nil) || slices.Contains(notes, "Not told: counters.") {
			t.Errorf("%q", notes)
		}
	}
}
