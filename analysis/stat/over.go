package stat

import "slices"

// Over is the interval of units that were drawn independently, which holds that of
// the parts that they consist of too: units are few, and whether they differ by more
// than their parts explain is never certain.
type Over struct {
	Sample // of the units
	Units  Method
	Parts  Method
}

// Interval holds both.
func (o Over) Interval(alpha float64) Interval {
	all, parts := o.Units.Interval(alpha), o.Parts.Interval(alpha)
	if parts.Lo < all.Lo || parts.Hi > all.Hi {
		all.By = append(all.By, parts.By...)
	}
	return Interval{min(all.Lo, parts.Lo), max(all.Hi, parts.Hi), slices.Compact(slices.Sorted(slices.Values(all.By)))}
}

// P is the larger of both.
func (o Over) P(least float64) (float64, bool) {
	units, known := o.Units.P(least)
	parts, ok := o.Parts.P(least)
	return max(parts, units), known && ok
}
