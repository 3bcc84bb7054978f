package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

// A trip is a simulated campaign of two kernels: so many boots of each, what the second
// kernel does to all arms (log), what boots scatter by, what arm1 does on each kernel, and
// which boots fail.
type trip struct {
	boots   [2]int
	shift   float64
	bootSD  float64
	effects [2]float64
	// effectSD is what a boot adds to the effect.
	effectSD float64
	fails    [2]int
	seed     uint64
	change   func(kernel int, run *results.Run)
}

func (t trip) campaign() *results.Campaign {
	c := &results.Campaign{Header: results.CampaignHeader{ID: "trip", Seed: t.seed,
		Kernels: []results.Kernel{{Ref: "apt:old", Release: "6.1.0", Digest: "a"}, {Ref: "apt:new", Release: "6.12.0", Digest: "b"}}}, End: &results.CampaignEnd{Reason: vocab.AllBooted}}
	rng := rand.New(rand.NewPCG(t.seed, 17))
	for kernel, release := range []string{"6.1.0", "6.12.0"} {
		shift := 0.0
		if kernel == 1 {
			shift = t.shift
		}
		for i := range t.boots[kernel] {
			n := len(c.Header.Planned)
			c.Header.Planned = append(c.Header.Planned, results.PlannedBoot{Number: n, Block: i, Kernel: kernel})
			b := results.Boot{Number: n, Attempt: 1, Kernel: kernel, End: vocab.Finished}
			if i < t.fails[kernel] {
				b.End, b.Text, b.Console = vocab.Panic, "it panicked", []string{"Kernel panic - not syncing: Fatal exception"}
				c.Boots = append(c.Boots, b)
				continue
			}
			b.Run = booted(release, fmt.Sprint("boot", n), shift, t.bootSD, t.effects[kernel]+t.effectSD*rng.NormFloat64(), t.seed*1000+uint64(n))
			b.Run.Header.ID = results.BootID("trip", n)
			if t.change != nil {
				t.change(kernel, b.Run)
			}
			c.Boots = append(c.Boots, b)
		}
	}
	return c
}

func (t trip) judge() Summary { return JudgeCampaign(t.campaign(), CompareOptions{}) }

// on is an arm's effect within a kernel.
func on(t *testing.T, s *Summary, kernel string) *Comparison {
	t.Helper()
	for i := range s.Campaign.Effects {
		if c := &s.Campaign.Effects[i]; c.ArmRun == kernel && c.Arm == "arm1" && c.Metric == "goodput" {
			return c
		}
	}
	t.Fatalf("no effect on %s: %+v", kernel, s.Campaign.Effects)
	return nil
}

// TestCampaignPlanted: 30 % less on one kernel, 5 boots of each, is found each time.
func TestCampaignPlanted(t *testing.T) {
	manyRuns(t)
	slower := math.Log(0.7)
	for seed := range uint64(25) {
		s := trip{boots: [2]int{5, 5}, shift: slower, bootSD: 0.05, effects: [2]float64{0.12, 0.12}, seed: seed}.judge()
		for _, arm := range []string{"off", "arm1"} {
			c := s.find(t, arm)
			if c.Verdict != Regression || c.Lo > -0.25 || c.Hi < -0.35 || c.Units != unitBoot || c.N != 10 {
				t.Errorf("seed %d, %s: %s, %v to %v, withheld %q", seed, arm, c.Verdict, c.Lo, c.Hi, c.Withheld)
			}
			if c.TrialsShare != 0 {
				t.Errorf("seed %d, %s: decided, and trials make %v of the scatter", seed, arm, c.TrialsShare)
			}
			if c.PPermutation == nil || math.Abs(*c.PPermutation-2.0/252) > 1e-12 {
				t.Errorf("seed %d, %s: by exchange %v", seed, arm, c.PPermutation)
			}
		}
		for _, kernel := range []string{"6.1.0", "6.12.0"} {
			if c := on(t, &s, kernel); c.Verdict != Improvement || c.N != 5 || c.DF != 4 || len(c.TrialEffects) != 5 {
				t.Errorf("seed %d, on %s: %s, %v to %v, n %d, df %v, withheld %q", seed, kernel, c.Verdict, c.Lo, c.Hi, c.N, c.DF, c.Withheld)
			}
		}
		if g := NewGate(s, nil, gateDay); g.Outcome != Worse {
			t.Errorf("seed %d: gate %s: %s", seed, g.Outcome, g.Sentence)
		}
		if seed == 0 {
			for _, want := range []string{"6.12.0 against 6.1.0: TCP goodput over loopback is ", "Arm1 against off: +1", " on 6.1.0 (", " on 6.12.0 ("} {
				if !strings.Contains(s.Answer, want) {
					t.Errorf("the answer %q lacks %q", s.Answer, want)
				}
			}
			wantCodes(t, s, "few-boots")
			if s.Run != "trip" || s.Campaign.Missing != 0 || s.Campaign.Kernels[1].Whole != 5 {
				t.Errorf("%+v", s.Campaign)
			}
		}
	}
}

