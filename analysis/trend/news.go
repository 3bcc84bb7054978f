package trend

import (
	"math"
	"math/rand/v2"
)

// Whether a change is news is asked of the runs themselves, not of a note that an
// earlier call left behind: what the search would have found in the runs that
// there were then is searched for again. So every call on the same runs says the
// same, and runs that are copied in or deleted need no bookkeeping.

// A reading is what the search makes of the first runs of a series.
type reading struct {
	xs, white []float64 // as measured, and their innovations
	alike     float64   // what was taken out
	bs        []boundary
}

// read searches the first n points.
func (c *column) read(d *divider, n int) reading {
	name, xs := c.seedName(), c.xs()[:n]
	r := reading{xs: xs, alike: takenOut(xs)}
	r.white = whiten(xs, r.alike)
	found := d.candidates(r.white, seeded(name, -1))
	r.bs = hold(xs, r.white, found, c.margin(c.resolution), func(at int) *rand.Rand { return seeded(name, at) })
	return r
}

// nearby is how far apart two searches may put one change.
const nearby = Window / 4

// news are the change points that were first found within the newest recent runs:
// by the number of runs that there were when each was, 0 where it is no news. A
// small change is found long after it happened, and is news then.
//
// What was found and lost again is looked for every recent runs, as long as each
// would have been news.
func (c *column) news(d *divider, now reading, recent int) []int {
	n := len(now.xs)
	found := make([]int, len(now.bs))
	open := 0
	for i, b := range now.bs {
		if n-b.at <= 2*Window { // older ones are in windows that no new run changes
			found[i] = n
			open++
		}
	}
	// forget takes out what a shorter history knew already.
	forget := func(m int) {
		before := c.read(d, m)
		for i, known := range before.knows(now.bs) {
			if known && found[i] != 0 {
				found[i] = 0
				open--
			}
		}
	}
	for m := n - recent; m >= 2*MinSegment && m >= n-2*Window && open > 0; m -= recent {
		forget(m)
	}
	for m := n - 1; m > n-recent && m >= 2*MinSegment && open > 0; m-- {
		before := c.read(d, m)
		any := false
		for i, known := range before.knows(now.bs) {
			if known && found[i] == m+1 {
				found[i], any = m, true
			}
		}
		if !any {
			break
		}
	}
	return found
}

// knows says of each change point of a longer history whether this one has it: one
// in the same direction, at least half as large, to which it is the nearest.
func (r reading) knows(later []boundary) []bool {
	known := make([]bool, len(later))
	for _, b := range r.bs {
		nearest, far := -1, nearby+1
		for i, l := range later {
			if d := max(l.at-b.at, b.at-l.at); d < far && (l.delta > 0) == (b.delta > 0) {
				nearest, far = i, d
			}
		}
		if nearest >= 0 && math.Abs(later[nearest].delta) <= 2*math.Abs(b.delta) {
			known[nearest] = true
		}
	}
	return known
}
