package scenarios

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCPUSets(t *testing.T) {
	env := func(source, sink []int) cpuEnv {
		return cpuEnv{server(), fixedRole("source", source), fixedRole("sink", sink)}
	}([]int{1}, []int{2, 6})
	for _, tt := range []struct {
		expr string
		want []int
		err  string
	}{
		{"0,2-4", []int{0, 2, 3, 4}, ""},
		{"4, 0", []int{4, 0}, ""}, // the order is that of the flows
		{"all", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, ""},
		{"none", nil, ""},
		{"OFF", nil, ""},
		{"{source}", []int{1}, ""},
		{"sink", []int{2, 6}, ""},
		{"{ sink }", []int{2, 6}, ""},
		{"sibling of source", []int{9}, ""},
		{"siblings of {sink}", []int{10, 14}, ""},
		{"sibling of 0-3 - 8", []int{9, 10, 11}, ""},
		{"node 1", []int{4, 5, 6, 7, 12, 13, 14, 15}, ""},
		{"node of source", []int{0, 1, 2, 3, 8, 9, 10, 11}, ""},
		{"isolated", []int{7, 15}, ""},
		{"node 0 - source", []int{0, 2, 3, 8, 9, 10, 11}, ""},
		{"node 0-source", []int{0, 2, 3, 8, 9, 10, 11}, ""},
		{"0-3 - 1-2", []int{0, 3}, ""},
		{"0-3 -1", []int{0, 2, 3}, ""},
		{"{sink} + {source}", []int{2, 6, 1}, ""},
		{"all - (source + sink) - node 1", []int{0, 3, 8, 9, 10, 11}, ""},
		{"8 + 0 - 8", []int{0}, ""},
		{"", nil, "something is missing"},
		{"all -", nil, "something is missing"},
		{"all all", nil, `what is "all"?`},
		{"0-", nil, "something is missing"},
		{"0,", nil, "a number is missing"},
		{"3-1", nil, "runs backwards"},
		{"some", nil, `what is "some"?`},
		{"{some}", nil, "braces hold source or sink"},
		{"{sink", nil, "braces hold source or sink"},
		{"sibling", nil, `wants "of"`},
		{"node x", nil, `wants "of"`},
		{"(0", nil, "closing )"},
		{strings.Repeat("(", 1000), nil, "nests too deep"},
		{strings.Repeat("sibling of ", 1000), nil, "nests too deep"},
		{"0-20", nil, "CPU 16 is not online"},
		{"node 9", nil, "node 9 has no CPU that can be used"},
		{"sibling of all", nil, "has no sibling"},
	} {
		set, err := parseCPUSet(tt.expr)
		var got []int
		if err == nil {
			got, err = set(env)
		}
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: %v, %v; want error %q", tt.expr, got, err, tt.err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", tt.expr, err, diff)
		}
	}
}

func TestPlacementModes(t *testing.T) {
	smt := CPUs{Online: []int{0, 1, 2, 3}, Siblings: map[int][]int{0: {0, 1}, 1: {0, 1}, 2: {2, 3}, 3: {2, 3}}}
	oneCore := CPUs{Online: []int{0, 1}, Siblings: map[int][]int{0: {0, 1}, 1: {0, 1}}}
	coreANode := CPUs{Online: []int{0, 1}, Node: map[int]int{0: 0, 1: 1}}
	allIsolated := CPUs{Online: []int{0, 1, 2, 3}, Isolated: []int{1, 2, 3}}
	for _, tt := range []struct {
		name   string
		cpus   CPUs
		flows  string
		mode   string
		source []int
		sink   []int
	}{
		{"two CPUs", twoCPUs, "1", "distinct", []int{0}, []int{1}},
		{"two CPUs, more flows", twoCPUs, "4", "distinct", []int{0}, []int{1}},
		{"two CPUs", twoCPUs, "1", "same", []int{1}, []int{1}},
		{"two CPUs", twoCPUs, "1", "free", nil, nil},
		{"threads are not cores", smt, "2", "distinct", []int{0}, []int{2}},
		{"the second core", smt, "1", "same", []int{2}, []int{2}},
		{"one core has two threads", oneCore, "1", "distinct", []int{0}, []int{1}},
		{"one core has two threads", oneCore, "1", "same", []int{1}, []int{1}},
		{"one CPU", CPUs{Online: []int{5}}, "1", "same", []int{5}, []int{5}},
		{"a core a node", coreANode, "1", "distinct", []int{0}, []int{1}},
		{"CPU 0 offline", CPUs{Online: []int{1, 2}}, "1", "distinct", []int{1}, []int{2}},
		{"one node", server(), "1", "distinct", []int{0}, []int{1}},
		{"both nodes, pairs stay on one", server(), "3", "distinct", []int{0, 1, 4}, []int{2, 3, 5}},
		{"too few that are not isolated", allIsolated, "2", "distinct", []int{0, 1}, []int{2, 3}},
	} {
		arms := mustExpand(t, tt.cpus, "placement: "+tt.mode+"\ntraffic: {flows: "+tt.flows+"}")
		if diff := cmp.Diff(ResolvedCPUs{tt.source, tt.sink}, arms[0].CPUs); diff != "" {
			t.Errorf("%s, %s, %s flows (-want +got):\n%s", tt.name, tt.mode, tt.flows, diff)
		}
	}
}

// TestAllowedCPUs: names pick from the CPUs that this process may run on
// (taskset, cpuset), whatever else is online.
func TestAllowedCPUs(t *testing.T) {
	cpus := server() // isolated: 7 and 15
	cpus.Allowed = []int{1, 2, 3, 9, 15}
	for _, tt := range []struct {
		src          string
		source, sink []int
		rps          string
	}{
		{"placement: distinct", []int{1}, []int{2}, "2"}, // CPU 9 is the other thread of 1
		{"placement: same", []int{2}, []int{2}, "2"},
		{`placement: {source: "1", sink: "all - {source}"}`, []int{1}, []int{2}, "2"},
		{`placement: {source: "all - 0", sink: "2"}`, []int{1}, []int{2}, "2"},
		{`placement: {source: "node of 0 - 1", sink: "sibling of 9"}`, []int{2}, []int{1}, "1"},
		{`placement: {source: isolated, sink: "3"}`, []int{15}, []int{3}, "3"},
	} {
		arms := mustExpand(t, cpus, tt.src+"\nknobs: {device: {sink: {rps_cpus: sink, xps_cpus: all}}}")
		if diff := cmp.Diff(ResolvedCPUs{tt.source, tt.sink}, arms[0].CPUs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.src, diff)
		}
		if got := arms[0].Knobs[0].Value; got != tt.rps {
			t.Errorf("%s: rps_cpus of the sink is %q, want %q", tt.src, got, tt.rps)
		}
		if got := arms[0].Knobs[1].Value; got != "1-3,9,15" {
			t.Errorf("%s: all is %q", tt.src, got)
		}
	}
}

func TestRoleSetHasOnlyCPUsInUse(t *testing.T) {
	arms := mustExpand(t, server(), "placement: {source: 0, sink: node 1}\ntraffic: {flows: 2}\nknobs: {device: {sink: {rps_cpus: sink}}}")
	if got := arms[0].Knobs[0].Value; got != "4-5" {
		t.Errorf("rps_cpus of the sink is %q, want 4-5, as two flows use two CPUs", got)
	}
}
