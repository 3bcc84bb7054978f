package analysis

import (
	"slices"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
)

// twoRuns are of one boot; the second's arms are 10 % faster.
func twoRuns() (a, b *results.Run) {
	a = plain.Run(plain.Design(0.02, time.Minute), 1, 12)
	b = plain.Run(plain.Design(0.02, time.Minute), 2, 12)
	a.Header.ID, b.Header.ID = "run-a", "run-b"
	for i := range b.Trials {
		for k := range b.Trials[i].Slices {
			s := &b.Trials[i].Slices[k]
			s.RxBytes += s.RxBytes / 10
		}
	}
	return a, b
}

func TestCompareSameBoot(t *testing.T) {
	s := Compare(twoRuns())
	for _, c := range s.Comparisons {
		if c.Metric != "goodput" {
			continue
		}
		if c.Verdict != Inconclusive || c.Withheld == "" || c.Lo > 0.10 || c.Hi < 0.10 {
			t.Errorf("%s: %s, %v to %v; want no verdict, and about 0.10", c.Arm, c.Verdict, c.Lo, c.Hi)
		}
		if c.BaselineRun != "run-a" || c.ArmRun != "run-b" {
			t.Errorf("runs %s and %s", c.BaselineRun, c.ArmRun)
		}
	}
	if len(s.Arms) != 4 || s.Arms[0].Run != "run-a" || s.Arms[3].Run != "run-b" {
		t.Errorf("arms %+v", s.Arms)
	}
	wantCodes(t, s, "not-interleaved")
	if !strings.HasPrefix(s.Answer, "Run run-b against run run-a: TCP goodput over loopback is ") {
		t.Errorf("answer %q", s.Answer)
	}
}

// steadyRuns is a calibration that says that runs hardly scatter, nor do boots as
// far as it knows.
func steadyRuns(results.Arm, string) (KnownSpread, bool) {
	return KnownSpread{Run: 0.002, RunDF: 19}, true
}

func TestCompareWithholds(t *testing.T) {
	for _, tt := range []struct {
		name     string
		change   func(b *results.Run)
		declared []string
		code     string
		verdict  Verdict
	}{
		{"another boot", func(b *results.Run) { b.Header.Machine.BootID = "boot-2" }, nil, "too-few-boots", Inconclusive},
		{"unknown boot", func(b *results.Run) { b.Header.Machine.BootID = "" }, nil, "too-few-boots", Inconclusive},
		{"another CPU", func(b *results.Run) { b.Header.Machine.CPUModel = "other" }, nil, "not-comparable", Inconclusive},
		{"another CPU, declared", func(b *results.Run) { b.Header.Machine.CPUModel = "other" }, []string{"cpu model"}, "runs-assumed", Improvement},
		{"other traffic", func(b *results.Run) { b.Header.Design.Arms[1].Message = 64 }, nil, "not-comparable", Inconclusive},
		{"debug kernel", func(b *results.Run) { b.Header.Machine.Debug = []string{"LOCKDEP"} }, nil, "not-comparable", Inconclusive},
		{"another netab", func(b *results.Run) { b.Header.Netab.Semantics = 2 }, nil, "not-comparable", Inconclusive},
		{"a netab that counts", func(b *results.Run) { b.Header.Netab.Semantics = 1 }, nil, "runs-assumed", Improvement},
		{"another scenario", func(b *results.Run) { b.Header.Design.Name = "other" }, nil, "not-comparable", Inconclusive},
		{"other CPUs, not described", func(b *results.Run) {
			b.Header.Scenario = []byte(`{"placement": {"mode": "same"}}`)
			b.Header.Design.Arms[0].Description = nil
		}, nil, "not-comparable", Inconclusive},
		{"another direction", described("traffic.direction", "reverse"), nil, "not-comparable", Inconclusive},
		{"another family", described("topology.family", "ipv6"), nil, "not-comparable", Inconclusive},
		{"another placement", described("placement.mode", "same"), nil, "not-comparable", Inconclusive},
		{"another direction, declared", described("traffic.direction", "reverse"), []string{"traffic.direction"}, "runs-assumed", Improvement},
		{"another knob", described("knobs.governor", "performance"), nil, "runs-assumed", Improvement},
		{"not described", described("", ""), nil, "runs-assumed", Improvement},
		{"virtual", func(b *results.Run) { b.Header.Machine.Virtualization = "kvm" }, nil, "not-comparable", Inconclusive},
		{"fewer CPUs", func(b *results.Run) { b.Header.Machine.CPUsOnline = "0" }, nil, "not-comparable", Inconclusive},
		{"a sysctl", func(b *results.Run) { b.Header.Machine.Sysctls = map[string]string{"net.core.rmem_max": "1"} }, nil, "runs-assumed", Improvement},
		{"an arm less", func(b *results.Run) { b.Header.Design.Arms = b.Header.Design.Arms[:1] }, nil, "arm-missing", Improvement},
	} {
		a, b := twoRuns()
		tt.change(b)
		s := CompareGroups([]RunGroup{{"run-a", []*results.Run{a}}, {"run-b", []*results.Run{b}}}, CompareOptions{Declared: tt.declared, Known: steadyRuns})
		wantCodes(t, s, vocab.Code(tt.code))
		if got := s.Comparisons[0].Verdict; got != tt.verdict {
			t.Errorf("%s: verdict %s, want %s", tt.name, got, tt.verdict)
		}
		if s.Converged != (tt.verdict != Inconclusive) {
			t.Errorf("%s: converged %v", tt.name, s.Converged)
		}
	}
}