// TestCampaignFindsNothing: of campaigns in which nothing differs, all that they judge
// taken together, 5 % find something at most: whether boots scatter little or much, in
// effects too.
func TestCampaignFindsNothing(t *testing.T) {
	manyRuns(t)
	const times = 60
	for _, w := range []struct {
		name string
		trip
	}{
		{"boots scatter by 2 %", trip{boots: [2]int{5, 5}, bootSD: 0.02}},
		{"boots are alike", trip{boots: [2]int{5, 5}}},
		{"effects scatter by boot", trip{boots: [2]int{5, 5}, bootSD: 0.02, effectSD: 0.02}},
		{"four and six", trip{boots: [2]int{4, 6}, bootSD: 0.02, effectSD: 0.01}},
	} {
		wrong := 0
		for seed := range uint64(times) {
			w.seed = 5000 + seed
			s := w.judge()
			for _, c := range slices.Concat(s.Comparisons, s.Campaign.Effects) {
				if c.Judged && (c.Verdict == Improvement || c.Verdict == Regression) {
					wrong++
					break
				}
			}
		}
		t.Logf("%s: %d of %d", w.name, wrong, times)
		if most := within(0.05, times); wrong > most {
			t.Errorf("%s: %d of %d campaigns find what is not there, at most %d may", w.name, wrong, times, most)
		}
	}
}

// TestCampaignLottery: boots that draw one of two modes for each arm, 20 % apart, do not
// make kernels different.
func TestCampaignLottery(t *testing.T) {
	manyRuns(t)
	const times = 40
	wrong := 0
	for seed := range uint64(times) {
		rng := rand.New(rand.NewPCG(seed, 23))
		w := trip{boots: [2]int{4, 4}, bootSD: 0.001, seed: 9000 + seed, change: func(_ int, r *results.Run) {
			factor := [2]float64{1, 1}
			for arm := range factor {
				factor[arm] -= 0.2 * float64(rng.IntN(2))
			}
			for i := range r.Trials {
				for k := range r.Trials[i].Slices {
					s := &r.Trials[i].Slices[k]
					s.RxBytes = int64(float64(s.RxBytes) * factor[s.Arm])
				}
			}
		}}
		s := w.judge()
		for _, c := range s.Comparisons {
			if c.Judged && (c.Verdict == Improvement || c.Verdict == Regression) {
				wrong++
				break
			}
		}
	}
	t.Logf("%d of %d", wrong, times)
	if most := within(0.05, times); wrong > most {
		t.Errorf("%d of %d campaigns find what boots drew, at most %d may", wrong, times, most)
	}
}

