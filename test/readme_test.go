package test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"netab/test/guests"
)

// TestReadme: whoever types a run from README.md gets what it says: every one
// is planned, on this machine.
func TestReadme(t *testing.T) {
	folder, _ := guests.Find(t) // in place of the kernels that it names
	sandboxed(t, hostNetwork, func(t *testing.T) {
		text, err := os.ReadFile("../README.md")
		if err != nil {
			t.Fatal(err)
		}
		lines := regexp.MustCompile(`(?m)^    bin/(netab run .*)$`).FindAllStringSubmatch(string(text), -1)
		if len(lines) < 8 {
			t.Fatalf("%d runs in README.md: their form has changed", len(lines))
		}
		p := newPlace(t)
		for _, line := range lines {
			// A shell, because of quotes and comments.
			typed, _, _ := strings.Cut(line[1], " # ")
			want := "grain "
			if strings.Contains(typed, "--resume") {
				continue // which takes a campaign that there is
			}
			if kernels := regexp.MustCompile(`--kernels \S+`); kernels.MatchString(typed) {
				typed, want = kernels.ReplaceAllString(typed, "--kernels "+folder), "in random order"
			}
			cmd := p.command()
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", typed + " --dry-run"}
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%s: %v\n%s", typed, err, out)
			}
		}
	})
}
