package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

// A judging is one look at a run: its trials, and the alpha that the look may
// spend.
type judging struct {
	design results.Design
	rec    *record.Record // its trials
	seed   uint64
	alpha  float64
	looks  int // this one included
	states *states
	fixed  map[int][]Comparison // of arms that rest: what the look said at which they were left out
	boots  bool                 // sessions are boots, which are the units whatever they say
}

// An evidence is what the trials say about one arm on one metric.
type evidence struct {
	arm     int
	metric  Metric
	judged  bool
	effects []effect
	sample  stat.Sample
	spread  *stat.Spread    // nil = unknown
	depend  *Dependence     // nil = their order may be one of chance
	whole   *stat.Bootstrap // of metrics that are no mean over trials
	// withheld says why the trials say nothing of this metric, "" if they do.
	withheld string
	alpha    float64         // of its interval
	within   []stateEvidence // what each state of the machine says; nil = all are one
	sessions *sessions       // nil = one
	units    *evidence       // the sessions', where they are the units
	apart    bool            // what neighbours share is not in the effects
	overview bool            // nothing hangs on it
	method   stat.Method     // that makes its interval (choose)
}

// newEvidence weighs the trials' effects.
func newEvidence(arm int, m Metric, judged bool, effects []effect) evidence {
	e := evidence{arm: arm, metric: m, judged: judged, effects: effects, sample: stat.NewSample(values(effects))}
	if s, ok := spreadOf(effects); ok {
		e.spread = &s
	}
	return e
}

// differ says whether trials differ by more than their own errors, or might.
func (e evidence) differ(alpha float64) bool { return e.spread == nil || e.spread.P <= alpha }

// disagree is to differ beyond doubt.
func (e evidence) disagree() bool { return e.differ(hetAlpha) }

// weigh collects what the trials say of an arm against another, and their
// sessions.
func (j judging) weigh(m Metric, base, arm int, judged bool) evidence {
	e := j.weighTrials(m, base, arm, judged)
	if e.within == nil { // else each state has looked at its sessions
		j.bySession(&e, base)
	}
	e.method = e.choose()
	return e
}

func (j judging) weighTrials(m Metric, base, arm int, judged bool) evidence {
	d := j.design
	if a := values(trialLevels(j.rec, m, base)); m.hasZeros(a, values(trialLevels(j.rec, m, arm))) {
		m = m.shares(a)
	}
	e := newEvidence(arm, m, judged, trialEffects(j.rec, m, base, arm))
	e.alpha = j.alpha
	if judged {
		e.within = j.withinStates(m, base, arm)
	}
	if judged && e.within == nil && e.mayShare() {
		e.depend = dependenceOf(values(e.effects), stat.Seeded(j.seed, "order", d.Arms[base].Name, d.Arms[arm].Name, m.Name))
	}
	of, ok := m.estimator.(wholeEstimator)
	if !ok || len(e.effects) == 0 {
		return e
	}
	var as, bs []view
	for _, x := range e.effects {
		t := &j.rec.Trials[x.at]
		as, bs = append(as, viewOf(j.rec, t, m, base)), append(bs, viewOf(j.rec, t, m, arm))
	}
	if q, ok := m.estimator.(quantile); ok {
		if e.withheld = cmp.Or(q.withheld(as), q.withheld(bs)); e.withheld != "" {
			return e
		}
	}
	rng := stat.Seeded(j.seed, "bootstrap", d.Arms[base].Name, d.Arms[arm].Name, m.Name)
	if b, ok := of.whole(as, bs, rng); ok {
		if e.depend != nil {
			b = b.Stretched(math.Sqrt(float64(e.sample.N) / e.depend.Worth))
		}
		e.whole = &b
	}
	return e
}

// asSample is the evidence as a mean and its error, to be held against that of another run.
func (e evidence) asSample() stat.Sample {
	switch {
	case e.units != nil:
		return e.units.sample
	case e.whole != nil:
		return e.whole.Sample()
	}
	return e.sample
}

// centre is the estimate, on the metric's scale.
func (e evidence) centre() float64 { return e.method.Centre() }

