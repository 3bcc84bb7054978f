package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netab/results/cpulist"
)

// A cpuSet is a parsed CPU set expression. It is evaluated with what the
// roles' CPUs are; the order of CPUs is kept, as flows are cycled over it.
type cpuSet func(env cpuEnv) ([]int, error)

// A cpuEnv is what symbolic sets stand for.
type cpuEnv struct {
	cpus         CPUs
	source, sink func() ([]int, error)
}

// parseCPUSet parses the grammar at Placement:
//
//	expr = term { ("+" | "-") term }
//	term = list | "all" | "none" | "off" | "isolated" | role | "(" expr ")" |
//	       "sibling of" term | "node" N | "node of" term
//	role = "source" | "sink" | "{source}" | "{sink}"
//	list = the kernel's "0-3,8"
//
// A dash between digits makes a range, any other is a difference.
func parseCPUSet(text string) (cpuSet, error) {
	p := &cpuSetParser{rest: text}
	set, err := p.expr(0)
	if err != nil {
		return nil, fmt.Errorf("%q is not a CPU set: %w", text, err)
	}
	if p.skip(); p.rest != "" {
		return nil, fmt.Errorf("%q is not a CPU set: what is %q?", text, p.rest)
	}
	return set, nil
}

type cpuSetParser struct{ rest string }

// maxNesting bounds the recursion of "((((...".
const maxNesting = 20

func (p *cpuSetParser) skip() { p.rest = strings.TrimLeft(p.rest, " \t") }

// take consumes prefix if it is next.
func (p *cpuSetParser) take(prefix string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, prefix)
	if ok {
		p.rest = rest
	}
	return ok
}

// word consumes the letters that are next.
func (p *cpuSetParser) word() string {
	p.skip()
	end := strings.IndexFunc(p.rest, func(r rune) bool { return r < 'A' || r > 'z' || r > 'Z' && r < 'a' })
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return strings.ToLower(word)
}

func (p *cpuSetParser) expr(depth int) (cpuSet, error) {
	left, err := p.term(depth)
	for err == nil {
		var combine func(a, b []int) []int
		switch {
		case p.take("+"):
			combine = func(a, b []int) []int { return cpulist.Unique(slices.Concat(a, b)) }
		case p.take("-"):
			combine = difference
		default:
			return left, nil
		}
		var right cpuSet
		if right, err = p.term(depth); err == nil {
			left = combined(left, right, combine)
		}
	}
	return nil, err
}

func combined(left, right cpuSet, combine func(a, b []int) []int) cpuSet {
	return func(env cpuEnv) ([]int, error) {
		a, err := left(env)
		if err != nil {
			return nil, err
		}
		b, err := right(env)
		if err != nil {
			return nil, err
		}
		return combine(a, b), nil
	}
}

func difference(a, b []int) []int {
	return slices.DeleteFunc(slices.Clone(a), func(cpu int) bool { return slices.Contains(b, cpu) })
}

func (p *cpuSetParser) term(depth int) (cpuSet, error) {
	if depth > maxNesting {
		return nil, errors.New("it nests too deep")
	}
	p.skip()
	switch {
	case p.rest == "":
		return nil, errors.New("something is missing at its end")
	case p.rest[0] >= '0' && p.rest[0] <= '9':
		return p.list()
	case p.take("("):
		set, err := p.expr(depth + 1)
		if err == nil && !p.take(")") {
			err = errors.New("a closing ) is missing")
		}
		return set, err
	case p.take("{"):
		name := p.word()
		if !p.take("}") || name != "source" && name != "sink" {
			return nil, errors.New("braces hold source or sink")
		}
		return role(name), nil
	}
	before := p.rest
	switch word := p.word(); word {
	case "all":
		return func(env cpuEnv) ([]int, error) { return slices.Sorted(slices.Values(env.cpus.usable())), nil }, nil
	case "none", "off":
		return func(cpuEnv) ([]int, error) { return nil, nil }, nil
	case "isolated":
		return isolated, nil
	case "source", "sink":
		return role(word), nil
	case "sibling", "siblings":
		return p.ofTerm(depth, word, siblings)
	case "node":
		return p.node(depth)
	default:
		return nil, fmt.Errorf("what is %q?", before)
	}
}

