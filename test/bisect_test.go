package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/test/need"
)

// TestBisectMeasured lets git find the commit that made a source slower, by
// measurements: the repository's only file is a scenario whose source is slowed
// down from one commit on. It measures time, half a minute of it: what netab bisect finds
// takes less (TestGuestBisect), and is tried in its place.
func TestBisectMeasured(t *testing.T) {
	if os.Getenv(envLong) == "" {
		t.Skipf("measured commits are for make soak: %s=1", envLong)
	}
	need.Program(t, "git")
	const tries = 3
	for try := 1; ; try++ {
		found, log := bisectMeasured(t, time.Duration(try)*12*time.Second)
		if found == "commit 2" {
			return
		}
		// On a busy machine a commit may get no verdict, which git skips: the next try
		// has more time.
		if try == tries || !strings.Contains(log, "# skip: ") {
			t.Fatalf("found %q, want commit 2:\n%s", found, log)
		}
		t.Logf("try %d: found %q, with commits skipped", try, found)
	}
}

// bisectMeasured returns the subject of the commit that git blames, and its log.
func bisectMeasured(t *testing.T, maxTime time.Duration) (found, log string) {
	p := newPlace(t)
	git := func(args ...string) (string, error) {
		cmd := exec.Command("git", append([]string{"-C", p.dir}, args...)...)
		cmd.Env = append(p.command().Env, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := git(args...)
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(out)
	}
	must("init", "-q")
	const scenario = `# commit %d
name: slower
question: Has the source become slower than it can be?
topology: loopback
traffic: {kind: rr, protocol: tcp, message: 1}
placement: same
arms:
  ideal: {}
  now: {traffic: {source: {slowdown: %s}}}
measure: {resolution: 15%%, max_time: %v, slice: 8ms, settle: 1ms, trial: 160ms, disturbed: count}
`
	for i, share := range []string{"0", "0", "40%", "40%"} {
		p.write(t, "slower.yaml", fmt.Sprintf(scenario, i, share, maxTime))
		must("add", "slower.yaml")
		must("commit", "-q", "-m", fmt.Sprintf("commit %d", i))
	}
	must("bisect", "start", "HEAD", "HEAD~3")
	_, err := git("bisect", "run", os.Getenv(envBinary), "run", "slower.yaml", "--bisect", "--quiet", "--store", filepath.Join(t.TempDir(), "store"))
	log = must("bisect", "log")
	if err != nil {
		return "", log
	}
	return must("log", "-1", "--format=%s", "refs/bisect/bad"), log
}
