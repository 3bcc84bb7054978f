package analysis

import (
	"fmt"
	"maps"
	"slices"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeDebugKernel       = vocab.Warns("debug-kernel")
	codeCPUThrottled      = vocab.Warns("cpu-throttled")
	codeFrequency         = vocab.Warns("frequency")
	codeNotPinned         = vocab.Warns("not-pinned")
	codeSettingDiffers    = vocab.Doubts("setting-differs")
	codeLedgerUnexplained = vocab.Warns("ledger-unexplained")
	codeCPUSteal          = vocab.Warns("cpu-steal")
	codeForeignCpu        = vocab.Warns("foreign-cpu")
	codeOwnCpu            = vocab.Warns("own-cpu")
)

// Bounds beyond which a condition of the measurement is worth a warning, as
// shares of the machine's CPU time (steal), of one CPU (foreign, own), of the
// messages sent (unexplained), and as a ratio of frequencies.
const (
	stealBound       = 0.01
	foreignBound     = 0.05
	ownBound         = 0.01
	unexplainedBound = 0.001
	frequencyBound   = 1.05
)

// conditions warns of what the machine did in the valid trials that the arms did not
// ask for.
func conditions(run *results.Run, valid *record.Record) []results.Warning {
	ws := otherUse(valid.Trials, run.Header.Machine.CPUs)
	ws = append(ws, throttled(valid.Trials, run.Header.Machine.CPUQuota)...)
	ws = append(ws, frequency(valid.Trials)...)
	ws = append(ws, rates(valid)...)
	for i, arm := range run.Header.Design.Arms {
		ws = append(ws, unpinned(valid.Trials, i, arm.Name)...)
		ws = append(ws, idleCPUs(run, valid, i)...)
		ws = append(ws, settings(valid.Trials, i, arm.Name)...)
		ws = append(ws, unexplained(valid.Trials, i, arm.Name)...)
		ws = append(ws, windowLoss(valid, i)...)
		ws = append(ws, tooFew(valid, i)...)
		ws = append(ws, eventWarnings(run, valid, i)...)
	}
	if d := run.Header.Machine.Debug; len(d) > 0 {
		ws = append(ws, results.Warning{Code: codeDebugKernel, Text: fmt.Sprintf(
			"the kernel is built with %v, which costs time on the packet path: do not carry the figures over to another kernel", d)})
	}
	return ws
}

func otherUse(trials []record.Trial, cpus int) []results.Warning {
	var steal, foreign, own, ran float64
	for i := range trials {
		h := &trials[i].Host
		steal += float64(h.StealNS)
		foreign += float64(h.ForeignNS)
		own += float64(h.OwnNS)
		ran += float64(max(0, trials[i].RunNS))
	}
	if ran == 0 {
		return nil
	}
	var ws []results.Warning
	warn := func(share, bound float64, code vocab.Code, text string) {
		if share > bound {
			ws = append(ws, results.Warning{Code: code, Text: fmt.Sprintf(text, prose.Percent(share))})
		}
	}
	warn(steal/ran/float64(max(1, cpus)), stealBound, codeCPUSteal,
		"the hypervisor took %s of the CPU time for others: expect wider intervals; use a dedicated machine if they stay too wide")
	warn(foreign/ran, foreignBound, codeForeignCpu,
		"other processes used %s of a CPU while slices ran: stop them, or pin the roles away from them")
	warn(own/ran, ownBound, codeOwnCpu,
		"netab's own threads used %s of a CPU while slices ran, beside the roles")
	return ws
}

