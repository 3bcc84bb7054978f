package trend

import (
	"math"

	"netab/analysis/stat"
)

// State says what the newest points of a series say of its present level.
type State string

// The states. A suspect takes one more run, measured because of it, to make a
// change of it.
const (
	Steady   State = "steady"
	Suspect  State = "suspect"
	Changed  State = "changed"
	TooShort State = "too-short"
)

// A Tail compares the newest points with the level before them.
type Tail struct {
	State State `json:"state"`
	// Points of the tail; for a steady series the newest point.
	Points int `json:"points"`
	// Base is how many points make the level that they are compared with.
	Base int `json:"base"`
	// Level, Lo and Hi are that level and its prediction interval for the mean
	// of the tail, in the metric's unit.
	Level float64 `json:"level"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
	// Change of the tail's mean against the level, as in a ChangePoint.
	Change float64 `json:"change"`
}

// tailAlpha is the chance per series and night of a suspect where nothing has
// changed, shared by all lengths of the tail.
const tailAlpha = MaxP

// againAlpha: each single point of a tail of several must lie outside this
// prediction interval, on the same side. Else one outlier would still pull the
// mean of two points out, and the normal run that followed would confirm it.
const againAlpha = 0.10

// A tail is a Tail on the series' scale.
type tail struct {
	state         State
	points, base  int
	level, lo, hi float64
	delta         float64
	// beyond is how far the innovations of its runs are from the level's, on the side
	// that delta is on, in half-widths of what is foretold.
	beyond float64
}

// judgeTail compares the last points of the present level with the points
// before them. Of the tails that confirm themselves, else of those that are
// suspect, the one that lies furthest outside tells where the new level began.
// A tail as long as a segment is the search's business too. No single run makes
// a tail of several: what the others say without it must matter too. (Where a
// level has no spread, whatever is not on it is outside.)
//
// The prediction interval of the mean of k new points, given n of the level,
// is mean ± t(n-1) · s · sqrt(1/k + 1/n) (Hahn and Meeker 1991, "Statistical
// Intervals", 4.7). Where neighbours are alike, it is of the innovations, and what
// the runs before foretell moves the interval.
func judgeTail(segment []float64, alike, margin float64) tail {
	white := whiten(segment, alike)
	if len(segment) < MinSegment+1 {
		return tail{state: TooShort}
	}
	found := predict(segment, white, alike, 1, tailAlpha/MinSegment)
	found.state = Steady
	furthest := 0.0
	for k := min(MinSegment, len(segment)-MinSegment); k >= 1; k-- {
		t := predict(segment, white, alike, k, tailAlpha/MinSegment)
		far := t.beyond
		if t.delta == 0 || !(far > 1) || math.Abs(t.delta) < margin || !allOut(white, k, t.delta) || madeByOne(segment, k, t, margin) {
			continue
		}
		if t.state = Suspect; confirmed(white, k, t.delta) {
			t.state = Changed
		}
		better := t.state == Changed && found.state != Changed
		if better || t.state == found.state && far > furthest || found.state == Steady {
			found, furthest = t, far
		}
	}
	return found
}

func predict(segment, white []float64, alike float64, k int, alpha float64) tail {
	base, last := baseOf(white, k)
	m, sd := meanSD(base)
	n := float64(len(base))
	h := sd * math.Sqrt(1/float64(k)+1/n) * stat.Critical(alpha, n-1)
	new := mean(last) - m
	levelled, newest := baseOf(segment, k)
	level := mean(levelled)
	t := tail{points: k, base: len(base), level: level, delta: mean(newest) - level}
	t.beyond = new * math.Copysign(1, t.delta) / h
	foretold := mean(newest) - (1-alike)*new
	t.lo, t.hi = foretold-(1-alike)*h, foretold+(1-alike)*h
	return t
}

// baseOf splits a segment into its last k points and what they are compared
// with, a window of it at most: a level that wanders is known by its newest
// part.
func baseOf(segment []float64, k int) (base, last []float64) {
	cut := len(segment) - k
	return segment[max(0, cut-Window):cut], segment[cut:]
}

// allOut says whether each of the last k points by itself is outside.
func allOut(white []float64, k int, delta float64) bool {
	base, last := baseOf(white, k)
	return k == 1 || outside(base, last, delta, againAlpha) == k
}

// madeByOne says whether a tail of several would not matter, or lie on the other
// side, without the run that is furthest from the level.
func madeByOne(segment []float64, k int, t tail, margin float64) bool {
	if k == 1 {
		return false
	}
	side := math.Copysign(1, t.delta)
	_, last := baseOf(segment, k)
	sum, furthest := 0.0, math.Inf(-1)
	for _, x := range last {
		d := side * (x - t.level)
		sum, furthest = sum+d, max(furthest, d)
	}
	return (sum-furthest)/float64(k-1) < margin
}

// confirmed: a run before the newest was a suspect by itself, and the runs
// after it, which are the second measurement, agreed (allOut). Several points
// that are only together too far off stay suspect: else a level that goes on
// would be called changed as often as it is called suspect.
func confirmed(white []float64, k int, delta float64) bool {
	base, last := baseOf(white, k)
	return k > 1 && outside(base, last[:k-1], delta, tailAlpha/MinSegment) > 0
}

// outside counts the points outside the prediction interval for one point, on
// the side of delta.
func outside(base, points []float64, delta, alpha float64) int {
	m, sd := meanSD(base)
	n := float64(len(base))
	h := sd * math.Sqrt(1+1/n) * stat.Critical(alpha, n-1)
	count := 0
	for _, x := range points {
		if (x-m)*math.Copysign(1, delta) > h {
			count++
		}
	}
	return count
}
