package why

import (
	"cmp"
	"math"
	"slices"

	"netab/results"
	"netab/results/vocab"
)

// A Flame is what a role's time per unit is made of in two arms, by who called whom: the
// numbers of a differential flame graph.
type Flame struct {
	Baseline, Arm string
	Role          vocab.Owner
	Unit          string
	// Roots are the contexts, the largest first.
	Roots []Frame
	// Exact: nothing of it was measured, so that each difference is one.
	Exact bool
	// Left is the share of the time of frames that were too small to keep, of the arm
	// that has more of it.
	Left float64
	// ByCPU: the roots are CPUs, and below them is whose they were, and then the contexts.
	// Role is "" then. CPUs are the same without functions.
	ByCPU bool
	CPUs  []CPUPart
}

// A Frame is a function as it was called from those above it, and all that it called.
type Frame struct {
	Name     string
	From, To float64 // of the unit, in the baseline and the arm
	Lo, Hi   float64 // of the difference
	// Sure: the interval of the difference holds no zero. Of a hundred frames that are the
	// same, five are so by chance.
	Sure  bool
	Calls []Frame // the largest first
	order int     // of a root: what it stands by, where that is not its size
}

// Flames are those of an explanation, one a role that was sampled, of so many frames at
// most. A role of whose time samples cover too little has none.
func Flames(run *results.Run, e *Explanation, most int) (out []Flame) {
	d := &run.Header.Design
	base, arm := armNamed(d, e.Baseline), armNamed(d, e.Arm)
	if base < 0 || arm < 0 || base == arm {
		return nil
	}
	c := newComparing(run, trialsOf(run), base, arm, unitOf(d.Arms[base], d.Arms[arm]))
	for r := range roles {
		with := c.covered(r)
		out = addFlame(out, &contrast{role: r, sides: [2]side{{c, base, with}, {c, arm, with}}, paired: true}, e, most)
	}
	return c.addCPUs(out, e, most, [2]side{{c, base, c.trials}, {c, arm, c.trials}}, true)
}

// addFlame adds the flame graph of a contrast, if it has samples.
func addFlame(out []Flame, c *contrast, e *Explanation, most int) []Flame {
	if len(c.sides[0].trials) == 0 || len(c.sides[1].trials) == 0 {
		return out
	}
	f := c.flame(most)
	f.Baseline, f.Arm, f.Role, f.Unit = e.Baseline, e.Arm, roles[c.role], c.sides[0].of.unit.name
	if len(f.Roots) == 0 {
		return out
	}
	return append(out, f)
}

// covered are the trials in which a role was sampled, if the samples cover enough of its
// time.
func (c *comparing) covered(role int) []trial {
	with := c.sampledOf(roles[role])
	if len(with) == 0 {
		return nil
	}
	if coverage := c.coverage(with, role); coverage != nil && *coverage < leastCoverage {
		return nil
	}
	return with
}

// A node is a frame in the making: what there was of it in each trial of each side.
type node struct {
	name     string
	children map[string]*node
	n        [2][]float64 // samples by trial
}

func (n *node) child(name string, trials [2]int) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c := n.children[name]
	if c == nil {
		c = &node{name: name, n: [2][]float64{make([]float64, trials[0]), make([]float64, trials[1])}}
		n.children[name] = c
	}
	return c
}

// deepest so many calls are told apart; a stack of a record may claim any number.
const deepest = 64

// flame grows the tree and cuts what is too small.
func (c *contrast) flame(most int) Flame {
	root := c.grow(func(x calls, s side) bool {
		return x.category == ofBPF && s.of.cost[costs{s.arm, true}] > 0 // its time is known by itself, and in no context
	})
	var f Flame
	for _, context := range root.children {
		f.Roots = append(f.Roots, c.frame(context, c.scaleOf(context)))
	}
	sortFrames(f.Roots)
	f.prune(most)
	for i := range f.Roots {
		f.Roots[i].Name = Place(f.Roots[i].Name)
	}
	return f
}

// grow makes the tree of all stacks but some, by context.
func (c *contrast) grow(without func(calls, side) bool) *node {
	root := &node{}
	trials := [2]int{len(c.sides[0].trials), len(c.sides[1].trials)}
	for side, s := range c.sides {
		for i, t := range s.trials {
			for _, x := range t.samples[s.arm].calls {
				if without(x, s) {
					continue
				}
				at := root.child(x.context, trials)
				at.n[side][i] += x.n
				for _, name := range x.path[:min(len(x.path), deepest)] {
					at = at.child(name, trials)
					at.n[side][i] += x.n
				}
			}
		}
	}
	return root
}

