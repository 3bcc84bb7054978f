package stat

import "testing"

// The example of Holm's procedure: of 0.01, 0.04, 0.03, 0.005 at 5 % the last
// and the first pass, and 0.03 > 0.025 stops it.
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005}, 0.05)
	for i, want := range []float64{0.05 / 3, 0.025, 0.025, 0.0125} {
		near(t, "share", got[i], want, 1e-12)
	}
}
