package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/stat"

	"netab/analysis/prose"
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
// the hull of the states' intervals (stat.Hull).

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
		in.states, in.rec = nil, j.states.part(j.rec, k, !parts)
		e := in.weigh(m, base, arm, true)
		if e.metric.per != m.per || e.withheld != "" && e.sample.N > 0 {
			return nil // on another scale, or too few transactions
		}
		seen += e.sample.N
		out = append(out, stateEvidence{State: state, judging: in, evidence: e, enough: e.sample.N >= fewest})
	}
	if !parts && 2*seen < len(j.rec.Valid()) {
		return nil // most trials were in several states
	}
	if !slices.ContainsFunc(out, func(s stateEvidence) bool { return !s.leftOut() && s.sample.N >= 2 }) {
		return nil
	}
	return out
}

// used are the states that the figures are of.
func (e evidence) used() []*stateEvidence {
	var out []*stateEvidence
	for i := range e.within {
		if s := &e.within[i]; !s.leftOut() && s.sample.N >= 2 {
			out = append(out, s)
		}
	}
	return out
}

// hull is of the states that the figures are of.
func (e evidence) hull() stat.Hull {
	var parts []stat.Part
	for _, s := range e.used() {
		parts = append(parts, stat.Part{Method: s.method, Share: s.Share})
	}
	return stat.NewHull(parts)
}

// counts are how many trials the figures are of, the fewest degrees of freedom of
// any state, and the spread of trials within the state where they disagree most.
func (e evidence) counts() (n int, df float64, worst *stat.Spread) {
	at := map[int]bool{}
	df = math.Inf(1)
	used := e.used()
	for _, s := range used {
		for _, x := range s.effects {
			at[x.at] = true
		}
		df = min(df, s.sample.DF())
		if s.spread != nil && (worst == nil || s.spread.P < worst.P) {
			of := *s.spread
			worst = &of
		}
	}
	if worst != nil {
		worst.P = min(1, worst.P*float64(len(used)))
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
		p.x -= p.state.sample.Mean
		out = append(out, p.effect)
	}
	return out
}

// stateModes shows the effect in each state. decided says whether each that the
// figures are of has a verdict of its own, or modes that have.
func (j judging) stateModes(e evidence) (modes *Modes, decided bool, wait string) {
	m, margin := e.metric, e.metric.margin(resolutionOf(j.design, e.metric.Name))
	used := e.used()
	for i, alpha := range e.hull().Shares(e.alpha) {
		used[i].alpha = alpha
	}
	modes, decided = &Modes{Kind: KindState, Covariate: stateCovariateName}, true
	var texts []string
	for i := range e.within {
		s := &e.within[i]
		if s.sample.N == 0 {
			texts = append(texts, fmt.Sprintf("%s (%s): seen too briefly to tell", s.Name, prose.WholePercent(s.Share)))
			decided = decided && !s.short()
			continue
		}
		g := Mode{Label: s.Name, Share: s.Share, Canaries: s.Canaries, Change: m.shown(s.evidence.centre())}
		g.Lo, g.Hi = g.Change, g.Change
		for _, x := range s.effects {
			g.Trials = append(g.Trials, x.trial)
		}
		if slices.Contains(used, s) {
			lo, hi := s.evidence.interval().Ends()
			g.Lo, g.Hi, g.Verdict = m.shown(lo), m.shown(hi), Inconclusive
			if s.enough && s.unseen(j.design) == "" && (s.obvious(margin) || s.depend.tooAlike(s.sample.N, fewestOf(j.design)) == "") {
				g.Verdict = judge(lo, hi, margin, m.Better)
			}
		}
		text := stateText(g, m.Difference)
		switch {
		case s.short():
			decided = false
			wait = first(wait, fmt.Sprintf("the state %s (%s of the time) was seen in %d trials, and a verdict needs %d", s.Name, prose.WholePercent(s.Share), s.sample.N, fewestOf(j.design)))
			text += fmt.Sprintf(" in %d %s, too few to tell", s.sample.N, prose.Plural(s.sample.N, "trial"))
		case s.leftOut():
			text += fmt.Sprintf(" in %d %s, left out", s.sample.N, prose.Plural(s.sample.N, "trial"))
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
	return fmt.Sprintf("%s (%s): %s", g.Label, prose.WholePercent(g.Share), prose.Change(g.Change, difference))
}

// stateCovariateName is what explains such modes.
const stateCovariateName = "state of the machine"

// KindState is the Kind of Modes that are states of the machine.
const KindState = "state"

// informStates adds to a comparison within states what no verdict hangs on.
func (j judging) informStates(c *Comparison, e evidence) {
	for _, p := range e.partEffects() {
		c.TrialEffects = append(c.TrialEffects, TrialEffect{Trial: p.trial, Change: e.metric.shown(p.x), SE: p.SE, State: p.state.Name})
	}
	if d, ok := e.smallestDetectable(); ok {
		d = e.metric.shown(d)
		c.SmallestDetectable = &d
	}
}

// ByState says whether the figures are of states.
func (m *Modes) ByState() bool { return m != nil && m.Kind == KindState }

// Some says whether a mode has the verdict.
func (m *Modes) Some(v Verdict) bool {
	return slices.ContainsFunc(m.Groups, func(g Mode) bool { return g.Verdict == v })
}

// heedStates adds what each state says, and takes a verdict back that a state
// forbids of which too little was seen.
func (j judging) heedStates(c *Comparison, e evidence) {
	modes, decided, wait := j.stateModes(e)
	c.Modes = modes
	if wait != "" && !(c.Verdict != Inconclusive && e.obvious(e.metric.margin(c.Resolution))) { // what the other states say stands
		c.Verdict, c.Withheld = Inconclusive, wait
	}
	c.Mixture = c.Verdict == Inconclusive && c.Withheld == "" && decided
}
