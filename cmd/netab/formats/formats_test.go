package formats

import (
	"bufio"
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"netab/analysis"
	"netab/analysis/counts"
	"netab/analysis/report/sample"
	"netab/analysis/trend"
	"netab/results"
)

var update = flag.Bool("update", false, "write the schemas anew")

// A format is a document, or (of several types) lines that say which type they are of.
type format struct {
	title string
	types map[string]reflect.Type // by what "type" says; "" = the whole document
}

func formats() map[string]format {
	one := func(t reflect.Type) map[string]reflect.Type { return map[string]reflect.Type{"": t} }
	return map[string]format{
		"summary": {"What a run, or runs held against each other, come to: netab run --json, netab results show --json, netab compare --json.", one(reflect.TypeFor[analysis.Summary]())},
		"run": {"A line of run.jsonl: the header, then a line a trial, then the end; explain trials stand between, or behind, and a run that went on has a line of that, which makes an end before it none.", map[string]reflect.Type{
			"header": reflect.TypeFor[results.Header](), "trial": reflect.TypeFor[results.Trial](), "explain": reflect.TypeFor[results.Explain](), "resumed": reflect.TypeFor[results.Resumption](), "end": reflect.TypeFor[results.End]()}},
		"campaign": {"A line of campaign.jsonl: the header, then a line an attempt to boot, then the end.", map[string]reflect.Type{
			"campaign": reflect.TypeFor[results.CampaignHeader](), "boot": reflect.TypeFor[results.Boot](), "end": reflect.TypeFor[results.CampaignEnd]()}},
		"count":       {"Instructions a message, transaction or byte: netab count --json, netab results show COUNT --json.", one(reflect.TypeFor[counts.Summary]())},
		"trend":       {"The history of a store: netab trend --json.", one(reflect.TypeFor[trend.History]())},
		"calibration": {"A calibration, as it is kept in the store.", one(reflect.TypeFor[results.Calibration]())},
		"bisection": {"A line of bisection.jsonl: the header, then a line an event, then the end.", map[string]reflect.Type{
			"bisection": reflect.TypeFor[results.BisectionHeader](), "made": reflect.TypeFor[results.BisectionEvent](), "skipped": reflect.TypeFor[results.BisectionEvent](), "test": reflect.TypeFor[results.BisectionEvent](), "end": reflect.TypeFor[results.BisectionEnd]()}},
	}
}

func TestSchemas(t *testing.T) {
	all := formats()
	for name, f := range all {
		made := schemaOf(t, f)
		if *update {
			if err := os.WriteFile(name+".json", made, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if have, ok := Schema(name); !ok || !bytes.Equal(have, made) {
			t.Errorf("%s.json is not what its types come to: go test ./cmd/netab/formats -update", name)
		}
	}
	for _, name := range Names() {
		if _, ok := all[name]; !ok {
			t.Errorf("%s.json is of no format", name)
		}
	}
}

func schemaOf(t *testing.T, f format) []byte {
	t.Helper()
	b := builder{t: t, defs: map[string]*jsonschema.Schema{}, docs: map[string]map[string]string{}}
	root := &jsonschema.Schema{}
	if whole, ok := f.types[""]; ok {
		root = b.object(whole)
	} else {
		names := []string{}
		for name := range f.types {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			of := b.object(f.types[name])
			var word any = name
			of.Properties["type"] = &jsonschema.Schema{Const: &word}
			root.AnyOf = append(root.AnyOf, of)
		}
		known := &jsonschema.Schema{}
		for _, name := range names {
			known.Enum = append(known.Enum, name)
		}
		// A line of a later version.
		root.AnyOf = append(root.AnyOf, &jsonschema.Schema{Type: "object", Required: []string{"type"}, Properties: map[string]*jsonschema.Schema{"type": {Type: "string", Not: known}}})
	}
	root.Schema, root.Title, root.Defs = "https://json-schema.org/draft/2020-12/schema", f.title, b.defs
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A builder makes a schema of Go types as encoding/json writes them.
type builder struct {
	t    *testing.T
	defs map[string]*jsonschema.Schema
	docs map[string]map[string]string // of packages: "Type" and "Type.Field" -> comment
}

func (b *builder) object(t reflect.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}, Description: b.comment(t, "")}
	b.fields(t, s)
	return s
}

func (b *builder) fields(t reflect.Type, s *jsonschema.Schema) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			b.fields(embedded, s)
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if !tagged {
			name = f.Name
		}
		of := b.of(f.Type)
		if text := b.comment(t, f.Name); text != "" {
			if of.Ref != "" {
				of = &jsonschema.Schema{Ref: of.Ref}
			}
			of.Description = text
		}
		s.Properties[name] = of
		s.PropertyOrder = append(s.PropertyOrder, name)
		if !strings.Contains(options, "omit") {
			s.Required = append(s.Required, name)
		}
	}
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func (b *builder) of(t reflect.Type) *jsonschema.Schema {
	whole := t.Kind() == reflect.Struct && strings.HasPrefix(t.PkgPath(), "netab/") && hasUnknown(t) // whose MarshalJSON only adds what it does not know
	switch {
	case t == reflect.TypeFor[time.Time]():
		return &jsonschema.Schema{Type: "string", Format: "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{}
	case !whole && (t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler)) && t.Kind() != reflect.Pointer:
		return &jsonschema.Schema{Description: b.comment(t, "")} // has a form of its own
	case t.Implements(textMarshaler) && t.Kind() != reflect.Pointer:
		return &jsonschema.Schema{Type: "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(b.of(t.Elem()))
	case reflect.Struct:
		name := t.Name()
		if b.defs[name] == nil {
			b.defs[name] = &jsonschema.Schema{} // holds the place
			b.defs[name] = b.object(t)
		}
		return &jsonschema.Schema{Ref: "#/$defs/" + name}
	case reflect.Map:
		return nullable(&jsonschema.Schema{Type: "object", AdditionalProperties: b.of(t.Elem())})
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &jsonschema.Schema{Type: "string", ContentEncoding: "base64"}
		}
		return nullable(&jsonschema.Schema{Type: "array", Items: b.of(t.Elem())})
	case reflect.Array:
		return &jsonschema.Schema{Type: "array", Items: b.of(t.Elem())}
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Float64, reflect.Float32:
		return &jsonschema.Schema{Type: "number"}
	case reflect.Interface:
		return &jsonschema.Schema{}
	}
	return &jsonschema.Schema{Type: "integer"}
}

