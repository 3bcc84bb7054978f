package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"netab/results/cpulist"
)

// A resolver turns the symbolic CPU sets of one arm into CPUs.
type resolver struct {
	d            *decoder
	draft        draft
	cpus         CPUs
	source, sink []int // after place; nil = free
}

// fail notes a fault of the arm at a path of its configuration.
func (r *resolver) fail(path string, err error) {
	if barred, ok := errors.AsType[barredError](err); ok {
		r.d.fail(r.draft.where.at(path), path+": "+barred.Error(), "name CPUs of these, or start netab without the restriction")
		return
	}
	hint := "online are " + cpulist.Format(r.cpus.Online)
	if usable := r.cpus.usable(); len(usable) < len(r.cpus.Online) {
		hint += ", of them this process may run on " + cpulist.Format(usable) + " (taskset or cpuset)"
	}
	if len(r.cpus.Isolated) > 0 {
		hint += ", isolated of them " + cpulist.Format(r.cpus.Isolated)
	}
	r.d.fail(r.draft.where.at(path), path+": "+err.Error(), hint)
}

// place finds the CPUs of the roles.
func (r *resolver) place() (ResolvedCPUs, bool) {
	p := r.draft.cfg.Placement
	sources, sinks := r.draft.cfg.Traffic.Places()
	if len(r.cpus.Online) == 0 {
		r.fail("placement", errors.New("no CPU is known to be online"))
		return ResolvedCPUs{}, false
	}
	if len(r.cpus.usable()) == 0 {
		r.fail("placement", errors.New("no CPU that is online is this process's to run on"))
		return ResolvedCPUs{}, false
	}
	switch p.Mode {
	case "free":
		return ResolvedCPUs{}, true
	case "same":
		cpu := []int{sameCPU(r.cpus)}
		return ResolvedCPUs{cpu, cpu}, true
	case "distinct":
		source, sink, err := distinctCPUs(r.cpus, sources, sinks)
		if err != nil {
			r.fail("placement", err)
			return ResolvedCPUs{}, false
		}
		return ResolvedCPUs{source, sink}, true
	}
	source, sink := &roleSet{text: p.Source}, &roleSet{text: p.Sink}
	env := cpuEnv{r.cpus, source.value, sink.value}
	source.env, sink.env = &env, &env
	ok := true
	for path, set := range map[string]*roleSet{"placement.source": source, "placement.sink": sink} {
		cpus, err := set.value()
		if err == nil && len(cpus) == 0 {
			err = fmt.Errorf("%q is empty here", set.text)
		}
		if err == nil {
			err = r.cpus.barred(cpus)
		}
		if err != nil {
			r.fail(path, err)
			ok = false
		}
	}
	return ResolvedCPUs{firstOf(source.cpus, sources), firstOf(sink.cpus, sinks)}, ok
}

// firstOf leaves off CPUs that no place gets.
func firstOf(cpus []int, places int) []int { return cpus[:min(len(cpus), places)] }

// A roleSet is evaluated when it is first needed, as each role's set may name
// the other's.
type roleSet struct {
	text string
	env  *cpuEnv
	busy bool
	done bool
	cpus []int
	err  error
}

func (s *roleSet) value() ([]int, error) {
	if s.busy {
		return nil, errors.New("source and sink are each defined by the other")
	}
	if !s.done {
		s.busy = true
		set, err := parseCPUSet(s.text)
		if err == nil {
			s.cpus, err = set(*s.env)
		}
		s.err, s.busy, s.done = err, false, true
	}
	return s.cpus, s.err
}

// A core is the usable hardware threads of one physical core.
type core struct {
	node    int
	threads []int
}

// cores lists what roles may be put on by default, ordered by node and number.
// Isolated CPUs are left to those who ask for them, unless too few others are
// there.
func (c CPUs) cores() []core {
	usable := difference(c.usable(), c.Isolated)
	if len(usable) < 2 {
		usable = c.usable()
	}
	byFirst := map[int]*core{}
	for _, cpu := range slices.Sorted(slices.Values(usable)) {
		first := cpu
		for _, thread := range c.Siblings[cpu] {
			if slices.Contains(usable, thread) {
				first = min(first, thread)
			}
		}
		if byFirst[first] == nil {
			byFirst[first] = &core{node: c.Node[first]}
		}
		byFirst[first].threads = append(byFirst[first].threads, cpu)
	}
	var out []core
	for _, co := range byFirst {
		out = append(out, *co)
	}
	slices.SortFunc(out, func(a, b core) int {
		return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.threads[0], b.threads[0]))
	})
	return out
}

// sameCPU is one CPU for all threads: not the first, which takes most
// interrupts, if there is another.
func sameCPU(c CPUs) int {
	cores := c.cores()
	if len(cores) > 1 {
		return cores[1].threads[0]
	}
	return cores[0].threads[len(cores[0].threads)-1]
}

// distinctCPUs gives each place of both roles a core, those of one flow on one
// node while there are any: of a node's cores the first half are for sources,
// the rest for sinks. If one role has fewer places than its half, the other
// takes what is left. More places than cores are cycled over them by the reader.
func distinctCPUs(c CPUs, sources, sinks int) (source, sink []int, err error) {
	cores := c.cores()
	if len(cores) == 1 {
		threads := cores[0].threads
		if len(threads) < 2 {
			return nil, nil, fmt.Errorf("distinct needs two CPUs, but only CPU %d can be used; use same or free", threads[0])
		}
		return threads[:1], threads[1:2], nil
	}
	byNode := map[int][]int{}
	for _, co := range cores {
		byNode[co.node] = append(byNode[co.node], co.threads[0])
	}
	nodes := make([]int, 0, len(byNode))
	for node := range byNode {
		nodes = append(nodes, node)
	}
	// The roomiest node first: a few flows then stay on one node.
	slices.SortFunc(nodes, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(byNode[b]), len(byNode[a])), cmp.Compare(a, b))
	})
	for _, node := range nodes {
		on := byNode[node]
		first, rest := split(len(on), sources-len(source), sinks-len(sink))
		source = append(source, on[:first]...)
		sink = append(sink, on[first:first+rest]...)
	}
	if len(source) == 0 || len(sink) == 0 { // every node has one core
		return []int{cores[0].threads[0]}, []int{cores[1].threads[0]}, nil
	}
	return source, sink, nil
}

// split shares the cores of a node: half each, or all but what the role of
// fewer places takes.
func split(cores, sources, sinks int) (first, rest int) {
	if sources == sinks {
		pairs := min(cores/2, sources)
		return pairs, pairs
	}
	if sources < sinks {
		rest, first = split(cores, sinks, sources)
		return first, rest
	}
	rest = min(cores/2, sinks)
	return min(cores-rest, sources), rest
}
