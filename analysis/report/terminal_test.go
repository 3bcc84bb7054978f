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
	"netab/analysis/report/sample"
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

func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		file string
		s    analysis.Summary
		opts export.Options
	}{
		{"tcp.txt", sample.SummaryOf(sample.TCPWorld()), export.Options{}},
		{"udp.txt", sample.SummaryOf(sample.UDPWorld()), export.Options{Width: 200}},
		{"matrix.txt", analysis.Summarize(sample.MatrixWorld().Run()), export.Options{Width: 100}},
		{"tcp-60.txt", sample.SummaryOf(sample.TCPWorld()), export.Options{Width: 60}},
		{"troubled.txt", sample.Troubled(), export.Options{}},
		{"long-names.txt", sample.LongNames(), export.Options{Width: 80}},
		{"long-names-60.txt", sample.LongNames(), export.Options{Width: 60}},
		{"long-names-40.txt", sample.LongNames(), export.Options{Width: 40}},
		{"tcp-40.txt", sample.SummaryOf(sample.TCPWorld()), export.Options{Width: 40}},
		{"matrix-60.txt", analysis.Summarize(sample.MatrixWorld().Run()), export.Options{Width: 60}},
		{"troubled-60.txt", sample.Troubled(), export.Options{Width: 60}},
		{"rr.txt", analysis.Summarize(sample.Requests()), export.Options{}},
		{"rr-60.txt", analysis.Summarize(sample.Requests()), export.Options{Width: 60}},
		{"ladder.txt", analysis.Summarize(sample.Ladder()), export.Options{}},
		{"search.txt", analysis.Summarize(sample.Search()), export.Options{}},
		{"campaign.txt", judgedKernels(5), export.Options{}},
		{"campaign-60.txt", judgedKernels(5), export.Options{Width: 60}},
		{"campaign-few.txt", judgedKernels(3), export.Options{}},
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

func judgedKernels(boots int) analysis.Summary {
	return analysis.JudgeCampaign(sample.Kernels(boots), analysis.CompareOptions{})
}

func terminalText(t *testing.T, s analysis.Summary, opts export.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := export.Text(&b, Summary(s), opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTerminalColorsVerdicts(t *testing.T) {
	text := terminalText(t, sample.SummaryOf(sample.TCPWorld()), export.Options{Color: true})
	for _, want := range []string{"\x1b[32m▲ improvement", "\x1b[33m? inconclusive"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}
