package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netab/results"
	"netab/test/need"
)

// TestKnownIssuesOfStrangers: a run file names any scenario it likes; what is
// acknowledged beside that counts only for the store's own runs of this machine,
// and where nobody else can have written it. A file that is named always does.
func TestKnownIssuesOfStrangers(t *testing.T) {
	t.Setenv(machineNameEnv, "mine")
	const stranger = 65534
	for name, tt := range map[string]struct {
		machine string
		do      func(dir, run, known string) error
		want    string // "" = read
	}{
		"own":                    {"mine", nil, ""},
		"of another machine":     {"theirs", nil, "the run was measured on another machine, theirs"},
		"of another user":        {"mine", func(_, run, _ string) error { return os.Chown(run, stranger, stranger) }, "run.jsonl belongs to user 65534"},
		"in another's directory": {"mine", func(_, run, _ string) error { return os.Chown(filepath.Dir(run), stranger, 0) }, "slow belongs to user 65534"},
		"open to everybody":      {"mine", func(_, run, _ string) error { return os.Chmod(run, 0o666) }, "everybody can write to "},
		"a link": {"mine", func(dir, run, _ string) error {
			return errors.Join(os.Rename(run, dir+"/elsewhere.jsonl"), os.Symlink(dir+"/elsewhere.jsonl", run))
		}, "run.jsonl is a symbolic link"},
		"known issues of another user":     {"mine", func(_, _, known string) error { return os.Chown(known, stranger, stranger) }, "nightly.known-issues.yaml belongs to user 65534"},
		"known issues open to everybody":   {"mine", func(_, _, known string) error { return os.Chmod(known, 0o646) }, "everybody can write to "},
		"known issues open to a group":     {"mine", func(_, _, known string) error { return errors.Join(os.Chown(known, -1, 100), os.Chmod(known, 0o664)) }, "group 100 can write to "},
		"known issues open to the owner's": {"mine", func(_, _, known string) error { return os.Chmod(known, 0o664) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			run := simulate(t, dir+"/runs/slow", 0.05, 2, func(r *results.Run) {
				r.Header.Source, r.Header.Machine.Name = dir+"/nightly.yaml", tt.machine
			})
			known := dir + "/nightly.known-issues.yaml"
			if err := os.WriteFile(known, []byte("- {arm: arm1, reason: bug 7, expires: 9999-12-31}\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if tt.do != nil {
				err := tt.do(dir, run, known)
				if errors.Is(err, os.ErrPermission) {
					need.Root(t) // who alone may give files away
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			code, stdout, stderr := netab("gate", run, "--store", dir+"/runs")
			if tt.want == "" && (code != exitFine || !strings.Contains(stdout, "bug 7") || stderr != "") {
				t.Errorf("status %d, %s%s", code, stdout, stderr)
			}
			line := "netab: " + known + " not read: "
			if tt.want != "" && (code != exitRegression || !strings.Contains(stderr, line) || !strings.Contains(stderr, tt.want) ||
				!strings.Contains(stderr, "; give it with --known-issues\n")) {
				t.Errorf("status %d, %s; want %s...%s", code, stderr, line, tt.want)
			}
			// A run that is named by its path is not of the store by that.
			if code, _, stderr := netab("gate", run, "--store", dir+"/other"); code != exitRegression || !strings.Contains(stderr, line) {
				t.Errorf("of no store: status %d, %s", code, stderr)
			}
			if code, stdout, stderr := netab("gate", run, "--store", dir+"/runs", "--known-issues", known); code != exitFine || !strings.Contains(stdout, "bug 7") {
				t.Errorf("named: status %d, %s%s", code, stdout, stderr)
			}
		})
	}
}
