package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"netab/analysis/escape"
	"netab/analysis/report/export"
	"netab/analysis/report/sample"
	"netab/analysis/trend"
	"netab/results"
)

func TestTrendJUnit(t *testing.T) {
	for _, tt := range []struct {
		name                             string
		h                                trend.History
		tests, failures, errors, skipped int
		says                             string
	}{
		{"regression", trend.Analyze(sample.Nights(), trend.Options{}), 2, 1, 0, 0, `<failure type="regression" message="CHANGED (regression): `},
		{"acknowledged", sample.AcknowledgedNights(), 2, 0, 0, 1, `message="acknowledged until 2026-12-31: bug 7"`},
		{"nothing", trend.Analyze(nil, trend.Options{}), 1, 0, 1, 0, `<error type="inconclusive" message=`},
		{"hostile", sample.HostileNights(), 2, 1, 0, 0, "&lt;img"},
	} {
		text, s := readJUnit(t, func(w io.Writer) error { return export.JUnit(w, Trend(tt.h), export.Options{}) })
		if s.Tests != tt.tests || s.Failures != tt.failures || s.Errors != tt.errors || s.Skipped != tt.skipped || !strings.Contains(text, tt.says) {
			t.Errorf("%s: %d tests, %d failures, %d errors, %d skipped; want %q\n%s", tt.name, s.Tests, s.Failures, s.Errors, s.Skipped, tt.says, text)
		}
	}
}

func TestTrendMarkdownAndChat(t *testing.T) {
	h := trend.Analyze(sample.Nights(), trend.Options{})
	h.Series[0].Warnings = []results.Warning{{Code: "some", Text: "a run | was disturbed"}}
	var md, chat bytes.Buffer
	if err := export.Markdown(&md, Trend(h), export.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## ▼ trend: regression\n", "| Series | runs | level | newest | changes | verdict |\n", "| off | 89 | ", "\n**off**: CHANGED (regression): ", "1 run of 90 not used"} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("Markdown lacks %q:\n%s", want, md.String())
		}
	}
	for _, s := range h.Series {
		for _, w := range s.Warnings {
			if !strings.Contains(md.String(), escape.Markdown(w.Text)) {
				t.Errorf("Markdown does not warn that %s", w.Text)
			}
		}
	}
	if err := export.Chat(&chat, Trend(h), export.Options{}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(chat.String(), "\n") != 1 || !strings.HasPrefix(chat.String(), "▼ Of 2 series, ") {
		t.Errorf("chat %q", chat.String())
	}
}
