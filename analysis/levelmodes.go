package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/stat"

	"netab/analysis/prose"
)

// LevelModes says that the trials of one arm have different levels, by groups.
// That is of the arm itself: what it does against its baseline is for the modes
// of comparisons.
type LevelModes struct {
	Metric    string      `json:"metric"`
	Unit      string      `json:"unit"`
	Groups    []LevelMode `json:"groups"`              // the lowest first
	Covariate string      `json:"covariate,omitempty"` // as Modes'
	Text      string      `json:"text"`
}

// A LevelMode is one such group of two trials or more. Level, Lo and Hi are in the
// metric's unit; where there are several arms, what moved all of them alike is
// taken out.
type LevelMode struct {
	Label  string  `json:"label,omitempty"`
	Share  float64 `json:"share"`
	Level  float64 `json:"level"`
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`
	Trials []int   `json:"trials"`
}

// levelModes looks for modes of an arm's own level on the headline metric: by
// covariate always, without one only in a run of one arm. With several arms
// the comparisons show modes far better, free of drift.
func (j judging) levelModes(arm int) *LevelModes {
	m, ok := LookupMetric(judgedMetrics(j.design)[0])
	if !ok || m.Difference || !m.AppliesTo(j.design.Arms[arm]) {
		return nil
	}
	e := evidence{arm: arm, metric: m, alpha: j.alpha, effects: j.steadied(m, arm)}
	covs := armCovariates(arm, "")
	if len(j.design.Arms) == 1 { // a state moves all arms, and what they have in common is taken out
		covs = append(covs, j.stateCovariate())
	}
	name, groups := explain(j.points(e), covs)
	if groups == nil && len(j.design.Arms) == 1 {
		groups = j.clusters(e)
	}
	half, ok := j.distinct(e, groups)
	if !ok {
		return nil
	}
	out := &LevelModes{Metric: m.Name, Unit: m.Unit, Covariate: name}
	for _, g := range groups {
		mean, h := g.mean(), half(g)
		out.Groups = append(out.Groups, LevelMode{Label: g.label, Share: float64(len(g.in)) / float64(size(groups)),
			Level: math.Exp(mean), Lo: math.Exp(mean - h), Hi: clamp(math.Exp(mean + h)), Trials: g.trials()})
	}
	out.Text = levelModesText(out, m, len(j.design.Arms) > 1)
	return out
}

// steadied are an arm's levels as logarithms, less what moved the arms alike in
// the trial: a machine that drifts from one rate to another would else pass for
// modes. It is the median of the arms' distances from their own means, which one
// arm's modes do not move; of two arms, the other's.
func (j judging) steadied(m Metric, arm int) []effect {
	var out []effect
	moved := map[int][]float64{} // by position of the trial; the arm's own last
	for k := range len(j.design.Arms) {
		of := (arm + 1 + k) % len(j.design.Arms)
		if !m.AppliesTo(j.design.Arms[of]) {
			continue
		}
		out = onScale(trialLevels(j.rec, m, of), m)
		mean := stat.NewSample(values(out)).Mean
		for _, l := range out {
			moved[l.at] = append(moved[l.at], l.x-mean)
		}
	}
	for i, l := range out {
		switch d := moved[l.at]; len(d) {
		case 1:
		case 2:
			out[i].x -= d[0]
		default:
			out[i].x -= stat.Median(d)
		}
	}
	return out
}

func levelModesText(modes *LevelModes, m Metric, several bool) string {
	var parts []string
	for i, g := range slices.Backward(modes.Groups) {
		part := fmt.Sprintf("%s in %d", m.quantity(g.Level), len(g.Trials))
		if i == len(modes.Groups)-1 {
			part += " trials"
		}
		if g.Label != "" {
			part += " (" + g.Label + ")"
		}
		parts = append(parts, part)
	}
	text := fmt.Sprintf("its level falls into %s groups: %s", prose.Count(len(parts)), strings.Join(parts, ", "))
	if modes.Covariate == "" {
		text += "; nothing that was recorded tells them apart"
	}
	if several {
		text += "; what moved all arms alike is taken out"
	}
	return text
}

// distinct sorts groups by their means and says whether they lie further apart
// than the resolution: else the user would not care. half is a group's half
// interval; the trials of all groups together estimate the error within one.
func (j judging) distinct(e evidence, groups []group) (half func(group) float64, ok bool) {
	if len(groups) == 0 {
		return nil, false
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(a.mean(), b.mean()) })
	margin := e.metric.margin(resolutionOf(j.design, e.metric.Name))
	if groups[len(groups)-1].mean()-groups[0].mean() <= margin {
		return nil, false
	}
	df := float64(size(groups) - len(groups))
	_, within := stat.Squares(valuesOf(groups))
	t := stat.Critical(e.alpha, df) * math.Sqrt(within/df)
	return func(g group) float64 { return t / math.Sqrt(float64(len(g.in))) }, true
}
