package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestClusters(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	about := func(mid, spread float64, n int) (out []float64) {
		for range n {
			out = append(out, mid*math.Exp(spread*rng.NormFloat64()))
		}
		return out
	}
	join := func(lists ...[]float64) (out []float64) {
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	var smear []float64
	for i := range 200 {
		smear = append(smear, 60*math.Exp(float64(i)/100))
	}
	for _, tt := range []struct {
		name   string
		values []float64
		want   []float64 // medians
	}{
		{"nothing", nil, nil},
		{"two values", []float64{70, 350}, nil},
		{"one", about(75, 0.1, 200), []float64{75}},
		{"near and far", join(about(75, 0.1, 100), about(340, 0.05, 100)), []float64{75, 340}},
		{"a few far", join(about(75, 0.1, 100), about(340, 0.05, 4)), []float64{75, 340}},
		{"two strays are no state", join(about(75, 0.1, 100), []float64{340, 350}), []float64{75}},
		{"of many, a stray in a hundred is none", join(about(75, 0.1, 1000), about(340, 0.05, 12)), []float64{75}},
		{"strays do not join them", join(about(75, 0.05, 300), []float64{105, 120, 135, 155, 175, 200, 230, 262}, about(300, 0.05, 300)), []float64{75, 300}},
		{"too close", join(about(75, 0.03, 100), about(105, 0.03, 100)), []float64{90}},
		{"three", join(about(40, 0.05, 50), about(110, 0.05, 50), about(350, 0.05, 50)), []float64{40, 110, 350}},
		{"a drift is one", smear, []float64{163}},
		{"nonsense is left out", join(about(75, 0.1, 50), []float64{0, -1, math.NaN(), math.Inf(1)}), []float64{75}},
	} {
		got := Clusters(tt.values, math.Log(1.15), math.Log(1.5))
		if len(got) != len(tt.want) {
			t.Errorf("%s: %d clusters %+v, want %v", tt.name, len(got), got, tt.want)
			continue
		}
		for i, c := range got {
			if mid := math.Exp(c.Mid); math.Abs(mid/tt.want[i]-1) > 0.1 {
				t.Errorf("%s: cluster at %.0f, want %.0f", tt.name, mid, tt.want[i])
			}
		}
	}
}
