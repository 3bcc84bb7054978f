package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Where a machine was in several states, an effect is estimated within each: of
// every trial, the totals over its blocks in that state make one effect, and over
// trials these effects make the state's interval, as whole trials do elsewhere.
// Parts of unequal length count alike. A mean weighted by length would be a little
// sharper (7 % of the width, at the most unequal that parts can be), but its
// weights are right for one ratio of the errors within and between trials only;
// unequal errors about one mean make t conservative (Benjamini 1983, "Is the t
// test really conservative when the parent distribution is long-tailed?"), and
// all that guards a mean of trials guards one of parts.
//
// The long-run effect is a mean of the states' effects with weights that a run of
// a minute does not know: how often the machine is in which. So the interval is
// the hull of the states' intervals. Whatever the weights are, the long-run effect
// is no larger than the largest of the states' effects; to lie above the hull, that
// one must lie above its own interval. So the hull misses no oftener than one
// state's interval does, and costs no share of alpha (intersection and union:
// Berger 1982, "Multiparameter hypothesis testing and acceptance sampling"). What
// each state is called by itself is one claim more per state, and for that the
// states share alpha by Holm's method; the hull is of these intervals, so that what
// is shown fits together.

// A stateEvidence is what one state says of a comparison.
type stateEvidence struct {
	State
	judging judging // its parts of the trials
	evidence
	enough bool // of trials, for a verdict
}

// leftOut says whether the figures do without the state: too little was seen of
// it, and it was rare.
func (s *stateEvidence) leftOut() bool { return !s.enough && s.Share < stateShare }

// short says whether a verdict must wait for the state.
func (s *stateEvidence) short() bool { return !s.enough && !s.leftOut() }

// withinStates is what each state says, nil where blocks need not or cannot be
// told apart.
func (j judging) withinStates(m Metric, base, arm int) []stateEvidence {
	if !j.states.several() {
		return nil
	}
	_, parts := m.estimator.(ratio)
	fewest := fewestOf(j.design)
	var out []stateEvidence
	seen := 0
	for k, state := range j.states.list {
		in := j
		in.states, in.trials = nil, j.states.part(j.trials, k, !parts)
		e := in.weigh(m, base, arm, true)
		if e.metric.per != m.per || e.withheld != "" && e.sample.n > 0 {
			return nil // on another scale, or too few transactions
		}
		seen += e.sample.n
		out = append(out, stateEvidence{State: state, judging: in, evidence: e, enough: e.sample.n >= fewest})
	}
	if !parts && 2*seen < countValid(j.trials) {
		return nil // most trials were in several states
	}
	if !slices.ContainsFunc(out, func(s stateEvidence) bool { return !s.leftOut() && s.sample.n >= 2 }) {
		return nil
	}
	return out
}

// used are the states that the figures are of, with their shares of alpha.
func (e evidence) used() []*stateEvidence {
	var out []*stateEvidence
	var ps []float64
	for i := range e.within {
		s := &e.within[i]
		if s.leftOut() || s.sample.n < 2 {
			continue
		}
		p, ok := s.evidence.p()
		if !ok {
			p = 1
		}
		out, ps = append(out, s), append(ps, p)
	}
	for i, alpha := range holm(ps, e.alpha) {
		out[i].alpha = alpha
	}
	return out
}

// hullBounds is the interval of several states, with the methods that set the ends
// of the states' intervals.
func (e evidence) hullBounds() (lo, hi float64, by []string) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, s := range e.used() {
		l, h, of := s.evidence.bounds()
		lo, hi = min(lo, l), max(hi, h)
		for _, name := range of {
			if !slices.Contains(by, name) {
				by = append(by, name)
			}
		}
	}
	return lo, hi, by
}

// hullCentre is the mean of the states' effects by their shares.
func (e evidence) hullCentre() float64 {
	centre, shares := 0.0, 0.0
	for _, s := range e.used() {
		centre += s.Share * s.evidence.centre()
		shares += s.Share
	}
	return centre / shares
}

// hullP is the p that every state's effect is zero or of the other sign.
func (e evidence) hullP() (p float64, ok bool) {
	var ps, centres []float64
	for _, s := range e.used() {
		of, known := s.evidence.p()
		if !known {
			return 0, false
		}
		ps, centres = append(ps, of), append(centres, s.evidence.centre())
	}
	return everyP(ps, centres), true
}

// everyP is the p that some state's effect is zero or of another sign than the
// others': that of the least sure, 1 where their signs differ.
func everyP(ps, centres []float64) float64 {
	up := 0
	for _, x := range centres {
		if x > 0 {
			up++
		}
	}
	if up != 0 && up != len(centres) {
		return 1
	}
	return slices.Max(ps)
}

// hullDetectable is the smallest effect that would be seen in every state.
func (e evidence) hullDetectable() (float64, bool) {
	d := 0.0
	for _, s := range e.used() {
		of, ok := s.evidence.smallestDetectable()
		if !ok {
			return 0, false
		}
		d = max(d, of)
	}
	return d, true
}

