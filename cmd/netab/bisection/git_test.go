package bisection

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/runner/guest/kernel"
	"netab/test/need"
)

// one makes a change of a repository by a build.
func one(t *testing.T, repo, build string, keep func(context.Context, string, string) (string, error)) (*Tree, func(change int) error) {
	t.Helper()
	changes, err := Commits(t.Context(), repo, "c0", "c2")
	if err != nil {
		t.Fatal(err)
	}
	tree := &Tree{Repo: repo, Build: build, Dir: t.TempDir(), Changes: changes, Keep: keep}
	return tree, func(change int) error {
		_, _, err := tree.Make(t.Context(), change)
		return err
	}
}

// TestMachineLacks: what this machine has no more of is no commit's fault.
func TestMachineLacks(t *testing.T) {
	repo := repository(t, history(3, 1))
	for _, line := range []string{"/tmp/cc1.s: No space left on device", "cc1: out of memory\ngcc: fatal error: Killed signal terminated program cc1", "sh: line 1: 4711 Killed ld -o vmlinux"} {
		_, build := one(t, repo, "printf '%s\\n' '"+line+"' >&2; exit 2", keep)
		err := build(1)
		var not *Untestable
		if err == nil || errors.As(err, &not) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "no commit's fault") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// TestImageOfBefore: a build that says that it did, and made no image, has none; that of
// the commit before is not taken for it.
func TestImageOfBefore(t *testing.T) {
	repo := repository(t, []string{"1000", "1000", "nothing"})
	images := kernel.TreeImages()
	build := `mkdir -p include/config ` + filepath.Dir(images[0]) + `; : >.config; test "$(cat net/cost)" = nothing || cp net/cost ` + images[0]
	tree, of := one(t, repo, build, KeepKernel(kernel.Options{}))
	tree.Keep = func(ctx context.Context, in, dir string) (string, error) {
		if _, err := os.Stat(filepath.Join(in, images[0])); err == nil {
			return "code", nil // it is no kernel, but an image
		}
		return KeepKernel(kernel.Options{})(ctx, in, dir)
	}
	if err := of(1); err != nil {
		t.Fatal(err)
	}
	var not *Untestable
	if err := of(2); !errors.As(err, &not) || !strings.Contains(err.Error(), "nothing is built in it yet") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(tree.Dir, kernelsDir, ".half*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestBuildEnds: a build that is given up is told so, and nothing of it goes on; so is one
// whose netab was killed.
func TestBuildEnds(t *testing.T) {
	need.Program(t, "sh")
	for name, end := range map[string]func(cancel func(), guard *os.File){
		"given up": func(cancel func(), _ *os.File) { cancel() },
		"killed":   func(_ func(), guard *os.File) { guard.Close() },
	} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		b, err := startBuild(ctx, dir, `sh -c 'trap "echo told >said; exit 1" TERM; echo $$ >pid; while :; do sleep 0.02; done'`)
		if err != nil {
			t.Fatal(err)
		}
		pid := awaitFile(t, filepath.Join(dir, "pid"))
		end(cancel, b.guard)
		if _, err := b.wait(); err == nil {
			t.Errorf("%s: the build ended well", name)
		}
		cancel()
		if said := awaitFile(t, filepath.Join(dir, "said")); said != "told" {
			t.Errorf("%s: %q", name, said)
		}
		for n := 0; alive(pid); n++ {
			if n == 500 {
				t.Fatalf("%s: it goes on", name)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// alive says of a process that it runs, and is not one that nobody has asked after yet.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func awaitFile(t *testing.T, path string) string {
	t.Helper()
	for range 500 {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			return strings.TrimSpace(string(data))
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("there is no %s", path)
	return ""
}

// TestResumeKilled: after kill -9 there is half a line, half a clone, half a kernel and
// git's lock, and the search goes on.
func TestResumeKilled(t *testing.T) {
	costs := history(9, 6)
	repo, store := repository(t, costs), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	a, of := bisect(t, ctx, repo, store, costs, &fakeTester{noise: 0.001, stop: cancel, after: 5}, "")
	cancel()
	if a != nil {
		t.Fatalf("%+v", a)
	}
	dir := of.Writer.Dir()
	record := filepath.Join(dir, results.BisectionFile)
	whole, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	// The last two are that of the end and nothing: it got neither that nor all of the one before.
	cut := strings.Join(lines[:len(lines)-3], "") + lines[len(lines)-3][:20]
	made := map[string]string{record: cut, filepath.Join(dir, treeDir, ".git", "index.lock"): "", filepath.Join(dir, treeDir+".half", "x"): "",
		filepath.Join(dir, kernelsDir, ".half-"+of.Record.Header.Changes[3].ID, "image"): ""}
	for name, text := range made {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a, _ = bisect(t, t.Context(), repo, store, costs, &fakeTester{noise: 0.001}, dir)
	if a == nil || a.Steps[0].At != 6 {
		t.Errorf("%+v", a)
	}
}
