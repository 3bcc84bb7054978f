package prose

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Quantity writes a level with its unit: 41.2 Gbit/s, 0.61 Mpps, 0.31 ns/B.
func Quantity(x float64, unit string) string {
	switch unit {
	case "bit/s", "pps", "1/s":
		v, prefix := Scaled(x)
		return Number(v) + " " + prefix + strings.TrimPrefix(unit, "1")
	case "us":
		return latency(x)
	case "fraction":
		return Number(100*x) + " %"
	default:
		return Number(x) + " " + unit
	}
}

// Rate writes events per second without the unit: 52.0 k.
func Rate(x float64) string {
	v, prefix := Scaled(x)
	return strings.TrimSpace(Number(v) + " " + prefix)
}

// latency writes µs as such until that would be a long number.
func latency(us float64) string {
	switch {
	case us >= 1e7:
		return Number(us/1e6) + " s"
	case us >= 1e4:
		return Number(us/1e3) + " ms"
	default:
		return Number(us) + " µs"
	}
}

// Scaled is a number by a decimal prefix, as rates use them.
func Scaled(x float64) (float64, string) {
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

// Duration writes a time as people say it: "100 ms", "42 s", "3 min 5 s".
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(-max(d, -math.MaxInt64)) // the least of all has no opposite
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return Short(float64(d)/1e3) + " µs"
	case d < time.Second:
		return Short(float64(d)/1e6) + " ms"
	case d < 10*time.Second:
		return Short(d.Seconds()) + " s"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	s := int64(math.Round(d.Seconds()))
	if s < 3600 {
		return strings.TrimSuffix(fmt.Sprintf("%d min %d s", s/60, s%60), " 0 s")
	}
	m := int64(math.Round(d.Minutes()))
	return strings.TrimSuffix(fmt.Sprintf("%d h %d min", m/60, m%60), " 0 min")
}

// Seconds is the duration of a number of seconds.
func Seconds(s float64) string { return Duration(time.Duration(s * float64(time.Second))) }

// Bytes writes a size; sizes are binary here as in the tools that people know,
// and an odd size stays in bytes because 1472 B means something and 1.44 KiB
// does not.
func Bytes(n int64) string {
	for _, u := range []struct {
		div  int64
		unit string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.div && n%u.div == 0 {
			return fmt.Sprintf("%d %s", n/u.div, u.unit)
		}
		if n >= u.div && n >= 1<<20 {
			return fmt.Sprintf("%s %s", Short(float64(n)/float64(u.div)), u.unit)
		}
	}
	return fmt.Sprintf("%d B", n)
}
