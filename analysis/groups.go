package analysis

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"netab/analysis/record"
	"netab/analysis/stat"
)

const (
	// modeAlpha is the level for calling a covariate the explanation, shared
	// among all that were tried.
	modeAlpha = 0.01
	// modeShare is the part of the trials' variance that it must explain: the
	// right covariate explains nearly all, a mere correlate does not.
	modeShare = 0.5
)

// A point is one trial's value, with what is needed to group it.
type point struct {
	trial *record.Trial
	x     float64
}

// A group is the points that share a label.
type group struct {
	label string
	in    []point
}

// explain returns the covariate that explains most of the points' variance,
// and the groups that it makes; nil where none explains enough.
//
// The test is the F of a one-way analysis of variance, times the number of
// covariates that could be tried (Bonferroni). A permutation test would assume
// less, but with four trials in each of two groups it cannot go below 0.03,
// however far apart they are, and eight trials have to be enough.
func explain(points []point, covs []covariate) (name string, best []group) {
	tried := 0
	bestP := math.Inf(1)
	for _, c := range covs {
		groups := groupBy(points, c)
		p, share, ok := stat.Anova(valuesOf(groups))
		if !ok {
			continue
		}
		tried++
		if share >= modeShare && p < bestP {
			name, best, bestP = c.name, groups, p
		}
	}
	if bestP*float64(tried) > modeAlpha {
		return "", nil
	}
	return name, best
}

// groupBy puts points into groups by label. A trial alone is no group: what it has
// for itself may be anything, a neighbour's burst of load above all. Where more
// than a fifth of the points are in no group, the covariate cannot be the
// explanation.
func groupBy(points []point, c covariate) []group {
	var groups []group
	for _, p := range points {
		label := c.label(p.trial)
		if label == "" {
			continue
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.label == label })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{label: label})
		}
		groups[i].in = append(groups[i].in, p)
	}
	groups = slices.DeleteFunc(groups, func(g group) bool { return len(g.in) < 2 })
	if 5*size(groups) < 4*len(points) {
		return nil
	}
	return groups
}

func size(groups []group) int {
	n := 0
	for _, g := range groups {
		n += len(g.in)
	}
	return n
}

func (g group) trials() []int {
	var out []int
	for _, p := range g.in {
		out = append(out, p.trial.Index)
	}
	return out
}

func (g group) mean() float64 {
	m := 0.0
	for _, p := range g.in {
		m += p.x / float64(len(g.in))
	}
	return m
}

// valuesOf are the groups without what they are of.
func valuesOf(groups []group) [][]float64 {
	out := make([][]float64, len(groups))
	for i, g := range groups {
		for _, p := range g.in {
			out[i] = append(out[i], p.x)
		}
	}
	return out
}

// split cuts the points in two, where they fall apart so cleanly that chance does
// it in modeAlpha of cases at most.
func split(points []point, rng *rand.Rand) []group {
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	cut := stat.Split(valuesOf([]group{{in: sorted}})[0], modeAlpha, rng)
	if cut == 0 {
		return nil
	}
	return []group{{in: sorted[:cut]}, {in: sorted[cut:]}}
}
