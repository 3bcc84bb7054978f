package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeStates     = vocab.Warns("states")
	codeSharedCore = vocab.Warns("shared-core")
	codeIsolate    = vocab.Warns("isolate")
	codeWakeUp     = vocab.Warns("wake-up")
)

// An Advice is what could be done about the machine so that its answers get
// sharper, where something was seen in this run that asks for it.
type Advice struct {
	Code vocab.Code `json:"code"`
	Text string     `json:"text"`
	// Gain is what this run says it would be worth; "" = it does not say.
	Gain string `json:"gain,omitempty"`
}

func (a Advice) String() string {
	if a.Gain == "" {
		return a.Text
	}
	return a.Text + ": " + a.Gain
}

const (
	// fewestShare of the slices in another state than the usual is worth advice.
	fewestShare = 0.02
	// waitBound of its time that a pinned role waited for its CPU.
	waitBound = 0.01
	// besideBound is how much slower a chain of instructions is beside a busy
	// neighbour where the two share a core.
	besideBound = 1.2
	// wakeBound of the median latency spent on waking up a CPU.
	wakeBound = 0.1
	// gainBound is the least that an error must fall by to be called a gain.
	gainBound = 0.1
)

// advise says what to do about what a run saw, what helps most first.
func advise(run *results.Run, valid *record.Record, s *Summary) []Advice {
	trials := valid.Trials
	if len(trials) == 0 {
		return nil
	}
	m := &run.Header.Machine
	var out []Advice
	for _, a := range []*Advice{
		ofStates(m, s), ofForeign(trials, s), ofSteal(m, trials), ofQuota(trials), ofFrequency(run, valid),
		ofThreads(trials), ofWaiting(m, trials), ofWaking(m, trials, s),
	} {
		if a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// ofStates: what moves decides what holds it.
func ofStates(m *results.Machine, s *Summary) *Advice {
	if len(s.States) < 2 {
		return nil
	}
	usual := s.States[0]
	rest := 0.0
	for _, other := range s.States[1:] {
		rest += other.Share
	}
	if rest < fewestShare {
		return nil
	}
	a := &Advice{Code: codeStates, Gain: stateGain(s, usual)}
	moved := statesDiffer(s.States, distanceKind)
	switch {
	case moved && virtual(m):
		a.Text = "the host moves this guest's virtual CPUs: pin them to cores that share a last-level cache (virsh vcpupin, taskset of the hypervisor's vCPU threads), or take a machine of its own"
	case moved:
		a.Text = "the way between the roles' CPUs changes: place source and sink on cores that share a last-level cache (placement.source, placement.sink), and keep memory and interrupts on their node"
	case virtual(m):
		a.Text = "this guest's CPUs change their speed: others share their cores, or the host changes the frequency; pin the virtual CPUs to cores of their own, or take a machine of its own"
	default:
		a.Text = "the roles' CPUs change their speed: " + steadyFrequency(m)
	}
	return a
}

func virtual(m *results.Machine) bool { return m.Virtualization != "" && m.Virtualization != "none" }

// statesDiffer says whether states are told apart by a kind of canary.
func statesDiffer(states []State, kind canarySeries) bool {
	lo, hi := math.Inf(1), 0.0
	for _, s := range states {
		if x := kind.median(s.Canaries); x > 0 {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	return hi > kind.apart*lo
}

// stateGain is how much smaller the error of the headline is within the usual
// state, of the arm where that is the most.
func stateGain(s *Summary, usual State) string {
	best := ""
	least := 1 - gainBound
	for i := range s.Comparisons {
		c := &s.Comparisons[i]
		if !c.Judged || !c.Modes.ByState() || c.P == nil {
			continue
		}
		for _, g := range c.Modes.Groups {
			whole, within := (c.Hi-c.Lo)/2, (g.Hi-g.Lo)/2
			if g.Label == usual.Name && within > 0 && within < least*whole {
				least = within / whole
				best = fmt.Sprintf("within %s alone (%s of the slices) the error of %s falls from %s to %s",
					usual.Name, prose.Percent(usual.Share), c.Arm, prose.Percent(whole), prose.Percent(within))
			}
		}
	}
	return best
}

// ofForeign names the programs that took CPU time, of the disturbed trials where there
// are any: what is busy all the time is not what disturbed them. Threads of the kernel
// work for others, and nobody can stop them.
func ofForeign(trials []record.Trial, s *Summary) *Advice {
	if usual := usualSteal(len(trials), func(i int) *results.Trial { return trials[i].Trial }); s.Disturbed > 0 {
		trials = slices.DeleteFunc(slices.Clone(trials), func(t record.Trial) bool { return disturbed(&t.Host, t.RunNS, usual) == "" })
	}
	var foreign, ran float64
	by := map[string]float64{}
	for i := range trials {
		h := &trials[i].Host
		foreign, ran = foreign+float64(h.ForeignNS), ran+float64(max(0, trials[i].RunNS))
		for _, p := range h.ForeignTop {
			if !p.Kernel {
				by[p.Name] += float64(p.NS)
			}
		}
	}
	if ran == 0 || foreign <= foreignBound*ran && s.Disturbed == 0 {
		return nil
	}
	var names []string
	for name, ns := range by {
		if ns >= foreignBound/5*ran {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil // the warning has said all that is known
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%s of a CPU)", name, prose.Percent(by[name]/ran))
	}
	return &Advice{Code: codeForeignCpu, Text: "stop what else runs while netab measures: " + strings.Join(names[:min(3, len(names))], ", "), Gain: quietGain(s)}
}

// quietGain is what leaving out the disturbed trials was worth.
func quietGain(s *Summary) string {
	for i := range s.Comparisons {
		c := &s.Comparisons[i]
		if c.Judged && c.AllTrials != nil && c.P != nil {
			all, quiet := (c.AllTrials.Hi-c.AllTrials.Lo)/2, (c.Hi-c.Lo)/2
			if quiet > 0 && quiet < (1-gainBound)*all {
				return fmt.Sprintf("with the %s left out the error of %s falls from %s to %s", prose.Counted(s.Disturbed, "disturbed trial"), c.Arm, prose.Percent(all), prose.Percent(quiet))
			}
		}
	}
	return ""
}

func ofSteal(m *results.Machine, trials []record.Trial) *Advice {
	var steal, ran float64
	for i := range trials {
		steal, ran = steal+float64(trials[i].Host.StealNS), ran+float64(max(0, trials[i].RunNS))
	}
	if steal <= stealBound*ran*float64(max(1, m.CPUs)) {
		return nil
	}
	return &Advice{Code: codeCPUSteal, Text: "others use the host's CPUs: take a guest whose virtual CPUs have cores of their own (dedicated CPUs, vcpupin), or leave some of the host's cores free"}
}

func ofQuota(trials []record.Trial) *Advice {
	for i := range trials {
		if trials[i].Host.ThrottledNS > 0 {
			return &Advice{Code: codeCPUThrottled, Text: "run netab outside of a CPU quota (cpu.max, docker --cpus, resources.limits.cpu)"}
		}
	}
	return nil
}

// ofFrequency: where clocks differ between trials, by how much a level would
// scatter less at one frequency.
func ofFrequency(run *results.Run, valid *record.Record) *Advice {
	if len(frequency(valid.Trials)) == 0 {
		return nil
	}
	return &Advice{Code: codeFrequency, Text: steadyFrequency(&run.Header.Machine), Gain: frequencyGain(valid)}
}

func steadyFrequency(m *results.Machine) string {
	if m.Governor != "" && m.Governor != "performance" {
		return fmt.Sprintf("fix the frequency: the governor is %s; knobs: {governor: performance} sets it for a run", m.Governor)
	}
	return "fix the frequency: turn turbo off (intel_pstate/no_turbo, cpufreq/boost), and see to the cooling"
}

// frequencyGain takes the baseline's level, on the log scale, as a line over the
// log of the mean frequency: what is left of its spread is what would be without.
func frequencyGain(valid *record.Record) string {
	d := valid.Design
	m, ok := LookupMetric(judgedMetrics(d)[0])
	if !ok || m.Difference {
		return ""
	}
	var xs, ys []float64
	for _, l := range trialLevels(valid, m, baseline(d)) {
		sum, n := 0.0, 0.0
		for _, c := range valid.Trials[l.at].Host.CPUs {
			if c.MHz > 0 {
				sum, n = sum+c.MHz, n+1
			}
		}
		if n > 0 && l.x > 0 {
			xs, ys = append(xs, math.Log(sum/n)), append(ys, math.Log(l.x))
		}
	}
	if len(xs) < 6 {
		return ""
	}
	x, y := stat.NewSample(xs), stat.NewSample(ys)
	covariance := 0.0
	for i := range xs {
		covariance += (xs[i] - x.Mean) * (ys[i] - y.Mean) / float64(len(xs)-1)
	}
	left := max(0, y.SD*y.SD-covariance*covariance/(x.SD*x.SD))
	if !stat.IsFinite(left) || math.Sqrt(left) > (1-gainBound)*y.SD {
		return ""
	}
	return fmt.Sprintf("at one frequency the level of %s would scatter by %s between trials, not by %s", d.Arms[baseline(d)].Name, prose.Percent(math.Sqrt(left)), prose.Percent(y.SD))
}

// ofThreads: the canaries ran beside a busy neighbour too.
func ofThreads(trials []record.Trial) *Advice {
	var ratios []float64
	for i := range trials {
		for _, e := range trials[i].Edges {
			if e.StepNS > 0 && e.BesideNS > 0 {
				ratios = append(ratios, e.BesideNS/e.StepNS)
			}
		}
	}
	if len(ratios) == 0 || stat.Median(ratios) < besideBound {
		return nil
	}
	return &Advice{Code: codeSharedCore, Text: "the roles' CPUs share a core: place source and sink on cores of their own (placement: distinct), turn SMT off, or, in a guest, have the virtual CPUs pinned to different cores",
		Gain: fmt.Sprintf("a CPU alone is %s faster here than beside the other one busy", prose.Percent(stat.Median(ratios)-1))}
}

// ofWaiting: pinned roles that wait, though nothing else is theirs to wait for.
func ofWaiting(m *results.Machine, trials []record.Trial) *Advice {
	var waited, had float64
	for i := range trials {
		for k := range trials[i].Slices {
			s := &trials[i].Slices[k]
			at := trials[i].Arm(s.Arm).Seen
			if !record.Counts(s) || at == nil || !alone(at) {
				continue
			}
			waited += float64(s.SourceWait + s.SinkWait)
			had += 2 * float64(s.CountedNS)
		}
	}
	if had == 0 || waited <= waitBound*had || m.CPUs < 3 {
		return nil
	}
	return &Advice{Code: codeIsolate, Text: "others run on the roles' CPUs: keep two or more for netab (isolcpus=, or a cpuset partition of cgroup v2) and place the roles there",
		Gain: fmt.Sprintf("source and sink wait for their CPU in %s of their time", prose.Percent(waited/had))}
}

// alone says whether each role is one thread on one CPU of its own.
func alone(at *results.ArmTrial) bool {
	return at.Source.Threads == 1 && at.Sink.Threads == 1 && len(at.Source.Pinned) == 1 && len(at.Sink.Pinned) == 1 &&
		at.Source.Pinned[0] != at.Sink.Pinned[0]
}

// ofWaking: a request that finds its CPU asleep waits for it.
func ofWaking(m *results.Machine, trials []record.Trial, s *Summary) *Advice {
	var wakes []float64
	for i := range trials {
		for _, e := range trials[i].Edges {
			if e.WakeNS > 0 {
				wakes = append(wakes, e.WakeNS)
			}
		}
	}
	if len(wakes) == 0 {
		return nil
	}
	wake := stat.Median(wakes) / 1000
	for _, a := range s.Arms {
		l, ok := a.Metrics["latency_p50"]
		if !ok || l.Mean <= 0 || wake < wakeBound*l.Mean {
			continue
		}
		text := "waking a CPU that sleeps is much of the latency: keep CPUs from deep sleep (intel_idle.max_cstate=1, /dev/cpu_dma_latency)"
		if virtual(m) {
			text = "waking a virtual CPU that sleeps is much of the latency: let the host poll before it takes the CPU away (kvm.halt_poll_ns), or the guest (idle=poll, cpuidle-haltpoll)"
		}
		return &Advice{Code: codeWakeUp, Text: text, Gain: fmt.Sprintf("a wake-up takes %.3g us, the median latency of %s is %.3g us", wake, a.Name, l.Mean)}
	}
	return nil
}
