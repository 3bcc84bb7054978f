package prose

import (
	"math"
	"strconv"
	"strings"
)

// Number writes a value with the digits that matter in a sentence: two places below
// 1, one below 100, none above.
func Number(x float64) string {
	switch a := math.Abs(x); {
	case a < 0.995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case a < 1e6:
		return strconv.FormatFloat(x, 'f', 0, 64)
	default:
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
}

// Signed is Number with a sign, save a plain 0.
func Signed(x float64) string {
	s := Number(math.Abs(x))
	switch {
	case zero(s):
		return s
	case x < 0:
		return "-" + s
	default:
		return "+" + s
	}
}

func zero(s string) bool {
	v, err := strconv.ParseFloat(s, 64)
	return err == nil && v == 0
}

// Short writes a number that somebody chose, or that stands by itself: three
// significant digits and no needless zeros.
func Short(x float64) string {
	if x == 0 {
		return "0"
	}
	return significant(x, 3)
}

// Long is for programs that read it: six significant digits and no exponent.
func Long(x float64) string { return significant(x, 6) }

// significant writes so many digits, no exponent and no needless zeros.
func significant(x float64, digits int) string {
	s := strconv.FormatFloat(x, 'f', Decimals(math.Abs(x), digits), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Decimals is how many decimals a number of about top's size has at this many
// significant digits.
func Decimals(top float64, digits int) int {
	if top <= 0 || math.IsInf(top, 0) || math.IsNaN(top) {
		return 1
	}
	return min(max(digits-1-Magnitude(top), 0), 6)
}

// Magnitude is the power of ten of a number's first digit.
func Magnitude(x float64) int { return int(math.Floor(math.Log10(x))) }

// Trimmed writes 95 and 99.9 as people do.
func Trimmed(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(x, 'f', 2, 64), "0"), ".")
}

// Grouped writes a whole number with thin groups of three: "1 234 567".
func Grouped(n int64) string {
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
