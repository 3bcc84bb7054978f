package stat

import "testing"

func TestOutliers(t *testing.T) {
	// Median 3, absolute deviations 2 1 0 1 97, their median 1: bound 14.8.
	got := Outliers([]float64{1, 2, 3, 4, 100})
	if len(got) != 1 || got[0] != 4 {
		t.Errorf("outliers at %v, want 4", got)
	}
	if got := Outliers([]float64{1, 2, 3, 4, 17}); len(got) != 0 {
		t.Errorf("outliers at %v, want none", got)
	}
	// Without a median deviation: the mean one is 1/16, the bound 0.78.
	if got := Outliers([]float64{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}); len(got) != 1 || got[0] != 3 {
		t.Errorf("outliers at %v, want 3", got)
	}
}
