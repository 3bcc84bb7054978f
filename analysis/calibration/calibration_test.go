package calibration

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netab/analysis"
	"netab/analysis/report/export"
	"netab/results"
)

// synthetic makes a calibration of a machine whose scatter is known.
func synthetic(rng *rand.Rand, boots, runs, trials int, block, trial, run, boot float64) *results.Calibration {
	c := &results.Calibration{Metric: "goodput", Resolution: 0.01, Confidence: 0.95, Machine: results.Machine{Hostname: "h"}}
	for b := range boots {
		atBoot := boot * rng.NormFloat64()
		for r := range runs {
			share := []float64{0, 0.05}[r%2]
			truth := math.Log1p(-share)
			atRun := atBoot + run*rng.NormFloat64()
			var xs []float64
			for range trials {
				xs = append(xs, truth+atRun+math.Hypot(block, trial)*rng.NormFloat64())
			}
			mean, sd := Moments(xs)
			c.Runs = append(c.Runs, results.CalibrationRun{Boot: fmt.Sprint(b), Slowdown: share, Truth: -share, Change: math.Expm1(mean),
				Trials: trials, DurationS: 1.6 * float64(trials), Effect: mean, EffectSD: sd, WithinSD: block, Level: 20 + mean - truth, LevelSD: sd, Verdict: "equivalent"})
		}
	}
	return c
}

// The spreads that were put there are found again, in the mean over many
// calibrations, and nothing is found where there is nothing.
func TestSpreads(t *testing.T) {
	for _, want := range []Spread{
		{Block: 0.01, Trial: 0.02, Run: 0.015, Boot: 0.03},
		{Block: 0.01, Trial: 0.005},
		{Block: 0.01, Trial: 0, Run: 0.02},
	} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			var run, boot, trial float64
			rejected := 0
			const times = 300
			for range times {
				s := Effects(synthetic(rng, 5, 6, 10, want.Block, want.Trial, want.Run, want.Boot))
				run, boot, trial = run+s.Run*s.Run/times, boot+s.Boot*s.Boot/times, trial+(s.Trial*s.Trial+s.Block*s.Block)/times
				if s.RunP < 0.05 {
					rejected++
				}
				if s.TrialDF != 5*6*9 || s.RunDF != 5*5 || s.BootDF != 4 {
					t.Fatalf("degrees of freedom %+v", s)
				}
			}
			near := func(what string, got, want, slack float64) {
				if math.Abs(math.Sqrt(got)-want) > slack {
					t.Errorf("%s: %.4f, want %.4f", what, math.Sqrt(got), want)
				}
			}
			near("trial", trial, math.Hypot(want.Block, want.Trial), 0.001)
			near("run", run, want.Run, 0.003) // what is below 0 counts as 0, so that none is never quite none
			near("boot", boot, want.Boot, 0.006)
			if want.Run == 0 && rejected > times/10 {
				t.Errorf("%d of %d times runs were said to scatter", rejected, times)
			}
			if want.Run > 0 && rejected < times*9/10 {
				t.Errorf("only %d of %d times runs were said to scatter", rejected, times)
			}
		})
	}
}

func TestSpreadOfLittle(t *testing.T) {
	one := synthetic(rand.New(rand.NewPCG(1, 1)), 1, 1, 10, 0.01, 0, 0, 0)
	if s := Levels(one); s.RunDF != 0 || s.Run != 0 || s.TrialDF != 9 {
		t.Errorf("one run: %+v", s)
	}
	if s := Effects(&results.Calibration{}); s != (Spread{}) {
		t.Errorf("nothing: %+v", s)
	}
	stolen := synthetic(rand.New(rand.NewPCG(1, 1)), 1, 6, 10, 0.01, 0, 0, 0)
	want := Effects(stolen)
	stolen.Runs = append(stolen.Runs, results.CalibrationRun{Boot: "0", Trials: 10, Effect: 1, EffectSD: 1, Warnings: []string{"cpu-steal"}})
	if s := Effects(stolen); s != want {
		t.Errorf("with a run whose CPU was stolen: %+v, without %+v", s, want)
	}
	one.Runs[0].Trials = 1
	if s := Effects(one); s != (Spread{}) {
		t.Errorf("one trial: %+v", s)
	}
}

