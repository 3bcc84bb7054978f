package proof

import (
	"math"

	"netab/analysis"
	"netab/analysis/world"
)

// byState holds a run of a world whose canaries tell its states against what it
// speaks of: of one state only, where it saw no other, or too little of it; and
// besides of each state by itself, where it has a verdict.
func (o *outcome) byState(c Case, w world.World, effect float64, d analysis.Decision) {
	for i, cmp := range d.Comparisons {
		if cmp.Modes == nil || cmp.Modes.Kind != analysis.KindState {
			if len(d.States) == 1 {
				o.rejudge(c, effect, w.StateTruth(i, isFar(d.States[0].Canaries)), d, i)
			}
			continue
		}
		var of []bool // far, of the states that the figures are of
		var each outcome
		for _, g := range cmp.Modes.Groups {
			far := isFar(g.Canaries)
			if g.Verdict == "" {
				continue
			}
			of = append(of, far)
			one := c.judge(effect, []float64{0}, analysis.Decision{}, 0, 0)
			one.rejudge(c, effect, w.StateTruth(i, far), analysis.Decision{Comparisons: []analysis.Comparison{{Verdict: g.Verdict, Lo: g.Lo, Hi: g.Hi}}}, 0)
			each.wrong, each.falseEqual = each.wrong || one.wrong, each.falseEqual || one.falseEqual
		}
		if len(of) == 1 {
			o.rejudge(c, effect, w.StateTruth(i, of[0]), d, i)
		}
		o.wrong, o.falseEqual = o.wrong || each.wrong, o.falseEqual || each.falseEqual
	}
}

func isFar(canaries map[string]float64) bool { return world.IsFar(canaries["distance_ns"]) }

// rejudge judges one comparison by another truth. States worlds have one arm with
// an effect.
func (o *outcome) rejudge(c Case, effect, truth float64, d analysis.Decision, i int) {
	size := math.Abs(math.Log1p(truth)) / math.Log1p(c.Resolution)
	if size < 1e-9 {
		size = 0
	}
	at := c.judge(size, []float64{truth}, analysis.Decision{Comparisons: d.Comparisons[i : i+1]}, 0, 0)
	o.wrong, o.falseEqual, o.found, o.covered = at.wrong, at.falseEqual, at.found, at.covered
	if effect == 0 && size != 0 { // the state has an effect, though the long run has none
		o.equal = at.found
	}
}
