package main

import (
	"math"
	"testing"

	"netab/results"
)

// TestContrast: a slice with canaries is held against its own arm's neighbours, and
// only where both have none.
func TestContrast(t *testing.T) {
	slice := func(arm int, bytes int64, canary bool) results.Slice {
		s := results.Slice{Arm: arm, CountedNS: 100, Counts: results.Counts{RxBytes: bytes}}
		if canary {
			s.Canaries = &results.Canaries{}
		}
		return s
	}
	all := []results.Slice{ // arm 1 has nothing to say, but lies between
		slice(0, 100, false), slice(1, 7, false), slice(0, 90, true), slice(1, 7, true), slice(0, 100, false), slice(1, 7, false),
		slice(0, 1, true), slice(1, 7, true), slice(0, 1, true), slice(1, 7, false), slice(0, 100, false), slice(0, 1000, true), slice(1, 7, true),
	}
	m, ok := contrast(all)
	if want := math.Log(0.9) / 3; !ok || math.Abs(m-want) > 1e-12 {
		t.Errorf("%v, %v, want %v", m, ok, want)
	}
	if _, ok := contrast(all[:2]); ok {
		t.Error("a contrast of no canaries")
	}
	var c cost
	c.add([]results.Trial{{Slices: all}, {Invalid: "late", Slices: all}}, 2)
	if c.trials != 1 || c.with != 7 || c.unknown != 7 || len(c.ratios) != 1 {
		t.Errorf("%+v", c)
	}
}
