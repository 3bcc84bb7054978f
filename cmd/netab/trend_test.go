package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/analysis/trend"
	"netab/analysis/world"
	"netab/results"
)

var firstNight = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// storeNight adds a run of two arms to a store; level is the log level of both.
func storeNight(t *testing.T, store string, night int, level float64) {
	t.Helper()
	storeNightOf(t, store, night, level, func(*results.Header) {})
}

func storeNightOf(t *testing.T, store string, night int, level float64, change func(*results.Header)) {
	t.Helper()
	w := world.World{Effects: []float64{0.1}, Blocks: 4, Slice: 100 * time.Millisecond, White: 0.01}
	design := w.Design(0.01, time.Minute)
	design.Name = "loopback-rps"
	run := w.Run(design, uint64(night), 3)
	h := run.Header
	h.Started, h.Machine.BootID, h.Machine.Kernel = firstNight.AddDate(0, 0, night), fmt.Sprint("boot-", night), fmt.Sprintf("6.18.%d", night/10)
	change(&h)
	out, err := results.Create(store, results.NewID(design.Name, h.Started, uint64(night)), h)
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range run.Trials {
		for i := range trial.Slices {
			trial.Slices[i].RxBytes = int64(float64(trial.Slices[i].RxBytes) * math.Exp(level))
		}
		if err := out.AppendTrial(trial); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.End(*run.End); err != nil {
		t.Fatal(err)
	}
}

func runTrend(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = execute(newRoot(), args, &out, &errs)
	return status, out.String(), errs.String()
}

// TestTrendCommand plays a nightly job: exit statuses, formats, and that the
// runs are read once.
func TestTrendCommand(t *testing.T) {
	store := filepath.Join(t.TempDir(), "runs")
	gate := func(want int, says string) {
		t.Helper()
		status, stdout, stderr := runTrend(t, "--store", store, "trend", "--gate")
		if status != want || !strings.Contains(stderr, says) {
			t.Errorf("status %d, want %d with %q; stderr %q\n%s", status, want, says, stderr, stdout)
		}
	}
	gate(exitInconclusive, "no run to judge")
	rng := rand.New(rand.NewPCG(1, 2))
	for night := range 30 {
		storeNight(t, store, night, 0.01*rng.NormFloat64())
		if night == 2 {
			gate(exitInconclusive, "too few runs")
		}
	}
	gate(exitFine, "")
	storeNight(t, store, 30, -0.2)
	gate(exitInconclusive, "goodput of arm arm1 is suspect; measure again")
	storeNight(t, store, 31, -0.19)
	gate(exitRegression, "gate: goodput of arm arm1 is a regression")
	if status, stdout, stderr := runTrend(t, "--store", store, "trend"); status != exitFine || stderr != "" || !strings.Contains(stdout, "CHANGED (regression)") {
		t.Errorf("without --gate: status %d, stderr %q\n%s", status, stderr, stdout)
	}

	// The effect of the arm is what it was: what moves both arms is not seen.
	if status, stdout, _ := runTrend(t, "--store", store, "trend", "--changes", "--gate"); status != exitFine || !strings.Contains(stdout, "arm1 vs off") {
		t.Errorf("--changes: status %d\n%s", status, stdout)
	}
	status, stdout, _ := runTrend(t, "--store", store, "trend", "--json", "--arm", "off")
	var h trend.History
	if err := json.Unmarshal([]byte(stdout), &h); err != nil || status != exitFine || len(h.Series) != 1 || len(h.Series[0].Points) != 32 {
		t.Errorf("--json: status %d, %v\n%.300s", status, err, stdout)
	}
	if _, stdout, _ := runTrend(t, "--store", store, "trend", "--csv"); strings.Count(stdout, "\n") != 1+2*32 {
		t.Errorf("--csv: %d lines", strings.Count(stdout, "\n"))
	}

	// What CI systems and chats read.
	for form, want := range map[string]string{"--junit=-": `<testsuite name="netab.trend" tests="2" failures="2"`, "--markdown=-": "## ▼ trend: regression", "--chat": "▼ Of 2 series, "} {
		if status, stdout, stderr := runTrend(t, "--store", store, "trend", "--gate", form); status != exitRegression || !strings.Contains(stdout, want) {
			t.Errorf("%s: status %d, want %q in\n%s%s", form, status, want, stdout, stderr)
		}
	}

	// From here on only the index can tell of the runs: their files hold
	// nothing, but have the size and time that they had.
	_, before, _ := runTrend(t, "--store", store, "trend", "--json")
	files, err := filepath.Glob(filepath.Join(store, "*", results.RunFile))
	if err != nil || len(files) != 32 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, info.Size()), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	if _, after, _ := runTrend(t, "--store", store, "trend", "--json"); after != before {
		t.Error("the second call read more than the index")
	}
	if err := os.Remove(filepath.Join(store, results.IndexFile)); err != nil {
		t.Fatal(err)
	}
	if _, after, _ := runTrend(t, "--store", store, "trend"); !strings.Contains(after, "32 runs of 32 not used") {
		t.Errorf("without the index the emptied runs are still known:\n%s", after)
	}
}

