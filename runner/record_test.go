package runner

import (
	"testing"
	"time"

	"netab/results"
	"netab/scenarios"
)

// TestCPUIsBounded: a pinned role never used more than its CPUs have, over an arm's
// slices together; single slices may be off either way, and other arms' and roles
// that are not pinned are left alone.
func TestCPUIsBounded(t *testing.T) {
	slice := func(arm int, source, sink int64) indexed {
		return indexed{Slice: results.Slice{Arm: arm, CountedNS: 1000, Counts: results.Counts{SourceCPU: source, SinkCPU: sink}}}
	}
	all := []indexed{slice(0, 1200, 700), slice(1, 1500, 1500), slice(0, 900, 1200), slice(0, 1000, 1100)}
	boundCPU(all, 0, scenarios.ResolvedCPUs{Source: []int{3, 3}, Sink: []int{1, 2}})
	var source, sink int64
	for _, s := range all {
		if s.Arm == 0 {
			source, sink = source+s.SourceCPU, sink+s.SinkCPU
		}
	}
	if source > 3000 || source < 2990 || all[0].SourceCPU <= all[2].SourceCPU {
		t.Errorf("the source used %d of 3000 ns: %v", source, all)
	}
	if sink != 3000 || all[1].SourceCPU != 1500 {
		t.Errorf("the sink used %d ns of two CPUs, another arm's source %d", sink, all[1].SourceCPU)
	}
	free := []indexed{slice(0, 5000, 1)}
	if boundCPU(free, 0, scenarios.ResolvedCPUs{}); free[0].SourceCPU != 5000 {
		t.Errorf("a source that is not pinned: %d", free[0].SourceCPU)
	}
}

// TestStarved: an arm is the machine's victim only if its threads waited for a CPU
// and others had it; one that sleeps because nothing arrives has failed by itself.
func TestStarved(t *testing.T) {
	for name, tc := range map[string]struct {
		sent, source, sink, foreign, steal int64
		starved                            bool
	}{
		"a dead path":                          {100, 0, 0, 0, 0, false},
		"a dead path on a busy machine":        {100, 10, 10, 900, 0, false},
		"a source that sends into the void":    {100, 600, 0, 900, 0, false},
		"a sink that is kept from its CPU":     {100, 0, 600, 900, 0, true},
		"and by the host":                      {100, 0, 600, 0, 300, true},
		"a source that never came to send":     {0, 600, 0, 900, 0, true},
		"its own threads wait for one another": {100, 600, 600, 20, 0, false},
	} {
		trial := &results.Trial{RunNS: 2000, Arms: []results.ArmTrial{{}, {Arm: 1, Source: results.RoleDelta{WaitNS: tc.source}, Sink: results.RoleDelta{WaitNS: tc.sink}}},
			Slices: []results.Slice{{Arm: 0, CountedNS: 800}, {Arm: 1, CountedNS: 400, Counts: results.Counts{TxBytes: tc.sent}}, {Arm: 1, CountedNS: 400}},
			Host:   results.HostDelta{ForeignNS: tc.foreign, StealNS: tc.steal}}
		if got := starved(trial, 1); (got != "") != tc.starved {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestLearnLead: a trial that began too soon gives the next more time, and is none
// of those that end a run, until there is no more to give.
func TestLearnLead(t *testing.T) {
	r := &run{}
	late := []*live{{late: 3 * time.Millisecond}}
	n := 0
	for r.learning = true; r.learning; n++ {
		r.learnLead(late)
		if n > 20 {
			t.Fatal("it learns for ever")
		}
	}
	if r.moreLead != maxLead || n < 3 {
		t.Errorf("after %d late trials %v", n, r.moreLead)
	}
	r.learning = false
	if r.learnLead([]*live{{}}); r.learning || r.moreLead >= maxLead {
		t.Errorf("a trial in time: learning %v, %v", r.learning, r.moreLead)
	}
}
