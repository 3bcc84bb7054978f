package why

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"netab/analysis/stat"
)

// A side is an arm in the sampled trials that tell of it.
type side struct {
	of     *comparing
	arm    int
	trials []trial
}

// perUnit is what a role had of a context in a trial, per unit.
func (s side) perUnit(t trial, role int, context string) float64 {
	on := t.of(s.arm).on
	return s.of.contextNS(on, role, context) / on.units(s.of.unit)
}

// exact is that of all trials with the accounting, those without samples too.
func (s side) exact(role int, context string) float64 {
	var ns, units float64
	for _, t := range s.of.trials {
		on := t.of(s.arm).on
		ns, units = ns+s.of.contextNS(on, role, context), units+on.units(s.of.unit)
	}
	if units <= 0 {
		return 0
	}
	return ns / units
}

// without are the samples of a trial but for those of what measures, where its time is
// known by itself and is in no context.
func (s side) without(t trial) map[place]float64 {
	n := t.samples[s.arm].n
	if s.of.cost[costs{s.arm, true}] <= 0 {
		return n
	}
	out := maps.Clone(n)
	maps.DeleteFunc(out, func(p place, _ float64) bool { return p.category == ofBPF })
	return out
}

// A contrast is two sides of a role.
type contrast struct {
	role   int
	sides  [2]side
	paired bool // the sides' trials are the same ones
}

// differ is the difference of the sides: of each trial's where they are paired.
func (c *contrast) differ(xs [2][]float64) (mean, lo, hi, p float64) {
	if !c.paired {
		return apart(xs, c.sides[1].of.alpha)
	}
	ds := make([]float64, len(xs[0]))
	for i := range ds {
		ds[i] = xs[1][i] - xs[0][i]
	}
	return c.sides[1].of.interval(ds)
}

// apart is the difference of the means of two samples that nothing pairs, as Welch has
// it; of fewer than fewestTrials on a side there is no interval, and p is 1.
func apart(xs [2][]float64, alpha float64) (mean, lo, hi, p float64) {
	a, b := stat.NewSample(xs[0]), stat.NewSample(xs[1])
	w := stat.Welch(a, b)
	if a.N < fewestTrials || b.N < fewestTrials || !w.OK {
		return w.Mean, w.Mean, w.Mean, 1
	}
	in := w.Interval(alpha)
	p, _ = w.P(0)
	return w.Mean, in.Lo, in.Hi, p
}

// same says whether both sides are one arm of one run, which differs from itself by
// nothing.
func (c *contrast) same() bool { return c.paired && c.sides[0].arm == c.sides[1].arm }

// parts are the exact time of contexts split by samples, by places that a function makes
// coarser: the largest difference first.
func (c *contrast) parts(coarse func(place) place) []Part {
	found, contexts := map[place]bool{}, map[string]bool{}
	for _, s := range c.sides {
		for _, t := range s.trials {
			for p := range s.without(t) {
				found[coarse(p)], contexts[p.context] = true, true
			}
		}
	}
	var all [2]float64
	for i, s := range c.sides {
		for context := range contexts {
			all[i] += s.exact(c.role, context)
		}
	}
	total := max(all[0], all[1])
	var out []Part
	var ps []float64
	for _, at := range slices.SortedFunc(maps.Keys(found), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.context, b.context), cmp.Compare(a.category, b.category), cmp.Compare(a.function, b.function))
	}) {
		p, pValue := c.part(coarse, at)
		if max(p.From, p.To) < leastShare*total && math.Abs(p.Delta) < leastShare*total {
			continue
		}
		out, ps = append(out, p), append(ps, pValue)
	}
	for i, q := range stat.Discovery(ps) {
		out[i].Significant = q <= falseShare && !c.same()
	}
	slices.SortStableFunc(out, func(a, b Part) int { return cmp.Compare(math.Abs(b.Delta), math.Abs(a.Delta)) })
	return out
}

// part is one of them: its share of the samples of each context, of the context's exact
// time; its interval is over the trials that have samples.
func (c *contrast) part(coarse func(place) place, at place) (Part, float64) {
	p := Part{Role: roles[c.role], Context: at.context, Category: at.category, Function: at.function}
	var xs [2][]float64
	var exact [2]float64
	for i, s := range c.sides {
		n, of := map[string]float64{}, map[string]float64{}
		for _, t := range s.trials {
			own, whole, perUnit := map[string]float64{}, map[string]float64{}, 0.0
			for q, k := range s.without(t) {
				whole[q.context] += k
				if coarse(q) == at {
					own[q.context] += k
				}
			}
			for _, context := range slices.Sorted(maps.Keys(whole)) {
				k := whole[context]
				n[context], of[context] = n[context]+own[context], of[context]+k
				if k > 0 {
					perUnit += own[context] / k * s.perUnit(t, c.role, context)
				}
			}
			xs[i] = append(xs[i], perUnit)
		}
		for _, context := range slices.Sorted(maps.Keys(of)) {
			if of[context] > 0 && n[context] > 0 {
				exact[i] += n[context] / of[context] * s.exact(c.role, context)
			}
		}
	}
	p.From, p.To = exact[0], exact[1]
	p.Delta = p.To - p.From
	mean, lo, hi, pValue := c.differ(xs)
	p.Lo, p.Hi = p.Delta+lo-mean, p.Delta+hi-mean
	return p, pValue
}

// split adds the parts of the role by category and function.
func (c *contrast) split(e *Explanation) {
	e.Parts = append(e.Parts, c.parts(func(p place) place { return place{p.context, p.category, ""} })...)
	e.Parts = append(e.Parts, c.parts(func(p place) place { return place{"", p.category, ""} })...)
	e.Parts = append(e.Parts, c.parts(func(p place) place { return p })...)
}
