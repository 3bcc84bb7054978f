package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
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

func floorLog10(x float64) int { return int(math.Floor(math.Log10(x))) }

// maxDecimals is how many decimals a number of about top's size has at this
// many significant digits.
func maxDecimals(top float64, digits int) int {
	if top <= 0 || math.IsInf(top, 0) || math.IsNaN(top) {
		return 1
	}
	return min(max(digits-1-floorLog10(top), 0), 6)
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

// duration writes a time as people say it: "100 ms", "42 s", "3 min 5 s".
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + duration(-max(d, -math.MaxInt64)) // the least of all has no opposite
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return short(float64(d)/1e3) + " µs"
	case d < time.Second:
		return short(float64(d)/1e6) + " ms"
	case d < 10*time.Second:
		return short(d.Seconds()) + " s"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	s := int64(math.Round(d.Seconds()))
	if s < 3600 {
		return trimZero(fmt.Sprintf("%d min %d s", s/60, s%60), " 0 s")
	}
	m := int64(math.Round(d.Minutes()))
	return trimZero(fmt.Sprintf("%d h %d min", m/60, m%60), " 0 min")
}

// seconds is duration of a number of seconds.
func seconds(s float64) string { return duration(time.Duration(s * float64(time.Second))) }

func trimZero(s, zero string) string { return strings.TrimSuffix(s, zero) }

// short writes a number with three significant digits and no needless zeros.
func short(x float64) string {
	if x == 0 {
		return "0"
	}
	s := strconv.FormatFloat(x, 'f', maxDecimals(math.Abs(x), 3), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// byteSize writes a size; sizes are binary here as in the tools that people know,
// and an odd size stays in bytes because 1472 B means something and 1.44 KiB
// does not.
func byteSize(n int64) string {
	for _, u := range []struct {
		div  int64
		unit string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.div && n%u.div == 0 {
			return fmt.Sprintf("%d %s", n/u.div, u.unit)
		}
		if n >= u.div && n >= 1<<20 {
			return fmt.Sprintf("%s %s", short(float64(n)/float64(u.div)), u.unit)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// count writes a whole number with thin groups of three: "1 234 567".
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	var groups []string
	for len(s) > 3 {
		groups = append([]string{s[len(s)-3:]}, groups...)
		s = s[:len(s)-3]
	}
	s = strings.Join(append([]string{s}, groups...), "\u202f")
	if neg {
		return "-" + s
	}
	return s
}

// typographic makes the hyphen of a negative number a minus sign and keeps a
// number and its % on one line, for the page; hyphens inside words and names
// stay.
func typographic(s string) string {
	out := []rune(strings.ReplaceAll(s, " %", "\u00a0%"))
	for i, r := range out {
		starts := i == 0 || out[i-1] == ' ' || out[i-1] == '(' || out[i-1] == '\u00a0'
		if r == '-' && starts && i+1 < len(out) && out[i+1] >= '0' && out[i+1] <= '9' {
			out[i] = '\u2212'
		}
	}
	return string(out)
}

// short6 writes a number with six significant digits, no exponent and no
// needless zeros.
func short6(x float64) string {
	s := strconv.FormatFloat(x, 'f', max(maxDecimals(math.Abs(x), 6), 0), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
