package test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk: when the store's disk is full, the run ends and says so, and
// every line that was written is readable. A report fits in none of it.
func TestFullDisk(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		disk := smallDisk(t, "48k")
		before := snapshotSandbox()
		o := p.netab(t, "run", "level", "--store", disk, "--max-time", "1m", "--width", "0.0001%",
			"--set", "measure.slice=20ms", "--set", "measure.settle=5ms", "--set", "measure.trial=200ms", "--json")
		o.want(t, 5, "no space left on device", "free some space, or choose another --store")
		if o.stdout != "" {
			if _, err := oneDocument([]byte(o.stdout)); err != nil {
				t.Errorf("stdout: %v", err)
			}
		}
		noneLeft(t, 0)
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
		files, err := filepath.Glob(filepath.Join(disk, "*", "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("left in the store: %v (%v), want one run file", files, err)
		}
		trials := countTrials(t, files[0])
		if trials < 2 {
			t.Fatalf("%d trials on a disk of 48k: too few to show anything", trials)
		}
		p.netab(t, "results", "show", "latest", "--store", disk).want(t, 0, "goodput")
		var s struct {
			Trials  int
			Invalid int `json:"invalid_trials"`
		}
		shown := p.netab(t, "results", "show", "latest", "--json", "--store", disk)
		if err := json.Unmarshal([]byte(shown.stdout), &s); err != nil || s.Trials+s.Invalid != trials {
			t.Errorf("%d trials shown (%v), want all %d of the file", s.Trials+s.Invalid, err, trials)
		}
	})
}

// TestFullDiskOfJournal: what cannot be journaled is not changed.
func TestFullDiskOfJournal(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		makeNICs(t)
		p := newPlace(t)
		disk := smallDisk(t, "8k")
		if err := os.WriteFile(filepath.Join(disk, "filler"), make([]byte, 8<<10), 0o644); err != nil {
			t.Fatal(err)
		}
		state := filepath.Join(p.dir, "state") // no link: netab follows none there
		if err := errors.Join(os.Mkdir(state, 0o700), unix.Mount(disk, state, "", unix.MS_BIND, "")); err != nil {
			t.Fatal(err)
		}
		defer unix.Unmount(state, unix.MNT_DETACH)
		before := snapshotSandbox()
		p.netab(t, "run", nicScenario(t), "--store", "store", "--max-time", "10s").
			want(t, 5, "journal", "no space left on device")
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
		// With space again, nothing stands in the way.
		if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
			t.Fatal(err)
		}
		p.netab(t, "restore").want(t, 0)
	})
}

// countTrials counts the trials of a run file, whose lines must all be JSON but
// for what follows the last newline: there a kill may have torn it.
func countTrials(t *testing.T, file string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	trials := 0
	for i, line := range strings.SplitAfter(string(data), "\n") {
		if !strings.HasSuffix(line, "\n") {
			continue
		}
		var record struct{ Type string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Errorf("%s: line %d: %v: %.80q", file, i+1, err, line)
		}
		if record.Type == "trial" {
			trials++
		}
	}
	return trials
}

// TestHeaderDoesNotFit: a disk too small for the first line leaves no run, only the
// note that one was begun.
func TestHeaderDoesNotFit(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		disk := smallDisk(t, "4k")
		o := p.netab(t, "run", "level", "--store", disk, "--max-time", "1m", "--set", "measure.trial=400ms")
		o.want(t, 5, "no space left on device", "--store")
		if left, _ := filepath.Glob(filepath.Join(disk, "[^.]*")); len(left) > 0 {
			t.Errorf("left in the store: %v", left)
		}
	})
}
