package main

import (
	"strings"
	"testing"

	"netab/analysis/report/export"
)

// TestFormatOfEveryCommand: whatever shows a view shows it in every format, and
// refuses a format that is none before it does anything.
func TestFormatOfEveryCommand(t *testing.T) {
	store := t.TempDir()
	run, other := simulate(t, store+"/one", 0, 1, nil), simulate(t, store+"/other", 0, 2, nil)
	for _, command := range [][]string{
		{"results", "show", run}, {"results", "export", run}, {"compare", run, other}, {"gate", run}, {"trend"},
		{"prove", "--world", "white", "--repetitions", "2", "--quick"},
	} {
		name := strings.Join(command[:1], " ")
		judged := name == "gate" || name == "trend"
		for _, format := range export.Names() {
			_, stdout, stderr := netab(append(command, "--store", store, "--format", format)...)
			if needs := format == "chat" || format == "junit"; needs && !judged {
				if stdout != "" || !strings.Contains(stderr, "no outcome") {
					t.Errorf("%s as %s: %q, %q", command, format, stdout, stderr)
				}
			} else if stdout == "" {
				t.Errorf("%s as %s: nothing, %q", command, format, stderr)
			}
		}
		if code, stdout, stderr := netab(append(command, "--store", store, "--format", "xml")...); code != exitUsage || stdout != "" || !strings.Contains(stderr, "markdown") {
			t.Errorf("%s as xml: status %d, %q, %q", command, code, stdout, stderr)
		}
		if name != "results" {
			_, _, stderr := netab(append(command, "--store", store, "--format", "text", "--json")...)
			if !strings.Contains(stderr, "format json") {
				t.Errorf("%s: --format and --json together are no mistake: %q", command, stderr)
			}
		}
	}
	for _, command := range []string{"run", "calibrate"} { // which would measure
		if code, _, stderr := netab(command, "--format", "xml"); code != exitUsage || !strings.Contains(stderr, "want chat") {
			t.Errorf("%s as xml: status %d, %q", command, code, stderr)
		}
	}
}
