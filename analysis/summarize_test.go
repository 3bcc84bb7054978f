package analysis

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

var update = flag.Bool("update", false, "write the golden files anew")

// threeArms is the shape of the first scenario: off, a clear gain, and a
// lottery.
func threeArms() *results.Run {
	w := plain
	w.Effects = []float64{0.073, 0}
	w.Modes = []float64{-0.077, 0.078}
	run := w.Run(w.Design(0.01, time.Minute), 7, 14)
	run.Header.ID = "20260102-030405-abcd"
	run.Header.Design.Question = "Does receive packet steering make loopback TCP faster?"
	run.Header.Design.Arms[1].Name = "sink"
	run.Header.Design.Arms[2].Name = "all"
	run.End.Looks = []results.Look{
		{Trials: 8, ElapsedS: 25, Fraction: 8.0 / 19, Alpha: 0.05 * 8 / 19},
		{Trials: 12, ElapsedS: 37, Fraction: 12.0 / 19, Alpha: 0.05 * 4 / 19},
		{Trials: 14, ElapsedS: 60, Fraction: 1, Alpha: 0.05 * 7 / 19},
	}
	run.Trials[2].Invalid = "agent died"
	run.Trials[2].Slices = nil
	run.End.Looks[2].Trials = 13
	for i := range run.Trials {
		run.Trials[i].Host = results.HostDelta{StealNS: run.Trials[i].RunNS / 10}
	}
	return run
}

func TestGoldenSummary(t *testing.T) {
	s := Summarize(threeArms())
	got, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", "summary.golden.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := errors.Join(json.Unmarshal(want, &a), json.Unmarshal(got, &b)); err != nil {
		t.Fatal(err)
	}
	// Other processors fuse multiplications and additions.
	if diff := cmp.Diff(a, b, cmpopts.EquateApprox(1e-9, 1e-12)); diff != "" {
		t.Errorf("summary differs from %s (go test -update writes it anew):\n%s", path, diff)
	}
}

// The golden file says what is; this says what must be.
func TestSummaryOfThreeArms(t *testing.T) {
	s := Summarize(threeArms())
	sink, all := s.find(t, "sink"), s.find(t, "all")
	if sink.Verdict != Improvement || sink.Lo > 0.0757 || sink.Hi < 0.0757 {
		t.Errorf("sink: %s, %.4f to %.4f; want an improvement about 0.0757", sink.Verdict, sink.Lo, sink.Hi)
	}
	near(t, "alpha of the stopping look, one comparison left by Holm", all.Alpha, 0.05*7/19, 1e-12)
	if all.Verdict != Inconclusive || !all.Mixture || len(all.Modes.Groups) != 2 {
		t.Errorf("all: %s, mixture %v; want an inconclusive mixture of two modes", all.Verdict, all.Mixture)
	}
	if !s.Converged {
		t.Error("not converged, though sink is decided and all is explained")
	}
	if s.Invalid != 1 || s.Trials != 13 {
		t.Errorf("%d trials, %d invalid; want 13 and 1", s.Trials, s.Invalid)
	}
	wantCodes(t, s, "modes", "invalid-trials", "cpu-steal")
	for _, want := range []string{"softirq on CPU 0 (the source's): -", "softirq on CPU 1 (the sink's): +", "TCP goodput over loopback", "higher with sink"} {
		if !strings.Contains(s.Answer, want) {
			t.Errorf("answer lacks %q: %s", want, s.Answer)
		}
	}
}

func (s Summary) find(t *testing.T, arm string) Comparison {
	t.Helper()
	for _, c := range s.Comparisons {
		if c.Arm == arm && c.Metric == "goodput" {
			return c
		}
	}
	t.Fatalf("no comparison of %s", arm)
	return Comparison{}
}

func wantCodes(t *testing.T, s Summary, codes ...vocab.Code) {
	t.Helper()
	for _, code := range codes {
		if !hasCode(s, code) {
			t.Errorf("no warning %s among %v", code, s.Warnings)
		}
	}
}

