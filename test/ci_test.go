package test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"netab/test/need"
)

// A ciJob is a checkout of somebody's repository, in which a CI job runs.
type ciJob struct {
	dir string
	env []string
}

// newCIJob has the scenario quick.yaml: two arms, and less than a second.
func newCIJob(t *testing.T) ciJob {
	t.Helper()
	p := newPlace(t)
	p.write(t, "quick.yaml", "topology: loopback\narms: {a: {}, b: {}}\nmeasure: {slice: 20ms, trial: 160ms, max_time: 320ms}\n")
	return ciJob{p.dir, append(os.Environ(), "HOME="+p.dir, "NETAB_STATE="+p.dir+"/state", "NETAB_LOCK="+p.dir+"/lock", "NETAB_SCENARIO=quick.yaml",
		"GITHUB_STEP_SUMMARY=", "GITHUB_OUTPUT=", "GITHUB_REPOSITORY=", "CI_API_V4_URL=")}
}

func (j ciJob) sh(t *testing.T, script string, env ...string) (status int, output string) {
	t.Helper()
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir, cmd.Env = j.dir, append(slices.Clone(j.env), env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// ci runs the script of the repository.
func (j ciJob) ci(t *testing.T, args string, env ...string) (status int, output string) {
	t.Helper()
	script, err := filepath.Abs("../ci/netab-ci.sh")
	if err != nil {
		t.Fatal(err)
	}
	return j.sh(t, script+" "+args, env...)
}

func (j ciJob) read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(j.dir, file))
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// judged is the gate's status of the newest run.
func (j ciJob) judged(t *testing.T) int {
	t.Helper()
	status, _ := j.sh(t, "netab gate latest --store .netab/runs --quiet")
	return status
}

// TestCI: the job has the release's binary, and ends as the gate does; what it
// leaves is for the next night.
func TestCI(t *testing.T) {
	from := release(t)
	need.Program(t, "curl")
	server := httptest.NewServer(http.FileServer(http.Dir(from)))
	defer server.Close()
	j := newCIJob(t)
	for night, release := range []string{from, server.URL + "/"} {
		os.Remove(filepath.Join(j.dir, "step.md"))
		status, out := j.ci(t, "", "NETAB_RELEASE="+release, "NETAB_SUMS="+sumOf(t, from+"/SHA256SUMS"), "GITHUB_STEP_SUMMARY=step.md", "GITHUB_OUTPUT=output")
		if want := j.judged(t); status != want || want > 3 || !strings.Contains(out, "netab v1.2.3-4-gabcdef0\n") {
			t.Fatalf("night %d: status %d, the gate's %d\n%s", night, status, want, out)
		}
		comment := j.read(t, ".netab/comment.md")
		if !strings.HasPrefix(comment, "<!-- netab: quick -->\n## ") || comment != j.read(t, "step.md") || !strings.Contains(comment, "<summary>History</summary>") {
			t.Errorf("the comment: %s", comment)
		}
		if xml := j.read(t, ".netab/netab.xml"); !strings.Contains(xml, "<testsuite ") {
			t.Errorf("JUnit: %s", xml)
		}
		if output := j.read(t, "output"); !strings.HasSuffix(output, fmt.Sprintf("status=%d\n", status)) {
			t.Errorf("outputs: %s", output)
		}
		if runs, _ := filepath.Glob(filepath.Join(j.dir, ".netab/runs/2*")); len(runs) != night+1 {
			t.Errorf("night %d: the store has %q", night, runs)
		}
	}
	if status, out := j.ci(t, "", "NETAB_ARGS=--set traffic.messsage=1"); status != 2 || !strings.Contains(out, "messsage") {
		t.Errorf("a scenario that is none: status %d\n%s", status, out)
	}
	if comment := j.read(t, ".netab/comment.md"); !strings.Contains(comment, "No verdict: netab ended with exit status 2") || strings.Contains(comment, "passed") {
		t.Errorf("a scenario that is none: %s", comment)
	}
	if _, err := os.Stat(filepath.Join(j.dir, ".netab/netab.xml")); err == nil {
		t.Error("yesterday's JUnit is left")
	}
}

func sumOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// TestCIPasses: statuses and what becomes of 3, with a netab that need not measure.
func TestCIPasses(t *testing.T) {
	passed, err := filepath.Abs("testdata/store")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		gate, undecided string
		want            int
	}{{"0", "", 0}, {"1", "pass", 1}, {"3", "", 3}, {"3", "fail", 3}, {"3", "pass", 0}, {"4", "pass", 4}, {"5", "pass", 5}} {
		j := newCIJob(t)
		stub := `#!/bin/sh
case "$1 $*" in
*--print-scenario*) echo 'name: nightly' ;;
run*) cp -r ` + passed + `/2* .netab/runs ;;
gate*) [ $GATE = 0 ] || exit $GATE; exec ` + os.Getenv(envBinary) + ` "$@" ;;
*) exec ` + os.Getenv(envBinary) + ` "$@" ;;
esac
`
		if err := os.WriteFile(j.dir+"/netab", []byte(stub), 0o755); err != nil {
			t.Fatal(err)
		}
		status, out := j.ci(t, "", "PATH="+j.dir+":"+os.Getenv("PATH"), "GATE="+tt.gate, "NETAB_UNDECIDED="+tt.undecided)
		if status != tt.want {
			t.Errorf("gate %s, undecided %q: status %d, want %d\n%s", tt.gate, tt.undecided, status, tt.want, out)
		}
		if comment := j.read(t, ".netab/comment.md"); tt.gate == "0" && !strings.Contains(comment, "✓ nightly: passed") {
			t.Error(comment)
		}
	}
}

