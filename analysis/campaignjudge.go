package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"netab/analysis/confounder"
	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

// floor is the alpha that exchanging the boots of two kernels must reach.
func (k *campaigning) floor() float64 { return k.alpha / float64(max(1, len(k.kernels)-1)) }

// gather collects what the boots of each kernel say of its arms. c's runs are without
// their disturbed trials.
func (k *campaigning) gather(c *comparing) {
	for _, g := range c.groups {
		d := g.Runs[0].Header.Design
		d.Sessions = 0
		w := withinKernel{label: g.Label}
		var trials []results.Trial
		for _, r := range g.Runs {
			if confounder.ArmNames(r.Header.Design) != confounder.ArmNames(d) {
				continue
			}
			for _, t := range r.Trials {
				t.Session, t.Index = len(w.boots), len(trials)
				trials = append(trials, t)
			}
			w.boots = append(w.boots, k.numberOf(r))
		}
		rec := record.Of(d, trials)
		for _, arms := range twins(d) {
			one := w
			d.Baseline = d.Arms[arms[0]].Name
			one.judging = judging{design: d, rec: rec, seed: k.c.Header.Seed, alpha: k.alpha, looks: 1, boots: true}
			one.evidence = slices.DeleteFunc(one.judging.gather(judgedOf(d)), func(e evidence) bool { return !slices.Contains(arms, e.arm) })
			k.within = append(k.within, one)
		}
	}
}

// twins divides the arms of a matrix into those that the same is asked of, as of TCP over
// veth with RPS and without it: within a kernel they are compared with each other, the
// first with those behind it, which has most of the baseline's levels. Where no two are
// asked the same, and of explicit arms, the baseline is what all others are compared with.
func twins(d results.Design) (groups [][]int) {
	base := baseline(d)
	like := func(i int) (n int) {
		for _, l := range d.Arms[i].Levels {
			if slices.Contains(d.Arms[base].Levels, l) {
				n++
			}
		}
		return n
	}
	if len(d.Factors) > 0 {
		for i := range d.Arms {
			at := slices.IndexFunc(groups, func(g []int) bool { return d.Arms[g[0]].SameQuestion(d.Arms[i]) })
			if at < 0 {
				groups = append(groups, []int{i})
				continue
			}
			groups[at] = append(groups[at], i)
		}
		groups = slices.DeleteFunc(groups, func(g []int) bool { return len(g) < 2 })
		for _, g := range groups {
			slices.SortStableFunc(g, func(a, b int) int { return cmp.Compare(like(b), like(a)) })
		}
	}
	if len(groups) > 0 {
		return groups
	}
	all := []int{base}
	for i := range d.Arms {
		if i != base {
			all = append(all, i)
		}
	}
	return [][]int{all}
}

// numberOf is that of the boot which a run is of.
func (k *campaigning) numberOf(r *results.Run) int {
	for _, o := range k.c.Outcomes() {
		if o.State == results.Whole && o.Boot.Run.Header.ID == r.Header.ID {
			return o.Number
		}
	}
	return -1
}

// ps are of all that is judged beside the arms between kernels: the arms within each,
// and how often each kernel failed.
func (k *campaigning) ps() []float64 {
	if k == nil {
		return nil
	}
	var out []float64
	for _, w := range k.within {
		for i := range w.evidence {
			p, ok := w.evidence[i].p()
			if !ok {
				p = 1
			}
			out = append(out, p)
		}
	}
	for i := range k.kernels[1:] {
		p := 1.0
		if of := k.failureP(i + 1); of != nil {
			p = *of
		}
		out = append(out, p)
	}
	return out
}

// share gives all of it its part of alpha, in the order of ps.
func (k *campaigning) share(alphas []float64) {
	if k == nil {
		return
	}
	for _, w := range k.within {
		for i := range w.evidence {
			w.evidence[i].alpha, alphas = alphas[0], alphas[1:]
		}
	}
	for i := range k.kernels[1:] {
		side := &k.kernels[i+1]
		side.Alpha, side.P, side.Verdict = alphas[0], k.failureP(i+1), ""
		alphas = alphas[1:]
		switch {
		case side.P == nil || !k.failsOftener(i+1):
		case *side.P <= side.Alpha:
			side.Verdict = Regression
		default:
			side.Verdict = Inconclusive
		}
	}
}

