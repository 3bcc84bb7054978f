package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"netab/analysis/stat"
	"netab/analysis/world"
	"netab/results"
)

// booted makes a run of one boot of a kernel. All arms of it are faster by
// shift (log), and by what the boot draws; effect is arm1's against off.
func booted(kernel, boot string, shift, bootSD, effect float64, seed uint64) *results.Run {
	w := world.World{Effects: []float64{effect}, Blocks: 4, Slice: 100 * time.Millisecond, White: 0.02}
	run := w.Run(w.Design(0.02, time.Minute), seed, 8)
	run.Header.ID = kernel + "-" + boot
	run.Header.Machine.Kernel, run.Header.Machine.BootID = kernel, boot
	factor := math.Exp(shift + bootSD*rand.New(rand.NewPCG(seed, 99)).NormFloat64())
	for i := range run.Trials {
		for k := range run.Trials[i].Slices {
			s := &run.Trials[i].Slices[k]
			s.RxBytes = int64(float64(s.RxBytes) * factor)
		}
	}
	return run
}

// twoKernels are so many boots of each; the second's are shifted.
func twoKernels(a, b int, shift, bootSD float64, seed uint64) []RunGroup {
	var runs []*results.Run
	for i := range a {
		runs = append(runs, booted("6.18.0", fmt.Sprint("old", i), 0, bootSD, 0, seed*1000+uint64(i)))
	}
	for i := range b {
		runs = append(runs, booted("6.19.0", fmt.Sprint("new", i), shift, bootSD, 0, seed*1000+500+uint64(i)))
	}
	groups, axis := GroupRuns(runs)
	if axis != "kernel" || len(groups) != 2 {
		panic(axis)
	}
	return groups
}

func TestCompareBoots(t *testing.T) {
	kernels := CompareOptions{Declared: []string{"kernel"}}
	s := CompareGroups(twoKernels(5, 5, -0.06, 0.01, 1), kernels)
	c := s.find(t, "off")
	if c.Verdict != Regression || c.Lo > math.Expm1(-0.06) || c.Hi < math.Expm1(-0.06) {
		t.Errorf("%s, %v to %v; want a regression about -0.058", c.Verdict, c.Lo, c.Hi)
	}
	if c.Units != "boot" || c.N != 10 || c.NBaseline != 5 || c.PPermutation == nil || math.Abs(*c.PPermutation-2.0/252) > 1e-12 {
		t.Errorf("units %s, n %d of which %d, p %v", c.Units, c.N, c.NBaseline, c.PPermutation)
	}
	if s.Confounders[0].Name != "kernel" || !s.Confounders[0].Declared || len(s.Sides) != 2 || s.Sides[1].Boots != 5 {
		t.Errorf("%+v, %+v", s.Confounders, s.Sides)
	}
	if !strings.HasPrefix(s.Answer, "6.19.0 against 6.18.0: TCP goodput over loopback is ") {
		t.Errorf("answer %q", s.Answer)
	}
	if l := s.Arms[0].Metrics["goodput"]; l.Hi-l.Lo < 2*0.005*l.Mean {
		t.Errorf("the level's interval %v to %v does not hold the spread of boots", l.Lo, l.Hi)
	}
	// Two runs of one boot are one unit.
	groups := twoKernels(5, 5, -0.06, 0.01, 1)
	groups[0].Runs = append(groups[0].Runs, booted("6.18.0", "old0", 0, 0.01, 0, 77))
	if c := CompareGroups(groups, kernels).find(t, "off"); c.N != 10 {
		t.Errorf("n %d with a second run of one boot, want 10", c.N)
	}
}

func TestCompareTooFewBoots(t *testing.T) {
	for _, tt := range []struct {
		a, b int
		want Verdict
		text string
	}{
		{1, 1, Inconclusive, "one boot of 6.18.0 and one boot of 6.19.0"},
		{3, 3, Inconclusive, "at least 5 boots of each can show a difference (smallest p 0.0079), 6 are better (0.0022)"},
		{3, 3, Inconclusive, "of each would show a change of the resolution"},
		{1, 9, Inconclusive, "one boot of 6.18.0 and 9 boots of 6.19.0"},
		{4, 4, Inconclusive, "four boots of 6.18.0"}, // a p of 2/70, and two arms share 5 %
		{3, 5, Inconclusive, ""}, // 2/56
		{5, 5, Regression, ""},
		{3, 6, Regression, ""}, // 2/84
	} {
		s := CompareGroups(twoKernels(tt.a, tt.b, -0.08, 0.002, 3), CompareOptions{})
		c := s.find(t, "off")
		if c.Verdict != tt.want || (c.Withheld != "") != (tt.want == Inconclusive) || !strings.Contains(c.Withheld, tt.text) {
			t.Errorf("%d against %d: %s, withheld %q; want %s, %q", tt.a, tt.b, c.Verdict, c.Withheld, tt.want, tt.text)
		}
		if g := NewGate(s, nil, gateDay); tt.want == Inconclusive && g.Outcome != Undecided {
			t.Errorf("%d against %d: gate %s", tt.a, tt.b, g.Outcome)
		}
	}
}

