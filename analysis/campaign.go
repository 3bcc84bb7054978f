package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"netab/analysis/confounder"
	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeFailedBoots  = vocab.Doubts("failed-boots")
	codeBootsMissing = vocab.Warns("boots-missing")
	codeFewBoots     = vocab.Warns("few-boots")
	codeBootsAdded   = vocab.Warns("boots-added")
)

// A campaign is boots of several kernels, taken in turns, each with a run of the same
// arms. The boot is the unit of all that is said of kernels:
//   - Arms of one name are compared between each kernel and the first, as
//     CompareGroups does.
//   - Arms are compared with their baseline, or their twin in a matrix, within each kernel: every boot gives one
//     effect, of its slices side by side.
//   - How often each kernel failed to come to the end of a run is compared with the
//     first. A boot that failed is an outcome, and is never left out.
//
// All that is judged shares alpha by Holm's method. How few boots may be is another
// matter: a boot draws something once for all of its arms, so that exchanging boots
// between two kernels exchanges all arms together. So a verdict between kernels needs
// boots enough for one permutation to reach alpha, however many arms there are, and a
// difference counts only where the step-down permutation test over all arms (Westfall
// and Young) finds it too.

// A Campaign is what a campaign's summary has beyond that of runs against runs.
type Campaign struct {
	ID      string         `json:"id"`
	Planned int            `json:"boots_planned"`
	Missing int            `json:"boots_missing,omitempty"` // without an outcome
	Kernels []KernelSide   `json:"kernels"`                 // the first is what the others are compared with
	Effects []Comparison   `json:"effects"`                 // of arms against their baseline within each kernel (ArmRun)
	Failed  []FailedBoot   `json:"failed_boots"`
	Guest   *results.Guest `json:"guest,omitempty"`
	// Config are what the kernels' configurations and command lines differ in, each with
	// a value for every kernel.
	Config []KernelOption `json:"config,omitempty"`
}

// A KernelSide is one kernel, and what became of its boots.
type KernelSide struct {
	Label   string `json:"label"` // as in Sides
	Ref     string `json:"ref"`
	Release string `json:"release"`
	Build   string `json:"build,omitempty"`
	Digest  string `json:"digest,omitempty"`
	Planned int    `json:"boots_planned"`
	Whole   int    `json:"boots"`
	Failed  int    `json:"failed"`
	Missing int    `json:"missing,omitempty"`
	Reason  string `json:"reason,omitempty"` // of the first that failed
	// P is Fisher's exact test of its failing as often as the first kernel, held against
	// Alpha; nil for that one itself, and where neither failed.
	P     *float64 `json:"failures_p,omitempty"`
	Alpha float64  `json:"failures_alpha,omitempty"`
	// Verdict is of its failing: a regression, or inconclusive where it failed oftener
	// than the first by what may be chance. "" = it did not.
	Verdict Verdict `json:"failures_verdict,omitempty"`
	// BootsNeeded of each kernel are the fewest that any verdict between them needs.
	BootsNeeded int `json:"boots_needed,omitempty"`
}

// A FailedBoot is one that its kernel did not come to the end of.
type FailedBoot struct {
	Number  int           `json:"number"`
	Kernel  string        `json:"kernel"`
	End     vocab.BootEnd `json:"end"`
	Text    string        `json:"text,omitempty"`
	Console []string      `json:"console,omitempty"` // its last lines, as the kernel wrote them
}

// A KernelOption is something that kernels were built or started with differently.
type KernelOption struct {
	Name   string   `json:"name"`
	Values []string `json:"values"` // by kernel; "" = not set
}

// A campaigning is a campaign while it is judged.
type campaigning struct {
	c       *results.Campaign
	groups  []RunGroup // of the kernels that measured something
	kernels []KernelSide
	failed  []FailedBoot
	alpha   float64
	within  []withinKernel
}

// A withinKernel is what the boots of one kernel say of its arms.
type withinKernel struct {
	label string
	judging
	boots    []int // numbers, by session
	evidence []evidence
}

// JudgeCampaign judges the boots of a campaign that have an outcome.
func JudgeCampaign(c *results.Campaign, o CompareOptions) Summary {
	k := newCampaigning(c)
	s := k.judge(o)
	k.finish(&s)
	return s
}

// CampaignGroups are the runs of a campaign by kernel, as they are compared: arms
// without the level of the kernel in their names, and each boot one of its own.
func CampaignGroups(c *results.Campaign) []RunGroup { return newCampaigning(c).groups }

