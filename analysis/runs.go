package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/confounder"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

// CompareOptions say how runs are to be compared.
type CompareOptions struct {
	Declared []string // confounders that were meant to differ ("kernel")
	// Force gives verdicts although something makes the runs incomparable; the
	// Summary says so.
	Force bool
	// BootSD is the spread of boots on the log scale if it is known beforehand,
	// and BootDF its degrees of freedom (0: taken as exact). With it a few boots
	// can have a verdict.
	BootSD, BootDF float64
	// Known, if set, is what calibrating this machine says of the spread of an
	// arm's levels, where runs or boots are too few to tell it themselves.
	Known func(arm results.Arm, metric string) (KnownSpread, bool)
}

// A KnownSpread is the spread of a level on the log scale beyond that of its
// trials: from run to run within a boot, and from boot to boot, with the
// degrees of freedom that each is known with (0 = not known).
type KnownSpread struct {
	Run, RunDF   float64
	Boot, BootDF float64
}

// A Side is one group of runs as it was compared.
type Side struct {
	Label  string   `json:"label"`
	Kernel string   `json:"kernel"`
	Runs   []string `json:"runs"`
	Boots  int      `json:"boots"`
	Trials int      `json:"trials"`
}

// CompareGroups judges the arms of each group against the arms of the same
// name of the first group, by Welch's t on independent units with Holm's shares
// over everything that is judged:
//   - Where boots differ, the unit is the boot: memory layout and the like are
//     drawn once a boot. Verdicts are given only where there are boots enough for
//     an exact permutation test to reach alpha (4 against 4 for 5 %), or where the
//     spread of boots is known beforehand. Where every boot has runs of both
//     sides and boots are enough, they are paired.
//   - Within one boot, runs are the units where both sides have four of them;
//     else trials, with a warning that nothing interleaved the runs.
//   - Where something not declared makes the figures answers to different
//     questions, every verdict is withheld unless that is overridden.
//   - Where the machine had several states, runs are compared within those that both
//     sides were in; sides that have none in common are not comparable.
//   - Disturbed trials are left out of every run that has enough others; a run that
//     has not gives no verdict.
func CompareGroups(groups []RunGroup, o CompareOptions) Summary { return compareGroups(groups, o, nil) }

// compareGroups is CompareGroups; of a campaign's groups with what it adds.
func compareGroups(groups []RunGroup, o CompareOptions, of *campaigning) Summary {
	c := comparing{options: o, records: library{}, campaign: of}
	c.sift(groups)
	groups = c.groups
	c.first = c.firstShare()
	if of != nil {
		c.first = of.floor()
		of.gather(&c)
	}
	c.meet()
	first, last := groups[0].Runs[0], groups[len(groups)-1].Runs[0]
	s := Summary{
		Schema: SchemaSummary, Scenario: first.Header.Design.Name, Question: c.question(),
		Run: groups[0].Label, Kernel: first.Header.Machine.Kernel, Seed: last.Header.Seed,
		Grain: vocab.ByRun, Confidence: confidence(first.Header.Design), Metrics: judgedMetrics(last.Header.Design),
		Ended: ended(first.End), Confounders: append(c.confounders(), c.apart...),
	}
	for i, g := range groups {
		if i > 0 {
			s.Run += " -> " + g.Label
		}
		c.total(&s, g)
		s.Sides = append(s.Sides, sideOf(g))
		s.Arms = append(s.Arms, c.levels(g, 1-s.Confidence)...)
	}
	if o.Force {
		s.Forced = s.Blocking()
	}
	s.Comparisons = c.comparisons(1 - s.Confidence)
	s.Interactions = c.interactions(1 - s.Confidence)
	s.Warnings = c.withhold(&s)
	s.Converged = allJudged(s.Comparisons)
	s.Warnings = unique(slices.Concat(c.emulated(), s.Warnings, c.disturbed, c.told, c.warnings(&s)))
	s.Answer = c.answer(&s)
	s.Explanations = whyBetween(c.groups)
	return s
}

// whyBetween says what moved from the first group to each other, where both have a run
// with explain trials.
func whyBetween(groups []RunGroup) (out []why.Explanation) {
	from, ok := Explained(groups[0])
	if !ok {
		return nil
	}
	for _, g := range groups[1:] {
		if to, ok := Explained(g); ok {
			out = append(out, why.Between(from, to)...)
		}
	}
	return out
}