// TestTrendReadsWhatTheGateReads: the scenario's thresholds, and the known
// issues beside it.
func TestTrendReadsWhatTheGateReads(t *testing.T) {
	t.Setenv(machineNameEnv, "mine")
	dir := t.TempDir()
	store, issues := filepath.Join(dir, "runs"), dir+"/nightly.known-issues.yaml"
	threshold := 0.01
	night := func(n int, level float64) {
		t.Helper()
		storeNightOf(t, store, n, level, func(h *results.Header) {
			h.Source, h.Design.Gate, h.Machine.Name = dir+"/nightly.yaml", map[string]float64{"goodput": threshold}, "mine"
		})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 12 {
		night(n, 0.01*rng.NormFloat64())
	}
	gate := func(name string, want int, says string, args ...string) {
		t.Helper()
		status, stdout, stderr := runTrend(t, append([]string{"--store", store, "trend", "--gate"}, args...)...)
		if status != want || !strings.Contains(flat(stdout)+stderr, says) {
			t.Errorf("%s: status %d, want %d with %q; stderr %q\n%s", name, status, want, says, stderr, stdout)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(issues, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	night(12, -0.1)
	gate("a suspect", exitInconclusive, "suspect")
	gate("threshold of the call", exitFine, "2 steady", "--threshold", "goodput=20%")
	gate("threshold before the resolution", exitInconclusive, "suspect", "--threshold", "goodput=2%", "--resolution", "0.2")
	gate("threshold of another metric", exitInconclusive, "suspect", "--threshold", "ns_per_byte_sink=20%")
	write("- {metric: goodput, reason: bug 7, expires: 9999-12-31}\n")
	gate("acknowledged", exitFine, "Acknowledged until 9999-12-31: bug 7.")
	gate("acknowledged, in the table", exitFine, "≈ suspect, -9")
	gate("not to be acknowledged", exitInconclusive, "suspect", "--no-known-issues")
	gate("of another file", exitFine, "bug 7", "--known-issues", issues)
	gate("of a scenario that is not asked for", exitUsage, "no run", "other")
	night(13, -0.1)
	gate("acknowledged change", exitFine, "Of 2 series, 2 worse as acknowledged.")
	gate("not to be acknowledged", exitRegression, "is a regression", "--no-known-issues")
	write("- {metric: goodput, reason: bug 7, expires: 9999-12-31, up_to: 5%}\n")
	gate("larger than acknowledged", exitRegression, "more than the 5% acknowledged: it counts")
	write("- {metric: goodput, reason: bug 7, expires: 2020-12-31}\n")
	gate("expired", exitRegression, "expired on 2020-12-31")
	write("- {metric: goodput, expires: 9999-12-31}\n")
	gate("without a reason", exitUsage, "it has no reason")
	gate("no such file", exitUsage, "nope.yaml", "--known-issues", dir+"/nope.yaml")
	if err := os.Remove(issues); err != nil {
		t.Fatal(err)
	}
	threshold = 0.2 // the scenario asks for less now
	night(14, -0.1)
	gate("threshold of the newest run", exitFine, "2 steady")
	gate("resolution of the call", exitRegression, "is a regression", "--resolution", "0.01")
}

func TestTrendUsage(t *testing.T) {
	store := filepath.Join(t.TempDir(), "runs")
	for night := range 3 {
		storeNight(t, store, night, 0)
	}
	for _, args := range [][]string{
		{"--resolution", "2"}, {"--resolution", "NaN"}, {"--recent", "0"}, {"--json", "--csv"}, {"--bogus"}, {"no-such-scenario"}, {"--metric", "bogus"},
		{"--threshold", "goodput"}, {"--threshold", "godput=1%"},
	} {
		status, stdout, stderr := runTrend(t, append([]string{"--store", store, "trend"}, args...)...)
		if status != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
	if status, _, stderr := runTrend(t, "--store", "/dev/null", "trend"); status != exitFailed {
		t.Errorf("a store that is none: status %d, %q", status, stderr)
	}
}

// BenchmarkTrend is `netab trend` on 10,000 runs of 20 series with an index
// that fits.
func BenchmarkTrend(b *testing.B) {
	store := filepath.Join(b.TempDir(), "runs")
	const runs, arms = 10000, 20
	series := make([]results.SeriesKey, arms)
	for i := range series {
		series[i] = results.SeriesKey{Arm: fmt.Sprint("arm", i), Metric: "goodput", Judged: true, Resolution: 0.01}
	}
	for i := range runs {
		dir := filepath.Join(store, fmt.Sprintf("run-%05d", i))
		header := fmt.Sprintf(`{"type":"header","schema":"netab/run/1","started":%q}`+"\n", firstNight.Add(time.Duration(i)*time.Hour).Format(time.RFC3339))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, results.RunFile), []byte(header), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	s, err := results.Open(store)
	if err != nil {
		b.Fatal(err)
	}
	digest := func(r *results.Run) results.Digest {
		night := int(r.Header.Started.Sub(firstNight).Hours())
		rng := rand.New(rand.NewPCG(uint64(night), 7))
		d := results.Digest{Scenario: "loopback", Boot: fmt.Sprint(night), Series: series,
			Facts: map[string]string{"hostname": "ci1", "kernel": fmt.Sprint("6.18.", night/100)}}
		for range series {
			d.Values = append(d.Values, 40e9*math.Exp(0.05*float64(night/2000%2)+0.02*rng.NormFloat64()))
		}
		return d
	}
	if _, err := s.Index(trend.DigestVersion, digest, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var out, errs bytes.Buffer
		if status := execute(newRoot(), []string{"--store", store, "trend"}, &out, &errs); status != exitFine || !strings.Contains(out.String(), "Of 20 series") {
			b.Fatal(status, errs.String(), out.String())
		}
	}
}
