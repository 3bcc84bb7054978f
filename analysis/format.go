package analysis

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// percent writes a relative change without sign: 7.3 %, 0.42 %, 120 %.
func percent(x float64) string { return number(100*math.Abs(x)) + " %" }

// change writes a relative change, or a difference of a fraction, signed.
// Differences are of fractions too (loss, CPUs), so they are percentage points.
func change(x float64, difference bool) string {
	unit := " %"
	if difference {
		unit = " points"
	}
	return signed(100*x) + unit
}

// interval writes both ends: "+5.9 to +8.8 %".
func interval(lo, hi float64, difference bool) string {
	return signed(100*lo) + " to " + change(hi, difference)
}

func signed(x float64) string {
	s := number(math.Abs(x))
	switch {
	case zero(s):
		return s
	case x < 0:
		return "-" + s
	default:
		return "+" + s
	}
}

// number writes a value with the digits that matter: two places below 1, one
// below 100, none above.
func number(x float64) string {
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

func zero(s string) bool {
	v, err := strconv.ParseFloat(s, 64)
	return err == nil && v == 0
}

// quantity writes a level with its unit: 41.2 Gbit/s, 0.61 Mpps, 0.31 ns/B.
func quantity(x float64, unit string) string {
	switch unit {
	case "bit/s", "pps", "1/s":
		v, prefix := scaled(x)
		return number(v) + " " + prefix + strings.TrimPrefix(unit, "1")
	case "us":
		return latency(x)
	case "fraction":
		return number(100*x) + " %"
	default:
		return number(x) + " " + unit
	}
}

// quantity is that of a level of the metric: 52.0 k transactions/s.
func (m Metric) quantity(x float64) string {
	if m.Counts == "" {
		return quantity(x, m.Unit)
	}
	return rate(x) + " " + m.Counts + "/s"
}

// rate writes events per second without the unit: 52.0 k.
func rate(x float64) string {
	v, prefix := scaled(x)
	return strings.TrimSpace(number(v) + " " + prefix)
}

// latency writes µs as such until that would be a long number.
func latency(us float64) string {
	switch {
	case us >= 1e7:
		return number(us/1e6) + " s"
	case us >= 1e4:
		return number(us/1e3) + " ms"
	default:
		return number(us) + " µs"
	}
}

func scaled(x float64) (float64, string) {
	for _, p := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(x) >= p.size {
			return x / p.size, p.name
		}
	}
	return x, ""
}

// count writes small numbers as words.
func count(n int) string {
	words := []string{"no", "one", "two", "three", "four", "five", "six"}
	if n >= 0 && n < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}
