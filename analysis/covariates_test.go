package analysis

import (
	"math"
	"strings"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/results"
)

func TestSoftirqLabels(t *testing.T) {
	pinned := func(cpus ...int) results.RoleDelta { return results.RoleDelta{Pinned: cpus} }
	free := func(cpu int) results.RoleDelta { return results.RoleDelta{CPUs: map[int]int{cpu: 9, cpu + 1: 1}} }
	flow := func(counts map[int]int) results.Flow { return results.Flow{SoftirqCPU: counts} }
	for _, tt := range []struct {
		name      string
		at        results.ArmTrial
		cpu, role string
	}{
		{"source's", results.ArmTrial{Source: pinned(0), Sink: pinned(1), Flows: []results.Flow{flow(map[int]int{0: 10})}},
			"softirq on CPU 0 (the source's)", "softirq on the source's CPU"},
		{"sink's", results.ArmTrial{Source: pinned(0), Sink: pinned(1), Flows: []results.Flow{flow(map[int]int{1: 10})}},
			"softirq on CPU 1 (the sink's)", "softirq on the sink's CPU"},
		{"both on one CPU", results.ArmTrial{Source: pinned(1), Sink: pinned(1), Flows: []results.Flow{flow(map[int]int{1: 10})}},
			"softirq on CPU 1 (both roles')", "softirq on both roles' CPU"},
		{"a third CPU", results.ArmTrial{Source: pinned(0), Sink: pinned(1), Flows: []results.Flow{flow(map[int]int{2: 10})}},
			"softirq on CPU 2 (neither role's)", "softirq on neither role's CPU"},
		{"free roles: the CPU alone", results.ArmTrial{Source: free(0), Sink: free(4), Flows: []results.Flow{flow(map[int]int{4: 10})}},
			"softirq on CPU 4", "softirq on the sink's CPU"},
		{"moved within the trial", results.ArmTrial{Source: pinned(0), Sink: pinned(1), Flows: []results.Flow{flow(map[int]int{0: 7, 1: 3})}},
			"softirq mostly on CPU 0 (the source's)", "softirq on the source's CPU"},
		{"two flows apart", results.ArmTrial{Source: pinned(0), Sink: pinned(1), Flows: []results.Flow{flow(map[int]int{0: 5}), flow(map[int]int{1: 5})}},
			"softirq on several CPUs alike", ""},
		{"not recorded", results.ArmTrial{}, "", ""},
	} {
		if got := softirqCPU(&tt.at); got != tt.cpu {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.cpu)
		}
		if got := softirqRole(&tt.at); got != tt.role {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.role)
		}
	}
}

// Each covariate, where it decides, must be the one that is named.
func TestExplain(t *testing.T) {
	setFree := func(at *results.ArmTrial, source, sink int) {
		at.Flows = nil
		at.Source = results.RoleDelta{CPUs: map[int]int{source: 10}}
		at.Sink = results.RoleDelta{CPUs: map[int]int{sink: 10}}
	}
	for _, tt := range []struct {
		name  string
		mark  func(t *results.Trial, slow bool)
		want  string
		label string
	}{
		{"baseline's softirq", func(t *results.Trial, slow bool) {
			t.Arms[1].Flows = nil
			t.Arms[0].Flows[0].SoftirqCPU = map[int]int{pick(slow, 0, 1): 10}
		}, "baseline's softirq CPU of the sink's socket", "baseline's softirq on CPU 0 (the source's)"},
		{"many CPUs, but whose", func(t *results.Trial, slow bool) {
			cpu := 2 + t.Index
			setFree(&t.Arms[1], cpu, cpu+20)
			t.Arms[1].Flows = []results.Flow{{SoftirqCPU: map[int]int{pick(slow, cpu, cpu+20): 10}}}
		}, "softirq on a role's CPU", "softirq on the source's CPU"},
		{"placement", func(t *results.Trial, slow bool) {
			setFree(&t.Arms[1], t.Index%3, pick(slow, t.Index%3, t.Index%3+1))
		}, "source and sink on one CPU", "source and sink on one CPU"},
		{"migrations", func(t *results.Trial, slow bool) {
			setFree(&t.Arms[1], 0, 1)
			t.Arms[1].Sink.Migrations = int64(pick(slow, 500, 0))
		}, "migrations", "over 100 migrations"},
		{"set-up", func(t *results.Trial, slow bool) {
			t.Arms[1].Flows = nil
			t.Order = []int{pick(slow, 1, 0), pick(slow, 0, 1)}
		}, "order of warm-up", "warmed up before the baseline"},
	} {
		w := with(func(w *world.World) { w.Modes = []float64{-0.08, 0.08} })
		run := w.Run(w.Design(0.01, time.Minute), 11, 10)
		for i := range run.Trials {
			tr := &run.Trials[i]
			tt.mark(tr, tr.Arms[1].Flows[0].SoftirqCPU[0] > 0)
			if tt.want != "order of warm-up" {
				tr.Order = nil
			}
		}
		modes := Summarize(run).Comparisons[0].Modes
		if modes == nil {
			t.Errorf("%s: no modes", tt.name)
			continue
		}
		if modes.Covariate != tt.want || modes.Groups[0].Label != tt.label {
			t.Errorf("%s: explained by %q, slow mode %q; want %q and %q", tt.name, modes.Covariate, modes.Groups[0].Label, tt.want, tt.label)
		}
	}
}