// Explained is the last run of a group that has explain trials.
func Explained(g RunGroup) (why.Run, bool) {
	for _, r := range slices.Backward(g.Runs) {
		if slices.ContainsFunc(r.Explains, func(x results.Explain) bool { return x.Invalid == "" }) {
			return why.Run{Label: g.Label, Run: r}, true
		}
	}
	return why.Run{}, false
}

type comparing struct {
	groups    []RunGroup // their trials sifted
	options   CompareOptions
	disturbed []results.Warning
	few       map[string]string // by side: why its runs get no verdict
	first     float64           // what Holm leaves of alpha to the first comparison, within a state too
	records   library
	campaign  *campaigning // nil = the groups are of none
	meeting
}

// sift leaves the disturbed trials out of every run.
func (c *comparing) sift(groups []RunGroup) {
	c.few = map[string]string{}
	for _, g := range groups {
		side := RunGroup{Label: g.Label}
		for _, r := range g.Runs {
			s := sift(r.Header.Design, r.Trials)
			sifted := *r
			sifted.Trials = s.judged
			side.Runs = append(side.Runs, &sifted)
			for _, w := range s.warning(nil) {
				c.disturbed = append(c.disturbed, results.Warning{Code: w.Code, Text: r.Header.ID + ": " + w.Text})
			}
			if s.few {
				c.few[g.Label] = first(c.few[g.Label], fmt.Sprintf("in run %s %s", r.Header.ID, s.tooFew()))
			}
		}
		c.groups = append(c.groups, side)
	}
}

func (c comparing) question() string {
	if len(c.groups) == 1 {
		return c.groups[0].Runs[0].Header.Design.Question
	}
	noun := c.noun()
	var others []string
	for _, g := range c.groups[1:] {
		others = append(others, g.Label)
	}
	return fmt.Sprintf("What changed from %s%s to %s%s?", noun, c.groups[0].Label, noun, strings.Join(others, ", "))
}

// noun is what the sides' names are names of, with a blank behind it; "" where
// they are words of their own ("old").
func (c comparing) noun() string {
	all := func(of func(RunGroup) bool) bool {
		return !slices.ContainsFunc(c.groups, func(g RunGroup) bool { return !of(g) })
	}
	named := func(label, name string) bool { return label == name || strings.HasPrefix(label, name+" (") } // the second of one name is numbered
	switch {
	case all(func(g RunGroup) bool { return named(g.Label, g.Runs[0].Header.Machine.Kernel) }):
		return "kernel "
	case all(func(g RunGroup) bool { return len(g.Runs) == 1 && named(g.Label, g.Runs[0].Header.ID) }):
		return "run "
	}
	return ""
}

// total adds up what the summary says of all runs together.
func (c comparing) total(s *Summary, g RunGroup) {
	for _, r := range g.Runs {
		d := r.Header.Design
		s.Scenario = joined(s.Scenario, d.Name)
		s.Kernel = joined(s.Kernel, r.Header.Machine.Kernel)
		s.DurationS += lastedS(r)
		s.MeasuredS += measuredS(r.Trials)
		s.Trials += countValid(r.Trials)
		s.Invalid += len(r.Trials) - countValid(r.Trials)
		s.Confidence = min(s.Confidence, confidence(d))
		s.Resolution = max(s.Resolution, finite(d.Resolution))
		if e := ended(r.End); e != s.Ended {
			s.Ended = worstEnd(s.Ended, e)
		}
		for _, m := range judgedMetrics(d) {
			if !slices.Contains(s.Metrics, m) {
				s.Metrics = append(s.Metrics, m)
			}
		}
	}
}

// joined lists different values in order of appearance.
func joined(have, more string) string {
	if slices.Contains(strings.Split(have, " -> "), more) {
		return have
	}
	return cmp.Or(have, "none") + " -> " + cmp.Or(more, "none")
}

// worstEnd is the end that says most against the figures.
func worstEnd(a, b vocab.End) vocab.End {
	for _, e := range []vocab.End{a, b} {
		if e.Failed() {
			return e
		}
	}
	if a.Whole() {
		return b
	}
	return a
}

func sideOf(g RunGroup) Side {
	s := Side{Label: g.Label, Kernel: g.Runs[0].Header.Machine.Kernel, Boots: len(g.boots())}
	for _, r := range g.Runs {
		s.Runs = append(s.Runs, r.Header.ID)
		s.Trials += countValid(r.Trials)
	}
	return s
}

