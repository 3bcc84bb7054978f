package scenarios

import (
	"reflect"
	"strings"
	"testing"
)

func TestSlowed(t *testing.T) {
	const text = `
question: q
topology: {kind: veth, mtu: 9000}
traffic: {protocol: udp, message: 1000}
placement: {source: "0", sink: "all - {source}"}
arms:
  a: {}
  b: {traffic: {message: 64, flows: 2}, knobs: {device: {sink: {rps_cpus: "{source}"}}}}
measure: {resolution: 3%, metrics: [packet_rate, loss]}
`
	s, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cpus := CPUs{Online: []int{0, 1, 2}}
	arms, err := Expand(s, cpus)
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range []Fraction{0, 0.02} {
		slowed, err := Slowed(s, arms[1], share)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Expand(slowed, cpus)
		if err != nil || len(got) != 2 || got[0].Name != ArmOff || got[1].Name != ArmSlower {
			t.Fatalf("%v, %v", got, err)
		}
		if got[0].Config.Traffic.Source.Slowdown != 0 || got[1].Config.Traffic.Source.Slowdown != share {
			t.Errorf("slowed down by %v and %v, want 0 and %v", got[0].Config.Traffic.Source.Slowdown, got[1].Config.Traffic.Source.Slowdown, share)
		}
		got[1].Config.Traffic.Source.Slowdown = 0
		for _, a := range got {
			if !reflect.DeepEqual(a.Config, arms[1].Config) || !reflect.DeepEqual(a.CPUs, arms[1].CPUs) {
				t.Errorf("%s is not the arm that was to be slowed down:\n%+v\nwant\n%+v", a.Name, a.Config, arms[1].Config)
			}
		}
		if slowed.BaselineArm(got) != ArmOff || slowed.Measure.Resolution != 0.03 || !reflect.DeepEqual(slowed.Measure.Metrics, []string{"packet_rate"}) {
			t.Errorf("baseline %s, %+v", slowed.BaselineArm(got), slowed.Measure)
		}
	}
	if _, ok := s.Arms[0].Overlay.(map[string]any); !ok && s.Arms[0].Overlay != nil {
		t.Errorf("the scenario itself was changed: %v", s.Arms[0].Overlay)
	}
}

func TestSlowdownRefused(t *testing.T) {
	for traffic, want := range map[string]string{
		"{protocol: udp, rate: 1000, source: {slowdown: 3%}}":           "keeps to a rate",
		"{kind: rr, depth: 4, source: {slowdown: 3%}}":                  "not what limits the rate",
		"{kind: crr, source: {slowdown: 3%}}":                           "not what limits the rate",
		"{protocol: udp, threads: 1, source: {slowdown: 3%}}":           "not what limits the rate",
		"{protocol: udp, source: {path: pktgen, slowdown: 3%}}":         "kernel's thread",
		"{protocol: udp, source: {slowdown: 100%}}":                     "slowdown",
		"{protocol: udp, loss_free: true, source: {slowdown: 1%}}":      "keeps to a rate",
		"{protocol: tcp, message: 1K, source: {slowdown: 0}}":           "",
		"{kind: rr, protocol: tcp, message: 1, source: {slowdown: 5%}}": "",
	} {
		_, err := Parse("x.yaml", []byte("question: q\ntraffic: "+traffic+"\n"))
		if want == "" && err != nil {
			t.Errorf("%s: %v", traffic, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want one about %q", traffic, err, want)
		}
	}
}