func hasUnknown(t reflect.Type) bool { _, ok := t.FieldByName("Unknown"); return ok }

func nullable(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Type != "" && s.Ref == "" {
		s.Types, s.Type = []string{s.Type, "null"}, ""
		return s
	}
	if s.Ref == "" {
		return s
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "null"}}}
}

// comment is what stands above or behind a type (field "") or a field.
func (b *builder) comment(t reflect.Type, field string) string {
	pkg := strings.TrimPrefix(t.PkgPath(), "netab/")
	if t.Name() == "" || pkg == "" || !strings.HasPrefix(t.PkgPath(), "netab/") {
		return ""
	}
	docs, ok := b.docs[pkg]
	if !ok {
		docs = read(b.t, filepath.Join("../../..", pkg))
		b.docs[pkg] = docs
	}
	key := t.Name()
	if field != "" {
		key += "." + field
	}
	return docs[key]
}

func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range decl.Specs {
				ts, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				out[ts.Name.Name] = oneLine(decl.Doc.Text())
				if s, ok := ts.Type.(*ast.StructType); ok {
					for _, f := range s.Fields.List {
						text := oneLine(f.Doc.Text() + " " + f.Comment.Text())
						for _, n := range f.Names {
							out[ts.Name.Name+"."+n.Name] = text
						}
					}
				}
			}
		}
	}
	return out
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestSchemasHold: what netab writes is what they say.
func TestSchemasHold(t *testing.T) {
	resolved := func(name string) *jsonschema.Resolved {
		text, _ := Schema(name)
		var s jsonschema.Schema
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r, err := s.Resolve(nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return r
	}
	holds := func(name string, doc []byte) error {
		var v any
		if err := json.Unmarshal(doc, &v); err != nil {
			t.Fatal(err)
		}
		return resolved(name).Validate(v)
	}
	for _, run := range []*results.Run{sample.TCPWorld().Run(), sample.UDPWorld().Run(), sample.MatrixWorld().Run(), sample.Requests()} {
		s := analysis.Summarize(run)
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := holds("summary", text); err != nil {
			t.Errorf("summary of %s: %v", run.Header.ID, err)
		}
		for _, line := range []any{run.Header, run.Trials[0], run.End} {
			text, err := json.Marshal(line)
			if err != nil {
				t.Fatal(err)
			}
			if err := holds("run", text); err != nil {
				t.Errorf("run %s: %v", run.Header.ID, err)
			}
		}
	}
	// One that has all, and one of which nothing came to an end.
	for _, boots := range [][]results.CountBoot{
		{{Seed: 1, End: "finished", Instructions: 7000, Units: 1, Calls: 1, Functions: []results.CountFunction{{Role: "source", Context: "task", Function: "udp_sendmsg", Instructions: 100}}},
			{Seed: 1, End: "finished", Instructions: 7001, Units: 1, Calls: 5}, {Kind: 1, Seed: 1, End: "finished", Instructions: 7000, Units: 1, Functions: []results.CountFunction{}}},
		{{Seed: 1, End: "panic"}},
	} {
		text, err := json.Marshal(counts.Summarize(&results.Count{Unit: results.PerMessage, Kernels: []results.Kernel{{Release: "6.1"}, {Release: "6.12"}},
			Kinds: []results.CountKind{{Arm: "plain"}, {Arm: "plain", Kernel: 1}}, Boots: boots}))
		if err != nil {
			t.Fatal(err)
		}
		if err := holds("count", text); err != nil {
			t.Errorf("count %s: %v", text, err)
		}
		if strings.Contains(string(text), "null") {
			t.Errorf("a list is null: %s", text)
		}
	}
	files, err := filepath.Glob("../../../test/testdata/store/*/run.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %v", files, err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in := bufio.NewScanner(f)
		in.Buffer(nil, 64<<20)
		for n := 1; in.Scan(); n++ {
			if err := holds("run", in.Bytes()); err != nil {
				t.Errorf("%s:%d: %v", file, n, err)
			}
		}
	}
	for name, doc := range map[string]string{
		"summary": `{"schema":"netab/summary/1"}`, "run": `{"type":"trial"}`, "trend": `[]`, "calibration": `{}`, "campaign": `{"type":"boot"}`, "bisection": `{"type":"end"}`, "count": `{"schema":"netab/count/1"}`,
	} {
		if err := holds(name, []byte(doc)); err == nil {
			t.Errorf("%s: %s holds", name, doc)
		}
	}
	if err := holds("run", []byte(`{"type":"of a later version","x":1}`)); err != nil {
		t.Errorf("a line of a later version: %v", err)
	}
}
