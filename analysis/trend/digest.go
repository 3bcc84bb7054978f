package trend

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"netab/analysis"
	"netab/analysis/confounder"
	"netab/results"
)

// DigestVersion changes when Digest would make something else of the same
// run; indexes of another version are made anew.
const DigestVersion = "trend/8"

// Digest takes from a run what its points in all series need: the level of
// every arm on every metric, the changes that the run was judged by, and what
// else could explain a change.
func Digest(run *results.Run) results.Digest {
	h := &run.Header
	d := results.Digest{ID: h.ID, Started: h.Started, Scenario: h.Design.Name, Boot: h.Machine.BootID, Source: h.Source,
		Unused: unused(run), Facts: facts(h), Asked: h.Design.Asked(), Semantics: h.Netab.Semantics}
	if d.Unused != "" {
		return d
	}
	s := analysis.Summarize(run)
	if s.TooFewQuiet {
		d.Unused = fmt.Sprintf("disturbed: %d of %d trials, and too few others", s.Disturbed, s.Trials)
		return d
	}
	d.State, d.Effects = analysis.StateOf(s.States), analysis.EffectsOf(&s)
	add := func(key results.SeriesKey, arm *results.Arm, x float64) {
		key.Arm, key.Traffic, key.Question = arm.Name, traffic(*arm), arm.Description.Question()
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			key.Resolution = analysis.Threshold(h.Design, key.Metric)
			d.Series, d.Values = append(d.Series, key), append(d.Values, x)
		}
	}
	for i, a := range s.Arms {
		for _, metric := range slices.Sorted(maps.Keys(a.Metrics)) {
			add(results.SeriesKey{Metric: metric, Judged: slices.Contains(s.Metrics, metric)}, &h.Design.Arms[i], a.Metrics[metric].Mean)
		}
		for _, metric := range s.Metrics {
			m, ok := analysis.LookupMetric(metric)
			if _, has := a.Metrics[metric]; ok && !has && m.AppliesTo(h.Design.Arms[i]) {
				add(results.SeriesKey{Metric: metric, Judged: true, Missing: true}, &h.Design.Arms[i], 0)
			}
		}
	}
	for _, c := range s.Comparisons {
		i := h.Design.ArmAt(c.Arm)
		if c.Judged && i >= 0 {
			add(results.SeriesKey{Against: c.Baseline, Metric: c.Metric, Judged: true, Missing: c.Untold()}, &h.Design.Arms[i], c.Change)
		}
	}
	return d
}

// unused says why a run is no point: a run that has not ended may be going on,
// and will be another one when it is read the next time.
func unused(run *results.Run) string {
	valid := slices.ContainsFunc(run.Trials, func(t results.Trial) bool { return t.Invalid == "" })
	switch {
	case run.End == nil:
		return "cut off, or not ended yet"
	case run.End.Reason.Failed():
		return string(run.End.Reason)
	case !valid:
		return "no valid trial"
	}
	return ""
}

// traffic is what an arm's name stands for, in a few words. They are all that
// older records say: two figures of different traffic are no history of each
// other.
func traffic(a results.Arm) string {
	flows := "flows"
	if a.Flows == 1 {
		flows = "flow"
	}
	text := fmt.Sprintf("%s %s, %d B, %d %s, %s", a.Protocol, a.Kind.Or(), a.Message, a.Flows, flows, a.Topology)
	if a.Rate > 0 {
		text += fmt.Sprintf(", %g/s", a.Rate)
	}
	if a.LossFree != nil {
		text += fmt.Sprintf(", loss-free to %g", *a.LossFree)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Beside)) {
		text += fmt.Sprintf(", beside %s (%s)", name, a.Beside[name])
	}
	return text
}

// Names of facts that the rest of the package asks for.
const (
	factName      = "machine name"
	factMachineID = "machine id"
	factBoard     = "board"
	factHost      = "hostname"
	factCPU       = "cpu model"
	factKernel    = "kernel"
	factBuild     = "kernel build"
	factEmulated  = "emulated"
	// factDescribed is there where facts say all of what the arms were.
	factDescribed = confounder.FactDescribed
)

// questionParts are the parts of an arm's description that make two figures
// answers to different questions: with them another series begins. Knobs do not,
// so that what a knob did to a figure is seen in its series.
var questionParts = []string{"topology", "traffic", "placement"}

// facts are the machine, the kernel and netab itself in the words in which
// package analysis lists confounders; what is empty is left out.
func facts(h *results.Header) map[string]string {
	m := &h.Machine
	f := map[string]string{
		factName: m.Name, factMachineID: m.MachineID, factBoard: m.Board,
		factHost: m.Hostname, factCPU: m.CPUModel, "online cpus": m.CPUsOnline, "virtualization": m.Virtualization, factEmulated: m.Emulated,
		"architecture": m.Arch, "debug options": strings.Join(m.Debug, " "),
		factKernel: m.Kernel, factBuild: m.KernelBuild, "kernel command line": m.KernelCmdline,
		"microcode": m.Microcode, "isolated cpus": m.CPUsIsolated, "allowed cpus": m.CPUsAllowed, "clocksource": m.Clocksource, "governor": m.Governor,
		"irq time accounting": m.IRQTime, "modules": strings.Join(m.Modules, " "),
		"netab version": strings.TrimSpace(h.Netab.Version + " " + h.Netab.Revision), "grain": string(h.Plan.Grain),
		"slice": fmt.Sprint(h.Plan.SliceNS, " ns"),
	}
	if m.CPUQuota > 0 {
		f["cpu quota"] = fmt.Sprintf("%.3g CPUs", m.CPUQuota)
	}
	if h.Netab.Modified {
		f["netab version"] += " (modified)"
	}
	for kind, set := range map[string]map[string]string{"mitigation": m.Mitigations, "sysctl": m.Sysctls, "offload": m.Offloads, "qdisc": m.Qdiscs} {
		for k, v := range set {
			f[kind+" "+k] = v
		}
	}
	for _, a := range h.Design.Arms {
		f["knobs of "+a.Name] = strings.Join(a.Knobs, ", ")
		for path, value := range a.Description {
			if part, fact := results.Part(path); slices.Contains(questionParts, part) { // knobs are told above, as what they came to
				f[confounder.ArmFact(part, a.Name, fact)] = value
				f[factDescribed] = "recorded"
			}
		}
	}
	maps.DeleteFunc(f, func(_, v string) bool { return v == "" })
	return f
}

// gitRelease is what CONFIG_LOCALVERSION_AUTO appends to a kernel's release
// (scripts/setlocalversion): "6.18.0-rc3-00123-g0a1b2c3d4e5f".
var gitRelease = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`-g([0-9a-f]{7,40})(-dirty|\+)?$`) })

// commitOf is the commit in a kernel's release, "" without one.
func commitOf(release string) string {
	if m := gitRelease().FindStringSubmatch(release); m != nil {
		return m[1] + m[2]
	}
	return ""
}