// levels are a side's arms over all its trials. Where there are several units
// their scatter makes the interval: trials of one boot know nothing of the
// other boots.
func (c comparing) levels(g RunGroup, alpha float64) []ArmSummary {
	g = c.inShared(g)
	d := g.Runs[0].Header.Design
	all := &results.Run{Header: g.Runs[0].Header}
	for _, r := range g.Runs {
		if confounder.ArmNames(r.Header.Design) == confounder.ArmNames(d) {
			all.Trials = append(all.Trials, r.Trials...)
		}
	}
	arms := judging{design: d, rec: record.Of(d, all.Trials), seed: all.Header.Seed, alpha: alpha}.levels()
	unit := unitOf(c.groups[0], g)
	for i := range arms {
		arms[i].Run = g.Label
		for name, l := range arms[i].Metrics {
			m, ok := LookupMetric(name)
			xs := g.units(unit, c.records.levelReading(m, arms[i].Name, plainly))
			if s := stat.NewSample(xs); ok && unit != unitTrial && s.N >= 2 {
				h := s.Half(alpha)
				l.Lo, l.Hi = clamp(l.Mean-h), clamp(l.Mean+h)
				arms[i].Metrics[name] = l
			}
		}
	}
	return arms
}

// A crossing is one comparison between two sides while it is being judged.
type crossing struct {
	Comparison
	metric   Metric
	contrast stat.Contrast
	failures *Failures
	headline bool
	state    State // of the machine, of one within
	within   []crossing
	unseen   string                // why a claim that nothing happens must wait
	byBoot   [2]map[string]float64 // of the two sides, where the unit is the boot
	joint    *float64              // permutation p of all arms of a campaign together
}

// onShares is the metric for the levels of an arm on two sides, some of which may
// be zero.
func (c comparing) onShares(g RunGroup, m Metric, arm string) Metric {
	of := c.records.levelReading(m, arm, plainly)
	if a := c.groups[0].units(unitTrial, of); m.hasZeros(a, g.units(unitTrial, of)) {
		return m.shares(a)
	}
	return m
}

// failures counts an arm's on two sides, and compares their shares of each unit's
// trials by permutation: of trials, that is Fisher's exact test.
func (c comparing) failures(g RunGroup, m Metric, arm string) *Failures {
	var f Failures
	share := reading{trials: func(r *results.Run) (out []float64) {
		d := r.Header.Design
		i := d.ArmAt(arm)
		if i < 0 {
			return nil
		}
		for _, v := range views(c.records.of(r), m, i) {
			failed := 0.0
			if why := failureOf(v); why != "" {
				failed, f.Reason = 1, first(f.Reason, why)
			}
			out = append(out, failed)
		}
		return out
	}}
	count := func(g RunGroup) (failed, of int) {
		for _, x := range g.units(unitTrial, share) {
			failed, of = failed+int(x), of+1
		}
		return failed, of
	}
	f.Arm, f.Trials = count(g)
	f.Baseline, f.Of = count(c.groups[0])
	if f.Arm+f.Baseline == 0 {
		return nil
	}
	unit := unitOf(c.groups[0], g)
	a, b := c.groups[0].units(unit, share), g.units(unit, share)
	if len(a) > 0 && len(b) > 0 {
		p := stat.Exchange(a, b, stat.Seeded(g.Runs[0].Header.Seed, "failures", arm, m.Name, g.Label))
		f.P = &p
	}
	return &f
}

// comparisons judges each arm that two sides have, on each metric.
func (c comparing) comparisons(alpha float64) []Comparison {
	var all []crossing
	for _, g := range c.groups[1:] {
		all = append(all, c.crossings(g, alpha)...)
	}
	var judged []int
	var ps []float64
	for i, x := range all {
		if x.Judged {
			judged, ps = append(judged, i), append(ps, x.p())
		}
	}
	shares := stat.Holm(append(ps, c.campaign.ps()...), alpha)
	for i, at := range judged {
		all[at].Alpha = shares[i]
	}
	c.campaign.share(shares[len(judged):])
	c.campaign.exchange(c.groups, all)
	out := []Comparison{}
	for _, x := range all {
		one := x.conclude()
		if x.joint != nil {
			one.PPermutation = x.joint
		}
		c.campaign.heed(&one)
		out = append(out, one)
	}
	return out
}