// What is known of boots beforehand stands in for boots.
func TestCompareCalibratedBoots(t *testing.T) {
	for sd, want := range map[float64]Verdict{0.005: Regression, 0.05: Inconclusive} {
		s := CompareGroups(twoKernels(1, 1, -0.06, 0, 5), CompareOptions{BootSD: sd, BootDF: 9})
		c := s.find(t, "off")
		if c.Verdict != want || c.Withheld != "" || !c.Calibrated {
			t.Errorf("spread %v: %s (%v to %v), %q, want %s", sd, c.Verdict, c.Lo, c.Hi, c.Withheld, want)
		}
		wantCodes(t, s, "boots-assumed")
	}
}

// Two runs of one boot, one after the other, that scatter by 2 %: what a
// calibration says of that keeps them from being called different.
func TestCompareCalibratedRuns(t *testing.T) {
	manyRuns(t)
	const runs = 200
	known := CompareOptions{Known: func(a results.Arm, metric string) (KnownSpread, bool) {
		return KnownSpread{Run: 0.02, RunDF: 19}, metric == "goodput" && a.Name == "off"
	}}
	blind, informed := 0, 0
	for seed := range uint64(runs) {
		groups, _ := GroupRuns([]*results.Run{booted("k", "boot", 0, 0.02, 0, 2*seed), booted("k", "boot", 0, 0.02, 0, 2*seed+1)})
		c := CompareGroups(groups, CompareOptions{}).find(t, "off")
		if c.Lo > 0 || c.Hi < 0 {
			blind++
		}
		if c.Verdict != Inconclusive || c.Withheld == "" {
			t.Fatalf("two runs that nothing is known of: %s", c.Verdict)
		}
		s := CompareGroups(groups, known)
		c = s.find(t, "off")
		if !c.Calibrated || c.Units != unitRun || c.N != 2 || c.NBaseline != 1 {
			t.Fatalf("%+v", c)
		}
		if c.Verdict == Improvement || c.Verdict == Regression {
			informed++
		}
		if seed == 0 {
			wantCodes(t, s, "runs-assumed")
			if other := s.find(t, "arm1"); other.Calibrated {
				t.Errorf("arm1 is not what was calibrated: %+v", other)
			}
		}
	}
	if most := within(0.05, runs); informed > most || blind <= most {
		t.Errorf("%d of %d found different, at most %d are allowed; without the calibration %d", informed, runs, most, blind)
	}
	// A large change is found all the same; and a spread that is hardly known
	// itself is not taken.
	groups, _ := GroupRuns([]*results.Run{booted("k", "boot", 0, 0.02, 0, 1), booted("k", "boot", -0.2, 0.02, 0, 2)})
	if c := CompareGroups(groups, known).find(t, "off"); c.Verdict != Regression {
		t.Errorf("20 %% less: %s (%v to %v)", c.Verdict, c.Lo, c.Hi)
	}
	little := CompareOptions{Known: func(results.Arm, string) (KnownSpread, bool) { return KnownSpread{Run: 0.02, RunDF: 2}, true }}
	if c := CompareGroups(groups, little).find(t, "off"); c.Calibrated {
		t.Errorf("a spread of 2 degrees of freedom was taken: %+v", c)
	}
}

// Calibrations of several boots stand in for boots of the runs.
func TestCompareKnownBoots(t *testing.T) {
	known := func(boot float64) CompareOptions {
		return CompareOptions{Known: func(results.Arm, string) (KnownSpread, bool) {
			return KnownSpread{Run: 0.003, RunDF: 30, Boot: boot, BootDF: 6}, true
		}}
	}
	for sd, want := range map[float64]Verdict{0.005: Regression, 0.05: Inconclusive} {
		s := CompareGroups(twoKernels(1, 1, -0.06, 0, 5), known(sd))
		if c := s.find(t, "off"); c.Verdict != want || c.Withheld != "" || !c.Calibrated || c.KnownSD != math.Hypot(sd, 0.003) {
			t.Errorf("spread %v: %s (%v to %v), %q, want %s", sd, c.Verdict, c.Lo, c.Hi, c.Withheld, want)
		}
		wantCodes(t, s, "boots-assumed")
	}
	// One boot calibrated says nothing of boots.
	one := CompareOptions{Known: func(results.Arm, string) (KnownSpread, bool) { return KnownSpread{Run: 0.003, RunDF: 30}, true }}
	s := CompareGroups(twoKernels(1, 1, -0.06, 0, 5), one)
	if c := s.find(t, "off"); c.Verdict != Inconclusive || c.Withheld == "" {
		t.Errorf("%s, withheld %q", c.Verdict, c.Withheld)
	}
	wantCodes(t, s, "too-few-boots")
}

