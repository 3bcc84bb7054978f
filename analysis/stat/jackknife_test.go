package stat

import (
	"math"
	"testing"
)

func less(a, b float64) (float64, bool) { return b - a, true }

// The jackknife of a mean is its standard error: 1 to 5 have sd/sqrt(5) =
// 0.7071.
func TestJackknifeOfMean(t *testing.T) {
	var a, b []Ratio
	for i := range 5 {
		a = append(a, Ratio{0, 1})
		b = append(b, Ratio{float64(i + 1), 1})
	}
	e := Jackknife(a, b, less)
	near(t, "se", e.SE, math.Sqrt(0.5), 1e-12)
	if e.DF != 4 {
		t.Errorf("df = %d, want 4", e.DF)
	}
}

// Twenty blocks in equal pairs are ten independent values: single blocks would
// make the error smaller by sqrt(19/9).
func TestJackknifeGroupsNeighbours(t *testing.T) {
	var a, b []Ratio
	var values []float64
	for i := range 20 {
		x := float64((i / 2) * (i / 2) % 7)
		a = append(a, Ratio{0, 1})
		b = append(b, Ratio{x, 1})
		if i%2 == 0 {
			values = append(values, x)
		}
	}
	e := Jackknife(a, b, less)
	near(t, "se", e.SE, NewSample(values).SE(), 1e-12)
	if e.DF != 9 {
		t.Errorf("df = %d, want 9", e.DF)
	}
}
