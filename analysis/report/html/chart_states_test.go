package html

import (
	"strings"
	"testing"

	"netab/analysis"
	"netab/analysis/report/figure"
	"netab/analysis/report/sample"
	"netab/results"
)

// moves gives a run's slices canaries: near for three blocks, far for two.
func moves(run *results.Run) *results.Run {
	for t := range run.Trials {
		for i := range run.Trials[t].Slices {
			s := &run.Trials[t].Slices[i]
			distance := 70 + float64(i%5)
			if s.Block%5 > 2 {
				distance += 280
			}
			s.Canaries = &results.Canaries{DistanceNS: &distance, SourceStepNS: 0.3, SinkStepNS: 0.3, SinkCPU: 1}
			if t == 0 && i == 4 {
				s.Canaries.DistanceNS = nil
			}
		}
	}
	return run
}

func TestStateStrips(t *testing.T) {
	states := []analysis.State{
		{Name: "near", Share: 0.6, Canaries: map[string]float64{"distance_ns": 72}},
		{Name: "far", Share: 0.4, Canaries: map[string]float64{"distance_ns": 352}},
	}
	id := func(s string) string { return "r1-" + s }
	w := sample.TCPWorld()
	w.Trials = 3
	strips, err := stateStrips(id, "r1-slices", readRun(moves(w.Run()), figure.Goodput), states)
	if err != nil || len(strips) != 1 {
		t.Fatalf("%d strips, %v, want that of distances: all steps take as long", len(strips), err)
	}
	c := strips[0]
	if c.Group != "r1-slices" {
		t.Errorf("it is in group %q, and would not zoom with the slices", c.Group)
	}
	for _, want := range []string{`"near"`, `"far"`} {
		if !strings.Contains(string(c.Options), want) {
			t.Errorf("no series %s", want)
		}
	}
	if !strings.Contains(c.Note, "In 1 slice no answer came in time.") {
		t.Errorf("the note hides what timed out: %s", c.Note)
	}
	if want := "89 readings"; !strings.Contains(c.Alt, want) {
		t.Errorf("alt %q, want %s", c.Alt, want)
	}

	alone := moves(w.Run()) // roles that share a CPU have no distance to be silent about
	for i := range alone.Trials {
		for k := range alone.Trials[i].Slices {
			c := alone.Trials[i].Slices[k].Canaries
			c.DistanceNS, c.SinkCPU, c.SourceStepNS = nil, 0, 0.3+0.03*float64(k%2)
		}
	}
	fast := []analysis.State{{Name: "fast", Canaries: map[string]float64{"source_step_ns": 0.3, "sink_step_ns": 0.3}}, {Name: "slow", Canaries: map[string]float64{"source_step_ns": 0.33, "sink_step_ns": 0.3}}}
	strips, err = stateStrips(id, "r1-slices", readRun(alone, figure.Goodput), fast)
	if err != nil || len(strips) != 1 || strings.Contains(strips[0].Note, "no answer") || !strings.Contains(string(strips[0].Options), `"slow"`) {
		t.Errorf("%d strips, %v: want one of steps, by state, that speaks of no silence", len(strips), err)
	}

	if strips, err := stateStrips(id, "r1-slices", readRun(w.Run(), figure.Goodput), states); err != nil || len(strips) > 0 {
		t.Errorf("%d strips of a run without canaries, %v", len(strips), err)
	}
}

func TestReadingsBelongToTheNearestState(t *testing.T) {
	states := []analysis.State{{Canaries: map[string]float64{"x": 70}}, {Canaries: map[string]float64{"x": 350}}}
	for x, want := range map[float64]int{50: 0, 150: 0, 160: 1, 1000: 1} { // 156.5 is the middle of their logarithms
		if got := stateOf(states, "x", x); got != want {
			t.Errorf("%v is of state %d, want %d", x, got, want)
		}
	}
}
