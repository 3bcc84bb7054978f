package analysis

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/analysis/record"
	"netab/results"
)

// TestAdvice: what was seen decides what is advised, and what the run says it is
// worth; a sound run gets none.
func TestAdvice(t *testing.T) {
	p := 0.01
	near := func(lo, hi float64) *Modes {
		return &Modes{Kind: "state", Groups: []Mode{{Label: "near", Share: 0.77, Lo: lo, Hi: hi}, {Label: "far", Share: 0.23, Lo: -0.1, Hi: 0}}}
	}
	states := func(canary string, a, b float64) []State {
		return []State{{Name: "near", Share: 0.77, Canaries: map[string]float64{canary: a}}, {Name: "far", Share: 0.23, Canaries: map[string]float64{canary: b}}}
	}
	compared := func(c Comparison) []Comparison {
		c.Arm, c.Metric, c.Judged, c.P = "sink", "goodput", true, &p
		return []Comparison{c}
	}
	trials := func(change func(i int, t *results.Trial)) []results.Trial {
		var out []results.Trial
		for i := range 8 {
			tr := results.Trial{RunNS: 1e9, Arms: []results.ArmTrial{{Source: results.RoleDelta{Threads: 1, Pinned: []int{0}}, Sink: results.RoleDelta{Threads: 1, Pinned: []int{1}}}},
				Slices: []results.Slice{{CountedNS: 1e9, Counts: results.Counts{RxBytes: 1e9}}}, Host: results.HostDelta{CPUs: []results.CPUDelta{{}}}}
			change(i, &tr)
			out = append(out, tr)
		}
		return out
	}
	sound := func(int, *results.Trial) {}
	guest, bare := results.Machine{Virtualization: "kvm", CPUs: 4}, results.Machine{Virtualization: "none", CPUs: 4, Governor: "performance"}
	for _, tc := range []struct {
		name    string
		machine results.Machine
		trials  []results.Trial
		s       Summary
		want    []Advice
	}{
		{"sound", guest, trials(sound), Summary{}, nil},
		{"no trials", guest, nil, Summary{States: states("distance_ns", 80, 350)}, nil},
		{"moved guest", guest, trials(sound), Summary{States: states("distance_ns", 80, 350), Comparisons: compared(Comparison{Lo: -0.02, Hi: 0.036, Modes: near(0.042, 0.054)})},
			[]Advice{{"states", "the host moves this guest's virtual CPUs: pin them to cores that share a last-level cache (virsh vcpupin, taskset of the hypervisor's vCPU threads), or take a machine of its own",
				"within near alone (77.0 % of the slices) the error of sink falls from 2.8 % to 0.60 %"}}},
		{"no gain", guest, trials(sound), Summary{States: states("distance_ns", 80, 350), Comparisons: compared(Comparison{Lo: 0.041, Hi: 0.054, Modes: near(0.042, 0.054)})},
			[]Advice{{"states", "the host moves this guest's virtual CPUs: pin them to cores that share a last-level cache (virsh vcpupin, taskset of the hypervisor's vCPU threads), or take a machine of its own", ""}}},
		{"slow at times", bare, trials(sound), Summary{States: states("source_step_ns", 1, 2)},
			[]Advice{{"states", "the roles' CPUs change their speed: fix the frequency: turn turbo off (intel_pstate/no_turbo, cpufreq/boost), and see to the cooling", ""}}},
		{"rarely elsewhere", guest, trials(sound), Summary{States: []State{{Name: "near", Share: 0.99}, {Name: "far", Share: 0.01}}}, nil},
		{"a service", bare, trials(func(i int, t *results.Trial) {
			t.Host.ForeignNS, t.Host.ForeignTop = 2e7, []results.ForeignUse{{Name: "collector", NS: 2e7}} // in quiet trials
			if i > 5 {
				t.Host.ForeignNS, t.Host.ForeignTop = 5e8, []results.ForeignUse{{Name: "updatedb", NS: 4e8}, {Name: "sshd", NS: 1e6}, {Name: "kworker/0:1", NS: 5e7, Kernel: true}}
			}
		}), Summary{Disturbed: 2, Comparisons: compared(Comparison{Lo: 0.01, Hi: 0.03, AllTrials: &Estimate{Lo: -0.03, Hi: 0.05}})},
			[]Advice{{"foreign-cpu", "stop what else runs while netab measures: updatedb (40.0 % of a CPU)", "with the 2 disturbed trials left out the error of sink falls from 4.0 % to 1.0 %"}}},
		{"nameless", bare, trials(func(i int, t *results.Trial) { t.Host.ForeignNS = 5e8 }), Summary{}, nil}, // of older records
		{"steal and quota", guest, trials(func(i int, t *results.Trial) { t.Host.StealNS, t.Host.ThrottledNS = 1e8, 1e6 }), Summary{},
			[]Advice{{"cpu-steal", "others use the host's CPUs: take a guest whose virtual CPUs have cores of their own (dedicated CPUs, vcpupin), or leave some of the host's cores free", ""},
				{"cpu-throttled", "run netab outside of a CPU quota (cpu.max, docker --cpus, resources.limits.cpu)", ""}}},
		{"governor", results.Machine{CPUs: 4, Governor: "powersave"}, trials(func(i int, t *results.Trial) {
			t.Host.CPUs[0].MHz = 2000 * float64(8+i) / 8
			t.Slices[0].RxBytes = int64(1e9 * t.Host.CPUs[0].MHz / 2000)
		}), Summary{},
			[]Advice{{"frequency", "fix the frequency: the governor is powersave; knobs: {governor: performance} sets it for a run", "at one frequency the level of off would scatter by 0.00 % between trials, not by 21.9 %"}}},
		{"turbo for nothing", bare, trials(func(i int, t *results.Trial) {
			t.Host.CPUs[0].MHz = 2000 + 500*float64(i%2)
			t.Slices[0].RxBytes = 1e9 + int64(i/4)*1e8
		}), Summary{},
			[]Advice{{"frequency", "fix the frequency: turn turbo off (intel_pstate/no_turbo, cpufreq/boost), and see to the cooling", ""}}},
		{"one core", bare, trials(func(i int, t *results.Trial) { t.Edges = []results.EdgeCanary{{StepNS: 1, BesideNS: 1.6}} }), Summary{},
			[]Advice{{"shared-core", "the roles' CPUs share a core: place source and sink on cores of their own (placement: distinct), turn SMT off, or, in a guest, have the virtual CPUs pinned to different cores",
				"a CPU alone is 60.0 % faster here than beside the other one busy"}}},
		{"waiting", bare, trials(func(i int, t *results.Trial) { t.Slices[0].SinkWait = 1e8 }), Summary{},
			[]Advice{{"isolate", "others run on the roles' CPUs: keep two or more for netab (isolcpus=, or a cpuset partition of cgroup v2) and place the roles there", "source and sink wait for their CPU in 5.0 % of their time"}}},
		{"waiting for itself", bare, trials(func(i int, t *results.Trial) { t.Slices[0].SinkWait, t.Arms[0].Sink.Threads = 1e8, 8 }), Summary{}, nil},
		{"deep sleep", bare, trials(func(i int, t *results.Trial) { t.Edges = []results.EdgeCanary{{WakeNS: 40_000}} }),
			Summary{Arms: []ArmSummary{{Name: "rr", Metrics: map[string]Level{"latency_p50": {Mean: 90}}}}},
			[]Advice{{"wake-up", "waking a CPU that sleeps is much of the latency: keep CPUs from deep sleep (intel_idle.max_cstate=1, /dev/cpu_dma_latency)", "a wake-up takes 40 us, the median latency of rr is 90 us"}}},
	} {
		run := &results.Run{Header: results.Header{Machine: tc.machine, Design: results.Design{Arms: []results.Arm{{Name: "off", Protocol: "tcp"}}}}, Trials: tc.trials}
		if diff := cmp.Diff(tc.want, advise(run, validOf(run), &tc.s)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	invalid := trials(func(i int, t *results.Trial) { t.Invalid, t.Host.ThrottledNS = "died", 1e6 })
	run := &results.Run{Trials: slices.Clone(invalid)}
	if got := advise(run, validOf(run), &Summary{}); got != nil {
		t.Errorf("of invalid trials: %v", got)
	}
}

func validOf(run *results.Run) *record.Record {
	return record.Of(run.Header.Design, run.Trials).Only(func(t *record.Trial) bool { return t.Invalid == "" })
}
