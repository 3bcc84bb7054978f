package analysis

import (
	"fmt"
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
// those of arms against the baseline arm.
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

	effects map[int]float64 // by position of the trial
}

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
func (j judging) sweep() *Sweep {
	if len(j.design.Factors) < 2 {
		return nil
	}
	m, ok := LookupMetric(judgedMetrics(j.design)[0])
	if !ok {
		return nil
	}
	s := &Sweep{Metric: m.Name, Unit: m.Unit, Difference: m.Difference, Rate: discoveryRate, Factors: []FactorEffect{}, Interactions: []Interaction{}}
	var all []*SweepCell
	for f := range j.design.Factors {
		if fe, ok := j.factor(f, m); ok {
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
		s.Interactions = append(s.Interactions, j.interactions(s.Factors[i], m)...)
	}
	return s
}

// factor compares every level with the first, within each combination of the
// others.
func (j judging) factor(f int, m Metric) (FactorEffect, bool) {
	d := j.design
	fe := FactorEffect{Factor: d.Factors[f].Name}
	if len(d.Factors[f].Levels) < 2 {
		return fe, false
	}
	fe.Base = d.Factors[f].Levels[0]
	for i, arm := range d.Arms {
		if f >= len(arm.Levels) || arm.Levels[f].Value == fe.Base {
			continue
		}
		within := without(arm.Levels, f)
		base := slices.IndexFunc(d.Arms, func(a results.Arm) bool {
			return f < len(a.Levels) && a.Levels[f].Value == fe.Base && slices.Equal(without(a.Levels, f), within)
		})
		if base < 0 || !m.AppliesTo(arm) || !m.AppliesTo(d.Arms[base]) {
			continue
		}
		e := j.weigh(m, base, i, false)
		if e.withheld != "" {
			continue
		}
		e.overview = true // Student's t, where it is not by bootstrap
		e.method = e.choose()
		lo, hi := e.interval().Ends()
		m := e.metric
		c := SweepCell{Within: within, Level: arm.Levels[f].Value, Arm: arm.Name, Baseline: d.Arms[base].Name,
			Change: m.shown(e.centre()), Lo: m.shown(lo), Hi: m.shown(hi), N: e.sample.N, effects: map[int]float64{}}
		if p, ok := e.p(); ok {
			c.P = &p
		}
		for _, e := range e.effects {
			c.effects[e.at] = e.x
		}
		fe.Cells = append(fe.Cells, c)
	}
	return fe, len(fe.Cells) > 0
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
// the others', by t, with Holm's shares over the combinations.
func (j judging) interactions(fe FactorEffect, m Metric) []Interaction {
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
		if i, ok := departing(cells, m, j.alpha); ok {
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
	samples := make([]stat.Sample, len(cells))
	for i := range cells {
		samples[i] = stat.NewSample(contrasts(cells, i))
		p, known := samples[i].P(0)
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
	lo, hi := samples[i].Interval(alpha / tests).Ends()
	best = Interaction{Within: cells[i].Within, Departs: m.shown(samples[i].Mean), Lo: m.shown(lo), Hi: m.shown(hi), P: min(1, ps[i]*tests)}
	best.Shown = best.P <= alpha
	return best, true
}

// contrasts are, trial by trial, the effect of cell i less the mean of the
// others'. Trials that lack one of them are left out.
func contrasts(cells []SweepCell, i int) []float64 {
	var at []int
	for k := range cells[i].effects {
		at = append(at, k)
	}
	slices.Sort(at)
	var out []float64
	for _, t := range at {
		rest, n := 0.0, 0
		for k := range cells {
			if x, ok := cells[k].effects[t]; ok && k != i {
				rest, n = rest+x, n+1
			}
		}
		if n == len(cells)-1 {
			out = append(out, cells[i].effects[t]-rest/float64(n))
		}
	}
	return slices.DeleteFunc(out, math.IsNaN)
}

// named writes levels as "message=64, rps=off".
func named(ls []results.FactorLevel) string {
	var parts []string
	for _, l := range ls {
		parts = append(parts, l.Factor+"="+l.Value)
	}
	return strings.Join(parts, ", ")
}
