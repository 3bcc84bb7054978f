package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"netab/results"
)

// A judging is one look at a run: its trials, and the alpha that the look may
// spend.
type judging struct {
	design results.Design
	trials []results.Trial
	seed   uint64
	alpha  float64
	looks  int // this one included
	states *states
}

// An evidence is what the trials say about one arm on one metric.
type evidence struct {
	arm     int
	metric  Metric
	judged  bool
	effects []effect
	sample  sample
	spread  *spread // nil = unknown
	rank    *signedRank
	sorted  []float64       // the effects, where trials disagree; nil = they do not
	ordered *autoregression // where neighbouring trials may be alike; nil = they share nothing that matters
	depend  *Dependence     // nil = their order may be one of chance
	whole   *bootstrap      // of metrics that are no mean over trials
	// withheld says why the trials say nothing of this metric, "" if they do.
	withheld string
	alpha    float64         // of its interval
	within   []stateEvidence // what each state of the machine says; nil = all are one
	sessions *sessions       // nil = one
	units    *evidence       // the sessions', where they are the units
}

// newEvidence weighs the trials' effects; they are doubted to be normal unless
// they agree within their own errors.
func newEvidence(arm int, m Metric, judged bool, effects []effect) evidence {
	e := evidence{arm: arm, metric: m, judged: judged, effects: effects, sample: newSample(values(effects))}
	if s, ok := spreadOf(effects); ok {
		e.spread = &s
	}
	if (e.disagree() || m.per > 0) && e.sample.n >= 2 && e.sample.sd > 0 {
		e.sorted = slices.Sorted(slices.Values(values(effects)))
		if e.sample.n <= rankTrials {
			r := newSignedRank(values(effects))
			e.rank = &r
		}
	}
	if e.differ(sharedAlpha) && e.sample.n >= dependenceTrials && e.sample.sd > 0 {
		a := newAutoregression(values(effects))
		e.ordered = &a
	}
	return e
}

// differ says whether trials differ by more than their own errors, or might.
func (e evidence) differ(alpha float64) bool { return e.spread == nil || e.spread.p <= alpha }

// disagree is to differ beyond doubt.
func (e evidence) disagree() bool { return e.differ(hetAlpha) }

// weigh collects what the trials say of an arm against another, and their
// sessions.
func (j judging) weigh(m Metric, base, arm int, judged bool) evidence {
	e := j.weighTrials(m, base, arm, judged)
	if e.within != nil { // each state has looked at its sessions
		return e
	}
	if j.bySession(&e, base); e.units != nil {
		e.ordered, e.depend = nil, nil // what trials of a session share is in its mean
	}
	return e
}

func (j judging) weighTrials(m Metric, base, arm int, judged bool) evidence {
	d := j.design
	if a := values(trialLevels(d, j.trials, m, base)); m.hasZeros(a, values(trialLevels(d, j.trials, m, arm))) {
		m = m.shares(a)
	}
	e := newEvidence(arm, m, judged, trialEffects(d, j.trials, m, base, arm))
	e.alpha = j.alpha
	if judged {
		e.within = j.withinStates(m, base, arm)
	}
	if judged && e.within == nil && e.ordered != nil {
		e.depend = dependenceOf(values(e.effects), seeded(j.seed, "order", d.Arms[base].Name, d.Arms[arm].Name, m.Name))
	}
	of, ok := m.estimator.(wholeEstimator)
	if !ok || len(e.effects) == 0 {
		return e
	}
	var as, bs []view
	for _, x := range e.effects {
		t := &j.trials[x.at]
		as, bs = append(as, viewOf(d, t, x.at, m, base)), append(bs, viewOf(d, t, x.at, m, arm))
	}
	if q, ok := m.estimator.(quantile); ok {
		if e.withheld = cmp.Or(q.withheld(as), q.withheld(bs)); e.withheld != "" {
			return e
		}
	}
	rng := seeded(j.seed, "bootstrap", d.Arms[base].Name, d.Arms[arm].Name, m.Name)
	if b, ok := of.whole(as, bs, rng); ok {
		if e.depend != nil {
			b = b.stretched(math.Sqrt(float64(e.sample.n) / e.depend.Worth))
		}
		e.whole = &b
	}
	return e
}

// centre is the estimate, on the metric's scale.
func (e evidence) centre() float64 {
	if e.within != nil {
		return e.hullCentre()
	}
	if e.units != nil {
		return e.units.sample.mean
	}
	if e.whole != nil {
		return e.whole.at
	}
	return e.sample.mean
}

// interval is at 1-alpha of the evidence.
func (e evidence) interval() (lo, hi float64) {
	lo, hi, _ = e.bounds()
	return lo, hi
}

// The methods that set the ends of an interval.
const (
	byT         = "Student's t"
	byRank      = "Wilcoxon's signed-rank test"
	byStringer  = "Stringer's bounds"
	byOrder     = "Student's t averaged over correlations of neighbouring trials"
	byBootstrap = "a bootstrap"
)

