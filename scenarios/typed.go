package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"netab/results/vocab"
)

// A Typed is one part of a scenario that stands on a command line. In positions the
// flag stands for the file, and how often it was given for the line: --set:2:9.
type Typed struct {
	Flag string // --set, --arm, --vary, or one that stands for a path
	// Path that the flag stands for; "" where Text names it: of --set PATH=VALUE, of
	// --vary PATH=LEVEL,..., of --arm NAME or NAME: PATH=VALUE, ...
	Path string
	Text string // as it was typed
}

const (
	setFlag  = "--set"
	armFlag  = "--arm"
	varyFlag = "--vary"

	// commandLine stands for the file of a scenario that has none.
	commandLine = "the command line"
)

// isTyped says whether a position is on the command line.
func isTyped(p Pos) bool { return strings.HasPrefix(p.File, "--") }

// Sets are overrides by --set.
func Sets(sets []string) []Typed {
	var out []Typed
	for _, set := range sets {
		out = append(out, Typed{Flag: setFlag, Text: set})
	}
	return out
}

// ParseTyped is a scenario of a command line alone. Its name, unless it is given
// one, is made of what it measures.
func ParseTyped(typed []Typed) (*Scenario, error) {
	s := &Scenario{sources: sources{}, tree: &node{kind: mapping}}
	d := newDecoder(s.sources)
	d.where[""] = Pos{File: commandLine}
	s.where = d.where
	return s.finish(d, typed)
}

// typedName is what a scenario without a name is called: tcp-rr-veth-message.
func (s *Scenario) typedName() string {
	c := s.Config.clone().withDefaults()
	words := []string{string(c.Traffic.Protocol), string(c.Traffic.Kind)}
	if c.Topology.Kind != vocab.Loopback {
		words = append(words, string(c.Topology.Kind))
	}
	for _, f := range s.Matrix {
		words = append(words, f.Name)
	}
	name := nameOf(strings.ReplaceAll(strings.Join(words, "-"), "/", "-"))
	return strings.Trim(name[:min(len(name), maxName)], "-")
}

// settingStart is where a setting of an arm begins: the paths that an arm may have
// make it clear which commas are between settings, and which are in values.
var settingStart = regexp.MustCompile(`(?:^|[\s,;]+)((?:` + strings.Join(keysOf(configType), "|") + `)(?:\.[^=\s]*)?=)`)

// addArm adds an arm: NAME, NAME: PATH=VALUE, PATH=VALUE, or NAME: {a mapping}.
func (s *Scenario) addArm(o override) {
	const want = "want NAME, or NAME: PATH=VALUE, such as sink: knobs.device.lo.rps_cpus={sink}"
	o.path, o.base = "", 0
	name, rest, more := strings.Cut(o.text, ":")
	name = strings.TrimSpace(name)
	if _, err := armSyntax().canon(name); err != nil || strings.Contains(name, "=") {
		o.fail(0, fmt.Sprintf("%q names no arm", shortened(o.text, maxName)), want)
		return
	}
	for _, have := range s.Arms {
		if have.Name == name {
			o.fail(0, fmt.Sprintf("there is an arm named %q already", name), "choose another name; --set arms."+name+".PATH=VALUE changes it")
			return
		}
	}
	arm := NamedArm{Name: name, node: &node{pos: o.pos(0)}, pos: o.pos(0)}
	switch at := len(o.text) - len(strings.TrimLeft(rest, " ")); {
	case !more:
	case strings.TrimSpace(rest) == "":
		o.fail(len(o.text), fmt.Sprintf("nothing follows %q", name+":"), want)
		return
	case strings.HasPrefix(o.text[at:], "{"):
		inner := o
		inner.value, inner.base = o.text[at:], at-1 // behind the "=" of an empty path
		n := inner.node(configType)
		if n == nil {
			return
		}
		arm.node = n
	default:
		if arm.node = o.settings(at, want); arm.node == nil {
			return
		}
	}
	arm.Overlay = arm.node.plain()
	s.Arms = append(s.Arms[:len(s.Arms):len(s.Arms)], arm)
	o.d.where["arms"] = o.pos(0)
	s.armsTyped++
}

// settings is the overlay that PATH=VALUE, PATH=VALUE makes, from a byte of the text
// on; nil after a fault.
func (o override) settings(at int, want string) *node {
	starts := settingStart.FindAllStringSubmatchIndex(o.text[at:], -1)
	if len(starts) == 0 || starts[0][2] != 0 {
		key, _, _ := strings.Cut(o.text[at:], "=")
		hint := want
		if first, _, _ := strings.Cut(key, "."); strings.Contains(o.text[at:], "=") {
			hint = elsewhere(first)
		}
		o.fail(at, fmt.Sprintf("%q is no setting of an arm", shortened(o.text[at:], maxName)), hint)
		return nil
	}
	out := &node{kind: mapping, pos: o.pos(at)}
	for i, start := range starts {
		end := len(o.text) - at
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		setting := o
		setting.base = at + start[2]
		setting.path, setting.value, _ = strings.Cut(o.text[setting.base:at+end], "=")
		keys, leaf, err := factorPath(setting.path)
		if err != nil {
			setting.fail(err.offset, err.msg, err.hint)
			return nil
		}
		n := setting.node(leaf)
		if n == nil {
			return nil
		}
		out = merge("", out, wrap(keys, n))
	}
	return out
}

