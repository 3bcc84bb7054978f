package html

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"netab/analysis"
	"netab/analysis/report"
	"netab/analysis/report/export"
	simulated "netab/analysis/world"
)

// TestEffectsByState: the terminal, Markdown and the page say what the effect is in
// each state of the machine.
func TestEffectsByState(t *testing.T) {
	w := simulated.Quiet()
	w.Effects, w.White, w.Far, w.FarEffect, w.Dwell, w.Canaries = []float64{0.05}, 0.01, -0.3, -0.11, 10*time.Second, true
	s := analysis.Summarize(w.Run(w.Design(0.02, time.Minute), 3, 30))
	c := s.Comparisons[0]
	if c.Modes == nil || !c.Mixture {
		t.Fatalf("mixture %v, modes %+v", c.Mixture, c.Modes)
	}
	var terminal, markdown bytes.Buffer
	if err := export.Text(&terminal, report.Summary(s), export.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := export.Markdown(&markdown, report.Summary(s), export.Options{}); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"terminal": terminal.String(), "Markdown": markdown.String()} {
		got = strings.ReplaceAll(strings.Join(strings.Fields(got), " "), "\\", "")
		for _, want := range []string{"depends on the state of the machine with arm1", c.Modes.Text, "inconclusive (by state)", "ns apart"} {
			if !strings.Contains(got, want) {
				t.Errorf("the %s lacks %q:\n%s", name, want, got)
			}
		}
	}
	view := newModeView(report.ModeTexts(s)[0])
	if view.Of != "time" || len(view.Groups) != 2 || view.Groups[0].Verdict == view.Groups[1].Verdict {
		t.Errorf("the page shows %+v", view)
	}
}
