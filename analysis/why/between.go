package why

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

// A Run is one side of a comparison of runs.
type Run struct {
	Label string
	*results.Run
}

// Between says what moved of each arm from one run to another, both with explain trials:
// a kernel against the one before, a night against another. Nothing interleaves such
// runs, so each difference is that of two means, as Welch has it, and what else changed
// between them is in it. Of a run without explain trials there is nothing.
func Between(a, b Run) (out []Explanation) {
	for _, arm := range armsOf(trialsOf(a.Run)) {
		name := record.ArmName(a.Header.Design, arm)
		if c := contrasted(a, b, name); c != nil {
			out = append(out, c.explain(name))
		}
	}
	return out
}

// FlamesBetween are the flame graphs of such an explanation.
func FlamesBetween(a, b Run, e *Explanation, most int) (out []Flame) {
	c := contrasted(a, b, e.Of)
	if c == nil {
		return nil
	}
	for r := range roles {
		if s := c.sampled(r); s != nil {
			out = addFlame(out, s, e, most)
		}
	}
	return out
}

// A crossing is an arm in two runs; of each side's comparing both arms are that one.
type crossing struct {
	labels [2]string
	sides  [2]*comparing
	run    Run // the later one
}

func contrasted(a, b Run, arm string) *crossing {
	i, j := armNamed(&a.Header.Design, arm), armNamed(&b.Header.Design, arm)
	if i < 0 || j < 0 {
		return nil
	}
	per := unitOf(a.Header.Design.Arms[i], b.Header.Design.Arms[j])
	c := &crossing{labels: [2]string{a.Label, b.Label}, run: b,
		sides: [2]*comparing{newComparing(a.Run, trialsOf(a.Run), i, i, per), newComparing(b.Run, trialsOf(b.Run), j, j, per)}}
	if len(c.sides[0].trials) == 0 || len(c.sides[1].trials) == 0 {
		return nil
	}
	return c
}

// contrast is of a role, with the trials of the sides.
func (c *crossing) contrast(role int, trials [2][]trial) *contrast {
	out := &contrast{role: role}
	for i, s := range c.sides {
		out.sides[i] = side{s, s.arm, trials[i]}
	}
	return out
}

// sampled is the contrast of a role that was sampled well in both; nil = it was not.
func (c *crossing) sampled(role int) *contrast {
	trials := [2][]trial{c.sides[0].covered(role), c.sides[1].covered(role)}
	if len(trials[0]) == 0 || len(trials[1]) == 0 {
		return nil
	}
	return c.contrast(role, trials)
}

func (c *crossing) explain(arm string) Explanation {
	a, b := c.sides[0], c.sides[1]
	e := Explanation{Baseline: c.labels[0], Arm: c.labels[1], Of: arm, Unit: b.unit.name, Trials: min(len(a.trials), len(b.trials)), Busy: []Busy{}, Parts: []Part{}}
	for r, role := range roles {
		e.Busy = append(e.Busy, Busy{Role: role, From: a.share(a.arm, 0, r), To: b.share(b.arm, 1, r)})
	}
	e.BaselineRole, e.Role = a.limit(a.arm, 0), b.limit(b.arm, 1)
	c.rates(&e)
	b.instrument(&e)
	for r := range roles {
		e.Parts = append(e.Parts, c.contexts(r)...)
	}
	for _, role := range []vocab.Owner{e.Role, vocab.SourceTime, vocab.SinkTime} {
		r := slices.Index(roles[:], role)
		if r < 0 {
			continue
		}
		if s := c.sampled(r); s != nil {
			e.SampledRole, e.Coverage = role, b.coverage(s.sides[1].trials, r)
			e.Unmapped = b.unmapped(s.sides[1].trials)
			s.split(&e)
			break
		}
	}
	e.Text = c.sentence(&e)
	e.Notes = append(b.notes(c.run.Run, &e), "These runs were not interleaved: whatever else changed between them is in each difference.")
	return e
}