func pick(first bool, a, b int) int {
	if first {
		return a
	}
	return b
}

// What was recorded at random must not be taken for the reason.
func TestExplainIsNotFooled(t *testing.T) {
	manyRuns(t)
	const runs = 300
	found := 0
	for seed := range uint64(runs) {
		w := with(func(w *world.World) { w.Trial, w.Modes = 0.05, []float64{0, 0} })
		run := w.Run(w.Design(0.01, time.Minute), seed, 12)
		if m := Summarize(run).Comparisons[0].Modes; m != nil && m.Covariate != "" {
			found++
		}
	}
	if most := within(modeAlpha, runs); found > most {
		t.Errorf("a covariate explained %d of %d worlds without modes, at most %d are allowed", found, runs, most)
	}
}

func TestUnexplainedModes(t *testing.T) {
	w := with(func(w *world.World) { w.Modes = []float64{-0.08, 0.08} })
	run := w.Run(w.Design(0.01, time.Minute), 5, 16)
	for i := range run.Trials {
		run.Trials[i].Arms = nil
		run.Trials[i].Order = nil
	}
	c := Summarize(run).Comparisons[0]
	if c.Modes == nil || c.Modes.Covariate != "" || !strings.Contains(c.Modes.Text, "nothing that was recorded tells them apart") {
		t.Errorf("modes %+v, want two that nothing explains", c.Modes)
	}
	if c.Mixture {
		t.Error("modes that nothing explains must not end a run")
	}
}

func TestModesOfOneArm(t *testing.T) {
	w := with(func(w *world.World) { w.Effects, w.Modes = nil, []float64{-0.08, 0.08} })
	run := w.Run(w.Design(0.01, time.Minute), 5, 12)
	s := Summarize(run)
	m := s.Arms[0].Modes
	if m == nil || m.Unit != "bit/s" || m.Groups[0].Label != "softirq on CPU 0 (the source's)" {
		t.Fatalf("modes %+v, want the softirq's CPUs", m)
	}
	// 40 Gbit/s, 8 % less and more as a logarithm.
	near(t, "slow", m.Groups[0].Level/40e9, math.Exp(-0.08), 0.02)
	near(t, "fast", m.Groups[1].Level/40e9, math.Exp(0.08), 0.02)
	for _, g := range m.Groups {
		if g.Lo >= g.Level || g.Hi <= g.Level || len(g.Trials) < 2 {
			t.Errorf("group %+v", g)
		}
	}
	if !strings.HasPrefix(m.Text, "its level falls into two groups: 43.") || !strings.Contains(m.Text, " Gbit/s in ") || strings.Contains(m.Text, "%") {
		t.Errorf("it says %q", m.Text)
	}
	wantCodes(t, s, "level-modes")
}