// firstShare is what Holm leaves of alpha to the first of all judged comparisons.
// How few units may be is held against it: each comparison may be all alike.
func (c comparing) firstShare() float64 {
	alpha, judged, da := 0.0, 0, c.groups[0].Runs[0].Header.Design
	for _, g := range c.groups {
		for _, r := range g.Runs {
			alpha = max(alpha, 1-confidence(r.Header.Design))
		}
	}
	for _, g := range c.groups[1:] {
		db := g.Runs[0].Header.Design
		names := slices.Concat(judgedMetrics(da), judgedMetrics(db))
		for _, arm := range da.Arms {
			ib := db.ArmAt(arm.Name)
			for _, m := range metricsOf(da) {
				if ib >= 0 && m.AppliesTo(arm) && m.AppliesTo(db.Arms[ib]) && slices.Contains(names, m.Name) {
					judged++
				}
			}
		}
	}
	return alpha / float64(max(1, judged))
}

func (c comparing) crossings(g RunGroup, alpha float64) []crossing {
	base := c.groups[0]
	da, db := base.Runs[0].Header.Design, g.Runs[0].Header.Design
	judged := slices.Concat(judgedMetrics(da), judgedMetrics(db))
	var out []crossing
	for _, arm := range da.Arms {
		ib := db.ArmAt(arm.Name)
		if ib < 0 {
			continue
		}
		for _, m := range metricsOf(da) {
			if !m.AppliesTo(arm) || !m.AppliesTo(db.Arms[ib]) {
				continue
			}
			m := c.onShares(g, m, arm.Name)
			x := c.crossWithin(g, m, arm.Name, c.records.levelReading(m, arm.Name, onScale))
			x.Judged, x.Alpha = slices.Contains(judged, m.Name), alpha
			x.Baseline = arm.Name
			x.failures, x.headline = c.failures(g, m, arm.Name), m.Name == judged[0]
			if x.N > 0 || x.Judged {
				out = append(out, x)
			}
		}
	}
	return out
}

// cross contrasts what two sides have of something.
func (c comparing) cross(g RunGroup, m Metric, arm string, of reading) crossing {
	base, unit := c.groups[0], unitOf(c.groups[0], g)
	seed := g.Runs[0].Header.Seed
	a, b := base.units(unit, of), g.units(unit, of)
	w := stat.Welch(stat.NewSample(a), stat.NewSample(b))
	x := crossing{metric: m, contrast: w, Comparison: Comparison{
		Arm: arm, BaselineRun: base.Label, ArmRun: g.Label, Metric: m.Name, Unit: m.Unit, Difference: m.Difference,
		N: w.N, NBaseline: len(a), Units: unit, Looks: 1,
		Resolution: max(resolutionOf(base.Runs[0].Header.Design, m.Name), resolutionOf(g.Runs[0].Header.Design, m.Name)),
	}}
	if unit == unitBoot {
		x.byBoot = [2]map[string]float64{base.byBoot(of), g.byBoot(of)}
	}
	if xs, ys, ok := paired(base, g, of, c.first); ok && unit == unitBoot {
		ds := differencesOf(xs, ys)
		x.contrast, x.Paired, x.N, x.NBaseline = stat.Paired(ds), true, len(ds), 0
		p := stat.SignFlip(ds, stat.Seeded(seed, "sign-flip", arm, m.Name, g.Label))
		x.DF, x.PSign = x.contrast.DF, &p
		return x
	}
	if sd, df, units := c.known(unit, base, g, arm, m, c.first); units != "" {
		if k, ok := calibrated(sd, df, units, base, g, of); ok {
			x.contrast, x.Units, x.Calibrated, x.KnownSD = k, units, true, sd
			x.N, x.NBaseline = k.N, len(base.units(units, of))
		}
	}
	if c.campaign != nil && unit == unitBoot {
		x.TrialsShare = trialsShare(base, g, of, w.SE)
	}
	x.unseen = unseenOnSides(m, a, b, min(len(base.units(unitTrial, of)), len(g.units(unitTrial, of))), 1-confidence(base.Runs[0].Header.Design))
	x.DF = x.contrast.DF
	if w.OK && unit != unitTrial {
		p := stat.Exchange(a, b, stat.Seeded(seed, "exchange", arm, m.Name, g.Label))
		x.PPermutation = &p
	}
	return x
}

// known is the spread of units that is known beforehand, where the two sides
// have too few of them to tell it: of boots, or within one boot of runs. unit is
// "" where none is needed or known.
func (c comparing) known(have string, a, b RunGroup, arm string, m Metric, alpha float64) (sd, df float64, unit string) {
	few := have == unitBoot && stat.Attainable(len(a.boots()), len(b.boots())) > alpha
	if few && c.options.BootSD > 0 {
		return c.options.BootSD, c.options.BootDF, unitBoot
	}
	if c.options.Known == nil || m.Difference || !few && have != unitTrial {
		return 0, 0, ""
	}
	d := a.Runs[0].Header.Design
	k, ok := c.options.Known(d.Arms[d.ArmAt(arm)], m.Name)
	switch {
	case ok && few && k.BootDF > 0:
		// A boot's runs are few here too: theirs comes on top.
		return math.Hypot(k.Boot, k.Run), min(k.BootDF, max(k.RunDF, 1)), unitBoot
	case ok && have == unitTrial && k.RunDF >= leastRunDF:
		return k.Run, k.RunDF, unitRun
	}
	return 0, 0, ""
}