func newCampaigning(c *results.Campaign) *campaigning {
	k := &campaigning{c: c}
	labels := kernelLabels(c.Header.Kernels)
	groups := make([]RunGroup, len(labels))
	for i, kernel := range c.Header.Kernels {
		groups[i].Label = labels[i]
		k.kernels = append(k.kernels, KernelSide{Label: labels[i], Ref: kernel.Ref, Release: kernel.Release, Build: kernel.Build, Digest: kernel.Digest})
	}
	boots := map[string]int{} // how often an id is there
	for _, r := range c.Runs() {
		boots[r.Header.Machine.BootID]++
	}
	for _, o := range c.Outcomes() {
		side := &k.kernels[o.Kernel]
		side.Planned++
		switch o.State {
		case results.Missing:
			side.Missing++
		case results.Failed:
			side.Failed++
			side.Reason = first(side.Reason, cmp.Or(o.Boot.Text, string(o.Boot.End)))
			k.failed = append(k.failed, FailedBoot{o.Number, side.Label, o.Boot.End, o.Boot.Text, o.Boot.Console})
		case results.Whole:
			side.Whole++
			run := *o.Boot.Run
			if id := run.Header.Machine.BootID; id == "" || boots[id] > 1 { // as where the guest's random numbers are not
				run.Header.Machine.BootID = run.Header.ID
			}
			run.Header.Design = k.shared(withoutKernel(run.Header.Design))
			groups[o.Kernel].Runs = append(groups[o.Kernel].Runs, &run)
		}
	}
	for _, g := range groups {
		if len(g.Runs) > 0 {
			k.groups = append(k.groups, g)
		}
	}
	pairArms(k.groups)
	k.alpha = 1 - confidence(k.design())
	return k
}

// shared is a design with the part of alpha that one of several looks has: all of them
// together may find what is not there as seldom as one. (The first had all of it, before
// anybody knew of others: what it showed is not undone.)
func (k *campaigning) shared(d results.Design) results.Design {
	if n := k.looks(); n > 0 {
		d.Confidence = 1 - (1-confidence(d))/float64(1+n)
	}
	return d
}

// looks are how often somebody has seen what the campaign came to, and wanted more of it.
func (k *campaigning) looks() (n int) {
	for _, m := range k.c.More {
		if m.Seen {
			n++
		}
	}
	return n
}

// design is what the runs ask, as far as is known.
func (k *campaigning) design() results.Design {
	if len(k.groups) > 0 {
		return k.groups[0].Runs[0].Header.Design
	}
	return withoutKernel(k.c.Header.Design)
}

// kernelLabels are short, as they stand in every row: releases, with what they were
// asked for by where several are of one release.
func kernelLabels(kernels []results.Kernel) []string {
	groups := make([]RunGroup, len(kernels))
	seen := map[string]int{}
	for _, k := range kernels {
		seen[k.Release]++
	}
	for i, k := range kernels {
		ref := ""
		if k.Ref != "" {
			ref = path.Base(k.Ref)
		}
		switch {
		case k.Release == "":
			groups[i].Label = cmp.Or(ref, "unknown kernel")
		case seen[k.Release] > 1 && ref != k.Release && ref != "":
			groups[i].Label = fmt.Sprintf("%s (%s)", k.Release, ref)
		default:
			groups[i].Label = k.Release
		}
	}
	distinct(groups)
	var out []string
	for _, g := range groups {
		out = append(out, g.Label)
	}
	return out
}

// kernelFactor is the factor of a matrix whose levels are kernels.
const kernelFactor = "kernel"

// withoutKernel takes the kernel out of a design whose matrix has it for a factor:
// what is left is what a boot's arms differ in, and what they are called by.
func withoutKernel(d results.Design) results.Design {
	if !slices.ContainsFunc(d.Factors, func(f results.Factor) bool { return f.Name == kernelFactor }) {
		return d
	}
	d.Factors = slices.DeleteFunc(slices.Clone(d.Factors), func(f results.Factor) bool { return f.Name == kernelFactor })
	d.Arms = slices.Clone(d.Arms)
	for i := range d.Arms {
		a := &d.Arms[i]
		a.Levels = slices.DeleteFunc(slices.Clone(a.Levels), func(l results.FactorLevel) bool { return l.Factor == kernelFactor })
		var parts []string
		for _, l := range a.Levels {
			parts = append(parts, l.Factor+"="+l.Value)
		}
		name := cmp.Or(strings.Join(parts, ","), "all")
		if a.Name == d.Baseline {
			d.Baseline = name
		}
		a.Name = name
	}
	if d.ArmAt(d.Baseline) < 0 && len(d.Arms) > 0 { // that of another kernel
		d.Baseline = d.Arms[0].Name
	}
	return d
}

