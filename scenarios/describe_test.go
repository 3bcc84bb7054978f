package scenarios

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A leaf is a single value somewhere below a configuration.
type leaf struct {
	path string
	set  func(*Config) // gives it a value that it has not
}

// leavesOf lists every single value that a type holds, by reflection alone, so
// that it knows nothing of keys, tags and rules.
func leavesOf(t reflect.Type, path string, at func(reflect.Value) reflect.Value, depth int) []leaf {
	set := func(v any) []leaf {
		return []leaf{{path, func(c *Config) {
			at(reflect.ValueOf(c).Elem()).Set(reflect.ValueOf(v).Convert(t))
		}}}
	}
	switch t.Kind() {
	case reflect.Struct:
		var out []leaf
		for i := range t.NumField() {
			out = append(out, leavesOf(t.Field(i).Type, path+"."+t.Field(i).Name, func(c reflect.Value) reflect.Value { return at(c).Field(i) }, depth)...)
		}
		return out
	case reflect.Pointer:
		return leavesOf(t.Elem(), path, func(c reflect.Value) reflect.Value {
			v := at(c)
			if v.IsNil() {
				v.Set(reflect.New(t.Elem()))
			}
			return v.Elem()
		}, depth)
	case reflect.Map:
		if depth == 0 {
			return nil // traffic beside traffic beside traffic
		}
		var out []leaf
		entry := reflect.New(t.Elem()).Elem()
		for _, l := range leavesOf(t.Elem(), path+"[k]", func(reflect.Value) reflect.Value { return entry }, depth-1) {
			out = append(out, leaf{l.path, func(c *Config) {
				entry.SetZero()
				l.set(c)
				v := at(reflect.ValueOf(c).Elem())
				v.Set(reflect.MakeMap(t))
				v.SetMapIndex(reflect.ValueOf("k"), entry)
			}})
		}
		return out
	case reflect.Bool:
		return set(true)
	case reflect.Int, reflect.Int64, reflect.Float64:
		return set(7)
	case reflect.String:
		return set("word")
	}
	panic("a field of a kind that leavesOf does not know: " + path)
}

// A field that a description leaves out is one in which two runs can differ
// without a word.
func TestEveryFieldIsDescribed(t *testing.T) {
	leaves := leavesOf(reflect.TypeFor[Config](), "", func(c reflect.Value) reflect.Value { return c }, 2)
	if len(leaves) < 100 {
		t.Fatalf("only %d fields were found", len(leaves))
	}
	none := Config{}.Describe()
	seen := map[string]string{}
	for _, l := range leaves {
		var c Config
		l.set(&c)
		var more []string
		for path := range c.Describe() {
			if _, ok := none[path]; !ok {
				more = append(more, path)
			}
		}
		key := strings.Join(more, " ")
		if len(more) == 0 {
			t.Errorf("%s is not described", l.path)
		} else if other, ok := seen[key]; ok {
			t.Errorf("%s and %s are both described as %s", l.path, other, key)
		}
		seen[key] = l.path
	}
}

