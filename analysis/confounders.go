package analysis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
)

// confounders lists what differs between two runs besides their figures.
// Those named in declared are what was meant to differ.
func confounders(a, b *results.Header, declared []string) []Confounder {
	d := differences{out: []Confounder{}, declared: declared}
	d.machine(&a.Machine, &b.Machine)
	d.blocking("netab semantics", fmt.Sprint(max(1, a.Netab.Semantics)), fmt.Sprint(max(1, b.Netab.Semantics)))
	d.blocking("scenario", a.Design.Name, b.Design.Name)
	d.plain("netab version", build(a.Netab), build(b.Netab))
	d.plain("grain", string(a.Plan.Grain), string(b.Plan.Grain))
	d.plain("slice", fmt.Sprint(a.Plan.SliceNS, " ns"), fmt.Sprint(b.Plan.SliceNS, " ns"))
	d.plain("settle", fmt.Sprint(a.Plan.SettleNS, " ns"), fmt.Sprint(b.Plan.SettleNS, " ns"))
	d.plain("blocks per trial", fmt.Sprint(a.Plan.BlocksPerTrial), fmt.Sprint(b.Plan.BlocksPerTrial))
	d.plain("arms", armNames(a.Design), armNames(b.Design))
	d.arms(a, b)
	return d.out
}

type differences struct {
	out      []Confounder
	declared []string
}

// machine compares what the runs ran on. Blocking is what makes the two
// figures answers to different questions; the rest may or may not matter.
func (d *differences) machine(a, b *results.Machine) {
	same := a.Identity().Same(b.Identity())
	if !same {
		d.plain("machine", a.Identity().String(), b.Identity().String())
	}
	d.blocking("architecture", a.Arch, b.Arch)
	d.known("cpu model", a.CPUModel, b.CPUModel, same)
	d.blocking("virtualization", a.Virtualization, b.Virtualization)
	d.known("online cpus", a.CPUsOnline, b.CPUsOnline, same)
	d.debugOptions(a, b)
	d.plain("kernel", a.Kernel, b.Kernel)
	d.plain("kernel build", a.KernelBuild, b.KernelBuild)
	d.plain("kernel command line", a.KernelCmdline, b.KernelCmdline)
	d.plain("hostname", a.Hostname, b.Hostname)
	if a.Board != "" && b.Board != "" { // records before 2026-12 do not tell
		d.plain("board", a.Board, b.Board)
	}
	d.plain("microcode", a.Microcode, b.Microcode)
	d.plain("isolated cpus", a.CPUsIsolated, b.CPUsIsolated)
	d.plain("allowed cpus", a.CPUsAllowed, b.CPUsAllowed)
	d.plain("cpu quota", quota(a.CPUQuota), quota(b.CPUQuota))
	d.plain("threads per core", fmt.Sprint(a.ThreadsPerCore), fmt.Sprint(b.ThreadsPerCore))
	d.plain("sockets", fmt.Sprint(a.Sockets), fmt.Sprint(b.Sockets))
	d.plain("numa nodes", fmt.Sprint(a.NUMANodes), fmt.Sprint(b.NUMANodes))
	d.plain("clocksource", a.Clocksource, b.Clocksource)
	d.plain("governor", a.Governor, b.Governor)
	d.plain("irq time accounting", a.IRQTime, b.IRQTime)
	d.plain("modules", strings.Join(a.Modules, " "), strings.Join(b.Modules, " "))
	d.each("mitigation ", a.Mitigations, b.Mitigations)
	d.each("sysctl ", a.Sysctls, b.Sysctls)
	d.each("offload ", a.Offloads, b.Offloads)
	d.each("qdisc ", a.Qdiscs, b.Qdiscs)
}

// known is for what every machine has, whether the record tells it or not: what
// is not known equals nothing. It blocks unless both are one machine, and is said
// in any case.
func (d *differences) known(name, a, b string, same bool) {
	if a != "" && b != "" {
		d.blocking(name, a, b)
		return
	}
	if a == "" {
		a = unknown
	}
	if b == "" {
		b = unknown
	}
	d.put(name, a, b, !same)
}

