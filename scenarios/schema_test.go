package scenarios

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/jsonschema-go/jsonschema"
)

func loadSchema(t *testing.T) (*jsonschema.Schema, *jsonschema.Resolved) {
	t.Helper()
	var schema jsonschema.Schema
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return &schema, resolved
}

// asJSON is a YAML document as a schema validator of an editor sees it.
func asJSON(t *testing.T, src []byte) any {
	t.Helper()
	text, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSchemaIsInStep(t *testing.T) {
	made, err := makeSchema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", made, 0o666); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(made, Schema()) {
		t.Error("schema.json is not what the types and rules make now: go test ./scenarios -update")
	}
}

func TestSchemaTakesBuiltins(t *testing.T) {
	_, schema := loadSchema(t)
	for _, b := range Builtins() {
		src, _ := BuiltinSource(b.Name)
		if err := schema.Validate(asJSON(t, src)); err != nil {
			t.Errorf("%s: %v", b.Name, err)
		}
		s, err := Parse(b.Name, src)
		if err != nil {
			t.Fatal(err)
		}
		record, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, record)); err != nil {
			t.Errorf("%s as JSON: %v", b.Name, err)
		}
	}
}

// TestSchemaAndParseAgree gives both the same documents, each with one value
// that both must take or refuse.
func TestSchemaAndParseAgree(t *testing.T) {
	_, schema := loadSchema(t)
	for _, tt := range []struct {
		src string
		ok  bool
	}{
		{"topology: veth", true},
		{"topology: bridge", false},
		{"topology: {kind: veth, mtu: 9000}", true},
		{"topology: {kind: veth, mtu: 60}", false},
		{"topology: {knd: veth}", false},
		{"traffic: TCP_STREAM", true},
		{"traffic: tcp_stream", true},
		{"traffic: TCP_RR", true},
		{"traffic: tcp_sendpage", false},
		{"traffic: Unix-Dgram", true},
		{"traffic: {kind: flood, source: sendmmsg, sink: {path: recvmmsg, batch: 8}}", true},
		{"traffic: {kind: floods}", false},
		{"traffic: {source: sendv}", false},
		{"traffic: {source: {path: send, segments: 3}}", false},
		{"traffic: {source:, sink: }", true},
		{"traffic: {protocol: udp, source: {segment: 0}, sink: {busy_poll: 0s}}", true},
		{"traffic: {sink: {wait: spin}}", true},
		{"traffic: {sink: {wait: sleep}}", false},
		{"traffic: {protocol: udp, sizes: imix}", true},
		{"traffic: {protocol: udp, sizes: {64: 7, 1K: 1}}", true},
		{"traffic: {protocol: udp, sizes: {64: 0}}", false},
		{"traffic: {protocol: udp, sizes: {}}", false},
		{"traffic: {protocol: udp, sizes: [64]}", false},
		{"traffic: {protocol: udp, sizes: small}", false},
		{"traffic: {rate: 300k}", true},
		{"traffic: {rate: 1.5M/s, burst: 8}", true},
		{"traffic: {rate: 5000}", true},
		{"traffic: {rate: 0.5}", true},
		{"traffic: {rate: 0}", true},
		{"traffic: {rate: 1e6}", true},
		{"traffic: {rate: fast}", false},
		{"traffic: {rate: -1}", false},
		{"traffic: {rate: 2000000000}", false},
		{"traffic: {protocol: udp, loss_free: on}", true},
		{"traffic: {protocol: udp, loss_free: }", true},
		{"traffic: {protocol: udp, loss_free: {loss: 0, from: 1k, to: 1M}}", true},
		{"traffic: {protocol: udp, loss_free: {los: 0}}", false},
		{"traffic: {protocol: udp, loss_free: 5%}", false},
		{"traffic: {beside: {rpc: TCP_RR}}", true},
		{"traffic: {beside: {rpc: {kind: rr, message: 64}, bulk: }}", true},
		{"traffic: {beside: {rpc: {kinds: rr}}}", false},
		{"traffic: {beside: {r/c: {kind: rr}}}", false},
		{"traffic: {kind: rr, think: 0s}", true},
		{"traffic: {pattern: incast, sources: 4}", true},
		{"traffic: {pattern: incest}", false},
		{"traffic: {threads: 0}", true},
		{"measure: {metrics: [goodput, rpc.latency_p99]}", true},
		{"traffic: {message: 64K}", true},
		{"traffic: {message: 64KB}", false},
		{"traffic: {message: 0}", false},
		{"traffic: {flows: 1001}", false},
		{"traffic: {nodelay: true}", true},
		{"traffic: {nodelay: maybe}", false},
		{"placement: same", true},
		{"placement: {source: 0, sink: '{source}'}", true},
		{"placement: {source: 0, sink: {source}}", true},
		{"placement: {source: 0, sink: {middle}}", false},
		{"knobs: {sysctl: {net.ipv4.tcp_rmem: [4096, 131072, 6291456]}}", true},
		{"knobs: {sysctl: {net ipv4: 1}}", false},
		{"knobs: {device: {lo: {threaded: on, gro_flush_timeout: 20us}}}", true},
		{"knobs: {device: {lo: {threaded: perhaps}}}", false},
		{"knobs: {device: {lo: {gro_flush_timeout: 20 fortnights}}}", false},
		{"knobs: {device: {lo: {queue: {rx-0: {rps_cpus: all}}}}}", true},
		{"knobs: {device: {lo: {queue: {rx0: {rps_cpus: all}}}}}", false},
		{"knobs: {device: {lo: {channels: {combined: 2}}}}", true},
		{"knobs: {device: {lo: {channels: {most: 2}}}}", false},
		{"knobs:", true},
		{"traffic: tcp\nknobs:", true},
		{"matrix: {traffic.message: [64, 1K]}", true},
		{"matrix: {m: {path: traffic.message, levels: {a: 1, b: 2}}}", true},
		{"matrix: {traffic.message: {small: 64, large: 1K}}", true},
		{"matrix: {traffic.message: []}", false},
		{"matrix: {m: {path: traffic.message, steps: [1]}, traffic.flows: 2}", false},
		{"arms: {a: , b: {traffic: udp}}", true},
		{"arms: {a: {measure: {}}}", false},
		{"arms: {}", false},
		{"measure: {slice: 50ms, confidence: 99%, resolution: 0.02}", true},
		{"measure: {slice: 50}", false},
		{"measure: {confidence: 99}", false},
		{"measure: {metrics: [goodput, cpu_sink]}", true},
		{"measure: {metrics: []}", false},
		{"measures: {}", false},
		{"gate: {goodput: 2%, rpc.latency_p99: 0.05}", true},
		{"gate:", true},
		{"gate: {loss: 0}", false},
		{"gate: {goodput: most}", false},
		{"gate: {go od: 1%}", false},
		{"gate: 2%", false},
		{"gate: [goodput]", false},
		{"name: Big", false},
		{"name: small-1", true},
		{"question: [why, not]", false},
		{"question: 42", true},
	} {
		_, err := Parse("a.yaml", []byte(tt.src))
		if (err == nil) != tt.ok {
			t.Errorf("Parse of %s: %v, want ok = %t", tt.src, err, tt.ok)
		}
		err = schema.Validate(asJSON(t, []byte(tt.src)))
		if (err == nil) != tt.ok {
			t.Errorf("schema on %s: %v, want ok = %t", tt.src, err, tt.ok)
		}
	}
}

