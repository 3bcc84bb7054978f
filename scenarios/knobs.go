package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/results/cpulist"
)

// knobs flattens the arm's knobs: sysctls, devices ("both" before the others,
// whole devices before their queues, so that the later is the stronger),
// interrupts, governor; as written within each.
func (r *resolver) knobs() []Knob {
	k := r.draft.cfg.Knobs
	var out []Knob
	for _, name := range inFileOrder(r, "knobs.sysctl", k.Sysctl) {
		path := join("knobs.sysctl", name)
		out = append(out, Knob{Family: "sysctl", Name: name, Value: k.Sysctl[name], Pos: r.draft.where.at(path)})
	}
	devices := inFileOrder(r, "knobs.device", k.Device)
	slices.SortStableFunc(devices, func(a, b string) int { return cmp.Compare(b2i(a != "both"), b2i(b != "both")) })
	for _, name := range devices {
		out = append(out, r.device(name, k.Device[name])...)
	}
	for _, name := range inFileOrder(r, "knobs.irq", k.IRQ) {
		path := join("knobs.irq", name)
		value := r.cpuSet(path, k.IRQ[name], false)
		out = append(out, Knob{Family: "irq", Device: name, Value: value, Pos: r.draft.where.at(path)})
	}
	if k.Governor != "" {
		out = append(out, Knob{Family: "governor", Value: k.Governor, Pos: r.draft.where.at("knobs.governor")})
	}
	return out
}

// inFileOrder are the keys of the map at a path in the order of the file, then of
// --set: one setting may be allowed only after another.
func inFileOrder[V any](r *resolver, path string, m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		x, y := r.draft.where.at(join(path, a)), r.draft.where.at(join(path, b))
		return cmp.Or(cmp.Compare(b2i(isTyped(x)), b2i(isTyped(y))),
			cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column), cmp.Compare(a, b))
	})
}

// knob brings the value of k, as written at path, to its canonical form.
func (r *resolver) knob(path string, k Knob) Knob {
	k.Pos = r.draft.where.at(path)
	if strings.HasSuffix(k.Family, "_cpus") {
		k.Value = r.cpuSet(path, k.Value, true)
	}
	return k
}

// cpuSet evaluates a CPU set of a knob. Only a set that says so may be empty:
// "all - sink" on a machine of one CPU would silently be "none".
func (r *resolver) cpuSet(path, text string, mayClear bool) string {
	set, err := parseCPUSet(text)
	var cpus []int
	if err == nil {
		cpus, err = set(cpuEnv{r.cpus, fixedRole("source", r.source), fixedRole("sink", r.sink)})
	}
	clears := text == "none" || text == "off"
	switch {
	case err != nil:
	case clears && !mayClear:
		err = fmt.Errorf("%q: an interrupt needs a CPU", text)
	case len(cpus) == 0 && !clears:
		err = fmt.Errorf("%q is empty here", text)
	default:
		err = r.cpus.barred(cpus)
	}
	if err != nil {
		r.fail(path, err)
		return ""
	}
	return cpulist.Format(cpus)
}

// fixedRole is a role's CPUs when they are known.
func fixedRole(name string, cpus []int) func() ([]int, error) {
	return func() ([]int, error) {
		if cpus == nil {
			return nil, fmt.Errorf("the %s runs on no fixed CPU (placement: free)", name)
		}
		return cpulist.Unique(cpus), nil
	}
}
