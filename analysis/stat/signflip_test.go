package stat

import "testing"

// darwin is the difference in height of 15 pairs of plants, crossed and
// self-fertilised, in eighths of an inch (Fisher 1935, The Design of
// Experiments, section 17).
var darwin = []float64{49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48}

// Fisher (1935), section 21: of the 32768 sums 863 are as large as 314 or
// larger, so two-sided it is twice that.
func TestSignFlipDarwin(t *testing.T) {
	near(t, "exact", exactSignFlip(darwin, 314), 2*863.0/32768, 1e-12)
	near(t, "drawn", SignFlip(darwin, Seeded(1, "test")), 2*863.0/32768, 0.007) // 3 s.e. of 9999 draws
}

func TestSignFlip(t *testing.T) {
	for _, tt := range []struct {
		name string
		xs   []float64
		want float64
	}{
		{"all of one sign: 2/2^T", []float64{1, 2, 3, 4, 5, 6, 7, 8}, 2.0 / 256},
		{"rounding does not break ties", []float64{0.1, 0.2, 0.3}, 2.0 / 8},
		{"nothing", []float64{0, 0, 0}, 1},
		// Sums of ±1±1±1 at least 1 away from 0: all eight.
		{"even", []float64{1, 1, -1}, 1},
	} {
		near(t, tt.name, SignFlip(tt.xs, Seeded(1)), tt.want, 1e-12)
	}
}
