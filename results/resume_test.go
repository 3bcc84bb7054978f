package results

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netab/results/vocab"
)

// A run that went on is one run: its trials of both parts, the last end, and what the
// line between says.
func TestResume(t *testing.T) {
	store := t.TempDir()
	broken := &End{Ended: sampleHeader().Started, Reason: vocab.Interrupted, Looks: []Look{{Trials: 2, Alpha: 0.02}}}
	dir := writeRun(t, store, "a-run", 2, broken)
	outlined := func(reason string, trials int) {
		t.Helper()
		o, err := readOutline(filepath.Join(dir, RunFile))
		if err != nil || o.reason != reason || o.trials != trials {
			t.Errorf("in a list: %d trials, %s (%v); want %d, %s", o.trials, o.reason, err, trials, reason)
		}
	}
	outlined("interrupted", 2)
	w, run, err := Resume(dir)
	if err != nil || len(run.Trials) != 2 || run.End == nil {
		t.Fatalf("%v, %v", run, err)
	}
	if _, _, err := Resume(dir); err == nil || !strings.Contains(err.Error(), "another netab writes its record") {
		t.Errorf("a second writer: %v", err)
	}
	began := sampleHeader().Started.Add(time.Hour)
	mark := Resumption{Started: began, Stopped: began.Add(-90 * time.Second), After: vocab.Interrupted, ElapsedS: 3, MaxTimeS: 60, Alpha: 0.02, Looks: broken.Looks}
	if err := w.AppendResumption(run, mark); err != nil {
		t.Fatal(err)
	}
	if run.End != nil || len(run.Resumed) != 1 || run.Resumed[0].PauseS() != 90 {
		t.Errorf("in memory: %+v, %+v", run.End, run.Resumed)
	}
	outlined("cut off", 2)
	for i := 2; i < 5; i++ {
		if err := w.AppendTrial(sampleTrial(i)); err != nil {
			t.Fatal(err)
		}
	}
	outlined("cut off", 5)
	if err := w.End(End{Reason: vocab.Decided, Looks: []Look{{Trials: 2, Alpha: 0.02}, {Trials: 5, Alpha: 0.01, Decided: true}}}); err != nil {
		t.Fatal(err)
	}
	outlined("decided", 5)
	got, err := ReadFile(dir)
	if err != nil || len(got.ReadWarnings) > 0 || len(got.Trials) != 5 || got.End.Reason != vocab.Decided || got.Resumed[0].Trials != 2 || got.LastResumed().Alpha != 0.02 {
		t.Fatalf("%+v: %v", got, err)
	}
	if got.OtherBoot() != (sampleHeader().Machine.BootID != "") {
		t.Error("the boot of its second part")
	}
	// Written again it says the same.
	var again bytes.Buffer
	if _, err := got.WriteTo(&again); err != nil {
		t.Fatal(err)
	}
	twice, err := Read(&again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, twice); diff != "" {
		t.Errorf("written again (-want +got):\n%s", diff)
	}
	if s := Redacted(got); len(s.Resumed) != 1 || s.Resumed[0].Trials != 2 {
		t.Errorf("redacted: %+v", s.Resumed)
	}
}

// A last line that a power cut tore goes; the one before is not lost.
func TestResumeTorn(t *testing.T) {
	dir := writeRun(t, t.TempDir(), "a-run", 3, nil)
	file := filepath.Join(dir, RunFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text[:len(text)-40], 0o644); err != nil {
		t.Fatal(err)
	}
	w, run, err := Resume(file)
	if err != nil || len(run.Trials) != 2 {
		t.Fatalf("%d trials: %v", len(run.Trials), err)
	}
	if err := w.AppendResumption(run, Resumption{After: vocab.CutOff}); err != nil {
		t.Fatal(err)
	}
	if err := w.AppendTrial(sampleTrial(2)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got, err := ReadFile(file); err != nil || len(got.Trials) != 3 || len(got.ReadWarnings) > 0 {
		t.Fatalf("%+v: %v", got, err)
	}
}

func TestResumedFaults(t *testing.T) {
	const trial, resumed = `{"type":"trial","index":0}` + "\n", `{"type":"resumed","trials":1}` + "\n"
	for _, tt := range []struct{ name, in, want string }{
		{"where it is not", headerLine + resumed, "line 2: the run went on after 1 trials, and 0 stand before it"},
		{"out of range", headerLine + trial + `{"type":"resumed","trials":1,"alpha":3}` + "\n", "alpha: 3 is out of range"},
		{"twice", headerLine + trial + resumed + resumed, ""},
	} {
		run, err := Read(strings.NewReader(tt.in))
		switch {
		case tt.want == "" && (err != nil || len(run.Resumed) != 1):
			t.Errorf("%s: %v, %v", tt.name, run, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
