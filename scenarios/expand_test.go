package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// mustExpand parses and expands, with overrides.
func mustExpand(t *testing.T, cpus CPUs, src string, sets ...string) []Arm {
	t.Helper()
	s, err := ParseWith("test.yaml", []byte(src), sets)
	if err != nil {
		t.Fatal(err)
	}
	arms, err := Expand(s, cpus)
	if err != nil {
		t.Fatal(err)
	}
	return arms
}

func armNames(arms []Arm) []string {
	var out []string
	for _, arm := range arms {
		out = append(out, arm.Name)
	}
	return out
}

func TestExpandNames(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"one arm", "topology: veth", []string{"test"}},
		{"one arm with a name", "name: lonely", []string{"lonely"}},
		{"explicit", "arms: {b: {}, a: , c: {traffic: udp}}", []string{"b", "a", "c"}},
		{"equal arms are an A/A test", "arms: {x: {traffic: udp}, y: {traffic: udp}}", []string{"x", "y"}},
		{"first factor slowest", "matrix: {traffic.message: [64, 1K], traffic.flows: [1, 2]}",
			[]string{"message=64,flows=1", "message=64,flows=2", "message=1K,flows=1", "message=1K,flows=2"}},
		{"named levels", "matrix: {placement: {apart: distinct, together: same}}", []string{"placement=apart", "placement=together"}},
		{"named factor", "matrix: {rps: {path: knobs.device.sink.rps_cpus, levels: {off: none, sink: '{sink}'}}}", []string{"rps=off", "rps=sink"}},
		{"whole configuration", "matrix: {setup: {path: ., levels: {a: {traffic: udp}, b: }}}", []string{"setup=a", "setup=b"}},
		{"last parts that are equal", "matrix: {knobs.device.source.mtu: [1500], knobs.device.sink.mtu: [1500]}",
			[]string{"knobs.device.source.mtu=1500,knobs.device.sink.mtu=1500"}},
		{"sysctl", "matrix: {knobs.sysctl.net.core.dev_weight: [64], knobs.sysctl.net/core/netdev_budget: [300]}", []string{"dev_weight=64,netdev_budget=300"}},
		{"device with dots", "matrix: {knobs.device.eth0.100.threaded: [on]}", []string{"threaded=on"}},
		{"list as in JSON", "arms: [{name: b}, {name: a, config: {traffic: udp}}]", []string{"b", "a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, armNames(mustExpand(t, twoCPUs, tt.src))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOverlays(t *testing.T) {
	arms := mustExpand(t, twoCPUs, `
topology: {kind: veth, mtu: 9000}
traffic: {protocol: tcp, message: 4K}
knobs:
  sysctl: {net.core.rmem_max: 1, net.ipv4.tcp_rmem: [4096, 131072, 6291456]}
  device: {sink: {rps_cpus: all, offload: {gro: on, tso: off}}}
arms:
  plain: {}
  merged:
    topology: {queues: 2}
    knobs:
      sysctl: {net/core/rmem_max: 2}
      device: {sink: {offload: {gro: off}}, source: {threaded: true}}
  word: {topology: loopback, traffic: udp}
`)
	type m = map[string]string
	sink := arms[1].Config.Knobs.Device["sink"]
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"the common part is untouched", arms[0].Config.Knobs.Sysctl, m{"net/core/rmem_max": "1", "net/ipv4/tcp_rmem": "4096 131072 6291456"}},
		{"the common offloads are untouched", arms[0].Config.Knobs.Device["sink"].Offload, m{"gro": "on", "tso": "off"}},
		{"a member beside the common ones", arms[1].Config.Topology, Topology{Kind: "veth", Family: "ipv4", MTU: 9000, Queues: 2}},
		{"another spelling of the same sysctl", arms[1].Config.Knobs.Sysctl["net/core/rmem_max"], "2"},
		{"offloads merged", sink.Offload, m{"gro": "off", "tso": "off"}},
		{"rest of the device kept", sink.RPSCPUs, "all"},
		{"another device", arms[1].Config.Knobs.Device["source"], DeviceKnobs{Threaded: "on"}},
		{"a bare word changes the kind only", arms[2].Config.Topology, Topology{Kind: "loopback", Family: "ipv4", MTU: 9000}},
		{"a bare word changes the protocol only", arms[2].Config.Traffic.Message, Size(4096)},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}

