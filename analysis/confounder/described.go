package confounder

import (
	"fmt"
	"slices"
	"strings"

	"netab/results"
)

// arms compares what arms of one name were in two runs: topology, traffic and
// placement, where another answer is to another question, and knobs, where it is
// not. Where a record holds no description, what both hold is compared, and it is
// said that the rest is not known.
func (d *differences) arms(a, b *results.Header) {
	pairs := armPairs(a.Design, b.Design)
	facts := factsOf(pairs)
	for _, x := range facts {
		d.add(x.name, x.a, x.b, x.part != "knobs")
	}
	var undescribed []string
	for _, p := range pairs {
		name := p.a.Name
		of := func(knobs bool) func(armFact) bool {
			return func(x armFact) bool { return slices.Contains(x.arms, name) && (x.part == "knobs") == knobs }
		}
		// What the facts told is not told twice. Knobs are recorded as what they came
		// to also, CPUs for "all - sink", which may be something else by itself.
		if !slices.ContainsFunc(facts, of(false)) {
			d.blocking("traffic of "+name, traffic(*p.a), traffic(*p.b))
		}
		if !slices.ContainsFunc(facts, of(true)) {
			d.plain("knobs of "+name, strings.Join(p.a.Knobs, ", "), strings.Join(p.b.Knobs, ", "))
		}
		if !p.described() {
			undescribed = append(undescribed, name)
		}
	}
	if len(undescribed) > 0 || len(pairs) == 0 {
		d.blocking("placement", placement(a.Scenario), placement(b.Scenario))
	}
	if len(undescribed) > 0 { // what is not known of both is not known to be equal
		d.out = append(d.out, Confounder{Name: FactDescribed, A: recorded(a.Design), B: recorded(b.Design)})
	}
}

// FactDescribed is what differs between two records where one of them does not
// say all of what the arms were.
const FactDescribed = "description of the arms"

// An armPair is an arm of one name in two runs.
type armPair struct{ a, b *results.Arm }

func (p armPair) described() bool { return len(p.a.Description) > 0 && len(p.b.Description) > 0 }

func armPairs(a, b results.Design) []armPair {
	var out []armPair
	for i := range a.Arms {
		if k := b.ArmAt(a.Arms[i].Name); k >= 0 {
			out = append(out, armPair{&a.Arms[i], &b.Arms[k]})
		}
	}
	return out
}

// OneFact is the path of the one fact in which the arms of designs differ from those
// of the first, "" if in none; not ok = in several, or not all are described.
func OneFact(designs []results.Design) (path string, ok bool) {
	for _, d := range designs {
		for _, p := range armPairs(designs[0], d) {
			for _, x := range results.Differences(p.a.Description, p.b.Description) {
				if path != "" && path != x.Path || !p.described() {
					return "", false
				}
				path = x.Path
			}
		}
	}
	return path, true
}

// Facts are the names, as of ArmFact, of what two designs say differently of arms of
// one name.
func Facts(a, b results.Design) []string {
	var out []string
	for _, f := range factsOf(armPairs(a, b)) {
		out = append(out, f.name)
	}
	return out
}

// An armFact is a fact that is another in two runs, of one arm or of all.
type armFact struct {
	name, part string
	arms       []string
	a, b       string
}

// factsOf are the facts that differ, by arm. One that differs in all arms alike
// is one fact: whoever changed the common part of a scenario changed it once.
func factsOf(pairs []armPair) []armFact {
	var out []armFact
	for _, p := range pairs {
		if !p.described() {
			continue
		}
		for _, x := range results.Differences(p.a.Description, p.b.Description) {
			part, rest := results.Part(x.Path)
			f := armFact{rest, part, []string{p.a.Name}, orUnset(x.Values[0]), orUnset(x.Values[1])}
			i := slices.IndexFunc(out, func(have armFact) bool {
				return have.name == f.name && have.part == f.part && have.a == f.a && have.b == f.b
			})
			if i >= 0 {
				out[i].arms = append(out[i].arms, p.a.Name)
			} else {
				out = append(out, f)
			}
		}
	}
	for i := 0; i < len(out); i++ {
		f := out[i]
		if len(f.arms) > 1 && len(f.arms) == len(pairs) {
			out[i].name = ArmFact(f.part, "all arms", f.name)
			continue
		}
		var each []armFact
		for _, arm := range f.arms {
			each = append(each, armFact{ArmFact(f.part, arm, f.name), f.part, []string{arm}, f.a, f.b})
		}
		out = slices.Replace(out, i, i+1, each...)
		i += len(each) - 1
	}
	return out
}

// ArmFact is how a fact of an arm is called in a list of what differs, and may be
// declared: "traffic of off: direction".
func ArmFact(part, arm, fact string) string { return fmt.Sprintf("%s of %s: %s", part, arm, fact) }

// Covers says whether what was declared to differ is a confounder: by its name,
// by the first part of it ("traffic of off", "traffic"), or as the fact's path,
// which is of every arm ("traffic.direction").
func Covers(declared, name string) bool {
	if declared == name || strings.HasPrefix(name, declared+": ") || strings.HasPrefix(name, declared+" of ") {
		return true
	}
	part, fact := results.Part(declared)
	return fact != "" && strings.HasPrefix(name, part+" of ") && strings.HasSuffix(name, ": "+fact)
}

func orUnset(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}

// recorded says whether a run holds descriptions of its arms.
func recorded(d results.Design) string {
	for _, a := range d.Arms {
		if len(a.Description) == 0 {
			return "not recorded"
		}
	}
	return "recorded"
}
