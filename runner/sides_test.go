package runner

import (
	"slices"
	"testing"

	"netab/results"
	"netab/runner/agent"
	"netab/runner/knob"
	"netab/runner/topology"
	"netab/scenarios"
	"netab/test/need"
)

// TestSysctlOfOneSide: a sysctl that names a device is set on the side that has
// it, and on no other.
func TestSysctlOfOneSide(t *testing.T) {
	source := topology.Side{Agent: &agent.Agent{}, Device: "veth-source"}
	sink := topology.Side{Agent: &agent.Agent{}, Device: "veth-sink"}
	veth := &topology.Built{Source: source, Sink: sink}
	loop := &topology.Built{Source: topology.Side{Agent: sink.Agent, Device: "lo"}, Sink: topology.Side{Agent: sink.Agent, Device: "lo"}}
	for _, tt := range []struct {
		built *topology.Built
		name  string
		want  []*agent.Agent
	}{
		{veth, "net/ipv4/conf/veth-sink/rp_filter", []*agent.Agent{sink.Agent}},
		{veth, "net/ipv6/neigh/veth-source/gc_stale_time", []*agent.Agent{source.Agent}},
		{veth, "net/ipv4/conf/all/rp_filter", []*agent.Agent{source.Agent, sink.Agent}},
		{veth, "net/ipv4/conf/default/rp_filter", []*agent.Agent{source.Agent, sink.Agent}},
		{veth, "net/ipv4/conf/lo/rp_filter", []*agent.Agent{source.Agent, sink.Agent}},
		{veth, "net/ipv4/conf/eth9/rp_filter", []*agent.Agent{source.Agent, sink.Agent}}, // Bind says that it is not there
		{veth, "net/ipv4/tcp_rmem", []*agent.Agent{source.Agent, sink.Agent}},
		{loop, "net/ipv4/conf/lo/rp_filter", []*agent.Agent{sink.Agent}},
		{loop, "net/ipv4/tcp_rmem", []*agent.Agent{sink.Agent}},
	} {
		var got []*agent.Agent
		for _, s := range sidesOf(tt.built, scenarios.Knob{Family: "sysctl", Name: tt.name}) {
			got = append(got, s.Agent)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %d sides, want %d", tt.name, len(got), len(tt.want))
		}
	}
}

// TestSysctlOfTheSinksDevice is that with a real pair.
func TestSysctlOfTheSinksDevice(t *testing.T) {
	need.Root(t)
	_, run := measured(t, "topology: veth\nknobs:\n  sysctl: {net.ipv4.conf.veth-sink.rp_filter: 2}\narms: {a: {}, b: {}}\n", 1, nil)
	set := onTime(run.Trials)[0].Arms[0].Knobs
	found := slices.ContainsFunc(set, func(s results.Setting) bool {
		return s.Knob == "sysctl net.ipv4.conf.veth-sink.rp_filter" && s.After == "2"
	})
	if !found {
		t.Errorf("%+v", set)
	}
}

// TestSecretIsNotRecorded: item 4 of issue 10. Nor is it as the value of an arm
// that leaves it as it is.
func TestSecretIsNotRecorded(t *testing.T) {
	k, err := knob.FromSpec(knob.Spec{Family: "sysctl", Name: "net/ipv4/tcp_fastopen_key", Scope: knob.Host})
	if err != nil {
		t.Fatal(err)
	}
	s := &switched{knob: k, before: "sesame", values: []string{"sesame", "public"}, from: []scenarios.Knob{{}, {Family: "sysctl"}}}
	if got := s.told(results.Setting{Asked: "sesame", After: "sesame"}, 0); got.Before != knob.Kept || got.Asked != knob.Kept || got.After != knob.Kept {
		t.Errorf("%+v", got)
	}
	if got := s.told(results.Setting{Asked: "public", After: "public"}, 1); got.Before != knob.Kept || got.Asked != "public" || got.After != "public" {
		t.Errorf("%+v", got)
	}
}
