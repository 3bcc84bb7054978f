package analysis

import (
	"fmt"
	"strings"

	"netab/analysis/stat"

	"netab/analysis/prose"
)

// effectModes looks for a covariate that explains the trials' effects.
func (j judging) effectModes(e evidence) *Modes {
	name, groups := explain(j.points(e), append(pairCovariates(baseline(j.design), e.arm), j.stateCovariate()))
	return j.describe(e, groups, name)
}

// unexplainedModes looks for two clusters that no covariate tells apart.
func (j judging) unexplainedModes(e evidence) *Modes {
	return j.describe(e, j.clusters(e), "")
}

func (j judging) clusters(e evidence) []group {
	return split(j.points(e), stat.Seeded(j.seed, "split", j.design.Arms[e.arm].Name, e.metric.Name))
}

// points are the trials that are quiet enough to be told apart.
func (j judging) points(e evidence) []point {
	var ps []point
	for _, x := range quiet(e.effects) {
		ps = append(ps, point{&j.rec.Trials[x.at], x.x})
	}
	return ps
}

// describe turns groups into Modes; nil where there are none, or where they
// differ by too little.
func (j judging) describe(e evidence, groups []group, name string) *Modes {
	half, ok := j.distinct(e, groups)
	if !ok {
		return nil
	}
	m, margin := e.metric, e.metric.margin(resolutionOf(j.design, e.metric.Name))
	n := size(groups)
	out := &Modes{Covariate: name}
	for _, g := range groups {
		h := half(g)
		out.Groups = append(out.Groups, Mode{
			Label: g.label, Share: float64(len(g.in)) / float64(n),
			Change: m.shown(g.mean()), Lo: m.shown(g.mean() - h), Hi: m.shown(g.mean() + h),
			Verdict: judge(g.mean()-h, g.mean()+h, margin, m.Better), Trials: g.trials(),
		})
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
		part := fmt.Sprintf("%s (%s)", prose.Change(g.Change, difference), of)
		if g.Label != "" {
			part = g.Label + ": " + part
		}
		parts = append(parts, part)
	}
	text := fmt.Sprintf("trials fall into %s modes: %s", prose.Count(len(m.Groups)), strings.Join(parts, "; "))
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
