package why

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

// A place is where a sample counts.
type place struct{ context, category, function string }

// A sampled arm is its samples in one trial, and for how long its role had the CPUs.
type sampled struct {
	n     map[place]float64
	all   float64
	every int64
}

// samplesOf are those of a trial, by arm.
func samplesOf(x *results.Samples) map[int]*sampled {
	out := map[int]*sampled{}
	if x == nil {
		return out
	}
	for i := range x.Stacks {
		s := &x.Stacks[i]
		stack := make([]string, len(s.Frames))
		for j, f := range s.Frames {
			stack[j] = x.Functions[f]
		}
		a := out[s.Arm]
		if a == nil {
			a = &sampled{n: map[place]float64{}, every: x.EveryNS}
			out[s.Arm] = a
		}
		p := place{context: contextOf(stack)}
		p.category, p.function = categorize(stack)
		a.n[p] += float64(s.N)
		a.all += float64(s.N)
	}
	return out
}

const (
	// leastCoverage of the time of a role that samples must have seen: below it they
	// are of a part that may not be like the rest.
	leastCoverage = 0.8
	// leastShare of a role's time that a function is shown of.
	leastShare = 0.004
)

// sample splits the parts of the role that was sampled into categories and functions:
// by the share of the samples of a context, of its exact time.
func (c *comparing) sample(e *Explanation) {
	var with []trial
	role := vocab.Owner("")
	for _, t := range c.trials {
		if t.samples != nil && t.samples[c.base] != nil && t.samples[c.arm] != nil && (role == "" || t.sampledRole == role) {
			with, role = append(with, t), t.sampledRole
		}
	}
	if len(with) == 0 {
		return
	}
	r := slices.Index(roles[:], role)
	if r < 0 {
		return
	}
	e.SampledRole = role
	if e.Coverage = c.coverage(with, r); e.Coverage != nil && *e.Coverage < leastCoverage {
		return
	}
	c.unmapped(e, with)
	s := &splitting{comparing: c, trials: with, role: r, exact: map[string]Part{}}
	for _, p := range e.Parts {
		if p.Role == role && p.Category == "" {
			s.exact[p.Context] = p
			s.total += max(p.From, p.To)
		}
	}
	e.Parts = append(e.Parts, s.parts(func(p place) place { return place{p.context, p.category, ""} })...)
	e.Parts = append(e.Parts, s.parts(func(p place) place { return place{"", p.category, ""} })...)
	e.Parts = append(e.Parts, s.parts(func(p place) place { return p })...)
}

// coverage is how many samples there were of a role, of those that its time should have
// had; nil where cycles were counted, of which nobody knows how many there should be.
func (c *comparing) coverage(with []trial, role int) *float64 {
	var have, due float64
	for _, t := range with {
		for _, arm := range []int{c.base, c.arm} {
			a := t.samples[arm]
			if a.every <= 0 {
				return nil
			}
			have += a.all
			due += t.of(arm).on.roleNS(role) / float64(a.every)
		}
	}
	if due <= 0 {
		return nil
	}
	share := have / due
	return &share
}

// unmapped is the share of the samples in functions that no rule knows.
func (c *comparing) unmapped(e *Explanation, with []trial) {
	var of, all float64
	for _, t := range with {
		for _, arm := range []int{c.base, c.arm} {
			for p, n := range t.samples[arm].n {
				all += n
				if p.category == unmapped {
					of += n
				}
			}
		}
	}
	if all > 0 {
		share := of / all
		e.Unmapped = &share
	}
}

// A splitting of a role's exact time by samples.
type splitting struct {
	*comparing
	trials []trial
	role   int
	exact  map[string]Part // by context
	total  float64
}

// parts are by places, made coarser by a function.
func (s *splitting) parts(coarse func(place) place) []Part {
	found := map[place]bool{}
	for _, t := range s.trials {
		for _, arm := range []int{s.base, s.arm} {
			for p := range s.without(t.samples[arm]) {
				found[coarse(p)] = true
			}
		}
	}
	var out []Part
	var ps []float64
	for _, at := range slices.SortedFunc(maps.Keys(found), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.context, b.context), cmp.Compare(a.category, b.category), cmp.Compare(a.function, b.function))
	}) {
		p, pValue := s.part(coarse, at)
		if max(p.From, p.To) < leastShare*s.total && math.Abs(p.Delta) < leastShare*s.total {
			continue
		}
		out, ps = append(out, p), append(ps, pValue)
	}
	for i, q := range stat.Discovery(ps) {
		out[i].Significant = q <= falseShare && s.base != s.arm
	}
	slices.SortStableFunc(out, func(a, b Part) int { return cmp.Compare(math.Abs(b.Delta), math.Abs(a.Delta)) })
	return out
}

// without are the samples of an arm but for those of what measures, where its time is
// known by itself and is in no context.
func (s *splitting) without(a *sampled) map[place]float64 {
	if s.cost <= 0 {
		return a.n
	}
	out := maps.Clone(a.n)
	maps.DeleteFunc(out, func(p place, _ float64) bool { return p.category == ofBPF })
	return out
}

// part is one of them: its share of the samples of each context, of the context's exact
// time; its interval is over the trials that have samples.
func (s *splitting) part(coarse func(place) place, at place) (Part, float64) {
	p := Part{Role: roles[s.role], Context: at.context, Category: at.category, Function: at.function}
	var shares [2]map[string]float64
	var ds []float64
	var n, of [2]map[string]float64
	for side := range 2 {
		shares[side], n[side], of[side] = map[string]float64{}, map[string]float64{}, map[string]float64{}
	}
	for _, t := range s.trials {
		var perUnit [2]float64
		for side, arm := range []int{s.base, s.arm} {
			a, on := t.samples[arm], t.of(arm).on
			own, whole := map[string]float64{}, map[string]float64{}
			for q, k := range s.without(a) {
				whole[q.context] += k
				if coarse(q) == at {
					own[q.context] += k
					n[side][q.context] += k
				}
			}
			for context, k := range whole {
				of[side][context] += k
				if k > 0 {
					perUnit[side] += own[context] / k * s.contextNS(on, s.role, context) / on.units(s.unit)
				}
			}
		}
		ds = append(ds, perUnit[1]-perUnit[0])
	}
	for side := range 2 {
		for context, k := range of[side] {
			exact := s.exact[context].From
			if side == 1 {
				exact = s.exact[context].To
			}
			if k > 0 {
				shares[side][context] = n[side][context] / k * exact
			}
		}
	}
	for _, x := range shares[0] {
		p.From += x
	}
	for _, x := range shares[1] {
		p.To += x
	}
	p.Delta = p.To - p.From
	mean, lo, hi, pValue := s.interval(ds)
	p.Lo, p.Hi = p.Delta+lo-mean, p.Delta+hi-mean
	return p, pValue
}
