package why

import (
	"fmt"
	"math"
	"slices"

	"netab/analysis/prose"
	"netab/results/vocab"
)

// A spent is how the wall time of the limit went by, in shares of its CPUs: it had one,
// it waited for one that others had, or it slept until the other side was ready.
type spent struct{ had, waited, slept float64 }

// spentBy is how the limit of an arm spent its time.
func (c *comparing) spentBy(arm, side int, role vocab.Owner) (s spent, ok bool) {
	r := slices.Index(roles[:], role)
	if r < 0 {
		return spent{}, false
	}
	wall := 0.0
	for _, t := range c.trials {
		on := t.of(arm).on
		s.had += on.roleNS(r)
		s.waited += []float64{float64(on.counts.SourceWait), float64(on.counts.SinkWait)}[r]
		wall += on.wall * c.cores[side][r]
	}
	if wall <= 0 {
		return spent{}, false
	}
	s.had, s.waited = min(1, s.had/wall), min(1, s.waited/wall)
	s.slept = max(0, 1-s.had-s.waited)
	return s, s.had > 0
}

// unclosed says why what is predicted is not what was measured. A rate is the share of
// the time for which the limit had a CPU, by its CPU time per unit, of which the
// prediction is made: where arms differ in the share, that is missing from it.
func (c *comparing) unclosed(e *Explanation) string {
	from, ok := c.spentBy(c.base, 0, e.BaselineRole)
	to, also := c.spentBy(c.arm, 1, e.Role)
	if !ok || !also || e.Gap == nil {
		return ""
	}
	share := math.Log(to.had) - math.Log(from.had)
	rest := math.Log1p(max(*e.Gap, -0.999)) + share // of the gap, which is predicted less measured
	if math.Abs(share) < shareMatters {
		return "its limit had a CPU for as long in both, so the blocks with the accounting and those without it differ by more than it costs: the machine was not steady"
	}
	limit := string(e.Role)
	if e.Role != e.BaselineRole {
		limit = "limit"
	}
	text := fmt.Sprintf("the %s had a CPU for %s of the time in %s and for %s in %s (it waited for one for %s and %s, and slept until the other side was ready for %s and %s), which makes %s",
		limit, prose.WholePercent(from.had), e.Baseline, prose.WholePercent(to.had), e.Arm, prose.WholePercent(from.waited), prose.WholePercent(to.waited),
		prose.WholePercent(from.slept), prose.WholePercent(to.slept), prose.Change(math.Expm1(share), false))
	if math.Abs(rest) > gapBound {
		text += fmt.Sprintf(", and leaves %s that nothing tells", prose.Change(math.Expm1(-rest), false))
	}
	return text
}

// shareMatters is the least difference of the logarithms of shares that is said to make
// a gap.
const shareMatters = 0.01
