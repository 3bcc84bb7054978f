package trend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"netab/analysis"
	"netab/analysis/gate"
)

// A nightly job asks its gate every night. What counts is whether that ever fails:
// it should where something became worse, however slowly, and nowhere else.

func autoregressive(r float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs, x := make([]float64, n), noise*rng.NormFloat64()
		for i := range xs {
			xs[i] = x
			x = r*x + math.Sqrt(1-r*r)*noise*rng.NormFloat64()
		}
		return xs
	}
}

// sliding levels fall by so much a night from the 30th to the 120th.
func sliding(aNight float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs := steps(nil)(rng, n)
		for i := range xs {
			xs[i] -= aNight * float64(max(0, i-30))
		}
		return xs
	}
}

// everyNights are the nights on which the gate is asked: each of its failures lasts
// longer, but for those of the tail, which have a test of their own.
const everyNights = 5

// failures counts series of a world whose gate fails on any night after the first
// from.
func failures(w world, from, series int) int {
	const nights = 120
	failed := 0
	for r := range uint64(series) {
		runs := nightly(w.series(r, nights), nil)
		for n := from; n <= nights; n += everyNights {
			if Analyze(runs[:n], Options{}).Outcome == gate.Worse {
				failed++
				break
			}
		}
	}
	return failed
}

// TestNights counts gates that fail. docs/trend.md has the figures of many series
// (NETAB_TEST_LONG=1).
func TestNights(t *testing.T) {
	for _, c := range []struct {
		world
		from, series int
		found        bool // else at most a twentieth may fail
	}{
		{white, 10, 15, false},
		{world{name: "AR(1) 0.3", make: autoregressive(0.3)}, 10, 0, false},
		{world{name: "AR(1) 0.6", make: autoregressive(0.6)}, 10, 15, false},
		{world{name: "AR(1) 0.8", make: autoregressive(0.8)}, 10, 0, false},
		{heavy, 10, 0, false},
		{twoModes, 10, 0, false},
		{world{name: "step of 3 %", make: steps(map[int]float64{60: math.Log1p(-0.03)})}, 60, 10, true},
		{world{name: "0.1 % a night", make: sliding(0.001)}, 30, 10, true},
	} {
		series := c.series
		if os.Getenv("NETAB_TEST_LONG") != "" {
			series = 100
		}
		if series == 0 {
			continue
		}
		failed := failures(c.world, c.from, series)
		t.Logf("| %s | %d of %d |", c.name, failed, series)
		n := float64(series)
		if most := 0.05*n + 3*math.Sqrt(0.05*0.95*n); !c.found && float64(failed) > most {
			t.Errorf("%s: %d of %d gates fail, want at most %.0f", c.name, failed, series, most)
		}
		if least := 0.9*n - 3*math.Sqrt(0.9*0.1*n); c.found && float64(failed) < least {
			t.Errorf("%s: %d of %d gates fail, want at least %.0f", c.name, failed, series, least)
		}
	}
}

// TestNewsCountsFromDetection: a step that is found long after it happened is news
// for as many runs as any other, from the one with which it was found.
func TestNewsCountsFromDetection(t *testing.T) {
	w := world{make: steps(map[int]float64{60: math.Log1p(-0.03)})}
	for r := range uint64(20) {
		runs := nightly(w.series(r, 110), nil)
		at := 0
		for n := 68; n <= 100; n++ {
			s := only(t, Analyze(runs[:n], Options{}))
			if c := s.News(); c == nil || s.Tail.State != Steady || n-c.Index <= 2*DefaultRecent {
				if c != nil {
					break // found at once: another series
				}
				continue
			} else if c.Found != runs[n-1].ID || s.Outcome != gate.Worse {
				t.Fatalf("series %d: found with run %s, want %s; the gate is %s", r, c.Found, runs[n-1].ID, s.Outcome)
			}
			at = n
			break
		}
		if at == 0 {
			continue
		}
		for n := at; n < at+DefaultRecent; n++ {
			if s := only(t, Analyze(runs[:n], Options{})); s.Outcome != gate.Worse {
				t.Errorf("series %d: %d runs after it was found the gate is %s: %s", r, n-at, s.Outcome, s.Text)
			}
		}
		if s := only(t, Analyze(runs[:at+DefaultRecent], Options{})); s.News() != nil || len(s.Changes) == 0 {
			t.Errorf("series %d: after %d runs it still is news, or no change at all: %+v", r, DefaultRecent, s.Changes)
		}
		return
	}
	t.Error("no series whose step is found late")
}

