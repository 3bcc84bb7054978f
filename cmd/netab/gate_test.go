package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/cmd/netab/question"
	"netab/results"
)

// simulate makes a run file of a quiet world whose second arm is slower by a
// share, and returns its path.
func simulate(t testing.TB, dir string, slowdown float64, seed uint64, change func(*results.Run)) string {
	t.Helper()
	w := world.World{Effects: []float64{-slowdown}, Blocks: 10, Slice: 100 * time.Millisecond, White: 0.02}
	run := w.Run(w.Design(0.02, time.Minute), seed, 20)
	run.Header.ID = filepath.Base(dir)
	if change != nil {
		change(run)
	}
	path := filepath.Join(dir, results.RunFile)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// netab runs a command line in this process.
func netab(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(newRoot(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestGateCommand(t *testing.T) {
	dir := t.TempDir()
	good, slow := simulate(t, dir+"/good", 0, 1, nil), simulate(t, dir+"/slow", 0.05, 2, nil)
	broken := filepath.Join(dir, "broken.jsonl")
	if err := os.WriteFile(broken, []byte("{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	noTrials := simulate(t, dir+"/none", 0, 1, func(r *results.Run) { r.Trials = nil })
	for _, tt := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"gate", good}, exitFine, "gate: passed\n", ""},
		{[]string{"gate", slow}, exitRegression, "Goodput with arm1 is worse than with off", "gate: goodput of arm arm1 is a regression"},
		{[]string{"gate", slow, "--quiet"}, exitRegression, "", "is a regression"},
		{[]string{"gate", slow, "--threshold", "goodput=20%"}, exitFine, "gate: passed\n", ""},
		{[]string{"gate", good, "--threshold", "goodput=0.01%"}, exitInconclusive, "no verdict yet", "gate: synthetic"},
		{[]string{"gate", good, "--threshold", "cpu_sink=2%"}, exitFine, "Sink CPU use with arm1", ""},
		{[]string{"gate", good, "--threshold", "loss=2%"}, exitInconclusive, "Loss was measured for no pair of arms", "gate: "},
		{[]string{"gate", noTrials}, exitFailed, "measurement failed", "gate: the measurement failed"},
		{[]string{"gate", broken}, exitFailed, "", "broken.jsonl"},
		{[]string{"gate", "nope", "--store", dir}, exitFailed, "", `no run "nope"`},
		{[]string{"gate"}, exitUsage, "", "wants a run"},
		{[]string{"gate", good, "--threshold", "goodput"}, exitUsage, "", "want METRIC=SHARE"},
		{[]string{"gate", good, "--threshold", "godput=1%"}, exitUsage, "", `did you mean "goodput"?`},
		{[]string{"gate", good, "--threshold", "goodput=2"}, exitUsage, "", "want METRIC=SHARE"},
		{[]string{"gate", good, "--known-issues", dir + "/nope.yaml"}, exitUsage, "", "nope.yaml"},
		{[]string{"gate", slow, "--chat"}, exitRegression, "▼ synthetic (slow): REGRESSION: goodput of arm1 -", "regression"},
		{[]string{"gate", good, "--chat"}, exitFine, "✓ synthetic (good): passed, 1 check.", ""},
		{[]string{"gate", "slow", "--store", dir, "--markdown", "-"}, exitRegression, "## ▼ synthetic: regression", "regression"},
	} {
		code, stdout, stderr := netab(tt.args...)
		if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) || tt.stdout == "" && stdout != "" || tt.stderr == "" && stderr != "" {
			t.Errorf("%q: status %d, stdout %q, stderr %q; want %d, %q, %q", tt.args, code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
		}
	}
}

func TestGateFiles(t *testing.T) {
	dir := t.TempDir()
	slow := simulate(t, dir+"/slow", 0.05, 2, nil)
	code, stdout, _ := netab("gate", slow, "--json", "--junit", dir+"/netab.xml", "--markdown", dir+"/summary.md")
	if code != exitRegression {
		t.Fatalf("status %d", code)
	}
	var doc struct {
		Schema, Outcome string
		Checks          []struct{ Outcome, Plain string }
		Summary         struct{ Schema string }
	}
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || doc.Schema != "netab/gate/1" || doc.Outcome != "regression" ||
		doc.Summary.Schema != "netab/summary/1" || len(doc.Checks) != 1 || doc.Checks[0].Outcome != "regression" {
		t.Errorf("%v: %+v", err, doc)
	}
	var suites struct {
		Suite []struct {
			Failures int `xml:"failures,attr"`
			Case     []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	text, err := os.ReadFile(dir + "/netab.xml")
	if err == nil {
		err = xml.Unmarshal(text, &suites)
	}
	if err != nil || len(suites.Suite) != 1 || suites.Suite[0].Failures != 1 || suites.Suite[0].Case[0].Name != "goodput of arm1" ||
		!strings.Contains(suites.Suite[0].Case[0].Failure.Message, "is worse than") {
		t.Errorf("%v: %s", err, text)
	}
	if md, err := os.ReadFile(dir + "/summary.md"); err != nil || !strings.Contains(string(md), "| ▼ regression | arm1 | Goodput |") {
		t.Errorf("%v: %s", err, md)
	}
}

func TestGateKnownIssuesBesideScenario(t *testing.T) {
	t.Setenv(machineNameEnv, "mine")
	dir := t.TempDir()
	slow := simulate(t, dir+"/slow", 0.05, 2, func(r *results.Run) {
		r.Header.Source, r.Header.Machine.Name = dir+"/nightly.yaml", "mine"
	})
	beside := dir + "/nightly.known-issues.yaml"
	write := func(text string) {
		if err := os.WriteFile(beside, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("- {arm: arm1, reason: bug 7, expires: 9999-12-31}\n")
	if code, stdout, _ := netab("gate", slow, "--store", dir); code != exitFine || !strings.Contains(stdout, "bug 7") {
		t.Errorf("acknowledged: status %d, %s", code, stdout)
	}
	if code, _, _ := netab("gate", slow, "--store", dir, "--no-known-issues"); code != exitRegression {
		t.Errorf("with --no-known-issues: status %d", code)
	}
	if code, _, _ := netab("gate", slow, "--store", dir, "--bisect"); code != exitRegression {
		t.Errorf("a bisection must not take acknowledgements: status %d", code)
	}
	write("- {arm: arm1, reason: bug 7, expires: 2020-12-31}\n")
	if code, stdout, _ := netab("gate", slow, "--store", dir); code != exitRegression || !strings.Contains(stdout, "expired on 2020-12-31") {
		t.Errorf("expired: status %d, %s", code, stdout)
	}
	write("- {arm: arm1, expires: 9999-12-31}\n")
	if code, _, stderr := netab("gate", slow, "--store", dir); code != exitUsage || !strings.Contains(stderr, "it has no reason") {
		t.Errorf("without a reason: status %d, %s", code, stderr)
	}
}

// A gate on a metric that does not exist must be refused before measuring.
func TestGateOfUnknownMetric(t *testing.T) {
	file := t.TempDir() + "/s.yaml"
	for gate, want := range map[string]string{
		"{godput: 2%}":           `gate: "godput" is not a metric`,
		"{rpc.goodput: 2%}":      `gate: "rpc.goodput": no arm has traffic beside of that name`,
		"{goodput: 2%, loss: 1}": "gate.loss: 1 is not below 1",
	} {
		if err := os.WriteFile(file, []byte("traffic: udp\nplacement: free\narms: {a: , b: {traffic: {message: 64}}}\ngate: "+gate+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := netab("validate", file); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", gate, code, stderr)
		}
	}
	q, err := question.Load("loopback-rps", []string{"gate.ns_per_byte_sink=5%"})
	if err != nil {
		t.Fatal(err)
	}
	if d := q.Design(); d.Gate["ns_per_byte_sink"] != 0.05 || !strings.Contains(strings.Join(d.Metrics, " "), "ns_per_byte_sink") || d.Metrics[0] != "goodput" {
		t.Errorf("gate %v, metrics %v", d.Gate, d.Metrics)
	}
}
