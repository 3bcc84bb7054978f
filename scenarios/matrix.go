package scenarios

import (
	"fmt"
	"reflect"
	"strings"
)

// decodeNode of a matrix reads a mapping of path or name to levels, or the list
// that JSON records hold: [{name, path, levels: [{name, value}]}].
func (m *Matrix) decodeNode(d *decoder, n *node, path string, r rule) {
	const want = "want a mapping of path (traffic.message) or name to levels"
	if !d.few(n, path, r) {
		return
	}
	var out Matrix
	switch n.kind {
	case null:
	case mapping:
		for _, f := range n.fields {
			if factor, ok := d.factor(f.key, f.pos, f.value); ok {
				out = append(out, factor)
			}
		}
	case sequence:
		for _, item := range n.items {
			name := item.field("name")
			if item.kind != mapping || name == nil || name.value.kind != scalar {
				d.fail(item.pos, path+": a factor without a name", "want {name: ..., path: ..., levels: [...]}")
				continue
			}
			if factor, ok := d.factor(name.value.text, item.pos, item.without("name")); ok {
				out = append(out, factor)
			}
		}
	default:
		d.fail(n.pos, path+" is "+n.kind.String()+" here", want)
		return
	}
	d.nameFactors(out)
	*m = out
}

// factor decodes one dimension of the matrix.
func (d *decoder) factor(key string, pos Pos, n *node) (Factor, bool) {
	f := Factor{Path: key, pos: pos}
	levels, pathPos := n, pos
	if !d.short(pos, "matrix: a name of a factor", key, maxName) {
		return f, false
	}
	if n.kind == mapping && (n.field("path") != nil || n.field("levels") != nil) {
		for _, member := range n.fields {
			switch {
			case member.key == "path" && member.value.kind == scalar:
				f.Name, f.Path, pathPos = key, member.value.text, member.value.pos
			case member.key == "levels":
				levels = member.value
			case member.key == "path":
				d.fail(member.pos, "path of factor "+key+" is "+member.value.kind.String()+" here", "want a path such as traffic.message, or . for the whole configuration")
				return f, false
			default:
				d.fail(member.pos, fmt.Sprintf("unknown key %q in factor %s", member.key, key), Suggest(member.key, []string{"path", "levels"}))
			}
		}
		if levels == n {
			d.fail(pos, "factor "+key+" has no levels", "add levels: [...]")
			return f, false
		}
	}
	if _, _, err := factorPath(f.Path); err != nil {
		pathPos.Column += err.offset
		d.fail(pathPos, err.msg, err.hint)
		return f, false
	}
	if f.Path == "." && f.Name == "" {
		d.fail(pos, "a factor of the whole configuration has no name", "want NAME: {path: ., levels: {...}}")
		return f, false
	}
	f.Levels = d.levels(key, levels)
	return f, len(f.Levels) > 0
}

// factorPath is splitPath from the configuration of an arm; "." is all of it.
func factorPath(path string) ([]string, reflect.Type, *pathError) {
	t := reflect.TypeFor[Config]()
	if path == "." {
		return nil, t, nil
	}
	return splitPath(t, path)
}

// levels decodes the values of a factor: a list, or a mapping of names.
func (d *decoder) levels(factor string, n *node) []Level {
	var out []Level
	if !d.few(n, "factor "+factor, rule{most: maxArms}) {
		return nil
	}
	add := func(name string, pos Pos, value *node) {
		if !d.short(pos, "factor "+factor+": a name of a level", name, maxName) {
			return
		}
		for _, have := range out {
			if have.Name == name {
				d.fail(pos, fmt.Sprintf("factor %s has two levels named %q", factor, name), "name them apart: levels: {a: ..., b: ...}")
				return
			}
		}
		out = append(out, Level{Name: name, Value: value.plain(), node: value})
	}
	switch n.kind {
	case mapping:
		for _, f := range n.fields {
			add(f.key, f.pos, f.value)
		}
	case sequence:
		for _, item := range n.items {
			name, value, ok := levelOf(item)
			if !ok {
				d.fail(item.pos, "a level of factor "+factor+" has no name", "want levels: {NAME: ..., NAME: ...} where values are not single")
				continue
			}
			add(name, item.pos, value)
		}
	}
	if len(n.fields) == 0 && len(n.items) == 0 {
		d.fail(n.pos, "factor "+factor+" has no levels", "want a list such as [64, 1K], or a mapping of level name to value")
	}
	return out
}

// levelOf is a level in a list: a single value, which is its own name, or
// {name: ..., value: ...}.
func levelOf(n *node) (name string, value *node, ok bool) {
	if n.kind == scalar {
		return n.text, n, true
	}
	if text, ok := n.braced(); ok {
		return text, &node{kind: scalar, text: text, pos: n.pos, size: 1}, true
	}
	nameField, valueField := n.field("name"), n.field("value")
	if len(n.fields) != 2 || nameField == nil || valueField == nil || nameField.value.kind != scalar {
		return "", nil, false
	}
	return nameField.value.text, valueField.value, true
}

// nameFactors gives factors without a name the last part of their path, or
// all of it where that is not unique, and refuses factors that would overwrite
// each other.
func (d *decoder) nameFactors(m Matrix) {
	short := map[string]int{}
	for i := range m {
		short[shortName(m[i])]++
	}
	names, paths := map[string]bool{}, map[string]bool{}
	for i := range m {
		f := &m[i]
		if s := shortName(*f); f.Name == "" && short[s] > 1 {
			f.Name = f.Path
		} else {
			f.Name = s
		}
		keys, _, _ := factorPath(f.Path)
		path := strings.Join(canonicalKeys(keys), "\x00")
		switch {
		case names[f.Name]:
			d.fail(f.pos, fmt.Sprintf("two factors are named %q", f.Name), "rename one")
		case paths[path] && f.Path != ".":
			d.fail(f.pos, fmt.Sprintf("two factors set %s", f.Path), "keep one: the second would overwrite the first")
		}
		names[f.Name], paths[path] = true, true
	}
}

func shortName(f Factor) string {
	if f.Name != "" {
		return f.Name
	}
	keys, _, _ := factorPath(f.Path)
	if len(keys) == 0 {
		return f.Path
	}
	last := keys[len(keys)-1]
	return last[strings.LastIndexAny(last, "./")+1:]
}

// canonicalKeys makes two spellings of one sysctl compare equal.
func canonicalKeys(keys []string) []string {
	if len(keys) == 3 && keys[0] == "knobs" && keys[1] == "sysctl" {
		if path, err := sysctlPath(keys[2]); err == nil {
			return []string{keys[0], keys[1], path}
		}
	}
	return keys
}

// overlay is the configuration that a level stands for.
func (l Level) overlay(f Factor) *node {
	value := l.node
	if value == nil {
		value = fromPlain(l.Value)
	}
	keys, _, err := factorPath(f.Path)
	if err != nil {
		return &node{} // Parse has refused it
	}
	return wrap(keys, value)
}

// without is a mapping less one key.
func (n *node) without(key string) *node {
	out := *n
	out.fields = nil
	for _, f := range n.fields {
		if f.key != key {
			out.fields = append(out.fields, f)
		}
	}
	return &out
}
