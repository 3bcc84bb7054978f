package analysis

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/analysis/record"
	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

// spoil makes a small sound run and lets a test change it.
func spoil(change func(*results.Run)) Summary {
	run := plain.Run(plain.Design(0.01, time.Minute), 3, 9)
	change(run)
	return Summarize(run)
}

func each(change func(*results.Trial)) func(*results.Run) {
	return func(run *results.Run) {
		for i := range run.Trials {
			change(&run.Trials[i])
		}
	}
}

func TestSoundRunHasNoWarnings(t *testing.T) {
	s := spoil(each(func(*results.Trial) {}))
	for _, w := range s.Warnings {
		if w.Code != "not-converged" {
			t.Errorf("unasked warning: %v", w)
		}
	}
}

// TestSaidOnce: what the checks before a run foresaw and the run then measured is
// one warning, the measured one; what only they can know stays.
func TestSaidOnce(t *testing.T) {
	s := spoil(func(r *results.Run) {
		r.Header.Machine.Debug, r.Header.Machine.CPUQuota = []string{"KASAN"}, 1.5
		for _, code := range []vocab.Code{"cpu-steal", "debug-kernel", "cpu-quota", "busy-machine", "governor"} {
			r.Header.Warnings = append(r.Header.Warnings, results.Warning{Code: code, Text: "before the run"})
		}
		for i := range r.Trials {
			r.Trials[i].Host.StealNS, r.Trials[i].Host.ThrottledNS = r.Trials[i].RunNS/10, 1e6
		}
	})
	got := map[vocab.Code][]string{}
	for _, w := range s.Warnings {
		got[w.Code] = append(got[w.Code], w.Text)
	}
	for _, code := range []vocab.Code{"cpu-steal", "debug-kernel", "cpu-throttled"} {
		if len(got[code]) != 1 || got[code][0] == "before the run" {
			t.Errorf("%s: %q, want the measured one alone", code, got[code])
		}
	}
	for _, code := range []string{"busy-machine", "governor"} {
		if len(got[vocab.Code(code)]) != 1 {
			t.Errorf("%s: %q", code, got[vocab.Code(code)])
		}
	}
	if got["cpu-quota"] != nil {
		t.Errorf("the quota is said twice: %q", s.Warnings)
	}
	quiet := spoil(func(r *results.Run) {
		r.Header.Warnings = []results.Warning{{Code: "cpu-steal", Text: "stolen before the run"}, {Code: "cpu-quota", Text: "1.5 CPUs"}}
	})
	for _, w := range quiet.Warnings {
		if w.Code == "cpu-steal" {
			t.Errorf("nothing was stolen while slices ran: %v", w)
		}
	}
	if !slices.ContainsFunc(quiet.Warnings, func(w results.Warning) bool { return w.Code == "cpu-quota" }) {
		t.Errorf("a quota that was not used up is not said: %v", quiet.Warnings)
	}
}

func TestConditions(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*results.Run)
		code  string
		text  string
	}{
		{"steal of two CPUs", each(func(t *results.Trial) { t.Host.StealNS = t.RunNS / 10 }), "cpu-steal", "5.0 %"},
		{"throttled", func(r *results.Run) {
			r.Header.Machine.CPUQuota = 1.5
			r.Trials[2].Host.ThrottledNS, r.Trials[5].Host.ThrottledNS = 40e6, 20e6
		}, "cpu-throttled", "its control group's quota of 1.5 CPUs and was kept from CPUs for 60 ms (summed over CPUs) in 2 of 9 trials"},
		{"throttled by a quota that is not known", each(func(t *results.Trial) { t.Host.ThrottledNS = 5e6 }), "cpu-throttled", "45 ms (summed over CPUs) in 9 of 9 trials"},
		{"foreign", each(func(t *results.Trial) { t.Host.ForeignNS = t.RunNS / 10 }), "foreign-cpu", "10.0 % of a CPU"},
		{"own", each(func(t *results.Trial) { t.Host.OwnNS = t.RunNS / 50 }), "own-cpu", "2.0 %"},
		{"frequency", func(r *results.Run) {
			for i := range r.Trials {
				r.Trials[i].Host.CPUs = []results.CPUDelta{{CPU: 1, MHz: 2000 + 100*float64(i)}}
			}
		}, "frequency", "CPU 1 ran between 2000 and 2800 MHz"},
		{"strayed", func(r *results.Run) { r.Trials[4].Arms[1].Sink.CPUs = map[int]int{0: 2, 1: 5} }, "not-pinned",
			"arm1: the sink was seen on CPU 0 but is pinned to [1] (in 1 of 9 trials)"},
		{"read back", each(func(t *results.Trial) {
			t.Arms[1].Knobs = []results.Setting{{Knob: "sysctl net.core.x", Asked: "2", After: "1"}}
		}), "setting-differs", `set to "2" but reads back "1" (in 9 of 9 trials)`},
		{"ledger", each(func(t *results.Trial) { t.Arms[0].Ledger = results.Ledger{Valid: true, Sent: 1000, Unexplained: 4} }), "ledger-unexplained", "off: 0.40 %"},
		{"debug kernel", func(r *results.Run) { r.Header.Machine.Debug = []string{"KASAN"} }, "debug-kernel", "KASAN"},
		{"same warning in trials", each(func(t *results.Trial) { t.Warnings = []results.Warning{{Code: "x", Text: "y"}} }), "x", "y (in 9 of 9 trials)"},
		{"figures differ", func(r *results.Run) {
			r.Trials[1].Warnings = []results.Warning{{Code: "x", Text: "took 12 ms"}}
			r.Trials[2].Warnings = []results.Warning{{Code: "x", Text: "took 13.5 ms"}}
		}, "x", "took 12 ms (in 2 of 9 trials; figures of the first)"},
		{"header", func(r *results.Run) { r.Header.Warnings = []results.Warning{{Code: "h", Text: "load"}} }, "h", "load"},
		{"truncated", func(r *results.Run) { r.ReadWarnings = []results.Warning{{Code: "t", Text: "cut"}} }, "t", "cut"},
		{"note", func(r *results.Run) { r.Header.Design.Arms[1].Notes = []string{"copies"} }, "arm-note", "arm1: copies"},
		{"note of both", func(r *results.Run) {
			r.Header.Design.Arms[0].Notes, r.Header.Design.Arms[1].Notes = []string{"copies"}, []string{"copies"}
		}, "arm-note", "off and 1 more arm: copies"},
		{"interrupted", func(r *results.Run) { r.End.Reason = "interrupted" }, "interrupted", ""},
		{"failed", func(r *results.Run) { r.End.Reason = "failed: no namespace" }, "failed", "no namespace"},
		{"restore", func(r *results.Run) { r.End.RestoreErrors = []string{"governor"} }, "restore-failed", "governor"},
		{"invalid slice", func(r *results.Run) { r.Trials[0].Slices[3].Invalid = "stalled" }, "invalid-slices", "1 of 180 slices are not counted; first reason: stalled"},
		{"idle roles", each(func(t *results.Trial) {
			for i := range t.Slices {
				t.Slices[i].SourceCPU /= 2
			}
		}), "source-not-saturated", "source busy 50 %"},
		{"outlier", func(r *results.Run) {
			for i := range r.Trials[5].Slices {
				if s := &r.Trials[5].Slices[i]; s.Arm == 1 {
					s.RxBytes *= 3
				}
			}
		}, "outliers", "goodput of arm1: far from the others (kept all the same): trial 5"},
	} {
		s := spoil(tt.spoil)
		found := false
		for _, w := range s.Warnings {
			found = found || w.Code == vocab.Code(tt.code) && strings.Contains(w.Text, tt.text)
		}
		if !found {
			t.Errorf("%s: no warning %s with %q among %v", tt.name, tt.code, tt.text, s.Warnings)
		}
	}
}

