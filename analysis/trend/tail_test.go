package trend

import (
	"math"
	"math/rand/v2"
	"testing"
)

// level is n points on one level, and then those given.
func level(r uint64, n int, then ...float64) []float64 {
	xs := steps(nil)(rand.New(rand.NewPCG(r, 4)), n)
	return append(xs, then...)
}

// TestTailKeepsItsBound: on a level that goes on, one night in two hundred is
// suspect, and next to none is taken for a change.
func TestTailKeepsItsBound(t *testing.T) {
	const repeats = 4000
	suspects, changed := 0, 0
	for r := range uint64(repeats) {
		switch judgeTail(level(r, 20), 0, 0.001).state {
		case Suspect:
			suspects++
		case Changed:
			changed++
		}
	}
	t.Logf("%d suspects, %d changed of %d", suspects, changed, repeats)
	bound := tailAlpha*repeats + 3*math.Sqrt(tailAlpha*repeats)
	if float64(suspects+changed) > bound {
		t.Errorf("%d suspects and %d changes on %d steady levels, want at most %.0f", suspects, changed, repeats, bound)
	}
	if changed > 2 {
		t.Errorf("%d of %d steady levels were called changed, and not only suspect", changed, repeats)
	}
}

// TestTailOfFlatLevel: where runs vary by nothing, as paced traffic does, one run
// at half is a suspect by itself, and never makes a change of those before it.
func TestTailOfFlatLevel(t *testing.T) {
	half, tiny := -math.Ln2, -1e-6
	for _, c := range []struct {
		name   string
		then   []float64
		want   State
		points int
		delta  float64
	}{
		{"nothing", []float64{0, 0, 0, 0}, Steady, 1, 0},
		{"one at half", []float64{half}, Suspect, 1, half},
		{"three on the level, one at half", []float64{0, 0, 0, half}, Suspect, 1, half},
		{"a hair off, one at half", []float64{tiny, tiny, tiny, half}, Suspect, 1, half},
		{"two at half", []float64{0, 0, half, half}, Changed, 2, half},
		{"one at half before", []float64{half, 0}, Steady, 1, 0},
	} {
		xs := make([]float64, 26)
		for i := range xs {
			xs[i] = math.Log(40e9)
		}
		for _, d := range c.then {
			xs = append(xs, math.Log(40e9)+d)
		}
		got := judgeTail(xs, 0, math.Log1p(0.01))
		if got.state != c.want || got.points != c.points || math.Abs(got.delta-c.delta) > 0.03 {
			t.Errorf("%s: %s of %d runs by %.3f, want %s of %d by %.3f", c.name, got.state, got.points, got.delta, c.want, c.points, c.delta)
		}
		if r := likeness(xs[:26]); r != 0 {
			t.Errorf("%s: equal runs are alike by %.2f, want 0", c.name, r)
		}
	}
}

// TestTail: what a night, and the measurement after it, make of a level of
// twenty points that vary by 2 %.
func TestTail(t *testing.T) {
	for _, c := range []struct {
		name string
		then []float64
		want State
	}{
		{"nothing", nil, Steady},
		{"one bad night", []float64{-0.15}, Suspect},
		{"a good night", []float64{0.15}, Suspect},
		{"confirmed", []float64{-0.15, -0.14}, Changed},
		{"a normal night after a bad one", []float64{-0.15, 0.001}, Steady},
		{"a very bad night, then a normal one", []float64{-0.9, -0.005}, Steady},
		{"bad, then good", []float64{-0.15, 0.15}, Suspect},
		{"three nights", []float64{-0.12, -0.13, -0.12}, Changed},
		{"three nights a little low", []float64{-0.05, -0.05, -0.05}, Suspect},
	} {
		if got := judgeTail(level(1, 20, c.then...), 0, math.Log1p(0.01)); got.state != c.want {
			t.Errorf("%s: %s, want %s (%+v)", c.name, got.state, c.want, got)
		}
	}
}

// TestTailBeginsWhereTheLevelDoes: a night that was a little low by chance is
// not counted among those that are off.
func TestTailBeginsWhereTheLevelDoes(t *testing.T) {
	for _, c := range []struct {
		then []float64
		want int
	}{
		{[]float64{-0.038, -0.15}, 1}, {[]float64{-0.038, -0.15, -0.14}, 2}, {[]float64{-0.14, -0.15, -0.14}, 3}, {[]float64{-0.14, -0.15, -0.14, -0.15}, 4},
	} {
		if got := judgeTail(level(1, 20, c.then...), 0, 0.01); got.points != c.want || got.state == Steady {
			t.Errorf("%v: %s of %d, want %d", c.then, got.state, got.points, c.want)
		}
	}
}

func TestTailNeedsALevel(t *testing.T) {
	for n := range MinSegment + 1 {
		if got := judgeTail(make([]float64, n), 0, 0.01); got.state != TooShort {
			t.Errorf("%d points: %s", n, got.state)
		}
	}
	// What is smaller than the resolution is no suspect, however steady the level.
	xs := append(make([]float64, 20), 0.005)
	if got := judgeTail(xs, 0, 0.01); got.state != Steady {
		t.Errorf("half the resolution: %s", got.state)
	}
}
