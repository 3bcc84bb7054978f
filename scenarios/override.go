package scenarios

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// An override is one part of a command line while it is applied.
type override struct {
	d     *decoder
	flag  string // stands for the file in positions; the line is the flag's number, from 1
	line  int
	text  string // as it was typed
	path  string
	value string
	base  int // where path=value begins in text; negative where a flag stands for the path
}

// override lays what was typed over the scenario.
func (s *Scenario) override(d *decoder, typed []Typed) {
	s.set = maps.Clone(s.set)
	if s.set == nil {
		s.set = positions{}
	}
	varied := slices.ContainsFunc(typed, func(t Typed) bool { return t.Flag == varyFlag })
	var baseline map[string]string
	if varied {
		baseline = s.baselineLevels()
	}
	named := s.Baseline
	for _, t := range typed {
		before := s.sources[t.Flag]
		s.sources[t.Flag] = append(before[:len(before):len(before)], t.Text)
		s.typed = append(s.typed[:len(s.typed):len(s.typed)], t)
		o := override{d: d, flag: t.Flag, line: len(before) + 1, text: t.Text, path: t.Path, value: t.Text, base: -len(t.Path) - 1}
		switch {
		case t.Flag == armFlag:
			s.addArm(o)
		case t.Flag == varyFlag:
			s.vary(o)
		case t.Path != "":
			s.lay(o)
		default:
			var ok bool
			o.base = 0
			if o.path, o.value, ok = strings.Cut(t.Text, "="); !ok {
				o.fail(len(o.path), fmt.Sprintf("%q has no value", t.Text), "want path=value, such as traffic.message=64")
				continue
			}
			s.lay(o)
		}
	}
	s.crossArms(d)
	if varied && len(baseline) > 0 && s.Baseline == named && !isTyped(d.where.at("baseline")) && d.errs.err() == nil {
		s.rebase(baseline)
	}
}

// lay lays one value over what its path names.
func (s *Scenario) lay(o override) {
	switch {
	case strings.HasPrefix(o.path, "matrix."):
		s.overrideFactor(o)
		return
	case strings.HasPrefix(o.path, "arms."):
		s.overrideArm(o)
		return
	}
	keys, leaf, err := splitPath(reflect.TypeFor[Scenario](), o.path)
	if err != nil {
		o.fail(err.offset, err.msg, err.hint)
		return
	}
	n := o.node(leaf)
	if n == nil {
		return
	}
	whole := n.kind == scalar && leaf.Kind() == reflect.Struct
	if whole && !s.replace(o, keys) {
		return
	}
	// The mappings around the value are where they were.
	o.d.structure(wrap(keys, n), reflect.ValueOf(s).Elem(), "")
	s.set[strings.Join(canonicalKeys(keys), ".")] = n.pos
	s.tree = s.tree.with(keys, n, whole)
}

// replace empties what a bare word stands for (traffic=TCP_RR, topology=veth,
// traffic.source=sendmmsg): what it does not say has its default again, for
// what was there belongs to something else. An override before it would go
// without a word, which is a fault.
func (s *Scenario) replace(o override, keys []string) bool {
	path := strings.Join(canonicalKeys(keys), ".")
	for before, pos := range s.set {
		if strings.HasPrefix(before, path+".") {
			o.fail(0, fmt.Sprintf("%s=%s replaces what %s %s gave before", o.path, o.value, pos.File, s.sources[pos.File][pos.Line-1]), "give the whole first, then its parts")
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
	last := ""
	for _, t := range s.typed {
		path := t.Path
		if path == "" {
			path = t.Text
		}
		switch part, _, _ := strings.Cut(path, "."); strings.SplitN(part, "=", 2)[0] {
		default:
			if t.Flag != armFlag && t.Flag != varyFlag {
				continue
			}
			fallthrough
		case "topology", "traffic", "placement", "knobs", "matrix", "arms":
			text := t.Text
			if t.Flag != last {
				text = t.Flag + " " + text
			}
			changes, last = append(changes, text), t.Flag
		}
	}
	if len(changes) == 0 {
		return s.asked
	}
	note := " (changed by " + shortened(strings.Join(strings.Fields(strings.Join(changes, ", ")), " "), maxName) + ")"
	return shortened(strings.TrimSpace(s.asked), maxQuestion-utf8.RuneCountInString(note)) + note
}

// fail notes a fault at a byte of the path.
func (o override) fail(offset int, msg, hint string) {
	o.d.fail(o.pos(offset), msg, hint)
}

func (o override) pos(offset int) Pos {
	at := min(max(o.base+offset, 0), len(o.text))
	return Pos{File: o.flag, Line: o.line, Column: 1 + utf8.RuneCountInString(o.text[:at])}
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
		return Pos{File: o.flag, Line: o.line, Column: start.Column + column - 1}
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
	if n := o.node(reflect.TypeFor[Matrix]()); n != nil {
		s.setFactor(o, n)
	}
}

func (s *Scenario) setFactor(o override, n *node) {
	const prefix = "matrix."
	name := strings.TrimPrefix(o.path, prefix)
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