// TestCampaignTooFew: without boots enough there is no verdict, but how many it takes.
func TestCampaignTooFew(t *testing.T) {
	s := trip{boots: [2]int{3, 3}, shift: math.Log(0.7), bootSD: 0.05, effects: [2]float64{0.12, 0.12}, seed: 4}.judge()
	c := s.find(t, "off")
	if c.Verdict != Inconclusive || !strings.Contains(c.Withheld, "three boots of 6.1.0 and three boots of 6.12.0") || !strings.Contains(c.Withheld, "at least 4 boots of each") {
		t.Errorf("%s: %q", c.Verdict, c.Withheld)
	}
	if c.BootsForChange < 4 || c.BootsForChange > 12 || c.BootsForResolution < 10*c.BootsForChange {
		t.Errorf("%d boots for the change, %d for the resolution", c.BootsForChange, c.BootsForResolution)
	}
	if need := s.Campaign.Kernels[1].BootsNeeded; need != 4 {
		t.Errorf("%d boots are needed, want 4", need)
	}
	if c := on(t, &s, "6.1.0"); c.Verdict != Inconclusive || c.Withheld != "3 boots are fewer than the 4 that a verdict needs" || c.BootsForChange < 4 {
		t.Errorf("within: %s, %q, %d boots", c.Verdict, c.Withheld, c.BootsForChange)
	}
	if g := NewGate(s, nil, gateDay); g.Outcome != Undecided {
		t.Errorf("gate %s", g.Outcome)
	}
	// What boots scatter by is their own, or that of what was measured in each.
	if c.TrialsShare <= 0 || c.TrialsShare > 0.05 {
		t.Errorf("trials make %v of the scatter of boots", c.TrialsShare)
	}
	all := 0.0
	for seed := range uint64(10) {
		s := trip{boots: [2]int{3, 3}, seed: seed}.judge()
		all += s.find(t, "off").TrialsShare / 10
	}
	if all < 0.5 {
		t.Errorf("trials make %v of the scatter of boots that are alike", all)
	}
	// Enough for a verdict, and none: what would tell is said too.
	s = trip{boots: [2]int{5, 5}, shift: 0.01, bootSD: 0.05, seed: 4}.judge()
	if c := s.find(t, "off"); c.Verdict != Inconclusive || c.BootsForResolution < 20 || c.BootsForResolution > mostBoots || s.Campaign.Kernels[1].BootsNeeded != 0 {
		t.Errorf("%s, %d boots", c.Verdict, c.BootsForResolution)
	}
	// One boot of each tells nothing of boots.
	s = trip{boots: [2]int{1, 1}, shift: 0.01, seed: 4}.judge()
	if c := s.find(t, "off"); c.Verdict != Inconclusive || c.BootsForResolution != 0 {
		t.Errorf("one boot: %s, %d", c.Verdict, c.BootsForResolution)
	}
	if c := on(t, &s, "6.1.0"); c.Withheld != "one boot does not tell how boots scatter" || c.N != 1 || len(c.TrialEffects) != 1 || c.TrialEffects[0].Change != c.Change || c.SmallestDetectable != nil {
		t.Errorf("one boot: %q, n %d, %+v", c.Withheld, c.N, c.TrialEffects)
	}
	if want := " in the one boot of 6.1.0, which does not tell how boots scatter"; !strings.Contains(s.Answer, want) || strings.Contains(s.Answer, "undecided on") {
		t.Errorf("the answer %q lacks %q", s.Answer, want)
	}
}

// TestCampaignMore: who adds boots because of what was seen shares alpha between both looks.
func TestCampaignMore(t *testing.T) {
	c := trip{boots: [2]int{5, 5}, shift: -0.3, bootSD: 0.01, seed: 3}.campaign()
	alone := JudgeCampaign(c, CompareOptions{})
	c.More = []results.MoreBoots{{Seen: true}}
	s := JudgeCampaign(c, CompareOptions{})
	wantCodes(t, s, "boots-added")
	if math.Abs(s.Confidence-0.975) > 1e-12 || c.Boots[0].Run.Header.Design.Confidence != 0 && c.Boots[0].Run.Header.Design.Confidence > 0.96 {
		t.Errorf("confidence %v, of the run itself %v", s.Confidence, c.Boots[0].Run.Header.Design.Confidence)
	}
	a, b := alone.find(t, "off"), s.find(t, "off")
	if b.Verdict != Regression || b.Hi-b.Lo <= a.Hi-a.Lo {
		t.Errorf("%s, %v to %v; before %v to %v", b.Verdict, b.Lo, b.Hi, a.Lo, a.Hi)
	}
	c.More[0].Seen = false // planned longer before anything was shown
	if s := JudgeCampaign(c, CompareOptions{}); hasWarning(s.Warnings, codeBootsAdded) || s.Confidence != alone.Confidence {
		t.Errorf("%v", s.Warnings)
	}
}

