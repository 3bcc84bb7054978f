package scenarios

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/results/vocab"
)

func TestOverride(t *testing.T) {
	const rps = `
topology: loopback
placement: distinct
knobs: {sysctl: {net.core.netdev_budget: 300}}
arms:
  "off": {knobs: {device: {sink: {rps_cpus: none}}}}
  v1.2: {topology: veth}
`
	const sweep = `
matrix:
  traffic.message: [64, 1K]
  rps: {path: knobs.device.sink.rps_cpus, levels: {off: none, sink: sink}}
`
	for _, tt := range []struct {
		name, src string
		sets      []string
		get       func(*Scenario, []Arm) any
		want      any
	}{
		{"size", rps, []string{"traffic.message=64"}, func(_ *Scenario, a []Arm) any { return a[1].Config.Traffic.Message }, Size(64)},
		{"last one wins", rps, []string{"traffic.message=64", "traffic.message=1K"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Traffic.Message }, Size(1024)},
		{"beside a bare word", rps, []string{"topology.mtu=9000"}, func(_ *Scenario, a []Arm) any { return a[1].Config.Topology }, Topology{Kind: "veth", Family: "ipv4", MTU: 9000}},
		{"bare word", rps, []string{"traffic=UDP_STREAM"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Traffic.Protocol }, vocab.UDP},
		{"mapping", rps, []string{"traffic={protocol: udp, flows: 3}"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Traffic.Flows }, 3},
		{"a bare word replaces what belonged to the old traffic", "question: How fast?\ntraffic: {protocol: udp, message: 9000, flows: 3, source: {segment: 1400}, sink: {gro: on}}", []string{"traffic=TCP_RR", "traffic.threads=1"},
			func(s *Scenario, a []Arm) any {
				t := a[0].Config.Traffic
				return []any{t.Kind, t.Message, t.Response, t.Flows, t.Source, t.Sink, s.Question}
			}, []any{vocab.RR, Size(1), Size(1), 1, SourcePath{Path: "send", Socket: "connected"}, SinkPath{Path: "recv", Wait: "block"}, "How fast? (changed by --set traffic=TCP_RR, traffic.threads=1)"}},
		{"a bare word replaces the old topology", "topology: {kind: nic, source_device: a, sink_device: b, mtu: 9000}", []string{"topology=loopback"},
			func(_ *Scenario, a []Arm) any { return a[0].Config.Topology }, Topology{Kind: "loopback", Family: "ipv4"}},
		{"a bare word replaces a path", "traffic: {protocol: udp, source: {path: sendmmsg, batch: 8, zerocopy: on}}", []string{"traffic.source=send"},
			func(_ *Scenario, a []Arm) any { return a[0].Config.Traffic.Source }, SourcePath{Path: "send", Socket: "connected"}},
		{"a bare word replaces traffic beside, and leaves the rest", "traffic: {message: 64, beside: {rpc: {protocol: TCP_RR, depth: 4, source: {path: write}}}}", []string{"traffic.beside.rpc=TCP_RR", "traffic.beside.rpc.source=sendmsg"},
			func(_ *Scenario, a []Arm) any {
				b := a[0].Config.Traffic.Beside["rpc"]
				return []any{a[0].Config.Traffic.Message, b.Depth, b.Source.Path}
			}, []any{Size(64), 1, "sendmsg"}},
		{"an arm's bare word lies over the common traffic as before", "traffic: {message: 64}\narms: {a: {traffic: udp}, b: {}}", nil,
			func(_ *Scenario, a []Arm) any { return a[0].Config.Traffic.Message }, Size(64)},
		{"how long to measure is no other question", "question: Why?", []string{"measure.max_time=20s"}, func(s *Scenario, _ []Arm) any { return s.Question }, "Why?"},
		{"a question of one's own", "question: Why?", []string{"traffic.message=64", "question=How?"}, func(s *Scenario, _ []Arm) any { return s.Question }, "How?"},
		{"sets instead of a mode", rps, []string{"placement={source: 1, sink: 0}"}, func(_ *Scenario, a []Arm) any { return a[0].CPUs }, ResolvedCPUs{[]int{1}, []int{0}}},
		{"sysctl, the dots in its name", rps, []string{"knobs.sysctl.net.core.netdev_budget=600"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Knobs.Sysctl }, map[string]string{"net/core/netdev_budget": "600"}},
		{"sysctl, several numbers", rps, []string{"knobs.sysctl.net.ipv4.tcp_rmem=4096 131072 6291456"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Knobs.Sysctl["net/ipv4/tcp_rmem"] }, "4096 131072 6291456"},
		{"sysctl, a list", rps, []string{"knobs.sysctl.net.ipv4.tcp_rmem=[1, 2, 3]"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Knobs.Sysctl["net/ipv4/tcp_rmem"] }, "1 2 3"},
		{"value with =", rps, []string{"knobs.sysctl.kernel.x=a=b"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Knobs.Sysctl["kernel/x"] }, "a=b"},
		{"braces need no quotes", rps, []string{"knobs.device.lo.rps_cpus={sink}"}, func(_ *Scenario, a []Arm) any { return a[0].Knobs[2].Value }, "1"},
		{"quotes are taken off", rps, []string{`question="why?"`}, func(s *Scenario, _ []Arm) any { return s.Question }, "why?"},
		{"device with a dot", rps, []string{"knobs.device.eth0.100.rps_cpus=all"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Knobs.Device["eth0.100"].RPSCPUs }, "all"},
		{"offload", rps, []string{"knobs.device.sink.offload.gro=off"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Knobs.Device["sink"].Offload["gro"] }, "off"},
		{"measure", rps, []string{"measure.slice=50ms"}, func(s *Scenario, _ []Arm) any { return s.Measure.Slice.String() }, "50ms"},
		{"metrics", rps, []string{"measure.metrics=[goodput, loss]"}, func(s *Scenario, _ []Arm) any { return s.Measure.Metrics }, []string{"goodput", "loss"}},
		{"one arm, its name with a dot", rps, []string{"arms.v1.2.traffic.flows=4", "arms.v1.2.topology.mtu=9000"},
			func(_ *Scenario, a []Arm) any {
				return []any{a[0].Config.Traffic.Flows, a[1].Config.Traffic.Flows, a[1].Config.Topology}
			},
			[]any{1, 4, Topology{Kind: "veth", Family: "ipv4", MTU: 9000}}},
		{"levels by path", sweep, []string{"matrix.traffic.message=[1, 2, 3]", "matrix.rps=[none]"}, func(_ *Scenario, a []Arm) any { return armNames(a) }, []string{"message=1,rps=none", "message=2,rps=none", "message=3,rps=none"}},
		{"levels by name", sweep, []string{"matrix.message=[1]", "matrix.rps.levels=[all, {sink}]"}, func(_ *Scenario, a []Arm) any { return armNames(a) }, []string{"message=1,rps=all", "message=1,rps={sink}"}},
		{"one more factor", sweep, []string{"matrix.traffic.message=[1]", "matrix.rps=[none]", "matrix.traffic.flows=[1, 2]"}, func(_ *Scenario, a []Arm) any { return armNames(a) }, []string{"message=1,rps=none,flows=1", "message=1,rps=none,flows=2"}},
		{"field of a path", rps, []string{"traffic.source=sendmsg", "traffic.source.zerocopy=on"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Traffic.Source },
			SourcePath{Path: "sendmsg", ZeroCopy: true, Socket: "connected"}},
		{"field beside a bare word of an arm", "arms: {a: {traffic: {protocol: udp, source: sendmmsg}}, b: {}}", []string{"arms.a.traffic.source.batch=64"},
			func(_ *Scenario, a []Arm) any { return a[0].Config.Traffic.Source }, SourcePath{Path: "sendmmsg", Batch: 64, Socket: "connected"}},
		{"netperf's name", rps, []string{"traffic.protocol=TCP_RR"}, func(s *Scenario, a []Arm) any {
			return []any{a[0].Config.Traffic.Kind, a[0].Config.Traffic.Message, s.Measure.Metrics}
		}, []any{vocab.RR, Size(1), []string{"transaction_rate"}}},
		{"rate", rps, []string{"traffic.rate=1.5M/s"}, func(_ *Scenario, a []Arm) any { return []any{a[0].Config.Traffic.Rate, a[0].Config.Traffic.Burst} }, []any{Rate(1.5e6), 1}},
		{"sizes", rps, []string{"traffic=udp", "traffic.sizes=imix"}, func(_ *Scenario, a []Arm) any { return a[0].Config.Traffic.Sizes }, Sizes{"64": 7, "570": 4, "1472": 1}},
		{"sizes instead of a message and back", rps, []string{"traffic.message=64", "traffic.sizes={1K: 2}", "traffic.message=32"}, func(_ *Scenario, a []Arm) any {
			return []any{a[0].Config.Traffic.Sizes, a[0].Config.Traffic.Message}
		}, []any{Sizes(nil), Size(32)}},
		{"a field of a search that is not there yet", rps, []string{"traffic=udp", "traffic.loss_free.to=2M"}, func(s *Scenario, a []Arm) any { return []any{*a[0].Config.Traffic.LossFree, s.Measure.Metrics} },
			[]any{LossFree{From: 1000, To: 2e6}, []string{"loss_free_rate"}}},
		{"the search off again", rps, []string{"traffic=udp", "traffic.loss_free=on", "traffic.loss_free=off"}, func(s *Scenario, a []Arm) any { return []any{a[0].Config.Traffic.LossFree == nil, s.Measure.Metrics} },
			[]any{true, []string{"goodput"}}},
		{"traffic beside, by name", rps, []string{"traffic.beside.rpc=TCP_RR", "traffic.beside.rpc.message=64", "traffic.beside.rpc.sink.path=read"}, func(_ *Scenario, a []Arm) any {
			b := a[0].Config.Traffic.Beside["rpc"]
			return []any{b.Kind, b.Message, b.Response, b.Sink.Path}
		}, []any{vocab.RR, Size(64), Size(64), "read"}},
		{"traffic beside, in an arm that wrote a word", "arms: {a: {traffic: {beside: {rpc: TCP_RR}}}, b: {}}", []string{"arms.a.traffic.beside.rpc.depth=4"}, func(_ *Scenario, a []Arm) any {
			return []any{a[0].Config.Traffic.Beside["rpc"].Kind, a[0].Config.Traffic.Beside["rpc"].Depth, len(a[1].Config.Traffic.Beside)}
		}, []any{vocab.RR, 4, 0}},
		{"levels of what goes beside", "traffic: {beside: {rpc: TCP_RR}}", []string{"matrix.traffic.beside.rpc.flows=[1, 4]"}, func(_ *Scenario, a []Arm) any {
			return []any{armNames(a), a[1].Config.Traffic.Beside["rpc"].Flows}
		}, []any{[]string{"flows=1", "flows=4"}, 4}},
		{"more arms, longer trials", "matrix: {traffic.flows: [1, 2]}", []string{"matrix.flows=[1,2,3,4,5,6,7,8,9,10]"}, func(s *Scenario, _ []Arm) any { return s.Measure.Trial.String() }, "6s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			with, err := ParseWith("test.yaml", []byte(tt.src), tt.sets)
			if err != nil {
				t.Fatal(err)
			}
			arms, err := Expand(with, twoCPUs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.get(with, arms)); diff != "" {
				t.Errorf("ParseWith (-want +got):\n%s", diff)
			}
			// One after the other on the parsed scenario: the same.
			s, err := Parse("test.yaml", []byte(tt.src))
			if err != nil {
				t.Fatal(err)
			}
			before, err := Expand(s, twoCPUs)
			if err != nil {
				t.Fatal(err)
			}
			over := s
			for _, set := range tt.sets {
				if over, err = Override(over, set); err != nil {
					t.Fatal(err)
				}
			}
			if arms, err = Expand(over, twoCPUs); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.get(over, arms)); diff != "" {
				t.Errorf("Override (-want +got):\n%s", diff)
			}
			after, err := Expand(s, twoCPUs)
			if diff := cmp.Diff(before, after); err != nil || diff != "" {
				t.Errorf("Override changed the scenario it was given (%v):\n%s", err, diff)
			}
		})
	}
}

