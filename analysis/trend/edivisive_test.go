package trend

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// plainQ is the definition in Matteson and James (2014), equations 5 to 7,
// sum by sum.
func plainQ(x, y []float64) float64 {
	m, n := float64(len(x)), float64(len(y))
	var between, first, second float64
	for _, a := range x {
		for _, b := range y {
			between += math.Abs(a - b)
		}
	}
	for i := range x {
		for k := i + 1; k < len(x); k++ {
			first += math.Abs(x[i] - x[k])
		}
	}
	for i := range y {
		for k := i + 1; k < len(y); k++ {
			second += math.Abs(y[i] - y[k])
		}
	}
	energy := 2/(m*n)*between - 2/(m*(m-1))*first - 2/(n*(n-1))*second
	return m * n / (m + n) * energy
}

func TestBestIsTheDefinition(t *testing.T) {
	d := newDivider()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{8, 9, 17, 50} {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = rng.NormFloat64()
		}
		wantAt, want := 0, math.Inf(-1)
		for t := MinSegment; t+MinSegment <= n; t++ {
			for k := t + MinSegment; k <= n; k++ {
				if q := plainQ(xs[:t], xs[t:k]); q > want {
					wantAt, want = t, q
				}
			}
		}
		at, q := d.best(xs, math.Inf(1))
		if at != wantAt || math.Abs(q-want) > 1e-9 {
			t.Errorf("%d points: split at %d with Q %g, want %d with %g", n, at, q, wantAt, want)
		}
	}
}

// TestSplitKeepsItsBound: the p of a window without change is at most 0.005 as
// often as that says, for every kind of noise that runs are independent in.
func TestSplitKeepsItsBound(t *testing.T) {
	const repeats = 2000
	d := newDivider()
	for _, w := range []world{white, twoModes, heavy, outlier} {
		false1 := 0
		for r := range uint64(repeats) {
			if _, p := d.split(w.series(r, Window), seeded(w.name, int(r))); p <= MaxP {
				false1++
			}
		}
		bound := MaxP*repeats + 3*math.Sqrt(MaxP*(1-MaxP)*repeats)
		t.Logf("%s: %d of %d windows", w.name, false1, repeats)
		if float64(false1) > bound {
			t.Errorf("%s: %d of %d windows without a change have one, want at most %.0f", w.name, false1, repeats, bound)
		}
	}
}

// TestSplitSeesAStep: what is there is found, else the bound above is cheap.
func TestSplitSeesAStep(t *testing.T) {
	d := newDivider()
	seen := 0
	for r := range uint64(100) {
		xs := steps(map[int]float64{25: 0.04})(rand.New(rand.NewPCG(r, 3)), Window)
		if at, p := d.split(xs, seeded("step", int(r))); p <= MaxP && at > 20 && at < 30 {
			seen++
		}
	}
	if seen < 90 {
		t.Errorf("a step of two standard deviations was seen in %d of 100 windows", seen)
	}
}

func TestSearchIsRepeatable(t *testing.T) {
	xs := several.series(1, 120)
	first := found(newDivider(), xs, "a")
	d := newDivider()
	d.candidates(oneStep.series(2, 300), seeded("b", -1)) // a used divider is as good as a new one
	if again := found(d, xs, "a"); !slices.Equal(first, again) {
		t.Errorf("%v, then %v", first, again)
	}
}

func TestSearchOfOddSeries(t *testing.T) {
	d := newDivider()
	flat := make([]float64, 200)
	stair := make([]float64, 120)
	for i := range stair {
		stair[i] = float64(i / 40)
	}
	for _, c := range []struct {
		name string
		xs   []float64
		want []int
	}{
		{"none", nil, nil}, {"one", []float64{1}, nil}, {"seven", make([]float64, 7), nil}, {"flat", flat, nil},
		{"stair without noise", stair, []int{40, 80}},
	} {
		if got := found(d, c.xs, c.name); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