// pairArms gives arms of other kernels the names of those of the first that are the
// same but for the kernel, where a scenario names each of them: what they are called
// is then all that keeps them apart.
func pairArms(groups []RunGroup) {
	if len(groups) < 2 {
		return
	}
	base := groups[0].Runs[0].Header.Design
	for _, g := range groups[1:] {
		d := g.Runs[0].Header.Design
		names := map[string]string{}
		taken := map[string]bool{}
		for _, a := range d.Arms {
			if base.ArmAt(a.Name) >= 0 {
				continue
			}
			var like []string
			for _, b := range base.Arms {
				if d.ArmAt(b.Name) < 0 && !taken[b.Name] && len(a.Description) > 0 && maps.Equal(a.Description, b.Description) {
					like = append(like, b.Name)
				}
			}
			if len(like) == 1 {
				names[a.Name], taken[like[0]] = like[0], true
			}
		}
		if len(names) == 0 {
			continue
		}
		for _, r := range g.Runs {
			of := &r.Header.Design
			of.Arms = slices.Clone(of.Arms)
			for i := range of.Arms {
				if name, ok := names[of.Arms[i].Name]; ok {
					of.Arms[i].Name = name
				}
			}
			of.Baseline = cmp.Or(names[of.Baseline], of.Baseline)
		}
	}
}

// judge compares what there is to compare.
func (k *campaigning) judge(o CompareOptions) Summary {
	switch {
	case len(k.groups) == 0:
		return k.nothing()
	case k.kernels[0].Whole > 0:
		return compareGroups(k.groups, o, k)
	}
	// Without a baseline there are levels, and effects within each kernel.
	var s Summary
	all := k.groups
	for i, g := range all {
		k.groups = []RunGroup{g}
		of := compareGroups(k.groups, o, k)
		if i == 0 {
			s = of
			continue
		}
		s.Sides, s.Arms = append(s.Sides, of.Sides...), append(s.Arms, of.Arms...)
		s.Warnings, s.Trials, s.Invalid = unique(append(s.Warnings, of.Warnings...)), s.Trials+of.Trials, s.Invalid+of.Invalid
	}
	k.groups, k.within = all, nil
	k.gather(&comparing{groups: all, records: library{}})
	k.share(stat.Holm(k.ps(), k.alpha))
	return s
}

// nothing is the summary of a campaign of which no boot measured anything.
func (k *campaigning) nothing() Summary {
	d := k.design()
	k.share(stat.Holm(k.ps(), k.alpha))
	s := Summary{Schema: SchemaSummary, Scenario: d.Name, Question: d.Question, Kernel: k.c.Header.Kernels[0].Release, Grain: vocab.ByRun,
		Confidence: confidence(d), Resolution: finite(d.Resolution), Metrics: judgedMetrics(d), Ended: k.c.Reason(),
		Arms: []ArmSummary{}, Comparisons: []Comparison{}, Confounders: []confounder.Confounder{}}
	s.Warnings = []results.Warning{{Code: codeNoTrials, Text: "no boot measured anything: there is nothing to judge but how the boots failed"}}
	return s
}

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

// FailedOf is "2 of 5 boots".
func (s *KernelSide) FailedOf() string {
	return fmt.Sprintf("%d of %s", s.Failed, prose.Counted(s.Failed+s.Whole, "boot"))
}

