package analysis

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/stat"
	"netab/results"
)

// discoveryRate bounds the share of false ones among the cells of a sweep that
// are called discoveries (Benjamini and Hochberg 1995).
const discoveryRate = 0.10

// A Sweep is a matrix seen factor by factor: what one factor does at each
// combination of the others. It is an overview beside the verdicts, which stay
// those of arms against the baseline arm. Of shards it is one as of one run: where two
// levels were measured in two shards, what each does against its own baseline is
// compared.
type Sweep struct {
	Metric       string         `json:"metric"`
	Unit         string         `json:"unit"`
	Difference   bool           `json:"difference,omitempty"`
	Rate         float64        `json:"false_discovery_rate"`
	Factors      []FactorEffect `json:"factors"`
	Interactions []Interaction  `json:"interactions"`
}

// A FactorEffect is the effects of one factor's levels against its first.
type FactorEffect struct {
	Factor string      `json:"factor"`
	Base   string      `json:"base"` // level that the others are compared with
	Cells  []SweepCell `json:"cells"`
}

// A SweepCell is the effect of a level within one combination of the other
// factors' levels, paired by slices like any effect within a run.
type SweepCell struct {
	Within     []results.FactorLevel `json:"within"`
	Level      string                `json:"level"`
	Arm        string                `json:"arm"`
	Baseline   string                `json:"baseline"`
	Change     float64               `json:"change"`
	Lo         float64               `json:"lo"` // by itself, at the run's confidence
	Hi         float64               `json:"hi"`
	P          *float64              `json:"p"`
	Adjusted   *float64              `json:"p_adjusted"` // Benjamini and Hochberg's, over all cells of the sweep
	Discovered bool                  `json:"discovered"`
	N          int                   `json:"n"`
	Across     bool                  `json:"across_shards,omitempty"` // the two are of different shards, and compared by what each does against the baseline there

	effects map[moment]float64
}

// A moment is one trial of one of the runs.
type moment struct{ run, trial int }

// A matrix is what measured the arms of one: a run, or the shards of a question.
type matrix []judging

// A seat is an arm of one of them.
type seat struct{ run, arm int }

// An Interaction says that a level's effect is not the same within all
// combinations of the other factors. Only the combination that departs most
// from the mean of the others is given.
type Interaction struct {
	Factor  string                `json:"factor"`
	Level   string                `json:"level"`
	Within  []results.FactorLevel `json:"within"`
	Departs float64               `json:"departs"` // its effect against the mean of the others'
	Lo      float64               `json:"lo"`
	Hi      float64               `json:"hi"`
	P       float64               `json:"p"` // Holm's over the combinations
	Shown   bool                  `json:"shown"`
	Text    string                `json:"text"`
}

