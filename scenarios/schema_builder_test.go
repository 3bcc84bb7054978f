package scenarios

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// makeSchema makes what Schema returns of the types and rules that Parse
// follows.
func makeSchema() ([]byte, error) {
	b := schemaBuilder{rules: rules(), defs: map[string]*jsonschema.Schema{}}
	root := b.object(reflect.TypeFor[Scenario]())
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = "netab scenario"
	root.Description = "What to compare of the Linux network path, and how. See `netab show loopback-rps` for an example."
	root.Type, root.Types = "object", nil // a whole file is never null
	root.Defs = b.defs
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("schema of scenario files: %w", err)
	}
	return out.Bytes(), nil
}

const sizePattern = `^[0-9]+ ?([KMGkmg]|[KMG]iB|B)?$`

// A schemaBuilder makes a schema of a Go type; structs become definitions.
type schemaBuilder struct {
	rules ruleBook
	defs  map[string]*jsonschema.Schema
}

// object is a struct as a mapping of exactly its keys. Parse takes an empty
// mapping without braces too, which is null.
func (b schemaBuilder) object(t reflect.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Types:                []string{"object", "null"},
		Properties:           map[string]*jsonschema.Schema{},
		AdditionalProperties: never(),
	}
	for _, m := range membersOf(t) {
		r := b.rules[m.rule]
		prop := b.of(m.typ, r)
		prop.Description = r.doc
		if m.typ == reflect.TypeFor[Duration]() { // no pattern can say it
			if r.from > 0 {
				prop.Description += " At least " + r.from.inWords() + "."
			}
			prop.Description += " At most " + r.length().inWords() + "."
		}
		if r.def != nil {
			prop.Default, _ = json.Marshal(r.def) // strings and small numbers
		}
		s.Properties[m.key] = prop
		s.PropertyOrder = append(s.PropertyOrder, m.key)
	}
	return s
}

// ref is a struct as a definition, so that it is written once.
func (b schemaBuilder) ref(t reflect.Type) *jsonschema.Schema {
	if b.defs[t.Name()] == nil {
		b.defs[t.Name()] = never() // holds the place
		b.defs[t.Name()] = b.object(t)
	}
	return &jsonschema.Schema{Ref: "#/$defs/" + t.Name()}
}

// of is a field of type t under rule r.
func (b schemaBuilder) of(t reflect.Type, r rule) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[Topology]():
		return anyOf(b.of(reflect.TypeFor[string](), b.rules["Topology.kind"]), b.ref(t))
	case reflect.TypeFor[Traffic]():
		return anyOf(b.of(reflect.TypeFor[string](), b.rules["Traffic.protocol"]), b.ref(t))
	case reflect.TypeFor[SourcePath]():
		return anyOf(b.of(reflect.TypeFor[string](), b.rules["SourcePath.path"]), b.ref(t))
	case reflect.TypeFor[SinkPath]():
		return anyOf(b.of(reflect.TypeFor[string](), b.rules["SinkPath.path"]), b.ref(t))
	case reflect.TypeFor[Placement]():
		return anyOf(b.of(reflect.TypeFor[string](), b.rules["Placement.mode"]), b.ref(t))
	case reflect.TypeFor[Size]():
		return anyOf(integer(r), pattern(sizePattern))
	case reflect.TypeFor[Fraction]():
		share := &jsonschema.Schema{Type: "number", ExclusiveMinimum: jsonschema.Ptr(0.0), ExclusiveMaximum: jsonschema.Ptr(1.0)}
		if r.zero {
			share.ExclusiveMinimum, share.Minimum = nil, jsonschema.Ptr(0.0)
		}
		return anyOf(share, pattern(`^[0-9]*\.?[0-9]+ ?%?$`))
	case reflect.TypeFor[Rate]():
		rate := &jsonschema.Schema{Type: "number", Minimum: jsonschema.Ptr(float64(r.min)), Maximum: jsonschema.Ptr(float64(r.max))}
		return anyOf(rate, pattern(`^[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)? ?[kKMG]?(/s)?$`))
	case reflect.TypeFor[Sizes]():
		return anyOf(&jsonschema.Schema{Type: "string", Enum: []any{"imix"}}, &jsonschema.Schema{
			Type:                 "object",
			PropertyNames:        pattern(sizePattern),
			AdditionalProperties: integer(rule{min: 1, max: maxWeights}),
			MinProperties:        jsonschema.Ptr(1),
			MaxProperties:        jsonschema.Ptr(maxSizes),
		})
	case reflect.TypeFor[Duration]():
		return pattern(`^([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+$`)
	case reflect.TypeFor[Matrix]():
		return b.matrix(r)
	case reflect.TypeFor[Arms]():
		return b.arms(r)
	}
	switch t.Kind() {
	case reflect.Struct:
		return b.ref(t)
	case reflect.Pointer: // there with its defaults, or not there
		return anyOf(b.of(reflect.TypeFor[bool](), rule{}), b.ref(t.Elem()))
	case reflect.Map:
		return &jsonschema.Schema{
			Types:                []string{"object", "null"},
			PropertyNames:        key(r.key),
			MaxProperties:        jsonschema.Ptr(r.entries()),
			AdditionalProperties: b.of(t.Elem(), r.ofValues()),
		}
	case reflect.Slice:
		return anyOf(b.of(t.Elem(), r), &jsonschema.Schema{Type: "array", Items: b.of(t.Elem(), r), MinItems: jsonschema.Ptr(1), MaxItems: jsonschema.Ptr(r.entries()), UniqueItems: true})
	case reflect.Int:
		return integer(r)
	case reflect.Uint64:
		return &jsonschema.Schema{Type: "integer", Minimum: jsonschema.Ptr(0.0)}
	case reflect.Bool:
		return anyOf(&jsonschema.Schema{Type: "boolean"}, pattern(onOffSyntax().pattern))
	}
	return b.text(r)
}

