package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A decoder lays nodes over Go values and collects every fault. What a node
// does not mention stays as it is, so that the common configuration, an arm's
// overlay and --set all go the same way.
type decoder struct {
	rules ruleBook
	src   sources
	errs  Errors
	where positions
}

// A nodeDecoder is a type with a form of its own in YAML.
type nodeDecoder interface {
	decodeNode(d *decoder, n *node, path string, r rule)
}

// maxFaults are enough to see that a file is no scenario.
const maxFaults = 100

// fail notes a fault; the same one again (an overlay is decoded for each arm
// that it is part of) is ignored.
func (d *decoder) fail(pos Pos, msg, hint string) {
	if len(d.errs) >= maxFaults {
		return
	}
	fault := newError(d.src, pos, msg, hint)
	for _, e := range d.errs {
		if e.Pos == pos && e.Msg == fault.Msg {
			return
		}
	}
	d.errs = append(d.errs, fault)
}

// value decodes n into v, which must be addressable.
func (d *decoder) value(n *node, v reflect.Value, path string, r rule) {
	d.where[path] = n.pos
	if custom, ok := v.Addr().Interface().(nodeDecoder); ok {
		custom.decodeNode(d, n, path, r)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Pointer:
		d.optional(n, v, path)
	case reflect.Map:
		d.table(n, v, path, r)
	case reflect.Slice:
		d.words(n, v, path, r)
	case reflect.String:
		if text, ok := d.text(n, path, r); ok {
			v.SetString(text)
		}
	case reflect.Int:
		if i, ok := d.number(n, path, r); ok {
			v.SetInt(i)
		}
	case reflect.Uint64:
		if text, ok := d.scalar(n, path, "want a whole number"); ok {
			u, err := strconv.ParseUint(text, 0, 64)
			if err != nil {
				d.fail(n.pos, fmt.Sprintf("%s: %q is not a whole number of 64 bits", path, text), "want 0 to 18446744073709551615")
				return
			}
			v.SetUint(u)
		}
	case reflect.Bool:
		if on, ok := d.truth(n, path, "want true or false"); ok {
			v.SetBool(on)
		}
	default:
		panic("scenarios: no way to decode a " + v.Type().String()) // a field was added without one
	}
}

// truth decodes true or false, or one of their other spellings.
func (d *decoder) truth(n *node, path, want string) (on, ok bool) {
	text, ok := d.scalar(n, path, want)
	if !ok {
		return false, false
	}
	canonical, err := onOffSyntax().canon(text)
	if err != nil {
		d.fail(n.pos, fmt.Sprintf("%s: %q is neither true nor false", path, text), want)
		return false, false
	}
	return canonical == "on", true
}

// optional decodes a structure that is there or not: true is one with its
// defaults, false is none. The one that v points to may be shared with other
// arms, and stays as it is.
func (d *decoder) optional(n *node, v reflect.Value, path string) {
	fresh := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		fresh.Elem().Set(v.Elem())
	}
	if n.kind == scalar {
		on, ok := d.truth(n, path, "want true, false, or a mapping of: "+strings.Join(keysOf(v.Type().Elem()), ", "))
		switch {
		case ok && on:
			v.Set(fresh)
		case ok:
			v.SetZero()
		}
		return
	}
	d.structure(n, fresh.Elem(), path)
	v.Set(fresh)
}

// structure decodes a mapping into the fields of a struct.
func (d *decoder) structure(n *node, v reflect.Value, path string) {
	if n.kind == null {
		return
	}
	if n.kind != mapping {
		d.fail(n.pos, fmt.Sprintf("%s is %s here", named(path), n.kind), "want a mapping of: "+strings.Join(keysOf(v.Type()), ", "))
		return
	}
	for _, f := range n.fields {
		member, ok := memberOf(v.Type(), f.key)
		if !ok {
			d.fail(f.pos, fmt.Sprintf("unknown key %q", f.key), Suggest(f.key, keysOf(v.Type())))
			continue
		}
		d.value(f.value, v.FieldByIndex(member.index), join(path, f.key), d.rules[member.rule])
	}
}

