package report

import (
	"math"
	"testing"
	"time"
	"unicode/utf8"
)

func TestScales(t *testing.T) {
	for _, c := range []struct {
		name   string
		scale  scale
		values []float64
		want   []string
	}{
		{"two digits of the half-width decide", siScale("bit/s", []float64{42.31e9, 45.4e9}, []float64{0.61e9, 0.7e9}), []float64{42.31e9, 45.404e9}, []string{"42.31 Gbit/s", "45.40 Gbit/s"}},
		{"a half-width just below a power of ten", siScale("bit/s", []float64{42e9}, []float64{0.0996e9}), []float64{42e9}, []string{"42.00 Gbit/s"}},
		{"a wide interval takes decimals away", siScale("bit/s", []float64{42e9}, []float64{12e9}), []float64{42.4e9}, []string{"42 Gbit/s"}},
		{"the prefix follows the largest", siScale("bit/s", []float64{999e6, 1001e6}, nil), []float64{999e6}, []string{"1.00 Gbit/s"}},
		{"packets", siScale("pps", []float64{543210}, []float64{1500}), []float64{543210}, []string{"543.2 kpps"}},
		{"slow", siScale("bit/s", []float64{512}, nil), []float64{512}, []string{"512 bit/s"}},
		{"nothing at all", siScale("bit/s", []float64{0}, []float64{0}), []float64{0}, []string{"0.0 bit/s"}},
		{"no minus zero", percentScale([]float64{0.5}, []float64{0.02}), []float64{-0.0004}, []string{"0.0 %"}},
		{"cpu", percentScale([]float64{0.993, 0.5}, []float64{0.0021}), []float64{0.993}, []string{"99.30 %"}},
		{"decades: three digits each", siScale("bit/s", []float64{0.16e9, 41.2e9}, []float64{1e6, 1e9}), []float64{0.16123e9, 41.212e9}, []string{"0.161 Gbit/s", "41.2 Gbit/s"}},
		{"plain", plainScale("ns/B", []float64{0.1883}, []float64{0.0021}), []float64{0.18834}, []string{"0.1883 ns/B"}},
	} {
		for i, v := range c.values {
			if got := c.scale.with(v); got != c.want[i] {
				t.Errorf("%s: %v shown as %q, want %q", c.name, v, got, c.want[i])
			}
		}
	}
}

func TestWideColumnsAlign(t *testing.T) {
	s := siScale("bit/s", []float64{0.16e9, 250e9}, nil)
	for _, v := range []float64{0.16e9, 2.6e9, 41.2e9, 250e9} {
		if text := s.format(v); utf8.RuneCountInString(text)-indexOfPoint(text) != s.decimals+1 {
			t.Errorf("%q: %d columns from the point on, want %d", text, utf8.RuneCountInString(text)-indexOfPoint(text), s.decimals+1)
		}
	}
}

func indexOfPoint(s string) int {
	for i, r := range []rune(s) {
		if r == '.' || string(r) == pointSpace {
			return i
		}
	}
	return -1
}

func TestSigned(t *testing.T) {
	s := scale{div: 0.01, unit: "%", decimals: 1}
	for x, want := range map[float64]string{0.0731: "+7.3", -0.0731: "-7.3", 0: "0.0", 0.0004: "0.0", -0.0004: "0.0", 0.00051: "+0.1"} {
		if got := s.signed(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ns", 250: "250 ns", 1500: "1.5 µs", 100 * time.Millisecond: "100 ms", 20500 * time.Microsecond: "20.5 ms",
		1500 * time.Millisecond: "1.5 s", 42 * time.Second: "42 s", 60 * time.Second: "1 min", 61 * time.Second: "1 min 1 s",
		time.Hour: "1 h", time.Hour + 30*time.Minute: "1 h 30 min", -time.Second: "-1 s",
	} {
		if got := duration(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 64: "64 B", 1472: "1472 B", 1024: "1 KiB", 131072: "128 KiB", 8 << 30: "8 GiB", 8254341120: "7.69 GiB"} {
		if got := byteSize(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestCountGroupsByThree(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567", -1000: "-1\u202f000", math.MinInt64: "-9\u202f223\u202f372\u202f036\u202f854\u202f775\u202f808"} {
		if got := count(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 95: "95", 0.5: "0.5", 1.25: "1.25", 0.046: "0.046", 12345: "12345", -0.25: "-0.25"} {
		if got := short(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
	for x, want := range map[float64]string{0: "0", 0.177751: "0.177751", 5583667200: "5583667200", 1e-9: "0", 39336.25: "39336.2"} {
		if got := benchNumber(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
}

func TestTypographic(t *testing.T) {
	for in, want := range map[string]string{
		"-7.4": "\u22127.4", "+6.6 to -9.8": "+6.6 to \u22129.8", "(-1.0 %)": "(\u22121.0\u00a0%)",
		"run 20260314-rps, trials 3-5, flows-8": "run 20260314-rps, trials 3-5, flows-8", "": "",
	} {
		if got := typographic(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