// TestCampaignFailures: how often kernels fail is judged, and nothing passes by it.
func TestCampaignFailures(t *testing.T) {
	for _, tt := range []struct {
		boots, fails [2]int
		verdict      Verdict // of the failing
		gate         Outcome
		p            float64 // 0 = none
	}{
		{[2]int{6, 6}, [2]int{0, 0}, "", Passed, 0},
		{[2]int{6, 12}, [2]int{0, 6}, Inconclusive, Undecided, 0.1071},
		{[2]int{6, 7}, [2]int{0, 1}, Inconclusive, Undecided, 1},
		{[2]int{7, 7}, [2]int{1, 1}, "", Passed, 1},
		{[2]int{7, 6}, [2]int{1, 0}, "", Passed, 1},
		{[2]int{6, 6}, [2]int{0, 6}, Regression, Worse, 2.0 / 924},
		{[2]int{6, 6}, [2]int{6, 0}, "", Undecided, 2.0 / 924}, // nothing to compare with
		{[2]int{6, 6}, [2]int{6, 6}, "", NotMeasured, 1},
	} {
		s := trip{boots: tt.boots, fails: tt.fails, bootSD: 0.0005, seed: 6}.judge()
		side := s.Campaign.Kernels[1]
		if side.Verdict != tt.verdict || (side.P == nil) != (tt.p == 0) || side.P != nil && math.Abs(*side.P-tt.p) > 1e-3 {
			t.Errorf("%v of %v: %q, p %v, want %q, %v", tt.fails, tt.boots, side.Verdict, side.P, tt.verdict, tt.p)
		}
		g := NewGate(s, nil, gateDay)
		if g.Outcome != tt.gate {
			t.Errorf("%v of %v: gate %s, want %s: %s", tt.fails, tt.boots, g.Outcome, tt.gate, g.Sentence)
		}
		if n := tt.fails[0] + tt.fails[1]; len(s.Campaign.Failed) != n {
			t.Errorf("%v of %v: %d failed boots", tt.fails, tt.boots, len(s.Campaign.Failed))
		} else if n > 0 {
			wantCodes(t, s, "failed-boots")
			if b := s.Campaign.Failed[0]; b.End != vocab.Panic || len(b.Console) != 1 {
				t.Errorf("%+v", b)
			}
		}
		if tt.gate == Worse && !strings.Contains(g.Sentence, "REGRESSION: Kernel 6.12.0 failed in 6 of 6 boots (it panicked), 6.1.0 in 0 of 6") {
			t.Errorf("%q", g.Sentence)
		}
	}
}

// TestCampaignEmulated: times of emulated CPUs are labelled, and pass no gate unless
// somebody lets them.
func TestCampaignEmulated(t *testing.T) {
	w := trip{boots: [2]int{6, 6}, bootSD: 0.0005, seed: 6, change: func(_ int, r *results.Run) { r.Header.Machine.Emulated = results.Emulated }}
	s := w.judge()
	n := 0
	for _, x := range s.Warnings {
		if x.Code == NotHardware {
			n++
		}
	}
	if n != 1 || !NotHardware.Serious() {
		t.Errorf("%d warnings", n)
	}
	if g := NewGate(s, nil, gateDay); g.Outcome != Undecided || !strings.Contains(g.Sentence, "Not hardware time") {
		t.Errorf("%s: %s", g.Outcome, g.Sentence)
	}
	// A regression is one all the same; a single run is labelled too.
	w.shift = -0.3
	if g := NewGate(w.judge(), nil, gateDay); g.Outcome != Worse || !strings.Contains(g.Sentence, "NOT HARDWARE TIME") {
		t.Errorf("%s: %s", g.Outcome, g.Sentence)
	}
	wantCodes(t, Summarize(w.campaign().Boots[0].Run), "not-hardware-time")
}

