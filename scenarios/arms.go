package scenarios

import "fmt"

func armSyntax() *syntax { return wordSyntax("name of an arm", "._+=,@:%-") }

// decodeNode of arms reads a mapping of name to overlay, or the list that JSON
// records hold: [{name, config}].
func (a *Arms) decodeNode(d *decoder, n *node, path string, r rule) {
	var out Arms
	add := func(name string, pos Pos, overlay *node) {
		if _, err := armSyntax().canon(name); err != nil {
			d.fail(pos, err.Error(), armSyntax().want)
			return
		}
		for _, have := range out {
			if have.Name == name {
				d.fail(pos, fmt.Sprintf("two arms are named %q", name), fmt.Sprintf("the first is in line %d; rename one", have.pos.Line))
				return
			}
		}
		out = append(out, NamedArm{Name: name, Overlay: overlay.plain(), node: overlay, pos: pos})
	}
	if !d.few(n, path, r) {
		return
	}
	switch n.kind {
	case mapping:
		for _, f := range n.fields {
			add(f.key, f.pos, f.value)
		}
	case sequence:
		for _, item := range n.items {
			name := item.field("name")
			if item.kind != mapping || name == nil || name.value.kind != scalar {
				d.fail(item.pos, path+": an arm without a name", "want NAME: {what differs}, or {name: ..., config: {...}}")
				continue
			}
			overlay := &node{pos: item.pos}
			for _, f := range item.fields {
				switch f.key {
				case "name":
				case "config":
					overlay = f.value
				default:
					d.fail(f.pos, fmt.Sprintf("unknown key %q in an arm of a list", f.key), "want {name: ..., config: {"+f.key+": ...}}")
				}
			}
			add(name.value.text, name.value.pos, overlay)
		}
	case scalar:
		d.fail(n.pos, path+" is a single value here", "want a mapping of arm name to what differs")
		return
	}
	if len(n.fields) == 0 && len(n.items) == 0 {
		d.fail(n.pos, path+" names no arm", "want a mapping of arm name to what differs, or leave it off for a single arm")
	}
	*a = out
}

func (a NamedArm) overlay() *node {
	if a.node != nil {
		return a.node
	}
	return fromPlain(a.Overlay)
}
