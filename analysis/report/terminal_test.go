package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"netab/analysis"
	"netab/analysis/report/export"
	"netab/results"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata that people can read.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

func summaryOf(w world) analysis.Summary { return w.summary(w.run()) }

// troubled is a run in which all went wrong that a summary can tell of.
func troubled() analysis.Summary {
	s := summaryOf(tcpWorld())
	s.Converged, s.Invalid, s.Ended = false, 3, "max-time"
	other := s.Comparisons[0]
	other.Metric, other.Change, other.Lo, other.Hi, other.Verdict = nsByteSink, -0.021, -0.034, -0.008, analysis.Improvement
	s.Comparisons = append(s.Comparisons, other)
	s.Comparisons[1].Mixture = true
	s.Confounders = []analysis.Confounder{{Name: "kernel", A: "6.18.2", B: "6.19.0", Declared: true}, {Name: "cpu_model", A: "X", B: "Y", Blocking: true}}
	s.Warnings = append(s.Warnings, results.Warning{Code: "not-converged", Text: "NOT CONVERGED: \x1b[31mall\x1b[0m against off has no verdict at resolution 1 %: raise --max-time or --resolution"})
	s.Advice = []analysis.Advice{{Code: "states", Text: "pin the guest's virtual CPUs", Gain: "the error of sink falls from 2.8 % to 0.60 %"},
		{Code: "foreign-cpu", Text: "stop what else runs while netab measures: \x1b[31mcc1\x1b[0m (190 % of a CPU)"}}
	return s
}

func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		file string
		s    analysis.Summary
		opts export.Options
	}{
		{"tcp.txt", summaryOf(tcpWorld()), export.Options{}},
		{"udp.txt", summaryOf(udpWorld()), export.Options{Width: 200}},
		{"matrix.txt", summaryOf(matrixWorld()), export.Options{Width: 100}},
		{"tcp-60.txt", summaryOf(tcpWorld()), export.Options{Width: 60}},
		{"troubled.txt", troubled(), export.Options{}},
		{"long-names.txt", longNames(), export.Options{Width: 80}},
		{"long-names-60.txt", longNames(), export.Options{Width: 60}},
		{"long-names-40.txt", longNames(), export.Options{Width: 40}},
		{"tcp-40.txt", summaryOf(tcpWorld()), export.Options{Width: 40}},
		{"matrix-60.txt", summaryOf(matrixWorld()), export.Options{Width: 60}},
		{"troubled-60.txt", troubled(), export.Options{Width: 60}},
		{"rr.txt", analysis.Summarize(rrRun()), export.Options{}},
		{"rr-60.txt", analysis.Summarize(rrRun()), export.Options{Width: 60}},
		{"ladder.txt", analysis.Summarize(ladderRun()), export.Options{}},
		{"search.txt", analysis.Summarize(searchRun()), export.Options{}},
		{"nothing.txt", analysis.Summary{Question: "Is it faster?", Warnings: []results.Warning{{Code: "no-trials", Text: "no trial was completed"}}}, export.Options{}},
	} {
		t.Run(c.file, func(t *testing.T) {
			plain := terminalText(t, c.s, c.opts)
			golden(t, c.file, plain)
			limit := 100
			if c.opts.Width > 0 && c.opts.Width < limit {
				limit = c.opts.Width
			}
			for _, line := range strings.Split(plain, "\n") {
				if utf8.RuneCountInString(line) > limit {
					t.Errorf("%d columns, at most %d are allowed: %s", utf8.RuneCountInString(line), limit, line)
				}
			}
			if strings.Contains(plain, "\x1b") {
				t.Error("an escape sequence without colour, or from the record")
			}
			c.opts.Color = true
			colored := terminalText(t, c.s, c.opts)
			if d := cmp.Diff(plain, regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(colored, "")); d != "" {
				t.Errorf("colour changes more than colour:\n%s", d)
			}
		})
	}
}

func terminalText(t *testing.T, s analysis.Summary, opts export.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := export.Text(&b, Summary(s), opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func longNames() analysis.Summary {
	s := summaryOf(tcpWorld())
	for i := range s.Arms {
		s.Arms[i].Name = "steering of received packets set to " + s.Arms[i].Name
	}
	for i := range s.Comparisons {
		s.Comparisons[i].Arm = "steering of received packets set to " + s.Comparisons[i].Arm
		s.Comparisons[i].Baseline = "steering of received packets set to " + s.Comparisons[i].Baseline
	}
	return s
}

func TestTerminalColorsVerdicts(t *testing.T) {
	text := terminalText(t, summaryOf(tcpWorld()), export.Options{Color: true})
	for _, want := range []string{"\x1b[32m▲ improvement", "\x1b[33m? inconclusive"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}
