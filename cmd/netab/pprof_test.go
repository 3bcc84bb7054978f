package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/pprof/profile"

	"netab/analysis/report/export"
	"netab/analysis/report/sample"
)

// TestExportPprof: a profile reaches stdout as it is, though all else that is printed
// passes a net for text.
func TestExportPprof(t *testing.T) {
	run := sample.Explained(sample.TCPWorld(), 4)
	store := t.TempDir()
	dir := filepath.Join(store, run.Header.ID)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := export.RunFile(&file, run); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "run.jsonl"), file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := execute(newRoot(), []string{"results", "export", run.Header.ID, "--store", store, "--format", "pprof"}, &out, &errs); code != exitFine {
		t.Fatalf("exit status %d: %s", code, errs.String())
	}
	p, err := profile.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Sample) < 10 || p.Sample[0].Label["context"] == nil {
		t.Errorf("%v", p)
	}
}