// failureP is Fisher's exact test of a kernel's boots failing as often as the first
// kernel's; nil where none of either did, or one has no boot.
func (k *campaigning) failureP(at int) *float64 {
	a, b := k.kernels[0].failures(), k.kernels[at].failures()
	if len(a) == 0 || len(b) == 0 || k.kernels[0].Failed+k.kernels[at].Failed == 0 {
		return nil
	}
	p := stat.Exchange(a, b, stat.Seeded(k.c.Header.Seed, "failed boots", k.kernels[at].Label))
	return &p
}

// failures are 1 for each boot that failed, 0 for each that did not.
func (s *KernelSide) failures() []float64 {
	out := make([]float64, s.Failed+s.Whole)
	for i := range s.Failed {
		out[i] = 1
	}
	return out
}

// failsOftener says whether a kernel failed in a larger share of its boots than the
// first.
func (k *campaigning) failsOftener(at int) bool {
	a, b := &k.kernels[0], &k.kernels[at]
	return b.Failed*max(1, a.Failed+a.Whole) > a.Failed*max(1, b.Failed+b.Whole)
}

// exchange tests the arms of each kernel against the first's by exchanging boots.
func (k *campaigning) exchange(groups []RunGroup, all []crossing) {
	if k == nil {
		return
	}
	for _, g := range groups[1:] {
		var of []int
		var a, b [][]float64
		for i, x := range all {
			if !x.Judged || x.ArmRun != g.Label || x.byBoot[0] == nil {
				continue
			}
			of = append(of, i)
			a, b = append(a, inOrder(groups[0], x.byBoot[0])), append(b, inOrder(g, x.byBoot[1]))
		}
		for i, p := range stat.StepDown(a, b, stat.Seeded(k.c.Header.Seed, "exchange", g.Label)) {
			all[of[i]].joint = &p
		}
	}
}

// inOrder are values by boot, NaN where one has none.
func inOrder(g RunGroup, of map[string]float64) []float64 {
	var out []float64
	for _, b := range g.boots() {
		x, ok := of[b]
		if !ok {
			x = math.NaN()
		}
		out = append(out, x)
	}
	return out
}

// heed lets a campaign have its say in the verdict of arms between kernels.
func (k *campaigning) heed(c *Comparison) {
	if k == nil || !c.Judged {
		return
	}
	at := slices.IndexFunc(k.kernels, func(s KernelSide) bool { return s.Label == c.ArmRun })
	base := &k.kernels[0]
	switch p := c.PPermutation; {
	case at < 1:
	case 2*base.Failed >= base.Failed+base.Whole:
		c.withhold(fmt.Sprintf("kernel %s, which the others are compared with, failed in %s", base.Label, base.FailedOf()))
	case c.Verdict != Regression && k.failsOftener(at):
		c.withhold(k.failureText(at))
	case (c.Verdict == Regression || c.Verdict == Improvement) && p != nil && *p > k.floor():
		c.withhold(fmt.Sprintf("boots of both kernels that were exchanged lie as far apart with a chance of %s, which is more than the %s of a verdict",
			prose.Percent(*p), prose.Percent(k.floor())))
	}
}

// leastBoots are the fewest of a kernel that a verdict on its arms needs.
func (k *campaigning) leastBoots() int { return stat.UnitsNeeded(k.alpha) }