// failureText says how often a kernel failed, and the first one.
func (k *campaigning) failureText(at int) string {
	side, base := &k.kernels[at], &k.kernels[0]
	text := fmt.Sprintf("%s failed in %s", side.Label, side.FailedOf())
	if side.Reason != "" {
		text += " (" + side.Reason + ")"
	}
	if at > 0 {
		text += fmt.Sprintf(", %s in %d of %d", base.Label, base.Failed, base.Failed+base.Whole)
	}
	return text
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

// finish makes the summary one of a campaign.
func (k *campaigning) finish(s *Summary) {
	h := &k.c.Header
	s.Run, s.Seed = h.ID, h.Seed
	if s.Trials > 0 && !k.c.Reason().Whole() {
		s.Ended = worstEnd(s.Ended, k.c.Reason())
	}
	effects := k.effects()
	for i := range s.Comparisons {
		k.wantBoots(&s.Comparisons[i])
	}
	of := &Campaign{ID: h.ID, Planned: len(h.Planned), Kernels: k.kernels, Effects: effects, Failed: k.failed, Guest: h.Guest, Config: k.options()}
	for i := range k.kernels {
		side := &k.kernels[i]
		of.Missing += side.Missing
		if need := stat.UnitsNeeded(k.floor()); i > 0 && stat.Attainable(k.kernels[0].Whole, side.Whole) > k.floor() {
			side.BootsNeeded = need
		}
	}
	s.Campaign = of
	s.Converged = s.Converged && !slices.ContainsFunc(effects, func(c Comparison) bool { return c.Verdict == Inconclusive })
	s.Warnings = unique(slices.Concat(k.emulated(), k.warnings(s), s.Warnings))
	s.Answer = strings.Join(slices.DeleteFunc([]string{k.failureSentences(), s.Answer, k.effectSentences(effects)}, func(t string) bool { return t == "" }), " ")
	if s.Answer == "" {
		s.Answer = "No boot measured anything, so there is no answer."
	}
}

// emulated is for a campaign without a single run, which would tell.
func (k *campaigning) emulated() []results.Warning {
	if len(k.groups) == 0 && k.c.Header.IsEmulated() {
		return emulated(&results.Machine{Emulated: k.c.Header.Guest.Accel})
	}
	return nil
}

// warnings are of the campaign itself.
func (k *campaigning) warnings(s *Summary) []results.Warning {
	var ws []results.Warning
	warn := func(code vocab.Code, format string, args ...any) {
		ws = append(ws, results.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	for i, side := range k.kernels {
		if side.Failed > 0 {
			what := "that counts against it"
			if i == 0 {
				what = "it is what the others are compared with"
			} else if side.Verdict == Regression {
				what = fmt.Sprintf("that is a regression (p = %.2g)", *side.P)
			} else if side.Verdict == Inconclusive {
				what = fmt.Sprintf("that may be chance (p = %.2g), and nothing passes by it", *side.P)
			}
			warn(codeFailedBoots, "kernel %s: %s", k.failureText(i), what)
		}
	}
	switch end := k.c.End; {
	case end == nil:
		warn(CutOff, "the campaign was cut off, or is going on: it has %d of its %d boots; %s goes on with it", s.Campaign.Planned-s.Campaign.Missing, s.Campaign.Planned, k.c.Header.GoesOnWith())
	case end.Reason == vocab.Interrupted:
		warn(codeInterrupted, "the campaign was interrupted after %d of its %d boots; %s goes on with it", s.Campaign.Planned-s.Campaign.Missing, s.Campaign.Planned, k.c.Header.GoesOnWith())
	case end.Reason.Failed():
		warn(codeFailed, "the campaign ended early: %s", end.Reason)
	case s.Campaign.Missing > 0:
		warn(codeBootsMissing, "%d of %d planned boots were not made", s.Campaign.Missing, s.Campaign.Planned)
	}
	if n := k.looks(); n > 0 {
		warn(codeBootsAdded, "boots were added by who had seen what the campaign came to without them: what is found now had %d chances to be found, so the confidence of each is %s",
			n+1, prose.Percent(1-k.alpha))
	}
	if few := stat.FewestOfTwo(k.alpha); len(k.within) > 0 {
		least := slices.MinFunc(k.within, func(a, b withinKernel) int { return len(a.boots) - len(b.boots) })
		if n := len(least.boots); n >= k.leastBoots() && n < few {
			warn(codeFewBoots, "%d boots of %s may all have drawn the same of what a boot draws: of two kinds of boots so many are all of one kind in one of %.0f such campaigns; %d of each kernel tell",
				n, least.label, math.Pow(2, float64(n-1)), few)
		}
	}
	if text := k.sameKernels(); text != "" {
		warn(codeAxisEqual, "%s", text)
	}
	ws = append(ws, k.c.Header.Warnings...)
	ws = append(ws, k.c.ReadWarnings...)
	if k.c.End != nil {
		ws = append(ws, k.c.End.Warnings...)
	}
	return ws
}

// sameKernels says so where two of them are one image, started alike.
func (k *campaigning) sameKernels() string {
	all := k.c.Header.Kernels
	for i, a := range all {
		for j, b := range all[:i] {
			if a.Digest != "" && a.Digest == b.Digest && a.Cmdline == b.Cmdline {
				return fmt.Sprintf("kernels %s and %s are one and the same: what differs between them is chance", k.kernels[j].Label, k.kernels[i].Label)
			}
		}
	}
	return ""
}

// options are what the kernels were built or started with differently.
func (k *campaigning) options() (out []KernelOption) {
	all := k.c.Header.Kernels
	add := func(name string, of func(results.Kernel) string) {
		o := KernelOption{Name: name}
		for _, kernel := range all {
			o.Values = append(o.Values, of(kernel))
		}
		if slices.ContainsFunc(o.Values, func(v string) bool { return v != o.Values[0] }) {
			out = append(out, o)
		}
	}
	add("command line", func(k results.Kernel) string { return k.Cmdline })
	names := map[string]bool{}
	for _, kernel := range all {
		if kernel.Config == nil {
			return out // what is not known of one is not known to differ
		}
		for name := range kernel.Config {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add(name, func(k results.Kernel) string { return k.Config[name] })
	}
	return out
}

// failureSentences say of each kernel that failed how often.
func (k *campaigning) failureSentences() string {
	var out []string
	for i, side := range k.kernels {
		if side.Failed > 0 {
			out = append(out, prose.Capital("kernel "+k.failureText(i))+".")
		}
	}
	return strings.Join(out, " ")
}

// effectSentences say what each arm does on each kernel, of the headline metric.
func (k *campaigning) effectSentences(effects []Comparison) string {
	metric := judgedMetrics(k.design())[0]
	var arms []string
	parts, baselines := map[string][]string{}, map[string]string{}
	for i := range effects {
		c := &effects[i]
		if c.Metric != metric {
			continue
		}
		if parts[c.Arm] == nil {
			arms = append(arms, c.Arm)
		}
		baselines[c.Arm] = c.Baseline
		parts[c.Arm] = append(parts[c.Arm], c.onKernel())
	}
	var out []string
	for i, arm := range arms {
		if i == maxInAnswer {
			out = append(out, fmt.Sprintf("%d more arms are in the table.", len(arms)-maxInAnswer))
			break
		}
		out = append(out, fmt.Sprintf("%s against %s: %s.", prose.Capital(arm), baselines[arm], strings.Join(parts[arm], "; ")))
	}
	return strings.Join(out, " ")
}

// onKernel is what an arm does on one kernel: "+12 % on 6.1.0 (+10 to +14 %)".
func (c *Comparison) onKernel() string {
	switch {
	case c.Untold():
		return "not known on " + c.ArmRun
	case c.N == 1:
		return fmt.Sprintf("%s in the one boot of %s, which does not tell how boots scatter", prose.Change(c.Change, c.Difference), c.ArmRun)
	case c.P == nil:
		return "not known on " + c.ArmRun
	case c.Verdict == Equivalent:
		return fmt.Sprintf("the same to within %s on %s", prose.Percent(c.Resolution), c.ArmRun)
	case c.Verdict == Inconclusive:
		return fmt.Sprintf("undecided on %s (%s)", c.ArmRun, prose.Interval(c.Lo, c.Hi, c.Difference))
	}
	return fmt.Sprintf("%s on %s (%s)", prose.Change(c.Change, c.Difference), c.ArmRun, prose.Interval(c.Lo, c.Hi, c.Difference))
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

// ofBoots are the warnings of the boots' runs, each once with how many have it.
func (c comparing) ofBoots() []results.Warning {
	type seen struct {
		first  results.Warning
		boots  []string
		differ bool
	}
	byKey := map[string]*seen{}
	var order []*seen
	all := 0
	for _, g := range c.groups {
		for _, run := range g.Runs {
			all++
			for _, w := range unique(c.ofRun(run)) {
				key := string(w.Code) + "\x00" + digits.ReplaceAllString(w.Text, "#")
				s := byKey[key]
				if s == nil {
					s = &seen{first: w}
					byKey[key] = s
					order = append(order, s)
				}
				if n := len(s.boots); n == 0 || s.boots[n-1] != run.Header.ID {
					s.boots = append(s.boots, run.Header.ID)
				}
				s.differ = s.differ || w.Text != s.first.Text
			}
		}
	}
	var ws []results.Warning
	for _, s := range order {
		where := fmt.Sprintf(" (in %d of %d boots", len(s.boots), all)
		switch {
		case len(s.boots) == 1:
			where = " (in boot " + path.Base(s.boots[0])
		case s.differ:
			where += "; figures of the first"
		}
		ws = append(ws, results.Warning{Code: s.first.Code, Text: s.first.Text + where + ")"})
	}
	return ws
}