// TestSchemaHasEveryField walks the structs: each field is a property with a
// description, and has a rule; and no rule is of a field that is gone.
func TestSchemaHasEveryField(t *testing.T) {
	schema, _ := loadSchema(t)
	book := rules()
	used, walked := map[string]bool{}, map[reflect.Type]bool{}
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		object := schema
		if typ != reflect.TypeFor[Scenario]() {
			object = schema.Defs[typ.Name()]
		}
		if object == nil {
			t.Errorf("the schema has no definition of %s", typ.Name())
			return
		}
		for _, m := range membersOf(typ) {
			used[m.rule] = true
			prop := object.Properties[m.key]
			if prop == nil || book[m.rule].doc == "" || !strings.HasPrefix(prop.Description, book[m.rule].doc) {
				t.Errorf("%s.%s: not in the schema, or without its description", typ.Name(), m.key)
			}
			inner := m.typ
			if inner.Kind() == reflect.Map {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && !walked[inner] {
				walked[inner] = true
				walk(inner)
			}
		}
	}
	walk(reflect.TypeFor[Scenario]())
	walk(reflect.TypeFor[Config]())
	for name := range book {
		if !used[name] {
			t.Errorf("rule %s is of no field", name)
		}
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[Scenario](), reflect.TypeFor[Config](), reflect.TypeFor[DeviceKnobs](), reflect.TypeFor[Traffic](), reflect.TypeFor[SourcePath](), reflect.TypeFor[SinkPath]()} {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.IsExported() && f.Tag.Get("yaml") == "" && !strings.Contains(f.Type.Name(), "Config") {
				t.Errorf("%s.%s has no yaml tag: Parse would never set it", typ.Name(), f.Name)
			}
		}
	}
}
