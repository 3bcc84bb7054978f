package stat

import "testing"

// A percentile's bootstrap takes trials for independent, so it is stretched.
func TestStretchedBootstrap(t *testing.T) {
	b := Bootstrap{n: 20, at: 1, draws: []float64{0, 1, 3}, se: 0.5}
	s := b.Stretched(2)
	if s.at != 1 || s.se != 1 || s.draws[0] != -1 || s.draws[2] != 5 || b.draws[0] != 0 {
		t.Errorf("%+v of %+v", s, b)
	}
}
