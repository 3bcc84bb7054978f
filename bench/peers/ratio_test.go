package main

import (
	"math"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-4 }

func TestRatioBetween(t *testing.T) {
	// Log ratios -0.1, 0, 0.1, 0.2: mean 0.05, sd 0.129099, standard error
	// 0.0645497, and t(0.975, 3) = 3.182446 of any table: 0.05 ± 0.205426.
	var trials [][]float64
	for _, x := range []float64{-0.1, 0, 0.1, 0.2} {
		trials = append(trials, []float64{5 * math.Exp(x), 5, 4})
	}
	for under, want := range map[int]ratio{
		1: {math.Exp(0.05), math.Exp(0.05 - 0.205426), math.Exp(0.05 + 0.205426), 4},
		2: {1.25 * math.Exp(0.05), 1.25 * math.Exp(0.05-0.205426), 1.25 * math.Exp(0.05+0.205426), 4},
	} {
		got := between(trials, 0, under)
		if !near(got.mean, want.mean) || !near(got.lo, want.lo) || !near(got.hi, want.hi) || got.n != want.n {
			t.Errorf("against %d: got %+v, want %+v", under, got, want)
		}
	}
}

// Two take turns in being the faster; over all trials the second is.
func TestFastestIsThatOfAllTrials(t *testing.T) {
	trials := [][]float64{{1, 4, 1}, {1, 1, 2}}
	if got := fastest(trials, []int{1, 2}); got != 1 {
		t.Errorf("got %d, want 1", got)
	}
	if got := fastest(trials, []int{0, 2}); got != 2 {
		t.Errorf("got %d, want 2", got)
	}
}

func TestTotal(t *testing.T) {
	full := outcome{counts: []count{{units: 80, ns: 10}, {units: 100, ns: 10}, {units: 120, ns: 20}}}
	late := outcome{counts: []count{{units: 10, ns: 10}, {units: 999, ns: 10, late: true}, {units: 50, ns: 20}}}
	got, spoiled, err := total([]outcome{full, full, late})
	if err != nil || spoiled != 1 {
		t.Fatalf("%d spoiled, %v; want 1 and no error", spoiled, err)
	}
	if len(got) != 3 || got[0] != 200./30 || got[1] != 200./30 || got[2] != 2 {
		t.Errorf("got %v, want 6.67, 6.67, 2: the spoiled block counts for nobody", got)
	}
	late.counts[0].late, late.counts[2].late = true, true
	if _, _, err := total([]outcome{full, full, late}); err == nil {
		t.Error("a trial without a block that counts: no error")
	}
}
