package analysis

import (
	"fmt"
	"maps"
	"slices"

	"netab/analysis/record"
	"netab/results"
)

// A covariate is something recorded of every trial that might explain why
// trials differ. Its label puts a trial into a group; "" = not known.
type covariate struct {
	name  string
	label func(t *record.Trial) string
}

// armCovariates are the candidates for one arm. prefix tells an arm's own
// from its baseline's.
func armCovariates(arm int, prefix string) []covariate {
	of := func(label func(at *results.ArmTrial) string) func(*record.Trial) string {
		return func(t *record.Trial) string {
			at := t.Arm(arm).Seen
			if at == nil {
				return ""
			}
			l := label(at)
			if l == "" {
				return ""
			}
			return prefix + l
		}
	}
	return append([]covariate{
		{prefix + "softirq CPU of the sink's socket", of(softirqCPU)},
		{prefix + "softirq CPU of the acknowledgements", of(ackCPU)},
		{prefix + "softirq CPUs of data and acknowledgements", of(dataAndAckCPU)},
		{prefix + "softirq on a role's CPU", of(softirqRole)},
		{prefix + "source and sink on one CPU", of(sameCPU)},
		{prefix + "CPU of the source", of(func(at *results.ArmTrial) string { return roleCPU("source", at.Source) })},
		{prefix + "CPU of the sink", of(func(at *results.ArmTrial) string { return roleCPU("sink", at.Sink) })},
		{prefix + "migrations", of(migrations)},
	}, counterCovariates(arm, prefix)...)
}

// pairCovariates are the candidates for a comparison.
func pairCovariates(baseline, arm int) []covariate {
	cs := armCovariates(arm, "")
	cs = append(cs, armCovariates(baseline, "baseline's ")...)
	return append(cs, covariate{"order of warm-up", func(t *record.Trial) string {
		a, b := slices.Index(t.Order, baseline), slices.Index(t.Order, arm)
		switch {
		case a < 0 || b < 0:
			return ""
		case a < b:
			return "warmed up after the baseline"
		default:
			return "warmed up before the baseline"
		}
	}})
}

// stateCovariate tells the state of the machine, where its canaries tell several.
func (j judging) stateCovariate() covariate {
	return covariate{stateCovariateName, j.states.label(j.rec)}
}

// softirqCPU names the CPU that ran the softirq for most slices of the arm's
// sockets. The flow hash draws it once per connection when packets are
// steered to several CPUs.
func softirqCPU(at *results.ArmTrial) string { return softirqOn("softirq", at, softirqSlices(at)) }

// ackCPU is softirqCPU of the other direction.
func ackCPU(at *results.ArmTrial) string {
	return softirqOn("softirq of acknowledgements", at, ackSlices(at))
}

// dataAndAckCPU tells all four cases of two draws apart.
func dataAndAckCPU(at *results.ArmTrial) string {
	data, ack := softirqOn("softirq of data", at, softirqSlices(at)), softirqOn("of acknowledgements", at, ackSlices(at))
	if data == "" || ack == "" {
		return ""
	}
	return data + ", " + ack
}

func softirqOn(what string, at *results.ArmTrial, slices map[int]int) string {
	cpu, share := majority(slices)
	switch {
	case share == 0:
		return ""
	case share >= 0.9:
		return fmt.Sprintf("%s on CPU %d%s", what, cpu, pinnedRole(at, cpu))
	case share >= 0.6:
		return fmt.Sprintf("%s mostly on CPU %d%s", what, cpu, pinnedRole(at, cpu))
	default:
		return what + " on several CPUs alike"
	}
}

// softirqRole says the same by role: with many CPUs no two trials share one,
// but whether it is a busy role's CPU still matters.
func softirqRole(at *results.ArmTrial) string {
	cpu, share := majority(softirqSlices(at))
	if share < 0.6 {
		return ""
	}
	return "softirq on " + roleAt(at, cpu) + " CPU"
}

func softirqSlices(at *results.ArmTrial) map[int]int {
	return sumOfFlows(at, func(f *results.Flow) map[int]int { return f.SoftirqCPU })
}

func ackSlices(at *results.ArmTrial) map[int]int {
	return sumOfFlows(at, func(f *results.Flow) map[int]int { return f.AckCPU })
}

func sumOfFlows(at *results.ArmTrial, counts func(*results.Flow) map[int]int) map[int]int {
	all := map[int]int{}
	for i := range at.Flows {
		for cpu, n := range counts(&at.Flows[i]) {
			all[cpu] += n
		}
	}
	return all
}

// pinnedRole adds whose CPU it is, where that is the same in every trial.
func pinnedRole(at *results.ArmTrial, cpu int) string {
	if len(at.Source.Pinned) == 0 || len(at.Sink.Pinned) == 0 {
		return ""
	}
	return " (" + roleAt(at, cpu) + ")"
}

func roleAt(at *results.ArmTrial, cpu int) string {
	source, sink := runsOn(at.Source, cpu), runsOn(at.Sink, cpu)
	switch {
	case source && sink:
		return "both roles'"
	case source:
		return "the source's"
	case sink:
		return "the sink's"
	default:
		return "neither role's"
	}
}

func runsOn(r results.RoleDelta, cpu int) bool {
	if len(r.Pinned) > 0 {
		return slices.Contains(r.Pinned, cpu)
	}
	main, share := majority(r.CPUs)
	return share > 0 && main == cpu
}

func sameCPU(at *results.ArmTrial) string {
	if len(at.Source.Pinned) > 0 && len(at.Sink.Pinned) > 0 {
		return ""
	}
	a, shareA := majority(at.Source.CPUs)
	b, shareB := majority(at.Sink.CPUs)
	switch {
	case shareA < 0.6 || shareB < 0.6:
		return ""
	case a == b:
		return "source and sink on one CPU"
	default:
		return "source and sink on different CPUs"
	}
}

func roleCPU(role string, r results.RoleDelta) string {
	cpu, share := majority(r.CPUs)
	if share < 0.6 || len(r.Pinned) == 1 {
		return ""
	}
	return fmt.Sprintf("%s on CPU %d", role, cpu)
}

// migrations groups by orders of magnitude: that is the difference between a
// thread that stays, one that moves now and then, and one that is tossed about.
func migrations(at *results.ArmTrial) string {
	if len(at.Source.Pinned) > 0 && len(at.Sink.Pinned) > 0 {
		return ""
	}
	switch n := at.Source.Migrations + at.Sink.Migrations; {
	case n <= 1:
		return "no or one migration"
	case n <= 10:
		return "2 to 10 migrations"
	case n <= 100:
		return "11 to 100 migrations"
	default:
		return "over 100 migrations"
	}
}

// majority is the key with the largest count, the smallest key of equals, and
// its share.
func majority(counts map[int]int) (key int, share float64) {
	var all, most int
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		n := max(0, counts[k])
		if n > most {
			key, most = k, n
		}
		all += n
	}
	if most == 0 || all < most {
		return 0, 0
	}
	return key, float64(most) / float64(all)
}
