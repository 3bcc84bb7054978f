package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"netab/analysis/stat"
	"netab/results"
)

// A bootWorld is two sides measured in the same boots.
type bootWorld struct {
	name       string
	boots      int
	runs       [2]int                                  // of each side in each boot
	effect, sd float64                                 // of the second side; of what a boot draws for both
	noise      func(rng *rand.Rand, again int) float64 // of one run, the again-th of its side in its boot
}

// play makes the two sides: runs of nothing but a level.
func (w bootWorld) play(seed uint64) (groups []RunGroup, of reading) {
	rng := rand.New(rand.NewPCG(seed, 5))
	level := map[*results.Run]float64{}
	groups = []RunGroup{{Label: "old"}, {Label: "new"}}
	for b := range w.boots {
		boot := w.sd * rng.NormFloat64()
		for side := range groups {
			for again := range w.runs[side] {
				r := &results.Run{}
				r.Header.Machine.BootID = fmt.Sprint("boot", b)
				level[r] = boot + w.noise(rng, again) + float64(side)*w.effect
				groups[side].Runs = append(groups[side].Runs, r)
			}
		}
	}
	return groups, reading{trials: func(r *results.Run) []float64 { return []float64{level[r]} }}
}

func normal(sd float64) func(*rand.Rand, int) float64 {
	return func(rng *rand.Rand, _ int) float64 { return sd * rng.NormFloat64() }
}

// lottery: each side draws one of two modes in each boot, and keeps it.
func lottery() func(*rand.Rand, int) float64 {
	mode := 0.0
	return func(rng *rand.Rand, again int) float64 {
		if again == 0 {
			mode = 0.03 * float64(rng.IntN(2))
		}
		return mode + 0.002*rng.NormFloat64()
	}
}

// heavy is Student's t with three degrees of freedom.
func heavy(rng *rand.Rand, _ int) float64 {
	chi := 0.0
	for range 3 {
		x := rng.NormFloat64()
		chi += x * x / 3
	}
	return 0.005 * rng.NormFloat64() / math.Sqrt(chi)
}

func crossOf(w bootWorld, seed uint64) (pairs, independent stat.Contrast, x crossing) {
	groups, of := w.play(seed)
	m, _ := LookupMetric("goodput")
	c := comparing{groups: groups}
	x = c.cross(groups[1], m, "off", of)
	independent = stat.Welch(stat.NewSample(groups[0].units(unitBoot, of)), stat.NewSample(groups[1].units(unitBoot, of)))
	return x.contrast, independent, x
}

func differs(c stat.Contrast) bool {
	p, _ := c.P(0)
	return p <= 0.05
}

// TestPairedBootsFindNothing: with pairs, of boots that differ much or not at
// all, a difference that is not there is found no more often than promised.
func TestPairedBootsFindNothing(t *testing.T) {
	manyRuns(t)
	const repeats = 2000
	for _, w := range []bootWorld{
		{"boots differ", 6, [2]int{1, 1}, 0, 0.02, normal(0.004)},
		{"ten boots", 10, [2]int{1, 1}, 0, 0.02, normal(0.004)},
		{"boots are alike", 6, [2]int{1, 1}, 0, 0, normal(0.004)},
		{"more runs of one side", 7, [2]int{1, 4}, 0, 0.02, normal(0.004)},
		{"two modes for each side of a boot", 8, [2]int{2, 2}, 0, 0.02, lottery()},
		{"heavy tails", 8, [2]int{1, 1}, 0, 0.02, heavy},
	} {
		wrong, covered := 0, 0
		for seed := range uint64(repeats) {
			p, _, x := crossOf(w, seed)
			if !x.Paired || x.N != w.boots || x.PSign == nil || x.PPermutation != nil {
				t.Fatalf("%s: not paired: %+v", w.name, x.Comparison)
			}
			if differs(p) {
				wrong++
			}
			if lo, hi := p.Interval(0.05).Ends(); lo <= 0 && 0 <= hi {
				covered++
			}
		}
		t.Logf("%s: %d differences, %d intervals hold the truth, of %d", w.name, wrong, covered, repeats)
		if most := within(0.05, repeats); wrong > most || covered < repeats-most {
			t.Errorf("%s: %d differences and %d intervals that hold the truth, of %d; %d are allowed", w.name, wrong, covered, repeats, most)
		}
	}
}

// TestPairedBootsSeeMore: where boots differ, pairs see what independent boots
// do not; where they are alike, pairs lose little.
func TestPairedBootsSeeMore(t *testing.T) {
	const repeats = 500
	for _, tt := range []struct {
		sd                 float64
		pairs, independent [2]int // least and most of 500
	}{{0.02, [2]int{450, 500}, [2]int{0, 100}}, {0, [2]int{450, 500}, [2]int{450, 500}}} {
		w := bootWorld{boots: 8, runs: [2]int{1, 1}, effect: -0.01, sd: tt.sd, noise: normal(0.004)}
		pairs, independent := 0, 0
		for seed := range uint64(repeats) {
			p, i, _ := crossOf(w, seed)
			if differs(p) {
				pairs++
			}
			if differs(i) {
				independent++
			}
		}
		t.Logf("boots differ by %v: pairs see it %d times of %d, independent boots %d", tt.sd, pairs, repeats, independent)
		if pairs < tt.pairs[0] || pairs > tt.pairs[1] || independent < tt.independent[0] || independent > tt.independent[1] {
			t.Errorf("boots differ by %v: pairs see it %d times, independent boots %d; want %v, %v", tt.sd, pairs, independent, tt.pairs, tt.independent)
		}
	}
}

