package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// plain is a node as encoding/json writes it. Only what comes back with the
// same text becomes a number or a boolean: 0644 stays a string.
func (n *node) plain() any {
	switch n.kind {
	case scalar:
		if n.quoted {
			return n.text
		}
		if i, err := strconv.Atoi(n.text); err == nil && strconv.Itoa(i) == n.text {
			return i
		}
		if n.text == "true" || n.text == "false" {
			return n.text == "true"
		}
		return n.text
	case mapping:
		out := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			out[f.key] = f.value.plain()
		}
		return out
	case sequence:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = item.plain()
		}
		return out
	}
	return nil
}

// fromPlain is the way back, for scenarios that were made in Go and not
// parsed. It has no positions.
func fromPlain(v any) *node {
	switch v := v.(type) {
	case nil:
		return &node{}
	case map[string]any:
		out := &node{kind: mapping}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out.fields = append(out.fields, field{key: key, value: fromPlain(v[key])})
		}
		return out
	case []any:
		out := &node{kind: sequence}
		for _, item := range v {
			out.items = append(out.items, fromPlain(item))
		}
		return out
	default:
		return &node{kind: scalar, text: fmt.Sprint(v)}
	}
}
