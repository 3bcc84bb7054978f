package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"netab/analysis/prose"
	"netab/analysis/why"
	"netab/results"
)

// Modes are explained like arms: explain trials, or blocks of them, are put into the
// modes that the verdict's trials fell into. States are told by canaries, which explain
// trials have too where the run before had several; other modes by the rate itself.

// FlamesOf are the flame graphs of an explanation of a run, of so many frames at most.
func FlamesOf(run *results.Run, s *Summary, e *why.Explanation, most int) []why.Flame {
	if e.Modes == "" {
		return why.Flames(run, e, most)
	}
	for _, m := range modesExplained(run, statesOf(sift(run.Header.Design, run.Trials).judged), s) {
		if m.By == e.Modes && run.Header.Design.Arms[m.Arm].Name == e.Of {
			return why.FlamesOfModes(run, m, e, most)
		}
	}
	return nil
}

// modesExplained are the modes of arms of which there are explain trials.
func modesExplained(run *results.Run, st *states, s *Summary) (out []why.Modes) {
	d := &run.Header.Design
	if len(run.Explains) == 0 || len(judgedMetrics(*d)) == 0 {
		return nil
	}
	headline := judgedMetrics(*d)[0]
	add := func(m why.Modes, ok bool) {
		if ok && m.Arm >= 0 && !slices.ContainsFunc(out, func(o why.Modes) bool { return o.Arm == m.Arm }) {
			out = append(out, m)
		}
	}
	for i := range s.Comparisons {
		c := &s.Comparisons[i]
		if c.Metric != headline || c.Modes == nil || c.ArmRun != "" {
			continue
		}
		if c.Modes.ByState() {
			add(byState(run, st, d.ArmAt(c.Arm)))
			add(byState(run, st, d.ArmAt(c.Baseline)))
		} else if inUnits(headline) > 0 {
			add(byChange(run, c, d.ArmAt(c.Arm), d.ArmAt(c.Baseline)))
		}
	}
	for i := range s.Arms {
		if l := s.Arms[i].Modes; l != nil && l.Metric == headline && inUnits(headline) > 0 {
			add(byLevel(run, l, d.ArmAt(s.Arms[i].Name)))
		}
	}
	return out
}

// inUnits is what a rate of an explanation's units in a ns is in the unit of a metric;
// 0 = the metric is none of such a rate.
func inUnits(metric string) float64 {
	switch metric {
	case "goodput":
		return 8 * 1024 * 1e9
	case "transaction_rate", "packet_rate":
		return 1e9
	}
	return 0
}

// byState tells the states of the machine apart, the one whose CPUs are nearest or
// fastest first.
func byState(run *results.Run, st *states, arm int) (why.Modes, bool) {
	if !st.several() || arm < 0 {
		return why.Modes{}, false
	}
	list := slices.Clone(st.list)
	slices.SortStableFunc(list, func(a, b State) int {
		return cmp.Or(cmp.Compare(distanceKind.median(a.Canaries), distanceKind.median(b.Canaries)), cmp.Compare(stepKind.median(a.Canaries), stepKind.median(b.Canaries)))
	})
	m := why.Modes{Arm: arm, By: why.ByState}
	for _, s := range list {
		m.Labels = append(m.Labels, s.Name)
	}
	blocks := make([]map[int]int, len(run.Explains))
	for i := range run.Explains {
		blocks[i] = map[int]int{}
		for _, b := range blocksOf(asTrial(&run.Explains[i])) {
			if name, _, known := b.state(st.tell); known {
				blocks[i][b.block] = slices.Index(m.Labels, name)
			}
		}
	}
	m.In = func(trial int, s *results.ExplainSlice) int {
		if k, known := blocks[trial][s.Block]; known {
			return k
		}
		return -1
	}
	return m, true
}

// asTrial is what canaries tell of an explain trial.
func asTrial(x *results.Explain) *results.Trial {
	t := &results.Trial{}
	for i := range x.Slices {
		s := &x.Slices[i]
		t.Slices = append(t.Slices, results.Slice{Block: s.Block, Arm: s.Arm, StartNS: s.StartNS, CountedNS: s.CountedNS, Invalid: s.Invalid, Canaries: s.Canaries})
	}
	return t
}

// byChange tells modes of a comparison apart by the effect in each explain trial.
func byChange(run *results.Run, c *Comparison, arm, base int) (why.Modes, bool) {
	if arm < 0 || base < 0 || c.Difference {
		return why.Modes{}, false
	}
	m, centres := why.Modes{Arm: arm, By: why.ByChange}, []float64{}
	for _, g := range c.Modes.Groups {
		centres = append(centres, math.Log1p(g.Change))
		m.Labels = append(m.Labels, labelOf(g.Label, prose.Change(g.Change, false)))
	}
	return byCentre(m, centres, why.Rates(run, arm, base))
}

// byLevel tells modes of an arm's own apart by its rate in each explain trial.
func byLevel(run *results.Run, l *LevelModes, arm int) (why.Modes, bool) {
	metric, ok := LookupMetric(l.Metric)
	if !ok || arm < 0 {
		return why.Modes{}, false
	}
	m, centres, rates := why.Modes{Arm: arm, By: why.ByLevel}, []float64{}, why.Rates(run, arm, -1)
	for _, g := range l.Groups {
		centres = append(centres, math.Log(g.Level))
		m.Labels = append(m.Labels, labelOf(g.Label, metric.quantity(g.Level)))
	}
	for i := range rates {
		rates[i] += math.Log(inUnits(l.Metric))
	}
	return byCentre(m, centres, rates)
}

// labelOf names a mode by what tells it apart, and by where it lies.
func labelOf(label, at string) string {
	if label == "" {
		return fmt.Sprintf("the mode at %s", at)
	}
	return fmt.Sprintf("%s (%s)", label, at)
}

// nearEnough is how far from the centre of a mode a trial may be, of the way to the next
// one. What is between them is in none.
const nearEnough = 1. / 3

// byCentre puts explain trials into the mode that they are near to.
func byCentre(m why.Modes, centres []float64, rates map[int]float64) (why.Modes, bool) {
	if len(centres) < 2 {
		return m, false
	}
	in := map[int]int{}
	for trial, x := range rates {
		nearest, gap := 0, math.Inf(1)
		for k, at := range centres {
			if math.Abs(x-at) < math.Abs(x-centres[nearest]) {
				nearest = k
			}
		}
		for k, at := range centres {
			if k != nearest {
				gap = min(gap, math.Abs(at-centres[nearest]))
			}
		}
		// What is further out than the outermost is of it all the same.
		outside := x < slices.Min(centres) || x > slices.Max(centres)
		if outside || math.Abs(x-centres[nearest]) <= nearEnough*gap {
			in[trial] = nearest
		}
	}
	m.In = func(trial int, _ *results.ExplainSlice) int {
		if k, known := in[trial]; known {
			return k
		}
		return -1
	}
	return m, true
}

// whyModes explains the modes of a run.
func whyModes(run *results.Run, st *states, s *Summary) (out []why.Explanation) {
	for _, m := range modesExplained(run, st, s) {
		out = append(out, why.BetweenModes(run, m)...)
	}
	return out
}
