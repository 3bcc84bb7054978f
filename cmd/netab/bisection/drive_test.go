package bisection

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"netab/analysis/culprit"
	"netab/results"
	"netab/test/need"
)

// A repository of commits whose file "cost" says what a unit costs, "broken" that they
// do not build, and "panics" that they do not boot.
func repository(t *testing.T, costs []string) string {
	t.Helper()
	need.Program(t, "git")
	dir := t.TempDir()
	do := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	do("init", "--quiet", "--initial-branch=main")
	for i, cost := range costs {
		if err := os.MkdirAll(filepath.Join(dir, "net"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"net/cost": cost, "net/other": strconv.Itoa(i)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		do("add", ".")
		do("commit", "--quiet", "-m", fmt.Sprintf("net: change %d", i))
		do("tag", fmt.Sprintf("c%d", i))
	}
	return dir
}

// keep copies what the fake build made: no kernel, but its cost.
func keep(_ context.Context, tree, dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(tree, "image"))
	if err != nil {
		return "", err
	}
	other, err := os.ReadFile(filepath.Join(tree, "net/other"))
	if err != nil {
		return "", err
	}
	return string(data) + " " + string(other), os.WriteFile(filepath.Join(dir, "image"), data, 0o644)
}

const fakeBuild = `read x <net/cost; test "$x" != broken || { echo "udp.c:7:1: error: expected ;" >&2; exit 2; }; cp net/cost image`

type fakeTester struct {
	noise  float64
	atOnce int
	tested int
	stop   func() // nil = never
	after  int
	mu     sync.Mutex
}

func (f *fakeTester) AtOnce() int { return max(1, f.atOnce) }

func (f *fakeTester) Test(ctx context.Context, built string, seeds []uint64) (out []float64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tested++; f.stop != nil && f.tested > f.after {
		f.stop()
		return nil, ctx.Err()
	}
	data, err := os.ReadFile(filepath.Join(built, "image"))
	if err != nil {
		return nil, err
	}
	if string(data) == "panics" {
		return nil, &Untestable{"it panicked: Kernel panic - not syncing"}
	}
	cost, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return nil, err
	}
	for _, seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, uint64(len(built))+uint64(built[len(built)-1])))
		out = append(out, cost*math.Exp(f.noise*rng.NormFloat64()))
	}
	return out, nil
}

// bisect carries one out over a repository, or goes on with it.
func bisect(t *testing.T, ctx context.Context, repo, store string, costs []string, f *fakeTester, resume string) (*culprit.Answer, *Bisection) {
	t.Helper()
	var w *results.BisectionWriter
	var b *results.Bisection
	var err error
	if resume == "" {
		changes, err := Commits(t.Context(), repo, "c0", fmt.Sprintf("c%d", len(costs)-1))
		if err != nil {
			t.Fatal(err)
		}
		Weigh(changes, []string{"net/"})
		id := results.NewID("fake", time.Now(), rand.Uint64())
		if w, err = results.CreateBisection(store, id, results.BisectionHeader{Scenario: []byte("{}"), Repo: repo, Build: fakeBuild, Changes: changes}); err != nil {
			t.Fatal(err)
		}
		if b, err = results.ReadBisection(w.Dir()); err != nil {
			t.Fatal(err)
		}
	} else if w, b, err = results.ResumeBisection(resume); err != nil {
		t.Fatal(err)
	}
	of := &Bisection{Record: b, Writer: w, Tester: f, Printf: t.Logf,
		Source: &Tree{Repo: repo, Build: b.Header.Build, Dir: w.Dir(), Changes: b.Header.Changes, Keep: keep}}
	a, err := of.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return a, of
}

func history(n, bad int) []string {
	costs := make([]string, n)
	for i := range costs {
		if costs[i] = "1000"; i >= bad {
			costs[i] = "1030"
		}
	}
	return costs
}

