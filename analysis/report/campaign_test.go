package report

import (
	"testing"

	"netab/analysis"
	"netab/results"
)

// TestEffectTables: arms that are compared with different ones are not in one table,
// which names what they are against.
func TestEffectTables(t *testing.T) {
	effect := func(arm, baseline, kernel string) analysis.Comparison {
		return analysis.Comparison{Metric: "goodput", Arm: arm, Baseline: baseline, ArmRun: kernel, BaselineRun: kernel, Judged: true}
	}
	s := analysis.Summary{Campaign: &analysis.Campaign{Kernels: []analysis.KernelSide{{Label: "old"}, {Label: "new"}}, Guest: &results.Guest{}, Effects: []analysis.Comparison{
		effect("tcp,on", "tcp,off", "old"), effect("udp,on", "udp,off", "old"), effect("tcp,on", "tcp,off", "new"), effect("udp,on", "udp,off", "new"),
	}}, Metrics: []string{"goodput"}}
	tables := EffectTables(s)
	if len(tables) != 2 {
		t.Fatalf("%d tables", len(tables))
	}
	for i, want := range []string{"tcp,off", "udp,off"} {
		if tables[i].Against != want || len(tables[i].Effects) != 2 {
			t.Errorf("against %s: %d effects, want 2 against %s", tables[i].Against, len(tables[i].Effects), want)
		}
	}
}
