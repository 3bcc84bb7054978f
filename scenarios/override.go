package scenarios

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"unicode/utf8"
)

// setFile stands for the file in positions of overrides; the line is the
// number of the override, from 1.
const setFile = "--set"

// An override is one --set while it is applied.
type override struct {
	d     *decoder
	path  string
	value string
	line  int
}

// override lays sets over the scenario.
func (s *Scenario) override(d *decoder, sets []string) {
	s.set = maps.Clone(s.set)
	if s.set == nil {
		s.set = positions{}
	}
	first := len(s.sources[setFile])
	s.sources[setFile] = append(s.sources[setFile][:first:first], sets...)
	for i, set := range sets {
		path, value, ok := strings.Cut(set, "=")
		o := override{d, path, value, first + i + 1}
		switch {
		case !ok:
			o.fail(len(path), fmt.Sprintf("%q has no value", set), "want path=value, such as traffic.message=64")
		case strings.HasPrefix(path, "matrix."):
			s.overrideFactor(o)
		case strings.HasPrefix(path, "arms."):
			s.overrideArm(o)
		default:
			keys, leaf, err := splitPath(reflect.TypeFor[Scenario](), path)
			if err != nil {
				o.fail(err.offset, err.msg, err.hint)
				continue
			}
			if n := o.node(leaf); n != nil {
				if n.kind == scalar && leaf.Kind() == reflect.Struct && !s.replace(o, keys) {
					continue
				}
				// The mappings around the value are where they were.
				d.structure(wrap(keys, n), reflect.ValueOf(s).Elem(), "")
				s.set[strings.Join(canonicalKeys(keys), ".")] = n.pos
			}
		}
	}
}

// replace empties what a bare word stands for (traffic=TCP_RR, topology=veth,
// traffic.source=sendmmsg): what it does not say has its default again, for
// what was there belongs to something else. An override before it would go
// without a word, which is a fault.
func (s *Scenario) replace(o override, keys []string) bool {
	path := strings.Join(canonicalKeys(keys), ".")
	for before, pos := range s.set {
		if strings.HasPrefix(before, path+".") {
			o.fail(0, fmt.Sprintf("%s=%s replaces what --set %s gave before", o.path, o.value, s.sources[pos.File][pos.Line-1]), "give the whole first, then its parts")
			return false
		}
	}
	empty(reflect.ValueOf(s).Elem(), keys)
	for written := range o.d.where {
		if strings.HasPrefix(written, path+".") {
			delete(o.d.where, written)
		}
	}
	return true
}

// empty gives what stands at keys its zero value.
func empty(v reflect.Value, keys []string) {
	switch {
	case len(keys) == 0:
		v.SetZero()
	case v.Kind() == reflect.Map:
		key := reflect.ValueOf(keys[0])
		if have := v.MapIndex(key); have.IsValid() {
			entry := reflect.New(v.Type().Elem()).Elem()
			entry.Set(have)
			empty(entry, keys[1:])
			v.SetMapIndex(key, entry)
		}
	case v.Kind() == reflect.Struct:
		if m, ok := memberOf(v.Type(), keys[0]); ok {
			empty(v.FieldByIndex(m.index), keys[1:])
		}
	}
}

// questionNow is the question that was asked, and that the arms are no longer
// those it was asked of: built-in questions name what they compare.
func (s *Scenario) questionNow() string {
	if _, ours := s.set["question"]; ours || s.asked == "" {
		return s.Question
	}
	var changes []string
	for _, set := range s.sources[setFile] {
		switch part, _, _ := strings.Cut(set, "."); strings.SplitN(part, "=", 2)[0] {
		case "topology", "traffic", "placement", "knobs", "matrix", "arms":
			changes = append(changes, set)
		}
	}
	if len(changes) == 0 {
		return s.asked
	}
	note := " (changed by --set " + shortened(strings.Join(strings.Fields(strings.Join(changes, ", ")), " "), maxName) + ")"
	return shortened(strings.TrimSpace(s.asked), maxQuestion-utf8.RuneCountInString(note)) + note
}

// fail notes a fault at a byte of the path.
func (o override) fail(offset int, msg, hint string) {
	o.d.fail(o.pos(offset), msg, hint)
}

func (o override) pos(offset int) Pos {
	text := o.path + "=" + o.value
	return Pos{File: setFile, Line: o.line, Column: 1 + utf8.RuneCountInString(text[:min(offset, len(text))])}
}

// node is the value for a field of type leaf. Single values are taken as they
// stand, so that {sink} needs no quotes; others are YAML.
func (o override) node(leaf reflect.Type) *node {
	start := o.pos(len(o.path) + 1)
	if isScalar(leaf) && !strings.HasPrefix(strings.TrimSpace(o.value), "[") {
		text := strings.TrimSpace(o.value)
		if q := strings.Trim(text, `"'`); len(q) == len(text)-2 {
			text = q
		}
		return &node{kind: scalar, text: text, pos: start, size: 1}
	}
	place := func(line, column int) Pos {
		if line > 1 {
			return start // a value of several lines: the excerpt has room for one
		}
		return Pos{File: setFile, Line: o.line, Column: start.Column + column - 1}
	}
	return readTree(place, []byte(o.value), o.d.fail)
}

func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Interface, reflect.Pointer:
		return false
	}
	return true
}

// overrideFactor replaces the levels of a factor, or adds one.
func (s *Scenario) overrideFactor(o override) {
	const prefix = "matrix."
	name := strings.TrimPrefix(o.path, prefix)
	n := o.node(reflect.TypeFor[Matrix]())
	if n == nil {
		return
	}
	for i := range s.Matrix {
		f := &s.Matrix[i]
		if name == f.Name || name == f.Path || name == f.Name+".levels" {
			if levels := o.d.levels(f.Name, n); levels != nil {
				f.Levels = levels
			}
			return
		}
	}
	factor, ok := o.d.factor(name, o.pos(len(prefix)), n)
	if !ok {
		return
	}
	s.Matrix = append(s.Matrix, factor)
	o.d.nameFactors(s.Matrix)
}

// overrideArm lays a value over one arm.
func (s *Scenario) overrideArm(o override) {
	const prefix = "arms."
	rest := strings.TrimPrefix(o.path, prefix)
	best := -1
	var names []string
	for i, arm := range s.Arms {
		names = append(names, arm.Name)
		if strings.HasPrefix(rest, arm.Name+".") && (best < 0 || len(arm.Name) > len(s.Arms[best].Name)) {
			best = i
		}
	}
	if best < 0 {
		if len(names) == 0 {
			o.fail(0, "the scenario has no explicit arms", "set the path itself: "+rest)
			return
		}
		name, _, _ := strings.Cut(rest, ".")
		o.fail(len(prefix), fmt.Sprintf("no arm of %q is known, or no path follows it", name), Suggest(name, names))
		return
	}
	arm := &s.Arms[best]
	path := rest[len(arm.Name)+1:]
	keys, leaf, err := factorPath(path)
	if err != nil {
		o.fail(len(prefix)+len(arm.Name)+1+err.offset, err.msg, err.hint)
		return
	}
	if n := o.node(leaf); n != nil {
		arm.node = merge("", arm.overlay(), wrap(keys, n))
		arm.Overlay = arm.node.plain()
	}
}