// table decodes a mapping into a map, keeping the entries not mentioned.
func (d *decoder) table(n *node, v reflect.Value, path string, r rule) {
	if n.kind == null {
		return
	}
	if n.kind != mapping {
		d.fail(n.pos, fmt.Sprintf("%s is %s here", named(path), n.kind), "want a mapping; "+r.key.want)
		return
	}
	if !d.few(n, path, r) {
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	seen := map[string]field{}
	for _, f := range n.fields {
		key, err := r.key.canon(f.key)
		if err != nil {
			d.fail(f.pos, path+": "+err.Error(), r.key.want)
			continue
		}
		if first, ok := seen[key]; ok {
			d.fail(f.pos, fmt.Sprintf("%q is given twice, as %q before", f.key, first.key), fmt.Sprintf("the first is in line %d; keep one", first.pos.Line))
			continue
		}
		seen[key] = f
		entry := reflect.New(v.Type().Elem()).Elem()
		if have := v.MapIndex(reflect.ValueOf(key)); have.IsValid() {
			entry.Set(have)
		}
		before := len(d.errs)
		d.value(f.value, entry, join(path, key), r.ofValues())
		if len(d.errs) == before {
			v.SetMapIndex(reflect.ValueOf(key), entry)
		}
	}
}

// words decodes a list of strings, or a single one.
func (d *decoder) words(n *node, v reflect.Value, path string, r rule) {
	items := n.items
	if n.kind == scalar {
		items = []*node{n}
	} else if n.kind != sequence || len(items) == 0 {
		d.fail(n.pos, fmt.Sprintf("%s is %s here", path, n.kind), "want a list such as [a, b]")
		return
	}
	if !d.few(n, path, r) {
		return
	}
	var out []string
	for i, item := range items {
		d.where[path+"."+strconv.Itoa(i)] = item.pos
		text, ok := d.text(item, path, r)
		if ok && slices.Contains(out, text) {
			d.fail(item.pos, fmt.Sprintf("%s: %q is given twice", path, text), "keep one")
		}
		out = append(out, text)
	}
	v.Set(reflect.ValueOf(out))
}

// text decodes a string: any scalar, checked and brought to its one form.
func (d *decoder) text(n *node, path string, r rule) (string, bool) {
	var text string
	var ok bool
	switch {
	case n.kind == mapping && r.text != nil && r.text.braces:
		text, ok = n.braced()
	case n.kind == sequence && r.list:
		text, ok = n.joined()
	}
	if !ok {
		if text, ok = d.scalar(n, path, r.want()); !ok {
			return "", false
		}
	}
	switch {
	case !d.short(n.pos, path+": a text", text, r.characters()):
		return "", false
	case len(r.enum) > 0:
		if !slices.Contains(r.enum, text) {
			d.fail(n.pos, fmt.Sprintf("%s: %q is not known", path, text), Suggest(text, r.enum))
			return "", false
		}
	case r.text != nil:
		canonical, err := r.text.canon(text)
		if err != nil {
			d.fail(n.pos, path+": "+err.Error(), r.want())
			return "", false
		}
		text = canonical
	}
	return text, true
}

// number decodes a whole number in the rule's range.
func (d *decoder) number(n *node, path string, r rule) (int64, bool) {
	text, ok := d.scalar(n, path, r.want())
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		d.fail(n.pos, fmt.Sprintf("%s: %q is not a whole number", path, text), r.want())
		return 0, false
	}
	return i, d.inRange(n, path, i, r)
}

func (d *decoder) inRange(n *node, path string, i int64, r rule) bool {
	if r.max > 0 && (i < int64(r.min) || i > int64(r.max)) {
		d.fail(n.pos, fmt.Sprintf("%s: %d is out of range", path, i), r.want())
		return false
	}
	return true
}

// scalar is the text of a node that must be a single value.
func (d *decoder) scalar(n *node, path, want string) (string, bool) {
	switch n.kind {
	case scalar:
		return n.text, true
	case null:
		d.fail(n.pos, path+" has no value", want)
	default:
		d.fail(n.pos, fmt.Sprintf("%s is %s here", path, n.kind), want)
	}
	return "", false
}

// ofValues is the rule of each value of a map.
func (r rule) ofValues() rule {
	r.key = nil
	return r
}

// want says in a hint what the rule takes.
func (r rule) want() string {
	switch {
	case len(r.enum) > 0:
		return "want one of " + strings.Join(r.enum, ", ")
	case r.text != nil:
		return r.text.want
	case r.max > 0:
		return fmt.Sprintf("want %d to %d", r.min, r.max)
	}
	return "want a single value"
}

// named is path as a person would call it.
func named(path string) string {
	if path == "" {
		return "the scenario"
	}
	return path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