// TestLevelModesWithoutSharedDrift: where the whole machine has two rates, no arm
// has modes; where one arm has, it does, and its levels are given.
func TestLevelModesWithoutSharedDrift(t *testing.T) {
	for _, tt := range []struct {
		name   string
		modes  []float64 // of the last arm, recorded as the softirq's CPU
		shared float64   // what all arms gain in trials whose softirq is on CPU 1
		want   bool
	}{
		{"the machine has two rates", []float64{0, 0}, 0.2, false},
		{"an arm has two modes", []float64{-0.08, 0.08}, 0, true},
		{"both", []float64{-0.08, 0.08}, 0.2, true},
	} {
		w := with(func(w *world.World) { w.Effects, w.Modes = []float64{0, 0}, tt.modes })
		run := w.Run(w.Design(0.01, time.Minute), 5, 16)
		for i := range run.Trials {
			tr := &run.Trials[i]
			cpu := tr.Arms[2].Flows[0].SoftirqCPU
			for a := range tr.Arms {
				tr.Arms[a].Flows[0].SoftirqCPU = cpu
			}
			for k := range tr.Slices {
				if cpu[1] > 0 {
					tr.Slices[k].RxBytes = int64(float64(tr.Slices[k].RxBytes) * math.Exp(tt.shared))
				}
			}
		}
		s := Summarize(run)
		for a, arm := range s.Arms {
			if want := tt.want && a == 2; (arm.Modes != nil) != want {
				t.Errorf("%s: %s has level modes %+v, want any: %v", tt.name, arm.Name, arm.Modes, want)
			}
		}
		if m := s.Arms[2].Modes; m != nil {
			near(t, tt.name+": apart", math.Log(m.Groups[1].Level/m.Groups[0].Level), 0.16, 0.02)
			if !strings.Contains(m.Text, "what moved all arms alike is taken out") {
				t.Errorf("%s: it says %q", tt.name, m.Text)
			}
		}
	}
}

// TestOneTrialIsNoMode: a trial that a neighbour's load spoilt is no mode of an
// arm, wherever its softirq ran, neither of its level nor of its effect.
func TestOneTrialIsNoMode(t *testing.T) {
	for _, arms := range []int{1, 2} {
		w := with(func(w *world.World) { w.Effects = make([]float64, arms-1) })
		run := w.Run(w.Design(0.01, time.Minute), 5, 9)
		spoilt := &run.Trials[3]
		last := arms - 1
		spoilt.Arms[last].Flows[0].SoftirqCPU = map[int]int{1: 10}
		for k := range spoilt.Slices {
			if spoilt.Slices[k].Arm == last {
				spoilt.Slices[k].RxBytes /= 2
			}
		}
		s := Summarize(run)
		if m := s.Arms[last].Modes; m != nil {
			t.Errorf("%d arms: level modes %q", arms, m.Text)
		}
		for _, c := range s.Comparisons {
			if c.Modes != nil {
				t.Errorf("%d arms: modes %q", arms, c.Modes.Text)
			}
		}
	}
}

// The trial's grain has the same shape of record: one slice of each arm, and
// no standard error inside a trial.
func TestTrialGrain(t *testing.T) {
	w := with(func(w *world.World) { w.Blocks, w.Effects[0], w.White = 1, 0.1, 0.02 })
	c := Summarize(w.Run(w.Design(0.02, time.Minute), 5, 10)).Comparisons[0]
	if c.Verdict != Improvement || c.HetP != nil || c.WithinSE != nil {
		t.Errorf("%s, within %v; want an improvement without an error inside trials", c.Verdict, c.WithinSE)
	}
}

// One trial in which a neighbour made a mess must not hide the modes.
func TestModesDespiteNoisyTrial(t *testing.T) {
	w := with(func(w *world.World) { w.Modes = []float64{-0.08, 0.08} })
	run := w.Run(w.Design(0.01, time.Minute), 5, 12)
	for k := range run.Trials[3].Slices {
		run.Trials[3].Slices[k].RxBytes >>= k * 7 % 5
	}
	s := Summarize(run)
	m := s.Comparisons[0].Modes
	if m == nil || m.Covariate != "softirq CPU of the sink's socket" {
		t.Fatalf("modes %+v, want the softirq's CPUs", m)
	}
	if !strings.HasSuffix(m.Text, "; 1 more could not be assigned") || s.Comparisons[0].N != 12 {
		t.Errorf("%d trials in the mean; %s", s.Comparisons[0].N, m.Text)
	}
	wantCodes(t, s, "noisy-trials")
}
