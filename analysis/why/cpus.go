package why

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

	"netab/analysis/stat"
	"netab/results/vocab"
)

// A CPUPart is what somebody had of a CPU, per unit of what the arm did.
type CPUPart struct {
	CPU int
	Part
}

// mostCPUs of a picture; those that had most to do.
const mostCPUs = 64

// An owned is one row of the accounting.
type owned struct {
	cpu     int
	owner   vocab.Owner
	context string
}

// had is what each owner had of each CPU in a trial, per unit, its idling left out. What
// the accounting costs is in it: it is known of roles, and not of CPUs.
func (s side) had(t trial) map[owned]float64 {
	out := map[owned]float64{}
	on := t.of(s.arm).on
	units := on.units(s.of.unit)
	if units <= 0 {
		return out
	}
	for _, c := range t.cpus[s.arm] {
		if c.CountedNS <= 0 {
			continue
		}
		// A slice that was not good is in the CPUs' time and not in the units.
		scale := on.wall / float64(c.CountedNS) / units
		for owner, contexts := range c.NS {
			for context, ns := range contexts {
				if k := (owned{c.CPU, owner, context}); !k.idles() {
					out[k] += float64(ns) * scale
				}
			}
		}
	}
	return out
}

func (o owned) idles() bool { return o.owner == vocab.IdleTime && o.context == task }

// addCPUs adds the flame graph by CPU of two sides, if whose the CPUs were is known of
// them. Roles that were sampled well have functions in it.
func (c *comparing) addCPUs(out []Flame, e *Explanation, most int, sides [2]side, paired bool) []Flame {
	for i := range sides {
		sides[i].trials = slices.DeleteFunc(slices.Clone(sides[i].trials), func(t trial) bool {
			for _, s := range sides {
				if (paired || s.arm == sides[i].arm) && len(t.cpus[s.arm]) == 0 {
					return true
				}
			}
			return false
		})
		if len(sides[i].trials) == 0 {
			return out
		}
	}
	b := &byCPU{contrast: contrast{sides: sides, paired: paired}}
	b.account()
	f := Flame{Baseline: e.Baseline, Arm: e.Arm, Unit: c.unit.name, ByCPU: true}
	f.Roots = b.frames()
	if len(f.Roots) == 0 {
		return out
	}
	f.CPUs = b.parts()
	f.prune(most)
	slices.SortFunc(f.Roots, func(a, b Frame) int { return cmp.Compare(a.order, b.order) })
	return append(out, f)
}

// A byCPU is the accounting of two sides, by CPU.
type byCPU struct {
	contrast
	each [2][]map[owned]float64 // by trial
	all  [2]map[owned]float64   // of all trials together
}

func (b *byCPU) account() {
	for i, s := range b.sides {
		b.all[i] = map[owned]float64{}
		total := 0.0
		for _, t := range s.trials {
			had, units := s.had(t), t.of(s.arm).on.units(s.of.unit)
			b.each[i] = append(b.each[i], had)
			for k, x := range had {
				b.all[i][k] += x * units
			}
			total += units
		}
		for k := range b.all[i] {
			b.all[i][k] /= total
		}
	}
}

// keys are the rows of both sides, those of the busiest CPUs, CPU by CPU.
func (b *byCPU) keys() []owned {
	busy, found := map[int]float64{}, map[owned]bool{}
	for i := range b.all {
		for k, x := range b.all[i] {
			busy[k.cpu] += x
			found[k] = true
		}
	}
	cpus := slices.SortedFunc(maps.Keys(busy), func(a, b int) int { return cmp.Or(cmp.Compare(busy[b], busy[a]), cmp.Compare(a, b)) })
	cpus = cpus[:min(len(cpus), mostCPUs)]
	maps.DeleteFunc(found, func(k owned, _ bool) bool { return !slices.Contains(cpus, k.cpu) })
	return slices.SortedFunc(maps.Keys(found), func(a, b owned) int {
		return cmp.Or(cmp.Compare(a.cpu, b.cpu), cmp.Compare(rankOf(a.owner), rankOf(b.owner)), cmp.Compare(a.owner, b.owner), cmp.Compare(a.context, b.context))
	})
}

// rankOf puts the roles first.
func rankOf(o vocab.Owner) int {
	if i := slices.Index(roles[:], o); i >= 0 {
		return i
	}
	return len(roles)
}

