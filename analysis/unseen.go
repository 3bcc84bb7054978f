package analysis

import (
	"fmt"
	"slices"

	"netab/analysis/stat"
	"netab/results"
)

// unseenOnSides is unseen of two sides that are not paired, whose units are all
// alike: trials is how many the side with fewer of them has.
func unseenOnSides(m Metric, a, b []float64, trials int, alpha float64) string {
	if need := stat.FewestOfRare(alpha); m.Difference && stat.Flat(a) && stat.Flat(b) && trials < need {
		return fmt.Sprintf("nothing happened in %d trials, and to see what happens in one of ten takes %d on each side", trials, need)
	}
	return ""
}

// unseen says why a claim of no change must wait, "" where it need not: a metric
// that can be zero is the same in most trials, to the last digit.
func (e evidence) unseen(d results.Design) string {
	if !e.metric.Difference || len(e.effects) == 0 {
		return ""
	}
	xs := values(e.effects)
	mid := stat.Median(slices.Clone(xs))
	same := 0
	for _, x := range xs {
		if stat.Flat([]float64{x, mid}) {
			same++
		}
	}
	need := stat.FewestOfRare(1 - confidence(d))
	if 2*same <= len(xs) || len(xs) >= need {
		return ""
	}
	return fmt.Sprintf("nothing happened in %d of %d trials, and to see what happens in one of ten takes %d", same, len(xs), need)
}
