package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStoreWritesThroughNoLink: whatever the store writes under a name that can be
// foreseen, a link there is not written through.
func TestStoreWritesThroughNoLink(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(t.TempDir(), "precious")
	writeFile(t, precious, "mine")
	store, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	writeRun(t, dir, "20261121-203045-a-0001", 1, nil)
	c := &Calibration{ID: "c"}
	for path, write := range map[string]func() error{
		store.attemptFile("x.yaml"):                  func() error { return store.Attempt(Attempt{Started: time.Now(), Source: "x.yaml"}) },
		filepath.Join(dir, calibrationDir, "c.json"): func() error { _, err := store.KeepCalibration(c); return err },
		filepath.Join(dir, IndexFile): func() error {
			x, err := store.Index("1", func(*Run) Digest { return Digest{} }, nil)
			if err != nil {
				return err
			}
			return x.NotKept
		},
		filepath.Join(dir, "run"): func() error { _, err := Create(dir, "run", sampleHeader()); return err },
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(precious, path); err != nil {
			t.Fatal(err)
		}
		if err := write(); err == nil || !strings.Contains(err.Error(), "symbolic link") && !strings.Contains(err.Error(), "already in the store") {
			t.Errorf("%s: %v", path, err)
		}
		if text, err := os.ReadFile(precious); err != nil || string(text) != "mine" {
			t.Fatalf("%s: what the link names holds %q, %v", path, text, err)
		}
		_ = os.Remove(path)
	}
	// The name that a calibration used to be written under may be taken.
	if err := os.Symlink(precious, filepath.Join(dir, calibrationDir, "c.json.new")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.KeepCalibration(c); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(precious); string(text) != "mine" {
		t.Errorf("it holds %q", text)
	}
}

// TestStoreWaitsForNoFIFO: nor is one waited for.
func TestStoreWaitsForNoFIFO(t *testing.T) {
	dir := t.TempDir()
	store, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{store.runFile("20261121-203045-a-0001"), store.attemptFile("x"), filepath.Join(dir, IndexFile), filepath.Join(dir, calibrationDir, "c.json")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const want = "is a pipe (FIFO): want a regular file"
	if entries, err := store.List(); err != nil || len(entries) != 1 || entries[0].Err == nil || !strings.Contains(entries[0].Err.Error(), want) {
		t.Errorf("%+v, %v", entries, err)
	}
	if _, err := store.Calibrations(); err == nil || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
	if x, err := store.Index("1", func(*Run) Digest { return Digest{} }, nil); err != nil || !strings.Contains(x.Stale, want) {
		t.Errorf("%+v, %v", x, err)
	}
	// An attempt that cannot be read counts from when it was written.
	if len(store.attempts()) != 1 {
		t.Error("no attempt")
	}
}
