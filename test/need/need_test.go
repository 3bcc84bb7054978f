package need

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A recorder is a test that something is asked for.
type recorder struct {
	testing.TB    // nil: what is not below must not be called
	outcome, text string
}

func (r *recorder) Helper() {}

func (r *recorder) end(outcome, text string) {
	r.outcome, r.text = outcome, text
	runtime.Goexit()
}

func (r *recorder) Skip(args ...any)             { r.end("skipped", fmt.Sprint(args...)) }
func (r *recorder) Skipf(f string, args ...any)  { r.end("skipped", fmt.Sprintf(f, args...)) }
func (r *recorder) Fatal(args ...any)            { r.end("failed", fmt.Sprint(args...)) }
func (r *recorder) Fatalf(f string, args ...any) { r.end("failed", fmt.Sprintf(f, args...)) }

// outcome is how a test ended that asked, and what it said.
func outcome(ask func(testing.TB)) (string, string) {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ask(r)
		r.outcome = "went on"
	}()
	<-done
	return r.outcome, r.text
}

func TestNeed(t *testing.T) {
	lacks := errors.New("no such file or directory")
	program := func(name string) func(testing.TB) { return func(t testing.TB) { Program(t, name) } }
	cpus := func(n int) func(testing.TB) { return func(t testing.TB) { CPUs(t, n) } }
	kernel := func(v string) func(testing.TB) { return func(t testing.TB) { Kernel(t, v) } }
	option := func(name string, err error) func(testing.TB) { return func(t testing.TB) { Option(t, name, err) } }
	unbuilt := "failed" // a kernel that does not say how it was built might have it
	if KernelConfig() != "" {
		unbuilt = "skipped"
	}
	for name, tt := range map[string]struct {
		ask       func(testing.TB)
		ci, local string
		text      string
	}{
		"program there":          {program("sh"), "went on", "went on", ""},
		"program missing":        {program("netab-none"), "failed", "skipped", "needs netab-none: `make tools` installs"},
		"old enough kernel":      {kernel("3.10"), "went on", "went on", ""},
		"too old kernel":         {kernel("99.0"), "failed", "skipped", "needs Linux 99.0 or newer, not " + release() + ": boot"},
		"option at work":         {option("NETAB_NONE", nil), "went on", "went on", ""},
		"option not built":       {option("NETAB_NONE", lacks), unbuilt, "skipped", "needs a kernel with CONFIG_NETAB_NONE (no such file or directory)"},
		"a CPU":                  {cpus(1), "went on", "went on", ""},
		"more CPUs than exist":   {cpus(100_000), "skipped", "skipped", "needs 100000 CPUs, may run on "},
		"something of one's own": {func(t testing.TB) { Missing(t, "charts", "run `make build`") }, "failed", "skipped", "needs charts: run `make build`"},
	} {
		for ci, want := range map[string]string{"": tt.local, "true": tt.ci} {
			t.Setenv("CI", ci)
			got, text := outcome(tt.ask)
			if got != want || !strings.HasPrefix(text, tt.text) {
				t.Errorf("%s, CI=%q: %s %q, want %s %q", name, ci, got, text, want, tt.text)
			}
		}
	}
}

// TestRoot: an ordinary user is no root, and neither is root without the
// capabilities.
func TestRoot(t *testing.T) {
	if got, _ := outcome(Root); (got == "went on") != (os.Geteuid() == 0 && capabilities()&rootNeeds == rootNeeds) {
		t.Errorf("%s as user %d with capabilities %x", got, os.Geteuid(), capabilities())
	}
	t.Setenv("CI", "")
	got, text := outcome(func(t testing.TB) {
		// For good: the thread ends with the goroutine.
		runtime.LockOSThread()
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			t.Fatal(err)
		}
		Root(t)
	})
	if got != "skipped" || !strings.Contains(text, "CAP_SYS_ADMIN") {
		t.Errorf("without capabilities: %s %q", got, text)
	}
}

func TestOlder(t *testing.T) {
	for _, tt := range []struct {
		release, version string
		want             bool
	}{
		{"6.1.0-28-amd64", "6.1", false}, {"6.18.44-fc", "6.1", false}, {"6.1", "6.18", true},
		{"5.15.0", "6.1", true}, {"7.0.0-rc1", "6.18", false}, {"", "6.1", true},
	} {
		if got := older(tt.release, tt.version); got != tt.want {
			t.Errorf("%q is older than %s: %v", tt.release, tt.version, got)
		}
	}
}

func TestBuilt(t *testing.T) {
	const config = "CONFIG_IPV6=y\nCONFIG_NET_SCH_TBF=m\n# CONFIG_NET_SCH_PRIO is not set\nCONFIG_NET_SCH_HTB_X=y\n"
	for option, want := range map[string]bool{"IPV6": true, "NET_SCH_TBF": true, "NET_SCH_PRIO": false, "NET_SCH_HTB": false} {
		if got := built(config, option); got != want {
			t.Errorf("%s: %v", option, got)
		}
	}
}

// TestNobodyElseAsks: what a test needs is asked for here, so that no test
// skips silently where it must run.
func TestNobodyElseAsks(t *testing.T) {
	own := regexp.MustCompile(`Getenv\("CI"\)|\.Skipf?\("needs `)
	files := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "need") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		for line := range strings.Lines(string(text)) {
			if own.MatchString(line) {
				t.Errorf("%s: %s: ask package test/need", path, strings.TrimSpace(line))
			}
		}
		return err
	})
	if err != nil || files < 100 {
		t.Errorf("%d files of tests, %v", files, err)
	}
}
