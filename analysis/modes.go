package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// effectModes looks for a covariate that explains the trials' effects.
func (j judging) effectModes(e evidence) *Modes {
	name, groups := explain(j.points(e), pairCovariates(baseline(j.design), e.arm))
	return j.describe(e, groups, name)
}

// unexplainedModes looks for two clusters that no covariate tells apart.
func (j judging) unexplainedModes(e evidence) *Modes {
	return j.describe(e, j.clusters(e), "")
}

func (j judging) clusters(e evidence) []group {
	return split(j.points(e), seeded(j.seed, "split", j.design.Arms[e.arm].Name, e.metric.Name))
}

// points are the trials that are quiet enough to be told apart.
func (j judging) points(e evidence) []point {
	var ps []point
	for _, x := range quiet(e.effects) {
		ps = append(ps, point{&j.trials[x.at], x.x})
	}
	return ps
}

// describe turns groups into Modes; nil where there are none, or where they
// differ by less than the resolution, because then the user would not care.
func (j judging) describe(e evidence, groups []group, name string) *Modes {
	if groups == nil {
		return nil
	}
	m, margin := e.metric, e.metric.margin(resolutionOf(j.design, e.metric.Name))
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(a.mean(), b.mean()) })
	if groups[len(groups)-1].mean()-groups[0].mean() <= margin {
		return nil
	}
	n, k := size(groups), len(groups)
	_, within := scatter(groups)
	sd := math.Sqrt(within / float64(n-k))
	t := tCritical(e.alpha, float64(n-k))
	out := &Modes{Covariate: name}
	for _, g := range groups {
		half := t * sd / math.Sqrt(float64(len(g.in)))
		mode := Mode{
			Label: g.label, Share: float64(len(g.in)) / float64(n),
			Change: m.shown(g.mean()), Lo: m.shown(g.mean() - half), Hi: m.shown(g.mean() + half),
			Verdict: judge(g.mean()-half, g.mean()+half, margin, m.Better),
		}
		for _, p := range g.in {
			mode.Trials = append(mode.Trials, p.trial.Index)
		}
		out.Groups = append(out.Groups, mode)
	}
	out.Text = modesText(out, m.Difference, n)
	if left := len(e.effects) - n; left > 0 {
		out.Text += fmt.Sprintf("; %d more could not be assigned", left)
	}
	return out
}

func modesText(m *Modes, difference bool, n int) string {
	var parts []string
	for i, g := range m.Groups {
		of := fmt.Sprintf("%d of %d", len(g.Trials), n)
		if i == 0 {
			of += " trials"
		}
		part := fmt.Sprintf("%s (%s)", change(g.Change, difference), of)
		if g.Label != "" {
			part = g.Label + ": " + part
		}
		parts = append(parts, part)
	}
	text := fmt.Sprintf("trials fall into %s modes: %s", count(len(m.Groups)), strings.Join(parts, "; "))
	if m.Covariate == "" {
		text += "; nothing that was recorded tells them apart"
	}
	return text
}

// mixture says whether modes answer in place of the mean: a covariate explains
// them, each has trials enough to be more than a chance, and each has its own
// verdict.
func mixture(m *Modes) bool {
	if m == nil || m.Covariate == "" {
		return false
	}
	for _, g := range m.Groups {
		if len(g.Trials) < 3 || g.Verdict == Inconclusive {
			return false
		}
	}
	return true
}
