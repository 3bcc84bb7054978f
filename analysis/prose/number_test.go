package prose

import (
	"math"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ns", 250: "250 ns", 1500: "1.5 µs", 100 * time.Millisecond: "100 ms", 20500 * time.Microsecond: "20.5 ms",
		1500 * time.Millisecond: "1.5 s", 42 * time.Second: "42 s", 60 * time.Second: "1 min", 61 * time.Second: "1 min 1 s",
		time.Hour: "1 h", time.Hour + 30*time.Minute: "1 h 30 min", -time.Second: "-1 s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 64: "64 B", 1472: "1472 B", 1024: "1 KiB", 131072: "128 KiB", 8 << 30: "8 GiB", 8254341120: "7.69 GiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestGroupedByThree(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567", -1000: "-1\u202f000", math.MinInt64: "-9\u202f223\u202f372\u202f036\u202f854\u202f775\u202f808"} {
		if got := Grouped(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 95: "95", 0.5: "0.5", 1.25: "1.25", 0.046: "0.046", 12345: "12345", -0.25: "-0.25"} {
		if got := Short(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
	for x, want := range map[float64]string{0: "0", 0.177751: "0.177751", 5583667200: "5583667200", 1e-9: "0", 39336.25: "39336.2"} {
		if got := Long(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
}

func TestTypographic(t *testing.T) {
	for in, want := range map[string]string{
		"-7.4": "\u22127.4", "+6.6 to -9.8": "+6.6 to \u22129.8", "(-1.0 %)": "(\u22121.0\u00a0%)",
		"run 20260314-rps, trials 3-5, flows-8": "run 20260314-rps, trials 3-5, flows-8", "": "",
	} {
		if got := Typographic(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
