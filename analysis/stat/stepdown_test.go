package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestStepDown(t *testing.T) {
	up := [][]float64{{1, 2, 3, 4, 5}}
	down := [][]float64{{11, 12.5, 13, 14, 15}}
	smallest := 2.0 / 252
	for _, tt := range []struct {
		name string
		a, b [][]float64
		want []float64
	}{
		{"one", up, down, []float64{smallest}},
		{"eight that go together", repeat(up, 8), repeat(down, 8), repeatP(smallest, 8)},
		{"nothing", [][]float64{{1, 2, 3}}, [][]float64{{1, 2, 3}}, []float64{1}},
		{"no scatter", [][]float64{{1, 1, 1, 1}}, [][]float64{{2, 2, 2, 2}}, []float64{2.0 / 70}},
		{"all alike", [][]float64{{1, 1, 1, 1}}, [][]float64{{1, 1, 1, 1}}, []float64{1}},
		{"a unit without a value", [][]float64{{1, 2, math.NaN(), 4, 5}}, down, []float64{smallest}},
		{"one unit", [][]float64{{1}}, [][]float64{{2, 3}}, []float64{1}},
		{"no unit", [][]float64{{}}, [][]float64{{2, 3}}, []float64{1}},
		{"no comparison", nil, nil, []float64{}},
	} {
		got := StepDown(tt.a, tt.b, nil)
		if len(got) != len(tt.want) {
			t.Fatalf("%s: %v", tt.name, got)
		}
		for j := range got {
			if math.Abs(got[j]-tt.want[j]) > 1e-12 {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
	}
	// One comparison is Exchange's, but for its statistic.
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := normals(rng, 20, 0), normals(rng, 20, 0.6)
	w, _ := Welch(NewSample(a), NewSample(b)).P(0)
	if p := StepDown([][]float64{a}, [][]float64{b}, rng)[0]; math.Abs(p-w) > 0.02 {
		t.Errorf("by permutation %v, by t %v", p, w)
	}
}

func repeat(x [][]float64, n int) (out [][]float64) {
	for range n {
		out = append(out, x[0])
	}
	return out
}

func repeatP(p float64, n int) (out []float64) {
	for range n {
		out = append(out, p)
	}
	return out
}

func normals(rng *rand.Rand, n int, mean float64) (out []float64) {
	for range n {
		out = append(out, mean+rng.NormFloat64())
	}
	return out
}

// TestStepDownFamily: of eight comparisons of which three differ, one of the other five
// is found in 5 % at most, whether units draw modes or not, and each for itself or not.
func TestStepDownFamily(t *testing.T) {
	const times, units, comparisons = 1500, 5, 8
	for _, modes := range []bool{false, true} {
		for _, shared := range []float64{0, 3} {
			rng := rand.New(rand.NewPCG(3, 4))
			wrong := 0
			for range times {
				a, b := make([][]float64, comparisons), make([][]float64, comparisons)
				for range units {
					for side, to := range [][][]float64{a, b} {
						common := shared * rng.NormFloat64()
						for j := range to {
							x := common + rng.NormFloat64()
							if modes {
								x = common + 10*float64(rng.IntN(2)) + 0.1*rng.NormFloat64()
							}
							if side == 1 && j < 3 {
								x += 30
							}
							to[j] = append(to[j], x)
						}
					}
				}
				for _, p := range StepDown(a, b, rng)[3:] {
					if p <= 0.05 {
						wrong++
						break
					}
				}
			}
			t.Logf("modes %v, shared %v: %d of %d", modes, shared, wrong, times)
			if most := within(0.05, times); wrong > most {
				t.Errorf("modes %v, shared %v: %d of %d find what is not there, at most %d may", modes, shared, wrong, times, most)
			}
		}
	}
}
