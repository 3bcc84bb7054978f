package html

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/report"
	"netab/analysis/report/export"
	"netab/analysis/report/sample"
)

// TestLevelModesAreNoChanges: groups of an arm's level have its unit and no sign
// in every format, and those of its effect are changes.
func TestLevelModesAreNoChanges(t *testing.T) {
	run := sample.TCPWorld().Run()
	s := analysis.Summarize(run)
	for i := range s.Comparisons {
		s.Comparisons[i].Modes = nil
	}
	for i := range s.Arms {
		s.Arms[i].Modes = nil
	}
	const text = "its level falls into two groups: 43.1 Gbit/s in 8 trials (softirq on CPU 1), 36.9 Gbit/s in 5 (softirq on CPU 0)"
	s.Arms[0].Modes = &analysis.LevelModes{Metric: "goodput", Unit: "bit/s", Covariate: "softirq CPU", Text: text, Groups: []analysis.LevelMode{
		{Label: "softirq on CPU 0", Share: 5. / 13, Level: 36.9e9, Lo: 36.4e9, Hi: 37.5e9, Trials: []int{0, 1, 2, 3, 4}},
		{Label: "softirq on CPU 1", Share: 8. / 13, Level: 43.1e9, Lo: 42.6e9, Hi: 43.6e9, Trials: []int{5, 6, 7, 8, 9, 10, 11, 12}},
	}}
	var terminal, markdown, doc bytes.Buffer
	if err := export.Text(&terminal, report.Summary(s), export.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := export.Markdown(&markdown, report.Summary(s), export.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := export.JSON(&doc, report.Summary(s), export.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(terminal.String()), " "); !strings.Contains(got, "off: "+text) {
		t.Errorf("the terminal does not say it:\n%s", got)
	}
	if got := markdown.String(); !strings.Contains(got, "**off**: "+escape.Markdown(text)) {
		t.Errorf("Markdown does not say it:\n%s", got)
	}
	var back struct {
		Arms []struct {
			Modes *struct {
				Unit   string
				Groups []map[string]any
			} `json:"level_modes"`
			Old any `json:"modes"`
		}
	}
	if err := json.Unmarshal(doc.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if m := back.Arms[0].Modes; m == nil || m.Unit != "bit/s" || m.Groups[0]["level"] != 36.9e9 || m.Groups[0]["change"] != nil || back.Arms[0].Old != nil {
		t.Errorf("JSON has %+v", back.Arms[0])
	}
	view := newModeView(report.ModeTexts(s)[0])
	if !view.Levels || view.Unit != "Gbit/s" || view.Groups[0].Value != "36.90" || view.Groups[0].Interval != "36.40 to 37.50" || view.Groups[0].Verdict != "" {
		t.Errorf("the page shows %+v", view)
	}
}
