package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"netab/analysis/confounder"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeFailedBoots  = vocab.Doubts("failed-boots")
	codeBootsMissing = vocab.Warns("boots-missing")
	codeFewBoots     = vocab.Warns("few-boots")
	codeBootsAdded   = vocab.Warns("boots-added")
	codeBootsAlone   = vocab.Warns("boots-alone")
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
	// Together is how many boots took turns with each other, at most; 0 = none did.
	Together int `json:"together,omitempty"`
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
	// together is how many boots took turns at most, alone how many of the whole ones did
	// with none.
	together, alone int
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
			if k.together = max(k.together, o.Boot.Together); o.Boot.Together == 0 {
				k.alone++
			}
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
	of := &Campaign{ID: h.ID, Planned: len(h.Planned), Kernels: k.kernels, Effects: effects, Failed: k.failed, Guest: h.Guest, Together: k.together, Config: k.options()}
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
