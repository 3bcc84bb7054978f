package html

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/results"
)

func machineFacts(m results.Machine) []fact {
	facts := []fact{
		{"Host", m.Hostname}, {"Kernel", strings.TrimSpace(m.Kernel + " " + m.KernelBuild)}, {"Kernel command line", m.KernelCmdline},
		{"Architecture", m.Arch}, {"CPU", m.CPUModel}, {"Microcode", m.Microcode},
		{"CPUs online", fmt.Sprintf("%d (%s)", m.CPUs, m.CPUsOnline)}, {"Allowed CPUs", m.CPUsAllowed}, {"Isolated CPUs", m.CPUsIsolated},
		{"Topology", fmt.Sprintf("%s, %s, %s per core", prose.Counted(m.Sockets, "socket"), prose.Counted(m.NUMANodes, "NUMA node"), prose.Counted(m.ThreadsPerCore, "thread"))},
		{"Memory", prose.Bytes(m.MemoryBytes)}, {"Clock source", m.Clocksource}, {"Frequency governor", m.Governor},
		{"Virtualisation", m.Virtualization}, {"Interrupt time accounting", m.IRQTime},
		{"Debug options", strings.Join(m.Debug, ", ")}, {"Modules in the packet path", strings.Join(m.Modules, ", ")},
		{"Boot", m.BootID}, {"Queueing disciplines", pairs(m.Qdiscs)},
	}
	return present(facts)
}

// An otherMachine is one beside the first.
type otherMachine struct {
	Said         string
	Facts, Lists []fact
}

func otherMachines(run *results.Run, s analysis.Summary) (out []otherMachine) {
	for i, m := range run.Header.Others {
		o := otherMachine{Facts: machineFacts(m), Lists: machineLists(m)}
		if i < len(s.Others) {
			o.Said = s.Others[i].String()
		}
		out = append(out, o)
	}
	return out
}

// machineLists are the long lists, folded on the page.
func machineLists(m results.Machine) []fact {
	return present([]fact{{"Mitigations", pairs(m.Mitigations)}, {"Sysctls", pairs(m.Sysctls)}, {"Offloads", pairs(m.Offloads)}})
}

// pairs lists a map line by line, sorted.
func pairs(m map[string]string) string {
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, k+": "+m[k])
	}
	return strings.Join(lines, "\n")
}

func present(facts []fact) []fact {
	var out []fact
	for _, f := range facts {
		if f.Value != "" && f.Value != "0 B" {
			out = append(out, f)
		}
	}
	return out
}