// bounds is interval with the methods that set its ends, the lower one's first.
func (e evidence) bounds() (lo, hi float64, by []string) {
	if e.within != nil {
		return e.hullBounds()
	}
	if e.units != nil {
		units, trials := *e.units, e
		units.alpha, trials.units = e.alpha, nil
		lo, hi, by = units.bounds()
		l, h, of := trials.bounds()
		if l < lo || h > hi {
			by = append(by, of...)
		}
		return min(lo, l), max(hi, h), slices.Compact(slices.Sorted(slices.Values(by)))
	}
	if e.whole != nil {
		lo, hi = e.whole.interval(e.alpha)
		return lo, hi, []string{byBootstrap}
	}
	lo, hi = e.sample.interval(e.alpha)
	below, above := byT, byT
	widen := func(l, h float64, name string) {
		if l < lo {
			lo, below = l, name
		}
		if h > hi {
			hi, above = h, name
		}
	}
	if e.ordered != nil {
		l, h := e.ordered.interval(e.alpha)
		widen(l, h, byOrder)
	}
	if e.rank != nil {
		l, h := e.rank.interval(e.alpha)
		widen(l, h, byRank)
	}
	if e.sorted != nil {
		l, h := stringer(e.sorted, e.alpha)
		widen(l, h, byStringer)
	}
	return lo, hi, slices.Compact([]string{below, above})
}

// p is of the test that belongs to the interval.
func (e evidence) p() (p float64, ok bool) {
	if e.units != nil && e.withheld == "" {
		trials := e
		trials.units = nil
		p, ok = trials.p()
		units, both := e.units.p()
		return max(p, units), ok && both
	}
	switch {
	case e.withheld != "":
		return 0, false
	case e.within != nil:
		return e.hullP()
	case e.whole != nil:
		return e.whole.p()
	}
	p, ok = e.sample.p()
	if ok && e.rank != nil {
		p = max(p, e.rank.p())
	}
	if ok && e.sorted != nil {
		p = stringerP(e.sorted, p)
	}
	if ok && e.ordered != nil {
		p = max(p, e.ordered.p())
	}
	return p, ok
}

// smallestDetectable is Student's t's, by so much larger as its interval had to be
// widened.
func (e evidence) smallestDetectable() (float64, bool) {
	if e.units != nil {
		return e.units.sample.smallestDetectable(e.alpha)
	}
	if e.whole != nil {
		return e.whole.smallestDetectable(e.alpha)
	}
	d, ok := e.sample.smallestDetectable(e.alpha)
	lo, hi := e.interval()
	if l, h := e.sample.interval(e.alpha); l < h {
		d *= (hi - lo) / (h - l)
	}
	return d, ok
}

// worth is how many independent trials say as much as these.
func (e evidence) worth() float64 {
	if e.depend != nil {
		return e.depend.Worth
	}
	return float64(e.sample.n)
}

// comparisons judges every arm on every metric.
func (j judging) comparisons() []Comparison {
	var out []Comparison
	for _, e := range j.gather(metricsOf(j.design)) {
		c := j.compare(e)
		j.inform(&c, e)
		out = append(out, c)
	}
	return out
}

// progress judges only what the stop rule needs.
func (j judging) progress() []Comparison {
	var out []Comparison
	for _, e := range j.gather(judgedOf(j.design)) {
		out = append(out, j.compare(e))
	}
	return out
}

// gather collects the evidence arm by arm, the judged metrics first and in
// their declared order, and gives each its alpha.
func (j judging) gather(all []Metric) []evidence {
	if len(j.design.Arms) < 2 {
		return nil
	}
	judged := judgedMetrics(j.design)
	slices.SortStableFunc(all, func(a, b Metric) int {
		return cmp.Compare(rank(judged, a.Name), rank(judged, b.Name))
	})
	base := baseline(j.design)
	var out []evidence
	for arm := range j.design.Arms {
		if arm == base {
			continue
		}
		for _, m := range all {
			if !m.AppliesTo(j.design.Arms[arm]) || !m.AppliesTo(j.design.Arms[base]) {
				continue
			}
			isJudged := slices.Contains(judged, m.Name)
			e := j.weigh(m, base, arm, isJudged)
			if isJudged || e.sample.n > 0 && e.withheld == "" {
				out = append(out, e)
			}
		}
	}
	j.share(out)
	return out
}

// share gives the judged comparisons their parts of the look's alpha. Those
// that are not judged keep all of it: they are information, each by itself.
func (j judging) share(es []evidence) {
	var judged []*evidence
	var ps []float64
	for i := range es {
		if !es[i].judged {
			continue
		}
		p, ok := es[i].p()
		if !ok {
			p = 1
		}
		judged, ps = append(judged, &es[i]), append(ps, p)
	}
	for i, alpha := range holm(ps, j.alpha) {
		judged[i].alpha = alpha
	}
}

