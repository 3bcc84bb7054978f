package analysis

import (
	"math"
	"strings"
	"testing"

	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

// explainedStates adds explain trials to a run of two states: every second is far, and
// there the source needs more time in its own calls.
func explainedStates(run *results.Run, trials int) {
	const slice = 20e6
	for i := range trials {
		x := results.Explain{Index: i, Instrument: vocab.Accounting}
		far := i%2 == 1
		need, distance := 100*(1+0.002*float64(i%3)), nearNS
		if far {
			need, distance = 1.25*need, farNS
		}
		at := int64(0)
		for block := range 18 {
			for arm := range run.Header.Design.Arms {
				kib := 0.97 * slice / need
				ns := distance * (1 + 0.01*float64(block%7))
				s := results.ExplainSlice{Block: block, Arm: arm, StartNS: at, CountedNS: slice, Canaries: &results.Canaries{DistanceNS: &ns, SinkCPU: 1}, Between: block == 11}
				s.RxBytes, s.SourceCPU = int64(1024*kib), 0.97*slice
				if block < 11 {
					s.Source = &results.RoleTime{NS: map[string]int64{"task": int64((need - 40) * kib), "net_rx": int64(40 * kib)}}
					s.Sink = &results.RoleTime{NS: map[string]int64{"task": int64(30 * kib)}}
				}
				x.Slices = append(x.Slices, s)
				at += 25e6
			}
		}
		run.Explains = append(run.Explains, x)
	}
}

// TestStatesExplained: what an arm spends its time on in the far state is held against
// the near one, and only where its comparison depends on the state.
func TestStatesExplained(t *testing.T) {
	run := stateRun(16, 0.05, -0.15, byTrial(1, 3, 5, 7, 9, 11))
	explainedStates(run, 8)
	s := Summarize(run)
	if len(s.Comparisons) == 0 || !s.Comparisons[0].Modes.ByState() {
		t.Fatalf("no modes by state: %+v", s.Comparisons)
	}
	found := 0
	for _, e := range s.Explanations {
		if e.Modes == "" {
			continue
		}
		found++
		if e.Modes != why.ByState || e.Of == "" || e.Baseline != "near" || e.Arm != "far" || e.Measured == nil || math.Abs(*e.Measured+0.2) > 0.01 || !strings.Contains(e.Text, ", from near to far: 20.0 % slower") {
			t.Errorf("%+v", e)
		}
		for _, p := range e.Parts {
			if p.Role == vocab.SourceTime && p.Significant != (p.Context == "task") {
				t.Errorf("%+v", p)
			}
		}
	}
	if found != 2 { // of both arms
		t.Errorf("%d explanations of modes: %+v", found, s.Explanations)
	}
	// Explain trials that told no state are nobody's.
	for i := range run.Explains {
		for j := range run.Explains[i].Slices {
			run.Explains[i].Slices[j].Canaries = nil
		}
	}
	for _, e := range Summarize(run).Explanations {
		if e.Modes != "" {
			t.Errorf("without canaries: %+v", e)
		}
	}
}

// TestModesByRate: an explain trial is of the mode that it is near to, and what lies in
// between is of none.
func TestModesByRate(t *testing.T) {
	m, ok := byCentre(why.Modes{}, []float64{0, 0.3}, map[int]float64{0: -0.5, 1: 0.05, 2: 0.15, 3: 0.28, 4: 2})
	if !ok {
		t.Fatal("no modes")
	}
	for trial, want := range []int{0, 0, -1, 1, 1, -1} {
		if got := m.In(trial, nil); got != want {
			t.Errorf("trial %d: mode %d, want %d", trial, got, want)
		}
	}
	run := stateRun(2, 0, 0, byTrial())
	explainedStates(run, 8)
	near := math.Log(0.97 / 100 * inUnits("goodput"))
	l := &LevelModes{Metric: "goodput", Groups: []LevelMode{{Level: math.Exp(near) / 1.25}, {Level: math.Exp(near)}}}
	if m, ok = byLevel(run, l, 1); !ok || m.In(0, nil) != 1 || m.In(1, nil) != 0 {
		t.Errorf("by level: %v, trials 0 and 1 in %d and %d of %q", ok, m.In(0, nil), m.In(1, nil), m.Labels)
	}
	c := &Comparison{Modes: &Modes{Groups: []Mode{{Change: 0}, {Change: 0.25}}}}
	if m, ok = byChange(run, c, 1, 0); !ok || m.In(0, nil) != 0 || m.In(1, nil) != 0 {
		t.Errorf("by change: %v, trials 0 and 1 in %d and %d", ok, m.In(0, nil), m.In(1, nil))
	}
}
