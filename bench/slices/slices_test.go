package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/analysis"
	"netab/results"
	"netab/scenarios"
)

// The default budget must do, each run must have time for two trials, and the
// pairs must be such that the tables can be read.
func TestConfigs(t *testing.T) {
	configs := append(slicePairs(), trialLengths()...)
	unit, err := timePerUnit(configs, 4*time.Minute, 2)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, c := range configs {
		if seen[c.String()] && !c.byTrial {
			t.Errorf("%v is there twice", c)
		}
		seen[c.String()] = true
		if c.settle > c.slice/2 || c.trial < 3*2*c.slice && !c.byTrial {
			t.Errorf("%v: settle part or slice too long", c)
		}
		if wall := time.Duration(c.weight)*unit - startup; wall < 2*(c.trial+100*time.Millisecond) {
			t.Errorf("%v: %v have no room for two trials", c, wall)
		}
		if i > 0 && !c.byTrial && configs[i-1].slice == c.slice && configs[i-1].settle >= c.settle {
			t.Errorf("%v: the longest settle part must stand last", c)
		}
	}
	if _, err := timePerUnit(configs, time.Minute, 2); err == nil || !strings.Contains(err.Error(), "needed") {
		t.Errorf("a minute is too short: %v", err)
	}
}

func TestScenarioIsValid(t *testing.T) {
	data, err := os.ReadFile("rps.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Parse("rps.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Arms) != 2 {
		t.Errorf("%d arms, want 2: the slices of a third would be lost time", len(s.Arms))
	}
}

func TestRow(t *testing.T) {
	within, between := 0.02, 0.01
	s := analysis.Summary{Trials: 4, MeasuredS: 3.2}
	c := analysis.Comparison{WithinSE: &within, BetweenSD: &between}
	for _, x := range []float64{-0.1, 0, 0.1, 0.2} { // mean 0.05, sd 0.129099
		c.TrialEffects = append(c.TrialEffects, analysis.TrialEffect{Change: math.Expm1(x)})
	}
	r := rowOf(config{slice: 100 * ms, settle: 20 * ms}, s, c, 4.4)
	for name, tc := range map[string]struct{ got, want float64 }{
		"counted":    {r.counted(), 0.8},
		"slices":     {r.slicesS, 1},         // 3.2 s counted are 4 s of slices, in 4 trials
		"trial":      {r.trialS, 1.1},        // with its fixed cost
		"effect":     {r.effect, 0.05},       //
		"per second": {r.perSecond(), 0.02},  // one trial's slices are a second
		"after":      {r.after(4.4), 0.0645}, // sd / sqrt(4)
		"se":         {r.se(), 0.0645},
	} {
		if math.Abs(tc.got-tc.want) > 1e-4 {
			t.Errorf("%s: got %v, want %v", name, tc.got, tc.want)
		}
	}
	d, se := r.against(row{effect: 0.02, sd: 0.1, trials: 4})
	if math.Abs(d-0.03) > 1e-9 || math.Abs(se-math.Hypot(0.0645497, 0.05)) > 1e-6 {
		t.Errorf("against: %v ± %v", d, se)
	}
	c.TrialEffects = c.TrialEffects[:1]
	if r := rowOf(config{}, s, c, 1); r.enough() || r.trials != 1 {
		t.Errorf("one trial: %+v", r)
	}
}

func TestTables(t *testing.T) {
	at := func(slice, settle time.Duration, effect float64) row {
		return row{config: config{slice: slice, settle: settle}, trials: 4, trialS: 1.1, slicesS: 1, effect: effect, sd: 0.02, within: 0.01}
	}
	last := at(100*ms, 20*ms, 0.05)
	last.byTrial, last.trial = true, 2*time.Second
	few := last
	few.trials = 1
	got := tables([]row{at(20*ms, 5*ms, 0.06), at(20*ms, 10*ms, 0.05), at(100*ms, 20*ms, 0.05), last, few}, results.Machine{}, options{})
	for _, want := range []string{
		"| 20ms | 5ms | 75 % | 4 | +6.00 % | 1.00 % | +1.00 ± 1.41 % |",
		"| 20ms | 10ms | 50 % | 4 | +5.00 % | 1.00 % | reference |",
		"| 100ms | 20ms | 80 % | 4 | +5.00 % | 1.00 % | reference |",
		"| 2s | 4 | 100 ms | 1.00 % | 0.00 % | 0.27 % |",
		"| 2s | 1 | too few trials | | | |",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
}

func TestWriteReplacesOnlyItsBlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slices.md")
	if err := os.WriteFile(path, []byte("above\n"+begin+"\nold\n"+end+"\nbelow\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // writing again changes nothing
		if err := write(path, nil, "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := os.ReadFile(path)
	if want := "above\n" + begin + "\nnew\n" + end + "\nbelow\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var out bytes.Buffer
	if err := write("", &out, "new\n"); err != nil || out.String() != "new\n" {
		t.Errorf("without a file: %q, %v", out.String(), err)
	}
}

// The document in the repository must have the block.
func TestDocumentHasTheBlock(t *testing.T) {
	doc, err := os.ReadFile("../../docs/slices.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replaceBlock(doc, "x\n"); err != nil {
		t.Error(err)
	}
	if _, err := replaceBlock([]byte(end+begin), "x\n"); err == nil {
		t.Error("end before begin: no error")
	}
}
