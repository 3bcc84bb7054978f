package scenarios

import (
	"maps"
	"slices"

	"netab/results/vocab"
)

// Notes says which settings of an arm cannot have the effect that they
// promise, and why. The arm is valid all the same.
func Notes(arm Arm) []string {
	var out []string
	c := arm.Config
	out = append(out, trafficNotes(c, c.Traffic, "")...)
	for _, name := range slices.Sorted(maps.Keys(c.Traffic.Beside)) {
		out = append(out, trafficNotes(c, c.Traffic.Beside[name], name+": ")...)
	}
	if c.Traffic.Protocol == vocab.TCP && c.Traffic.ReceiveBuffer > 0 {
		if _, ok := c.Knobs.Sysctl["net/ipv4/tcp_rmem"]; ok {
			out = append(out, "tcp_rmem: receive_buffer sets SO_RCVBUF, which turns off the tuning within tcp_rmem")
		}
	}
	for _, policy := range []string{c.Placement.SourcePolicy, c.Placement.SinkPolicy} {
		if policy == "fifo" || policy == "round-robin" {
			out = append(out, policy+": the kernel takes real-time threads off their CPU for a part of each second (sysctl kernel.sched_rt_runtime_us), which counts as waiting")
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Knobs.Device)) {
		out = append(out, deviceNotes(c, name)...)
	}
	return out
}

// deviceNotes are about the settings of one device.
func deviceNotes(c Config, name string) []string {
	dev := c.Knobs.Device[name]
	ours := name == "source" || name == "sink" || name == "both"
	var out []string
	note := func(setting, why string) { out = append(out, name+" "+setting+": "+why) }
	lo := name == "lo" || ours && c.Topology.Kind == vocab.Loopback
	// What works only in NAPI polling.
	napi := []struct {
		name string
		set  bool
	}{
		{"threaded", dev.Threaded == "on"},
		{"gro_flush_timeout", dev.GROFlushTimeout != "" && dev.GROFlushTimeout != "0"},
		{"napi_defer_hard_irqs", dev.NAPIDeferHardIRQs != "" && dev.NAPIDeferHardIRQs != "0"},
	}
	for _, setting := range napi {
		switch {
		case !setting.set:
		case lo:
			note(setting.name, "lo has no NAPI")
		case ours && c.Topology.Kind == vocab.Veth && !groOn(c, name):
			note(setting.name, "needs GRO or XDP on, as veth uses no NAPI without")
		}
	}
	if lo && dev.Offload["gro"] == "on" {
		note("gro", "lo has no NAPI, so GRO never runs")
	}
	if dev.XPSCPUs != "" {
		switch {
		case lo:
			note("xps_cpus", "lo has one transmit queue, so there is nothing to choose")
		case ours && c.Topology.Kind == vocab.Veth && c.Topology.Queues < 2:
			note("xps_cpus", "needs topology.queues of 2 or more")
		}
	}
	if flows := c.Knobs.Sysctl["net/core/rps_sock_flow_entries"]; dev.RPSFlowCnt != "" && dev.RPSFlowCnt != "0" && (flows == "" || flows == "0") {
		note("rps_flow_cnt", "receive flow steering also needs sysctl net.core.rps_sock_flow_entries above 0")
	}
	return out
}

// groOn says whether the arm turns GRO on for a device, by its own key or by
// "both".
func groOn(c Config, device string) bool { return offload(c, device, "gro") == "on" }