func TestOverrideErrors(t *testing.T) {
	const src = `
traffic: {protocol: tcp}
arms: {"off": {traffic: {flows: 2}}, sink: {traffic: {flows: 3}}}
`
	for _, tt := range []struct {
		sets []string
		want []string
	}{
		{[]string{"traffic.mesage=64"}, []string{`--set:1:9: unknown key "mesage" in path "traffic.mesage"; did you mean "message"?`}},
		{[]string{"traffic.message"}, []string{`--set:1:16: "traffic.message" has no value; want path=value, such as traffic.message=64`}},
		{[]string{"traffic.message=64KB"}, []string{`--set:1:17: traffic.message: "64KB" is not a size;`}},
		{[]string{"traffic.message.x=1"}, []string{`--set:1:17: path "traffic.message.x" goes on below a single value`}},
		{[]string{"baseline=sink", "measure.slice=5", "topology=vet"}, []string{
			`--set:2:15: measure.slice: "5" has no unit;`, `--set:3:10: topology.kind: "vet" is not known; did you mean "veth"?`}},
		{[]string{"topology={kind: vet"}, []string{"--set:1:10: not YAML:"}},
		{[]string{"topology={knd: veth}"}, []string{`--set:1:11: unknown key "knd"; did you mean "kind"?`}},
		{[]string{"topology={kind: loopback, mtu: 9000, family: ipv5}"}, []string{`--set:1:46: topology.family: "ipv5" is not known`}},
		{[]string{"traffic.flows=4"}, []string{"--set:1:15: traffic.flows is set by every arm, so this has no effect; set it in the arm: arms.NAME.traffic.flows="}},
		{[]string{"arms.snk.traffic.flows=4"}, []string{`--set:1:6: no arm of "snk" is known, or no path follows it; did you mean "sink"?`}},
		{[]string{"arms.sink.traffic.flow=4"}, []string{`--set:1:19: unknown key "flow"`}},
		{[]string{"arms.sink.traffic.flows=x"}, []string{`--set:1:25: traffic.flows: "x" is not a whole number`}},
		{[]string{"matrix.traffic.mesage=[1]"}, []string{`--set:1:16: unknown key "mesage"`}},
		{[]string{"matrix.traffic.message=[1]"}, []string{"both matrix and arms"}},
		{[]string{"traffic.sizes.64=3"}, []string{`--set:1:15: path "traffic.sizes.64" goes on below a distribution; give all of it`}},
		{[]string{"traffic.source.path=sendv"}, []string{`--set:1:21: traffic.source.path: "sendv" is not known; did you mean "send"?`}},
		{[]string{"traffic.beside.rpc.flows=2", "traffic.beside.rpc=TCP_CRR"}, []string{
			"--set:2:1: traffic.beside.rpc=TCP_CRR replaces what --set traffic.beside.rpc.flows=2 gave before; give the whole first, then its parts"}},
		{[]string{"=1"}, []string{`--set:1:1: unknown key ""`}},
	} {
		_, err := ParseWith("test.yaml", []byte(src), tt.sets)
		var faults Errors
		if !errors.As(err, &faults) {
			t.Errorf("%q: %v, want Errors", tt.sets, err)
			continue
		}
		for _, want := range tt.want {
			if !slices.ContainsFunc(faults, func(e Error) bool { return strings.Contains(e.Error(), want) }) {
				t.Errorf("%q: says\n%v\nwant\n%s", tt.sets, err, want)
			}
		}
		if len(faults) != len(tt.want) {
			t.Errorf("%q: %d faults, want %d:\n%v", tt.sets, len(faults), len(tt.want), err)
		}
		for _, fault := range faults {
			if fault.Pos.File == setFlag && !strings.Contains(fault.Excerpt, tt.sets[fault.Pos.Line-1]) {
				t.Errorf("%q: excerpt %q", tt.sets, fault.Excerpt)
			}
		}
	}
}
