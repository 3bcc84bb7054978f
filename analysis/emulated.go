package analysis

import (
	"slices"

	"netab/results"
	"netab/results/vocab"
)

// NotHardware is the code of the warning of times that emulated CPUs took.
var NotHardware = vocab.Doubts("not-hardware-time")

// NotHardwareText says it.
const NotHardwareText = "not hardware time: the CPUs are emulated (QEMU's TCG), so rates, times and costs are those of a program that computes them, and no gate passes on them (--force lets it)"

// emulated warns of a machine that is none.
func emulated(m *results.Machine) []results.Warning {
	if m.Emulated == "" {
		return nil
	}
	return []results.Warning{{Code: NotHardware, Text: NotHardwareText}}
}

// emulated warns once, of all runs together.
func (c comparing) emulated() []results.Warning {
	for _, g := range c.groups {
		if i := slices.IndexFunc(g.Runs, func(r *results.Run) bool { return r.Header.Machine.Emulated != "" }); i >= 0 {
			return emulated(&g.Runs[i].Header.Machine)
		}
	}
	return nil
}