// describe is the first arm's description.
func describe(t *testing.T, src string) map[string]string {
	t.Helper()
	s, err := Parse("test.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	arms, err := Unplaced(s)
	if err != nil {
		t.Fatal(err)
	}
	return arms[0].Config.Describe()
}

func TestDescribe(t *testing.T) {
	got := describe(t, `
topology: {kind: veth, family: ipv6, mtu: 9000}
traffic:
  protocol: udp
  direction: reverse
  sizes: {64: 7, 1K: 1}
  rate: 300k
  pacing_rate: 1.5G
  loss_free: false
  source: sendmsg
  sink: {busy_poll: 50us, gro: true}
placement: {source: "0", sink: "{source}  + 1"}
knobs:
  sysctl: {net.core.rmem_max: 65536}
  device: {sink: {rps_cpus: off, channels: {rx: 0}, queue: {rx-0: {rps_cpus: all}}}}
`)
	want := map[string]string{
		"topology.kind": "veth", "topology.family": "ipv6", "topology.mtu": "9000",
		"traffic.kind": "stream", "traffic.protocol": "udp", "traffic.direction": "reverse",
		"traffic.sizes.64": "7", "traffic.sizes.1024": "1",
		"traffic.pattern": "one-to-one", "traffic.sources": "1", "traffic.sinks": "1", "traffic.flows": "1",
		"traffic.rate": "300k", "traffic.burst": "1", "traffic.pacing_rate": "1.5G",
		"traffic.source.path": "sendmsg", "traffic.source.socket": "connected",
		"traffic.sink.path": "recvmsg", "traffic.sink.socket": "connected", "traffic.sink.wait": "block",
		"traffic.sink.gro": "on", "traffic.sink.busy_poll": "50us",
		"placement.source": "0", "placement.sink": "source + 1",
		"knobs.sysctl.net/core/rmem_max": "65536", "knobs.device.sink.rps_cpus": "none",
		"knobs.device.sink.channels.rx": "0", "knobs.device.sink.queue.rx-0.rps_cpus": "all",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// One configuration has one description, however it was written.
func TestDescribeIsCanonical(t *testing.T) {
	for _, tt := range []struct{ name, a, b string }{
		{"defaults of tcp written out", "traffic: tcp", `
topology: {kind: loopback, family: ipv4, mtu: 65536}
traffic: {kind: stream, protocol: tcp, message: 128K, pattern: one-to-one, sources: 1, sinks: 1, flows: 1, direction: forward, congestion: cubic, source: {path: send, socket: connected}, sink: {path: recv, wait: block}}
placement: {mode: distinct}`},
		{"defaults of udp written out", "traffic: {protocol: udp, rate: 1000}", "traffic: {protocol: udp, rate: 1k, message: 1472, burst: 1, sink: {socket: connected}}"},
		{"defaults of rr written out", "traffic: {kind: rr, protocol: udp}", "traffic: {protocol: UDP_RR, message: 1, response: 1, depth: 1, timeout: 100ms}"},
		{"off written out", "topology: veth", "{topology: {kind: veth, mtu: 1500}, traffic: {rate: 0, nodelay: off, pacing_rate: 0, loss_free: off, think: 0s, source: {segment: 0, zerocopy: no}}}"},
		{"units", "traffic: {protocol: udp, message: 1K, rate: 1.5M, loss_free: off}", "traffic: {protocol: udp, message: 1024, rate: 1500000/s}"},
		{"a search and its bounds", "traffic: {protocol: udp, loss_free: true}", "traffic: {protocol: udp, loss_free: {loss: 0, from: 1000, to: 10M}}"},
		{"names of a sysctl", "knobs: {sysctl: {net.core.rmem_max: 4096}}", "knobs: {sysctl: {net/core/rmem_max: 4096}}"},
		{"a list", "knobs: {sysctl: {net.ipv4.tcp_rmem: [1, 2, 3]}}", "knobs: {sysctl: {net.ipv4.tcp_rmem: '1 2 3'}}"},
		{"braces", "placement: {source: 0, sink: '{source} + 1'}", "placement: {source: 0, sink: source +  1}"},
		{"by an arm", "traffic: {direction: reverse}", "arms: {a: {traffic: {direction: reverse}}}"},
		{"by a matrix", "topology: {kind: veth, mtu: 9000}", "{topology: veth, matrix: {topology.mtu: [9000]}}"},
		{"beside", "traffic: {beside: {short: TCP_RR}}", "traffic: {beside: {short: {kind: rr, message: 1, depth: 1, direction: forward}}}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(describe(t, tt.a), describe(t, tt.b)); diff != "" {
				t.Errorf("(-a +b):\n%s", diff)
			}
		})
	}
}

// What a record holds of a scenario describes the arms as the scenario did,
// without the machine that it was made for.
func TestUnplaced(t *testing.T) {
	const src = `
traffic: {protocol: udp, message: 100}
placement: {source: "0", sink: "1"}
matrix: {topology.family: [ipv4, ipv6], setup: {path: ., levels: {a: {knobs: {device: {sink: {rps_cpus: sink}}}}, b: {placement: same}}}}
`
	s, err := Parse("test.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("recorded", recorded)
	if err != nil {
		t.Fatal(err)
	}
	arms, err := Unplaced(again)
	if err != nil {
		t.Fatal(err)
	}
	want := mustExpand(t, twoCPUs, src)
	if len(arms) != len(want) {
		t.Fatalf("%d arms, want %d", len(arms), len(want))
	}
	for i, a := range arms {
		if diff := cmp.Diff(want[i].Config.Describe(), a.Config.Describe()); diff != "" || a.Name != want[i].Name {
			t.Errorf("%s, want %s (-want +got):\n%s", a.Name, want[i].Name, diff)
		}
	}
}
