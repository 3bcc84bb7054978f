package main

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestProgressIsOneLine: whatever is compared, the line has room for it, and
// what goes first is what is missed least.
func TestProgressIsOneLine(t *testing.T) {
	nine := make([]field, 9)
	for i := range nine {
		nine[i] = field{fmt.Sprintf("message=131072,rps_cpus=%d", i), "+24.1 %", "(+22.0 to +26.0)"}
	}
	two := []field{{"sink", "+24.1 %", "(+22.0 to +26.0)"}, {"all", "-3.0 %", "(-4.0 to -2.0)"}}
	for _, tt := range []struct {
		name   string
		fields []field
		width  int
		want   string
	}{
		{"all of it", two, 99, "trial 12, 40s left at most | sink +24.1 % (+22.0 to +26.0) | all -3.0 % (-4.0 to -2.0)"},
		{"60 columns, no intervals", two, 59, "trial 12, 40s left at most | sink +24.1 % | all -3.0 %"},
		{"nine arms", nine, 99, "trial 12, 40s left at most | …rps_cpus=0 +24.1 % | …rps_cpus=1 +24.1 % | 7 more"},
		{"nine arms, 60 columns", nine, 59, "trial 12, 40s left at most | …rps_cpus=0 +24.1 % | 8 more"},
		{"20 columns", nine, 19, "trial 12, 40s ..."},
		{"a level", []field{{"", "41.2 Gbit/s", "(40.1 to 42.3)"}}, 79, "trial 12, 40s left at most | 41.2 Gbit/s (40.1 to 42.3)"},
	} {
		got := progressLine("trial 12, 40s left at most", tt.fields, tt.width)
		if got != tt.want || utf8.RuneCountInString(got) > tt.width {
			t.Errorf("%s: %d columns: %q\nwant %q in %d", tt.name, utf8.RuneCountInString(got), got, tt.want, tt.width)
		}
	}
	for width := 1; width < 200; width++ {
		if got := progressLine("trial 12, 40s left at most", nine, width); utf8.RuneCountInString(got) > width {
			t.Errorf("%d columns: %q", width, got)
		}
	}
}

// TestWidths: lists fit into the columns there are, or are whole where nobody
// says how many.
func TestWidths(t *testing.T) {
	rows := [][]string{{"RUN", "SCENARIO", "STARTED", "TRIALS", "ENDED"},
		{"loopback-rps-20261130T094603-88c7", "loopback-rps", "2026-11-30 09:46:03", "30", "failed: open the lock: no such file or directory"}}
	for _, tt := range []struct {
		width int
		want  string
	}{
		{0, "loopback-rps-20261130T094603-88c7  loopback-rps  2026-11-30 09:46:03  30      failed: open the lock: no such file or directory\n"},
		{100, "loopback-rps-20261130T094603-88c7  30      failed: open the lock: no such file or directory\n"},
		{80, "loopback-rps-20261130T094603-88c7  30      failed: open the lock: no such ...\n"},
		{60, "loopback-rps-20261130T094603-88c7  30      failed: open ...\n"},
	} {
		if got := listOfRuns(rows, tt.width); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%d columns:\n%s\nwant\n%s", tt.width, got, tt.want)
		}
	}
	for _, width := range []int{24, 40, 60, 80, 100} {
		var b strings.Builder
		if err := printList(&b, listed(), width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > max(width, 30) {
				t.Errorf("%d columns: a line of %d: %s", width, n, line)
			}
		}
	}
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{{"a word", 6, "a word"}, {"some words", 8, "some ..."}, {"onelongword", 8, "onel ..."}, {"öäü öäü öäü", 8, "öäü ..."}, {"abc", 2, "ab"}, {"abc", 0, ""}} {
		if got := cut(tt.text, tt.width); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestEndedAtOnce(t *testing.T) {
	for borrowed, want := range map[int]string{
		0: "ended at once; nothing of this machine is left changed",
		1: "ended at once, with 1 setting of this machine not put back: run netab restore",
		3: "ended at once, with 3 settings of this machine not put back: run netab restore",
	} {
		if got := endedAtOnce(borrowed); got != want {
			t.Errorf("%d: %s, want %s", borrowed, got, want)
		}
	}
}
