package scenarios

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// YAML is the scenario as a file says it, with what was laid over the file in its
// place: no defaults, and no comments. Parse reads the same scenario from it.
func (s *Scenario) YAML() []byte {
	root := &node{kind: mapping}
	for _, key := range keysOf(scenarioType) {
		switch key {
		case "name":
			root.put(key, &node{kind: scalar, text: s.Name, quoted: true})
			continue
		case "question":
			if s.Question != "" {
				root.put(key, &node{kind: scalar, text: s.Question, quoted: true})
			}
			continue
		case "matrix":
			if len(s.Matrix) > 0 {
				root.put(key, s.Matrix.tree())
			}
			continue
		case "arms":
			if len(s.Arms) > 0 {
				root.put(key, s.Arms.tree())
			}
			continue
		}
		if f := s.tree.field(key); f != nil && f.value.kind != null {
			root.put(key, f.value)
		}
	}
	var w yamlWriter
	w.block(root, 0)
	return []byte(w.String())
}

func (m Matrix) tree() *node {
	out := &node{kind: mapping}
	for _, f := range m {
		list, named := &node{kind: sequence}, &node{kind: mapping}
		for _, l := range f.Levels {
			value := l.node
			if value == nil {
				value = fromPlain(l.Value)
			}
			if value.kind == null {
				value = &node{kind: mapping}
			}
			named.put(l.Name, value)
			if value.kind == scalar && value.text == l.Name {
				list.items = append(list.items, value)
			}
		}
		levels := list
		if len(list.items) < len(named.fields) {
			levels = named
		}
		if f.Name == shortName(Factor{Path: f.Path}) {
			out.put(f.Path, levels)
			continue
		}
		whole := &node{kind: mapping}
		whole.put("path", &node{kind: scalar, text: f.Path})
		whole.put("levels", levels)
		out.put(f.Name, whole)
	}
	return out
}

func (a Arms) tree() *node {
	out := &node{kind: mapping}
	for _, arm := range a {
		overlay := arm.overlay()
		if overlay.kind == null {
			overlay = &node{kind: mapping}
		}
		out.put(arm.Name, overlay)
	}
	return out
}

// put adds an entry to a mapping.
func (n *node) put(key string, value *node) {
	n.fields = append(n.fields, field{key: key, value: value})
}

// with is a mapping with a value at a path below it: merged with what is there, or
// in its place.
func (n *node) with(keys []string, value *node, whole bool) *node {
	if n == nil {
		n = &node{kind: mapping}
	}
	keys = canonicalKeys(keys)
	if whole {
		return n.merged("", wrap(keys, &node{kind: null})).merged("", wrap(keys, value))
	}
	return n.merged("", wrap(keys, value))
}

// merged is merge, for which two spellings of one sysctl are one key.
func (n *node) merged(path string, over *node) *node {
	if n.kind != mapping || over.kind != mapping {
		return over
	}
	if path == "knobs.sysctl" {
		spelt := *n
		spelt.fields = slices.Clone(n.fields)
		for i, f := range spelt.fields {
			spelt.fields[i].key = canonicalKeys([]string{"knobs", "sysctl", f.key})[2]
		}
		n = &spelt
	}
	out := *n
	out.fields = slices.Clone(n.fields)
	for _, f := range over.fields {
		at := join(path, f.key)
		if have := out.field(f.key); have != nil {
			have.value = longhand(at, have.value).merged(at, f.value)
		} else {
			out.fields = append(out.fields, f)
		}
	}
	return &out
}

// A yamlWriter writes nodes as a person would: what fits goes on one line.
type yamlWriter struct{ strings.Builder }

// yamlWidth is how long a line may be whose mapping stands in braces.
const yamlWidth = 100

func (w *yamlWriter) block(n *node, indent int) {
	for _, f := range n.fields {
		w.WriteString(strings.Repeat(" ", indent) + yamlKey(f.key) + ":")
		flow := flowOf(f.value)
		switch {
		case f.value.kind == mapping && len(f.value.fields) > 0 && (indent == 0 && slices.Contains([]string{"matrix", "arms"}, f.key) || indent+len(f.key)+2+len(flow) > yamlWidth):
			w.WriteByte('\n')
			w.block(f.value, indent+2)
			continue
		}
		w.WriteString(" " + flow + "\n")
	}
}

// flowOf is a value on one line.
func flowOf(n *node) string {
	var parts []string
	switch n.kind {
	case scalar:
		return yamlText(n)
	case mapping:
		for _, f := range n.fields {
			parts = append(parts, yamlKey(f.key)+": "+flowOf(f.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case sequence:
		for _, item := range n.items {
			parts = append(parts, flowOf(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "null"
}

// Words that need no quotes; what other readers of YAML take for a truth needs them
// as a key, where it is a name.
var (
	yamlPlain = regexp.MustCompile(`^[A-Za-z0-9_./+][A-Za-z0-9_./+%@=-]*( [A-Za-z0-9_./+%@=-]+)*$`)
	yamlTruth = regexp.MustCompile(`^(?i:on|off|yes|no|y|n|true|false|null)$`)
)

func yamlKey(text string) string {
	if yamlPlain.MatchString(text) && !yamlTruth.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}

func yamlText(n *node) string {
	switch {
	case yamlPlain.MatchString(n.text) && !(n.quoted && (yamlTruth.MatchString(n.text) || numberLike.MatchString(n.text))):
		return n.text
	case n.quoted && strings.Contains(n.text, "\n"):
		return strconv.Quote(strings.Join(strings.Fields(n.text), " "))
	}
	return strconv.Quote(n.text)
}

var numberLike = regexp.MustCompile(`^[0-9.+-]`)
