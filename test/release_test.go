package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"netab/test/need"
)

// release makes a release of this machine's architecture, once for all tests, and
// returns its directory. That another one has the same bytes, bench/soak.sh shows. Its version has a tag's form and no section of
// CHANGELOG.md, as what is ahead of a tag.
func release(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"dpkg-deb", "xz", "gzip"} {
		need.Program(t, program)
	}
	if _, err := os.Stat("../analysis/report/html/assets/echarts.min.js"); err != nil {
		need.Missing(t, "ECharts", "`make build` fetches it")
	}
	dir := filepath.Join(filepath.Dir(os.Getenv(envBinary)), "release")
	if _, err := os.Stat(filepath.Join(dir, "SHA256SUMS")); err == nil {
		return dir
	}
	if out, err := releaseScript("-o", dir, "-v", "v1.2.3-4-gabcdef0", runtime.GOARCH); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// releaseScript has a fixed time: what is tested here may have no git. That it compresses
// little saves ten seconds.
func releaseScript(args ...string) ([]byte, error) {
	cmd := exec.Command("../release.sh", args...)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1800000000", "LEVEL=1")
	return cmd.CombinedOutput()
}

const releaseVersion = "1.2.3+4.gabcdef0"

// TestReleaseDeb: the package is installed into a root of its own, used there, and
// nothing of it is left once it is removed.
func TestReleaseDeb(t *testing.T) {
	dir := release(t)
	dpkg := need.Program(t, "dpkg")
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg/info"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"status", "available"} {
		if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg", file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	manage := func(args ...string) string {
		t.Helper()
		// Ordinary users may do so too, in a root of their own; it has no log.
		cmd := exec.Command(dpkg, append([]string{"--root=" + root, "--log=/dev/null", "--force-not-root", "--force-bad-path"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	deb := filepath.Join(dir, "netab_"+releaseVersion+"_"+runtime.GOARCH+".deb")
	manage("--install", deb)
	if out := manage("--status", "netab"); !strings.Contains(out, "Status: install ok installed\n") || !strings.Contains(out, "\nVersion: "+releaseVersion+"\n") {
		t.Errorf("dpkg --status: %s", out)
	}
	if out := manage("--verify", "netab"); out != "" {
		t.Errorf("dpkg --verify: %s", out)
	}

	p := newPlace(t)
	binary := filepath.Join(root, "usr/bin/netab")
	use := func(args ...string) string {
		t.Helper()
		cmd := p.command(args...)
		cmd.Path = binary
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("netab %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := use("version"); !strings.HasPrefix(out, "netab v1.2.3-4-gabcdef0\n") {
		t.Errorf("version: %s", out)
	}
	use("run", "same", "--set", quickSlice, "--set", "measure.trial=160ms", "--max-time", "320ms", "--quiet")
	use("report", "latest")
	if page, err := os.ReadFile(filepath.Join(p.dir, "report.html")); err != nil || !strings.Contains(string(page), "echarts") {
		t.Errorf("the report of the released binary has no charts: %v", err)
	}
	for file, want := range map[string]string{
		"bash-completion/completions/netab":     "__start_netab",
		"zsh/vendor-completions/_netab":         "#compdef netab",
		"fish/vendor_completions.d/netab.fish":  "complete -c netab",
		"doc/netab/copyright":                   "== github.com/spf13/cobra: LICENSE.txt ==",
		"doc/netab/docs/ci.md":                  "netab gate",
		"man/man1/netab-results-export.1.gz":    "",
		"man/man1/netab.1.gz":                   "",
		"doc/netab/changelog.gz":                "",
		"../../var/lib/dpkg/info/netab.md5sums": "usr/bin/netab",
	} {
		text, err := os.ReadFile(filepath.Join(root, "usr/share", file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, want %q in it", file, err, want)
		}
	}

	manage("--purge", "netab")
	_ = filepath.WalkDir(filepath.Join(root, "usr"), func(path string, _ os.DirEntry, err error) error {
		if err == nil && path != filepath.Join(root, "usr") {
			t.Errorf("%s is left", path)
		}
		return nil
	})
}

// TestReleaseRefuses: a version says what is new in it, and is one.
func TestReleaseRefuses(t *testing.T) {
	release(t) // which skips where one cannot be made
	for version, want := range map[string]string{
		"v999.0.0": `CHANGELOG.md has no section "## 999.0.0"`,
		"v1.0;x":   "is no version",
		"../x":     "is no version",
	} {
		if out, err := releaseScript("-o", t.TempDir(), "-v", version); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s", version, err, out)
		}
	}
}

// TestChangelog: its sections are versions, below what is not released yet.
func TestChangelog(t *testing.T) {
	text, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(string(text), -1)
	for i, section := range sections {
		if i == 0 && section[1] != "Unreleased" || i > 0 && !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(section[1]) {
			t.Errorf("section %d is %q: want Unreleased, then versions such as 1.2.0", i, section[1])
		}
	}
}
