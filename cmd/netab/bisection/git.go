package bisection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netab/results"
	"netab/results/disk"
	"netab/runner/guest/kernel"
)

// A Tree makes the commits of a git repository. It works in a clone of its own, which
// borrows the repository's objects: nothing changes in the repository.
type Tree struct {
	Repo    string
	Build   string // a shell's command
	Config  string // of a kernel; "" = the build has its own
	Dir     string // of the bisection
	Changes []results.Change
	// Keep puts what was built in a tree into a directory, and returns a digest of its
	// code; what is no kernel is an *Untestable.
	Keep func(ctx context.Context, tree, dir string) (code string, err error)
	Log  func(string) // what a build says; nil = nobody wants to know
}

const (
	treeDir    = "tree"
	kernelsDir = "kernels"
)

// Commits lists those of a repository after good, up to bad, along first parents: a
// merge is one change.
func Commits(ctx context.Context, repo, good, bad string) ([]results.Change, error) {
	var ends [2]string
	for i, rev := range []string{good, bad} {
		out, err := git(ctx, repo, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
		if err != nil {
			return nil, fmt.Errorf("%s has no commit %s", repo, rev)
		}
		ends[i] = strings.TrimSpace(out)
	}
	if _, err := git(ctx, repo, "merge-base", "--is-ancestor", ends[0], ends[1]); err != nil {
		return nil, fmt.Errorf("%s is no ancestor of %s: name a good commit that came before the bad one", good, bad)
	}
	changes, err := list(ctx, repo, "--no-walk", ends[0])
	if err != nil {
		return nil, err
	}
	more, err := list(ctx, repo, "--first-parent", "-m", "--reverse", ends[0]+".."+ends[1])
	if err != nil {
		return nil, err
	}
	if len(more) == 0 {
		return nil, fmt.Errorf("there is no commit between %s and %s", good, bad)
	}
	return append(changes, more...), nil
}

// maxFiles of a commit are kept: more are those of a merge or of a renaming.
const maxFiles = 200

func list(ctx context.Context, repo string, args ...string) ([]results.Change, error) {
	out, err := git(ctx, repo, append([]string{"log", "--name-only", "--format=%x01%H%x00%an <%ae>%x00%aI%x00%s%x00"}, args...)...)
	if err != nil {
		return nil, err
	}
	var changes []results.Change
	for _, text := range strings.Split(out, "\x01")[1:] {
		parts := strings.SplitN(text, "\x00", 5)
		if len(parts) != 5 {
			return nil, fmt.Errorf("git log in %s: %q is no commit", repo, text)
		}
		c := results.Change{ID: parts[0], Author: parts[1], Subject: parts[3]}
		c.Date, _ = time.Parse(time.RFC3339, parts[2])
		for _, f := range strings.Split(parts[4], "\n") {
			if f != "" && len(c.Files) < maxFiles {
				c.Files = append(c.Files, f)
			}
		}
		if n := len(changes); n > 0 && changes[n-1].ID == c.ID { // a merge is there once for each parent
			continue
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// Weigh says how likely each change is to be the one, by what it touches: ten times as
// likely for what the scenario runs through, a tenth for what no kernel is built from.
func Weigh(changes []results.Change, paths []string) {
	for i := range changes {
		if i == 0 {
			continue
		}
		changes[i].Weight = weigh(changes[i].Files, paths)
	}
}

func weigh(files, paths []string) float64 {
	if len(files) == 0 {
		return 1
	}
	built := slices.ContainsFunc(files, func(f string) bool {
		top, _, _ := strings.Cut(f, "/")
		ext := path.Ext(f)
		return !slices.Contains([]string{"Documentation", "samples", "tools"}, top) && ext != ".rst" && ext != ".txt" && ext != ".md"
	})
	switch {
	case slices.ContainsFunc(files, func(f string) bool {
		return slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(f, p) })
	}):
		return 10
	case !built:
		return 0.1
	}
	return 1
}

// Make implements Source.
func (t *Tree) Make(ctx context.Context, change int) (built, code string, err error) {
	id := t.Changes[change].ID
	built = filepath.Join(kernelsDir, id)
	at := filepath.Join(t.Dir, built)
	if sum, err := readSmall(filepath.Join(at, codeFile)); err == nil {
		return at, sum, nil
	}
	if err := t.checkOut(ctx, id); err != nil {
		return "", "", err
	}
	if err := t.build(ctx); err != nil {
		return "", "", err
	}
	// Made beside it and moved there: half a kernel would be found again.
	all, err := disk.MakeDir(filepath.Join(t.Dir, kernelsDir))
	if err != nil {
		return "", "", err
	}
	defer all.Close()
	half := ".half-" + id
	if err := os.RemoveAll(filepath.Join(t.Dir, kernelsDir, half)); err != nil {
		return "", "", err
	}
	into, err := all.Mkdir(half)
	if err != nil {
		return "", "", err
	}
	defer into.Close()
	defer os.RemoveAll(filepath.Join(t.Dir, kernelsDir, half))
	if code, err = t.Keep(ctx, filepath.Join(t.Dir, treeDir), filepath.Join(t.Dir, kernelsDir, half)); err != nil {
		return "", "", err
	}
	if err := writeText(into, codeFile, code); err != nil {
		return "", "", err
	}
	return at, code, all.Rename(half, all, id)
}

func writeText(dir *disk.Dir, name, text string) error {
	return dir.Write(name, func(w io.Writer) error {
		_, err := strings.NewReader(text).WriteTo(w)
		return err
	})
}

const codeFile = "code"

// checkOut puts a commit into the tree, whose objects of earlier builds stay: only what
// changed is built again.
func (t *Tree) checkOut(ctx context.Context, id string) error {
	tree := filepath.Join(t.Dir, treeDir)
	if _, err := os.Stat(filepath.Join(tree, ".git")); errors.Is(err, os.ErrNotExist) {
		if err := os.RemoveAll(tree); err != nil { // a clone that was cut off
			return err
		}
		repo, err := filepath.Abs(t.Repo)
		if err != nil {
			return err
		}
		if err := os.RemoveAll(tree + ".half"); err != nil {
			return err
		}
		if _, err := git(ctx, t.Dir, "clone", "--quiet", "--shared", "--no-checkout", repo, treeDir+".half"); err != nil {
			return err
		}
		dir, err := disk.OpenDir(t.Dir)
		if err != nil {
			return err
		}
		defer dir.Close()
		if err := dir.Rename(treeDir+".half", dir, treeDir); err != nil {
			return err
		}
	}
	// A git that was killed leaves its lock.
	if err := os.Remove(filepath.Join(tree, ".git", "index.lock")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_, err := git(ctx, tree, "checkout", "--quiet", "--force", "--detach", id)
	return err
}

func (t *Tree) build(ctx context.Context) error {
	tree, build := filepath.Join(t.Dir, treeDir), t.Build
	if t.Config != "" {
		dir, err := disk.OpenDir(tree)
		if err != nil {
			return err
		}
		defer dir.Close()
		if err := writeText(dir, ".config", unversioned(t.Config)); err != nil {
			return err
		}
		build = "make olddefconfig && " + build
	}
	// An image of the commit before is no image of this one, whatever the build says.
	for _, image := range kernel.TreeImages() {
		err := os.Remove(filepath.Join(tree, image))
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
			return err
		}
	}
	run, err := startBuild(ctx, tree, build)
	if err != nil {
		return err
	}
	out, err := run.wait()
	if t.Log != nil {
		t.Log(out)
	}
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if line := wants(out); line != "" {
		return fmt.Errorf("a build ended for want of what this machine should have, which is no commit's fault: %s", line)
	}
	return &Untestable{"it does not build: " + fault(out, err)}
}

// unversioned is a configuration without the commit in the kernel's version: what has
// the same code is to have the same bytes.
func unversioned(config string) string {
	return strings.ReplaceAll(config, "CONFIG_LOCALVERSION_AUTO=y", "# CONFIG_LOCALVERSION_AUTO is not set")
}

// wants is the line of a build that ended because this machine has no more of something;
// "" = it did not.
func wants(out string) string {
	for l := range strings.Lines(out) {
		if lacking.MatchString(l) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}

var lacking = regexp.MustCompile(`No space left on device|Disk quota exceeded|Read-only file system|Cannot allocate memory|virtual memory exhausted|Killed signal terminated program|: \d+ Killed|Input/output error`)

// buildEnv makes the same source into the same bytes (Documentation/kbuild/reproducible-builds).
var buildEnv = []string{"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970", "KBUILD_BUILD_USER=netab", "KBUILD_BUILD_HOST=netab", "KBUILD_BUILD_VERSION=1", "LOCALVERSION=", "LC_ALL=C"}

// fault is the line of a build that says what is wrong.
func fault(out string, err error) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, l := range lines {
		if strings.Contains(l, "error:") || strings.Contains(l, "Error ") {
			return strings.TrimSpace(l)
		}
	}
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return err.Error()
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := run(ctx, dir, []string{"GIT_TERMINAL_PROMPT=0", "LC_ALL=C"}, "git", append([]string{"-c", "advice.detachedHead=false", "-c", "core.quotePath=off"}, args...)...)
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("git is not installed: apt install git")
	}
	if err != nil && ctx.Err() == nil {
		return "", fmt.Errorf("git %s in %s: %s", args[0], dir, fault(out, err))
	}
	return out, err
}

// run runs a program to its end, with whatever it started.
func run(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), &out, &out
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out.String(), err
}