// compare makes the comparison with all that a verdict needs.
func (j judging) compare(e evidence) Comparison {
	m := e.metric
	lo, hi, by := e.bounds()
	at := e.centre()
	if e.withheld != "" {
		lo, at, hi, by = 0, 0, 0, nil
	}
	c := Comparison{
		Baseline: j.design.Arms[baseline(j.design)].Name, Arm: j.design.Arms[e.arm].Name,
		Metric: m.Name, Unit: m.Unit, Judged: e.judged, Difference: m.Difference,
		Change: m.shown(at), Lo: m.shown(lo), Hi: m.shown(hi), Withheld: e.withheld,
		Verdict: Inconclusive, Resolution: resolutionOf(j.design, m.Name),
		N: e.sample.n, DF: e.sample.df(), Alpha: e.alpha, Looks: j.looks, Dependence: e.depend,
		Sessions: e.sessions.spread(m, e.units != nil, j.trials),
	}
	if e.units != nil {
		c.DF = e.units.sample.df()
	}
	if e.within != nil {
		c.N, c.DF, e.spread = e.counts()
	}
	alike := ""
	if p, ok := e.p(); ok {
		c.P, c.SetBy = &p, by
		unseen := atMost(0, e.worth(), 1-confidence(j.design))
		c.UnseenShare = &unseen
		alike = e.depend.tooAlike(c.N, fewestOf(j.design))
		if fewest := fewestOf(j.design); c.N >= fewest {
			c.Verdict = judge(lo, hi, m.margin(resolutionOf(j.design, m.Name)), m.Better)
		} else {
			c.Withheld = fmt.Sprintf("%d trials are fewer than the %d that a verdict needs", c.N, fewest)
		}
		if c.Verdict == Equivalent || c.Verdict == Inconclusive {
			if c.Withheld = cmp.Or(c.Withheld, e.unseen(j.design)); c.Withheld != "" {
				c.Verdict = Inconclusive
			}
		}
		if alike != "" && c.Verdict != Inconclusive {
			c.withhold(alike)
		}
	}
	if s := e.spread; s != nil {
		c.WithinSE, c.BetweenSD, c.HetP = &s.within, &s.between, &s.p
	}
	if e.within != nil {
		j.heedStates(&c, e)
	} else if e.judged && e.withheld == "" && e.disagree() {
		c.Modes = j.effectModes(e)
		c.Mixture = c.Verdict == Inconclusive && mixture(c.Modes)
		if c.Mixture && alike != "" && c.Withheld == alike {
			c.Withheld = "" // what they share is what the modes are told apart by
		}
	}
	c.heed(failuresOf(j.design, j.trials, m, baseline(j.design), e.arm), m.Name == judgedMetrics(j.design)[0])
	return c
}

// inform adds what no verdict hangs on.
func (j judging) inform(c *Comparison, e evidence) {
	if e.withheld != "" {
		return
	}
	if e.within != nil {
		j.informStates(c, e)
		return
	}
	xs, shown := values(e.effects), e.metric.shown
	for _, e := range e.effects {
		c.TrialEffects = append(c.TrialEffects, TrialEffect{Trial: e.trial, Change: shown(e.x), SE: e.se})
	}
	if len(xs) < 2 {
		return
	}
	sign := signFlip(xs, seeded(j.seed, "sign-flip", c.Arm, c.Metric))
	c.PSign = &sign
	robust := shown(hodgesLehmann(xs))
	c.Robust = &robust
	if d, ok := e.smallestDetectable(); ok {
		d = shown(d)
		c.SmallestDetectable = &d
	}
	if e.judged && c.Modes == nil && c.HetP != nil && *c.HetP <= hetAlpha {
		c.Modes = j.unexplainedModes(e)
	}
}

// judgedMetrics are the design's; if it names none, what its kinds of traffic
// are about.
func judgedMetrics(d results.Design) []string {
	all := func(is func(results.Arm) bool) bool {
		return len(d.Arms) > 0 && !slices.ContainsFunc(d.Arms, func(a results.Arm) bool { return !is(a) })
	}
	switch {
	case len(d.Metrics) > 0:
		return d.Metrics
	case all(ofSearches.has):
		return []string{"loss_free_rate"}
	case all(ofTransactions.has):
		return []string{"transaction_rate"}
	default:
		return []string{"goodput"}
	}
}

func rank(names []string, name string) int {
	if i := slices.Index(names, name); i >= 0 {
		return i
	}
	return math.MaxInt
}

// baseline is the index of the baseline arm, the first if none is named.
func baseline(d results.Design) int {
	for i, a := range d.Arms {
		if a.Name == d.Baseline {
			return i
		}
	}
	return 0
}