// TestCampaignAxes: what the kernels and the scenario set is meant; all else is a
// confounder.
func TestCampaignAxes(t *testing.T) {
	s := trip{boots: [2]int{2, 2}, seed: 1, change: func(kernel int, r *results.Run) {
		m := &r.Header.Machine
		m.KernelCmdline, m.KernelBuild, m.IRQTime = fmt.Sprint("quiet k=", kernel), fmt.Sprint("#", kernel), [2]string{"no", "yes"}[kernel]
		m.Debug = [][]string{nil, {"KASAN"}}[kernel]
		m.Clocksource = [2]string{"tsc", "hpet"}[kernel]
		for i := range r.Header.Design.Arms {
			d := results.Description{"topology.kind": "loopback", "knobs.sysctl.x": fmt.Sprint(kernel), "traffic.size": fmt.Sprint(kernel)}
			if r.Header.ID == "trip/0" {
				d["placement.cpu"] = "3" // of one boot only: nobody meant it
			}
			r.Header.Design.Arms[i].Description = d
		}
	}}.judge()
	for _, tt := range []struct {
		name               string
		declared, blocking bool
	}{
		{"kernel", true, false}, {"kernel build", true, false}, {"kernel command line", true, false}, {"irq time accounting", true, false}, {"debug options", true, false},
		{"knobs of all arms: sysctl.x", true, false}, {"traffic of all arms: size", true, false},
		{"clocksource", false, false}, {"placement of all arms: cpu", false, true},
	} {
		i := slices.IndexFunc(s.Confounders, func(f Confounder) bool { return f.Name == tt.name })
		if i < 0 || s.Confounders[i].Declared != tt.declared || s.Confounders[i].Blocking != tt.blocking {
			t.Errorf("%s: %+v", tt.name, s.Confounders)
		}
	}
	if hasWarning(s.Warnings, codeAxisEqual) {
		t.Errorf("%v", s.Warnings)
	}
	c := trip{boots: [2]int{1, 1}, seed: 1}.campaign()
	c.Header.Kernels[1].Digest = "a"
	wantCodes(t, JudgeCampaign(c, CompareOptions{}), "axis-equal")
	c.Header.Kernels[1].Cmdline = "mitigations=off"
	c.Header.Kernels[0].Config, c.Header.Kernels[1].Config = map[string]string{"CONFIG_X": "y"}, map[string]string{}
	s = JudgeCampaign(c, CompareOptions{})
	if hasWarning(s.Warnings, codeAxisEqual) || len(s.Campaign.Config) != 2 || s.Campaign.Config[1].Name != "CONFIG_X" || s.Campaign.Config[1].Values[0] != "y" {
		t.Errorf("%v, %+v", s.Warnings, s.Campaign.Config)
	}
}

