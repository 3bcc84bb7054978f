package scenarios

import (
	"errors"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"netab/results/nesting"
)

// kind says what a node is.
type kind int

const (
	null kind = iota
	scalar
	mapping
	sequence
)

func (k kind) String() string {
	return [...]string{"nothing", "a single value", "a mapping", "a list"}[k]
}

// A node is a YAML value with its position: goccy's tree with aliases and
// merge keys resolved and scalars as they were written. An own tree is decoded
// rather than the library's, because the library's decoder stops at its first
// fault, and because an overlay must be decoded over what is there already.
type node struct {
	kind   kind
	text   string // of a scalar, unquoted
	quoted bool
	pos    Pos
	fields []field // of a mapping, in the order written
	items  []*node // of a sequence
	size   int     // nodes in here, aliases counted each time
}

// A field is one entry of a mapping.
type field struct {
	key   string
	pos   Pos
	value *node
}

// maxNodes bounds what aliases can blow up ("billion laughs").
const maxNodes = 100_000

// A placer says where a line and column of the text stand: in a file, or in
// the middle of a command line.
type placer func(line, column int) Pos

// A treeReader turns goccy's tree into nodes.
type treeReader struct {
	place   placer
	anchors map[string]*node
	fail    func(pos Pos, msg, hint string)
}

// readTree parses one YAML document. It returns nil after a fault that leaves
// nothing to decode.
func readTree(place placer, src []byte, fail func(pos Pos, msg, hint string)) *node {
	if deep, ok := errors.AsType[*nesting.Deep](nesting.YAML(src)); ok {
		fail(place(deep.Line, deep.Column), deep.Error(), "check brackets and indentation around here")
		return nil
	}
	// Duplicate keys are looked for here, so that they do not hide other faults.
	f, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		fail(syntaxFault(place, src, err))
		return nil
	}
	start := place(1, 1)
	r := &treeReader{place: place, anchors: map[string]*node{}, fail: fail}
	var root *node
	for _, doc := range f.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if root != nil {
			fail(r.pos(doc.Body), "a second YAML document in the file", "one file holds one scenario")
			break
		}
		root = r.node(doc.Body)
	}
	if root == nil || root.kind == null {
		fail(start, "the file is empty", "a scenario has at least `topology:` or `traffic:`; see `netab show loopback-rps`")
		return nil
	}
	if root.size > maxNodes {
		fail(start, "aliases make this file larger than "+strconv.Itoa(maxNodes)+" values", "write less with aliases")
		return nil
	}
	return root
}

// syntaxFault says where and what the parser found.
func syntaxFault(place placer, src []byte, err error) (pos Pos, msg, hint string) {
	line, column := 1, 1
	msg = err.Error()
	if ye, ok := errors.AsType[yaml.Error](err); ok {
		msg = ye.GetMessage()
		if tk := ye.GetToken(); tk != nil && tk.Position != nil {
			line, column = max(tk.Position.Line, 1), max(tk.Position.Column, 1)
		}
	}
	hint = "check indentation, quotes and brackets around here"
	lines := strings.Split(string(src), "\n")
	switch text := lines[min(line, len(lines))-1]; {
	case strings.Contains(msg, "\t") || strings.HasPrefix(text, "\t"):
		hint = "YAML indents with spaces, never with tabs"
	case strings.Contains(text, "{sink}") || strings.Contains(text, "{source}"):
		hint = `quote a CPU set with braces in it, or leave the braces off: "all - sink"`
	}
	msg = strings.ReplaceAll(msg, "\t", `\t`)
	return place(line, column), "not YAML: " + msg, hint
}

func (r *treeReader) pos(n ast.Node) Pos {
	switch n := n.(type) {
	case *ast.MappingNode:
		// The start token of a block mapping is its first colon.
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return r.pos(n.Values[0])
		}
	case *ast.MappingValueNode:
		return r.pos(n.Key)
	}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		return r.place(max(tk.Position.Line, 1), max(tk.Position.Column, 1))
	}
	return r.place(1, 1)
}

// node converts n and what is below it.
func (r *treeReader) node(n ast.Node) *node {
	out := &node{pos: r.pos(n), size: 1}
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.StringNode:
		out.kind, out.text = scalar, n.Value
		out.quoted = n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
	case *ast.LiteralNode:
		out.kind, out.text, out.quoted = scalar, n.Value.Value, true
	case *ast.MappingNode:
		r.mapping(out, n.Values)
	case *ast.MappingValueNode:
		r.mapping(out, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.kind = sequence
		for _, v := range n.Values {
			item := r.node(v)
			out.items = append(out.items, item)
			out.size = min(out.size+item.size, maxNodes+1)
		}
	case *ast.AnchorNode:
		// Registered only now: an alias inside its own anchor stays unknown.
		value := r.node(n.Value)
		r.anchors[n.Name.GetToken().Value] = value
		return value
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		if value, ok := r.anchors[name]; ok {
			return value
		}
		r.fail(out.pos, "alias *"+name+" has no anchor before it", "write &"+name+" in front of the value meant")
	case *ast.TagNode:
		switch n.Start.Value {
		case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
			if n.Value != nil {
				return r.node(n.Value)
			}
		default:
			r.fail(out.pos, "tag "+n.Start.Value+" is not used in scenarios", "remove it")
		}
	case ast.ScalarNode: // numbers and booleans, as written
		out.kind, out.text = scalar, n.GetToken().Value
	default:
		r.fail(out.pos, "a YAML "+strings.ToLower(n.Type().String())+" is not used in scenarios", "write a value, a list or a mapping")
	}
	return out
}

