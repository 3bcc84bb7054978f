package html

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/report"
	"netab/analysis/report/export"
	"netab/analysis/report/sample"
	"netab/results"
)

// fakeECharts stands in where a test is not about drawing.
var fakeECharts = fstest.MapFS{echartsFile: {Data: []byte("var echarts = {};")}}

func pageText(t *testing.T, in Input) string {
	t.Helper()
	var b bytes.Buffer
	if err := writeRuns(&b, in, fakeECharts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSameRunGivesSameBytes(t *testing.T) {
	for _, w := range []sample.World{sample.TCPWorld(), sample.UDPWorld(), sample.MatrixWorld()} {
		first := pageText(t, inputOf(w))
		for range 5 {
			if pageText(t, inputOf(w)) != first {
				t.Fatalf("%s: the page differs from one time to the next", w.Design.Name)
			}
		}
	}
}

// TestOtherMachines: a path that has its sides on two machines shows both.
func TestOtherMachines(t *testing.T) {
	run := sample.TCPWorld().Run()
	run.Header.Others = []results.Machine{{Hostname: "far-away", Kernel: "6.1.0-far", CPUs: 4, Sysctls: map[string]string{"net.ipv4.far": "1"}}}
	for i := range run.Trials {
		run.Trials[i].Others = []results.HostDelta{{Place: "sink-host", ForeignNS: run.Trials[i].RunNS / 2}}
	}
	s := analysis.Summarize(run)
	text := pageText(t, Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{s}})
	for _, want := range []string{"The other machine", "sink-host (far-away): 6.1.0-far, 4 CPUs; other programs took 50.0 % of a CPU", "net.ipv4.far"} {
		if !strings.Contains(text, want) {
			t.Errorf("not on the page: %s", want)
		}
	}
	var shown []string
	for _, section := range report.Summary(s).Sections {
		if section.Lead == "The other machines" {
			shown = section.Notes
		}
	}
	if len(shown) != 1 || !strings.HasPrefix(shown[0], "sink-host") {
		t.Errorf("in the sections of terminal and Markdown: %q", shown)
	}
}

func TestWithoutChartLibrary(t *testing.T) {
	err := writeRuns(io.Discard, inputOf(sample.TCPWorld()), fstest.MapFS{})
	if err == nil || !strings.Contains(err.Error(), "make build") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %v, want one line that says what to do", err)
	}
}

func TestInputMustFit(t *testing.T) {
	in := inputOf(sample.TCPWorld())
	in.Summaries = nil
	for _, in := range []Input{{}, in} {
		if err := writeRuns(io.Discard, in, fakeECharts); err == nil {
			t.Errorf("no error for %d runs and %d summaries", len(in.Runs), len(in.Summaries))
		}
	}
}

// TestPolicyAllowsExactlyOurScripts: each script that may run is allowed by
// its own hash, and nothing on the page asks for another address.
func TestPolicyAllowsExactlyOurScripts(t *testing.T) {
	text := pageText(t, severalRuns())
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)
	if policy == nil {
		t.Fatal("no policy")
	}
	allowed := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(policy[1])
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(text, -1)
	if len(scripts) != 2 {
		t.Fatalf("%d scripts, want the chart library and our own", len(scripts))
	}
	for _, s := range scripts {
		if !strings.Contains(allowed, "'"+hashSource(s[1])+"'") {
			t.Errorf("script is not in the policy %q: %.60s", allowed, s[1])
		}
	}
	if !strings.HasPrefix(allowed, "default-src 'none';") {
		t.Errorf("policy %q does not forbid by default", allowed)
	}
	if m := regexp.MustCompile(`(?i)(src|href|action|url)\s*[=(]\s*["']?(https?:)?//[^"'\s]*`).FindString(text); m != "" {
		t.Errorf("the page names another address: %s", m)
	}
}