// guarded runs a build in such a way that it ends when netab does, however that ends:
// the other end of descriptor 3 is netab's. By SIGTERM make removes what it has half
// made; killed at once it would take that for done the next time.
const guarded = `{ read -r x <&3; kill -TERM 0; } </dev/null >/dev/null 2>&1 & exec 3<&-; eval "$1"`

// A running is a build that was begun.
type running struct {
	ctx   context.Context
	cmd   *exec.Cmd
	out   bytes.Buffer
	guard *os.File // the end that is netab's
}

func startBuild(ctx context.Context, dir, build string) (*running, error) {
	held, guard, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer held.Close()
	b := &running{ctx: ctx, cmd: exec.CommandContext(ctx, "sh", "-c", guarded, "sh", build), guard: guard}
	b.cmd.Dir, b.cmd.Env, b.cmd.Stdout, b.cmd.Stderr, b.cmd.ExtraFiles = dir, append(os.Environ(), buildEnv...), &b.out, &b.out, []*os.File{held}
	b.cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	b.cmd.Cancel = func() error { return unix.Kill(-b.cmd.Process.Pid, unix.SIGTERM) }
	b.cmd.WaitDelay = 20 * time.Second
	if err := b.cmd.Start(); err != nil {
		guard.Close()
		return nil, err
	}
	return b, nil
}

// wait waits for its end, and ends whatever it left running.
func (b *running) wait() (string, error) {
	err := b.cmd.Wait()
	_ = unix.Kill(-b.cmd.Process.Pid, unix.SIGKILL)
	b.guard.Close()
	if b.ctx.Err() != nil {
		err = b.ctx.Err()
	}
	return b.out.String(), err
}

func readSmall(name string) (string, error) {
	data, err := disk.Read(name, 1<<10)
	return string(data), err
}

// NetPaths are what the network path of a kernel is made from.
var NetPaths = []string{"net/", "include/net/", "include/linux/skbuff.h", "include/linux/netdevice.h", "drivers/net/veth.c", "drivers/net/loopback.c"}