// throttled warns of a CPU quota that was used up: whoever was running stood
// still until the next period.
func throttled(trials []record.Trial, quota float64) []results.Warning {
	var total float64
	in := 0
	for i := range trials {
		if ns := trials[i].Host.ThrottledNS; ns > 0 {
			total += float64(ns)
			in++
		}
	}
	if in == 0 {
		return nil
	}
	of := "a CPU quota of its control group"
	if quota > 0 {
		of = fmt.Sprintf("its control group's quota of %.3g CPUs", quota)
	}
	return []results.Warning{{Code: codeCPUThrottled, Text: fmt.Sprintf(
		"netab had used up %s and was kept from CPUs for %.0f ms (summed over CPUs) in %d of %d trials: levels are the quota's, not the network path's; measure without a quota (cpu.max, docker --cpus, resources.limits.cpu)",
		of, total/1e6, in, len(trials))}}
}

// frequency compares each CPU's clock over the trials.
func frequency(trials []record.Trial) []results.Warning {
	type span struct{ lo, hi float64 }
	spans := map[int]span{}
	for i := range trials {
		for _, c := range trials[i].Host.CPUs {
			if c.MHz <= 0 {
				continue
			}
			s, ok := spans[c.CPU]
			if !ok {
				s = span{c.MHz, c.MHz}
			}
			spans[c.CPU] = span{min(s.lo, c.MHz), max(s.hi, c.MHz)}
		}
	}
	for _, cpu := range slices.Sorted(maps.Keys(spans)) {
		if s := spans[cpu]; s.hi > s.lo*frequencyBound {
			return []results.Warning{{Code: codeFrequency, Text: fmt.Sprintf(
				"CPU %d ran between %.0f and %.0f MHz: levels wander with it, differences between arms much less; the performance governor steadies it", cpu, s.lo, s.hi)}}
		}
	}
	return nil
}

func unpinned(trials []record.Trial, arm int, name string) []results.Warning {
	bad := 0
	where := ""
	for i := range trials {
		at := trials[i].Arm(arm).Seen
		if at == nil {
			continue
		}
		off := first(strayed("source", at.Source), strayed("sink", at.Sink))
		if off != "" {
			bad++
			where = first(where, off)
		}
	}
	if bad == 0 {
		return nil
	}
	return []results.Warning{{Code: codeNotPinned, Text: fmt.Sprintf("%s: %s (in %d of %d trials)", name, where, bad, len(trials))}}
}

func strayed(role string, r results.RoleDelta) string {
	if len(r.Pinned) == 0 {
		return ""
	}
	for _, cpu := range slices.Sorted(maps.Keys(r.CPUs)) {
		if !slices.Contains(r.Pinned, cpu) {
			return fmt.Sprintf("the %s was seen on CPU %d but is pinned to %v", role, cpu, r.Pinned)
		}
	}
	return ""
}

func settings(trials []record.Trial, arm int, name string) []results.Warning {
	bad := map[results.Setting]int{}
	var order []results.Setting
	for i := range trials {
		at := trials[i].Arm(arm).Seen
		if at == nil {
			continue
		}
		for _, s := range at.Knobs {
			if s.Took() {
				continue
			}
			s.Before = ""
			if bad[s] == 0 {
				order = append(order, s)
			}
			bad[s]++
		}
	}
	var ws []results.Warning
	for _, s := range order {
		ws = append(ws, results.Warning{Code: codeSettingDiffers, Text: fmt.Sprintf(
			"%s: %s was set to %q but reads back %q (in %d of %d trials): the arm is not what its name says", name, s.Knob, s.Asked, s.After, bad[s], len(trials))})
	}
	return ws
}

func unexplained(trials []record.Trial, arm int, name string) []results.Warning {
	var sent, lost float64
	for i := range trials {
		if at := trials[i].Arm(arm).Seen; at != nil && at.Ledger.Valid {
			sent += float64(at.Ledger.Sent)
			lost += float64(at.Ledger.Unexplained)
		}
	}
	if sent <= 0 || max(lost, -lost) <= unexplainedBound*sent {
		return nil
	}
	return []results.Warning{{Code: codeLedgerUnexplained, Text: fmt.Sprintf(
		"%s: %s of the datagrams sent are neither received nor in any drop counter that is read", name, prose.Percent(lost/sent))}}
}
