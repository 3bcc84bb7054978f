package why

import (
	"cmp"
	"slices"
	"strings"

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
	calls []calls
}

// A calls is a stack from the context inwards, and how often it was seen.
type calls struct {
	context  string
	path     []string // the outermost function first
	category string
	cpu      int // noCPU = not told
	n        float64
}

const noCPU = -1

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
			// What compilers make of a function (.isra.0, .constprop.0) has another name in the
			// next kernel.
			name, _, _ := strings.Cut(x.Functions[f], ".")
			stack[j] = cmp.Or(name, x.Functions[f])
		}
		a := out[s.Arm]
		if a == nil {
			a = &sampled{n: map[place]float64{}, every: x.EveryNS}
			out[s.Arm] = a
		}
		context, within := whereIn(stack)
		p := place{context: context}
		p.category, p.function = categorize(stack)
		path := slices.Clone(stack[:within])
		slices.Reverse(path)
		if len(path) == 0 {
			path = []string{userSpace}
		}
		cpu := noCPU
		switch {
		case s.CPU != nil:
			cpu = *s.CPU
		case len(x.CPUs) == 1:
			cpu = x.CPUs[0]
		}
		a.calls = append(a.calls, calls{context, path, p.category, cpu, float64(s.N)})
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

// sample splits the parts of the roles that were sampled into categories and functions:
// by the share of the samples of a context, of its exact time. The limit was sampled
// first and most often, the other role where there were trials enough.
func (c *comparing) sample(e *Explanation) {
	for _, t := range c.trials {
		switch {
		case t.samples == nil || len(c.sampledOf(t.sampledRole)) == 0:
		case e.SampledRole == "":
			e.SampledRole = t.sampledRole
			e.Coverage, e.Unmapped = c.sampleRole(e, t.sampledRole)
		case e.SampledRole != t.sampledRole && e.Other == nil:
			e.Other = &OtherSampled{Role: t.sampledRole}
			e.Other.Coverage, e.Other.Unmapped = c.sampleRole(e, t.sampledRole)
		}
	}
}

// sampleRole adds the parts of one role, if its samples cover enough of its time.
func (c *comparing) sampleRole(e *Explanation, role vocab.Owner) (coverage, unknown *float64) {
	r, with := slices.Index(roles[:], role), c.sampledOf(role)
	if r < 0 {
		return nil, nil
	}
	if coverage = c.coverage(with, r); coverage != nil && *coverage < leastCoverage {
		return coverage, nil
	}
	(&contrast{role: r, sides: [2]side{{c, c.base, with}, {c, c.arm, with}}, paired: true}).split(e)
	return coverage, c.unmapped(with)
}

// sampledOf are the trials in which a role was sampled, in both arms.
func (c *comparing) sampledOf(role vocab.Owner) (with []trial) {
	for _, t := range c.trials {
		if t.samples != nil && t.sampledRole == role && t.samples[c.base] != nil && t.samples[c.arm] != nil {
			with = append(with, t)
		}
	}
	return with
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
func (c *comparing) unmapped(with []trial) *float64 {
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
	if all <= 0 {
		return nil
	}
	share := of / all
	return &share
}
