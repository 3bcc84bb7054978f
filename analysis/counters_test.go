package analysis

import (
	"math"
	"testing"

	"netab/analysis/record"
	"netab/results"
)

// TestCountersUnknown: what was not read has no level, and is not zero; slices that
// were read speak for those that were not.
func TestCountersUnknown(t *testing.T) {
	read := results.Slice{
		CountedNS: 5e8, Switches: &results.Switches{}, Counters: &results.Counters{OverNS: 5e8, Softnet: &results.Softnet{TimeSqueeze: 3}},
		Counts: results.Counts{RxMsgs: 10, TxMsgs: 10},
	}
	trial := &results.Trial{Slices: []results.Slice{{CountedNS: 5e8, Counts: results.Counts{RxMsgs: 10, TxMsgs: 10}}, read},
		Arms: []results.ArmTrial{{Shared: true}}}
	pinned := results.Trial{Slices: trial.Slices, Arms: []results.ArmTrial{{Source: results.RoleDelta{Pinned: []int{0}}, Sink: results.RoleDelta{Pinned: []int{1}}}}}
	r := record.Of(oneArm, []results.Trial{*trial, pinned})
	for name, want := range map[string]float64{
		"time_squeeze": 6, "softnet_drops": 0, "switches_source": 0,
		"net_rx_softirqs": math.NaN(), "interrupts": math.NaN(), // files that were too dear
		"rps_interrupts": math.NaN(), // no packets
		"migrations":     math.NaN(), // of arms that share a live flow
	} {
		m, _ := LookupMetric(name)
		if got := m.value(viewOf(r, &r.Trials[0], m, 0)); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	m, _ := LookupMetric("migrations")
	if got := m.value(viewOf(r, &r.Trials[1], m, 0)); !math.IsNaN(got) {
		t.Errorf("%v migrations a second of threads that cannot", got)
	}
}

var oneArm = results.Design{Arms: make([]results.Arm, 1)}

// TestCounterCovariates: counters tell groups of trials apart by orders of
// magnitude, and say nothing where they were not read.
func TestCounterCovariates(t *testing.T) {
	labels := func(squeezes int64, cpus ...results.CPUCounters) map[string]string {
		trial := &results.Trial{Arms: []results.ArmTrial{{Source: results.RoleDelta{Pinned: []int{0}}, Sink: results.RoleDelta{Pinned: []int{1}}}}, Slices: []results.Slice{{CountedNS: 1e9}}}
		if squeezes >= 0 {
			trial.Slices[0].Counters = &results.Counters{OverNS: 1e9, Softnet: &results.Softnet{TimeSqueeze: squeezes}}
			trial.Arms[0].Counters = &results.ArmCounters{CPUs: cpus}
		}
		out, r := map[string]string{}, record.Of(oneArm, []results.Trial{*trial})
		for _, c := range counterCovariates(0, "") {
			out[c.name] = c.label(&r.Trials[0])
		}
		return out
	}
	const squeezes, packets = "time squeezes a second", "CPUs that process packets"
	for i, tc := range []struct {
		got              map[string]string
		squeeze, packets string
	}{
		{labels(-1), "", ""},
		{labels(0), "no " + squeezes, ""},
		{labels(30, results.CPUCounters{CPU: 0, Processed: 95}, results.CPUCounters{CPU: 1, Processed: 5}), "10 to 100 " + squeezes, "packets processed on CPU 0 (the source's)"},
		{labels(9, results.CPUCounters{CPU: 0, Processed: 45}, results.CPUCounters{CPU: 1, Processed: 55}), "1 to 10 " + squeezes, "packets processed on several CPUs alike"},
	} {
		if tc.got[squeezes] != tc.squeeze || tc.got[packets] != tc.packets {
			t.Errorf("%d: %q and %q", i, tc.got[squeezes], tc.got[packets])
		}
	}
}

// TestIdleCPUs: CPUs that a role was given and did not use.
func TestIdleCPUs(t *testing.T) {
	role := func(threads int, pinned []int, cpus map[int]int) results.RoleDelta {
		return results.RoleDelta{Threads: threads, Pinned: pinned, CPUs: cpus}
	}
	for _, tc := range []struct {
		name     string
		isolated string
		trials   []results.RoleDelta
		want     string
	}{
		{"all worked", "", []results.RoleDelta{role(2, []int{6, 7}, map[int]int{6: 30, 7: 30})}, ""},
		{"in turn", "", []results.RoleDelta{role(2, []int{6, 7}, map[int]int{6: 60}), role(2, []int{6, 7}, map[int]int{7: 60})}, ""},
		{"one thread", "6-7", []results.RoleDelta{role(1, []int{6, 7}, map[int]int{6: 60})},
			"of the sink's CPUs 6-7 only 6 worked: it has 1 thread for them; give it more flows or threads, or fewer CPUs"},
		{"isolated", "4-7", []results.RoleDelta{role(4, []int{5, 6, 7}, map[int]int{6: 120})},
			"of the sink's CPUs 5-7 only 6 worked: isolated CPUs are not balanced, so threads stay where they began; place each flow on a CPU of its own, or take CPUs that are not isolated"},
		{"not balanced", "", []results.RoleDelta{role(2, []int{6, 7}, map[int]int{7: 60})},
			"of the sink's CPUs 6-7 only 7 worked: the scheduler left its threads there; place each flow on a CPU of its own"},
		{"too little seen", "", []results.RoleDelta{role(2, []int{6, 7}, map[int]int{6: 8})}, ""},
		{"free", "", []results.RoleDelta{role(2, nil, map[int]int{6: 60})}, ""},
		{"strayed", "", []results.RoleDelta{role(2, []int{6, 7}, map[int]int{1: 60})}, ""}, // another warning
		{"not seen", "", []results.RoleDelta{{Pinned: []int{6, 7}}}, ""},
	} {
		run := &results.Run{Header: results.Header{Design: results.Design{Arms: []results.Arm{{Name: "a"}}}, Machine: results.Machine{CPUsIsolated: tc.isolated}}}
		for _, r := range tc.trials {
			run.Trials = append(run.Trials, results.Trial{Arms: []results.ArmTrial{{Sink: r}}})
		}
		ws := idleCPUs(run, record.Of(run.Header.Design, run.Trials), 0)
		var want []results.Warning
		if tc.want != "" {
			want = []results.Warning{{Code: "idle-cpus", Text: "a: " + tc.want}}
		}
		if len(ws) != len(want) || len(ws) == 1 && ws[0] != want[0] {
			t.Errorf("%s: %q, want %q", tc.name, ws, want)
		}
	}
	failed := results.Trial{Arms: []results.ArmTrial{{Failed: "no path", Sink: role(2, []int{6, 7}, map[int]int{7: 60})}}}
	run := &results.Run{Header: results.Header{Design: results.Design{Arms: []results.Arm{{}}}}}
	if ws := idleCPUs(run, record.Of(run.Header.Design, []results.Trial{failed}), 0); ws != nil {
		t.Errorf("%v of an arm that failed", ws)
	}
}
