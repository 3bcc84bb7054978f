package why

import (
	"fmt"
	"math"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/stat"
	"netab/results/vocab"
)

const task = "task"

// Contexts of Split: what of a role's own is in user space, and in the kernel.
const (
	UserTime   = "user"
	SystemTime = "system"
)

// A splitShare is how much of its own time a role of an arm was in user space: in all
// trials that tell it, and in each.
type splitShare struct {
	share float64
	each  []float64
}

// A roleOf is a role of an arm.
type roleOf struct{ arm, role int }

// split learns the shares from trials in which system calls were told. What that cost
// is subtracted as it is of the accounting; the other trials' times are split by them.
func (c *comparing) split(all []trial) {
	c.user = map[roleOf]splitShare{}
	var with []trial
	for _, t := range all {
		if t.of(c.base).split.wall > 0 && t.of(c.arm).split.wall > 0 {
			with = append(with, t)
		}
	}
	if len(with) < fewestTrials {
		return
	}
	cost := map[int]float64{}
	for _, arm := range []int{c.base, c.arm} {
		cost[arm], _ = costOf(with, c.unit, arm, c.busier(arm), func(a armSums) sums { return a.split })
	}
	of := func(s sums, role int) (user, whole float64) {
		user = max(0, s.user[role]-cost[s.arm]*s.events[role][UserTime])
		return user, user + max(0, s.ns[role][task]-s.user[role]-cost[s.arm]*s.events[role][task])
	}
	for _, arm := range []int{c.base, c.arm} {
		for role := range roles {
			var x splitShare
			var user, whole float64
			for _, t := range with {
				u, w := of(t.of(arm).split, role)
				user, whole = user+u, whole+w
				if w > 0 {
					x.each = append(x.each, u/w)
				}
			}
			if whole > 0 && len(x.each) == len(with) {
				x.share = user / whole
				c.user[roleOf{arm, role}] = x
			}
		}
	}
}

// splits says whether a role's own time is split in both arms.
func (c *comparing) splits(role int) bool {
	_, base := c.user[roleOf{c.base, role}]
	_, arm := c.user[roleOf{c.arm, role}]
	return base && arm
}

// splitParts splits the part "task" of each role.
func (c *comparing) splitParts(all []trial) (out []Part) {
	c.split(all)
	for r, role := range roles {
		if !c.splits(r) {
			continue
		}
		var ps []float64
		for _, context := range []string{SystemTime, UserTime} {
			p, pValue := c.part(func(s sums) float64 { return c.contextNS(s, r, context) })
			p.Role, p.Context = role, context
			ps = append(ps, c.widen(&p, pValue, r))
			out = append(out, p)
		}
		for i, q := range stat.Discovery(ps) {
			out[len(out)-len(ps)+i].Significant = q <= falseShare && c.base != c.arm
		}
	}
	return out
}

// Waiting is the context of Explanation.Waiting.
const Waiting = "waiting"

// waiting is each role's, as the scheduler has it.
func (c *comparing) waiting() (out []Part) {
	var ps []float64
	for r, role := range roles {
		p, pValue := c.part(func(s sums) float64 { return []float64{float64(s.counts.SourceWait), float64(s.counts.SinkWait)}[r] })
		if p.Role, p.Context = role, Waiting; p.From == 0 && p.To == 0 {
			continue
		}
		out, ps = append(out, p), append(ps, pValue)
	}
	for i, q := range stat.Discovery(ps) {
		out[i].Significant = q <= falseShare && c.base != c.arm
	}
	return out
}

// waitingNote says which roles waited longer for a CPU in one arm, and who had it.
func (c *comparing) waitingNote(events *Events, e *Explanation) (out []string) {
	for _, p := range e.Waiting {
		total := 0.0
		for _, of := range e.Parts {
			if of.Role == p.Role && of.Category == "" {
				total += max(of.From, of.To)
			}
		}
		if !p.Significant || math.Abs(p.Delta) < leastWaiting*total {
			continue
		}
		arm, word := e.Arm, "more"
		if p.Delta < 0 {
			word = "less"
		}
		text := fmt.Sprintf("In %s the %s waited %s %s %s for a CPU, which is no work of its own and explains nothing", arm, p.Role, prose.Number(math.Abs(p.Delta)), e.Unit, word)
		if p.Delta < 0 {
			arm = e.Baseline
		}
		if by := takers(events.Scheduling, arm, p.Role); by != "" {
			text += "; " + by + " took it away"
		}
		out = append(out, text+".")
	}
	return out
}

// leastWaiting of a role's time is worth a note.
const leastWaiting = 0.01

// takers are who took the CPU from a role most often, "" = nobody did.
func takers(all []Scheduling, arm string, role vocab.Owner) string {
	var names []string
	for _, s := range all {
		if s.Arm != arm || s.Role != role {
			continue
		}
		for _, by := range s.PreemptedBy {
			if len(names) < 3 && by.PerS >= 1 {
				names = append(names, fmt.Sprintf("%s (%s times a second)", by.By, prose.Number(by.PerS)))
			}
		}
	}
	return strings.Join(names, ", ")
}

// widen adds to the interval of a part of a role's own time what is not known of its
// share: it is of fewer trials than the time.
func (c *comparing) widen(p *Part, pValue float64, role int) float64 {
	var whole [2]float64
	for side, arm := range []int{c.base, c.arm} {
		var ns, units float64
		for _, t := range c.trials {
			ns, units = ns+c.contextNS(t.of(arm).on, role, task), units+t.of(arm).on.units(c.unit)
		}
		whole[side] = ns / units
	}
	a, b := c.user[roleOf{c.base, role}], c.user[roleOf{c.arm, role}]
	var ds []float64
	for i := range min(len(a.each), len(b.each)) {
		x, y := a.each[i], b.each[i]
		if p.Context == SystemTime {
			x, y = 1-x, 1-y
		}
		ds = append(ds, y*whole[1]-x*whole[0])
	}
	_, lo, hi, other := c.interval(ds)
	half := math.Hypot((p.Hi-p.Lo)/2, (hi-lo)/2)
	p.Lo, p.Hi = p.Delta-half, p.Delta+half
	return max(pValue, other)
}
