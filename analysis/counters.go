package analysis

import (
	"fmt"
	"math"
	"slices"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/cpulist"
	"netab/results/vocab"
)

var codeIdleCPUs = vocab.Warns("idle-cpus")

// counterMetrics are of what the machine counted while an arm had its turn, and of
// its threads' scheduling. They say what an effect comes from; none of them is one
// that a run is usually made for. Arms whose slices were not read have none.
func counterMetrics() []Metric {
	switches := func(name, heading, title string, of func(*results.Slice) (switches, messages int64)) Metric {
		return Metric{Name: name, Heading: heading, Title: title, Unit: "1/message", Better: Lower, Difference: true, of: ofFixedRate, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
			if s.Switches == nil {
				return stat.Ratio{}
			}
			n, messages := of(s)
			return stat.Per(float64(n), float64(messages))
		})}
	}
	return []Metric{
		switches("switches_source", "Source switches per message", "context switches of the source per message", func(s *results.Slice) (int64, int64) {
			return s.Switches.Source(), max(s.TxMsgs, s.Transactions)
		}),
		switches("switches_sink", "Sink switches per message", "context switches of the sink per message", func(s *results.Slice) (int64, int64) {
			return s.Switches.Sink(), s.RxMsgs
		}),
		{Name: "migrations", Heading: "Migrations", Title: "migrations of the roles' threads", Unit: "1/s", Counts: "migrations", Better: Lower, Difference: true, of: ofFixedRate, estimator: migrationRate{}},
		perSecond("time_squeeze", "Time squeezes", "softirqs out of budget or time (time_squeeze)", "time squeezes", func(c *results.Counters) (int64, bool) {
			return ofSoftnet(c, func(s *results.Softnet) int64 { return s.TimeSqueeze })
		}),
		perSecond("softnet_drops", "Softnet drops", "packets dropped at the softnet backlog", "drops", func(c *results.Counters) (int64, bool) {
			return ofSoftnet(c, func(s *results.Softnet) int64 { return s.Dropped })
		}),
		perPacket("rps_interrupts", "RPS interrupts per packet", "RPS interrupts per packet", func(c *results.Counters) (int64, bool) { return c.Softnet.ReceivedRPS, true }),
		perPacket("net_rx_softirqs", "NET_RX softirqs per packet", "NET_RX softirqs per packet", func(c *results.Counters) (int64, bool) {
			if c.Softirqs == nil {
				return 0, false
			}
			return c.Softirqs.NetRX, true
		}),
		perSecond("interrupts", "Interrupts", "interrupts of the whole machine", "interrupts", func(c *results.Counters) (int64, bool) {
			return ofTotals(c, func(t *results.Totals) int64 { return t.Interrupts })
		}),
		perSecond("machine_switches", "Context switches of the machine", "context switches of the whole machine", "context switches", func(c *results.Counters) (int64, bool) {
			return ofTotals(c, func(t *results.Totals) int64 { return t.ContextSwitches })
		}),
	}
}

func ofSoftnet(c *results.Counters, of func(*results.Softnet) int64) (int64, bool) {
	if c.Softnet == nil {
		return 0, false
	}
	return of(c.Softnet), true
}

func ofTotals(c *results.Counters, of func(*results.Totals) int64) (int64, bool) {
	if c.Totals == nil {
		return 0, false
	}
	return of(c.Totals), true
}

// perSecond is a metric of a counter by the time that it was counted over: that is
// a little more than the counted part.
func perSecond(name, heading, title, what string, of func(*results.Counters) (n int64, ok bool)) Metric {
	return Metric{Name: name, Heading: heading, Title: title, Unit: "1/s", Counts: what, Better: Lower, Difference: true, of: ofFixedRate, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
		if s.Counters == nil {
			return stat.Ratio{}
		}
		n, ok := of(s.Counters)
		if !ok {
			return stat.Ratio{}
		}
		return stat.Per(float64(n), seconds(s.Counters.OverNS))
	})}
}

// perPacket is a metric of a counter by the packets that went through softirqs in
// the same time.
func perPacket(name, heading, title string, of func(*results.Counters) (n int64, ok bool)) Metric {
	return Metric{Name: name, Heading: heading, Title: title, Unit: "1/packet", Better: Lower, Difference: true, of: ofFixedRate, estimator: ratio(func(_ *results.Arm, s *results.Slice) stat.Ratio {
		if s.Counters == nil || s.Counters.Softnet == nil {
			return stat.Ratio{}
		}
		n, ok := of(s.Counters)
		if !ok {
			return stat.Ratio{}
		}
		return stat.Per(float64(n), float64(s.Counters.Softnet.Processed))
	})}
}

// migrationRate is of threads that serve one arm: they are at work only in its
// turns, so what they did over the trial is the arm's. Of arms that share a live
// flow nobody knows whose turn it was. A thread that may run on one CPU only has
// none to tell.
type migrationRate struct{}

func (migrationRate) value(v view) float64 {
	at := v.in.Seen
	if at == nil || at.Shared || v.beside != "" || len(at.Source.Pinned) == 1 && len(at.Sink.Pinned) == 1 {
		return math.NaN()
	}
	ns := int64(0)
	for _, s := range v.in.Counted {
		ns += s.CountedNS
	}
	return stat.Per(float64(at.Source.Migrations+at.Sink.Migrations), seconds(ns)).Value()
}