// TestCIInstalls: no byte of a release is run that its sums do not name.
func TestCIInstalls(t *testing.T) {
	from := release(t)
	archives, err := filepath.Glob(from + "/*.tar.gz")
	if err != nil || len(archives) != 1 {
		t.Fatalf("%q, %v", archives, err)
	}
	sums, err := os.ReadFile(from + "/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	bad := t.TempDir()
	for file, text := range map[string]string{"SHA256SUMS": string(sums), filepath.Base(archives[0]): "another's"} {
		if err := os.WriteFile(filepath.Join(bad, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		release, sums string
		status        int
		want          string
	}{
		{bad, "", 5, "is not what SHA256SUMS says"},
		{from, strings.Repeat("0", 64), 2, "is not the one that NETAB_SUMS names"},
		{t.TempDir(), "", 5, "cannot read "},
		{"http://example.com/x", "", 2, "want https:// or a directory"},
		{"ftp://example.com/x", "", 2, "want https:// or a directory"},
	} {
		j := newCIJob(t)
		status, out := j.ci(t, "", "NETAB_RELEASE="+tt.release, "NETAB_SUMS="+tt.sums)
		if status != tt.status || !strings.Contains(out, tt.want) {
			t.Errorf("%s: status %d, want %d and %q\n%s", tt.release, status, tt.status, tt.want, out)
		}
		if _, err := os.Stat(j.dir + "/.netab/bin/netab"); err == nil {
			t.Errorf("%s: it is installed", tt.release)
		}
	}
}

// comments stands in for the comments of a pull or merge request.
type comments struct {
	t     *testing.T
	token [2]string // header and value that it wants
	said  []map[string]any
	calls []string
}

func (c *comments) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.calls = append(c.calls, r.Method+" "+r.URL.Path)
	if r.Header.Get(c.token[0]) != c.token[1] {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet {
		if r.URL.Query().Get("page") == "1" {
			_ = json.NewEncoder(w).Encode(c.said)
		} else {
			_, _ = io.WriteString(w, "[]")
		}
		return
	}
	var sent struct{ Body string }
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		c.t.Error(err)
	}
	if r.Method == http.MethodPost {
		c.said = append(c.said, map[string]any{"id": 70 + len(c.said), "body": sent.Body})
		return
	}
	for _, s := range c.said {
		if strings.HasSuffix(r.URL.Path, fmt.Sprintf("/%v", s["id"])) {
			s["body"] = sent.Body
		}
	}
}

// TestCIComment: one comment for each scenario, which the next job changes.
func TestCIComment(t *testing.T) {
	for _, program := range []string{"curl", "jq"} {
		need.Program(t, program)
	}
	for _, tt := range []struct {
		name   string
		token  [2]string
		env    func(url string) []string
		change string
	}{
		{"GitHub", [2]string{"Authorization", "Bearer secret"}, func(url string) []string {
			return []string{"GITHUB_API_URL=" + url, "GITHUB_REPOSITORY=o/r", "GITHUB_EVENT_PATH=event.json"}
		}, "PATCH /repos/o/r/issues/comments/71"},
		{"GitLab", [2]string{"PRIVATE-TOKEN", "secret"}, func(url string) []string {
			return []string{"CI_API_V4_URL=" + url, "CI_PROJECT_ID=5", "CI_MERGE_REQUEST_IID=7"}
		}, "PUT /projects/5/merge_requests/7/notes/71"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newCIJob(t)
			c := &comments{t: t, token: tt.token, said: []map[string]any{{"id": 70, "body": "<!-- netab: other -->\nx"}}}
			server := httptest.NewServer(c)
			defer server.Close()
			env := append(tt.env(server.URL), "NETAB_TOKEN=secret")
			if status, out := j.ci(t, "comment", env...); status != 5 || !strings.Contains(out, "there is no .netab/comment.md") {
				t.Errorf("without one: status %d: %s", status, out)
			}
			if err := os.MkdirAll(j.dir+"/.netab", 0o755); err != nil {
				t.Fatal(err)
			}
			write := func(file, text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(j.dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("event.json", `{"pull_request": {"number": 7}}`)
			for _, text := range []string{"first \"$(id)\" `x`\n", "second\n", strings.Repeat("ö", 70000)} {
				write(".netab/comment.md", "<!-- netab: quick -->\n"+text)
				if status, out := j.ci(t, "comment", env...); status != 0 {
					t.Fatalf("status %d: %s", status, out)
				}
				got, _ := c.said[len(c.said)-1]["body"].(string)
				if want := []rune("<!-- netab: quick -->\n" + text); len(c.said) != 2 || got != string(want[:min(len(want), 65000)]) {
					t.Errorf("%d comments, the last is %.100q", len(c.said), got)
				}
			}
			if !slices.Contains(c.calls, tt.change) {
				t.Errorf("calls: %q", c.calls)
			}
			if status, out := j.ci(t, "comment", append(env, "NETAB_TOKEN=wrong")...); status != 5 || strings.Contains(out, "wrong") {
				t.Errorf("another token: status %d: %s", status, out)
			}
			write("event.json", `{}`)
			if status, out := j.ci(t, "comment", append(env, "CI_MERGE_REQUEST_IID=")...); status != 0 || !strings.Contains(out, "nothing to comment on") {
				t.Errorf("no request: status %d: %s", status, out)
			}
		})
	}
}

// TestCIFiles: what GitHub and GitLab read is YAML, gives the script only what it
// knows, and what stands in it runs.
func TestCIFiles(t *testing.T) {
	script, err := os.ReadFile("../ci/netab-ci.sh")
	if err != nil {
		t.Fatal(err)
	}
	var github struct {
		Inputs map[string]struct {
			Description string
			Required    bool
		}
		Runs struct {
			Using string
			Steps []struct {
				Name, Shell, Run, Uses string
				Env                    map[string]string
			}
		}
	}
	text, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &github); err != nil {
		t.Fatal(err)
	}
	for _, used := range regexp.MustCompile(`inputs\.([a-z]+)`).FindAllStringSubmatch(string(text), -1) {
		if github.Inputs[used[1]].Description == "" {
			t.Errorf("action.yml: no input %s", used[1])
		}
	}
	runs := 0
	for _, step := range github.Runs.Steps {
		if (step.Run == "") == (step.Uses == "") || step.Run != "" && step.Shell == "" {
			t.Errorf("action.yml: step %s", step.Name)
		}
		if step.Run != "" {
			runs++
		}
		for name := range step.Env {
			if !strings.Contains(string(script), "#\t"+name+" ") {
				t.Errorf("action.yml: the script does not explain %s", name)
			}
		}
	}
	if github.Runs.Using != "composite" || runs != 2 {
		t.Errorf("action.yml: %s, %d steps of ours", github.Runs.Using, runs)
	}

	from := release(t)
	need.Program(t, "curl")
	server := httptest.NewServer(http.FileServer(http.Dir(from)))
	defer server.Close()
	text, err = os.ReadFile("../templates/netab.yml")
	if err != nil {
		t.Fatal(err)
	}
	head, body, ok := strings.Cut(string(text), "\n---\n")
	if !ok {
		t.Fatal("templates/netab.yml: no spec")
	}
	var spec struct {
		Spec struct {
			Inputs map[string]struct{ Default *string }
		}
	}
	if err := yaml.Unmarshal([]byte(head), &spec); err != nil {
		t.Fatal(err)
	}
	given := map[string]string{"scenario": "quick.yaml", "release": server.URL, "sums": sumOf(t, from+"/SHA256SUMS")}
	body = regexp.MustCompile(`\$\[\[ inputs\.([a-z]+) \]\]`).ReplaceAllStringFunc(body, func(use string) string {
		name := strings.Fields(strings.Trim(use, "$[]"))[0][len("inputs."):]
		input, ok := spec.Spec.Inputs[name]
		switch {
		case !ok:
			t.Errorf("templates/netab.yml: no input %s", name)
		case input.Default != nil:
			return *input.Default
		}
		return given[name]
	})
	var gitlab map[string]struct {
		Variables map[string]string
		Script    []string
	}
	if err := yaml.Unmarshal([]byte(body), &gitlab); err != nil {
		t.Fatal(err)
	}
	j := newCIJob(t)
	var env []string
	for name, value := range gitlab["netab"].Variables {
		env = append(env, name+"="+value)
	}
	lines := strings.Join(gitlab["netab"].Script, "\n")
	status, out := j.sh(t, lines, env...)
	if want := j.judged(t); status != want || want > 3 || !strings.HasPrefix(j.read(t, ".netab/comment.md"), "<!-- netab: quick -->\n") {
		t.Errorf("GitLab: status %d, the gate's %d\n%s", status, want, out)
	}
	if status, out := newCIJob(t).sh(t, lines, append(env, "NETAB_SUMS="+strings.Repeat("0", 64))...); status == 0 || strings.Contains(out, "netab v") {
		t.Errorf("GitLab, other sums: status %d\n%s", status, out)
	}
}