// inSharedBoots are runs of two configurations in so many boots that differ by
// 3 %; the sides take turns in being first.
func inSharedBoots(boots int, effect float64) []RunGroup {
	groups := []RunGroup{{Label: "old"}, {Label: "new"}}
	rng := rand.New(rand.NewPCG(4, 4))
	for b := range boots {
		draw := 0.03 * rng.NormFloat64()
		for side := range groups {
			r := booted("6.18.0", fmt.Sprint("boot", b), draw+effect*float64(side), 0, 0, uint64(10*b+side))
			r.Header.Started = r.Header.Started.Add(time.Duration(b*24+(side+b)%2) * time.Hour)
			groups[side].Runs = append(groups[side].Runs, r)
		}
	}
	return groups
}

func TestCompareInSharedBoots(t *testing.T) {
	s := CompareGroups(inSharedBoots(7, -0.06), CompareOptions{})
	c := s.find(t, "off")
	if !c.Paired || c.Units != "boot" || c.N != 7 || c.DF != 6 || c.PSign == nil || math.Abs(*c.PSign-2.0/128) > 1e-12 || c.PPermutation != nil {
		t.Errorf("%+v", c)
	}
	if c.Verdict != Regression || c.Lo > math.Expm1(-0.06) || c.Hi < math.Expm1(-0.06) {
		t.Errorf("%s, %v to %v; want a regression about -0.058", c.Verdict, c.Lo, c.Hi)
	}
	g := NewGate(s, nil, gateDay)
	if k := g.Checks[0]; g.Outcome != Worse || !strings.Contains(k.Sure, "How sure: if nothing had changed") || !strings.Contains(k.Sure, "Both sides were measured in the same 7 boots and are compared boot by boot") ||
		!strings.Contains(k.Method, "Student's t over boots (paired: both sides in each), n = 7 boots, df = 6") || !strings.Contains(k.Method, "p (sign flip) = 0.016") {
		t.Errorf("%s: %q, %q", g.Outcome, k.Sure, k.Method)
	}
	for _, w := range s.Warnings {
		if w.Code == "not-paired" || w.Code == "same-order" {
			t.Errorf("warned: %s", w.Text)
		}
	}
}

// TestBootsThatAreNotPaired: what stands in the way of pairs is said, and boots
// count as independent.
func TestBootsThatAreNotPaired(t *testing.T) {
	few := inSharedBoots(5, -0.06)
	partly := inSharedBoots(6, -0.06)
	partly[1].Runs = append(partly[1].Runs[:5:5], booted("6.18.0", "another", -0.06, 0, 0, 99))
	ordered := inSharedBoots(7, -0.06)
	for _, r := range ordered[0].Runs {
		r.Header.Started = r.Header.Started.Add(-12 * time.Hour)
	}
	nameless := inSharedBoots(6, -0.06)
	for _, g := range nameless {
		for _, r := range g.Runs {
			r.Header.Machine.BootID = ""
		}
	}
	for _, tt := range []struct {
		name   string
		groups []RunGroup
		code   string
		text   string
		paired bool
		n      int
	}{
		{"few", few, "not-paired", "old and new were measured in the same 5 boots, which are too few to be compared boot by boot (7)", false, 10},
		{"partly", partly, "not-paired", "old and new share 5 of 7 boots", false, 12},
		{"ordered", ordered, "same-order", "in every boot old was measured before the other", true, 7},
		{"nameless", nameless, "", "", false, 12},
	} {
		s := CompareGroups(tt.groups, CompareOptions{})
		if c := s.find(t, "off"); c.Paired != tt.paired || c.N != tt.n || c.Units != unitBoot {
			t.Errorf("%s: paired %v, n %d %ss", tt.name, c.Paired, c.N, c.Units)
		}
		said := ""
		for _, w := range s.Warnings {
			if w.Code == "not-paired" || w.Code == "same-order" {
				said += string(w.Code) + ": " + w.Text
			}
		}
		if want := tt.code + ": " + tt.text; tt.code != "" && !strings.HasPrefix(said, want) || tt.code == "" && said != "" {
			t.Errorf("%s: said %q, want %q", tt.name, said, tt.text)
		}
	}
	// A metric that one boot lacks on one side is not paired; the others are.
	groups, of := bootWorld{boots: 7, runs: [2]int{1, 1}, noise: normal(0.01)}.play(1)
	lacks := reading{trials: func(r *results.Run) []float64 {
		if r == groups[1].Runs[3] {
			return nil
		}
		return of.trials(r)
	}}
	if _, _, ok := paired(groups[0], groups[1], lacks, 0.05); ok {
		t.Error("paired although a boot has one side only")
	}
	if xs, ys, ok := paired(groups[0], groups[1], of, 0.05); !ok || len(xs) != 7 || len(ys) != 7 {
		t.Errorf("%d and %d values, %v", len(xs), len(ys), ok)
	}
}