// text is a string; numbers and booleans, which Parse takes as they are
// spelled, are text as well.
func (b schemaBuilder) text(r rule) *jsonschema.Schema {
	switch {
	case len(r.enum) > 0:
		s := &jsonschema.Schema{Type: "string"}
		for _, word := range r.enum {
			s.Enum = append(s.Enum, word)
		}
		return s
	case r.list:
		item := b.text(rule{})
		return anyOf(b.text(rule{}), &jsonschema.Schema{Type: "array", Items: item, MinItems: jsonschema.Ptr(1)})
	}
	s := &jsonschema.Schema{Types: []string{"string", "number", "boolean"}, MaxLength: jsonschema.Ptr(r.characters())}
	if r.text == nil {
		return s
	}
	s.Pattern = r.text.pattern
	if r.text.braces {
		roles := &jsonschema.Schema{Type: "null"}
		return anyOf(s, &jsonschema.Schema{
			Type:                 "object", // {sink} without quotes
			Properties:           map[string]*jsonschema.Schema{"source": roles, "sink": roles.CloneSchemas()},
			AdditionalProperties: never(),
		})
	}
	return s
}

// matrix is a mapping of path or name to factor, or the list of JSON records.
func (b schemaBuilder) matrix(r rule) *jsonschema.Schema {
	anything := func() *jsonschema.Schema { return &jsonschema.Schema{} }
	levels := func() *jsonschema.Schema {
		return anyOf(
			&jsonschema.Schema{Type: "array", Items: anything(), MinItems: jsonschema.Ptr(1), MaxItems: jsonschema.Ptr(maxArms), Description: "Values; each is the name of its level."},
			&jsonschema.Schema{Type: "object", PropertyNames: authored(), AdditionalProperties: anything(), MinProperties: jsonschema.Ptr(1), MaxProperties: jsonschema.Ptr(maxArms), Description: "Name of the level -> value."})
	}
	factor := func(extra ...string) *jsonschema.Schema {
		s := &jsonschema.Schema{
			Type: "object",
			Properties: map[string]*jsonschema.Schema{
				"path":   {Type: "string", Description: "What the factor sets, such as traffic.message; . is the whole configuration."},
				"levels": levels(),
			},
			PropertyOrder:        append(extra, "path", "levels"),
			Required:             append(extra, "levels"),
			AdditionalProperties: never(),
		}
		for _, key := range extra {
			s.Properties[key] = authored()
		}
		return s
	}
	return anyOf(
		&jsonschema.Schema{Type: "object", PropertyNames: authored(), AdditionalProperties: anyOf(factor(), levels()), MaxProperties: jsonschema.Ptr(r.entries())},
		&jsonschema.Schema{Type: "array", Items: factor("name"), MaxItems: jsonschema.Ptr(r.entries())})
}

// arms is a mapping of name to overlay, or the list of JSON records.
func (b schemaBuilder) arms(r rule) *jsonschema.Schema {
	config := reflect.TypeFor[Config]()
	return anyOf(
		&jsonschema.Schema{
			Type:                 "object",
			PropertyNames:        key(armSyntax()),
			MaxProperties:        jsonschema.Ptr(r.entries()),
			AdditionalProperties: b.ref(config),
			MinProperties:        jsonschema.Ptr(1),
		},
		&jsonschema.Schema{Type: "array", MinItems: jsonschema.Ptr(1), MaxItems: jsonschema.Ptr(r.entries()), Items: &jsonschema.Schema{
			Type:                 "object",
			Properties:           map[string]*jsonschema.Schema{"name": authored(), "config": b.ref(config)},
			Required:             []string{"name"},
			AdditionalProperties: never(),
		}})
}

func anyOf(of ...*jsonschema.Schema) *jsonschema.Schema { return &jsonschema.Schema{AnyOf: of} }

func pattern(p string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: p} }

// authored is a name of the author's choice, or a path.
func authored() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", MaxLength: jsonschema.Ptr(maxName)}
}

func key(s *syntax) *jsonschema.Schema {
	k := &jsonschema.Schema{Pattern: s.pattern}
	if s.chars > 0 {
		k.MaxLength = jsonschema.Ptr(s.chars)
	}
	return k
}

func integer(r rule) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "integer"}
	if r.max > 0 {
		s.Minimum, s.Maximum = jsonschema.Ptr(float64(r.min)), jsonschema.Ptr(float64(r.max))
	}
	return s
}

// never is the schema that nothing satisfies; the library writes it as false.
func never() *jsonschema.Schema { return &jsonschema.Schema{Not: &jsonschema.Schema{}} }
