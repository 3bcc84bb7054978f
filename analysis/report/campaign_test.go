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

// TestNoInterval: one boot against one has none.
func TestNoInterval(t *testing.T) {
	p := 0.5
	for _, tt := range []struct {
		c    analysis.Comparison
		want string
	}{
		{analysis.Comparison{N: 2, Change: 0.05, Lo: 0.05, Hi: 0.05, Withheld: "one boot of each"}, ""},
		{analysis.Comparison{N: 1, Change: 0.05, Lo: 0.01, Hi: 0.09, P: &p}, ""},
		{analysis.Comparison{N: 8, Change: 0.05, Lo: 0.01, Hi: 0.09, P: &p}, "+1.0 to +9.0"},
	} {
		v := VerdictTableOf(analysis.Summary{Metrics: []string{"goodput"}, Comparisons: []analysis.Comparison{tt.c}}, "goodput")
		if got := v.Interval(&tt.c); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.c, got, tt.want)
		}
	}
}