// counts are how many trials the figures are of, the fewest degrees of freedom of
// any state, and the spread of trials within the state where they disagree most.
func (e evidence) counts() (n int, df float64, worst *spread) {
	at := map[int]bool{}
	df = math.Inf(1)
	used := e.used()
	for _, s := range used {
		for _, x := range s.effects {
			at[x.at] = true
		}
		df = min(df, s.sample.df())
		if s.spread != nil && (worst == nil || s.spread.p < worst.p) {
			of := *s.spread
			worst = &of
		}
	}
	if worst != nil {
		worst.p = min(1, worst.p*float64(len(used)))
	}
	return len(at), df, worst
}

// A partEffect is the effect of a trial's part in a state.
type partEffect struct {
	effect
	state *stateEvidence
}

// partEffects are those of all states in order of time.
func (e evidence) partEffects() []partEffect {
	var out []partEffect
	for i := range e.within {
		for _, x := range e.within[i].effects {
			out = append(out, partEffect{x, &e.within[i]})
		}
	}
	slices.SortStableFunc(out, func(a, b partEffect) int { return cmp.Compare(a.at, b.at) })
	return out
}

// steadyEffects are the effects as far as states do not explain them: of several
// states, what each part is off its state's mean.
func (e evidence) steadyEffects() []effect {
	if e.within == nil {
		return e.effects
	}
	var out []effect
	for _, p := range e.partEffects() {
		p.x -= p.state.sample.mean
		out = append(out, p.effect)
	}
	return out
}

// stateModes shows the effect in each state. decided says whether each that the
// figures are of has a verdict of its own, or modes that have.
func (j judging) stateModes(e evidence) (modes *Modes, decided bool, wait string) {
	m, margin := e.metric, e.metric.margin(resolutionOf(j.design, e.metric.Name))
	used := e.used()
	modes, decided = &Modes{Kind: KindState, Covariate: stateCovariateName}, true
	var texts []string
	for i := range e.within {
		s := &e.within[i]
		if s.sample.n == 0 {
			texts = append(texts, fmt.Sprintf("%s (%s): seen too briefly to tell", s.Name, wholePercent(s.Share)))
			decided = decided && !s.short()
			continue
		}
		g := Mode{Label: s.Name, Share: s.Share, Canaries: s.Canaries, Change: m.shown(s.evidence.centre())}
		g.Lo, g.Hi = g.Change, g.Change
		for _, x := range s.effects {
			g.Trials = append(g.Trials, x.trial)
		}
		if slices.Contains(used, s) {
			lo, hi := s.evidence.interval()
			g.Lo, g.Hi, g.Verdict = m.shown(lo), m.shown(hi), Inconclusive
			if s.enough && s.unseen(j.design) == "" && s.depend.tooAlike(s.sample.n, fewestOf(j.design)) == "" {
				g.Verdict = judge(lo, hi, margin, m.Better)
			}
		}
		text := stateText(g, m.Difference)
		switch {
		case s.short():
			decided = false
			wait = first(wait, fmt.Sprintf("the state %s (%s of the time) was seen in %d trials, and a verdict needs %d", s.Name, wholePercent(s.Share), s.sample.n, fewestOf(j.design)))
			text += fmt.Sprintf(" in %d %s, too few to tell", s.sample.n, plural(s.sample.n, "trial"))
		case s.leftOut():
			text += fmt.Sprintf(" in %d %s, left out", s.sample.n, plural(s.sample.n, "trial"))
		case g.Verdict == Inconclusive:
			var sub *Modes
			if s.disagree() {
				sub = s.judging.effectModes(s.evidence)
			}
			decided = decided && mixture(sub)
			if sub != nil {
				text += "; there " + sub.Text
			}
		}
		modes.Groups, texts = append(modes.Groups, g), append(texts, text)
	}
	modes.Text = strings.Join(texts, "; ")
	return modes, decided, wait
}

// stateText is "near (77 %): +4.8 %".
func stateText(g Mode, difference bool) string {
	return fmt.Sprintf("%s (%s): %s", g.Label, wholePercent(g.Share), change(g.Change, difference))
}

// wholePercent is for shares of time.
func wholePercent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }

// stateCovariateName is what explains such modes.
const stateCovariateName = "state of the machine"

// KindState is the Kind of Modes that are states of the machine.
const KindState = "state"

// informStates adds to a comparison within states what no verdict hangs on.
func (j judging) informStates(c *Comparison, e evidence) {
	for _, p := range e.partEffects() {
		c.TrialEffects = append(c.TrialEffects, TrialEffect{Trial: p.trial, Change: e.metric.shown(p.x), SE: p.se, State: p.state.Name})
	}
	if d, ok := e.hullDetectable(); ok {
		d = e.metric.shown(d)
		c.SmallestDetectable = &d
	}
}

// byState says whether the figures are of states.
func (m *Modes) byState() bool { return m != nil && m.Kind == KindState }

// some says whether a mode has the verdict.
func (m *Modes) some(v Verdict) bool {
	return slices.ContainsFunc(m.Groups, func(g Mode) bool { return g.Verdict == v })
}

// heedStates adds what each state says, and takes a verdict back that a state
// forbids of which too little was seen.
func (j judging) heedStates(c *Comparison, e evidence) {
	modes, decided, wait := j.stateModes(e)
	c.Modes = modes
	if wait != "" { // what the other states say stands
		c.Verdict, c.Withheld = Inconclusive, wait
	}
	c.Mixture = c.Verdict == Inconclusive && c.Withheld == "" && decided
}
