// Package figure writes figures as people read them: a metric's title and unit, one
// number of decimals for all of a column, changes with their sign.
package figure

import (
	"math"
	"strconv"
	"strings"

	"netab/analysis/prose"
)

// A Scale shows numbers of one column or axis: all divided alike and with the
// same number of decimals, so that they align.
type Scale struct {
	Div      float64
	Unit     string
	Decimals int
	// Wide: the numbers span so much that no number of decimals suits all of
	// them. Each gets three significant digits, and blanks as wide as digits
	// keep the decimal points aligned.
	Wide bool
}

// Text writes x without its unit.
func (s Scale) Text(x float64) string {
	v := x / s.Div
	if !s.Wide {
		return strconv.FormatFloat(clean(v, s.Decimals), 'f', s.Decimals, 64)
	}
	decimals := min(prose.Decimals(math.Abs(v), 3), s.Decimals)
	return strconv.FormatFloat(clean(v, decimals), 'f', decimals, 64) + s.blanks(decimals)
}

// blanks stand for the decimals that a number has less than its column.
func (s Scale) blanks(decimals int) string {
	text := strings.Repeat(figureSpace, s.Decimals-decimals)
	if decimals == 0 && s.Decimals > 0 {
		text = pointSpace + text
	}
	return text
}

// Blanks as wide as a digit and as a decimal point.
const (
	figureSpace = "\u2007"
	pointSpace  = "\u2008"
)

// Span is how much larger than the smallest number the largest may be before
// a column becomes wide.
const Span = 30

// With writes x with its unit.
func (s Scale) With(x float64) string {
	if s.Unit == "" {
		return TrimBlanks(s.Text(x))
	}
	return TrimBlanks(s.Text(x)) + " " + s.Unit
}

// Signed writes x without its unit and always with a sign, save a plain 0.
func (s Scale) Signed(x float64) string {
	text := s.Text(x)
	if x > 0 && strings.ContainsAny(text, "123456789") {
		return "+" + text
	}
	return text
}

// TrimBlanks is for numbers that stand in a sentence.
func TrimBlanks(s string) string { return strings.TrimRight(s, figureSpace+pointSpace) }

// clean makes a number that would be shown as "-0.0" a plain zero.
func clean(x float64, decimals int) float64 {
	if math.Abs(x) < 0.5*math.Pow10(-decimals) {
		return 0
	}
	return x
}

// siPrefixes are the decimal prefixes that rates use here.
var siPrefixes = []struct {
	div    float64
	prefix string
}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}

// SIScale chooses the prefix by the largest value to show and the decimals by
// the smallest half-width of their intervals: two significant digits of it.
func SIScale(unit string, values, halves []float64) Scale {
	s := Scale{Div: 1, Unit: unit}
	top := Largest(values)
	for _, p := range siPrefixes {
		if top >= p.div {
			s.Div = p.div
			s.Unit = p.prefix + unit
			break
		}
	}
	return s.fit(values, halves)
}

// LatencyScale shows µs as such until the largest is a long number.
func LatencyScale(values, halves []float64) Scale {
	s := Scale{Div: 1, Unit: "µs"}
	switch top := Largest(values); {
	case top >= 1e7:
		s.Div, s.Unit = 1e6, "s"
	case top >= 1e4:
		s.Div, s.Unit = 1e3, "ms"
	}
	return s.fit(values, halves)
}

// PercentScale shows fractions as percents.
func PercentScale(values, halves []float64) Scale {
	return Scale{Div: 0.01, Unit: "%"}.fit(values, halves)
}

// plainScale shows numbers as they are.
func plainScale(unit string, values, halves []float64) Scale {
	return Scale{Div: 1, Unit: unit}.fit(values, halves)
}

// fit chooses the decimals for the numbers of a column.
func (s Scale) fit(values, halves []float64) Scale {
	top, low := Largest(values)/s.Div, Smallest(values)/s.Div
	if s.Wide = low > 0 && top > Span*low; s.Wide {
		s.Decimals = prose.Decimals(low, 3)
		return s
	}
	s.Decimals = DecimalsFor(Smallest(halves)/s.Div, top)
	return s
}

// DecimalsFor is how many decimals show two significant digits of half, the
// uncertainty. More than four significant digits of the value itself are never
// useful; without an uncertainty three are shown.
func DecimalsFor(half, top float64) int {
	digits := 3
	if half > 0 && !math.IsInf(half, 0) {
		return min(max(1-prose.Magnitude(roundTo2(half)), 0), prose.Decimals(top, 4))
	}
	return prose.Decimals(top, digits)
}

// roundTo2 rounds to two significant digits, so that 0.0996 counts as 0.10.
func roundTo2(x float64) float64 {
	p := math.Pow10(1 - prose.Magnitude(x))
	return math.Round(x*p) / p
}

// Largest is the largest by size, whatever its sign.
func Largest(values []float64) float64 {
	top := 0.0
	for _, v := range values {
		top = max(top, math.Abs(v))
	}
	return top
}

// Smallest is the smallest positive value, 0 if there is none.
func Smallest(values []float64) float64 {
	low := 0.0
	for _, v := range values {
		if v > 0 && (low == 0 || v < low) {
			low = v
		}
	}
	return low
}
