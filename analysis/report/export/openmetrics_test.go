package export_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report/export"
	"netab/analysis/report/sample"
	"netab/results"
)

// A line of the text format: a family's word, or a sample without a timestamp.
var openMetricsLine = regexp.MustCompile(`^(# (TYPE|HELP) netab_[a-z_]+ .+|# EOF|netab_[a-z_]+\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\} [-+]?[0-9.]+(e[-+][0-9]+)?)$`)

func TestOpenMetrics(t *testing.T) {
	odd := sample.TCPWorld().Run()
	odd.Header.Design.Name = "a\"b\\c\nd"
	for _, run := range []*results.Run{sample.TCPWorld().Run(), sample.UDPWorld().Run(), sample.Requests(), odd} {
		var b bytes.Buffer
		if err := export.OpenMetrics(&b, run, analysis.Summarize(run)); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		seen, family := map[string]bool{}, ""
		for _, line := range lines {
			if !openMetricsLine.MatchString(line) {
				t.Errorf("not OpenMetrics: %s", line)
			}
			if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
				family, _, _ = strings.Cut(name, " ")
				continue
			}
			if strings.HasPrefix(line, "#") {
				continue
			}
			if series, _, _ := strings.Cut(line, "} "); seen[series] || !strings.HasPrefix(line, family+"{") {
				t.Errorf("twice, or of another family than %s: %s", family, line)
			} else {
				seen[series] = true
			}
		}
		if lines[len(lines)-1] != "# EOF" {
			t.Errorf("ends with %s", lines[len(lines)-1])
		}
	}
	var b bytes.Buffer
	run := sample.TCPWorld().Run()
	if err := export.OpenMetrics(&b, run, analysis.Summarize(run)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`metric="goodput",unit="bit/s"} 4`, `verdict="improvement"} 1`, "netab_trials{", "netab_measured_timestamp_seconds{"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %s:\n%s", want, b.String())
		}
	}
}