func TestKnows(t *testing.T) {
	b := func(at int, delta float64) boundary { return boundary{at: at, delta: delta} }
	for name, c := range map[string]struct {
		before, later []boundary
		want          []bool
	}{
		"nothing":             {nil, []boundary{b(60, -1)}, []bool{false}},
		"the same":            {[]boundary{b(60, -1)}, []boundary{b(60, -1)}, []bool{true}},
		"placed elsewhere":    {[]boundary{b(66, -1)}, []boundary{b(60, -1)}, []bool{true}},
		"far away":            {[]boundary{b(80, -1)}, []boundary{b(60, -1)}, []bool{false}},
		"the other direction": {[]boundary{b(60, 1)}, []boundary{b(60, -1)}, []bool{false}},
		"grown to the double": {[]boundary{b(60, -1)}, []boundary{b(60, -2.5)}, []bool{false}},
		"one more beside it":  {[]boundary{b(60, -1)}, []boundary{b(60, -1), b(68, -1)}, []bool{true, false}},
	} {
		if got := (reading{bs: c.before}).knows(c.later); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestSlide: what moves too slowly for a step is held against where it began, is
// news as a change is, and then the level to compare with.
func TestSlide(t *testing.T) {
	slope := func(i int) float64 { return -0.0015 * float64(i) }
	plain := func(n int, level func(i int) float64) *column {
		c := &column{identity: identity{metric: "goodput"}, resolution: 0.01}
		for i := range n {
			c.points = append(c.points, Point{Run: fmt.Sprint(i), x: level(i) + 0.01*float64(i%2)})
		}
		return c
	}
	slid := func(c *column) *Slide {
		xs := c.xs()
		return c.slide(reading{xs: xs, white: xs}, 0, DefaultRecent)
	}
	if s := slid(plain(anchorRuns+newestRuns-1, slope)); s != nil {
		t.Errorf("too few runs: %+v", s)
	}
	if s := slid(plain(200, func(int) float64 { return 0 })); s != nil {
		t.Errorf("a level that goes on: %+v", s)
	}
	first := 0
	for n := anchorRuns + newestRuns; n <= 60 && first == 0; n++ {
		if s := slid(plain(n, slope)); s != nil {
			first = n
			if s.Verdict != analysis.Regression || s.Change >= -0.01 || s.Lo >= s.Change || s.Hi <= s.Change || s.From != "0" || s.Found != fmt.Sprint(n-1) {
				t.Errorf("%+v", s)
			}
		}
	}
	if first == 0 {
		t.Fatal("a slope of 9 % in 60 runs is no slide")
	}
	if s := slid(plain(first+DefaultRecent-1, slope)); s == nil {
		t.Error("a slide is no news any more while it should be")
	}
	if s := slid(plain(first+DefaultRecent, slope)); s != nil {
		t.Errorf("a slide is news for ever: %+v", s)
	}
	// What goes on sliding is found again.
	again := false
	for n := first + DefaultRecent; n <= 120; n++ {
		again = again || slid(plain(n, slope)) != nil
	}
	if !again {
		t.Error("what slides on is not found again")
	}
}

func TestLikeness(t *testing.T) {
	flat := make([]float64, 50)
	if r := likeness(flat); r != 0 {
		t.Errorf("equal runs are alike by %v", r)
	}
	if r := likeness(flat[:fewestAlike-1]); r != 0 {
		t.Errorf("too few runs: %v", r)
	}
	for _, c := range []struct {
		world
		want float64
	}{
		{white, 0}, {oneStep, 0}, {world{name: "a large step", make: steps(map[int]float64{60: -0.5})}, 0}, {outlier, 0}, {twoModes, 0},
		{world{name: "0.6", make: autoregressive(0.6)}, 0.6}, {world{name: "0.8", make: autoregressive(0.8)}, 0.8},
	} {
		sum := 0.0
		for r := range uint64(100) {
			sum += likeness(c.series(r, 120))
		}
		// The estimate is no less than 0, so that its mean is above.
		if got := sum / 100; math.Abs(got-c.want) > 0.12 {
			t.Errorf("%s: alike by %.2f, want %.2f", c.name, got, c.want)
		}
	}
}

// TestWhiten: levels stay where they are, and what a run adds is told.
func TestWhiten(t *testing.T) {
	got := whiten([]float64{1, 1, 1, 3, 3}, 0.5)
	if want := []float64{1, 1, 1, 5, 3}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