func TestWorldsEarnTheirWarnings(t *testing.T) {
	for _, tt := range []struct {
		name string
		w    world.World
		code string
	}{
		{"trial effects", with(func(w *world.World) { w.Trial = 0.05 }), "heterogeneous"},
		{"modes", with(func(w *world.World) { w.Modes = []float64{-0.08, 0.08} }), "modes"},
	} {
		s := Summarize(tt.w.Run(tt.w.Design(0.01, time.Minute), 5, 20))
		if !hasCode(s, vocab.Code(tt.code)) {
			t.Errorf("%s: no warning %s among %v", tt.name, tt.code, s.Warnings)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, tt := range []struct {
		source, sink, loss float64
		want               string
	}{
		{0.99, 0.6, math.NaN(), "source"},
		{0.6, 0.95, math.NaN(), "sink"},
		{0.99, 0.98, 0, "both"},
		{0.5, 0.5, 0, "neither"},
		{0.99, 0.6, 0.2, "sink"},
		{0.99, 0.6, -0.2, "source"}, // more received than sent at a slice's edge
	} {
		if got := limitText(tt.source, tt.sink, tt.loss); got.Role != tt.want {
			t.Errorf("source %v, sink %v, loss %v: %s, want %s", tt.source, tt.sink, tt.loss, got.Role, tt.want)
		}
	}
}

func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		name      string
		role      results.RoleDelta
		cpu, wait int64
		want      float64
	}{
		{"one thread", results.RoleDelta{Threads: 1, Pinned: []int{0}}, 60, 5, 0.65},
		{"eight threads on one CPU", results.RoleDelta{Threads: 8, Pinned: []int{0, 0}}, 95, 600, 0.95},
		{"eight threads on two", results.RoleDelta{Threads: 8, Pinned: []int{0, 1}}, 95, 0, 0.475},
		{"sharing a CPU with the other role", results.RoleDelta{Threads: 1, Pinned: []int{0}}, 50, 48, 0.98},
		{"free", results.RoleDelta{Threads: 4}, 100, 20, 0.3},
		{"a wait booked late", results.RoleDelta{Threads: 1, Pinned: []int{0}}, 90, 80, 1},
	} {
		near(t, tt.name, load{}.plus(tt.role, tt.cpu, tt.wait, 100).share(), tt.want, 1e-12)
	}
}

// TestRateOfFewMessages: where a trial counts ten messages, one or two fewer are
// chance, and a third fewer is not; where it counts many, half a per cent is not.
func TestRateOfFewMessages(t *testing.T) {
	for _, tc := range []struct {
		rate    float64
		counted int64 // a trial
		want    string
	}{
		{10, 10, ""}, {10, 9, ""}, {10, 11, ""}, {10, 7, "rate-not-achieved"}, {10, 13, "rate-exceeded"},
		{10_000, 9_960, ""}, {10_000, 9_900, "rate-not-achieved"}, {10_000, 10_100, "rate-exceeded"},
	} {
		run := spoiled(12, func(_ int, trial *results.Trial) {
			for k := range trial.Slices {
				s := &trial.Slices[k]
				if s.CountedNS, s.TxMsgs = 0, 0; s.Block == 0 {
					s.CountedNS, s.TxMsgs = 1e9, tc.counted
				}
			}
		})
		d := run.Header.Design
		d.Arms = d.Arms[:1]
		d.Arms[0].Rate = tc.rate
		got := ""
		for _, w := range rates(record.Of(d, run.Trials)) {
			got += string(w.Code)
		}
		if got != tc.want {
			t.Errorf("%d messages a trial at %g/s: %q, want %q", tc.counted, tc.rate, got, tc.want)
		}
	}
}