// list takes a list in the kernel's format; a dash belongs to it only between
// digits.
func (p *cpuSetParser) list() (cpuSet, error) {
	end := 0
	digit := func(i int) bool { return i < len(p.rest) && p.rest[i] >= '0' && p.rest[i] <= '9' }
	for end < len(p.rest) {
		next := end + 1
		switch p.rest[end] {
		case ',': // blanks may follow a comma
			for next < len(p.rest) && p.rest[next] == ' ' {
				next++
			}
			if !digit(next) {
				return nil, errors.New("a number is missing after a comma")
			}
		case '-':
			if !digit(next) {
				next = 0
			}
		default:
			if !digit(end) {
				next = 0
			}
		}
		if next == 0 {
			break
		}
		end = next
	}
	cpus, err := cpulist.ParseOrdered(p.rest[:end])
	p.rest = p.rest[end:]
	return func(env cpuEnv) ([]int, error) {
		for _, cpu := range cpus {
			if !slices.Contains(env.cpus.Online, cpu) {
				return nil, fmt.Errorf("CPU %d is not online", cpu)
			}
		}
		return cpus, nil
	}, err
}

// ofTerm takes "of TERM" and applies f to its value.
func (p *cpuSetParser) ofTerm(depth int, word string, f func(CPUs, []int) ([]int, error)) (cpuSet, error) {
	if p.word() != "of" {
		return nil, fmt.Errorf("%q wants \"of\" after it, as in \"sibling of source\"", word)
	}
	inner, err := p.term(depth + 1)
	if err != nil {
		return nil, err
	}
	return func(env cpuEnv) ([]int, error) {
		cpus, err := inner(env)
		if err != nil {
			return nil, err
		}
		return f(env.cpus, cpus)
	}, nil
}

// node takes what follows "node": a number, or "of TERM".
func (p *cpuSetParser) node(depth int) (cpuSet, error) {
	p.skip()
	end := 0
	for end < len(p.rest) && p.rest[end] >= '0' && p.rest[end] <= '9' {
		end++
	}
	if end == 0 {
		return p.ofTerm(depth, "node", nodesOf)
	}
	number, err := strconv.Atoi(p.rest[:end])
	if err != nil {
		return nil, fmt.Errorf("%q is not the number of a node", p.rest[:end])
	}
	p.rest = p.rest[end:]
	return func(env cpuEnv) ([]int, error) { return onNodes(env.cpus, number) }, nil
}

func role(name string) cpuSet {
	return func(env cpuEnv) ([]int, error) {
		if name == "source" {
			return env.source()
		}
		return env.sink()
	}
}

func isolated(env cpuEnv) ([]int, error) {
	cpus := difference(slices.Sorted(slices.Values(env.cpus.Isolated)), difference(env.cpus.Isolated, env.cpus.usable()))
	if len(cpus) == 0 {
		return nil, errors.New("no CPU is isolated (isolcpus= of the kernel's command line)")
	}
	return cpus, nil
}

// usable are the CPUs that names stand for: online, and this process's to run on.
func (c CPUs) usable() []int {
	if c.Allowed == nil {
		return c.Online
	}
	return difference(c.Allowed, difference(c.Allowed, c.Online))
}

// barred is the error for a set with CPUs that are online and not usable. Sets
// are held against it as a whole: "all - 0" and "sibling of 0" may name what
// they do not take.
func (c CPUs) barred(set []int) error {
	for _, cpu := range set {
		if !slices.Contains(c.usable(), cpu) {
			return barredError{cpu, c.usable()}
		}
	}
	return nil
}

type barredError struct {
	cpu    int
	usable []int
}

func (e barredError) Error() string {
	return fmt.Sprintf("CPU %d is online, but this process may run on %s only (taskset or cpuset)", e.cpu, cpulist.Format(e.usable))
}

// siblings are the other hardware threads of the cores of set.
func siblings(cpus CPUs, set []int) ([]int, error) {
	var out []int
	for _, cpu := range set {
		for _, thread := range cpus.Siblings[cpu] {
			if slices.Contains(cpus.usable(), thread) && !slices.Contains(set, thread) {
				out = append(out, thread)
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("CPU %s has no sibling: no other thread of its core can be used", cpulist.Format(set))
	}
	return cpulist.Unique(out), nil
}

func nodesOf(cpus CPUs, set []int) ([]int, error) {
	var nodes []int
	for _, cpu := range set {
		nodes = append(nodes, cpus.Node[cpu])
	}
	return onNodes(cpus, nodes...)
}

func onNodes(cpus CPUs, nodes ...int) ([]int, error) {
	var out []int
	for _, cpu := range slices.Sorted(slices.Values(cpus.usable())) {
		if slices.Contains(nodes, cpus.Node[cpu]) {
			out = append(out, cpu)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("node %s has no CPU that can be used", cpulist.Format(nodes))
	}
	return out, nil
}
