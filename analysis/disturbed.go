package analysis

import (
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

var codeDisturbedTrials = vocab.Warns("disturbed-trials")

// Bounds beyond which a trial is disturbed. They are measured apart from what
// the trial came to: by what other processes, the hypervisor and a quota took.
const (
	// disturbedForeign of a CPU used by others, at least disturbedMachine of all
	// CPUs and disturbedLeast ns: /proc counts in ticks of 10 ms.
	disturbedForeign = 0.05
	disturbedMachine = 0.0125
	disturbedLeast   = 30e6
	// disturbedSteal of all CPU time stolen, if it is also twice what is usual in
	// this run: steal that never ends is the machine, and makes trials no worse
	// than their neighbours.
	disturbedSteal = 0.05
	// disturbedThrottled of the time for which the quota kept netab from its CPUs.
	disturbedThrottled = 0.01
)

// A sifting divides a run's trials. Whole trials are set apart, never one arm's
// part of them, so every arm loses the same. Disturbed trials stay in the
// record and in the report; verdicts are of the others.
type sifting struct {
	judged    []results.Trial // valid ones that verdicts are made of, and the invalid ones
	all       []results.Trial // with the disturbed ones
	disturbed []disturbance
	few       bool // too few are undisturbed: judged is all, and gets no verdict
	counted   bool // they count like all others, as the scenario asks
}

// A disturbance is what was wrong with a trial.
type disturbance struct {
	at  int // position in sifting.all
	why string
}

// sift sets the disturbed trials of a run apart.
func sift(d results.Design, trials []results.Trial) sifting {
	s := sifting{all: byArm(d, trials)}
	usual := usualSteal(len(s.all), func(i int) *results.Trial { return &s.all[i] })
	for i := range s.all {
		t := &s.all[i]
		if why := disturbed(&t.Host, t.RunNS, usual); why != "" && t.Invalid == "" {
			s.disturbed = append(s.disturbed, disturbance{i, why})
		}
	}
	s.judged, s.counted = s.all, d.CountDisturbed
	if len(s.disturbed) == 0 || s.counted {
		return s
	}
	quiet := make([]results.Trial, 0, len(s.all))
	for i := range s.all {
		if !s.isDisturbed(i) {
			quiet = append(quiet, s.all[i])
		}
	}
	if s.few = countValid(quiet) < min(fewestOf(d), countValid(s.all)) || countValid(quiet) == 0; !s.few {
		s.judged = quiet
	}
	return s
}

// of is the record of the trials that are judged, out of that of all.
func (s *sifting) of(all *record.Record) *record.Record {
	if len(s.judged) == len(s.all) {
		return all
	}
	return all.Only(func(t *record.Trial) bool { return !s.isDisturbed(t.At) })
}

func (s *sifting) isDisturbed(at int) bool {
	return slices.ContainsFunc(s.disturbed, func(d disturbance) bool { return d.at == at })
}

// quiet is how many valid trials a verdict can be made of: the undisturbed ones.
func (s *sifting) quiet() int {
	if s.counted {
		return countValid(s.all)
	}
	return countValid(s.all) - len(s.disturbed)
}

// disturbed says what kept a trial from its CPUs, "" if nothing did by more than
// is usual.
func disturbed(h *results.HostDelta, runNS int64, usual float64) string {
	run, cpus := float64(runNS), float64(max(1, len(h.CPUs)))
	if run <= 0 {
		return ""
	}
	foreign, steal := float64(h.ForeignNS)/run, float64(h.StealNS)/run/cpus
	switch {
	case foreign > max(disturbedForeign, disturbedMachine*cpus) && h.ForeignNS >= disturbedLeast:
		return fmt.Sprintf("other programs used %s of a CPU", prose.Percent(foreign))
	case steal > disturbedSteal && steal > 2*usual:
		return fmt.Sprintf("the hypervisor took %s of the CPU time", prose.Percent(steal))
	case float64(h.ThrottledNS) > disturbedThrottled*run:
		return fmt.Sprintf("a CPU quota stopped netab for %s of the time", prose.Percent(float64(h.ThrottledNS)/run))
	}
	return ""
}

// usualSteal is the median share of all CPU time that was stolen in a trial.
func usualSteal(trials int, at func(int) *results.Trial) float64 {
	var shares []float64
	for i := range trials {
		t := at(i)
		if t.Invalid == "" && t.RunNS > 0 {
			shares = append(shares, float64(t.Host.StealNS)/float64(t.RunNS)/float64(max(1, len(t.Host.CPUs))))
		}
	}
	if len(shares) == 0 {
		return 0
	}
	return stat.Median(shares)
}

// leastApart disturbed trials tell by themselves how they scatter. Of fewer, their
// own errors must: a burst of load makes a trial's error large, a mode of an arm
// does not.
const leastApart = 3

// suspicious says whether the effects of the trials set apart are others than
// those of the trials judged, beyond chance. Then what disturbed them may come
// from an arm itself (a kernel thread that works for it, softirqs on the back of
// others), and leaving them out chooses trials by their outcome.
func suspicious(judged, apart []effect) bool {
	a, q := stat.NewSample(values(apart)), stat.NewSample(values(judged))
	if a.N == 0 || q.N < 2 {
		return false
	}
	if a.N >= leastApart {
		w := stat.Welch(a, q)
		p, ok := w.P(0)
		return ok && p <= suspiciousAlpha
	}
	own := 0.0
	for _, e := range apart {
		if e.DF == 0 {
			return false
		}
		own += e.SE * e.SE
	}
	n := float64(a.N)
	se := math.Sqrt(own/(n*n) + q.SD*q.SD*(1/n+1/float64(q.N)))
	return stat.TTest(a.Mean-q.Mean, se, q.DF()) <= suspiciousAlpha
}

const suspiciousAlpha = 0.01

// An Estimate is what all trials would say, disturbed ones included.
type Estimate struct {
	Change float64 `json:"change"`
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`
	N      int     `json:"n"`
}

// besides adds to comparisons what all trials (of) say, and takes verdicts back that
// the disturbed ones forbid.
func (j judging) besides(cs []Comparison, s sifting, of *record.Record) {
	if len(s.disturbed) == 0 || s.counted {
		return
	}
	base, all := baseline(j.design), j
	all.rec, all.states = of, statesOf(s.all)
	for i := range cs {
		c := &cs[i]
		m, ok := LookupMetric(c.Metric)
		arm := j.design.ArmAt(c.Arm)
		if !c.Judged || !ok || arm < 0 || c.RestedAfter > 0 { // those have heard it
			continue
		}
		e := all.weigh(m, base, arm, true)
		obvious := c.Verdict != Inconclusive && e.obvious(m.margin(c.Resolution))
		if s.few {
			if !obvious && (c.Verdict != Regression || c.Failures == nil) { // what failed has failed
				c.withhold(s.tooFew())
			}
			continue
		}
		e.alpha = c.Alpha
		if e.sample.N == 0 {
			continue
		}
		lo, hi := e.interval().Ends()
		shown := e.metric.shown
		c.AllTrials = &Estimate{Change: shown(e.centre()), Lo: shown(lo), Hi: shown(hi), N: e.sample.N}
		var judged, apart []effect
		for _, x := range e.steadyEffects() { // disturbed trials may have been in another state
			if s.isDisturbed(x.at) {
				apart = append(apart, x)
			} else {
				judged = append(judged, x)
			}
		}
		if c.Verdict != Inconclusive && !obvious && suspicious(judged, apart) {
			c.withhold(fmt.Sprintf("in the %d disturbed trials the change was another (%s against %s), so what disturbed them may come from the arm itself: measure with nothing else running",
				len(apart), prose.Change(shown(stat.NewSample(values(apart)).Mean), c.Difference), prose.Change(c.Change, c.Difference)))
		}
	}
}

// unsettle takes back that levels are known, where they are of disturbed trials.
func (s *sifting) unsettle(arms []ArmSummary) {
	for i := range arms {
		for name, l := range arms[i].Metrics {
			l.Converged = l.Converged && !s.few
			arms[i].Metrics[name] = l
		}
	}
}

func (s *sifting) tooFew() string {
	return fmt.Sprintf("only %d of %d trials were undisturbed (%s)", s.quiet(), countValid(s.all), s.worst())
}

// worst is what was wrong with the first trial of those disturbed, and how many
// were.
func (s *sifting) worst() string {
	if len(s.disturbed) == 0 {
		return ""
	}
	return fmt.Sprintf("in trial %d %s", s.all[s.disturbed[0].at].Index, s.disturbed[0].why)
}

// warning says what became of the disturbed trials, and where all trials would
// have said something else.
func (s *sifting) warning(cs []Comparison) []results.Warning {
	n := len(s.disturbed)
	if n == 0 {
		return nil
	}
	text := fmt.Sprintf("%d of %d trials were disturbed (%s): ", n, countValid(s.all), s.worst())
	if s.counted {
		text += "they count like all others (measure.disturbed: count)"
	} else if s.few {
		text += "too few are left to judge by, so the figures are of all, and only a change to half or twice has a verdict; measure with nothing else running"
	} else {
		text += fmt.Sprintf("the verdicts are of the other %d", s.quiet())
	}
	var parts []string
	for i := range cs {
		if c := &cs[i]; c.Judged && c.AllTrials.differs(c) {
			parts = append(parts, fmt.Sprintf("%s of %s %s (%s)", TitleOf(c.Metric), c.Arm, prose.Change(c.AllTrials.Change, c.Difference), prose.Interval(c.AllTrials.Lo, c.AllTrials.Hi, c.Difference)))
		}
	}
	if len(parts) > 0 {
		text += "; all trials together say " + strings.Join(parts, ", ")
	}
	return []results.Warning{{Code: codeDisturbedTrials, Text: text}}
}

// differs says whether all trials tell something else than those judged, so that
// both are worth showing.
func (e *Estimate) differs(c *Comparison) bool {
	return e != nil && math.Abs(e.Change-c.Change) > max(c.Resolution/2, (c.Hi-c.Lo)/4)
}
