package runner

import (
	"testing"

	"netab/results"
	"netab/scenarios"
)

// TestCPUIsBounded: a pinned role never used more than its CPUs have, over an arm's
// slices together; single slices may be off either way, and other arms' and roles
// that are not pinned are left alone.
func TestCPUIsBounded(t *testing.T) {
	slice := func(arm int, source, sink int64) indexed {
		return indexed{Slice: results.Slice{Arm: arm, CountedNS: 1000, SourceCPU: source, SinkCPU: sink}}
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