// elsewhere is the hint for a path that does not begin where paths begin.
func elsewhere(key string) string {
	var paths []string
	for _, m := range membersOf(configType) {
		if m.typ.Kind().String() != "struct" {
			continue
		}
		for _, below := range keysOf(m.typ) {
			if below == key {
				paths = append(paths, m.key+"."+key)
			}
		}
	}
	if len(paths) > 0 {
		return "did you mean " + strings.Join(paths, " or ") + "?"
	}
	return Suggest(key, keysOf(configType))
}

// vary makes a factor of PATH=LEVEL,LEVEL,...: a list without its brackets, or any
// value that levels may have.
func (s *Scenario) vary(o override) {
	path, value, ok := strings.Cut(o.text, "=")
	o.path, o.value, o.base = "matrix."+path, value, -len("matrix.")
	if !ok || strings.TrimSpace(value) == "" {
		o.fail(len("matrix."+path), fmt.Sprintf("%q has no levels", o.text), "want PATH=LEVEL,LEVEL, such as traffic.message=64,1472")
		return
	}
	if first, _, _ := strings.Cut(path, "."); !slices.Contains(keysOf(configType), first) {
		o.fail(len("matrix."), fmt.Sprintf("unknown key %q in path %q", first, path), elsewhere(first))
		return
	}
	n := &node{kind: sequence, pos: o.pos(len(o.path) + 1)}
	if strings.HasPrefix(strings.TrimSpace(value), "[") || strings.HasPrefix(strings.TrimSpace(value), "{") && strings.HasSuffix(strings.TrimSpace(value), "}") && strings.Contains(value, ": ") {
		if n = o.node(matrixType); n == nil {
			return
		}
	} else {
		at := len(o.path) + 1
		for _, level := range topLevel(value) {
			text := strings.TrimSpace(level)
			pos := o.pos(at + strings.Index(level, text))
			if text == "" {
				o.d.fail(pos, "an empty level of "+path, "want PATH=LEVEL,LEVEL, such as traffic.message=64,1472")
				return
			}
			item := &node{kind: scalar, text: text, pos: pos, size: 1}
			if q := strings.Trim(text, `"'`); len(q) == len(text)-2 {
				item.text, item.quoted = q, true
			}
			n.items = append(n.items, item)
			at += len(level) + 1
		}
	}
	s.matrixTyped = s.matrixTyped || len(s.Matrix) == 0
	s.Matrix = slices.Clone(s.Matrix)
	s.setFactor(o, n)
	o.d.where["matrix"] = o.pos(0)
	if _, given := s.where["matrix"]; !given {
		s.where["matrix"] = o.pos(0)
	}
}

// topLevel splits a text at the commas that no bracket, brace or quote is around.
func topLevel(text string) []string {
	var out []string
	depth, from := 0, 0
	var quote rune
	for i, r := range text {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		case r == ',' && depth == 0:
			out, from = append(out, text[from:i]), i+1
		}
	}
	return append(out, text[from:])
}

// crossArms makes a factor of arms where there are factors too, of which one side was
// typed: what a file says with a factor of the whole configuration. (A file that has both
// arms and a matrix is refused.)
func (s *Scenario) crossArms(d *decoder) {
	typed := s.matrixTyped || s.armsTyped == len(s.Arms)
	if len(s.Arms) == 0 || len(s.Matrix) == 0 || !typed {
		return
	}
	f := Factor{Name: armFactor, Path: ".", pos: d.where.at("arms")}
	for _, arm := range s.Arms {
		f.Levels = append(f.Levels, Level{Name: arm.Name, Value: arm.Overlay, node: arm.node})
	}
	s.Matrix = append(s.Matrix[:len(s.Matrix):len(s.Matrix)], f)
	s.Arms, s.armsTyped = nil, 0
	d.nameFactors(s.Matrix)
}

// armFactor is the factor that arms become.
const armFactor = "arm"

// baselineLevels are the levels of the arm that a file calls its baseline, by the path of
// their factor, before --vary gives that arm another name; nil where none is named.
func (s *Scenario) baselineLevels() map[string]string {
	if s.Baseline == "" {
		return nil
	}
	out := map[string]string{}
	for _, arm := range s.Arms {
		if arm.Name == s.Baseline {
			out[armFactor] = arm.Name
		}
	}
	for _, dr := range s.product(newDecoder(s.sources)) {
		if dr.name == s.Baseline {
			for i, level := range dr.levels {
				out[s.Matrix[i].Path] = level.Level
			}
		}
	}
	return out
}

// rebase names a file's baseline anew after --vary: of the arms with the levels that it
// had, it is the first.
func (s *Scenario) rebase(levels map[string]string) {
	var names []string
	for _, f := range s.Matrix {
		key := f.Path
		if f.Name == armFactor && f.Path == "." {
			key = armFactor
		}
		at := max(0, slices.IndexFunc(f.Levels, func(l Level) bool { return l.Name == levels[key] }))
		names = append(names, f.Name+"="+f.Levels[at].Name)
	}
	s.Baseline = strings.Join(names, ",")
	s.tree = merge("", s.tree, wrap([]string{"baseline"}, &node{kind: scalar, text: s.Baseline, quoted: true}))
}