// interval is at 1-alpha of the evidence.
func (e evidence) interval() stat.Interval { return e.method.Interval(e.alpha) }

// p is of the tests that belong to the interval.
func (e evidence) p() (p float64, ok bool) {
	if e.withheld != "" {
		return 0, false
	}
	return e.method.P(0)
}

// smallestDetectable is that of the method.
func (e evidence) smallestDetectable() (float64, bool) { return e.method.SmallestDetectable(e.alpha) }

// worth is how many independent trials say as much as these.
func (e evidence) worth() float64 {
	if e.depend != nil {
		return e.depend.Worth
	}
	return float64(e.sample.N)
}

// comparisons judges every arm on every metric.
func (j judging) comparisons() []Comparison {
	var out []Comparison
	for _, e := range j.gather(metricsOf(j.design)) {
		c := j.compare(e)
		j.inform(&c, e)
		out = append(out, c)
	}
	return j.withFixed(out)
}

// progress judges only what the stop rule needs.
func (j judging) progress() []Comparison {
	var out []Comparison
	for _, e := range j.gather(judgedOf(j.design)) {
		out = append(out, j.compare(e))
	}
	return j.withFixed(out)
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
		if arm == base || j.fixed[arm] != nil {
			continue
		}
		for _, m := range all {
			if !m.AppliesTo(j.design.Arms[arm]) || !m.AppliesTo(j.design.Arms[base]) {
				continue
			}
			isJudged := slices.Contains(judged, m.Name)
			e := j.weigh(m, base, arm, isJudged)
			if isJudged || e.sample.N > 0 && e.withheld == "" {
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
	for i, alpha := range stat.Holm(ps, j.alpha) {
		judged[i].alpha = alpha
	}
}

// compare makes the comparison with all that a verdict needs.
func (j judging) compare(e evidence) Comparison {
	m := e.metric
	var in stat.Interval
	at := 0.0
	if e.withheld == "" {
		in, at = e.interval(), e.centre()
	}
	c := Comparison{
		Baseline: j.design.Arms[baseline(j.design)].Name, Arm: j.design.Arms[e.arm].Name,
		Metric: m.Name, Unit: m.Unit, Judged: e.judged, Difference: m.Difference,
		Change: m.shown(at), Lo: m.shown(in.Lo), Hi: m.shown(in.Hi), Withheld: e.withheld,
		Verdict: Inconclusive, Resolution: resolutionOf(j.design, m.Name),
		N: e.sample.N, DF: e.sample.DF(), Alpha: e.alpha, Looks: j.looks, Dependence: e.depend,
		Sessions: e.sessions.spread(m, e.units != nil, j.rec),
	}
	if e.units != nil {
		c.DF = e.units.sample.DF()
	}
	if e.within != nil {
		c.N, c.DF, e.spread = e.counts()
	}
	alike := ""
	if p, ok := e.p(); ok {
		c.P, c.SetBy = &p, in.By
		unseen := stat.AtMost(0, e.worth(), 1-confidence(j.design))
		c.UnseenShare = &unseen
		if alike = e.depend.tooAlike(c.N, fewestOf(j.design)); e.obvious(m.margin(c.Resolution)) {
			alike = ""
		}
		if fewest := fewestOf(j.design); c.N >= fewest {
			c.Verdict = judge(in.Lo, in.Hi, m.margin(resolutionOf(j.design, m.Name)), m.Better)
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
		c.WithinSE, c.BetweenSD, c.HetP = &s.Within, &s.Between, &s.P
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
	c.heed(failuresOf(j.rec, m, baseline(j.design), e.arm), m.Name == judgedMetrics(j.design)[0])
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
		c.TrialEffects = append(c.TrialEffects, TrialEffect{Trial: e.trial, Change: shown(e.x), SE: e.SE})
	}
	if len(xs) < 2 {
		return
	}
	sign := stat.SignFlip(xs, stat.Seeded(j.seed, "sign-flip", c.Arm, c.Metric))
	c.PSign = &sign
	robust := shown(stat.HodgesLehmann(xs))
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
