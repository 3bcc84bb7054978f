package scenarios

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/results/vocab"
)

func asTyped(name, path, text string) Typed { return Typed{Flag: name, Path: path, Text: text} }

func TestParseTyped(t *testing.T) {
	traffic := func(text string) Typed { return asTyped("--traffic", "traffic", text) }
	arm := func(text string) Typed { return asTyped("--arm", "", text) }
	vary := func(text string) Typed { return asTyped("--vary", "", text) }
	for _, tt := range []struct {
		name  string
		typed []Typed
		arms  []string // of the scenario, whose name comes first
		get   func([]Arm) any
		want  any
	}{
		{"a word", []Typed{traffic("TCP_RR")}, []string{"tcp-rr", "tcp-rr"}, func(a []Arm) any { return a[0].Config.Traffic.Kind }, vocab.RR},
		{"neper's", []Typed{traffic("udp_rr")}, []string{"udp-rr", "udp-rr"}, func(a []Arm) any { return a[0].Config.Traffic.Protocol }, vocab.UDP},
		{"with a dash", []Typed{traffic("tcp-crr")}, []string{"tcp-crr", "tcp-crr"}, func(a []Arm) any { return a[0].Config.Traffic.Kind }, vocab.CRR},
		{"other way", []Typed{traffic("TCP_MAERTS")}, []string{"tcp-stream", "tcp-stream"}, func(a []Arm) any { return a[0].Config.Traffic.Direction }, "reverse"},
		{"sendfile", []Typed{traffic("TCP_SENDFILE")}, []string{"tcp-stream", "tcp-stream"}, func(a []Arm) any { return a[0].Config.Traffic.Source.Path }, "sendfile"},
		{"a mapping", []Typed{traffic("{protocol: udp, flows: 3}")}, []string{"udp-stream", "udp-stream"}, func(a []Arm) any { return a[0].Config.Traffic.Flows }, 3},
		{"arms", []Typed{arm("off"), arm("sink: knobs.device.lo.rps_cpus={sink}")}, []string{"tcp-stream", "off", "sink"},
			func(a []Arm) any { return a[1].Knobs[0].Value }, "1"},
		{"an arm of several settings, with commas and blanks in them", []Typed{arm("a"), arm(`b: placement.source=0,1, placement.sink=1 knobs.sysctl.net.ipv4.tcp_rmem=4096 131072 6291456; traffic.flows=2`)},
			[]string{"tcp-stream", "a", "b"}, func(a []Arm) any {
				return []any{a[1].Config.Placement.Source, a[1].Config.Knobs.Sysctl["net/ipv4/tcp_rmem"], a[1].Config.Traffic.Flows}
			}, []any{"0,1", "4096 131072 6291456", 2}},
		{"an arm as a file has it", []Typed{arm("a"), arm(`b: {traffic: {flows: 2}}`)}, []string{"tcp-stream", "a", "b"}, func(a []Arm) any { return a[1].Config.Traffic.Flows }, 2},
		{"levels", []Typed{traffic("UDP_STREAM"), vary("traffic.message=64,1472")}, []string{"udp-stream-message", "message=64", "message=1472"},
			func(a []Arm) any { return a[1].Config.Traffic.Message }, Size(1472)},
		{"levels in braces", []Typed{vary("knobs.device.lo.rps_cpus=none,{sink},(0,1)")}, []string{"tcp-stream-rps-cpus", "rps_cpus=none", "rps_cpus={sink}", "rps_cpus=(0,1)"}, nil, nil},
		{"named levels", []Typed{vary("traffic.message={small: 64, large: 1K}")}, []string{"tcp-stream-message", "message=small", "message=large"}, nil, nil},
		{"two factors", []Typed{vary("traffic.message=64,1K"), vary("traffic.flows=1,2")}, []string{"tcp-stream-message-flows", "message=64,flows=1", "message=64,flows=2", "message=1K,flows=1", "message=1K,flows=2"}, nil, nil},
		{"arms across levels", []Typed{vary("traffic.message=64,1K"), arm("off"), arm("on: traffic.nodelay=on")}, []string{"tcp-stream-message-arm", "message=64,arm=off", "message=64,arm=on", "message=1K,arm=off", "message=1K,arm=on"},
			func(a []Arm) any { return []any{a[2].Config.Traffic.NoDelay, a[3].Config.Traffic.NoDelay} }, []any{false, true}},
		{"a name", []Typed{traffic("udp"), asTyped("--set", "", "name=mine")}, []string{"mine", "mine"}, nil, nil},
		{"veth", []Typed{asTyped("--topology", "topology", "veth")}, []string{"tcp-stream-veth", "tcp-stream-veth"}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ParseTyped(tt.typed)
			if err != nil {
				t.Fatal(err)
			}
			arms, err := Expand(s, twoCPUs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.arms, append([]string{s.Name}, armNames(arms)...)); diff != "" {
				t.Error(diff)
			}
			if tt.get != nil {
				if diff := cmp.Diff(tt.want, tt.get(arms)); diff != "" {
					t.Error(diff)
				}
			}
			sameAgain(t, s, arms)
		})
	}
}

