package analysis

import (
	"fmt"
	"math"
	"slices"
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

// matrixShards are that matrix in two parts, as two machines measure them.
func matrixShards(effects []float64, seed uint64, trials int) []*results.Run {
	whole := matrixRun(effects, 1, 0).Header.Design
	var runs []*results.Run
	for part, arms := range [][]int{{1, 2, 3}, {4, 5}} {
		w := world.World{Blocks: 8, Slice: 100 * time.Millisecond, White: 0.02}
		for _, arm := range arms {
			w.Effects = append(w.Effects, effects[arm-1])
		}
		d := w.Design(0.02, time.Minute)
		d.Factors, d.Baseline = whole.Factors, whole.Baseline
		for i, arm := range append([]int{0}, arms...) {
			d.Arms[i].Name, d.Arms[i].Levels = whole.Arms[arm].Name, whole.Arms[arm].Levels
		}
		d.Shard = &results.Shard{Part: part + 1, Of: 2, Arms: 5, Whole: "abc"}
		run := w.Run(d, seed*2+uint64(part), trials)
		run.Header.ID = fmt.Sprint("run", part+1)
		runs = append(runs, run)
	}
	return runs
}

// Of shards every effect of a factor within the levels of the others is told, as of one run.
func TestSweepOfShards(t *testing.T) {
	effects := []float64{0.08, 0.7, 0.78, 1.4, 1.32}
	joined, whole := JoinShards(matrixShards(effects, 1, 16)).Sweep, Summarize(matrixRun(effects, 1, 16)).Sweep
	if joined == nil || len(joined.Factors) != 2 {
		t.Fatalf("%+v", joined)
	}
	across := 0
	for f, want := range whole.Factors {
		if len(joined.Factors[f].Cells) != len(want.Cells) {
			t.Fatalf("%s: %d cells, %d of one run", want.Factor, len(joined.Factors[f].Cells), len(want.Cells))
		}
		for i, w := range want.Cells {
			c := joined.Factors[f].Cells[i]
			if c.Level != w.Level || !slices.Equal(c.Within, w.Within) || !c.Discovered || c.Lo > w.Hi || c.Hi < w.Lo {
				t.Errorf("%s: %+v; of one run %+v", want.Factor, c, w)
			}
			if c.Across {
				across++
				if c.Arm != "size=64K,rps=on" || c.Baseline != "size=64,rps=on" || c.N != 32 {
					t.Errorf("two shards: %+v", c)
				}
			}
		}
	}
	if across != 1 {
		t.Errorf("%d effects are of two shards, want 1", across)
	}
	for i, w := range whole.Interactions {
		if c := joined.Interactions[i]; c.Factor != w.Factor || c.Level != w.Level || c.Shown != w.Shown || c.Lo > w.Hi || c.Hi < w.Lo {
			t.Errorf("interaction %+v; of one run %+v", c, w)
		}
	}
	if part := JoinShards(matrixShards(effects, 1, 16)[:1]).Sweep; part == nil || len(part.Factors[1].Cells) != 2 {
		t.Errorf("of one shard: %+v", part)
	}
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
	t.Run("one run", func(t *testing.T) {
		findsNothing(t, 150, func(seed uint64) *Sweep { return Summarize(matrixRun(make([]float64, 5), seed, 8)).Sweep })
	})
	t.Run("shards", func(t *testing.T) {
		findsNothing(t, 60, func(seed uint64) *Sweep { return JoinShards(matrixShards(make([]float64, 5), seed, 8)).Sweep })
	})
}

func findsNothing(t *testing.T, runs int, of func(seed uint64) *Sweep) {
	discoveries, interactions := 0, 0
	for seed := range uint64(runs) {
		s := of(seed)
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
