package analysis

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netab/analysis/confounder"
	"netab/analysis/prose"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var codeStatesDiffer = vocab.Warns("states-differ")

// Runs are compared within the states of the machine that both sides were in: the
// levels of different states differ by what the machine did. The canaries of all
// runs together tell the states, so that a run that saw one state only finds its
// like in another. Sides that have no state in common are not comparable.

// A meeting is what states the sides of a comparison were in. The zero value is of
// a machine that had one, or of runs of which not all tell.
type meeting struct {
	states  *states
	at      map[int]int      // by side and run (key): position of the run's first trial
	shared  map[string][]int // by side: the states that it and the first side were in for long enough
	apart   []Confounder
	told    []results.Warning
	lacking map[string]string // by side: why no state that both were in can be judged
	parts   map[partKey]RunGroup
}

// A partKey names a side's part in a state, of whole trials or of blocks.
type partKey struct {
	side, state int
	whole       bool
}

func runKey(side, run int) int { return side<<20 | run }

// meet tells the states of all runs together.
func (c *comparing) meet() {
	var all []results.Trial
	m := meeting{at: map[int]int{}, shared: map[string][]int{}, lacking: map[string]string{}, parts: map[partKey]RunGroup{}}
	machine := c.groups[0].Runs[0].Header.Machine.Identity()
	for i, g := range c.groups {
		for k, r := range g.Runs {
			if _, tells := canaryValues(r.Trials); !tells || i+k > 0 && !machine.Same(r.Header.Machine.Identity()) {
				return
			}
			m.at[runKey(i, k)] = len(all)
			all = append(all, r.Trials...)
		}
	}
	m.states = statesOf(all)
	if !m.states.several() {
		return
	}
	c.meeting = m
	for i := range c.groups[1:] {
		c.meetSide(i + 1)
	}
}

func (c *comparing) meetSide(side int) {
	base, g := c.groups[0], c.groups[side]
	was, is := c.shares(0), c.shares(side)
	common := false
	var in []int
	var names []string
	for k, state := range c.states.list {
		common = common || was[k] >= stateShare && is[k] >= stateShare
		a, b := c.part(0, k, false), c.part(side, k, false)
		if a.trials() < stat.FewestOfTwo(c.first) || b.trials() < stat.FewestOfTwo(c.first) || unitOf(a, b) != unitOf(base, g) {
			continue
		}
		if stat.Attainable(len(a.boots()), len(b.boots())) > c.first && stat.Attainable(len(base.boots()), len(g.boots())) <= c.first {
			continue // boots that would do are too few in this state
		}
		in, names = append(in, k), append(names, state.Name)
	}
	c.shared[g.Label] = in
	text := fmt.Sprintf("%s was in the states %s, %s in %s", base.Label, c.states.told(was), g.Label, c.states.told(is))
	switch {
	case len(in) > 0:
		c.told = append(c.told, results.Warning{Code: codeStatesDiffer, Text: fmt.Sprintf("the machine had several states: %s; the runs are compared within %s", text, strings.Join(names, " and within "))})
	case common:
		c.lacking[g.Label] = "too little was measured in any state of the machine that both were in, so no verdict is given: " + text
	default:
		c.apart = append(c.apart, confounder.Blocks("state of the machine", c.states.told(was), c.states.told(is), c.options.Declared)...)
	}
}

// shares are how much of a side's time each state took, of what is known.
func (c *comparing) shares(side int) []float64 {
	out := make([]float64, len(c.states.list))
	all := 0.0
	for k, r := range c.groups[side].Runs {
		from := c.at[runKey(side, k)]
		for _, blocks := range c.states.blocks[from : from+len(r.Trials)] {
			for _, state := range blocks {
				all++
				if state != mixedState {
					out[state]++
				}
			}
		}
	}
	for k := range out {
		out[k] /= max(1, all)
	}
	return out
}