// leastRunDF is how well the spread of runs must be known to take the place of
// one that these runs do not tell.
const leastRunDF = 5

// calibrated puts a known spread of units in place of one seen in too few:
// SE² = σ²(1/n_1 + 1/n_2) + the trials' own (df 0: the spread is taken as exact).
func calibrated(sd, df float64, unit string, a, b RunGroup, of reading) (stat.Contrast, bool) {
	unitsA, unitsB := stat.NewSample(a.units(unit, of)), stat.NewSample(b.units(unit, of))
	na, nb := unitsA.N, unitsB.N
	within := a.withinVariance(of) + b.withinVariance(of)
	trials := 0
	for _, g := range []RunGroup{a, b} {
		for _, r := range g.Runs {
			trials += max(0, len(of.trials(r))-1)
		}
	}
	if within <= 0 || trials < 2 || na == 0 || nb == 0 {
		return stat.Contrast{}, false
	}
	w := stat.Assumed(unitsB.Mean-unitsA.Mean, na+nb,
		stat.Variance{V: sd * sd * (1/float64(na) + 1/float64(nb)), DF: df}, stat.Variance{V: within, DF: float64(trials)})
	return w, w.OK
}

// conclude fills in what follows from the contrast and its share of alpha.
func (x crossing) conclude() Comparison {
	if len(x.within) > 0 {
		return x.concludeWithin()
	}
	c, m := x.Comparison, x.metric
	lo, hi := x.contrast.Interval(c.Alpha).Ends()
	c.Change, c.Lo, c.Hi, c.Verdict = m.shown(x.contrast.Mean), m.shown(lo), m.shown(hi), Inconclusive
	p, ok := x.contrast.P(0)
	if !ok {
		c.heed(x.failures, x.headline)
		return c
	}
	c.P = &p
	c.Verdict = judge(lo, hi, m.margin(c.Resolution), m.Better)
	if c.Verdict == Equivalent && x.unseen != "" {
		c.withhold(x.unseen)
	}
	if d, ok := x.contrast.SmallestDetectable(c.Alpha); ok {
		d = m.shown(d)
		c.SmallestDetectable = &d
	}
	c.heed(x.failures, x.headline)
	return c
}

// interactions ask whether an arm's effect is another on another side: its
// effects within each run, which the slices pair, are contrasted between the
// sides. They are far sharper than levels, and judge nothing by themselves.
func (c comparing) interactions(alpha float64) []Comparison {
	c.options.Known = nil // which is about levels: effects scatter far less
	var out []Comparison
	for _, g := range c.groups[1:] {
		d := c.groups[0].Runs[0].Header.Design
		if len(d.Arms) < 2 {
			continue
		}
		for _, arms := range c.compared(d) {
			base := d.Arms[arms[0]]
			for _, i := range arms[1:] {
				out = append(out, c.interactionsOf(g, d, base, d.Arms[i], alpha)...)
			}
		}
	}
	return out
}

// compared are the arms that are held against each other within a side, the first of each
// group with those behind it.
func (c comparing) compared(d results.Design) [][]int {
	if c.campaign == nil {
		d.Factors = nil // all against the baseline
	}
	return twins(d)
}

// interactionsOf say on each metric whether the effect of an arm is another on a side.
func (c comparing) interactionsOf(g RunGroup, d results.Design, base, arm results.Arm, alpha float64) (out []Comparison) {
	for _, m := range judgedOf(d) {
		if !m.AppliesTo(arm) || !m.AppliesTo(base) {
			continue
		}
		of := c.records.effectReading(m, base.Name, arm.Name)
		if c.onShares(g, m, arm.Name).per > 0 || c.onShares(g, m, base.Name).per > 0 {
			m.per = 1 // each run by its own baseline's level
			of = c.records.effectReading(m, base.Name, arm.Name)
		}
		x := c.crossWithin(g, m, arm.Name, of)
		x.Baseline, x.Alpha = base.Name, alpha
		if x.contrast.OK {
			out = append(out, x.conclude())
		}
	}
	return out
}
