package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/analysis"
	"netab/results"
)

// What earlier runs of the store say is told where it is the same question on the
// same machine, and nowhere else.
func TestRemembers(t *testing.T) {
	store := t.TempDir()
	hours := 0
	add := func(slowdown float64, change func(*results.Run)) string {
		hours++
		name := fmt.Sprintf("202601%02d-030000-synthetic-%04d", hours, hours)
		simulate(t, filepath.Join(store, name), slowdown, uint64(hours), func(r *results.Run) {
			r.Header.Started = r.Header.Started.Add(time.Duration(hours) * time.Hour)
			r.Header.Machine.MachineID = "0123456789abcdef0123456789abcdef"
			if change != nil {
				change(r)
			}
		})
		return name
	}
	first := add(0.05, nil)
	second := add(0.05, nil)
	for _, change := range []func(*results.Run){
		func(r *results.Run) { r.Header.Machine.MachineID = "1123456789abcdef0123456789abcdef" },
		func(r *results.Run) { r.Header.Machine.Kernel = "6.19" },
		func(r *results.Run) { r.Header.Machine.CPUsOnline = "0-3" },
		func(r *results.Run) { r.Header.Netab.Semantics = 7 },
		func(r *results.Run) { r.Header.Design.Arms[1].Description["knobs.x"] = "1" },
		func(r *results.Run) { r.End = nil },
	} {
		add(-0.05, change)
	}
	copied := "20260120-030000-synthetic-copy"
	simulate(t, filepath.Join(store, copied), 0.05, 2, func(r *results.Run) {
		r.Header.ID, r.Header.Started, r.Header.Machine.MachineID = second, r.Header.Started.Add(2*time.Hour), "0123456789abcdef0123456789abcdef"
	})
	others := add(-0.05, nil)
	if err := os.Chmod(filepath.Join(store, others), 0o777); err != nil {
		t.Fatal(err)
	}
	third := add(0.05, nil)
	show := func(run string, args ...string) string {
		t.Helper()
		code, stdout, stderr := netab(append([]string{"results", "show", run, "--store", store}, args...)...)
		if code != exitFine {
			t.Fatalf("%s: %d, %s", run, code, stderr)
		}
		return flat(stdout)
	}
	if text := show(first); strings.Contains(text, "earlier run") {
		t.Errorf("the first run has a history: %s", text)
	}
	for _, indexed := range []bool{false, true} {
		if _, err := os.Stat(filepath.Join(store, results.IndexFile)); (err == nil) != indexed {
			t.Fatalf("the index: %v", err) // to show is not to write
		}
		if text := show(third); !strings.Contains(text, "Two earlier runs of this question on this machine, since 2026-01-02, agree with this one: arm1 ") {
			t.Errorf("%s", text)
		}
		// trend makes of the index what it needs, and what it has counts here.
		if code, _, stderr := netab("trend", "synthetic", "--store", store); code != exitFine {
			t.Fatal(stderr)
		}
	}
	var s struct{ History *analysis.History }
	if err := json.Unmarshal([]byte(show(third, "--json")), &s); err != nil || s.History == nil || s.History.Runs != 2 || !s.History.Agree || s.History.Of[0].Between == nil {
		t.Errorf("%v, %+v", err, s.History)
	}
	last := add(-0.05, nil)
	if text := show(last); !strings.Contains(text, "WARNING: CONTRADICTION: goodput of arm1 is +5") || !strings.Contains(text, "do not agree") {
		t.Errorf("%s", text)
	}
	// The page of the store says the same.
	page := filepath.Join(t.TempDir(), "page.html")
	if code, _, stderr := netab("results", "--store", store, "--html", page); code != exitFine {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(page)
	if want := fmt.Sprintf("run %s by %s, %s, %s</li>", last, third, second, first); err != nil || !strings.Contains(string(text), want) || strings.Count(string(text), "<strong>Contradiction</strong>") != 1 {
		t.Errorf("%v: the page does not say that %s", err, want)
	}
	if code, stdout, _ := netab("gate", last, "--store", store); code != exitInconclusive || !strings.Contains(flat(stdout), "3 of 3 earlier runs of the same question on this machine contradict that") {
		t.Errorf("gate: %d, %s", code, stdout)
	}
	if code, _, _ := netab("gate", first, "--store", store); code != exitRegression {
		t.Errorf("gate of the first: %d", code)
	}
	if code, _, stderr := netab("gate", last, "--store", store, "--bisect"); code != exitFine {
		t.Errorf("bisect: %d, %s", code, stderr)
	}
}