func TestCurve(t *testing.T) {
	c := &results.Calibration{}
	add := func(share, truth, change, lo, hi float64, verdict analysis.Verdict, s float64) {
		c.Runs = append(c.Runs, results.CalibrationRun{Slowdown: share, Truth: truth, Change: change, Lo: lo, Hi: hi, Verdict: string(verdict), DurationS: s})
	}
	add(0.03, -0.03, -0.031, -0.035, -0.027, analysis.Regression, 9)
	add(0, 0, 0.001, -0.002, 0.004, analysis.Equivalent, 15)
	add(0, 0, -0.02, -0.03, -0.01, analysis.Regression, 12)
	add(0.03, -0.029, 0.02, 0.01, 0.03, analysis.Improvement, 11)
	add(0.03, -0.031, -0.01, -0.04, 0.02, analysis.Inconclusive, 15)
	got := Curve(c)
	want := []Point{
		{Slowdown: 0, Runs: 2, Lower: 1, Same: 1, Covered: 1, Change: -0.0095, Scatter: 1.4826 * 0.0105, MedianS: 12, P90S: 15},
		{Slowdown: 0.03, Truth: -0.03, Runs: 3, Lower: 1, Higher: 1, Open: 1, Covered: 2, Change: -0.01, Scatter: 1.4826 * 0.021, MedianS: 11, P90S: 15},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("curve (-want +got):\n%s", diff)
	}
	// The bounds of a binomial count of 5 %, and one that is broken.
	for n, want := range map[int]int{60: 8, 1: 0, 5: 1, 20: 3, 100: 11, 400: 33} {
		if got := MostFalse(n); got != want {
			t.Errorf("at most %d false of %d, want %d", got, n, want)
		}
	}
	fine := Point{Slowdown: 0.02, Runs: 30, Lower: 30}
	if broken := (&Page{Curve: []Point{{Runs: 20, Lower: 2, Higher: 1}, fine}}).Broken(); len(broken) != 0 {
		t.Errorf("broken: %q", broken)
	}
	if broken := (&Page{Curve: []Point{{Runs: 20, Lower: 2, Higher: 2}, fine}}).Broken(); len(broken) != 1 || !strings.Contains(broken[0], "slowed down by 0 %: 4 of 20") {
		t.Errorf("broken: %q", broken)
	}
	if got[0].False() != 1 || got[1].False() != 1 {
		t.Errorf("false verdicts: %d, %d", got[0].False(), got[1].False())
	}
}

// welchSamples against the figures of Cohen's tables (1988, table 2.4.1: two
// samples, two-sided 5 %, power 90 %): d 0.2 wants 526 a group, 0.5 85, 0.8 34,
// 1.0 22, 1.4 12.
func TestWelchSamples(t *testing.T) {
	for d, want := range map[float64]int{0.5: 85, 0.8: 34, 1: 22, 1.4: 12} {
		if got := welchSamples(1, d); got < want-1 || got > want+1 {
			t.Errorf("d %g: %d samples, want %d", d, got, want)
		}
	}
	if got := welchSamples(1, 0.2); got < 520 || got > 540 {
		t.Errorf("d 0.2: %d samples, want 526", got)
	}
}

// The predicted numbers of samples and trials do what is said of them.
func TestPowerIsWhatItSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	const sd, delta, times = 0.04, 0.02, 2000
	n := 10
	want := found(n, sd, delta, alpha)
	hits := 0
	for range times {
		var xs []float64
		for range n {
			xs = append(xs, delta+sd*rng.NormFloat64())
		}
		mean, s := Moments(xs)
		if mean/(s/math.Sqrt(float64(n))) > 2.262157 { // t at 9 df, two-sided 5 %
			hits++
		}
	}
	got := float64(hits) / times
	if math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/times) {
		t.Errorf("power %.3f, said to be %.3f", got, want)
	}
}

