package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCalibrations(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := s.Calibrations(); len(all) != 0 || err != nil {
		t.Fatalf("of an empty store: %v, %v", all, err)
	}
	second := Calibration{ID: "b", Started: time.Unix(10, 0).UTC(), Scenario: "x", Runs: []CalibrationRun{{ID: "r", Slowdown: 0.02, Verdict: "regression"}},
		Samples: &WholeTrials{Off: []float64{1}, Slower: []float64{2}}}
	first := Calibration{ID: "c", Started: time.Unix(5, 0).UTC()}
	for _, c := range []*Calibration{&second, &first} {
		if _, err := s.KeepCalibration(c); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Calibrations()
	if diff := cmp.Diff([]Calibration{first, second}, all); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := s.KeepCalibration(&Calibration{ID: "../x"}); err == nil {
		t.Error("a calibration left the store")
	}
	if runs, err := s.List(); len(runs) != 0 || err != nil {
		t.Errorf("calibrations are listed as runs: %v, %v", runs, err)
	}
	// One that is broken hides none of the others.
	broken := filepath.Join(dir, ".calibration", "a.json")
	for _, text := range []string{"{", `{"schema":"netab/run/1"}`} {
		if err := os.WriteFile(broken, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		all, err = s.Calibrations()
		if len(all) != 2 || err == nil || !strings.Contains(err.Error(), broken) {
			t.Errorf("with %s: %d calibrations, %v", text, len(all), err)
		}
	}
}