// described changes one fact of the first arm's description; of the path "" all
// descriptions go, as in records that are older than they are.
func described(path, value string) func(*results.Run) {
	return func(r *results.Run) {
		if path != "" {
			r.Header.Design.Arms[0].Description[path] = value
			return
		}
		for i := range r.Header.Design.Arms {
			r.Header.Design.Arms[i].Description = nil
		}
	}
}

// Two builds of one release are what was meant to differ.
func TestAxisEqual(t *testing.T) {
	for _, tt := range []struct {
		name             string
		kernel, build, x string
		declared         []string
		want             bool
	}{
		{"two releases", "6.19.0", "", "", []string{"kernel", "kernel build"}, false},
		{"two builds", "6.18.0", "#2", "", []string{"kernel", "kernel build"}, false},
		{"two builds, as a person declares them", "6.18.0", "#2", "", []string{"kernel"}, false},
		{"one kernel", "6.18.0", "", "", []string{"kernel", "kernel build"}, true},
		{"two releases, another build meant", "6.19.0", "", "", []string{"kernel build"}, true},
		{"a fact", "6.18.0", "", "reverse", []string{"traffic.direction"}, false},
		{"no such fact", "6.18.0", "", "", []string{"traffic.direction"}, true},
	} {
		a, b := twoRuns()
		b.Header.Machine.Kernel, b.Header.Machine.KernelBuild = tt.kernel, tt.build
		if tt.x != "" {
			described("traffic.direction", tt.x)(b)
		}
		s := Compare(a, b, tt.declared...)
		got := slices.ContainsFunc(s.Warnings, func(w results.Warning) bool { return w.Code == "axis-equal" })
		if got != tt.want {
			t.Errorf("%s: warned %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Two runs of one boot and no difference: Welch's interval of trial levels must
// hold that, as long as trials are independent.
func TestCompareFindsNothing(t *testing.T) {
	manyRuns(t)
	const runs = 200
	different := 0
	d := plain.Design(0.01, time.Minute)
	for seed := range uint64(runs) {
		c := Compare(plain.Run(d, 2*seed, 8), plain.Run(d, 2*seed+1, 12)).find(t, "off")
		if c.Lo > 0 || c.Hi < 0 {
			different++
		}
	}
	if most := within(0.05, runs); different > most {
		t.Errorf("%d of %d comparisons found a difference, at most %d are allowed", different, runs, most)
	}
}

func TestCompareLittle(t *testing.T) {
	a, b := twoRuns()
	for _, tt := range []struct {
		name   string
		nA, nB int
		answer string
	}{
		{"one trial each", 1, 1, "cannot be told with off (two trials)"},
		{"none on one side", 0, 5, "cannot be told with off (five trials)"},
		{"none at all", 0, 0, "cannot be told with off (no trial)"},
	} {
		short, other := *a, *b
		short.Trials, other.Trials = a.Trials[:tt.nA], b.Trials[:tt.nB]
		s := Compare(&short, &other)
		c := s.find(t, "off")
		if c.P != nil || c.Verdict != Inconclusive || c.Change < -0.5 || c.Change > 0.5 || s.Converged {
			t.Errorf("%s: change %v, verdict %s, converged %v", tt.name, c.Change, c.Verdict, s.Converged)
		}
		if !strings.Contains(s.Answer, tt.answer) {
			t.Errorf("%s: answer %q lacks %q", tt.name, s.Answer, tt.answer)
		}
	}
}