func TestContest(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	c := synthetic(rng, 1, 20, 9, 0.003, 0.004, 0, 0)
	c.Samples = &results.WholeTrials{Slowdown: 0.05, Truth: -0.05, SampleS: 2, WallS: 2.1}
	for range 40 {
		c.Samples.Off = append(c.Samples.Off, math.Exp(20+0.03*rng.NormFloat64()))
		c.Samples.Slower = append(c.Samples.Slower, math.Exp(20+math.Log1p(-0.05)+0.03*rng.NormFloat64()))
	}
	looks := analysis.Looks(design(c), seconds(TrialS(c)))
	x, ok := Compare(c, -0.02, looks)
	if !ok || !x.Agree || x.Trials != 8 || math.Abs(x.SampleSD-0.03) > 0.007 || math.Abs(x.TrialSD-0.005) > 0.001 {
		t.Fatalf("%v %+v", ok, x)
	}
	if want := 2 * float64(welchSamples(x.SampleSD, -math.Log1p(-0.02))) * 2.1; x.WallS != want {
		t.Errorf("wall %v, want %v", x.WallS, want)
	}
	// By hand: var 2·sd² of a pair of samples in 2·2.1 s against that of a trial in 1.6 s.
	if want := math.Sqrt(2 * x.SampleSD * x.SampleSD * 4.2 / (x.TrialSD * x.TrialSD * 1.6)); math.Abs(x.SERatio-want) > 1e-9 {
		t.Errorf("ratio %v, want %v", x.SERatio, want)
	}
	for i := range c.Samples.Slower {
		c.Samples.Slower[i] *= 1.1
	}
	if x, _ := Compare(c, -0.02, looks); x.Agree {
		t.Errorf("10 %% apart, and said to agree: %+v", x)
	}
	if _, ok := Compare(&results.Calibration{}, -0.02, nil); ok {
		t.Error("a contest without samples")
	}
}

func TestOfAndAbout(t *testing.T) {
	here := results.Machine{Hostname: "a", CPUModel: "m", Virtualization: "kvm", CPUsOnline: "0-1", Kernel: "6.18"}
	other := here
	other.CPUModel = "n"
	older := here
	older.Kernel = "6.12"
	udp := results.Arm{Name: "off", Protocol: "udp", Topology: "loopback", Message: 1472, Flows: 1}
	all := []results.Calibration{{Machine: here, Metric: "goodput", Arm: udp, Scenario: "x"}, {Machine: other, Metric: "goodput", Arm: udp}, {Machine: older, Metric: "loss", Arm: udp}}
	of := Of(all, &here)
	if len(of) != 2 || of[0] != &all[0] || of[1] != &all[2] {
		t.Fatalf("of this machine: %v", of)
	}
	elsewhere := here
	elsewhere.Hostname = "b"
	if of := Of(all, &here, &elsewhere); len(of) != 0 {
		t.Errorf("of this machine and another: %v", of)
	}
	same := udp
	same.Kind, same.Name = "stream", "sink"
	if got := About(of, same, "goodput"); len(got) != 1 || got[0] != &all[0] {
		t.Errorf("about the same traffic: %v", got)
	}
	same.Message = 64
	if got := About(of, same, "goodput"); len(got) != 0 {
		t.Errorf("about other traffic: %v", got)
	}
}

// What is not known equals nothing, unless it is the same machine for certain.
func TestOfUnknownCPU(t *testing.T) {
	old := results.Machine{Hostname: "a", CPUsOnline: "0-1"}
	known := results.Machine{Hostname: "a", MachineID: "1", CPUsOnline: "0-1"}
	tonight := known
	tonight.Hostname = "b"
	all := []results.Calibration{{Machine: old}, {Machine: known}}
	for _, tt := range []struct {
		name string
		m    *results.Machine
		want int
	}{{"an old record", &old, 0}, {"known by its id", &known, 1}, {"under another hostname", &tonight, 1}} {
		if got := Of(all, tt.m); len(got) != tt.want {
			t.Errorf("%s: %d calibrations, want %d", tt.name, len(got), tt.want)
		}
	}
}

