package analysis

import (
	"math"
	"testing"

	"netab/results"
)

// TestWander: no data is no wander, and certainly not a small one.
func TestWander(t *testing.T) {
	slicesOf := func(bytes ...int64) (out []results.Slice) {
		for _, b := range bytes {
			out = append(out, results.Slice{CountedNS: 1e9, Counts: results.Counts{RxBytes: b}})
		}
		return out
	}
	for _, tt := range []struct {
		name   string
		slices []results.Slice
		want   Wander
		known  bool
	}{
		{"none", nil, Wander{}, false},
		{"one", slicesOf(5), Wander{Slices: 1}, false},
		{"nothing received", slicesOf(make([]int64, 40)...), Wander{Slices: 40, Silent: 40}, false},
		{"few", slicesOf(1, 1, 1), Wander{Mean: 8, Slices: 3}, false},
		{"steady", slicesOf(2, 2, 2, 2, 2, 2, 2, 2, 2, 2), Wander{Mean: 16, Slices: 10}, true},
		{"up and down", slicesOf(1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3), Wander{Mean: 16, CV: math.Sqrt(12./11) / 2, AdjacentCV: math.Sqrt(2) / 2, Slices: 12}, true},
		{"invalid slices do not count", append(slicesOf(7), results.Slice{CountedNS: 1, Invalid: "stalled", Counts: results.Counts{RxBytes: 1}}), Wander{Slices: 1}, false},
	} {
		got := WanderOf(tt.slices, 0)
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
		if got.Slices != tt.want.Slices || got.Silent != tt.want.Silent || got.Known() != tt.known ||
			!near(got.Mean, tt.want.Mean) || !near(got.CV, tt.want.CV) || !near(got.AdjacentCV, tt.want.AdjacentCV) {
			t.Errorf("%s: %+v (known %v), want %+v (%v)", tt.name, got, got.Known(), tt.want, tt.known)
		}
	}
}
