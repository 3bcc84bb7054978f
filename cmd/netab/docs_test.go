package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"netab/analysis/gate"
	"netab/results"
	"netab/scenarios"
)

// blocksOf are the fenced blocks of a page of docs.
func blocksOf(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, part := range strings.Split(string(text), "```") {
		if i%2 == 1 {
			_, block, _ := strings.Cut(part, "\n")
			out = append(out, block)
		}
	}
	return out
}

// shell runs lines as a CI system does, with the test binary as netab. run
// stands for a measurement, and moves the next run from queue into the store:
// the gate is what is tested.
func shell(t *testing.T, dir, script string) (code int, output string) {
	t.Helper()
	bin := t.TempDir()
	stub := "#!/bin/sh\nif [ \"$1\" = run ]; then set -- queue/*; [ ! -e \"$1\" ] || mv \"$1\" results/runs/; exit 0; fi\nexec env " + envActAs + "=netab " + os.Args[0] + " \"$@\"\n"
	if err := os.WriteFile(bin+"/netab", []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "GITHUB_STEP_SUMMARY="+dir+"/step.md")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestDocsCI(t *testing.T) {
	blocks := blocksOf(t, "ci.md")
	if len(blocks) != 5 {
		t.Fatalf("%d blocks, want 5", len(blocks))
	}
	if _, err := scenarios.Parse("g.yaml", []byte("arms: {a: , b: }\n"+blocks[0])); err != nil {
		t.Errorf("the thresholds: %v", err)
	}
	if issues, err := gate.ParseKnownIssues("k.yaml", []byte(blocks[1])); err != nil || len(issues) != 1 {
		t.Errorf("the known issues: %v, %v", issues, err)
	}
	var github struct {
		Jobs map[string]struct {
			Steps []struct{ Name, Run string }
		}
	}
	var gitlab map[string]struct{ Script []string }
	for i, into := range []any{&github, &gitlab} {
		if err := yaml.Unmarshal([]byte(blocks[2+i]), into); err != nil {
			t.Fatal(err)
		}
	}
	var actions []string
	for _, s := range github.Jobs["netab"].Steps {
		actions = append(actions, s.Run)
	}
	for name, script := range map[string]string{"GitHub": strings.Join(actions, "\n"), "GitLab": strings.Join(gitlab["netab"].Script, "\n")} {
		if !strings.Contains(script, "netab gate latest") {
			t.Fatalf("%s: no gate in %q", name, script)
		}
		for slowdown, want := range map[float64]int{0: exitFine, 0.05: exitRegression} {
			dir := t.TempDir()
			simulate(t, filepath.Join(dir, "results/runs/20260101-000000-nightly-aa"), slowdown, 2, func(r *results.Run) { r.Header.Source, r.Header.Design.Name = "ci/nightly.yaml", "nightly" })
			if code, out := shell(t, dir, script); code != want {
				t.Errorf("%s, slowdown %v: status %d, want %d\n%s", name, slowdown, code, want, out)
			}
			if xml, err := os.ReadFile(dir + "/netab.xml"); err != nil || !strings.Contains(string(xml), "<testsuite ") {
				t.Errorf("%s: %v: %s", name, err, xml)
			}
			if name == "GitHub" {
				if md, err := os.ReadFile(dir + "/step.md"); err != nil || !strings.Contains(string(md), "## ") {
					t.Errorf("no job summary: %v: %s", err, md)
				}
			}
		}
	}
	// Nothing to judge is no regression.
	if code, out := shell(t, t.TempDir(), strings.Join(actions, "\n")); code != exitFailed {
		t.Errorf("GitHub, nothing measured: status %d, want %d\n%s", code, exitFailed, out)
	}
	if out, err := exec.Command("sh", "-n", "-c", blocks[4]).CombinedOutput(); err != nil {
		t.Errorf("bisect: %v: %s", err, out)
	}
}

// TestDocsTrend: a suspect is measured again, once, and the second measurement
// decides; under sh -e too, as CI systems run it.
func TestDocsTrend(t *testing.T) {
	blocks := blocksOf(t, "trend.md")
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	for _, tt := range []struct {
		name  string
		queue []float64
		want  int
		left  int // runs that were not measured
	}{
		{"a normal night", []float64{0, 0}, exitFine, 1},
		{"a bad night that is not confirmed", []float64{-0.2, 0}, exitFine, 0},
		{"a regression", []float64{-0.2, -0.19, 0}, exitRegression, 1},
	} {
		dir := t.TempDir()
		rng := rand.New(rand.NewPCG(1, 2))
		for night := range 12 {
			storeNight(t, dir+"/results/runs", night, 0.01*rng.NormFloat64())
		}
		for i, level := range tt.queue {
			storeNight(t, dir+"/queue", 12+i, level)
		}
		code, out := shell(t, dir, blocks[0])
		left, err := os.ReadDir(dir + "/queue")
		if code != tt.want || err != nil || len(left) != tt.left {
			t.Errorf("%s: status %d, %d runs not measured, %v; want %d, %d\n%s", tt.name, code, len(left), err, tt.want, tt.left, out)
		}
	}
}