func TestDefaults(t *testing.T) {
	one := Traffic{Kind: "stream", Pattern: "one-to-one", Sources: 1, Sinks: 1, Flows: 1, Direction: "forward",
		Source: SourcePath{Path: "send", Socket: "connected"}, Sink: SinkPath{Path: "recv", Wait: "block"}}
	traffic := func(change func(*Traffic)) Traffic {
		t := one
		change(&t)
		return t
	}
	udp := func(message Size) Traffic {
		return traffic(func(t *Traffic) { t.Protocol, t.Message, t.Sink.Socket = "udp", message, "connected" })
	}
	for _, tt := range []struct {
		src  string
		want Config
	}{
		{"topology: loopback", Config{
			Topology:  Topology{Kind: "loopback", Family: "ipv4"},
			Traffic:   traffic(func(t *Traffic) { t.Protocol, t.Message, t.Congestion = "tcp", 131072, "cubic" }),
			Placement: Placement{Mode: "distinct"},
		}},
		{"traffic: UDP_STREAM\ntopology: veth\nplacement: {source: 0, sink: 1}", Config{
			Topology:  Topology{Kind: "veth", Family: "ipv4"},
			Traffic:   udp(1472),
			Placement: Placement{Source: "0", Sink: "1"},
		}},
		{"traffic: udp\ntopology: {family: ipv6}", Config{
			Topology:  Topology{Kind: "loopback", Family: "ipv6"},
			Traffic:   udp(1452),
			Placement: Placement{Mode: "distinct"},
		}},
	} {
		if diff := cmp.Diff(tt.want, mustExpand(t, twoCPUs, tt.src)[0].Config); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.src, diff)
		}
	}
}

