package figure

import (
	"math"

	"netab/analysis"
	"netab/analysis/prose"
)

// ChangeScale is that of the change column: percents, or for differences the
// scale of the metric itself.
func ChangeScale(cs []analysis.Comparison, level Scale) Scale {
	s := Scale{Div: 0.01, Unit: "%"}
	var halves, tops []float64
	for _, c := range cs {
		if c.Difference {
			s = level
			if s.Unit == "%" {
				s.Unit = "points"
			}
		}
		halves = append(halves, (c.Hi-c.Lo)/2)
		tops = append(tops, max(math.Abs(c.Change), (c.Hi-c.Lo)/2))
	}
	s.Decimals = 1
	if s.Wide = Largest(tops)/s.Div >= 1000; s.Wide { // factors, not percents, are compared
		s.Decimals = 1
		return s
	}
	if h := Smallest(halves); h > 0 {
		s.Decimals = min(max(1-prose.Magnitude(roundTo2(h/s.Div)), 0), 2)
	}
	return s
}

// Interval is both ends without their unit: "+5.9 to +8.8".
func Interval(s Scale, lo, hi float64) string {
	return TrimBlanks(s.Signed(lo)) + " to " + s.Signed(hi)
}
