package why

import (
	"math"
	"slices"

	"netab/results"
)

// A Modes says which mode an arm was in, slice by slice of explain trials, so that one
// mode is explained against another as an arm is against the baseline.
type Modes struct {
	Arm    int
	By     string   // as Explanation.Modes
	Labels []string // the one that others are held against first
	// In is the position of a slice's mode in Labels; -1 = it is in none, or nobody knows.
	In func(trial int, s *results.ExplainSlice) int
}

// What tells modes apart.
const (
	ByState  = "state"
	ByLevel  = "level"
	ByChange = "change"
)

// BetweenModes says what moved from the first mode to each other. They are no arms:
// nothing interleaves them, so that each difference is that of two means, as Welch has it.
func BetweenModes(run *results.Run, m Modes) (out []Explanation) {
	for i := 1; i < len(m.Labels); i++ {
		if c := m.between(run, i); c != nil {
			e := c.explain(run.Header.Design.Arms[m.Arm].Name)
			e.Modes = m.By
			out = append(out, e)
		}
	}
	return out
}

// FlamesOfModes are the flame graphs of such an explanation.
func FlamesOfModes(run *results.Run, m Modes, e *Explanation, most int) []Flame {
	i := slices.Index(m.Labels, e.Arm)
	if i < 1 {
		return nil
	}
	return m.between(run, i).flames(e, most)
}

// between is the contrast of the first mode and another; nil = no explain trial was in
// one of them.
func (m *Modes) between(run *results.Run, other int) *crossing {
	arm := run.Header.Design.Arms[m.Arm]
	c := &crossing{labels: [2]string{m.Labels[0], m.Labels[other]}, runs: [2]Run{{m.Labels[0], run}, {m.Labels[other], run}}, modes: m}
	for i, mode := range []int{0, other} {
		in := trialsIn(run, func(trial int, s *results.ExplainSlice) bool { return s.Arm == m.Arm && m.In(trial, s) == mode })
		c.sides[i] = newComparing(run, in, m.Arm, m.Arm, unitOf(arm, arm))
		if len(c.sides[i].trials) == 0 {
			return nil
		}
	}
	return c
}

// note says what a difference of two sides is not.
func (m *Modes) note() string {
	switch {
	case m == nil:
		return "These runs were not interleaved: whatever else changed between them is in each difference."
	case m.By == ByState:
		return "States are the machine's, and nobody drew them: whatever else comes with one is in each difference."
	}
	return "Explain trials were put into modes by their own rates, so that these differ by how they were chosen; what the modes spend their time on was not."
}

// tooFew says what is missing of them.
func (m *Modes) tooFew() string {
	if m == nil {
		return "it takes three explain trials of each run with the accounting."
	}
	return "it takes three explain trials in each mode, with the accounting; netab explain measures more of them."
}

// Rates are the rate of an arm in each explain trial, as logarithms of units in a ns and
// by the trial's index, what the accounting takes left out. Against is an arm whose own
// is subtracted, trial by trial; none = -1.
func Rates(run *results.Run, arm, against int) map[int]float64 {
	out := map[int]float64{}
	d := &run.Header.Design
	u, all := unitOf(d.Arms[arm], d.Arms[arm]), trialsOf(run)
	if against >= 0 {
		u = unitOf(d.Arms[arm], d.Arms[against])
	}
	of := func(t trial, arm int) (float64, bool) {
		a := t.of(arm)
		c := &comparing{unit: u}
		off := a.off.wall > 0 && a.off.units(u) > 0
		on := a.on.wall > 0 && a.on.units(u) > 0
		switch {
		case off:
			return c.rate(a.off), true
		case on:
			return c.rate(a.on) - costRate(all, arm, a.on.sampled, c), true
		}
		return 0, false
	}
	for _, t := range all {
		x, ok := of(t, arm)
		if ok && against >= 0 {
			var y float64
			y, ok = of(t, against)
			x -= y
		}
		if ok && !math.IsInf(x, 0) && !math.IsNaN(x) {
			out[t.index] = x
		}
	}
	return out
}

// costRate is what the accounting changes the rate of an arm by, as a logarithm, in the
// trials that have both and were sampled alike; where none of them were, in all.
func costRate(all []trial, arm int, sampled bool, c *comparing) float64 {
	var sum, n [2]float64 // of those that were sampled alike, and of all
	for _, t := range all {
		a := t.of(arm)
		if a.on.wall <= 0 || a.off.wall <= 0 || a.on.units(c.unit) <= 0 || a.off.units(c.unit) <= 0 {
			continue
		}
		x := c.rate(a.on) - c.rate(a.off)
		sum[1], n[1] = sum[1]+x, n[1]+1
		if a.on.sampled == sampled {
			sum[0], n[0] = sum[0]+x, n[0]+1
		}
	}
	for i := range n {
		if n[i] > 0 {
			return sum[i] / n[i]
		}
	}
	return 0
}