// sameAgain: what YAML prints is read as the same.
func sameAgain(t *testing.T, s *Scenario, arms []Arm) {
	t.Helper()
	again, err := Parse("again.yaml", s.YAML())
	if err != nil {
		t.Fatalf("%v\n%s", err, s.YAML())
	}
	got, err := Expand(again, twoCPUs)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.YAML())
	}
	blank := func(arms []Arm) (out []Arm) {
		for _, a := range arms {
			knobs := a.Knobs
			a.Knobs = nil
			for _, k := range knobs {
				k.Pos = Pos{}
				a.Knobs = append(a.Knobs, k)
			}
			out = append(out, a)
		}
		return out
	}
	if diff := cmp.Diff(blank(arms), blank(got)); diff != "" {
		t.Errorf("printed and read again (-want +got):\n%s\n%s", diff, s.YAML())
	}
	if again.Name != s.Name || again.Measure.MaxTime != s.Measure.MaxTime || again.BaselineArm(got) != s.BaselineArm(arms) {
		t.Errorf("name %q, max_time %v, baseline %q; want %q, %v, %q", again.Name, again.Measure.MaxTime, again.BaselineArm(got), s.Name, s.Measure.MaxTime, s.BaselineArm(arms))
	}
}

func TestYAMLOfBuiltins(t *testing.T) {
	for _, b := range Builtins() {
		src, _ := BuiltinSource(b.Name)
		for _, sets := range [][]string{nil, {"measure.max_time=33s"}, {"topology.mtu=1400", "measure.max_time=120s"}} {
			s, err := ParseWith(b.Name, src, sets)
			if err != nil {
				continue // it sets that itself
			}
			arms, err := Expand(s, twoCPUs)
			if err != nil {
				continue // it wants more CPUs
			}
			t.Run(b.Name, func(t *testing.T) { sameAgain(t, s, arms) })
		}
	}
}

func TestTypedErrors(t *testing.T) {
	for _, tt := range []struct {
		typed Typed
		want  string
	}{
		{asTyped("--traffic", "traffic", "TCP_R"), `--traffic:1:1: traffic.protocol: "TCP_R" is not a kind of traffic; want tcp, udp`},
		{asTyped("--traffic", "traffic", "{knd: rr}"), `--traffic:1:2: unknown key "knd"; did you mean "kind"?`},
		{asTyped("--message", "traffic.message", "64KB"), `--message:1:1: traffic.message: "64KB" is not a size`},
		{asTyped("--vary", "", "message=64,1472"), `--vary:1:1: unknown key "message" in path "message"; did you mean traffic.message?`},
		{asTyped("--vary", "", "traffic.mesage=64"), `--vary:1:9: unknown key "mesage" in path "traffic.mesage"; did you mean "message"?`},
		{asTyped("--vary", "", "traffic.message=64,x1"), `--vary:1:20: traffic.message: "x1" is not a size`},
		{asTyped("--vary", "", "traffic.message=64,,1"), `--vary:1:20: an empty level`},
		{asTyped("--vary", "", "traffic.message"), `--vary:1:16: "traffic.message" has no levels; want PATH=LEVEL,LEVEL`},
		{asTyped("--arm", "", "traffic.message=64"), `--arm:1:1: "traffic.message=64" names no arm; want NAME, or NAME: PATH=VALUE`},
		{asTyped("--arm", "", "a: message=64"), `--arm:1:4: "message=64" is no setting of an arm; did you mean traffic.message?`},
		{asTyped("--arm", "", "a: nonsense"), `--arm:1:4: "nonsense" is no setting of an arm; want NAME`},
		{asTyped("--arm", "", "a: traffic.message=64, traffic.flws=2"), `--arm:1:32: unknown key "flws"`},
		{asTyped("--arm", "", "a: traffic.message=64, traffic.flows=x"), `--arm:1:38: traffic.flows: "x" is not a whole number`},
		{asTyped("--arm", "", "a: {traffc: udp}"), `--arm:1:5: unknown key "traffc"`},
		{asTyped("--arm", "", "a:"), `--arm:1:3: nothing follows "a:"`},
		{asTyped("--arm", "", ""), `--arm:1:1: "" names no arm`},
	} {
		_, err := ParseTyped([]Typed{tt.typed})
		var faults Errors
		if !errors.As(err, &faults) {
			t.Errorf("%v: %v, want Errors", tt.typed, err)
			continue
		}
		if len(faults) != 1 || !strings.Contains(faults[0].Error(), tt.want) {
			t.Errorf("%v: says\n%v\nwant\n%s", tt.typed, err, tt.want)
		}
		if faults[0].Excerpt == "" || !strings.Contains(faults[0].Excerpt, tt.typed.Text) {
			t.Errorf("%v: excerpt %q", tt.typed, faults[0].Excerpt)
		}
	}
	_, err := ParseTyped([]Typed{asTyped("--arm", "", "a"), asTyped("--arm", "", "a")})
	if err == nil || !strings.Contains(err.Error(), `--arm:2:1: there is an arm named "a" already`) {
		t.Error(err)
	}
}

