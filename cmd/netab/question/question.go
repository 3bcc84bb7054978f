// Package question has a scenario ready to be asked of this machine: found by name or
// file, its arms placed on the CPUs there are, its metrics known. Of that it makes what
// the runner needs, Options, and has it measured, Ask.
//
// It lies below cmd, because it sees both sides: package analysis has the metrics and
// the stop rule, and package runner is given them as functions. It prints nothing.
package question

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis"
	"netab/results"
	"netab/scenarios"
)

// A Question is a scenario that is ready to be planned.
type Question struct {
	*scenarios.Scenario
	Source string // file path, builtin:NAME, stdin, or the command line
	Text   []byte // of the scenario as it was read
	Arms   []scenarios.Arm
	// Allowed are sysctls that it may set though no scenario may unasked.
	Allowed []string
}

// A MachineError is the fault of this machine, not of the scenario.
type MachineError struct{ Err error }

func (e *MachineError) Error() string { return e.Err.Error() }
func (e *MachineError) Unwrap() error { return e.Err }

// Load reads a scenario by name or file, with overrides by --set, for this machine, or
// for the guests that it describes if it names kernels.
func Load(ref string, sets []string) (*Question, error) { return LoadTyped(ref, scenarios.Sets(sets)) }

// LoadTyped is Load with overrides by any flags; "" is a scenario of flags alone.
func LoadTyped(ref string, typed []scenarios.Typed) (*Question, error) {
	return load(ref, typed, fittingCPUs)
}

// LoadForGuests is LoadTyped for guests, whether or not the scenario names kernels.
func LoadForGuests(ref string, typed []scenarios.Typed) (*Question, error) {
	return load(ref, typed, guestCPUs)
}

// LoadInGuest is LoadTyped for this machine, which is the guest of a kernel that the
// scenario names.
func LoadInGuest(ref string, typed []scenarios.Typed, kernel string) (*Question, error) {
	q, err := load(ref, typed, hereCPUs)
	if err != nil {
		return nil, err
	}
	return q.OfKernel(kernel)
}

func load(ref string, typed []scenarios.Typed, cpus func(*scenarios.Scenario) (scenarios.CPUs, error)) (*Question, error) {
	source, text, err := read(ref)
	if err != nil {
		return nil, err
	}
	var s *scenarios.Scenario
	if ref == "" {
		s, err = scenarios.ParseTyped(typed)
	} else {
		s, err = scenarios.ParseFile(source, text, typed)
	}
	if err != nil {
		return nil, err
	}
	q, err := (&Question{Source: source, Text: text}).placed(s, cpus)
	if err != nil {
		return nil, err
	}
	return q, q.checkMetrics()
}

// With is another scenario made of q's.
func (q *Question) With(s *scenarios.Scenario) (*Question, error) { return q.placed(s, fittingCPUs) }

func (q *Question) placed(s *scenarios.Scenario, cpus func(*scenarios.Scenario) (scenarios.CPUs, error)) (*Question, error) {
	c, err := cpus(s)
	if err != nil {
		return nil, &MachineError{err}
	}
	arms, err := scenarios.Expand(s, c)
	return &Question{Scenario: s, Source: q.Source, Text: q.Text, Arms: arms, Allowed: q.Allowed}, err
}

func fittingCPUs(s *scenarios.Scenario) (scenarios.CPUs, error) {
	if arms, err := scenarios.Unplaced(s); err == nil && (&Question{Arms: arms}).NamesKernels() {
		return guestCPUs(s)
	}
	return hereCPUs(s)
}

func hereCPUs(*scenarios.Scenario) (scenarios.CPUs, error) {
	t, err := results.ReadCPUTopology(results.Root(""))
	return scenarios.CPUs{Online: t.Online, Allowed: t.Allowed, Isolated: t.Isolated, Node: t.Node, Siblings: t.Siblings}, err
}

// guestCPUs are those of a guest: QEMU gives it a socket for each.
func guestCPUs(s *scenarios.Scenario) (scenarios.CPUs, error) {
	var c scenarios.CPUs
	for cpu := range s.Guest.WithDefaults().CPUs {
		c.Online = append(c.Online, cpu)
	}
	return c, nil
}

// checkMetrics refuses metrics that nobody computes: only package analysis
// knows which there are, and after a run it is too late to say so.
func (q *Question) checkMetrics() error {
	var known []string
	for _, m := range analysis.Metrics() {
		known = append(known, m.Name)
	}
	d := q.Design()
	var faults scenarios.Errors
	for _, name := range d.Metrics {
		key, path := "measure.metrics", fmt.Sprintf("measure.metrics.%d", slices.Index(q.Measure.Metrics, name))
		if _, gates := q.Gate[name]; gates {
			key, path = "gate", "gate."+name
		}
		fail := func(msg, hint string) { faults = append(faults, q.Fault(path, key+": "+msg, hint)) }
		of, _, beside := strings.Cut(name, ".")
		m, ok := analysis.LookupMetric(name)
		if !ok {
			fail(fmt.Sprintf("%q is not a metric", name), scenarios.Suggest(name, known))
		} else if beside && !slices.ContainsFunc(q.Arms, func(a scenarios.Arm) bool { _, ok := a.Config.Traffic.Beside[of]; return ok }) {
			fail(fmt.Sprintf("%q: no arm has traffic beside of that name", name), "name it in traffic.beside")
		} else if !slices.ContainsFunc(d.Arms, m.AppliesTo) {
			fail(fmt.Sprintf("%q means nothing for this traffic, so it would be measured for nothing", name), "see the metrics of its kind in docs/traffic.md, or leave it off")
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}
