package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"netab/test/need"
)

// envActAs makes the test binary a netab, one that crashes, or one that dies.
const envActAs = "NETAB_TEST_ACT_AS"

func TestMain(m *testing.M) {
	as := os.Getenv(envActAs)
	if as != "" && os.Getenv(bisectMark) != "" {
		switch as {
		case "panic":
			panic("a crash of netab")
		case "goroutine":
			go func() { panic("a crash where no recover reaches") }()
			select {}
		case "killed":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	if as != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// self runs the test binary as a netab and returns its exit status.
func self(t *testing.T, as string, args ...string) (code int, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), envActAs+"="+as)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), errs.String()
}

func TestBisectStatus(t *testing.T) {
	dir := t.TempDir()
	good, slow := simulate(t, dir+"/good", 0, 1, nil), simulate(t, dir+"/slow", 0.05, 2, nil)
	for _, tt := range []struct {
		as   string
		args []string
		want int
	}{
		{"netab", []string{"gate", good, "--bisect"}, bisectGood},
		{"netab", []string{"gate", slow, "--bisect"}, bisectBad},
		{"netab", []string{"gate", slow, "--bisect=true", "--quiet"}, bisectBad},
		{"netab", []string{"gate", good, "--threshold", "goodput=0.01%", "--bisect"}, bisectSkip},
		{"netab", []string{"gate", dir + "/nope/run.jsonl", "--bisect"}, bisectSkip},
		{"netab", []string{"gate", "--bisect"}, bisectSkip},                  // usage
		{"netab", []string{"gate", good, "--bisect", "--bogus"}, bisectSkip}, // usage
		{"netab", []string{"bogus", "--bisect"}, bisectSkip},                 // usage
		{"panic", []string{"gate", good, "--bisect"}, bisectSkip},
		{"goroutine", []string{"gate", slow, "--bisect"}, bisectSkip},
		{"killed", []string{"gate", slow, "--bisect"}, bisectSkip},
		// Without --bisect the statuses are the usual ones.
		{"netab", []string{"gate", good, "--threshold", "goodput=0.01%"}, exitInconclusive},
		{"netab", []string{"gate", slow, "--bisect=false"}, exitRegression},
	} {
		if got, stderr := self(t, tt.as, tt.args...); got != tt.want {
			t.Errorf("%s %q: status %d, want %d; stderr %s", tt.as, tt.args, got, tt.want, stderr)
		}
	}
}

// TestGitBisectRun lets git find the commit that made an arm slower. The
// repository's only file is the slowdown; a run of a simulated world with it
// stands in for a measurement, so that what is tested is git and the gate.
// One commit cannot be measured and one crashes netab: git must skip them.
func TestGitBisectRun(t *testing.T) {
	need.Program(t, "git")
	dir := t.TempDir()
	repo, runs := filepath.Join(dir, "repo"), filepath.Join(dir, "runs")
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repo}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "NETAB="+os.Args[0],
			"RUNS="+runs, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if err := os.MkdirAll(repo, 0o755); err != nil {
		t.Fatal(err)
	}
	git("init", "-q")
	// Slowdowns in percent, commit by commit. Bisecting begins in the middle, so
	// with the commits that have no answer.
	commits := []string{"0", "0", "0", "0", "0", "0", "0", "crash", "unmeasurable", "0", "0", "4", "4", "4", "4", "4"}
	const culprit = 11
	for i, slowdown := range commits {
		text := fmt.Sprintf("%s %d\n", slowdown, i)
		if err := os.WriteFile(filepath.Join(repo, "slowdown"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		git("add", "slowdown")
		git("commit", "-q", "-m", fmt.Sprintf("commit %d", i))
		if slowdown == "0" || slowdown == "4" {
			share := map[string]float64{"0": 0, "4": 0.04}[slowdown]
			simulate(t, filepath.Join(runs, fmt.Sprint(i)), share, uint64(100+i), nil)
		}
	}
	script := filepath.Join(dir, "measure.sh")
	const text = `#!/bin/sh
read -r slowdown i <slowdown
as=netab
[ "$slowdown" = crash ] && as=goroutine i=0
exec env ` + envActAs + `="$as" "$NETAB" gate "$RUNS/$i/run.jsonl" --bisect --quiet
`
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	git("bisect", "start", "HEAD", fmt.Sprintf("HEAD~%d", len(commits)-1))
	out := git("bisect", "run", script)
	first := strings.TrimSpace(git("log", "-1", "--format=%s", "refs/bisect/bad"))
	if first != fmt.Sprintf("commit %d", culprit) || !strings.Contains(out, "is the first 'bad' commit") && !strings.Contains(out, "is the first bad commit") {
		t.Errorf("found %q, want commit %d:\n%s", first, culprit, out)
	}
	if log := git("bisect", "log"); !strings.Contains(log, "# skip: ") || !strings.Contains(log, "# good: ") {
		t.Errorf("no commit was skipped, so that was not tested:\n%s", log)
	}
}
