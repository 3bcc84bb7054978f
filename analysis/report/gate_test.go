package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"netab/analysis/gate"
	"netab/analysis/report/export"
	"netab/analysis/report/sample"
	"netab/results"
)

// A suite is what CI systems read of JUnit XML.
type suite struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Cases    []struct {
		Name string `xml:"name,attr"`
	} `xml:"testcase"`
}

func junit(t *testing.T, g gate.Gate) (string, suite) {
	t.Helper()
	return readJUnit(t, func(w io.Writer) error { return export.JUnit(w, Gate(g), export.Options{}) })
}

// readJUnit reads back what is written.
func readJUnit(t *testing.T, write func(io.Writer) error) (string, suite) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	var s struct {
		Suites []suite `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &s); err != nil || len(s.Suites) != 1 {
		t.Fatalf("%v: %s", err, b.String())
	}
	return b.String(), s.Suites[0]
}

func TestGateJUnit(t *testing.T) {
	const known = "- {arm: arm1, reason: <bug> & 7, expires: 2026-12-31}"
	for _, tt := range []struct {
		name                             string
		change                           func(*results.Run)
		known                            string
		tests, failures, errors, skipped int
	}{
		{"regression", nil, "", 2, 1, 0, 0},
		{"acknowledged", nil, known, 2, 0, 0, 1},
		{"undecided", func(r *results.Run) { r.Header.Design.Resolution, r.Trials = 0.0001, r.Trials[:9] }, "", 2, 1, 1, 0},
		{"nothing measured", func(r *results.Run) { r.Trials = nil }, "", 2, 0, 2, 0},
	} {
		text, s := junit(t, sample.Gated(tt.change, tt.known))
		if s.Tests != tt.tests || s.Failures != tt.failures || s.Errors != tt.errors || s.Skipped != tt.skipped {
			t.Errorf("%s: %d tests, %d failures, %d errors, %d skipped\n%s", tt.name, s.Tests, s.Failures, s.Errors, s.Skipped, text)
		}
	}
	text, _ := junit(t, sample.Gated(nil, known))
	if !strings.Contains(text, `message="acknowledged until 2026-12-31: &lt;bug&gt; &amp; 7"`) {
		t.Errorf("no reason in %s", text)
	}
}

// Whatever a record holds, the XML can be read back, and text stays text.
func TestGateJUnitHostile(t *testing.T) {
	evil := "]]>\x00\x1b[31m\uffff<x a='\"'/>"
	text, s := junit(t, sample.Gated(func(r *results.Run) {
		r.Header.Design.Name, r.Header.ID = evil, evil
		for i := range r.Header.Design.Arms {
			r.Header.Design.Arms[i].Name += evil
		}
		r.Header.Design.Baseline = r.Header.Design.Arms[0].Name
	}, ""))
	if strings.Contains(text, "<x ") || strings.ContainsAny(text, "\x00\x1b") || !strings.Contains(s.Cases[0].Name, "<x a='\"'/>") {
		t.Errorf("%q", text)
	}
}

func TestGateTextFormats(t *testing.T) {
	g := sample.Gated(nil, "- {arm: other|arm, metric: goodput, reason: r, expires: 2026-12-31}")
	var term, md, chat bytes.Buffer
	for _, err := range []error{export.Text(&term, Gate(g), export.Options{}), export.Markdown(&md, Gate(g), export.Options{}), export.Chat(&chat, Gate(g), export.Options{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"gate: regression\n", "▼ Goodput with arm1 is worse than with off, by ", "How sure: ", "Student's t over trial effects", "! known issue unused (other|arm, goodput)"} {
		if !strings.Contains(term.String(), want) {
			t.Errorf("terminal lacks %q:\n%s", want, term.String())
		}
	}
	for _, want := range []string{"## ▼ synthetic: regression\n", "| ▼ regression | arm1 | Goodput | Goodput with arm1 is worse", `other\|arm`, "### What is the effect?"} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("Markdown lacks %q:\n%s", want, md.String())
		}
	}
	if strings.Count(chat.String(), "\n") != 1 || !strings.HasPrefix(chat.String(), "▼ synthetic (synthetic): REGRESSION: goodput of arm1 -4.") {
		t.Errorf("chat %q", chat.String())
	}
}
