package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/probe"
)

var (
	codeBusyMachine = vocab.Warns("busy-machine")
	codeAnotherRun  = vocab.Warns("another-run")
	codeCPUSteal    = vocab.Warns("cpu-steal")
	codeCPUQuota    = vocab.Warns("cpu-quota")
	codeLeftovers   = vocab.Warns("leftovers")
	codeGovernor    = vocab.Warns("governor")
	codeClocksource = vocab.Warns("clocksource")
	codeDebugKernel = vocab.Warns("debug-kernel")
)

// Bounds above which a machine is not quiet enough to go unmentioned.
const (
	quietFor    = 200 * time.Millisecond // how long is looked
	maxForeign  = 0.05                   // CPUs' worth of other processes
	maxStealing = 0.01                   // share of all CPU time
)

// Check looks at the machine before a run and says what will make the numbers
// noisy or unlike those of other machines. It changes nothing.
func Check(m results.Machine) ([]results.Warning, error) {
	var out []results.Warning
	warn := func(code vocab.Code, format string, args ...any) {
		out = append(out, results.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	foreign, host, err := lookAround(quietFor)
	if err != nil {
		return nil, err
	}
	if cpus := float64(foreign.TotalNS) / float64(quietFor); cpus > maxForeign {
		var names []string
		for _, p := range foreign.Top {
			names = append(names, fmt.Sprintf("%s (pid %d)", p.Name, p.PID))
		}
		warn(codeBusyMachine, "other processes use %.2f of a CPU: %s; stop them, or expect more noise", cpus, strings.Join(names, ", "))
	}
	if runs := knob.OtherRuns(); len(runs) > 0 {
		// Their number and names are theirs to choose.
		const few = 3
		text := strings.Join(runs[:min(few, len(runs))], ", ")
		if more := len(runs) - few; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		warn(codeAnotherRun, "another netab measures on this machine, and no lock of its keeps this one apart (another user's, or another mount namespace's): %s; both disturb each other: measure again when it has ended", text)
	}
	if share := float64(host.StealNS) / float64(quietFor) / float64(max(m.CPUs, 1)); share > maxStealing {
		warn(codeCPUSteal, "the hypervisor takes %.1f %% of this guest's CPU time", 100*share)
	}
	if q, ok := results.ReadCPUQuota(results.Root("")); ok {
		warn(codeCPUQuota, "a control group limits the CPU time of netab and all beside it there (%s): once that is used up, all stand still until the next period", q)
	}
	if left, err := filepath.Glob(knob.NetnsDir + "/" + knob.NetnsPrefix + "*"); err == nil && len(left) > 0 {
		warn(codeLeftovers, "namespaces of an earlier run are left, and no journal knows of them: %s; look into them for devices, then `ip netns delete` them", strings.Join(left, ", "))
	}
	if m.Governor != "" && m.Governor != "performance" {
		warn(codeGovernor, "the CPU frequency governor is %q: frequencies follow the load; knobs: {governor: performance} sets it for a run", m.Governor)
	}
	if m.Clocksource != "" && m.Clocksource != "tsc" && !strings.HasPrefix(m.Arch, "a") {
		warn(codeClocksource, "the clock source is %s, not tsc: reading the clock is slow", m.Clocksource)
	}
	if len(m.Debug) > 0 {
		warn(codeDebugKernel, "this kernel has debugging options that change performance: %s", strings.Join(m.Debug, ", "))
	}
	return out, nil
}

// lookAround watches the machine without doing anything itself.
func lookAround(d time.Duration) (probe.Foreign, results.HostDelta, error) {
	var local host.Local
	before, err := probe.ReadProcesses(local)
	if err != nil {
		return probe.Foreign{}, results.HostDelta{}, err
	}
	machine, err := probe.ReadMachine(local)
	if err != nil {
		return probe.Foreign{}, results.HostDelta{}, err
	}
	time.Sleep(d)
	after, err := probe.ReadMachine(local)
	if err != nil {
		return probe.Foreign{}, results.HostDelta{}, err
	}
	processes, err := probe.ReadProcesses(local)
	if err != nil {
		return probe.Foreign{}, results.HostDelta{}, err
	}
	return processes.Foreign(before, []int{os.Getpid()}, 3), after.HostDelta(machine), nil
}