// hostile is a record in which every text tries to become code.
func hostile() Input {
	const evil = `</script><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1; document.title = 'pwned'">'"` + "`${window.pwned = 1}`" + `@tip --arm-1` + "\u202egnp\x1b[2J"
	w := sample.UDPWorld()
	run := w.Run()
	h := &run.Header
	h.ID, h.Source, h.Command = evil, evil, []string{"netab", evil}
	h.Design.Name, h.Design.Question = evil, evil
	for i := range h.Design.Arms {
		h.Design.Arms[i].Name += evil
	}
	h.Design.Baseline = h.Design.Arms[0].Name
	h.Scenario, _ = json.Marshal(map[string]string{evil: evil})
	h.Machine.Hostname, h.Machine.CPUModel, h.Machine.Sysctls = evil, evil, map[string]string{evil: evil}
	h.Warnings = []results.Warning{{Code: evil, Text: evil}, {Code: "cut-off", Text: evil}}
	for i := range run.Trials {
		t := &run.Trials[i]
		t.Host.CPUs[0].Softirqs[evil] = 5
		for j := range t.Arms {
			t.Arms[j].Knobs[0].Knob, t.Arms[j].Knobs[0].After = evil, evil
			t.Arms[j].Ledger.Dropped[evil] = 7
		}
	}
	run.End.RestoreErrors = []string{evil}
	s := analysis.Summarize(run)
	s.Comparisons[0].Modes = &analysis.Modes{Covariate: evil, Text: evil, Groups: []analysis.Mode{{Label: evil}}}
	s.Confounders = []analysis.Confounder{{Name: evil, A: evil, B: evil}}
	return Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{s}, Compare: &s}
}

func TestRecordNeverBecomesMarkup(t *testing.T) {
	text := pageText(t, hostile())
	for _, bad := range []string{"<script>window.pwned", "<img", "\u202e", "\x1b"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
	clean := strings.Count(pageText(t, inputOf(sample.UDPWorld())), "<script")
	if n := strings.Count(text, "<script"); n != clean+2 { // two charts more: those of the comparison
		t.Errorf("%d script elements, %d on the same page without evil", n, clean)
	}
}

func TestEmptyRunMakesAPage(t *testing.T) {
	run := &results.Run{Header: results.Header{Design: results.Design{Name: "empty", Question: "Anything?", Arms: []results.Arm{{Name: "a"}}}}}
	for name, in := range map[string]Input{
		"judged":       {Runs: []*results.Run{run}, Summaries: []analysis.Summary{analysis.Summarize(run)}},
		"bare":         {Runs: []*results.Run{{}}, Summaries: []analysis.Summary{{}}},
		"damaged":      judgedInput(sample.Damaged()),
		"one trial":    judgedInput(sample.FirstTrials(1)),
		"one arm only": judgedInput(sample.OneArm()),
	} {
		t.Run(name, func(t *testing.T) {
			text := pageText(t, in)
			if !strings.Contains(text, "Repeat it") || strings.Contains(text, "NaN") || strings.Contains(text, "%!") {
				t.Error("the page is not whole")
			}
			var b bytes.Buffer
			if err := export.Text(&b, report.Summary(in.Summaries[0]), export.Options{}); err != nil || strings.Contains(b.String(), "%!") {
				t.Errorf("%v: %s", err, b.String())
			}
		})
	}
}

func TestSeriousWarningsStandAboveTheTable(t *testing.T) {
	run := sample.TCPWorld().Run()
	text := pageText(t, Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{sample.Troubled()}})
	alert, table, other := strings.Index(text, "NOT CONVERGED"), strings.Index(text, `<table class="verdicts">`), strings.Index(text, "neighbours may take CPU time")
	help := strings.Index(text, "the error of sink falls from")
	if alert < 0 || table < alert || other < table || help < other {
		t.Errorf("order is alert %d, table %d, other warnings %d, what would help %d", alert, table, other, help)
	}
}

func TestShellReadsQuotedWordsBack(t *testing.T) {
	for _, word := range []string{"plain", "", "two words", "it's", `"$HOME" \ *`, "a;b|c&d", "traffic.message=64", "ünï", "~"} {
		out, err := exec.Command("sh", "-c", "printf %s "+escape.Shell(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q comes back as %q (%v)", word, out, err)
		}
	}
}

// TestLockFileNamesNoRegistry keeps the lock file usable behind any mirror.
func TestLockFileNamesNoRegistry(t *testing.T) {
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		data, err := os.ReadFile(filepath.Join(".", name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("://")) {
			t.Errorf("%s names a host", name)
		}
	}
}