// A scale is what a sample of a context stands for.
type scale struct {
	all   [2]float64   // of all trials of a side
	trial [2][]float64 // of each
}

func (c *contrast) scaleOf(context *node) scale {
	return c.scale(context, func(s side) float64 { return s.exact(c.role, context.name) },
		func(s side, t trial) float64 { return s.perUnit(t, c.role, context.name) })
}

// scale divides what is known exactly, of all trials and of each that was sampled, by
// the samples of it.
func (c *contrast) scale(of *node, exact func(side) float64, perUnit func(side, trial) float64) (out scale) {
	for side, s := range c.sides {
		total := 0.0
		for i, t := range s.trials {
			n := of.n[side][i]
			total += n
			per := 0.0
			if n > 0 {
				per = perUnit(s, t) / n
			}
			out.trial[side] = append(out.trial[side], per)
		}
		if total > 0 {
			out.all[side] = exact(s) / total
		}
	}
	return out
}

func (c *contrast) frame(n *node, by scale) Frame {
	f := Frame{Name: n.name}
	var xs [2][]float64
	for side := range c.sides {
		total := 0.0
		for i, k := range n.n[side] {
			total += k
			xs[side] = append(xs[side], k*by.trial[side][i])
		}
		if side == 0 {
			f.From = total * by.all[side]
		} else {
			f.To = total * by.all[side]
		}
	}
	delta := f.To - f.From
	mean, lo, hi, p := c.differ(xs)
	f.Lo, f.Hi, f.Sure = delta+lo-mean, delta+hi-mean, p < c.sides[1].of.alpha
	for _, child := range n.children {
		f.Calls = append(f.Calls, c.frame(child, by))
	}
	sortFrames(f.Calls)
	return f
}

func sortFrames(fs []Frame) {
	slices.SortFunc(fs, func(a, b Frame) int {
		return cmp.Or(cmp.Compare(max(b.From, b.To), max(a.From, a.To)), cmp.Compare(a.Name, b.Name))
	})
}

// leastFrame is the share of the time that a frame is kept from.
const leastFrame = 0.001

// Prune keeps the largest frames, so many at most.
func (f *Flame) Prune(most int) {
	sortAll(f.Roots)
	f.prune(most)
}

func sortAll(fs []Frame) {
	sortFrames(fs)
	for i := range fs {
		sortAll(fs[i].Calls)
	}
}

// prune keeps the largest frames, so many at most, and says what share is left out.
func (f *Flame) prune(most int) {
	var from, to float64
	var sizes []float64
	for _, x := range f.Roots {
		from, to = from+x.From, to+x.To
	}
	var walk func(fs []Frame)
	walk = func(fs []Frame) {
		for _, x := range fs {
			sizes = append(sizes, max(x.From, x.To))
			walk(x.Calls)
		}
	}
	walk(f.Roots)
	least := leastFrame * max(from, to)
	if len(sizes) > most {
		slices.Sort(sizes)
		least = max(least, math.Nextafter(sizes[len(sizes)-most-1], math.Inf(1))) // of those that are alike, none
	}
	var gone [2]float64
	var cut func(fs []Frame) []Frame
	cut = func(fs []Frame) []Frame {
		kept := fs[:0]
		for _, x := range fs {
			if max(x.From, x.To) < least {
				gone[0], gone[1] = gone[0]+x.From, gone[1]+x.To
				continue
			}
			x.Calls = cut(x.Calls)
			kept = append(kept, x)
		}
		return kept
	}
	f.Roots = cut(f.Roots)
	for i, all := range []float64{from, to} {
		if all > 0 {
			f.Left = math.Max(f.Left, gone[i]/all)
		}
	}
}

// Sum is all of it, of the baseline and of the arm.
func (f *Flame) Sum() (from, to float64) {
	for _, x := range f.Roots {
		from, to = from+x.From, to+x.To
	}
	return from, to
}

func armNamed(d *results.Design, name string) int {
	return slices.IndexFunc(d.Arms, func(a results.Arm) bool { return a.Name == name })
}