// mapping fills out from entries: explicit keys first, merged ones (<<) where
// they are missing.
func (r *treeReader) mapping(out *node, entries []*ast.MappingValueNode) {
	out.kind = mapping
	var merged []*node
	for _, e := range entries {
		value := r.node(e.Value)
		out.size = min(out.size+value.size, maxNodes+1)
		if e.Key.IsMergeKey() {
			merged = append(merged, value)
			continue
		}
		f := field{key: keyText(e.Key), pos: r.pos(e.Key), value: value}
		if value.kind == null {
			value.pos = f.pos
		}
		if first := out.field(f.key); first != nil {
			r.fail(f.pos, "key "+strconv.Quote(f.key)+" is given twice", "the first is in line "+strconv.Itoa(first.pos.Line)+"; keep one")
			continue
		}
		out.fields = append(out.fields, f)
	}
	for _, m := range merged {
		r.merge(out, m)
	}
}

func keyText(key ast.MapKeyNode) string {
	if complexKey, ok := key.(*ast.MappingKeyNode); ok && complexKey.Value != nil { // "? key"
		return complexKey.Value.GetToken().Value
	}
	return key.GetToken().Value
}

// merge adds the fields of a merge key's value that out has not.
func (r *treeReader) merge(out, from *node) {
	switch from.kind {
	case mapping:
		for _, f := range from.fields {
			if out.field(f.key) == nil {
				out.fields = append(out.fields, f)
			}
		}
	case sequence:
		for _, item := range from.items {
			if item.kind != mapping {
				r.fail(item.pos, "<< can only merge mappings", "list anchors of mappings: <<: [*a, *b]")
				continue
			}
			r.merge(out, item)
		}
	case scalar:
		r.fail(from.pos, "<< can only merge a mapping", "write <<: *name of a mapping")
	}
}

// field returns the entry of key, or nil.
func (n *node) field(key string) *field {
	for i := range n.fields {
		if n.fields[i].key == key {
			return &n.fields[i]
		}
	}
	return nil
}

// wrap puts n below the keys of path: wrap([a b], n) is {a: {b: n}}.
func wrap(keys []string, n *node) *node {
	for i := len(keys) - 1; i >= 0; i-- {
		n = &node{
			kind: mapping, pos: n.pos, size: n.size + 1,
			fields: []field{{key: keys[i], pos: n.pos, value: n}},
		}
	}
	return n
}

// merge lays over, which stands at path, on top of base: scalars and lists are
// replaced, mappings merged. Both stay as they are.
func merge(path string, base, over *node) *node {
	if base == nil || base.kind != mapping || over.kind != mapping {
		return over
	}
	out := *base
	out.fields = append([]field(nil), base.fields...)
	for _, f := range over.fields {
		if have := out.field(f.key); have != nil {
			at := join(path, f.key)
			have.value = merge(at, longhand(at, have.value), f.value)
			have.pos = f.pos
		} else {
			out.fields = append(out.fields, f)
		}
	}
	return &out
}

// longhand is the mapping that a bare word stands for ("topology: veth"), so
// that it can be merged with.
func longhand(path string, n *node) *node {
	if n.kind != scalar {
		return n
	}
	parts := strings.Split(path, ".")
	if len(parts) > 2 && parts[0] == "traffic" && parts[1] == "beside" {
		parts = append([]string{"traffic"}, parts[3:]...) // traffic of its own
	}
	switch strings.Join(parts, ".") {
	case "topology":
		return wrap([]string{"kind"}, n)
	case "traffic":
		return wrap([]string{"protocol"}, n)
	case "traffic.source", "traffic.sink":
		return wrap([]string{"path"}, n)
	}
	return n
}

// joined is the text of a list of single values with blanks between them, as
// sysctls of several numbers are written.
func (n *node) joined() (string, bool) {
	var parts []string
	for _, item := range n.items {
		if item.kind != scalar {
			return "", false
		}
		parts = append(parts, item.text)
	}
	return strings.Join(parts, " "), len(parts) > 0
}

// braced is the text of {sink} written without quotes, which YAML reads as a
// mapping of one key without a value.
func (n *node) braced() (string, bool) {
	if n.kind == mapping && len(n.fields) == 1 && n.fields[0].value.kind == null {
		return "{" + n.fields[0].key + "}", true
	}
	return "", false
}
