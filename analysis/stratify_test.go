package analysis

import (
	"math"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/results"
)

// matrixRun is of two factors: size (3 levels) and rps (2). effects are those
// of the arms after the first, log, in the order of the matrix.
func matrixRun(effects []float64, seed uint64, trials int) *results.Run {
	w := world.World{Effects: effects, Blocks: 8, Slice: 100 * time.Millisecond, White: 0.02}
	d := w.Design(0.02, time.Minute)
	d.Factors = []results.Factor{{Name: "size", Levels: []string{"64", "1K", "64K"}}, {Name: "rps", Levels: []string{"off", "on"}}}
	for i := range d.Arms {
		size, rps := d.Factors[0].Levels[i/2], d.Factors[1].Levels[i%2]
		d.Arms[i].Name = "size=" + size + ",rps=" + rps
		d.Arms[i].Levels = []results.FactorLevel{{Factor: "size", Value: size}, {Factor: "rps", Value: rps}}
	}
	d.Baseline = d.Arms[0].Name
	return w.Run(d, seed, trials)
}

func TestSweep(t *testing.T) {
	// rps adds 8 % at 64 and 1K, and costs 8 % at 64K; size doubles the rate.
	s := Summarize(matrixRun([]float64{0.08, 0.7, 0.78, 1.4, 1.32}, 1, 16)).Sweep
	if s == nil || len(s.Factors) != 2 || s.Factors[1].Factor != "rps" || s.Factors[1].Base != "off" || len(s.Factors[1].Cells) != 3 || len(s.Factors[0].Cells) != 4 {
		t.Fatalf("%+v", s)
	}
	for i, want := range []float64{0.08, 0.08, -0.08} {
		c := s.Factors[1].Cells[i]
		if c.Level != "on" || len(c.Within) != 1 || c.Within[0].Factor != "size" || !c.Discovered || math.Log1p(c.Lo) > want || math.Log1p(c.Hi) < want {
			t.Errorf("cell %d: %+v, want %v", i, c, want)
		}
	}
	var rps *Interaction
	for i := range s.Interactions {
		if s.Interactions[i].Factor == "rps" {
			rps = &s.Interactions[i]
		}
	}
	if rps == nil || !rps.Shown || rps.Within[0].Value != "64K" || math.Abs(math.Log1p(rps.Departs)+0.16) > 0.02 {
		t.Errorf("interaction of rps: %+v", rps)
	}
	if Summarize(plain.Run(plain.Design(0.02, time.Minute), 1, 8)).Sweep != nil {
		t.Error("a run without factors has a sweep")
	}
}

// A matrix that does nothing: the share of sweeps with any discovery is the
// false discovery rate at most, and interactions keep to alpha.
func TestSweepFindsNothing(t *testing.T) {
	manyRuns(t)
	const runs = 150
	discoveries, interactions := 0, 0
	for seed := range uint64(runs) {
		s := Summarize(matrixRun(make([]float64, 5), seed, 8)).Sweep
		any := false
		for _, f := range s.Factors {
			for _, c := range f.Cells {
				any = any || c.Discovered
			}
		}
		if any {
			discoveries++
		}
		for _, i := range s.Interactions {
			if i.Factor == "rps" && i.Shown {
				interactions++
			}
		}
	}
	if most := within(discoveryRate, runs); discoveries > most {
		t.Errorf("%d of %d sweeps discover something, at most %d are allowed", discoveries, runs, most)
	}
	if most := within(0.05, runs); interactions > most {
		t.Errorf("%d of %d sweeps show an interaction, at most %d are allowed", interactions, runs, most)
	}
}

func TestDiscover(t *testing.T) {
	ps := []float64{0.01, 0.04, 0.03, 0.5}
	var cells []*SweepCell
	for i := range ps {
		cells = append(cells, &SweepCell{P: &ps[i]})
	}
	discover(cells)
	// Benjamini-Hochberg: 4·0.01/1, min(4·0.04/3, ...), min(4·0.03/2, 4·0.04/3), 4·0.5/4.
	for i, want := range []float64{0.04, 0.16 / 3, 0.16 / 3, 0.5} {
		if got := *cells[i].Adjusted; math.Abs(got-want) > 1e-12 || cells[i].Discovered != (want <= discoveryRate) {
			t.Errorf("p %v: adjusted %v, want %v", ps[i], got, want)
		}
	}
}