// sweep is nil for designs without at least two factors of two levels.
func (js matrix) sweep() *Sweep {
	d := js[0].design
	if len(d.Factors) < 2 {
		return nil
	}
	m, ok := LookupMetric(judgedMetrics(d)[0])
	if !ok {
		return nil
	}
	s := &Sweep{Metric: m.Name, Unit: m.Unit, Difference: m.Difference, Rate: discoveryRate, Factors: []FactorEffect{}, Interactions: []Interaction{}}
	var all []*SweepCell
	for f := range d.Factors {
		if fe, ok := js.factor(f, m); ok {
			s.Factors = append(s.Factors, fe)
		}
	}
	for i := range s.Factors {
		for k := range s.Factors[i].Cells {
			if c := &s.Factors[i].Cells[k]; c.P != nil {
				all = append(all, c)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	discover(all)
	for i := range s.Factors {
		s.Interactions = append(s.Interactions, interactions(s.Factors[i], m, js.alpha())...)
	}
	return s
}

// alpha is what all of them together may spend.
func (js matrix) alpha() (sum float64) {
	for _, j := range js {
		sum += j.alpha
	}
	return sum
}

func (js matrix) armOf(at seat) results.Arm { return js[at.run].design.Arms[at.arm] }

// seats are where each combination of levels was measured; the baseline's is in every
// shard. The order is that in which they come first.
func (js matrix) seats(factors int) (order []string, seats map[string][]seat) {
	seats = map[string][]seat{}
	for r, j := range js {
		for i, arm := range j.design.Arms {
			if len(arm.Levels) < factors {
				continue
			}
			key := named(arm.Levels)
			if seats[key] == nil {
				order = append(order, key)
			}
			seats[key] = append(seats[key], seat{r, i})
		}
	}
	return order, seats
}

// factor compares every level with the first, within each combination of the
// others.
func (js matrix) factor(f int, m Metric) (FactorEffect, bool) {
	d := js[0].design
	fe := FactorEffect{Factor: d.Factors[f].Name}
	if len(d.Factors[f].Levels) < 2 {
		return fe, false
	}
	fe.Base = d.Factors[f].Levels[0]
	order, seats := js.seats(len(d.Factors))
	for _, key := range order {
		levels := js.armOf(seats[key][0]).Levels
		if levels[f].Value == fe.Base {
			continue
		}
		first := slices.Clone(levels)
		first[f].Value = fe.Base
		arm, base, ok := together(seats[key], seats[named(first)])
		if !ok || !m.AppliesTo(js.armOf(arm)) || !m.AppliesTo(js.armOf(base)) {
			continue
		}
		c, ok := js.cell(m, base, arm)
		if !ok {
			continue
		}
		c.Within, c.Level = without(levels, f), levels[f].Value
		fe.Cells = append(fe.Cells, c)
	}
	return fe, len(fe.Cells) > 0
}

// together are two of the seats, of one run if there is one that has both.
func together(arms, bases []seat) (arm, base seat, ok bool) {
	for _, a := range arms {
		for _, b := range bases {
			if a.run == b.run {
				return a, b, true
			}
		}
	}
	if len(arms) == 0 || len(bases) == 0 {
		return arm, base, false
	}
	return arms[0], bases[0], true
}

// cell is the effect of an arm against another; not ok where their trials say nothing of it.
func (js matrix) cell(m Metric, base, arm seat) (SweepCell, bool) {
	c := SweepCell{Arm: js.armOf(arm).Name, Baseline: js.armOf(base).Name, Across: arm.run != base.run, effects: map[moment]float64{}}
	var method stat.Method
	if !c.Across {
		e, ok := js.overview(m, base.arm, arm)
		if !ok {
			return c, false
		}
		m, method, c.N = e.metric, e.choose(), e.sample.N
		c.had(arm.run, e, 1)
	} else {
		of, ok := js.overview(m, baseline(js[arm.run].design), arm)
		less, alsoOK := js.overview(m, baseline(js[base.run].design), base)
		if !ok || !alsoOK || of.metric.per > 0 || less.metric.per > 0 { // shares of two baselines
			return c, false
		}
		sum := stat.Welch(less.asSample(), of.asSample())
		method, c.N = sum, sum.N
		c.had(arm.run, of, 1)
		c.had(base.run, less, -1)
	}
	lo, hi := method.Interval(js.alpha()).Ends()
	c.Change, c.Lo, c.Hi = m.shown(method.Centre()), m.shown(lo), m.shown(hi)
	if p, ok := method.P(0); ok {
		c.P = &p
	}
	return c, true
}

// overview weighs an arm against another of its run, as nothing hangs on it: by
// Student's t, where it is not by bootstrap.
func (js matrix) overview(m Metric, base int, arm seat) (evidence, bool) {
	e := js[arm.run].weigh(m, base, arm.arm, false)
	e.overview = true
	return e, e.withheld == ""
}

// had adds what the trials of a run had.
func (c *SweepCell) had(run int, e evidence, sign float64) {
	for _, x := range e.effects {
		c.effects[moment{run, x.at}] = sign * x.x
	}
}

func without(ls []results.FactorLevel, i int) []results.FactorLevel {
	return append(slices.Clone(ls[:i]), ls[i+1:]...)
}

// discover adjusts the p of all cells for each other.
func discover(cells []*SweepCell) {
	ps := make([]float64, len(cells))
	for i, c := range cells {
		ps[i] = *c.P
	}
	for i, q := range stat.Discovery(ps) {
		cells[i].Adjusted, cells[i].Discovered = &q, q <= discoveryRate
	}
}

// interactions tests each level of a factor: is its effect the same within all
// combinations of the others? All effects of a trial ride on the same drift,
// so they are contrasted trial by trial: one combination's against the mean of
// the others', by t, with Holm's shares over the combinations. Trials of two shards have
// no drift in common, and are two samples.
func interactions(fe FactorEffect, m Metric, alpha float64) []Interaction {
	var levels []string
	for _, c := range fe.Cells {
		if !slices.Contains(levels, c.Level) {
			levels = append(levels, c.Level)
		}
	}
	var out []Interaction
	for _, level := range levels {
		var cells []SweepCell
		for _, c := range fe.Cells {
			if c.Level == level {
				cells = append(cells, c)
			}
		}
		if i, ok := departing(cells, m, alpha); ok {
			i.Factor, i.Level = fe.Factor, level
			i.Text = fmt.Sprintf("the effect of %s=%s within %s differs from its mean elsewhere by %s (%s)", fe.Factor, level,
				named(i.Within), prose.Change(i.Departs, m.Difference), prose.Interval(i.Lo, i.Hi, m.Difference))
			out = append(out, i)
		}
	}
	return out
}

// departing is the cell whose effect departs most from the mean of the others.
func departing(cells []SweepCell, m Metric, alpha float64) (best Interaction, ok bool) {
	if len(cells) < 2 {
		return best, false
	}
	ps := make([]float64, len(cells))
	departs := make([]stat.Contrast, len(cells))
	for i := range cells {
		departs[i] = stat.Sum(contrasts(cells, i)...)
		p, known := departs[i].P(0)
		if !known {
			return best, false
		}
		ps[i] = p
	}
	i := 0
	for k, p := range ps {
		if p < ps[i] {
			i = k
		}
	}
	// Two cells make one contrast, seen from both ends.
	tests := float64(len(cells))
	if len(cells) == 2 {
		tests = 1
	}
	lo, hi := departs[i].Interval(alpha / tests).Ends()
	best = Interaction{Within: cells[i].Within, Departs: m.shown(departs[i].Mean), Lo: m.shown(lo), Hi: m.shown(hi), P: min(1, ps[i]*tests)}
	best.Shown = best.P <= alpha
	return best, true
}

// contrasts are, trial by trial, the effect of cell i less the mean of the others': a
// sample of each run, whose means add up to the contrast. Trials that lack a cell of
// which others have something are left out.
func contrasts(cells []SweepCell, i int) []stat.Sample {
	trials := map[int]map[int]bool{} // of each run
	has := map[int]int{}             // how many cells are of it
	for _, c := range cells {
		of := map[int]bool{}
		for at := range c.effects {
			if trials[at.run] == nil {
				trials[at.run] = map[int]bool{}
			}
			trials[at.run][at.trial], of[at.run] = true, true
		}
		for run := range of {
			has[run]++
		}
	}
	var out []stat.Sample
	for _, run := range slices.Sorted(maps.Keys(trials)) {
		var xs []float64
		for _, trial := range slices.Sorted(maps.Keys(trials[run])) {
			own, rest, n := 0.0, 0.0, 0
			for k := range cells {
				x, ok := cells[k].effects[moment{run, trial}]
				switch {
				case !ok:
					continue
				case k == i:
					own = x
				default:
					rest += x
				}
				n++
			}
			if n == has[run] {
				xs = append(xs, own-rest/float64(len(cells)-1))
			}
		}
		out = append(out, stat.NewSample(slices.DeleteFunc(xs, math.IsNaN)))
	}
	return out
}

// named writes levels as "message=64, rps=off".
func named(ls []results.FactorLevel) string {
	var parts []string
	for _, l := range ls {
		parts = append(parts, l.Factor+"="+l.Value)
	}
	return strings.Join(parts, ", ")
}
