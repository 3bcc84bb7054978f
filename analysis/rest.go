package analysis

import (
	"fmt"
	"maps"
	"slices"

	"netab/analysis/record"
	"netab/results"
)

// Of many arms some are decided long before the others. Where the design says so, an arm
// that has all of its verdicts at a look is measured no more, and the time goes to those
// that are open. Three things have to stay right.
//
// What the look spent is spent, and the arm keeps the verdict that it had there, with the
// alpha of that look and of the trials until then: nothing is judged twice.
//
// The looks that follow share their alpha among the arms that are left. That is what
// Holm's method does with those that it has passed anyhow, so nobody's share is larger
// than where the arm had stayed with the same verdict; that this holds over several looks
// is shown by the closure of Bonferroni tests, each of which spends its share of each
// look (Ye, Li, Liu and Yao 2013, "A group sequential Holm procedure with multiple
// primary endpoints").
//
// Only verdicts leave: an arm whose modes answer in place of its mean stays, because
// nothing was passed there.

// decided are the arms that may rest.
func (j judging) decided(cs []Comparison) (arms []int) {
	base := baseline(j.design)
	for arm := range j.design.Arms {
		if arm == base || j.fixed[arm] != nil {
			continue
		}
		judged, open := false, false
		for i := range cs {
			if c := &cs[i]; c.Judged && c.Arm == j.design.Arms[arm].Name {
				judged, open = true, open || c.Verdict == Inconclusive || puzzles(*c)
			}
		}
		if judged && !open {
			arms = append(arms, arm)
		}
	}
	return arms
}

// fix adds what a look said of arms that rest from then on.
func fix(fixed map[int][]Comparison, d results.Design, arms []int, cs []Comparison, trials int) map[int][]Comparison {
	if len(arms) == 0 {
		return fixed
	}
	if fixed = maps.Clone(fixed); fixed == nil {
		fixed = map[int][]Comparison{}
	}
	for _, arm := range arms {
		fixed[arm] = []Comparison{}
		for _, c := range cs {
			if c.Arm == d.Arms[arm].Name {
				c.RestedAfter = trials
				fixed[arm] = append(fixed[arm], c)
			}
		}
	}
	return fixed
}

// withFixed puts what was said of arms that rest among the comparisons, in the arms'
// order.
func (j judging) withFixed(cs []Comparison) []Comparison {
	if len(j.fixed) == 0 {
		return cs
	}
	var out []Comparison
	for arm, a := range j.design.Arms {
		out = append(out, j.fixed[arm]...)
		for _, c := range cs {
			if c.Arm == a.Name {
				out = append(out, c)
			}
		}
	}
	return out
}

// fixedOf judges the arms of a record that rested before its end, each as the look did
// after which it was not measured any more.
func fixedOf(run *results.Run) map[int][]Comparison {
	d := run.Header.Design
	if !d.RestDecided || len(d.Arms) < 2 {
		return nil
	}
	since := map[int][]int{} // trials -> arms that are in none from there on
	base := baseline(d)
	for arm := range d.Arms {
		at := len(run.Trials)
		for at > 0 && len(run.Trials[at-1].Order) > 0 && !slices.Contains(run.Trials[at-1].Order, arm) {
			at--
		}
		if at < len(run.Trials) && arm != base {
			since[at] = append(since[at], arm)
		}
	}
	if len(since) == 0 {
		return nil
	}
	taken := spendingOf(run).looks
	var fixed map[int][]Comparison
	for _, at := range slices.Sorted(maps.Keys(since)) {
		sifted := sift(d, run.Trials[:at])
		n := sifted.quiet()
		look := slices.IndexFunc(taken, func(l results.Look) bool { return l.Trials == n && l.Alpha > 0 && l.Alpha <= 1 })
		all := record.Of(d, sifted.all)
		all.Parts = partsOf(run)
		j := judging{design: d, rec: sifted.of(all), seed: run.Header.Seed, alpha: alphaOf(d), looks: look + 1, states: statesOf(sifted.judged), fixed: fixed}
		if look >= 0 {
			j.alpha = taken[look].Alpha
		}
		cs := j.comparisons()
		j.besides(cs, sifted, all)
		if look < 0 {
			for i := range cs {
				if cs[i].Judged && cs[i].RestedAfter == 0 {
					cs[i].withhold(fmt.Sprintf("the arm was measured no more after %d trials, and the record has no look there", at))
				}
			}
		}
		fixed = fix(fixed, d, since[at], cs, n)
	}
	return fixed
}
