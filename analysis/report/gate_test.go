package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"netab/analysis"
	"netab/analysis/report/export"
	simulated "netab/analysis/world"
	"netab/results"
)

var gateDay = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// gated judges a quiet world whose second arm is slower by 5 %.
func gated(t *testing.T, change func(*results.Run), known string) analysis.Gate {
	t.Helper()
	w := simulated.World{Effects: []float64{-0.05, 0}, Blocks: 10, Slice: 100 * time.Millisecond, White: 0.02}
	run := w.Run(w.Design(0.02, time.Minute), 5, 20)
	if change != nil {
		change(run)
	}
	issues, err := analysis.ParseKnownIssues("k", []byte(known))
	if err != nil {
		t.Fatal(err)
	}
	return analysis.NewGate(analysis.Summarize(run), issues, gateDay)
}

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

func junit(t *testing.T, g analysis.Gate) (string, suite) {
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
		text, s := junit(t, gated(t, tt.change, tt.known))
		if s.Tests != tt.tests || s.Failures != tt.failures || s.Errors != tt.errors || s.Skipped != tt.skipped {
			t.Errorf("%s: %d tests, %d failures, %d errors, %d skipped\n%s", tt.name, s.Tests, s.Failures, s.Errors, s.Skipped, text)
		}
	}
	text, _ := junit(t, gated(t, nil, known))
	if !strings.Contains(text, `message="acknowledged until 2026-12-31: &lt;bug&gt; &amp; 7"`) {
		t.Errorf("no reason in %s", text)
	}
}

// Whatever a record holds, the XML can be read back, and text stays text.
func TestGateJUnitHostile(t *testing.T) {
	evil := "]]>\x00\x1b[31m\uffff<x a='\"'/>"
	text, s := junit(t, gated(t, func(r *results.Run) {
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
	g := gated(t, nil, "- {arm: other|arm, metric: goodput, reason: r, expires: 2026-12-31}")
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

// The page of a comparison says who is compared, each verdict in plain words,
// and draws each judged metric and all of them.
func TestComparisonPage(t *testing.T) {
	var runs []*results.Run
	in := Input{}
	for i, kernel := range []string{"6.18", "6.18", "6.19", "6.20", "6.19"} {
		w := udpWorld()
		w.seed, w.trials, w.blocks = uint64(40+i), 6, 4
		run := w.run()
		run.Header.ID, run.Header.Machine.Kernel, run.Header.Machine.BootID = fmt.Sprint("run", i), kernel, fmt.Sprint("boot", i)
		if i == 3 {
			run.Header.Machine.CPUModel = "Another CPU"
		}
		runs = append(runs, run)
		in.Runs, in.Summaries = append(in.Runs, run), append(in.Summaries, analysis.Summarize(run))
	}
	groups, _ := analysis.GroupRuns(runs)
	s := analysis.CompareGroups(groups, analysis.CompareOptions{Declared: []string{"kernel"}, Force: true})
	in.Compare = &s
	text := pageText(t, in)
	for _, want := range []string{"Who is compared with whom", "In plain words", "cannot be told", "Goodput with off in 6.20", `data-chart="cmp-forest"`, `data-chart="cmp-metrics"`,
		"<strong>Forced</strong> These runs are not comparable (cpu model", "off @ 6.19", "off @ 6.20"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestSweepCharts(t *testing.T) {
	w := matrixWorld()
	w.trials = 6
	in := inputOf(w)
	in.Summaries[0] = analysis.Summarize(in.Runs[0])
	text := pageText(t, in)
	for _, want := range []string{`data-chart="r1-factor0"`, `data-chart="r1-factor1"`, "What rps does to goodput (%)", "rps=sink against off, message=64: +"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
