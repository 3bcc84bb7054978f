package html

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"netab/analysis/report/sample"
	"netab/analysis/trend"
)

func trendPageText(t *testing.T, h trend.History) string {
	t.Helper()
	var b bytes.Buffer
	if err := writeTrend(&b, h, fakeECharts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrendPage(t *testing.T) {
	h := trend.Analyze(sample.Nights(), trend.Options{})
	text := trendPageText(t, h)
	if text != trendPageText(t, h) {
		t.Error("the page differs from one time to the next")
	}
	for _, want := range []string{"0a1b2c3d0028", "6.18.3 → 6.19.0-rc1-00012-g0a1b2c3d0028", "CHANGED (regression)", "▼", "cut off, or not ended yet", "kernel or commit"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if m := regexp.MustCompile(`(?i)(src|href|action|url)\s*[=(]\s*["']?(https?:)?//[^"'\s]*`).FindString(text); m != "" {
		t.Errorf("the page names another address: %s", m)
	}
	trendPageText(t, trend.Analyze(nil, trend.Options{})) // an empty store has a page too
}

func TestTrendRecordNeverBecomesMarkup(t *testing.T) {
	text := trendPageText(t, sample.HostileNights())
	for _, bad := range []string{"<script>window.pwned", "<img"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
}

func writeTrendPage(t *testing.T, h trend.History) string {
	t.Helper()
	var b bytes.Buffer
	if err := Trend(&b, h); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "trend.html")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPageTrendInBrowser(t *testing.T) {
	b := newBrowser(t)
	file := writeTrendPage(t, trend.Analyze(sample.Nights(), trend.Options{}))
	for _, width := range []int64{390, 1440} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			b.open(t, file, width, "light")
			onWhite := b.inspect(t)
			b.shoot(t, "light")
			b.scheme(t, "dark")
			b.settle(t)
			onBlack := b.inspect(t)
			b.shoot(t, "dark")
			for i := range onWhite {
				if onBlack[i].Light == onWhite[i].Light {
					t.Errorf("chart %d: drawn in the same colours in the dark", i)
				}
			}
		})
	}
	t.Run("hostile", func(t *testing.T) {
		b.open(t, writeTrendPage(t, sample.HostileNights()), 1440, "light")
		if eval[bool](t, b, `'pwned' in window`) {
			t.Error("a record became code")
		}
		b.check(t)
	})
}
