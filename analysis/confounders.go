package analysis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/results"
)

// confounders lists what differs between two runs besides their figures.
// Those named in declared are what was meant to differ.
func confounders(a, b *results.Header, declared []string) []Confounder {
	d := differences{out: []Confounder{}, declared: declared}
	d.machine(&a.Machine, &b.Machine)
	d.blocking("netab semantics", fmt.Sprint(max(1, a.Netab.Semantics)), fmt.Sprint(max(1, b.Netab.Semantics)))
	d.blocking("scenario", a.Design.Name, b.Design.Name)
	d.plain("netab version", build(a.Netab), build(b.Netab))
	d.plain("grain", a.Plan.Grain, b.Plan.Grain)
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
	d.blocking("architecture", a.Arch, b.Arch)
	d.blocking("cpu model", a.CPUModel, b.CPUModel)
	d.blocking("virtualization", a.Virtualization, b.Virtualization)
	d.blocking("online cpus", a.CPUsOnline, b.CPUsOnline)
	d.blocking("debug options", strings.Join(a.Debug, " "), strings.Join(b.Debug, " "))
	d.plain("kernel", a.Kernel, b.Kernel)
	d.plain("kernel build", a.KernelBuild, b.KernelBuild)
	d.plain("kernel command line", a.KernelCmdline, b.KernelCmdline)
	d.plain("hostname", a.Hostname, b.Hostname)
	d.plain("microcode", a.Microcode, b.Microcode)
	d.plain("isolated cpus", a.CPUsIsolated, b.CPUsIsolated)
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
	if a == b {
		return
	}
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
	text := fmt.Sprintf("%s, %s, %s, %s", a.Protocol, Counted(a.Message, "byte"), Counted(a.Flows, "flow"), a.Topology)
	if a.Kind != "" && a.Kind != "stream" { // older records do not name streams
		text = a.Kind + " over " + text
	}
	if a.Rate > 0 {
		text += fmt.Sprintf(", %s/s", rate(a.Rate))
	}
	if a.LossFree != nil {
		text += fmt.Sprintf(", highest rate with %s loss", percent(*a.LossFree))
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
