package confounder

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netab/analysis/world"
	"netab/results"
)

// A forward run over IPv4 and a reverse one over IPv6 answer two questions.
func TestConfoundersOfDescriptions(t *testing.T) {
	header := func(arms ...results.Arm) *results.Header {
		return &results.Header{Design: results.Design{Name: "s", Arms: arms}, Machine: results.Machine{CPUModel: "model", CPUsOnline: "0-1"}}
	}
	arm := func(name string, facts ...string) results.Arm {
		a := results.Arm{Name: name, Protocol: "tcp", Flows: 1, Description: results.Description{"traffic.protocol": "tcp"}}
		for i := 0; i < len(facts); i += 2 {
			a.Description[facts[i]] = facts[i+1]
		}
		return a
	}
	old := func(name string, message int) results.Arm {
		return results.Arm{Name: name, Protocol: "tcp", Message: message, Flows: 1}
	}
	knobs := func(a results.Arm, knobs ...string) results.Arm {
		a.Knobs = knobs
		return a
	}
	short := func(message string) string { return "tcp, " + message + " bytes, 1 flow, " }
	blocking := func(name, a, b string) Confounder { return Confounder{Name: name, A: a, B: b, Blocking: true} }
	plain := func(name, a, b string) Confounder { return Confounder{Name: name, A: a, B: b} }
	declared := func(name, a, b string) Confounder { return Confounder{Name: name, A: a, B: b, Declared: true} }
	for _, tt := range []struct {
		name     string
		a, b     *results.Header
		declared []string
		want     []Confounder
	}{
		{"the same", header(arm("x")), header(arm("x")), nil, []Confounder{}},
		{"one arm", header(arm("x", "traffic.direction", "forward", "topology.family", "ipv4")), header(arm("x", "traffic.direction", "reverse", "topology.family", "ipv6")), nil,
			[]Confounder{blocking("topology of x: family", "ipv4", "ipv6"), blocking("traffic of x: direction", "forward", "reverse")}},
		{"all arms alike", header(arm("x"), arm("y")), header(arm("x", "topology.mtu", "9000"), arm("y", "topology.mtu", "9000")), nil,
			[]Confounder{blocking("topology of all arms: mtu", "not set", "9000")}},
		{"two arms, each its own", header(arm("x"), arm("y")), header(arm("x", "topology.mtu", "9000"), arm("y", "topology.mtu", "1400")), nil,
			[]Confounder{blocking("topology of x: mtu", "not set", "9000"), blocking("topology of y: mtu", "not set", "1400")}},
		{"two of three", header(arm("x"), arm("y"), arm("z")), header(arm("x", "placement.mode", "same"), arm("y"), arm("z", "placement.mode", "same")), nil,
			[]Confounder{blocking("placement of x: mode", "not set", "same"), blocking("placement of z: mode", "not set", "same")}},
		{"what is in one run only", header(arm("x")), header(arm("x"), arm("y", "topology.mtu", "9000")), nil,
			[]Confounder{plain("arms", "x", "x, y")}},
		{"beside", header(arm("x", "traffic.beside.rpc.depth", "1")), header(arm("x", "traffic.beside.rpc.depth", "8")), nil,
			[]Confounder{blocking("traffic of x: beside.rpc.depth", "1", "8")}},
		{"a knob", header(knobs(arm("x", "knobs.device.sink.rps_cpus", "sink"), "sink rps_cpus = 1")), header(knobs(arm("x", "knobs.device.sink.rps_cpus", "all"), "sink rps_cpus = 0-1")), nil,
			[]Confounder{plain("knobs of x: device.sink.rps_cpus", "sink", "all")}},
		{"a knob that came to something else", header(knobs(arm("x", "knobs.device.sink.rps_cpus", "all"), "sink rps_cpus = 0-1")), header(knobs(arm("x", "knobs.device.sink.rps_cpus", "all"), "sink rps_cpus = 0-3")), nil,
			[]Confounder{plain("knobs of x", "sink rps_cpus = 0-1", "sink rps_cpus = 0-3")}},
		{"declared by name", header(arm("x")), header(arm("x", "traffic.nodelay", "on")), []string{"traffic of x: nodelay"},
			[]Confounder{declared("traffic of x: nodelay", "not set", "on")}},
		{"declared by arm", header(arm("x")), header(arm("x", "traffic.nodelay", "on")), []string{"traffic of x"},
			[]Confounder{declared("traffic of x: nodelay", "not set", "on")}},
		{"declared by path", header(arm("x"), arm("y")), header(arm("x", "traffic.source.path", "sendmsg"), arm("y", "traffic.source.path", "sendmsg")), []string{"traffic.source.path"},
			[]Confounder{declared("traffic of all arms: source.path", "not set", "sendmsg")}},
		{"another declared", header(arm("x")), header(arm("x", "traffic.source.path", "sendmsg")), []string{"traffic.path"},
			[]Confounder{blocking("traffic of x: source.path", "not set", "sendmsg")}},
		{"one of them older", header(old("x", 64)), header(arm("x", "traffic.direction", "reverse")), nil,
			[]Confounder{blocking("traffic of x", short("64"), short("0")), plain("description of the arms", "not recorded", "recorded")}},
		{"both older", header(old("x", 64)), header(old("x", 64)), nil,
			[]Confounder{plain("description of the arms", "not recorded", "not recorded")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ofHeaders(tt.a, tt.b, tt.declared)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// twoRuns are of one machine.
func twoRuns() (a, b *results.Run) {
	w := world.World{Effects: []float64{0}, Blocks: 10, Slice: 100 * time.Millisecond, White: 0.03}
	return w.Run(w.Design(0.02, time.Minute), 1, 2), w.Run(w.Design(0.02, time.Minute), 2, 2)
}

func TestConfounders(t *testing.T) {
	a, b := twoRuns()
	b.Header.Machine.Kernel = "6.19.0"
	b.Header.Machine.CPUModel = "other"
	b.Header.Machine.Qdiscs = map[string]string{"lo": "fq"}
	b.Header.Design.Arms[1].Knobs = []string{"rps"}
	got := ofHeaders(&a.Header, &b.Header, []string{"kernel"})
	want := []Confounder{
		{Name: "cpu model", A: "model", B: "other", Blocking: true},
		{Name: "kernel", A: "6.18.0", B: "6.19.0", Declared: true},
		{Name: "qdisc lo", B: "fq"},
		{Name: "knobs of arm1", B: "rps"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("confounders\n%+v, want\n%+v", got, want)
	}
}

// What is not known equals nothing: two machines of which neither tells its CPU
// are not comparable, one and the same machine is, and it is said.
func TestConfoundersUnknown(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(a, b *results.Machine)
		want   []Confounder
	}{
		{"one host, which may have another CPU", func(a, b *results.Machine) { a.CPUModel, b.CPUModel = "", "" },
			[]Confounder{{Name: "cpu model", A: "unknown", B: "unknown"}}},
		{"two hosts", func(a, b *results.Machine) { a.CPUModel, b.CPUModel, b.Hostname = "", "", "other" },
			[]Confounder{{Name: "machine", A: "synthetic", B: "other"}, {Name: "cpu model", A: "unknown", B: "unknown", Blocking: true}, {Name: "hostname", A: "synthetic", B: "other"}}},
		{"known in one", func(a, b *results.Machine) { b.CPUModel, b.Hostname = "", "other" },
			[]Confounder{{Name: "machine", A: "synthetic", B: "other"}, {Name: "cpu model", A: "model", B: "unknown", Blocking: true}, {Name: "hostname", A: "synthetic", B: "other"}}},
		{"another hostname, one machine-id", func(a, b *results.Machine) { a.MachineID, b.MachineID, b.Hostname = "1", "1", "other" },
			[]Confounder{{Name: "hostname", A: "synthetic", B: "other"}}},
		{"kernels whose configurations are unknown", func(a, b *results.Machine) { a.IRQTime, b.IRQTime, b.Kernel = "unknown", "unknown", "6.19.0" },
			[]Confounder{{Name: "debug options", A: "unknown", B: "unknown"}, {Name: "kernel", A: "6.18.0", B: "6.19.0"}}},
		{"one configuration is unknown, the other has options", func(a, b *results.Machine) { a.IRQTime, b.IRQTime, b.Debug = "unknown", "yes", []string{"KASAN"} },
			[]Confounder{{Name: "debug options", A: "unknown", B: "KASAN"}, {Name: "irq time accounting", A: "unknown", B: "yes"}}},
		{"one build", func(a, b *results.Machine) {
			a.IRQTime, b.IRQTime, a.KernelBuild, b.KernelBuild = "unknown", "unknown", "#1", "#1"
		}, []Confounder{}},
	} {
		a, b := twoRuns()
		tt.change(&a.Header.Machine, &b.Header.Machine)
		if got := ofHeaders(&a.Header, &b.Header, nil); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n%+v, want\n%+v", tt.name, got, tt.want)
		}
	}
}