// told lists states with their shares: "near (77 %, CPUs 75 ns apart)".
func (s *states) told(shares []float64) string {
	var parts []string
	for k, state := range s.list {
		if shares[k] >= stateShare {
			parts = append(parts, state.told(shares[k]))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none for long")
}

func (s State) told(share float64) string {
	text := fmt.Sprintf("%s (%s", s.Name, prose.WholePercent(share))
	if d := s.Canaries[canaryDistance]; d > 0 {
		text += ", CPUs " + apartText(d)
	}
	return text + ")"
}

// part is a side as it was in one state; runs that were not in it are left out.
func (c *comparing) part(side, state int, whole bool) RunGroup {
	key := partKey{side, state, whole}
	if part, made := c.parts[key]; made {
		return part
	}
	out := RunGroup{Label: c.groups[side].Label}
	for k, r := range c.groups[side].Runs {
		from := c.at[runKey(side, k)]
		of := states{list: c.states.list, blocks: c.states.blocks[from : from+len(r.Trials)]}
		in := *r
		in.Trials = of.runPart(r.Trials, state, whole)
		if countValid(in.Trials) > 0 {
			out.Runs = append(out.Runs, &in)
		}
	}
	c.parts[key] = out
	return out
}

func (g RunGroup) trials() int {
	n := 0
	for _, r := range g.Runs {
		n += countValid(r.Trials)
	}
	return n
}

// crossWithin is cross within each state that the sides share.
func (c comparing) crossWithin(g RunGroup, m Metric, arm string, of reading) crossing {
	side := slices.IndexFunc(c.groups, func(x RunGroup) bool { return x.Label == g.Label })
	x := c.cross(g, m, arm, of)
	_, ofBlocks := m.estimator.(ratio)
	for _, k := range c.shared[g.Label] {
		in := comparing{groups: []RunGroup{c.part(0, k, !ofBlocks)}, options: c.options, first: c.first, records: c.records}
		b := c.part(side, k, !ofBlocks)
		if len(in.groups[0].Runs) == 0 || len(b.Runs) == 0 {
			continue
		}
		if w := in.cross(b, m, arm, of); w.contrast.OK {
			w.state = c.states.list[k]
			w.state.Share = (c.shares(0)[k] + c.shares(side)[k]) / 2
			x.within = append(x.within, w)
		}
	}
	return x
}

// p is of the difference, or of that within every state.
func (x crossing) p() float64 {
	var p float64
	if len(x.within) == 0 {
		p, _ = x.contrast.P(0)
	} else {
		p, _ = x.hull().P(0)
	}
	return p
}

// hull is of the states' contrasts.
func (x crossing) hull() stat.Hull {
	var parts []stat.Part
	for _, w := range x.within {
		parts = append(parts, stat.Part{Method: w.contrast, Share: w.state.Share})
	}
	return stat.NewHull(parts)
}

// concludeWithin is conclude for the hull of the states' intervals, as within a
// run.
func (x crossing) concludeWithin() Comparison {
	c, m, hull := x.Comparison, x.metric, x.hull()
	margin := m.margin(c.Resolution)
	c.Modes, c.Mixture = &Modes{Kind: KindState, Covariate: stateCovariateName}, true
	var texts []string
	for i, alpha := range hull.Shares(c.Alpha) {
		w := x.within[i]
		lo, hi := w.contrast.Interval(alpha).Ends()
		g := Mode{Label: w.state.Name, Share: w.state.Share, Change: m.shown(w.contrast.Mean), Lo: m.shown(lo), Hi: m.shown(hi),
			Verdict: judge(lo, hi, margin, m.Better), Trials: []int{}, Canaries: w.state.Canaries}
		c.Modes.Groups, texts = append(c.Modes.Groups, g), append(texts, stateText(g, m.Difference))
		c.Mixture = c.Mixture && g.Verdict != Inconclusive
		if i == 0 || w.N < c.N {
			c.N, c.NBaseline, c.DF, c.Units, c.PPermutation, c.PSign, c.Paired = w.N, w.NBaseline, w.DF, w.Units, w.PPermutation, w.PSign, w.Paired
			c.Calibrated, c.KnownSD = w.Calibrated, w.KnownSD
		}
	}
	c.Modes.Text = strings.Join(texts, "; ")
	lo, hi := hull.Interval(c.Alpha).Ends()
	c.Change, c.Lo, c.Hi = m.shown(hull.Centre()), m.shown(lo), m.shown(hi)
	c.Verdict = judge(lo, hi, margin, m.Better)
	for _, w := range x.within {
		if c.Verdict == Equivalent && w.unseen != "" {
			c.withhold(fmt.Sprintf("in the state %s %s", w.state.Name, w.unseen))
		}
	}
	c.Mixture = c.Mixture && c.Verdict == Inconclusive && c.Withheld == ""
	p := x.p()
	c.P = &p
	if d, ok := hull.SmallestDetectable(c.Alpha); ok && d > 0 {
		d = m.shown(d)
		c.SmallestDetectable = &d
	}
	c.heed(x.failures, x.headline)
	return c
}

// inShared is a side as its levels are to be shown: in the one state that two
// sides are compared in, where there is one.
func (c comparing) inShared(g RunGroup) RunGroup {
	if len(c.groups) != 2 || len(c.shared[c.groups[1].Label]) != 1 {
		return g
	}
	side := slices.IndexFunc(c.groups, func(x RunGroup) bool { return x.Label == g.Label })
	return c.part(side, c.shared[c.groups[1].Label][0], false)
}