func (migrationRate) effect(m Metric, a, b view) (effect, bool) { return plainEffect(m, a, b) }

func (migrationRate) level(m Metric, _ []view, xs []float64, alpha float64) Level {
	return plainLevel(m, xs, alpha)
}

// counterCovariates are the candidates that counters give for one arm. They group
// by orders of magnitude, as migrations do: few and many of them are different
// states, a tenth more is not.
func counterCovariates(arm int, prefix string) []covariate {
	of := func(what, metric string) covariate {
		m, _ := LookupMetric(metric)
		return covariate{prefix + what, func(t *record.Trial) string {
			if x := m.value(view{trial: t, in: t.Arm(arm), arm: &results.Arm{}}); stat.IsFinite(x) {
				return prefix + magnitude(x) + " " + what
			}
			return ""
		}}
	}
	return []covariate{
		of("time squeezes a second", "time_squeeze"),
		of("drops a second at the softnet backlog", "softnet_drops"),
		of("RPS interrupts per packet", "rps_interrupts"),
		of("context switches of the source per message", "switches_source"),
		of("context switches of the sink per message", "switches_sink"),
		{prefix + "CPUs that process packets", func(t *record.Trial) string {
			at := t.Arm(arm).Seen
			if at == nil || at.Counters == nil {
				return ""
			}
			return prefix + packetsOn(at)
		}},
	}
}

// magnitude is the decade that a rate is in.
func magnitude(x float64) string {
	if !(x > 0) {
		return "no"
	}
	low := math.Floor(math.Log10(x))
	return fmt.Sprintf("%g to %g", math.Pow(10, low), math.Pow(10, low+1))
}

// packetsOn says whose CPUs processed the packets of an arm's slices: where that
// was drawn, and no socket tells it, it is seen here.
func packetsOn(at *results.ArmTrial) string {
	counts := map[int]int{}
	for _, c := range at.Counters.CPUs {
		counts[c.CPU] += int(c.Processed)
	}
	return softirqOn("packets processed", at, counts)
}

// idleCPUs warns of CPUs that a role was given and did not use: its rate is that
// of fewer CPUs than it seems.
func idleCPUs(run *results.Run, of *record.Record, arm int) []results.Warning {
	name := run.Header.Design.Arms[arm].Name
	var ws []results.Warning
	for _, role := range []struct {
		name string
		of   func(*results.ArmTrial) results.RoleDelta
	}{
		{"source", func(at *results.ArmTrial) results.RoleDelta { return at.Source }},
		{"sink", func(at *results.ArmTrial) results.RoleDelta { return at.Sink }},
	} {
		if text := idleOf(role.name, run.Header.Machine.CPUsIsolated, of, func(t *record.Trial) (r results.RoleDelta, ok bool) {
			at := t.Arm(arm).Seen
			if at == nil || at.Failed != "" {
				return r, false
			}
			return role.of(at), true
		}); text != "" {
			ws = append(ws, results.Warning{Code: codeIdleCPUs, Text: name + ": " + text})
		}
	}
	return ws
}

// idleOf says which of a role's CPUs none of its threads was ever seen on, at any
// slice's end; "" = none.
func idleOf(role, isolatedList string, rec *record.Record, of func(*record.Trial) (results.RoleDelta, bool)) string {
	var pinned, worked []int
	threads, seen := 0, 0
	for i := range rec.Trials {
		r, ok := of(&rec.Trials[i])
		if !ok || len(r.CPUs) == 0 {
			continue
		}
		for cpu, n := range r.CPUs {
			seen += n
			worked = append(worked, cpu)
		}
		pinned, threads = append(pinned, r.Pinned...), max(threads, r.Threads)
	}
	pinned = sortedSet(pinned)
	worked = slices.DeleteFunc(sortedSet(worked), func(cpu int) bool { return !slices.Contains(pinned, cpu) }) // strayed says that
	if len(worked) == len(pinned) || len(worked) == 0 || seen < fewestSeen*len(pinned) {
		return ""
	}
	text := fmt.Sprintf("of the %s's CPUs %s only %s worked: ", role, cpulist.Format(pinned), cpulist.Format(worked))
	isolated, _ := cpulist.Parse(isolatedList)
	switch {
	case threads < len(pinned):
		return text + fmt.Sprintf("it has %s for them; give it more flows or threads, or fewer CPUs", prose.Counted(threads, "thread"))
	case slices.ContainsFunc(pinned, func(cpu int) bool { return slices.Contains(isolated, cpu) }):
		return text + "isolated CPUs are not balanced, so threads stay where they began; place each flow on a CPU of its own, or take CPUs that are not isolated"
	}
	return text + "the scheduler left its threads there; place each flow on a CPU of its own"
}

// fewestSeen slices for each CPU: a thread that moves about is seen on each of them
// sooner or later.
const fewestSeen = 10

func sortedSet(xs []int) []int {
	slices.Sort(xs)
	return slices.Compact(xs)
}