// rates are what the limits' CPU time foretells of the change, and what was measured.
// Of runs that were explained in a hurry too few trials have blocks without the
// accounting: what was measured is with it then, and nothing is foretold, because with it
// on both agree by themselves.
func (c *crossing) rates(e *Explanation) {
	var measured, predicted, with [2][]float64
	foretells := e.Role != "" && e.BaselineRole != ""
	for i, s := range c.sides {
		foretells = foretells && chains(s.arms[i])
		for _, t := range s.trials {
			x := t.of(s.arm)
			with[i] = append(with[i], s.rate(x.on))
			predicted[i] = append(predicted[i], math.Log(s.lets(x.on, i, s.costAt(x.on))))
			if x.off.wall > 0 && x.off.units(s.unit) > 0 {
				measured[i] = append(measured[i], s.rate(x.off))
			}
		}
	}
	if e.Trials < fewestTrials {
		return
	}
	alpha := c.sides[1].alpha
	e.WithMeasured, _, _ = relativeOf(apart(with, alpha))
	if len(measured[0]) < fewestTrials || len(measured[1]) < fewestTrials {
		e.Measured, e.MeasuredLo, e.MeasuredHi = relativeOf(apart(with, alpha))
		return
	}
	e.Measured, e.MeasuredLo, e.MeasuredHi = relativeOf(apart(measured, alpha))
	if !foretells {
		return
	}
	e.Predicted, e.PredictedLo, e.PredictedHi = relativeOf(apart(predicted, alpha))
	if e.Measured != nil && e.Predicted != nil {
		gap := (1+*e.Predicted)/(1+*e.Measured) - 1
		e.Gap = &gap
	}
	e.Closes = closes(e)
}

// contexts are the exact parts of a role in both runs.
func (c *crossing) contexts(role int) (parts []Part) {
	var names []string
	for _, s := range c.sides {
		for _, context := range s.contexts(role) {
			if !slices.Contains(names, context) {
				names = append(names, context)
			}
		}
	}
	if i := slices.Index(names, Measuring); i >= 0 { // the last
		names = append(slices.Delete(names, i, i+1), Measuring)
	}
	whole := c.contrast(role, [2][]trial{c.sides[0].trials, c.sides[1].trials})
	var ps []float64
	for _, context := range names {
		var xs [2][]float64
		for i, s := range whole.sides {
			for _, t := range s.trials {
				xs[i] = append(xs[i], s.perUnit(t, role, context))
			}
		}
		p := Part{Role: roles[role], Context: context, From: whole.sides[0].exact(role, context), To: whole.sides[1].exact(role, context)}
		p.Delta = p.To - p.From
		mean, lo, hi, pValue := whole.differ(xs)
		p.Lo, p.Hi = p.Delta+lo-mean, p.Delta+hi-mean
		parts, ps = append(parts, p), append(ps, pValue)
	}
	for i, q := range stat.Discovery(ps) {
		parts[i].Significant = q <= falseShare
	}
	return parts
}

func (c *crossing) sentence(e *Explanation) string {
	head := fmt.Sprintf("%s, from %s to %s", e.Of, e.Baseline, e.Arm)
	if e.Measured == nil {
		return head + ": not explained: it takes three explain trials of each run with the accounting."
	}
	if !excludesZero(e.MeasuredLo, e.MeasuredHi) {
		return fmt.Sprintf("%s: the rate in the explain trials did not change beyond chance (%s).", head, prose.Interval(*e.MeasuredLo, *e.MeasuredHi, false))
	}
	text := fmt.Sprintf("%s: %s while it was measured why; ", head, strings.TrimPrefix(c.sides[1].faster(*e.Measured), "is "))
	switch {
	case e.Role == "" || e.BaselineRole == "":
		return text + c.sides[1].noLimit(e) + "."
	case e.Predicted == nil:
		text += c.sides[1].moved(e) + "; nothing is predicted"
	case e.Closes:
		text += fmt.Sprintf("%s; that predicts %s", c.sides[1].moved(e), prose.Change(*e.Predicted, false))
	default:
		text += fmt.Sprintf("%s, and the CPU time of its limit does not explain it: that predicts %s", c.sides[1].moved(e), prose.Change(*e.Predicted, false))
	}
	if functions := functionsMoved(e, 3); functions != "" {
		text += "; by function: " + functions
	}
	return text + "."
}

// functionsMoved are the functions of the limit that moved most, and beyond chance.
func functionsMoved(e *Explanation, most int) string {
	sums := map[string]float64{}
	for _, p := range e.Parts {
		if p.Role == e.Role && p.Function != "" && p.Significant {
			sums[p.Function] += p.Delta
		}
	}
	var names []string
	for name := range sums {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(math.Abs(sums[b]), math.Abs(sums[a])), cmp.Compare(a, b))
	})
	var texts []string
	for _, name := range names[:min(len(names), most)] {
		texts = append(texts, name+" "+prose.Signed(sums[name]))
	}
	return strings.Join(texts, ", ")
}
