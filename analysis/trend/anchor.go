package trend

import (
	"math"

	"netab/analysis"
)

// A search for steps is blind to a slope: each of its runs is as the one before it.
// So the newest runs are held against an anchor too, the first runs of the present
// level, which does not move along with them.
const (
	anchorRuns = 20
	newestRuns = 10
	// anchorAlpha is the chance of one night that a level which goes on is taken for
	// one that slid. Neighbouring nights share nine runs of ten, so that a year has
	// some forty nights.
	anchorAlpha = 0.001
)

// A Slide is a level that left its anchor without a step.
type Slide struct {
	From   string  `json:"from"`   // the anchor's first run
	To     string  `json:"to"`     // its last
	Found  string  `json:"found"`  // the run with which it was found first
	Runs   int     `json:"runs"`   // the newest, that are held against the anchor
	Anchor float64 `json:"anchor"` // its level
	Change float64 `json:"change"` // of the newest runs against it, as in a ChangePoint
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`

	Verdict analysis.Verdict `json:"verdict"`
}

// slide holds the newest runs of the present level, which begins at start, against
// its anchor. As a change does, a slide stays news for recent runs; then the runs
// in which it was found are the anchor.
func (c *column) slide(now reading, start, recent int) *Slide {
	xs := now.xs[start:]
	white := whiten(xs, now.alike)
	margin := c.margin(c.resolution)
	anchor := 0
	for m := anchorRuns + newestRuns; m <= len(xs); m++ {
		if m-anchor < anchorRuns+newestRuns || !slid(xs, white, anchor, m, margin) {
			continue
		}
		if len(xs)-m >= recent {
			anchor = m - newestRuns
			continue
		}
		if !slid(xs, white, anchor, len(xs), margin) { // put right meanwhile
			return nil
		}
		was, is := ends(xs, anchor, len(xs))
		delta := mean(is) - mean(was)
		lo, hi := welch(was, is, 0.05)
		w := wider(now.alike)
		out := &Slide{From: c.points[start+anchor].Run, To: c.points[start+anchor+anchorRuns-1].Run, Found: c.points[start+m-1].Run, Runs: newestRuns,
			Anchor: c.off(mean(was)), Change: c.change(delta), Lo: c.change(delta - (delta-lo)*w), Hi: c.change(delta + (hi-delta)*w)}
		if m, ok := analysis.LookupMetric(c.metric); ok {
			out.Verdict = verdict(delta, m.Better)
		}
		return out
	}
	return nil
}

// ends are the anchor's points and the newest ten of the first n.
func ends(xs []float64, anchor, n int) (was, is []float64) {
	return xs[anchor : anchor+anchorRuns], xs[n-newestRuns : n]
}

func slid(xs, white []float64, anchor, n int, margin float64) bool {
	was, is := ends(xs, anchor, n)
	if delta := mean(is) - mean(was); math.Abs(delta) < margin || delta == 0 || !moved(was, is) {
		return false
	}
	was, is = ends(white, anchor, n)
	lo, hi := welch(was, is, anchorAlpha)
	return lo > 0 || hi < 0
}
