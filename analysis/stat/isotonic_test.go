package stat

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func points(values ...float64) []Point { // x, y, ...
	var ps []Point
	for i := 0; i < len(values); i += 2 {
		ps = append(ps, Point{X: math.Log(values[i]), Y: values[i+1], Weight: 1})
	}
	return ps
}

// The fits are those of R's isoreg on the means at each x, weighted.
func TestIsotonic(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []Point
		want []float64
	}{
		{"in order", points(1, 0, 2, 0, 3, 1), []float64{0, 0, 1}},
		{"violators are pooled", points(1, 0, 2, 1, 3, 0, 4, 1), []float64{0, 0.5, 0.5, 1}},
		{"pooling runs back", points(1, 0, 2, 1, 3, 1, 4, 0, 5, 0, 6, 1), []float64{0, 0.5, 0.5, 0.5, 0.5, 1}},
		{"equal x first", points(2, 1, 1, 0, 2, 0, 2, 0, 3, 0), []float64{0, 0.25, 0.25}},
		{"falling throughout", points(1, 1, 2, 0), []float64{0.5, 0.5}},
		{"nothing", nil, nil},
	} {
		var got []float64
		for _, r := range Isotonic(tt.in) {
			got = append(got, r.Y)
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
