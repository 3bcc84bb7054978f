// Package confounder says what differs between two runs besides what was meant to
// differ, and whether that makes their figures answers to two questions. It reads
// what runs say of themselves, and none of their figures.
package confounder

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

// A Confounder is something that differs between the runs compared besides
// what was meant to differ.
type Confounder struct {
	Name     string `json:"name"`
	A        string `json:"a"`
	B        string `json:"b"`
	Blocking bool   `json:"blocking"`           // makes the numbers incomparable
	Declared bool   `json:"declared,omitempty"` // what was meant to differ
}

// Between lists what differs between two runs besides their figures. Those named in
// declared are what was meant to differ.
func Between(a, b *results.Run, declared []string) []Confounder {
	return append(ofHeaders(&a.Header, &b.Header, declared), placedDifferently(a, b, declared)...)
}

// Blocks is something found by other means that makes figures incomparable, if it
// differs.
func Blocks(name, a, b string, declared []string) []Confounder {
	d := differences{declared: declared}
	d.blocking(name, a, b)
	return d.out
}

func ofHeaders(a, b *results.Header, declared []string) []Confounder {
	d := differences{out: []Confounder{}, declared: declared}
	d.machine(&a.Machine, &b.Machine)
	d.blocking("netab semantics", fmt.Sprint(max(1, a.Netab.Semantics)), fmt.Sprint(max(1, b.Netab.Semantics)))
	d.blocking("scenario", a.Design.Name, b.Design.Name)
	d.plain("netab version", build(a.Netab), build(b.Netab))
	d.plain("grain", string(a.Plan.Grain), string(b.Plan.Grain))
	d.plain("slice", fmt.Sprint(a.Plan.SliceNS, " ns"), fmt.Sprint(b.Plan.SliceNS, " ns"))
	d.plain("settle", fmt.Sprint(a.Plan.SettleNS, " ns"), fmt.Sprint(b.Plan.SettleNS, " ns"))
	d.plain("blocks per trial", fmt.Sprint(a.Plan.BlocksPerTrial), fmt.Sprint(b.Plan.BlocksPerTrial))
	d.plain("arms", ArmNames(a.Design), ArmNames(b.Design))
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
	meant := slices.ContainsFunc(d.declared, func(declared string) bool { return Covers(declared, name) })
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

// ArmNames are those of a design, in its order.
func ArmNames(d results.Design) string {
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
