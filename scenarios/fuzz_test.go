package scenarios

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netab/results/cpulist"
)

func FuzzParse(f *testing.F) {
	for _, b := range Builtins() {
		src, _ := BuiltinSource(b.Name)
		f.Add(src)
	}
	bad, _ := filepath.Glob("testdata/bad/*.yaml")
	for _, file := range bad {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Parse("fuzz.yaml", src)
		if err != nil {
			for _, fault := range faultsIn(t, err) {
				if fault.Pos.Line < 1 || fault.Pos.Column < 1 || fault.Msg == "" {
					t.Errorf("a fault without a place: %+v", fault)
				}
			}
			return
		}
		arms, err := Expand(s, server())
		if err != nil {
			return
		}
		// What was taken must come back from its record.
		record, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("record.json", record)
		if err != nil {
			t.Fatalf("the record does not parse: %v\n%s", err, record)
		}
		if got, err := Expand(again, server()); err != nil || len(got) != len(arms) {
			t.Fatalf("%d arms became %d (%v)", len(arms), len(got), err)
		}
	})
}

func FuzzOverride(f *testing.F) {
	for _, set := range []string{
		"traffic.message=64", "matrix.traffic.message=[64,1K]", "knobs.sysctl.net.core.netdev_budget=600",
		"knobs.device.eth0.100.rps_cpus={sink}", "arms.a.traffic=udp", "=", "topology={kind: veth}", "a=\t", "measure.metrics=[&a x, *a]",
		"traffic.sizes={64: 7, 1K: 1}", "traffic.rate=1.5M/s", "traffic.loss_free=on", "traffic.loss_free.to=1e6", "traffic.beside.rpc=TCP_RR",
		"traffic.beside.rpc.sink.busy_poll=50us", "arms.a.traffic.source.batch=64", "matrix.traffic.pattern=[incast, single]",
	} {
		f.Add(set)
	}
	f.Fuzz(func(t *testing.T, set string) {
		for _, src := range []string{"arms: {a: {}, b: }", "matrix: {m: {path: traffic.message, levels: [1, 2]}}"} {
			s, err := Parse("fuzz.yaml", []byte(src))
			if err != nil {
				t.Fatal(err)
			}
			if s, err = Override(s, set); err == nil {
				_, _ = Expand(s, server())
				continue
			}
			for _, fault := range faultsIn(t, err) {
				if fault.Pos.Line < 1 || fault.Pos.Column < 1 {
					t.Errorf("a fault without a place: %+v", fault)
				}
			}
		}
	})
}

func FuzzCPUSet(f *testing.F) {
	for _, expr := range []string{"0,2-4", "all - {source}", "sibling of node 0", "(isolated + node of sink) - 1", "node 1-2"} {
		f.Add(expr)
	}
	online := map[int]bool{}
	for _, cpu := range server().Online {
		online[cpu] = true
	}
	f.Fuzz(func(t *testing.T, expr string) {
		set, err := parseCPUSet(expr)
		if err != nil {
			return
		}
		cpus, err := set(cpuEnv{server(), fixedRole("source", []int{1}), fixedRole("sink", []int{2, 6})})
		if err != nil {
			return
		}
		seen := map[int]bool{}
		for _, cpu := range cpus {
			if !online[cpu] || seen[cpu] {
				t.Errorf("%q gives %v: CPU %d is not online, or there twice", expr, cpus, cpu)
			}
			seen[cpu] = true
		}
		back, err := cpulist.ParseOrdered(cpulist.Format(cpus))
		if err != nil || len(back) != len(cpus) {
			t.Errorf("%v written and read is %v (%v)", cpus, back, err)
		}
	})
}

func FuzzSize(f *testing.F) {
	for _, text := range []string{"0", "64K", "1MiB", "9223372036854775807", "1 B"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := ParseSize(text)
		if err != nil {
			return
		}
		if back, err := ParseSize(size.String()); err != nil || back != size || strings.HasPrefix(text, "-") {
			t.Errorf("%q is %d, which is written %s and read as %d (%v)", text, size, size, back, err)
		}
	})
}

func FuzzRate(f *testing.F) {
	for _, text := range []string{"0", "300k", "1.5M/s", "1e300G", "0.1", "1e-9", "12345678.9"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rate, err := ParseRate(text)
		if err != nil {
			return
		}
		if back, err := ParseRate(rate.String()); err != nil || back != rate || rate < 0 {
			t.Errorf("%q is %g, which is written %s and read as %g (%v)", text, rate, rate, back, err)
		}
	})
}

// FuzzPattern holds the places of flows and their number against the list of
// pairs.
func FuzzPattern(f *testing.F) {
	for i := range patterns() {
		f.Add(uint8(i), uint8(3), uint8(2), uint8(2), uint8(0))
	}
	f.Add(uint8(0), uint8(0), uint8(0), uint8(9), uint8(2))
	f.Fuzz(func(t *testing.T, pattern, sources, sinks, flows, threads uint8) {
		traffic := Traffic{Pattern: patterns()[int(pattern)%len(patterns())], Sources: int(sources % 8), Sinks: int(sinks % 8), Flows: int(flows % 8), Threads: int(threads % 3)}
		pairs := traffic.Pairs()
		if len(pairs) != traffic.flowCount() || len(pairs) == 0 {
			t.Fatalf("%+v: %d pairs, counted %d", traffic, len(pairs), traffic.flowCount())
		}
		atSource, atSink := traffic.Places()
		for i, p := range pairs {
			source, sink := traffic.PlaceOf(i)
			if source < 0 || source >= atSource || sink < 0 || sink >= atSink {
				t.Fatalf("%+v: flow %d at %d, %d of %d, %d places", traffic, i, source, sink, atSource, atSink)
			}
			if traffic.Threads == 0 && !traffic.spread() && (source != p.Source || sink != p.Sink) {
				t.Fatalf("%+v: flow %d is %v, but at %d, %d", traffic, i, p, source, sink)
			}
		}
	})
}