// TestBisect finds a planted 3 % among 17 commits of a real repository, two of which do
// not build and one of which does not boot, through as many interruptions as there are
// events.
func TestBisect(t *testing.T) {
	costs := history(17, 11)
	costs[5], costs[12], costs[8] = "broken", "broken", "panics"
	repo := repository(t, costs)
	store := t.TempDir()
	whole, of := bisect(t, t.Context(), repo, store, costs, &fakeTester{noise: 0.002, atOnce: 2}, "")
	if whole.Outcome != culprit.Found || whole.Steps[0].After != 10 || whole.Steps[0].At != 11 {
		t.Fatalf("%+v", whole)
	}
	if c := of.Record.Header.Changes[11]; c.Subject != "net: change 11" || c.Author != "A <a@b>" || len(c.Files) != 2 || c.Weight != 10 {
		t.Errorf("%+v", c)
	}
	if out, err := exec.Command("git", "-C", repo, "status", "--porcelain").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("the repository: %v %s", err, out)
	}
	dir := ""
	for n := 0; ; n++ {
		if n == 100 {
			t.Fatal("it does not end")
		}
		ctx, cancel := context.WithCancel(t.Context())
		a, of := bisect(t, ctx, repo, store, costs, &fakeTester{noise: 0.002, atOnce: 2, stop: cancel, after: 1}, dir)
		cancel()
		if dir = of.Writer.Dir(); a == nil {
			continue
		}
		// One of two tests beside each other may be all that was kept, so that there are more or less.
		if n < 5 || a.Outcome != whole.Outcome || math.Abs(float64(a.Tests-whole.Tests)) > 2 || a.Steps[0].After != 10 || a.Steps[0].At != 11 {
			t.Errorf("after %d interruptions: %+v, want %+v", n, a, whole)
		}
		break
	}
	if left, _ := filepath.Glob(filepath.Join(dir, kernelsDir, ".half*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestBisectSaysNoChange(t *testing.T) {
	costs := history(9, 100)
	a, of := bisect(t, t.Context(), repository(t, costs), t.TempDir(), costs, &fakeTester{}, "")
	if a.Outcome != culprit.NoChange || !a.Identical || of.did[results.EventMade] != 2 {
		t.Errorf("%+v, %v", a, of.did)
	}
}

func TestBisectEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		at   int
		cost string
		says string
	}{
		"good": {0, "broken", "the good end, "},
		"bad":  {4, "panics", "the bad end, "},
	} {
		costs := history(5, 3)
		costs[tc.at] = tc.cost
		repo := repository(t, costs)
		changes, err := Commits(t.Context(), repo, "c0", "c4")
		if err != nil {
			t.Fatal(err)
		}
		w, err := results.CreateBisection(t.TempDir(), "x", results.BisectionHeader{Scenario: []byte("{}"), Repo: repo, Changes: changes})
		if err != nil {
			t.Fatal(err)
		}
		b, err := results.ReadBisection(w.Dir())
		if err != nil {
			t.Fatal(err)
		}
		of := &Bisection{Record: b, Writer: w, Tester: &fakeTester{}, Source: &Tree{Repo: repo, Build: fakeBuild, Dir: w.Dir(), Changes: changes, Keep: keep}}
		if _, err := of.Run(t.Context()); err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCommitsRefuses(t *testing.T) {
	repo := repository(t, history(3, 1))
	for name, tc := range map[string]struct{ good, bad, says string }{
		"an unknown one":    {"c0", "nothing", "has no commit nothing"},
		"the wrong way":     {"c2", "c0", "c2 is no ancestor of c0"},
		"nothing between":   {"c1", "c1", "there is no commit between"},
		"an option":         {"--all", "c1", "has no commit --all"},
		"a path, not a rev": {"net/cost", "c1", "has no commit"},
	} {
		if _, err := Commits(t.Context(), repo, tc.good, tc.bad); err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Commits(t.Context(), t.TempDir(), "a", "b"); err == nil {
		t.Error("no repository")
	}
}

func TestWeigh(t *testing.T) {
	for file, want := range map[string]float64{"net/ipv4/udp.c": 10, "include/net/udp.h": 10, "fs/ext4/inode.c": 1, "Documentation/x.rst": 0.1, "tools/perf/x.c": 0.1, "drivers/net/veth.c": 10, "drivers/gpu/x.c": 1} {
		if got := weigh([]string{file}, NetPaths); got != want {
			t.Errorf("%s: %g, want %g", file, got, want)
		}
	}
	if got := weigh(nil, NetPaths); got != 1 {
		t.Errorf("nothing known: %g", got)
	}
}