// effects are those of the arms within each kernel.
func (k *campaigning) effects() []Comparison {
	out := []Comparison{}
	for _, w := range k.within {
		for _, e := range w.evidence {
			c := w.judging.compare(e)
			c.BaselineRun, c.ArmRun, c.Units = w.label, w.label, unitBoot
			c.Modes, c.Mixture, c.UnseenShare = nil, false, nil // which are of trials
			c.N = 0
			switch s := c.Sessions; {
			case s != nil:
				for _, b := range s.Effects {
					c.TrialEffects = append(c.TrialEffects, TrialEffect{Trial: w.boots[b.Session], Change: b.Change})
				}
				c.Sessions, c.N = nil, len(s.Effects)
			case len(e.effects) > 0: // all of them are of one
				c.N = 1
				if e.withheld == "" {
					c.TrialEffects = []TrialEffect{{Trial: w.boots[w.rec.Trials[e.effects[0].at].Session], Change: c.Change}}
				}
			}
			if d, ok := e.smallestDetectable(); ok && e.withheld == "" && c.N > 1 {
				d = e.metric.shown(d)
				c.SmallestDetectable = &d
			}
			switch {
			case e.withheld != "" || c.Failures.Oftener():
			case e.units == nil:
				c.withhold("one boot does not tell how boots scatter")
			case c.N < k.leastBoots():
				c.withhold(fmt.Sprintf("%s are fewer than the %d that a verdict needs", prose.Counted(c.N, "boot"), k.leastBoots()))
			}
			if e.units != nil && c.Verdict == Inconclusive && e.units.sample.N > 1 {
				sd, alpha := e.units.sample.SD, c.Alpha
				c.wantBoots(e.metric, e.units.sample.Mean, k.leastBoots(), func(n int) (float64, bool) {
					return stat.Detectable(sd/math.Sqrt(float64(n)), float64(n-1), alpha)
				})
			}
			out = append(out, c)
		}
	}
	return out
}

// mostBoots are as many as it is sensible to name.
const mostBoots = 1000

// wantBoots says how many boots of each kernel would tell what was asked, and what was
// seen. seen is on the metric's scale; detects is the smallest change that so many
// would see in nine of ten.
func (c *Comparison) wantBoots(m Metric, seen float64, least int, detects func(n int) (float64, bool)) {
	fewest := func(size float64) int {
		for n := max(2, least); n <= mostBoots && size > 0; n++ {
			if d, ok := detects(n); ok && d <= size {
				return n
			}
		}
		return 0
	}
	margin := m.margin(c.Resolution)
	c.BootsForResolution, c.BootsForChange = fewest(margin), fewest(max(margin, math.Abs(seen)))
}

// wantBoots of a comparison between kernels, once it is known to have no verdict.
func (k *campaigning) wantBoots(c *Comparison) {
	m, ok := LookupMetric(c.Metric)
	na, nb := float64(c.NBaseline), float64(c.N-c.NBaseline)
	if !ok || !c.Judged || c.Verdict != Inconclusive || c.P == nil || c.DF <= 0 || na < 1 || nb < 1 || c.Calibrated {
		c.TrialsShare = 0
		return
	}
	lo, hi, seen := c.Lo, c.Hi, c.Change
	if !c.Difference && m.per == 0 {
		lo, hi, seen = math.Log1p(lo), math.Log1p(hi), math.Log1p(seen)
	}
	boot := (hi - lo) / 2 / stat.Critical(c.Alpha, c.DF) / math.Sqrt(1/na+1/nb)
	if !stat.IsFinite(boot) {
		return
	}
	c.wantBoots(m, seen, stat.UnitsNeeded(k.floor()), func(n int) (float64, bool) {
		return stat.Detectable(boot*math.Sqrt(2/float64(n)), float64(2*n-2), c.Alpha)
	})
}

// kernelAxes are what kernels are meant to differ in: how they were built and started.
var kernelAxes = []string{"kernel", "kernel build", "kernel command line", "debug options", "irq time accounting"}

// axes are what a campaign means to differ: its kernels, and what the scenario sets by
// kernel, which is the same in all boots of one.
func (k *campaigning) axes(groups []RunGroup) []string {
	if k == nil {
		return nil
	}
	out := slices.Clone(kernelAxes)
	base := groups[0]
	for _, g := range groups[1:] {
		for _, fact := range confounder.Facts(base.Runs[0].Header.Design, g.Runs[0].Header.Design) {
			if !differsWithin(base, fact) && !differsWithin(g, fact) {
				out = append(out, fact)
			}
		}
	}
	return out
}

func differsWithin(g RunGroup, fact string) bool {
	return slices.ContainsFunc(g.Runs[1:], func(r *results.Run) bool {
		return slices.Contains(confounder.Facts(g.Runs[0].Header.Design, r.Header.Design), fact)
	})
}