func hasCode(s Summary, code vocab.Code) bool {
	for _, w := range s.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

func TestSummarizeTwiceIsTheSame(t *testing.T) {
	if diff := cmp.Diff(Summarize(threeArms()), Summarize(threeArms())); diff != "" {
		t.Error(diff)
	}
}

// What the stop rule concluded is what Summarize says of the stored run.
func TestSummarizeAgreesWithStop(t *testing.T) {
	w := with(func(w *world.World) { w.Effects[0], w.Trial = 0.05, 0.02 })
	for seed := range uint64(20) {
		design := w.Design(0.02, 40*time.Second)
		stop := NewStop(design, seed)
		c := stopped(w, design.MaxTimeS, stop, seed)
		run := w.Run(design, seed, c.N)
		run.End.Looks = stop.Looks()
		if run.End.Looks[len(run.End.Looks)-1].Decided {
			run.End.Reason = "decided"
		}
		got := Summarize(run).Comparisons[0]
		if got.Verdict != c.Verdict || got.Lo != c.Lo || got.Hi != c.Hi || got.Alpha != c.Alpha || got.Looks != c.Looks {
			t.Errorf("seed %d: summary %s %v to %v at %v (look %d), stop rule %s %v to %v at %v (look %d)", seed,
				got.Verdict, got.Lo, got.Hi, got.Alpha, got.Looks, c.Verdict, c.Lo, c.Hi, c.Alpha, c.Looks)
		}
	}
}

func TestStoppingAlpha(t *testing.T) {
	w := plain // 2.08 s a trial: 28 in a minute
	ran := func(n int, end *results.End) *results.Run {
		run := w.Run(w.Design(0.01, time.Minute), 1, n)
		run.End = end
		return run
	}
	early := results.Look{Trials: 8, Alpha: 0.01}
	decided := results.Look{Trials: 12, Alpha: 0.02, Decided: true}
	for _, tt := range []struct {
		name  string
		run   *results.Run
		alpha float64
		looks int
	}{
		{"decided", ran(12, &results.End{Reason: "decided", Looks: []results.Look{early, decided}}), 0.02, 2},
		{"no look recorded", ran(12, &results.End{Reason: "max-time"}), 0.05, 1},
		{"deadline", ran(9, &results.End{Reason: "max-time", Looks: []results.Look{early, {Trials: 9, Alpha: 0.04}}}), 0.04, 2},
		{"no trial fitted after the last look", ran(8, &results.End{Reason: "max-time", Looks: []results.Look{early, {Trials: 8, Alpha: 0.04}}}), 0.04, 2},
		{"interrupted after a look", ran(10, &results.End{Reason: "interrupted", Looks: []results.Look{early}}), 0.02, 2},
		{"interrupted at a look", ran(8, &results.End{Reason: "interrupted", Looks: []results.Look{early, {Trials: 8, Alpha: 0.02}}}), 0.02, 2},
		{"cut off before the first look", ran(7, nil), 0.025, 1},
		{"cut off after it", ran(9, nil), (0.05 - 0.05*8/28) / 2, 2},
		{"nonsense", ran(9, &results.End{Reason: "max-time", Looks: []results.Look{{Trials: 9, Alpha: 7}}}), 0.05, 1},
	} {
		alpha, looks := stoppingAlpha(tt.run)
		near(t, tt.name+": alpha", alpha, tt.alpha, 1e-12)
		if looks != tt.looks {
			t.Errorf("%s: look %d, want %d", tt.name, looks, tt.looks)
		}
	}
}

func TestSummarizeLittle(t *testing.T) {
	two := plain.Design(0.01, time.Minute)
	one := two
	one.Arms, one.Baseline = one.Arms[:1], ""
	for _, tt := range []struct {
		name   string
		run    *results.Run
		code   string
		answer string
	}{
		{"nothing at all", &results.Run{}, "no-trials", "Nothing was measured"},
		{"no trial", &results.Run{Header: results.Header{Design: two}}, "no-trials", "Nothing was measured"},
		{"one trial", plain.Run(two, 1, 1), "too-few-trials", "cannot be told with arm1 (one trial)"},
		{"cut off", &results.Run{Header: results.Header{Design: two}}, "cut-off", ""},
		{"unknown metric", plain.Run(results.Design{Arms: two.Arms, Metrics: []string{"speed"}}, 1, 3), "unknown-metric", "not known"},
		{"datagrams over TCP", plain.Run(results.Design{Arms: two.Arms, Metrics: []string{"loss"}}, 1, 3), "metric-not-applicable", "No arm could be compared"},
		{"one trial of one arm", plain.Run(one, 1, 1), "not-converged", "spread is not known"},
	} {
		s := Summarize(tt.run)
		data, err := json.Marshal(s)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		for _, null := range []string{`"arms":null`, `"comparisons":null`, `"warnings":null`, `"confounders":null`} {
			if bytes.Contains(data, []byte(null)) {
				t.Errorf("%s: %s; want an empty list", tt.name, null)
			}
		}
		if s.Converged {
			t.Errorf("%s: converged", tt.name)
		}
		wantCodes(t, s, vocab.Code(tt.code))
		if !strings.Contains(s.Answer, tt.answer) {
			t.Errorf("%s: answer %q lacks %q", tt.name, s.Answer, tt.answer)
		}
	}
}
