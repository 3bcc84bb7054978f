package report

import (
	"math"
	"strconv"
	"strings"
	"time"

	"netab/analysis/prose"
)

// A scale shows numbers of one column or axis: all divided alike and with the
// same number of decimals, so that they align.
type scale struct {
	div      float64
	unit     string
	decimals int
	// wide: the numbers span so much that no number of decimals suits all of
	// them. Each gets three significant digits, and blanks as wide as digits
	// keep the decimal points aligned.
	wide bool
}

// format writes x without its unit.
func (s scale) format(x float64) string {
	v := x / s.div
	if !s.wide {
		return strconv.FormatFloat(clean(v, s.decimals), 'f', s.decimals, 64)
	}
	decimals := min(maxDecimals(math.Abs(v), 3), s.decimals)
	return strconv.FormatFloat(clean(v, decimals), 'f', decimals, 64) + s.blanks(decimals)
}

// blanks stand for the decimals that a number has less than its column.
func (s scale) blanks(decimals int) string {
	text := strings.Repeat(figureSpace, s.decimals-decimals)
	if decimals == 0 && s.decimals > 0 {
		text = pointSpace + text
	}
	return text
}

// Blanks as wide as a digit and as a decimal point.
const (
	figureSpace = "\u2007"
	pointSpace  = "\u2008"
)

// span is how much larger than the smallest number the largest may be before
// a column becomes wide.
const span = 30

// with writes x with its unit.
func (s scale) with(x float64) string {
	if s.unit == "" {
		return trimBlanks(s.format(x))
	}
	return trimBlanks(s.format(x)) + " " + s.unit
}

// signed writes x without its unit and always with a sign, save a plain 0.
func (s scale) signed(x float64) string {
	text := s.format(x)
	if x > 0 && strings.ContainsAny(text, "123456789") {
		return "+" + text
	}
	return text
}

// trimBlanks is for numbers that stand in a sentence.
func trimBlanks(s string) string { return strings.TrimRight(s, figureSpace+pointSpace) }

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

// siScale chooses the prefix by the largest value to show and the decimals by
// the smallest half-width of their intervals: two significant digits of it.
func siScale(unit string, values, halves []float64) scale {
	s := scale{div: 1, unit: unit}
	top := largest(values)
	for _, p := range siPrefixes {
		if top >= p.div {
			s.div = p.div
			s.unit = p.prefix + unit
			break
		}
	}
	return s.fit(values, halves)
}

// latencyScale shows µs as such until the largest is a long number.
func latencyScale(values, halves []float64) scale {
	s := scale{div: 1, unit: "µs"}
	switch top := largest(values); {
	case top >= 1e7:
		s.div, s.unit = 1e6, "s"
	case top >= 1e4:
		s.div, s.unit = 1e3, "ms"
	}
	return s.fit(values, halves)
}

// percentScale shows fractions as percents.
func percentScale(values, halves []float64) scale {
	return scale{div: 0.01, unit: "%"}.fit(values, halves)
}

// plainScale shows numbers as they are.
func plainScale(unit string, values, halves []float64) scale {
	return scale{div: 1, unit: unit}.fit(values, halves)
}

// fit chooses the decimals for the numbers of a column.
func (s scale) fit(values, halves []float64) scale {
	top, low := largest(values)/s.div, smallest(values)/s.div
	if s.wide = low > 0 && top > span*low; s.wide {
		s.decimals = maxDecimals(low, 3)
		return s
	}
	s.decimals = decimalsFor(smallest(halves)/s.div, top)
	return s
}

// decimalsFor is how many decimals show two significant digits of half, the
// uncertainty. More than four significant digits of the value itself are never
// useful; without an uncertainty three are shown.
func decimalsFor(half, top float64) int {
	digits := 3
	if half > 0 && !math.IsInf(half, 0) {
		return min(max(1-floorLog10(roundTo2(half)), 0), maxDecimals(top, 4))
	}
	return maxDecimals(top, digits)
}

// roundTo2 rounds to two significant digits, so that 0.0996 counts as 0.10.
func roundTo2(x float64) float64 {
	p := math.Pow10(1 - floorLog10(x))
	return math.Round(x*p) / p
}

func largest(values []float64) float64 {
	top := 0.0
	for _, v := range values {
		top = max(top, math.Abs(v))
	}
	return top
}

// smallest is the smallest positive value, 0 if there is none.
func smallest(values []float64) float64 {
	low := 0.0
	for _, v := range values {
		if v > 0 && (low == 0 || v < low) {
			low = v
		}
	}
	return low
}

// How single numbers are written is package prose's; these are its names here.

func duration(d time.Duration) string         { return prose.Duration(d) }
func short(x float64) string                  { return prose.Short(x) }
func byteSize(n int64) string                 { return prose.Bytes(n) }
func count(n int64) string                    { return prose.Grouped(n) }
func typographic(s string) string             { return prose.Typographic(s) }
func floorLog10(x float64) int                { return prose.Magnitude(x) }
func maxDecimals(top float64, digits int) int { return prose.Decimals(top, digits) }

// seconds is duration of a number of seconds.
func seconds(s float64) string { return duration(time.Duration(s * float64(time.Second))) }
