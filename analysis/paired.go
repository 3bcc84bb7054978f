package analysis

import (
	"fmt"
	"slices"

	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeNotPaired = vocab.Warns("not-paired")
	codeSameOrder = vocab.Warns("same-order")
)

// Two builds of netab, or two configurations, can be measured within the same
// boots, as kernels cannot. Then what a boot draws (memory layout, placement)
// is in both sides of it and goes out with their difference. The units are the
// boots still, and each gives one difference; the test is Student's t on these
// (Student 1908, "The probable error of a mean").

// paired are the values of two sides boot by boot. ok = every boot that has a
// value has one of either side, and boots are enough for the signs of their
// differences to reach alpha: below that, boots are taken as independent,
// which needs fewer and errs on the safe side, because what two sides have in
// common makes them no further apart.
func paired(a, b RunGroup, of reading, alpha float64) (xs, ys []float64, ok bool) {
	of1, of2 := a.byBoot(of), b.byBoot(of)
	for _, boot := range a.boots() {
		x, inA := of1[boot]
		y, inB := of2[boot]
		if inA && inB {
			xs, ys = append(xs, x), append(ys, y)
		}
	}
	return xs, ys, len(xs) == len(of1) && len(xs) == len(of2) && len(xs) >= stat.FewestOfTwo(alpha)
}

func differencesOf(xs, ys []float64) []float64 {
	out := make([]float64, len(xs))
	for i := range xs {
		out[i] = ys[i] - xs[i]
	}
	return out
}

// pairing says what boots that two sides share could do, or fail to.
func (c comparing) pairing(g RunGroup, alpha float64) []results.Warning {
	base := c.groups[0]
	a, b := base.boots(), g.boots()
	shared := 0
	for _, boot := range a {
		if slices.Contains(b, boot) {
			shared++
		}
	}
	all, fewest := len(a)+len(b)-shared, stat.FewestOfTwo(alpha)
	switch {
	case shared == 0 || all < 2:
		return nil
	case shared < all:
		return []results.Warning{{Code: codeNotPaired, Text: fmt.Sprintf("%s and %s share %d of %d boots, so boots are taken as independent: measure both in every boot, and they are compared boot by boot, which is sharper",
			base.Label, g.Label, shared, all)}}
	case all < fewest:
		return []results.Warning{{Code: codeNotPaired, Text: fmt.Sprintf("%s and %s were measured in the same %d boots, which are too few to be compared boot by boot (%d): they are taken as independent, which is less sharp",
			base.Label, g.Label, all, fewest)}}
	}
	if first := alwaysFirst(base, g); first != "" {
		return []results.Warning{{Code: codeSameOrder, Text: fmt.Sprintf("in every boot %s was measured before the other: what a boot does to whatever comes later would look like a difference; let them take turns in being first", first)}}
	}
	return nil
}

// alwaysFirst is the side whose first run came first in every boot, "" where
// the sides took turns. Both sides have runs in the same boots.
func alwaysFirst(a, b RunGroup) string {
	wins := 0
	for _, boot := range a.boots() {
		if a.began(boot).Before(b.began(boot)) {
			wins++
		}
	}
	switch wins {
	case 0:
		return b.Label
	case len(a.boots()):
		return a.Label
	}
	return ""
}
