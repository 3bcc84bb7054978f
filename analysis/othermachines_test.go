package analysis

import (
	"testing"

	"netab/results"
)

// TestOtherMachines: what the record has of a second machine is in the summary, over
// valid trials alone, and its absence is said.
func TestOtherMachines(t *testing.T) {
	trial := func(invalid string, foreign, steal int64) results.Trial {
		return results.Trial{RunNS: 1e9, Invalid: invalid, Others: []results.HostDelta{{Place: "sink", ForeignNS: foreign, StealNS: steal}}}
	}
	run := &results.Run{Header: results.Header{Others: []results.Machine{{Hostname: "b", Kernel: "6.1.0", CPUModel: "EPYC", CPUs: 4}}},
		Trials: []results.Trial{trial("", 1e8, 2e8), trial("broken", 9e8, 9e8), trial("", 3e8, 0)}}
	s := Summarize(run)
	if len(s.Others) != 1 || s.Others[0].String() != "sink (b): 6.1.0, EPYC, 4 CPUs; other programs took 20.0 % of a CPU, the hypervisor 2.5 % of its time" {
		t.Errorf("%v", s.Others)
	}
	run.Trials = nil
	if s := Summarize(run); len(s.Others) != 1 || s.Others[0].String() != "b: 6.1.0, EPYC, 4 CPUs; what else it did is not known" {
		t.Errorf("%v", s.Others)
	}
}