// TestCompareBootsFindsNothing: boots that scatter by 2 % must not make a
// difference between kernels of 1.5 % resolution; trials as units would.
func TestCompareBootsFindsNothing(t *testing.T) {
	manyRuns(t)
	const runs = 150
	boots, trials := 0, 0
	for seed := range uint64(runs) {
		groups := twoKernels(4, 5, 0, 0.02, 100+seed)
		c := CompareGroups(groups, CompareOptions{}).find(t, "off")
		if c.Verdict == Improvement || c.Verdict == Regression {
			boots++
		}
		m, _ := LookupMetric("goodput")
		of := library{}.levelReading(m, "off", onScale)
		if p, _ := stat.Welch(stat.NewSample(groups[0].units(unitTrial, of)), stat.NewSample(groups[1].units(unitTrial, of))).P(0); p < 0.05 {
			trials++
		}
	}
	if most := within(0.05, runs); boots > most {
		t.Errorf("%d of %d comparisons found a difference, at most %d are allowed", boots, runs, most)
	}
	if trials < runs/4 {
		t.Errorf("trials as units are wrong %d times of %d only: the world is too tame to prove anything", trials, runs)
	}
}

// TestComparePercentilesAreMerged: of ten trials one is ten times as slow on one
// side and twenty times on the other. The median of all transactions is the same,
// the 99th percentile twice as long; of the trials' own percentiles the means
// would differ by 7 % each.
func TestComparePercentilesAreMerged(t *testing.T) {
	groups := []RunGroup{{Label: "old"}, {Label: "new"}}
	for side, slow := range []int64{2000, 4000} {
		for i := range int64(enoughRuns) {
			run := rrRun(1, 0, 20)
			run.Header.ID, run.Header.Machine.BootID = fmt.Sprint(side, i), "boot"
			for trial := range 10 {
				ns := 200 + 4*i
				if trial == 3 {
					ns = slow * (100 + 2*i) / 100
				}
				h := &results.Histogram{}
				for range 1000 {
					h.Add(ns)
				}
				run.Trials = append(run.Trials, results.Trial{Index: trial, Arms: []results.ArmTrial{{Latency: h}}})
			}
			groups[side].Runs = append(groups[side].Runs, run)
		}
	}
	changes := map[string]float64{}
	for _, c := range CompareGroups(groups, CompareOptions{}).Comparisons {
		changes[c.Metric] = c.Change
		if c.Metric == "latency_p99" && c.Units != unitRun {
			t.Errorf("units are %ss", c.Units)
		}
	}
	near(t, "p50", changes["latency_p50"], 0, 1e-9)
	near(t, "p99", changes["latency_p99"], 1, 0.02)
}

func TestCompareForce(t *testing.T) {
	a, b := twoRuns()
	b.Header.Machine.CPUModel = "other"
	groups := []RunGroup{{"a", []*results.Run{a}}, {"b", []*results.Run{b}}}
	if g := NewGate(CompareGroups(groups, CompareOptions{}), nil, gateDay); g.Outcome != NotComparable || !strings.Contains(g.Sentence, "cpu model (model; other)") {
		t.Errorf("%s: %q", g.Outcome, g.Sentence)
	}
	s := CompareGroups(groups, CompareOptions{Force: true, Known: steadyRuns})
	wantCodes(t, s, "forced")
	g := NewGate(s, nil, gateDay)
	if g.Outcome != Passed || len(g.Forced) != 1 || !strings.Contains(g.Sentence, "FORCED although they differ in cpu model") {
		t.Errorf("%s, forced %v: %q", g.Outcome, g.Forced, g.Sentence)
	}
}

// An arm whose effect is another on the other side is told from a level that
// is.
func TestCompareInteractions(t *testing.T) {
	var runs []*results.Run
	for i := range 5 {
		runs = append(runs, booted("6.18.0", fmt.Sprint("old", i), 0, 0.03, 0.05, 900+uint64(i)), booted("6.19.0", fmt.Sprint("new", i), 0, 0.03, -0.03, 950+uint64(i)))
	}
	groups, _ := GroupRuns(runs)
	s := CompareGroups(groups, CompareOptions{})
	if len(s.Interactions) != 1 || s.Interactions[0].Verdict != Regression || s.Interactions[0].Hi > math.Expm1(-0.06) || s.Interactions[0].Lo < math.Expm1(-0.10) {
		t.Errorf("%+v", s.Interactions)
	}
}

func TestGroupRuns(t *testing.T) {
	a, b, c := booted("6.18", "1", 0, 0, 0, 1), booted("6.18", "2", 0, 0, 0, 2), booted("6.19", "3", 0, 0, 0, 3)
	rebuilt := booted("6.18", "4", 0, 0, 0, 4)
	rebuilt.Header.Machine.KernelBuild = "#2"
	for _, tt := range []struct {
		runs []*results.Run
		want string
	}{
		{[]*results.Run{a, b}, "run: 6.18-1 x1, 6.18-2 x1"},
		{[]*results.Run{a, a}, "run: 6.18-1 x1, 6.18-1 (2) x1"},
		{[]*results.Run{a, c, b}, "kernel: 6.18 x2, 6.19 x1"},
		{[]*results.Run{a, rebuilt}, "kernel: 6.18 x1, 6.18 (2) x1"},
	} {
		groups, axis := GroupRuns(tt.runs)
		var parts []string
		for _, g := range groups {
			parts = append(parts, fmt.Sprintf("%s x%d", g.Label, len(g.Runs)))
		}
		if got := axis + ": " + strings.Join(parts, ", "); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}