func TestMeasureDefaults(t *testing.T) {
	ms := func(n int) Duration { return Duration(n * 1e6) }
	base := Measure{Confidence: 0.95, Resolution: 0.01, Width: 0.05, MaxTime: ms(60000),
		Slice: ms(25), Settle: ms(4), Trial: ms(1500), Metrics: []string{"goodput"}}
	with := func(change func(*Measure)) Measure {
		m := base
		change(&m)
		return m
	}
	two := []Topology{{Kind: "loopback"}, {Kind: "loopback"}}
	for _, tt := range []struct {
		name string
		in   Measure
		arms []Topology
		want Measure
		away time.Duration
	}{
		{"two arms", Measure{}, two, base, 0},
		{"many arms need longer trials", Measure{}, slices.Repeat(two, 5), with(func(m *Measure) { m.Trial = ms(6000) }), 0},
		{"and those of two namespaces", Measure{}, []Topology{{Kind: "veth"}, {Kind: "nic"}, {Kind: "loopback"}}, with(func(m *Measure) { m.Trial = ms(2200) }), 0},
		{"short slices, short settle", Measure{Slice: ms(6)}, two, with(func(m *Measure) { m.Slice, m.Settle = ms(6), ms(3) }), 0},
		{"what is given stays", Measure{Trial: ms(500), Confidence: 0.99}, two, with(func(m *Measure) { m.Trial, m.Confidence = ms(500), 0.99 }), 0},
		{"a delay of 10 ms", Measure{}, two, with(func(m *Measure) { m.Slice, m.Settle, m.Trial = ms(120), ms(30), ms(1920) }), 10 * time.Millisecond},
		{"a delay that makes no difference", Measure{}, two, base, time.Millisecond},
	} {
		if diff := cmp.Diff(tt.want, tt.in.withDefaults(tt.arms, tt.away)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestKnobsInFileOrder: one setting may be possible only after another, so they
// are made as they are written, --set last.
func TestKnobsInFileOrder(t *testing.T) {
	arms := mustExpand(t, server(), `
topology: veth
knobs:
  device: {sink: {offload: {tso: on, sg: off}, channels: {tx: 2, combined: 0}}, both: {mtu: 9000}}
  sysctl: {net.ipv4.tcp_wmem: 1 2 3, net.core.somaxconn: 1, net.ipv4.ip_local_port_range: 500 1500}
arms:
  a: {knobs: {sysctl: {net.ipv4.ip_unprivileged_port_start: 100}}}
  b: {knobs: {sysctl: {net.core.somaxconn: 2}}}
`, "knobs.sysctl.net.core.optmem_max=7")
	for i, want := range []string{
		"tcp_wmem somaxconn ip_local_port_range ip_unprivileged_port_start optmem_max mtu tx combined tso sg",
		"tcp_wmem ip_local_port_range somaxconn optmem_max mtu tx combined tso sg",
	} {
		var got []string
		for _, k := range arms[i].Knobs {
			if k.Name == "" {
				k.Name = k.Family
			}
			got = append(got, path.Base(k.Name))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("arm %s: %s, want %s", arms[i].Name, got, want)
		}
	}
}

func TestKnobs(t *testing.T) {
	arms := mustExpand(t, server(), `
topology: {kind: veth, queues: 2}
placement: {source: "1", sink: "2,6"}
traffic: {flows: 2}
knobs:
  governor: performance
  irq: {eth1: sibling of sink, "42": source}
  sysctl: {net.ipv4.conf.eth0/100.rp_filter: 0, net.core.netdev_budget: 600}
  device:
    sink:
      rps_cpus: sink
      threaded: yes
      gro_flush_timeout: 20us
      queue: {rx-10: {rps_cpus: none}, rx-2: {rps_flow_cnt: 32}, tx-0: {xps_cpus: "all - {source} - node 1 - isolated"}}
      offload: {generic-receive-offload: true, tx-udp-segmentation: off}
      channels: {rx: 2}
    both: {tx_queue_len: 1000}
`)
	want := []Knob{
		{Family: "sysctl", Name: "net/ipv4/conf/eth0.100/rp_filter", Value: "0"},
		{Family: "sysctl", Name: "net/core/netdev_budget", Value: "600"},
		{Family: "tx_queue_len", Device: "both", Value: "1000"},
		{Family: "channels", Device: "sink", Name: "rx", Value: "2"},
		{Family: "offload", Device: "sink", Name: "gro", Value: "on"},
		{Family: "offload", Device: "sink", Name: "tx-udp-segmentation", Value: "off"},
		{Family: "rps_cpus", Device: "sink", Value: "2,6"},
		{Family: "gro_flush_timeout", Device: "sink", Value: "20000"},
		{Family: "threaded", Device: "sink", Value: "on"},
		{Family: "rps_flow_cnt", Device: "sink", Queue: "rx-2", Value: "32"},
		{Family: "rps_cpus", Device: "sink", Queue: "rx-10", Value: ""},
		{Family: "xps_cpus", Device: "sink", Queue: "tx-0", Value: "0,2-3,8-11"},
		{Family: "irq", Device: "eth1", Value: "10,14"},
		{Family: "irq", Device: "42", Value: "1"},
		{Family: "governor", Value: "performance"},
	}
	if diff := cmp.Diff(want, arms[0].Knobs, cmpopts.IgnoreFields(Knob{}, "Pos")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, k := range arms[0].Knobs {
		if k.Pos.File != "test.yaml" || k.Pos.Line < 6 {
			t.Errorf("%s: position %v", k.Family, k.Pos)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		cpus CPUs
		src  string
		want string
	}{
		{"offline", twoCPUs, "placement: {source: 0, sink: 7}",
			"test.yaml:1:30: placement.sink: CPU 7 is not online; online are 0-1"},
		{"one CPU", CPUs{Online: []int{0}}, "placement: distinct",
			"test.yaml:1:12: placement: distinct needs two CPUs, but only CPU 0 can be used; use same or free; online are 0"},
		{"role of a free arm", twoCPUs, "placement: free\nknobs: {device: {sink: {rps_cpus: sink}}}",
			"test.yaml:2:35: knobs.device.sink.rps_cpus: the sink runs on no fixed CPU (placement: free); online are 0-1"},
		{"defined by each other", twoCPUs, "placement: {source: all - sink, sink: all - source}",
			"source and sink are each defined by the other"},
		{"nothing left", twoCPUs, "placement: {source: all, sink: all - source}",
			`placement.sink: "all - source" is empty here`},
		{"no second thread", twoCPUs, "knobs: {device: {sink: {rps_cpus: sibling of sink}}}",
			"CPU 1 has no sibling"},
		{"no such node", twoCPUs, "knobs: {device: {sink: {rps_cpus: node 3}}}", "node 3 has no CPU that can be used"},
		{"none isolated", twoCPUs, "placement: {source: isolated, sink: 0}", "no CPU is isolated"},
		{"interrupt to nowhere", twoCPUs, "knobs: {irq: {eth1: none}}", "an interrupt needs a CPU"},
		{"in a level", twoCPUs, "matrix: {placement.sink: [1, 5]}\nplacement: {source: 0, sink: 1}",
			"test.yaml:1:30: placement.sink: CPU 5 is not online; online are 0-1"},
		{"not allowed", fourCPUs, "placement: {source: 0, sink: 3}",
			"test.yaml:1:30: placement.sink: CPU 3 is online, but this process may run on 0-1 only (taskset or cpuset); name CPUs of these"},
		{"knob of a CPU that is not allowed", fourCPUs, "knobs: {device: {sink: {rps_cpus: 1-2}}}",
			"test.yaml:1:35: knobs.device.sink.rps_cpus: CPU 2 is online, but this process may run on 0-1 only"},
		{"neither online nor allowed", fourCPUs, "placement: {source: 0, sink: 4}",
			"CPU 4 is not online; online are 0-3, of them this process may run on 0-1 (taskset or cpuset)"},
		{"one allowed", CPUs{Online: []int{0, 1}, Allowed: []int{1}}, "placement: distinct",
			"test.yaml:1:12: placement: distinct needs two CPUs, but only CPU 1 can be used; use same or free; online are 0-1, of them this process may run on 1 (taskset or cpuset)"},
		{"none allowed that is online", CPUs{Online: []int{0, 1}, Allowed: []int{7}}, "placement: same", "no CPU that is online is this process's"},
		{"no CPUs at all", CPUs{}, "placement: same", "no CPU is known to be online"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse("test.yaml", []byte(tt.src))
			if err != nil {
				t.Fatal(err)
			}
			arms, err := Expand(s, tt.cpus)
			var faults Errors
			if !errors.As(err, &faults) || arms != nil {
				t.Fatalf("Expand gives %v, %v; want no arms and Errors", arms, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Expand says\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

// TestJSONParsesAgain: what a record keeps of a scenario is a scenario file
// with the same arms.
func TestJSONParsesAgain(t *testing.T) {
	srcs := map[string]string{"own": `
name: own
traffic: {protocol: udp, message: 64}
knobs: {device: {lo: {gro_flush_timeout: 20us, rps_cpus: {sink}}}}
arms: {b: {knobs: {sysctl: {net.core.x: 0644}}}, a: {topology: {kind: veth, mtu: 9000}}, e: }
baseline: a
measure: {slice: 50ms, resolution: 2%, seed: 18446744073709551615}
`}
	for _, b := range Builtins() {
		src, _ := BuiltinSource(b.Name)
		srcs[b.Name] = string(src)
	}
	for name, src := range srcs {
		first, err := Parse(name+".yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		record, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("record.json", record)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, record)
			continue
		}
		want, err1 := Expand(first, server())
		got, err2 := Expand(again, server())
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		// JSON has its keys sorted, and so the knobs of a record.
		sorted := cmpopts.SortSlices(func(a, b Knob) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
		for _, arms := range [][]Arm{want, got} {
			for _, arm := range arms {
				for i := range arm.Knobs {
					arm.Knobs[i].Pos = Pos{}
				}
			}
		}
		if diff := cmp.Diff(want, got, sorted, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: arms after JSON (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(first.Measure, again.Measure); diff != "" {
			t.Errorf("%s: measure after JSON (-want +got):\n%s", name, diff)
		}
		if first.Name != again.Name || first.Question != again.Question || first.Baseline != again.Baseline {
			t.Errorf("%s: name, question or baseline lost: %s", name, record)
		}
	}
}

// TestExpandWithoutFile: a scenario may be made in Go.
func TestExpandWithoutFile(t *testing.T) {
	s := &Scenario{
		Name:   "made",
		Config: Config{Traffic: Traffic{Protocol: "udp"}},
		Arms: Arms{
			{Name: "a"},
			{Name: "b", Overlay: map[string]any{"traffic": map[string]any{"message": 64}}},
		},
	}
	arms, err := Expand(s, twoCPUs)
	if err != nil {
		t.Fatal(err)
	}
	if arms[0].Config.Traffic.Message != 1472 || arms[1].Config.Traffic.Message != 64 {
		t.Errorf("messages of %d and %d bytes, want 1472 and 64", arms[0].Config.Traffic.Message, arms[1].Config.Traffic.Message)
	}
	s.Arms[1].Overlay = map[string]any{"traffic": map[string]any{"mesage": 64}}
	if _, err := Expand(s, twoCPUs); err == nil || !strings.Contains(err.Error(), `did you mean "message"?`) {
		t.Errorf("a wrong key in a Go overlay: %v", err)
	}
}

func TestNotes(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"topology: veth\nknobs: {device: {sink: {threaded: on}}}", "sink threaded: needs GRO or XDP on"},
		{"topology: veth\nknobs: {device: {sink: {threaded: on}, both: {offload: {gro: on}}}}", ""},
		{"topology: veth\nknobs: {device: {sink: {threaded: on, offload: {gro: off}}, both: {offload: {gro: on}}}}", "needs GRO"},
		{"topology: veth\nknobs: {device: {sink: {threaded: off}}}", ""},
		{"knobs: {device: {sink: {gro_flush_timeout: 1us}}}", "lo has no NAPI"},
		{"knobs: {device: {lo: {offload: {gro: on}}}}", "lo has no NAPI"},
		{"knobs: {device: {lo: {xps_cpus: all}}}", "one transmit queue"},
		{"topology: veth\nknobs: {device: {source: {xps_cpus: all}}}", "topology.queues"},
		{"topology: {kind: veth, queues: 2}\nknobs: {device: {source: {xps_cpus: all}}}", ""},
		{"knobs: {device: {sink: {rps_flow_cnt: 64}}}", "rps_sock_flow_entries"},
		{"knobs: {device: {sink: {rps_flow_cnt: 64}}, sysctl: {net.core.rps_sock_flow_entries: 64}}", ""},
		{"topology: veth\ntraffic: {protocol: udp, message: 1472}", ""},
		{"topology: veth\ntraffic: {protocol: udp, message: 1473}", "datagrams of 1473 bytes are fragmented: the MTU of 1500 leaves 1472"},
		{"topology: {kind: veth, family: ipv6}\ntraffic: {protocol: udp, message: 1453}", "leaves 1452"},
		{"topology: {kind: loopback, mtu: 1500}\ntraffic: {protocol: udp, message: 4K}", "fragmented"},
		{"traffic: {receive_buffer: 64K}\nknobs: {sysctl: {net.ipv4.tcp_rmem: 1 2 3}}", "turns off the tuning"},
		{"traffic: {source: {zerocopy: on}}", "zerocopy: on its way"},
		{"topology: veth\ntraffic: {source: {zerocopy: on}}", "zerocopy: on its way"},
		{"topology: {kind: nic, source_device: a, sink_device: b}\ntraffic: {source: {zerocopy: on}}", ""},
		{"topology: {kind: nic, source_device: a, sink_device: b}\ntraffic: {protocol: udp}", ""},
		{"topology: {kind: nic, source_device: a, sink_device: b}\ntraffic: {protocol: udp, sink: {socket: shared}}", "a filter looks at each datagram"},
		{"topology: {kind: nic, source_device: a, sink_device: b}\ntraffic: {kind: conn, protocol: udp}", "a filter looks at each datagram"},
		{"topology: veth\ntraffic: {protocol: udp, sink: {socket: shared}}", ""},
		{"traffic: {sink: {busy_poll: 50us}}", "busy_poll: lo has no NAPI"},
		{"topology: veth\ntraffic: {sink: {busy_poll: 50us}}", "busy_poll: needs GRO"},
		{"placement: same\ntraffic: {sink: {wait: spin}}", "wait: the sink spins on its source's CPU"},
		{"placement: distinct\ntraffic: {sink: {wait: spin}}", ""},
		{"topology: veth\ntraffic: {sink: {busy_poll: 50us}}\nknobs: {device: {both: {offload: {gro: on}}}}", ""},
		{"topology: veth\ntraffic: {flows: 9, threads: 2, sink: {busy_poll: 50us}}\nknobs: {device: {sink: {offload: {gro: on}}}}", "epoll polls only"},
		{"traffic: {protocol: udp, sink: {gro: on}}", "gro: lo merges nothing"},
		{"traffic: {protocol: udp, source: {segment: 1472}, sink: {gro: on}}", ""},
		{"topology: veth\ntraffic: {protocol: udp, sink: {gro: on}}", "merges nothing without its offload"},
		{"topology: veth\ntraffic: {protocol: udp, sink: {gro: on}}\nknobs: {device: {sink: {offload: {gro: on}}}}", ""},
		{"topology: veth\ntraffic: {protocol: udp, source: {segment: 1472}}\nknobs: {device: {source: {offload: {gso: off}}}}", "takes no UDP segments"},
		{"traffic: {pacing_rate: 1G}", ""},
		{"traffic: {protocol: udp, pacing_rate: 1G}", "qdisc fq only, which loopback lacks"},
		{"traffic: {sink: tcp-zerocopy}", "only whole pages"},
		{"topology: {kind: loopback, mtu: 61492}\ntraffic: {sink: tcp-zerocopy}", "only whole pages"},
		{"topology: {kind: loopback, mtu: 61492}\ntraffic: {sink: tcp-zerocopy, source: {zerocopy: on}}", "zerocopy: on its way"},
		{"traffic: {kind: rr, depth: 4}", "Nagle"},
		{"traffic: {kind: rr, depth: 4, nodelay: on}", ""},
		{"traffic: {beside: {rpc: {kind: rr, rate: 5k}}}", "rpc: nodelay is off"},
		{"traffic: unix-stream\nknobs: {device: {lo: {rps_cpus: all}}}", "lo: unix sockets go through no network device"},
	} {
		got := strings.Join(Notes(mustExpand(t, twoCPUs, tt.src)[0]), "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s\nnotes %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestBaselineArm(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"topology: veth", ""},
		{"arms: {a: {}, b: {}}", "a"},
		{"arms: {a: {}, b: {}}\nbaseline: b", "b"},
	} {
		s, err := Parse("a.yaml", []byte(tt.src))
		if err != nil {
			t.Fatal(err)
		}
		arms, err := Expand(s, twoCPUs)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.BaselineArm(arms); got != tt.want {
			t.Errorf("%s: baseline %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestAnchorsAndMerge(t *testing.T) {
	arms := mustExpand(t, twoCPUs, `
arms:
  a: &a {traffic: &t {protocol: udp, message: 64}}
  b: {traffic: {<<: *t, message: 1K}}
  c: *a
  d: {<<: [*a], topology: veth}
`)
	var got []string
	for _, arm := range arms {
		got = append(got, fmt.Sprint(arm.Config.Traffic.Protocol, " ", arm.Config.Traffic.Message.String(), " ", arm.Config.Topology.Kind))
	}
	want := []string{"udp 64 loopback", "udp 1K loopback", "udp 64 loopback", "udp 64 veth"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAliasBomb: nested aliases must not be unfolded.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := '1'; i <= '9'; i++ {
		prev := "*a" + string(i-1)
		b.WriteString("a" + string(i) + ": &a" + string(i) + " [" + strings.Repeat(prev+", ", 9) + prev + "]\n")
	}
	_, err := Parse("bomb.yaml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("Parse: %v", err)
	}
}

func TestNameFromFile(t *testing.T) {
	for file, want := range map[string]string{
		"my tests/RPS_2.yaml": "rps-2", "-": "scenario", "a.b.yml": "a-b", "": "scenario",
	} {
		s, err := Parse(file, []byte("topology: veth"))
		if err != nil {
			t.Fatal(err)
		}
		if s.Name != want {
			t.Errorf("file %q: name %q, want %q", file, s.Name, want)
		}
	}
}
