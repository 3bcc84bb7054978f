package figure

import (
	"testing"
	"unicode/utf8"
)

func TestScales(t *testing.T) {
	for _, c := range []struct {
		name   string
		scale  Scale
		values []float64
		want   []string
	}{
		{"two digits of the half-width decide", SIScale("bit/s", []float64{42.31e9, 45.4e9}, []float64{0.61e9, 0.7e9}), []float64{42.31e9, 45.404e9}, []string{"42.31 Gbit/s", "45.40 Gbit/s"}},
		{"a half-width just below a power of ten", SIScale("bit/s", []float64{42e9}, []float64{0.0996e9}), []float64{42e9}, []string{"42.00 Gbit/s"}},
		{"a wide interval takes decimals away", SIScale("bit/s", []float64{42e9}, []float64{12e9}), []float64{42.4e9}, []string{"42 Gbit/s"}},
		{"the prefix follows the largest", SIScale("bit/s", []float64{999e6, 1001e6}, nil), []float64{999e6}, []string{"1.00 Gbit/s"}},
		{"packets", SIScale("pps", []float64{543210}, []float64{1500}), []float64{543210}, []string{"543.2 kpps"}},
		{"slow", SIScale("bit/s", []float64{512}, nil), []float64{512}, []string{"512 bit/s"}},
		{"nothing at all", SIScale("bit/s", []float64{0}, []float64{0}), []float64{0}, []string{"0.0 bit/s"}},
		{"no minus zero", PercentScale([]float64{0.5}, []float64{0.02}), []float64{-0.0004}, []string{"0.0 %"}},
		{"cpu", PercentScale([]float64{0.993, 0.5}, []float64{0.0021}), []float64{0.993}, []string{"99.30 %"}},
		{"decades: three digits each", SIScale("bit/s", []float64{0.16e9, 41.2e9}, []float64{1e6, 1e9}), []float64{0.16123e9, 41.212e9}, []string{"0.161 Gbit/s", "41.2 Gbit/s"}},
		{"plain", plainScale("ns/B", []float64{0.1883}, []float64{0.0021}), []float64{0.18834}, []string{"0.1883 ns/B"}},
	} {
		for i, v := range c.values {
			if got := c.scale.With(v); got != c.want[i] {
				t.Errorf("%s: %v shown as %q, want %q", c.name, v, got, c.want[i])
			}
		}
	}
}

func TestWideColumnsAlign(t *testing.T) {
	s := SIScale("bit/s", []float64{0.16e9, 250e9}, nil)
	for _, v := range []float64{0.16e9, 2.6e9, 41.2e9, 250e9} {
		if text := s.Text(v); utf8.RuneCountInString(text)-indexOfPoint(text) != s.Decimals+1 {
			t.Errorf("%q: %d columns from the point on, want %d", text, utf8.RuneCountInString(text)-indexOfPoint(text), s.Decimals+1)
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
	s := Scale{Div: 0.01, Unit: "%", Decimals: 1}
	for x, want := range map[float64]string{0.0731: "+7.3", -0.0731: "-7.3", 0: "0.0", 0.0004: "0.0", -0.0004: "0.0", 0.00051: "+0.1"} {
		if got := s.Signed(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
}
