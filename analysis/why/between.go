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
	return contrasted(a, b, e.Of).flames(e, most)
}

func (c *crossing) flames(e *Explanation, most int) (out []Flame) {
	if c == nil {
		return nil
	}
	for r := range roles {
		if s := c.sampled(r); s != nil {
			out = addFlame(out, s, e, most)
		}
	}
	return c.sides[1].addCPUs(out, e, most, c.contrast(0, [2][]trial{c.sides[0].trials, c.sides[1].trials}).sides, false)
}

// A crossing is an arm in two runs; of each side's comparing both arms are that one.
type crossing struct {
	labels [2]string
	sides  [2]*comparing
	runs   [2]Run
	modes  *Modes // nil = the runs are two
}

func contrasted(a, b Run, arm string) *crossing {
	i, j := armNamed(&a.Header.Design, arm), armNamed(&b.Header.Design, arm)
	if i < 0 || j < 0 {
		return nil
	}
	per := unitOf(a.Header.Design.Arms[i], b.Header.Design.Arms[j])
	c := &crossing{labels: [2]string{a.Label, b.Label}, runs: [2]Run{a, b},
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
	changed := c.changed(&e)
	e.Text = c.sentence(&e)
	e.Notes = append(b.notes(c.runs[1].Run, &e), c.modes.note())
	if changed != "" {
		e.Notes = append(e.Notes, changed)
	}
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
		return head + ": not explained: " + c.modes.tooFew()
	}
	if !excludesZero(e.MeasuredLo, e.MeasuredHi) {
		return fmt.Sprintf("%s: the rate in the explain trials did not change beyond chance (%s).", head, prose.Interval(*e.MeasuredLo, *e.MeasuredHi, false))
	}
	text := fmt.Sprintf("%s: %s in the explain trials; ", head, strings.TrimPrefix(c.sides[1].faster(*e.Measured), "is "))
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

// functionsMoved are the functions of the limit that moved beyond chance: those that are
// other ones in the other kernel, and then those that moved most.
func functionsMoved(e *Explanation, most int) string {
	sums, changed := map[string]float64{}, map[string]int{}
	for _, p := range e.Parts {
		if p.Role == e.Role && p.Function != "" && p.Significant {
			sums[p.Function] += p.Delta
			if p.Changed() {
				changed[p.Function] = 1
			}
		}
	}
	var names []string
	for name := range sums {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(changed[b]-changed[a], cmp.Compare(math.Abs(sums[b]), math.Abs(sums[a])), cmp.Compare(a, b))
	})
	var texts []string
	for _, name := range names[:min(len(names), most)] {
		text := name + " " + prose.Signed(sums[name])
		if changed[name] > 0 {
			text += " (its code changed)"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// changed marks functions that are other ones in the other kernel, by their sizes in the
// tables of symbols, puts those of them that moved beyond chance before all others, and
// says how many there are; "" = both runs had the same kernel.
func (c *crossing) changed(e *Explanation) string {
	a, b := &c.runs[0].Header.Machine, &c.runs[1].Header.Machine
	if c.modes != nil || a.Kernel == b.Kernel && a.KernelBuild == b.KernelBuild {
		return ""
	}
	from, to := sizesOf(c.runs[0].Run), sizesOf(c.runs[1].Run)
	known, changed := 0, 0
	for name, n := range from {
		if to[name] > 0 {
			known++
			if to[name] != n {
				changed++
			}
		}
	}
	if known == 0 {
		if e.SampledRole == "" {
			return ""
		}
		return "Which functions are other ones in the other kernel is not known: explain trials that netab measured before it kept the sizes of functions tell it not."
	}
	for i := range e.Parts {
		if p := &e.Parts[i]; p.Function != "" {
			p.FromBytes, p.ToBytes = from[p.Function], to[p.Function]
		}
	}
	rank := func(p Part) int {
		if p.Function != "" && p.Significant && p.Changed() {
			return 0
		}
		return 1
	}
	if first := slices.IndexFunc(e.Parts, func(p Part) bool { return p.Function != "" }); first >= 0 { // they stand last
		slices.SortStableFunc(e.Parts[first:], func(a, b Part) int { return rank(a) - rank(b) })
	}
	differ, their := fmt.Sprintf("%d differ", changed), "their"
	if changed == 1 {
		differ, their = "1 differs", "its"
	}
	if changed == 0 {
		differ = "none differs"
	}
	text := fmt.Sprintf("Of %s that samples of both runs have, %s in size between the symbol tables of %s and %s", prose.Counted(known, "function"), differ, a.Kernel, b.Kernel)
	switch {
	case changed == 0:
	case 2*changed > known:
		text += ": " + their + " code changed, as a compiler or a setting of the build can change most"
	case changed == 1:
		text += ": its code changed, and if it moved beyond chance it stands first"
	default:
		text += ": their code changed, and those that moved beyond chance stand first"
	}
	return text + "."
}

// sizesOf are the functions of a run's samples by their sizes. What the compiler made of
// a function was taken together when they were recorded.
func sizesOf(run *results.Run) map[string]int64 {
	out := map[string]int64{}
	for i := range run.Explains {
		s := run.Explains[i].Samples
		if s == nil || run.Explains[i].Invalid != "" || len(s.Sizes) != len(s.Functions) {
			continue
		}
		for j, name := range s.Functions {
			if s.Sizes[j] > 0 {
				out[name] = s.Sizes[j]
			}
		}
	}
	return out
}
