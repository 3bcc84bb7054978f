package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
	"netab/scenarios"
)

// TestScenarios: those that are written here are ones, and of two arms.
func TestScenarios(t *testing.T) {
	for _, c := range causesOf() {
		s, err := scenarios.Parse(c.name+".yaml", []byte(c.scenario))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(s.Arms) != 2 || (c.change != nil) != strings.Contains(c.scenario, mark) || c.named == nil && len(c.functions) == 0 {
			t.Errorf("%s: %d arms, and %d functions", c.name, len(s.Arms), len(c.functions))
		}
	}
	s, err := scenarios.Parse("drops.yaml", []byte(dropping))
	if err != nil {
		t.Fatal(err)
	}
	arms := map[string]bool{}
	for _, a := range s.Arms {
		arms[a.Name] = true
	}
	for _, p := range dropPlaces {
		if !arms[p.arm] {
			t.Errorf("%s: no arm %s", p.what, p.arm)
		}
	}
}

// TestNames: a cause is named by a function that came to the limit beyond chance, among
// those that moved most.
func TestNames(t *testing.T) {
	c := cause{role: vocab.SourceTime, functions: []string{"nft_"}}
	part := func(function string, delta float64, significant bool) why.Part {
		return why.Part{Role: vocab.SourceTime, Context: "task", Function: function, Category: "TCP/IP", Delta: delta, Significant: significant}
	}
	six := []why.Part{part("a", 60, true), part("b", -50, true), part("c", 40, true), part("d", 30, true), part("e", 20, true), part("nft_do_chain", 10, true)}
	for name, tt := range map[string]struct {
		parts []why.Part
		role  vocab.Owner
		want  bool
	}{
		"named":         {[]why.Part{part("nft_do_chain", 90, true), part("a", 20, true)}, vocab.SourceTime, true},
		"by chance":     {[]why.Part{part("nft_do_chain", 90, false)}, vocab.SourceTime, false},
		"left":          {[]why.Part{part("nft_do_chain", -90, true)}, vocab.SourceTime, false},
		"another limit": {[]why.Part{part("nft_do_chain", 90, true)}, vocab.SinkTime, false},
		"by category":   {[]why.Part{part("nft_do_chain", 90, false), {Role: vocab.SourceTime, Category: "TCP/IP", Delta: 90, Significant: true}}, vocab.SourceTime, true},
		"the sixth":     {six, vocab.SourceTime, false},
		"the fifth":     {six[1:], vocab.SourceTime, true},
	} {
		if got := c.names(why.Explanation{Role: tt.role, BaselineRole: tt.role, Parts: tt.parts}, why.Events{}); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestLocked: waiting for a lock names it where the other arm does not wait so.
func TestLocked(t *testing.T) {
	e := why.Explanation{Baseline: "a", Arm: "b"}
	wait := func(arm, caller string, ns float64) why.Lock { return why.Lock{Arm: arm, Caller: caller, NS: ns} }
	for want, all := range map[bool][][]why.Lock{
		true:  {{wait("b", "udp_rmem_release", 3)}, {wait("b", "udp_rmem_release", 30), wait("a", "udp_rmem_release", 2)}},
		false: {nil, {wait("b", "__schedule", 30)}, {wait("b", "udp_rmem_release", 3), wait("a", "udp_rmem_release", 2)}},
	} {
		for _, locks := range all {
			if got := locked(e, why.Events{Locks: locks}); got != want {
				t.Errorf("%+v: %v", locks, got)
			}
		}
	}
}

func TestHolds(t *testing.T) {
	gap := func(lo, hi float64) why.Explanation {
		mean := (lo + hi) / 2
		return why.Explanation{Gap: &mean, GapLo: &lo, GapHi: &hi}
	}
	for want, all := range map[bool][]why.Explanation{true: {gap(-0.01, 0.02), gap(-0.03, 0.03)}, false: {gap(0.01, 0.02), gap(-0.04, 0.05), {}}} {
		for _, e := range all {
			if got, half := holds(e); got != want {
				t.Errorf("%v, half of the interval %v", got, half)
			}
		}
	}
}

// TestCosts: the parts of CPUs are held against wall time, roles against schedstat.
func TestCosts(t *testing.T) {
	x := results.Explain{Instrument: vocab.Accounting,
		CPUs: []results.ExplainCPU{{CountedNS: 1000, NS: map[vocab.Owner]map[string]int64{vocab.SourceTime: {"task": 600, "irq": 1}, vocab.IdleTime: {"task": 400}}}},
		Slices: []results.ExplainSlice{{CountedNS: 1000, Counts: results.Counts{RxBytes: 1 << 20, SourceCPU: 900, SinkCPU: 800},
			Source: &results.RoleTime{NS: map[string]int64{"task": 600, "net_rx": 300}}, Sink: &results.RoleTime{NS: map[string]int64{"task": 400}}}}}
	run := &results.Run{Explains: []results.Explain{x, x, x}}
	c := costsOf([]*results.Run{run})
	if math.Abs(c.wall-0.001) > 1e-9 || c.against[0] != "100.00 % (100.00 to 100.00)" || c.against[1] != "50.00 % (50.00 to 50.00)" {
		t.Errorf("%+v", c)
	}
}

// TestExplainedIn: a run that was interrupted is made again.
func TestExplainedIn(t *testing.T) {
	dir := t.TempDir()
	if run, err := explainedIn(filepath.Join(dir, "nowhere")); run != nil || err != nil {
		t.Errorf("%v, %v", run, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "done"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if run, err := explainedIn(dir); run != nil || err != nil {
		t.Errorf("%v, %v", run, err)
	}
}