// TestCampaignArms: kernels that the scenario has as a factor, or in arms that it names.
func TestCampaignArms(t *testing.T) {
	factor := trip{boots: [2]int{2, 2}, seed: 1, change: func(kernel int, r *results.Run) {
		d := &r.Header.Design
		release := [2]string{"old", "new"}[kernel]
		d.Factors = []results.Factor{{Name: "kernel", Levels: []string{"old", "new"}}, {Name: "rps", Levels: []string{"off", "on"}}}
		d.Baseline = "kernel=old,rps=off"
		for i, rps := range []string{"off", "on"} {
			d.Arms[i].Name = fmt.Sprintf("kernel=%s,rps=%s", release, rps)
			d.Arms[i].Levels = []results.FactorLevel{{Factor: "kernel", Value: release}, {Factor: "rps", Value: rps}}
		}
	}}.judge()
	named := trip{boots: [2]int{2, 2}, seed: 1, change: func(kernel int, r *results.Run) {
		d := &r.Header.Design
		for i := range d.Arms {
			d.Arms[i].Name += [2]string{"-old", "-new"}[kernel]
			d.Arms[i].Description = results.Description{"arm": fmt.Sprint(i)}
		}
		d.Baseline = d.Arms[0].Name
	}}.judge()
	for _, tt := range []struct {
		s    Summary
		want []string
	}{{factor, []string{"rps=off", "rps=on"}}, {named, []string{"off-old", "arm1-old"}}} {
		var between, within []string
		for _, c := range tt.s.Comparisons {
			if c.Judged {
				between = append(between, c.Arm)
			}
		}
		for _, c := range tt.s.Campaign.Effects {
			within = append(within, fmt.Sprintf("%s against %s", c.Arm, c.Baseline))
		}
		effect := fmt.Sprintf("%s against %s", tt.want[1], tt.want[0])
		if !slices.Equal(between, tt.want) || !slices.Equal(within, []string{effect, effect}) {
			t.Errorf("between kernels %q, within %q, want %q", between, within, tt.want)
		}
		if hasWarning(tt.s.Warnings, ArmMissing) || len(tt.s.Blocking()) > 0 {
			t.Errorf("%v, %v", tt.s.Warnings, tt.s.Blocking())
		}
	}
}

// TestCampaignEnds: one that is not whole passes no gate, and says how it goes on.
func TestCampaignEnds(t *testing.T) {
	for _, tt := range []struct {
		end  *results.CampaignEnd
		code vocab.Code
		gate Outcome
	}{
		{&results.CampaignEnd{Reason: vocab.AllBooted}, "boots-missing", Passed},
		{&results.CampaignEnd{Reason: vocab.Interrupted}, "interrupted", Passed},
		{nil, "cut-off", Undecided},
		{&results.CampaignEnd{Reason: vocab.FailedBy(fmt.Errorf("no QEMU"))}, "failed", NotMeasured},
	} {
		c := trip{boots: [2]int{6, 6}, bootSD: 0.0005, seed: 6}.campaign()
		c.End = tt.end
		c.Header.Planned = append(c.Header.Planned, results.PlannedBoot{Number: 99})
		s := JudgeCampaign(c, CompareOptions{})
		wantCodes(t, s, tt.code)
		if g := NewGate(s, nil, gateDay); g.Outcome != tt.gate {
			t.Errorf("%v: gate %s, want %s: %s", tt.end, g.Outcome, tt.gate, g.Sentence)
		}
	}
}

func TestKernelLabels(t *testing.T) {
	for _, tt := range []struct {
		kernels []results.Kernel
		want    []string
	}{
		{[]results.Kernel{{Ref: "a", Release: "6.1"}, {Ref: "b", Release: "6.2"}}, []string{"6.1", "6.2"}},
		{[]results.Kernel{{Ref: "/x/old/bzImage", Release: "6.1"}, {Ref: "/x/patched.deb", Release: "6.1"}}, []string{"6.1 (bzImage)", "6.1 (patched.deb)"}},
		{[]results.Kernel{{Ref: "/x/a/bzImage", Release: "6.1"}, {Ref: "/x/b/bzImage", Release: "6.1"}}, []string{"6.1 (bzImage)", "6.1 (bzImage) (2)"}},
		{[]results.Kernel{{Ref: "6.1", Release: "6.1"}, {Ref: "6.1", Release: "6.1"}}, []string{"6.1", "6.1 (2)"}},
		{[]results.Kernel{{}}, []string{"unknown kernel"}},
	} {
		if got := kernelLabels(tt.kernels); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.kernels, got, tt.want)
		}
	}
}