const unknown = "unknown"

// debugOptions come from the kernel's configuration. Where the machine did not
// tell it (and then not its accounting of interrupts either), no option is no
// news.
func (d *differences) debugOptions(a, b *results.Machine) {
	say := func(m *results.Machine) (text string, known bool) {
		if len(m.Debug) == 0 && m.IRQTime == unknown {
			return unknown, false
		}
		return strings.Join(m.Debug, " "), true
	}
	x, knownA := say(a)
	y, knownB := say(b)
	const name = "debug options"
	switch {
	case knownA && knownB:
		d.blocking(name, x, y)
	case a.KernelBuild == "" || a.Kernel != b.Kernel || a.KernelBuild != b.KernelBuild: // one build has one configuration
		d.put(name, x, y, false)
	}
}

func (d *differences) each(kind string, a, b map[string]string) {
	keys := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		d.plain(kind+k, a[k], b[k])
	}
}

func (d *differences) plain(name, a, b string)    { d.add(name, a, b, false) }
func (d *differences) blocking(name, a, b string) { d.add(name, a, b, true) }

func (d *differences) add(name, a, b string, blocking bool) {
	if a != b {
		d.put(name, a, b, blocking)
	}
}

// put lists a difference, or two that are not known to be none.
func (d *differences) put(name, a, b string, blocking bool) {
	meant := slices.ContainsFunc(d.declared, func(declared string) bool { return covers(declared, name) })
	d.out = append(d.out, Confounder{Name: name, A: a, B: b, Blocking: blocking && !meant, Declared: meant})
}

// placement is what the scenario says of CPUs, "" where a record holds none. Of
// an arm's own placement the CPUs that it came to tell (placedDifferently).
func placement(scenario json.RawMessage) string {
	var s struct {
		Placement json.RawMessage `json:"placement"`
	}
	var out bytes.Buffer
	if json.Unmarshal(scenario, &s) != nil || json.Compact(&out, s.Placement) != nil {
		return ""
	}
	return out.String()
}

func build(b results.Build) string {
	s := strings.TrimSpace(b.Version + " " + b.Revision)
	if b.Modified {
		s += " (modified)"
	}
	return s
}

func traffic(a results.Arm) string {
	text := fmt.Sprintf("%s, %s, %s, %s", a.Protocol, prose.Counted(a.Message, "byte"), prose.Counted(a.Flows, "flow"), a.Topology)
	if a.Kind.Or() != vocab.Stream {
		text = string(a.Kind) + " over " + text
	}
	if a.Rate > 0 {
		text += fmt.Sprintf(", %s/s", prose.Rate(a.Rate))
	}
	if a.LossFree != nil {
		text += fmt.Sprintf(", highest rate with %s loss", prose.Percent(*a.LossFree))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Beside)) {
		text += fmt.Sprintf(", beside it %s (%s)", name, a.Beside[name])
	}
	return text
}

func armNames(d results.Design) string {
	var names []string
	for _, a := range d.Arms {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

// quota is a limit of CPU time in words, "" without one.
func quota(cpus float64) string {
	if cpus == 0 {
		return ""
	}
	return fmt.Sprintf("%.3g CPUs", cpus)
}

// confounders lists what differs between the first run and any other, once
// each.
func (c comparing) confounders() []Confounder {
	out := []Confounder{}
	first, declared := c.groups[0].Runs[0], c.options.Declared
	for _, g := range c.groups {
		for _, r := range g.Runs {
			if r == first {
				continue
			}
			for _, f := range append(confounders(&first.Header, &r.Header, declared), placedDifferently(first, r, declared)...) {
				if !slices.Contains(out, f) {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Blocking lists the confounders that make runs incomparable, in words.
func (s *Summary) Blocking() []string {
	var out []string
	for _, f := range s.Confounders {
		if f.Blocking {
			out = append(out, fmt.Sprintf("%s (%s; %s)", f.Name, orNone(f.A), orNone(f.B)))
		}
	}
	return out
}
