package why

import (
	"math"
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

// inModes is sampledRun twice: in the first trials arm off is as it was, and in the
// others it needs what arm sink does.
func inModes() *results.Run {
	r, other := sampledRun(0.95, 500e3), sampledRun(0.95, 500e3)
	for i := range other.Explains {
		x := &other.Explains[i]
		x.Index += len(r.Explains)
		for j := range x.Slices {
			x.Slices[j].Arm = 1 - x.Slices[j].Arm
		}
		if x.Samples != nil {
			for j := range x.Samples.Stacks {
				x.Samples.Stacks[j].Arm = 1 - x.Samples.Stacks[j].Arm
			}
		}
	}
	r.Explains = append(r.Explains, other.Explains...)
	return r
}

// TestBetweenModes: what an arm spends its time on in one mode is held against another,
// by function too.
func TestBetweenModes(t *testing.T) {
	run := inModes()
	half := len(run.Explains) / 2
	m := Modes{Arm: 0, By: ByState, Labels: []string{"near", "far"}, In: func(trial int, _ *results.ExplainSlice) int { return trial / half }}
	all := BetweenModes(run, m)
	if len(all) != 1 {
		t.Fatalf("%d explanations", len(all))
	}
	e := all[0]
	if e.Of != "off" || e.Modes != "state" || e.Baseline != "near" || e.Arm != "far" || e.Role != vocab.SourceTime || !e.Closes {
		t.Errorf("%+v", e)
	}
	if truth := 140./120 - 1; e.Measured == nil || math.Abs(*e.Measured-truth) > 0.01 {
		t.Errorf("measured %v", e.Measured)
	}
	if p := partOf(e, "net_rx", "TCP/IP", "tcp_ack"); p == nil || math.Abs(p.From-40) > 1 || math.Abs(p.To-20) > 1 || !p.Significant {
		t.Errorf("%+v", p)
	}
	if !strings.HasPrefix(e.Text, "off, from near to far: 16.") || !strings.Contains(strings.Join(e.Notes, " "), "nobody drew them") {
		t.Errorf("%s %q", e.Text, e.Notes)
	}
	if f := FlamesOfModes(run, m, &e, 100); len(f) != 1 || frameAt(f[0], "net_rx softirq on its back", "handle_softirqs", "net_rx_action", "tcp_ack") == nil {
		t.Errorf("%+v", f)
	}
	// Where a state changed within each trial, its accounting is of the blocks, and its
	// samples are nobody's.
	m.In = func(trial int, s *results.ExplainSlice) int {
		if s.Block == 0 {
			return -1
		}
		return trial / half
	}
	e = BetweenModes(run, m)[0]
	if e.Measured == nil || *e.Measured < 0.1 || e.SampledRole != "" {
		t.Errorf("of parts of trials: %+v", e)
	}
	m.In = func(trial int, _ *results.ExplainSlice) int { return min(1, trial/2) }
	if e = BetweenModes(run, m)[0]; !strings.Contains(e.Text, "it takes three explain trials in each mode") {
		t.Error(e.Text)
	}
	m.In = func(int, *results.ExplainSlice) int { return 0 }
	if all := BetweenModes(run, m); all != nil {
		t.Errorf("of one mode: %+v", all)
	}
}

// TestRates: those of trials, by the blocks without the accounting where there are some.
func TestRates(t *testing.T) {
	run := inModes()
	half := len(run.Explains) / 2
	level, change := Rates(run, 0, -1), Rates(run, 0, 1)
	if len(level) != len(run.Explains) {
		t.Fatalf("%d of %d trials", len(level), len(run.Explains))
	}
	want := math.Log(140. / 120)
	for i := range half {
		if got := level[half+i] - level[i]; math.Abs(got-want) > 0.03 {
			t.Errorf("trial %d: the level differs by %.3f", i, got)
		}
		if math.Abs(change[i]+want) > 0.03 || math.Abs(change[half+i]-want) > 0.03 {
			t.Errorf("trial %d: %.3f and %.3f against the other arm", i, change[i], change[half+i])
		}
	}
}
