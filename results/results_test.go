package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sampleHeader() Header {
	return Header{
		Scenario: json.RawMessage(`{"name":"loopback-rps"}`), Source: "builtin:loopback-rps",
		Design: Design{Name: "loopback-rps", Question: "is x < y & y > z?", Arms: []Arm{{Name: "off"}, {Name: "sink"}},
			Baseline: "off", Metrics: []string{"goodput"}, Confidence: 0.95, Resolution: 0.01},
		Seed: 1<<64 - 1, Command: []string{"netab", "run"},
		Started: time.Date(2026, 11, 21, 20, 30, 45, 123456789, time.UTC),
		Machine: Machine{Kernel: "6.18.44", CPUs: 2},
	}
}

func sampleTrial(i int) Trial {
	return Trial{
		Index: i, Started: sampleHeader().Started.Add(time.Duration(i) * time.Second), Order: []int{1, 0},
		Slices: []Slice{{Block: 0, Arm: 1, CountedNS: 90e6, Counts: Counts{RxBytes: 1e9}}, {Block: 0, Arm: 0, CountedNS: 90e6, Invalid: "stalled", Counts: Counts{RxBytes: 2e9}}},
		Arms: []ArmTrial{{Arm: 0, SinkNet: map[string]int64{"UdpRcvbufErrors": 3},
			Source: RoleDelta{CPUs: map[int]int{0: 10}},
			Flows:  []Flow{{SourcePort: 40000, SoftirqCPU: map[int]int{1: 10}}},
			Ledger: Ledger{Valid: true, Sent: 5, Received: 2, Dropped: map[string]int64{"receive buffer": 3}}}, {Arm: 1}},
		Host: HostDelta{CPUs: []CPUDelta{{CPU: 0, BusyNS: 1e9, Softirqs: map[string]int64{"NET_RX": 7}}}},
	}
}

// writeRun makes a run with n trials and returns its directory.
func writeRun(t *testing.T, store, id string, n int, end *End) string {
	t.Helper()
	w, err := Create(store, id, sampleHeader())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.AppendTrial(sampleTrial(i)); err != nil {
			t.Fatal(err)
		}
	}
	if end != nil {
		err = w.End(*end)
	} else {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.Dir()
}

func TestRoundTrip(t *testing.T) {
	end := &End{Ended: sampleHeader().Started.Add(time.Minute), Reason: "decided", Looks: []Look{{Trials: 8, Alpha: 0.01, Decided: true}}}
	dir := writeRun(t, t.TempDir(), "a-run", 3, end)
	got, err := ReadFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &Run{Header: sampleHeader(), End: end}
	want.Header.Type, want.Header.Schema, want.Header.ID = "header", SchemaRun, "a-run"
	want.End.Type = "end"
	for i := range 3 {
		trial := sampleTrial(i)
		trial.Type = "trial"
		want.Trials = append(want.Trials, trial)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	file := filepath.Join(dir, RunFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("is x < y & y > z?")) {
		t.Error("the question is not readable in the file")
	}
	var again bytes.Buffer
	if _, err := got.WriteTo(&again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), again.String()); diff != "" {
		t.Errorf("written again: -want +got:\n%s", diff)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode of the run file: %v %v, want 0644", info.Mode(), err)
	}
}

func TestCreateNeverOverwrites(t *testing.T) {
	store := t.TempDir()
	dir := writeRun(t, store, "x", 1, nil)
	before, _ := os.ReadFile(filepath.Join(dir, RunFile))
	if _, err := Create(store, "x", Header{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("second Create: %v, want ErrExist", err)
	}
	after, _ := os.ReadFile(filepath.Join(dir, RunFile))
	if !bytes.Equal(before, after) {
		t.Error("the first run was changed")
	}
	for _, id := range []string{"", "..", "a/b", ".hidden", "a\x00"} {
		if _, err := Create(store, id, Header{}); err == nil {
			t.Errorf("Create with id %q: no error", id)
		}
	}
}

func TestAppendAfterEnd(t *testing.T) {
	w, err := Create(t.TempDir(), "x", sampleHeader())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.End(End{Reason: "decided"}); err != nil {
		t.Fatal(err)
	}
	if err := w.AppendTrial(Trial{}); err == nil {
		t.Error("a trial behind the end: no error")
	}
	if err := w.Close(); err != nil {
		t.Errorf("Close after End: %v", err)
	}
}

func TestNewID(t *testing.T) {
	at := time.Date(2026, 11, 21, 21, 30, 45, 0, time.FixedZone("CET", 3600))
	tests := []struct{ name, want string }{
		{"loopback-rps", "20261121-203045-loopback-rps-1a2b"},
		{"My Scenario/../x", "20261121-203045-my-scenario-x-1a2b"},
		{"", "20261121-203045-run-1a2b"},
		{strings.Repeat("n", 300), "20261121-203045-" + strings.Repeat("n", 60) + "-1a2b"},
	}
	for _, tt := range tests {
		got := NewID(tt.name, at, 0xffff1a2b)
		if got != tt.want {
			t.Errorf("NewID(%q) = %s, want %s", tt.name, got, tt.want)
		}
		if start, ok := idStart(got); !ok || !start.Equal(at) {
			t.Errorf("idStart(%s) = %v, %v", got, start, ok)
		}
		if err := validID(got); err != nil {
			t.Error(err)
		}
	}
}