// --vary of a scenario that has arms, or a matrix, of its own makes a factor beside them,
// and keeps its baseline.
func TestVaryWhatIsNamed(t *testing.T) {
	const arms = "topology: veth\narms: {\"off\": {traffic: {nodelay: off}}, \"on\": {traffic: {nodelay: on}}}\nbaseline: \"on\"\n"
	const matrix = "topology: veth\nmatrix: {traffic.message: [64, 1K]}\nbaseline: message=1K\n"
	vary := func(text string) Typed { return asTyped("--vary", "", text) }
	for _, tt := range []struct {
		name, src string
		typed     []Typed
		baseline  string
		arms      []string
	}{
		{"arms", arms, []Typed{vary("traffic.flows=1,2")}, "flows=1,arm=on", []string{"flows=1,arm=off", "flows=1,arm=on", "flows=2,arm=off", "flows=2,arm=on"}},
		{"arms of both", arms, []Typed{vary("traffic.flows=1,2"), asTyped("--arm", "", "x: traffic.message=4K")}, "flows=1,arm=on",
			[]string{"flows=1,arm=off", "flows=1,arm=on", "flows=1,arm=x", "flows=2,arm=off", "flows=2,arm=on", "flows=2,arm=x"}},
		{"another factor", matrix, []Typed{vary("traffic.flows=1,2")}, "message=1K,flows=1", []string{"message=64,flows=1", "message=64,flows=2", "message=1K,flows=1", "message=1K,flows=2"}},
		{"other levels", matrix, []Typed{vary("traffic.message=1K,4K")}, "message=1K", []string{"message=1K", "message=4K"}},
		{"without the baseline's", matrix, []Typed{vary("traffic.message=2K,4K")}, "message=2K", []string{"message=2K", "message=4K"}},
		{"a baseline typed", matrix, []Typed{vary("traffic.flows=1,2"), asTyped("--baseline", "baseline", "message=64,flows=2")}, "message=64,flows=2",
			[]string{"message=64,flows=1", "message=64,flows=2", "message=1K,flows=1", "message=1K,flows=2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ParseFile("test.yaml", []byte(tt.src), tt.typed)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Expand(s, twoCPUs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]string{tt.baseline}, tt.arms...), append([]string{s.BaselineArm(got)}, armNames(got)...)); diff != "" {
				t.Error(diff)
			}
			sameAgain(t, s, got)
		})
	}
	for _, src := range []string{arms + "matrix: {traffic.message: [64, 1K]}\n", arms} {
		typed := []Typed{vary("traffic.flows=1,2")}
		want := "a scenario has both matrix and arms"
		if src == arms {
			typed, want = append(typed, asTyped("--baseline", "baseline", "on")), `no arm is named "on"`
		}
		if _, err := ParseFile("test.yaml", []byte(src), typed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
