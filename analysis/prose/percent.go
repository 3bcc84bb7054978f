package prose

import (
	"fmt"
	"math"
	"strings"
)

// Percent writes a share, or a change without its sign: 7.3 %, 0.42 %, 120 %.
func Percent(x float64) string { return Number(100*math.Abs(x)) + " %" }

// ShortPercent writes a share that somebody chose, such as a confidence: 95 %, 0.5 %.
func ShortPercent(x float64) string { return Short(100*x) + " %" }

// WholePercent is for shares of time, which are not known any better.
func WholePercent(x float64) string { return PercentTo(x, 0) }

// PercentTo has as many decimals as the others of its column.
func PercentTo(x float64, decimals int) string { return fmt.Sprintf("%.*f %%", decimals, 100*x) }

// Change writes a relative change, or a difference of a fraction, signed.
// Differences are of fractions too (loss, CPUs), so they are percentage points.
func Change(x float64, difference bool) string {
	unit := " %"
	if difference {
		unit = " points"
	}
	return Signed(100*x) + unit
}

// Amount is Change without the sign.
func Amount(x float64, difference bool) string {
	return strings.TrimLeft(Change(x, difference), "+-")
}

// Interval writes both ends: "+5.9 to +8.8 %".
func Interval(lo, hi float64, difference bool) string {
	return Signed(100*lo) + " to " + Change(hi, difference)
}