// whole is a frame of some rows, and the p of its difference.
func (b *byCPU) whole(name string, of []owned) (Frame, float64) {
	var all [2]float64
	var each [2][]float64
	for i := range b.sides {
		for _, k := range of {
			all[i] += b.all[i][k]
		}
		for _, had := range b.each[i] {
			x := 0.0
			for _, k := range of {
				x += had[k]
			}
			each[i] = append(each[i], x)
		}
	}
	f := Frame{Name: name, From: all[0], To: all[1]}
	delta := f.To - f.From
	mean, lo, hi, p := b.differ(each)
	f.Lo, f.Hi, f.Sure = delta+lo-mean, delta+hi-mean, p < b.sides[1].of.alpha
	return f, p
}

// frames are the CPUs, whose they were, in which context, and by which calls.
func (b *byCPU) frames() (out []Frame) {
	sampled := [2]*contrast{b.sampled(0), b.sampled(1)}
	for cpu := range chunks(b.keys(), func(x, y owned) bool { return x.cpu == y.cpu }) {
		f, _ := b.whole(fmt.Sprintf("CPU %d", cpu[0].cpu), cpu)
		f.order = cpu[0].cpu
		for owner := range chunks(cpu, func(x, y owned) bool { return x.owner == y.owner }) {
			of, _ := b.whole(string(owner[0].owner), owner)
			for _, k := range owner {
				in, _ := b.whole(Place(k.context), []owned{k})
				if r := slices.Index(roles[:], k.owner); r >= 0 && sampled[r] != nil {
					in.Calls = b.calls(sampled[r], k)
				}
				of.Calls = append(of.Calls, in)
			}
			sortFrames(of.Calls)
			f.Calls = append(f.Calls, of)
		}
		sortFrames(f.Calls)
		out = append(out, f)
	}
	return out
}

// chunks are the stretches of neighbours that are alike.
func chunks(all []owned, alike func(x, y owned) bool) iter.Seq[[]owned] {
	return func(yield func([]owned) bool) {
		for from, i := 0, 1; i <= len(all); i++ {
			if i < len(all) && alike(all[from], all[i]) {
				continue
			}
			if !yield(all[from:i]) {
				return
			}
			from = i
		}
	}
}

// sampled is the contrast of a role that was sampled well on both sides, and of which it
// is told on which CPU; nil = it was not.
func (b *byCPU) sampled(role int) *contrast {
	c := contrast{role: role, paired: b.paired, sides: b.sides}
	for i, s := range b.sides {
		c.sides[i].trials = slices.DeleteFunc(s.of.covered(role), func(t trial) bool {
			return len(t.cpus[s.arm]) == 0 || t.samples[s.arm] == nil || slices.ContainsFunc(t.samples[s.arm].calls, func(x calls) bool { return x.cpu == noCPU })
		})
	}
	if c.paired { // the same trials
		c.sides[0].trials = slices.DeleteFunc(c.sides[0].trials, func(t trial) bool {
			return !slices.ContainsFunc(c.sides[1].trials, func(o trial) bool { return o.index == t.index })
		})
		c.sides[1].trials = slices.Clone(c.sides[0].trials)
	}
	if len(c.sides[0].trials) == 0 || len(c.sides[1].trials) == 0 {
		return nil
	}
	return &c
}

// calls are the functions of a role's context on a CPU.
func (b *byCPU) calls(c *contrast, k owned) (out []Frame) {
	root := c.grow(func(x calls, _ side) bool { return x.cpu != k.cpu || x.context != k.context })
	n := root.children[k.context]
	if n == nil {
		return nil
	}
	at := func(s side) int {
		if s.arm == b.sides[0].arm && s.of == b.sides[0].of {
			return 0
		}
		return 1
	}
	by := c.scale(n, func(s side) float64 { return b.all[at(s)][k] }, func(s side, t trial) float64 { return s.had(t)[k] })
	return c.frame(n, by).Calls
}

// parts are the rows without functions.
func (b *byCPU) parts() (out []CPUPart) {
	var ps []float64
	for _, k := range b.keys() {
		f, p := b.whole("", []owned{k})
		part := Part{Role: k.owner, Context: k.context, From: f.From, To: f.To, Delta: f.To - f.From, Lo: f.Lo, Hi: f.Hi}
		out, ps = append(out, CPUPart{k.cpu, part}), append(ps, p)
	}
	for i, q := range stat.Discovery(ps) {
		out[i].Significant = q <= falseShare
	}
	return out
}
