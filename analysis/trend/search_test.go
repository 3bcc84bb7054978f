package trend

import (
	"math"
	"testing"
)

// near counts the truths with a change point within two points of them.
func near(truth, got []int) int {
	n := 0
	for _, t := range truth {
		for _, g := range got {
			if g >= t-2 && g <= t+2 {
				n++
				break
			}
		}
	}
	return n
}

func TestChangesAreFound(t *testing.T) {
	const repeats = 40
	d := newDivider()
	for _, w := range []world{oneStep, several} {
		hits, all, extra := 0, 0, 0
		for r := range uint64(repeats) {
			got := found(d, w.series(r, 120), w.name)
			hits += near(w.truth, got)
			all += len(w.truth)
			extra += max(0, len(got)-len(w.truth))
		}
		t.Logf("%s: %d of %d found, %d more", w.name, hits, all, extra)
		if hits < all*95/100 || extra > repeats/20 {
			t.Errorf("%s: %d of %d within two points, %d that are not there", w.name, hits, all, extra)
		}
	}
}

// TestNoChangeNoChangePoint bounds what reaches the reader: a series of n
// points has n/25 windows, each with its p.
func TestNoChangeNoChangePoint(t *testing.T) {
	const repeats, n = 250, 120
	d := newDivider()
	windows := math.Ceil(float64(n-Window)/(Window/2)) + 1
	for _, w := range []world{white, outlier, twoOutliers, twoModes, heavy} {
		points := 0
		for r := range uint64(repeats) {
			points += len(found(d, w.series(r, n), w.name))
		}
		mean := windows * MaxP * repeats
		t.Logf("%s: %d in %d series, at most %.0f expected", w.name, points, repeats, mean)
		if float64(points) > mean+3*math.Sqrt(mean) {
			t.Errorf("%s: %d change points in %d series without any, want at most %.0f", w.name, points, repeats, mean+3*math.Sqrt(mean))
		}
	}
}

// TestDriftIsCalledDrift: stairs cut into a slope are said to be a slope, and
// real steps are not.
func TestDriftIsCalledDrift(t *testing.T) {
	const repeats = 40
	d := newDivider()
	called := func(w world) (n, withStairs int) {
		for r := range uint64(repeats) {
			xs := w.series(r, 120)
			bs := held(d, xs, w.name)
			if len(bs) >= fewestStairs {
				withStairs++
			}
			if _, _, ok := drifts(xs, bs); ok {
				n++
			}
		}
		return n, withStairs
	}
	slope, stairs := called(drift)
	t.Logf("drift: %d of %d called so, %d with stairs", slope, repeats, stairs)
	if stairs < repeats*9/10 || slope < stairs*9/10 {
		t.Errorf("a drift of 20 %% was called one in %d of %d series (%d with stairs)", slope, repeats, stairs)
	}
	down := world{name: "three steps down", make: steps(map[int]float64{30: -0.08, 60: -0.08, 90: -0.08})}
	if n, stairs := called(down); n > repeats/20 || stairs < repeats*9/10 {
		t.Errorf("three steps in one direction were called a drift in %d of %d series (%d with all steps)", n, repeats, stairs)
	}
}