func TestPage(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	c := synthetic(rng, 1, 8, 9, 0.003, 0.004, 0, 0)
	c.Started, c.Ended = time.Unix(0, 0).UTC(), time.Unix(600, 0).UTC()
	c.Scenario, c.MaxTimeS = "slowdown", 15
	c.Arm = results.Arm{Protocol: "udp", Topology: "loopback", Message: 1472, Flows: 1}
	p := NewPage(c)
	var text, markdown bytes.Buffer
	if err := export.Text(&text, p.View(), export.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := export.Markdown(&markdown, p.View(), export.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0 %", "5 %", "one boot only", "resolution"} {
		if !strings.Contains(text.String(), want) || !strings.Contains(markdown.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(text.String()+markdown.String(), bad) {
			t.Errorf("%s in\n%s", bad, text.String())
		}
	}
}

// Where every run was disturbed, nothing is known of the scatter of trials: no
// contest is won by that.
func TestContestOfDisturbedRuns(t *testing.T) {
	c := synthetic(rand.New(rand.NewPCG(7, 7)), 1, 8, 9, 0.003, 0.004, 0, 0)
	for i := range c.Runs {
		c.Runs[i].Warnings = append(c.Runs[i].Warnings, TooDisturbed)
	}
	c.Samples = &results.WholeTrials{Slowdown: 0.05, Off: []float64{1, 1.1, 0.9}, Slower: []float64{0.9, 1, 0.8}, SampleS: 2, WallS: 3}
	if x, ok := Compare(c, 0.02, nil); ok {
		t.Errorf("a contest: %+v", x)
	}
	var text bytes.Buffer
	if err := export.Text(&text, NewPage(c).View(), export.Options{}); err != nil || strings.Contains(text.String(), "Inf") || strings.Contains(text.String(), "NaN") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// A calibration knows arms that were asked the same: by their descriptions, whose
// knobs do not matter, and by a few words where there are none.
func TestAbout(t *testing.T) {
	arm := func(facts ...string) results.Arm {
		a := results.Arm{Name: "off", Protocol: "tcp", Message: 1, Flows: 1, Topology: "loopback", Description: results.Description{"traffic.kind": "rr"}}
		for i := 0; i < len(facts); i += 2 {
			a.Description[facts[i]] = facts[i+1]
		}
		return a
	}
	older := arm()
	older.Description = nil
	otherOlder := older
	otherOlder.Message = 64
	for _, tt := range []struct {
		name              string
		calibrated, asked results.Arm
		want              bool
	}{
		{"the same", arm(), arm(), true},
		{"another direction", arm(), arm("traffic.direction", "reverse"), false},
		{"another placement", arm(), arm("placement.mode", "same"), false},
		{"another MTU", arm(), arm("topology.mtu", "9000"), false},
		{"another knob", arm(), arm("knobs.governor", "performance"), true},
		{"an older calibration", older, arm("traffic.direction", "reverse"), true},
		{"an older calibration of other traffic", otherOlder, arm(), false},
	} {
		cs := []*results.Calibration{{Arm: tt.calibrated, Metric: "goodput"}}
		if got := len(About(cs, tt.asked, "goodput")) == 1; got != tt.want {
			t.Errorf("%s: known %v", tt.name, got)
		}
		if len(About(cs, tt.asked, "loss")) > 0 {
			t.Errorf("%s: of another metric", tt.name)
		}
	}
}

// What runs scatter by over hours counts, where it was measured.
func TestKnownPrefersSpread(t *testing.T) {
	of := func(spread, runs float64) *results.Calibration {
		c := &results.Calibration{Metric: "goodput", SpreadS: spread, Arm: results.Arm{Protocol: "tcp"}}
		for i := range 8 {
			c.Runs = append(c.Runs, results.CalibrationRun{Boot: "b", Trials: 10, Level: runs * float64(i%2), LevelSD: 0.001})
		}
		return c
	}
	quarter, day := of(0, 0.01), of(86400, 0.05)
	for _, tt := range []struct {
		cs   []*results.Calibration
		want float64
	}{{[]*results.Calibration{quarter}, 0.01}, {[]*results.Calibration{quarter, day}, 0.05}} {
		k, ok := Known(tt.cs)(results.Arm{Protocol: "tcp"}, "goodput")
		if want := tt.want * math.Sqrt(2.0/7); !ok || math.Abs(k.Run-want) > 0.001 || k.RunDF != 7 {
			t.Errorf("%+v, want %v", k, want)
		}
	}
}
