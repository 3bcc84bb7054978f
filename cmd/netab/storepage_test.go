package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/analysis/trend"
	"netab/results"
)

// copyStore is a store with a run or more, for an index to be kept in.
func copyStore(t *testing.T) string {
	t.Helper()
	store := filepath.Join(t.TempDir(), "runs")
	if err := os.CopyFS(store, os.DirFS("../../test/testdata/store")); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestResultsPage(t *testing.T) {
	store := copyStore(t)
	runs, err := filepath.Glob(filepath.Join(store, "*", results.RunFile))
	if err != nil || len(runs) == 0 {
		t.Fatal(runs, err)
	}
	reported := filepath.Base(filepath.Dir(runs[0]))
	if err := os.WriteFile(filepath.Join(store, reported, reportFile), []byte("<!doctype html>"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a page.html")
	var out, errs bytes.Buffer
	if status := execute(newRoot(), []string{"--store", store, "results", "--html", file}, &out, &errs); status != exitFine || out.String() != file+"\n" {
		t.Fatalf("exit %d, %q, %s", status, out.String(), errs.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	way, err := filepath.Rel(filepath.Dir(file), filepath.Join(store, reported, reportFile))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `href="./`+way+`"`) || strings.Count(string(text), ">report</a>") != 1 {
		t.Errorf("the page does not link to %s, and to nothing else", way)
	}
	for _, run := range runs {
		if id := filepath.Base(filepath.Dir(run)); !strings.Contains(string(text), id) {
			t.Errorf("the page lacks run %s", id)
		}
	}
	out.Reset()
	if status := execute(newRoot(), []string{"--store", store, "results", "--html", filepath.Join(store, "no", "such.html")}, &out, &errs); status == exitFine || out.Len() > 0 {
		t.Errorf("exit %d, %q", status, out.String())
	}
}

func TestReportsBeside(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"a:b c", "campaign"} {
		if err := os.MkdirAll(filepath.Join(dir, "runs", id), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "runs", id, reportFile), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ page, run, want string }{
		{"runs/page.html", "a:b c", "./a:b%20c/report.html"},
		{"page.html", "a:b c", "./runs/a:b%20c/report.html"},
		{"pages/x/page.html", "campaign/3", "./../../runs/campaign/report.html"},
		{"page.html", "none", ""},
	} {
		report, err := reportsBeside(filepath.Join(dir, tt.page), filepath.Join(dir, "runs"))
		if err != nil {
			t.Fatal(err)
		}
		if got := report(tt.run); got != tt.want {
			t.Errorf("%s, run %s: %q, want %q", tt.page, tt.run, got, tt.want)
		}
	}
}

// BenchmarkResultsPage is the page of a store of ten thousand runs that are in the
// index: of forty questions, in which every third run contradicts the others.
func BenchmarkResultsPage(b *testing.B) {
	store := filepath.Join(b.TempDir(), "runs")
	const runs, questions = 10000, 40
	series := []results.SeriesKey{{Arm: "on", Against: "off", Metric: "goodput", Judged: true, Resolution: 0.01}}
	for i := range runs {
		dir := filepath.Join(store, fmt.Sprintf("run-%05d", i))
		header := fmt.Sprintf(`{"type":"header","schema":"netab/run/1","started":%q}`+"\n", firstNight.Add(time.Duration(i)*time.Hour).Format(time.RFC3339))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		for name, text := range map[string]string{results.RunFile: header, reportFile: ""} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	s, err := results.Open(store)
	if err != nil {
		b.Fatal(err)
	}
	digest := func(r *results.Run) results.Digest {
		hour := int(r.Header.Started.Sub(firstNight).Hours())
		x := 0.05 + 0.1*float64(hour/questions%3)
		return results.Digest{Scenario: fmt.Sprint("scenario", hour%20), Asked: fmt.Sprintf("%016x", hour%questions), Boot: fmt.Sprint(hour), Series: series, Values: []float64{x},
			Facts:   map[string]string{"hostname": "ci1", "kernel": fmt.Sprint("6.18.", hour/1000)},
			Effects: []results.DigestEffect{{Arm: "on", Baseline: "off", Metric: "goodput", X: x, SE: 0.002, DF: 20, Lo: x, Hi: x, Verdict: "improvement"}}}
	}
	if _, err := s.Index(trend.DigestVersion, digest, nil); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "page.html")
	for b.Loop() {
		var out, errs bytes.Buffer
		if status := execute(newRoot(), []string{"--store", store, "results", "--html", file}, &out, &errs); status != exitFine {
			b.Fatal(status, errs.String())
		}
	}
}
