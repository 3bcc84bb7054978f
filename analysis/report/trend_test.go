package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"netab/analysis/report/export"
	"netab/analysis/trend"
	"netab/results"
)

// nights are digests of ninety nights of two arms: both lose 6 % with the 6.19
// kernels, "sink" gains 8 % later, and in the last two nights "off" is 15 %
// down. One night was cut off.
func nights() []results.Digest {
	rng := rand.New(rand.NewPCG(5, 6))
	keys := []results.SeriesKey{
		{Arm: "off", Metric: goodput, Traffic: "tcp", Judged: true, Resolution: 0.01},
		{Arm: "sink", Metric: goodput, Traffic: "tcp", Judged: true, Resolution: 0.01},
		{Arm: "sink", Against: "off", Metric: goodput, Traffic: "tcp", Judged: true, Resolution: 0.01},
	}
	facts := map[string]string{}
	var runs []results.Digest
	for i := range 90 {
		if i%10 == 0 {
			facts = map[string]string{"hostname": "ci1", "cpu model": "model", "kernel": fmt.Sprintf("6.18.%d", i/10), "netab version": "1.0"}
			if i >= 40 {
				facts["kernel"] = fmt.Sprintf("6.19.0-rc%d-00012-g0a1b2c3d%04x", i/10-3, i)
			}
		}
		off, sink := 0.0, 0.07
		if i >= 40 {
			off -= 0.06
		}
		if i >= 70 {
			sink += 0.08
		}
		if i >= 88 {
			off, sink = off-0.15, sink+0.15
		}
		off += 0.015 * rng.NormFloat64()
		sink += 0.01 * rng.NormFloat64()
		started := worldStart.AddDate(0, 0, i)
		d := results.Digest{ID: results.NewID("loopback-rps", started, uint64(i)), Started: started, Scenario: "loopback-rps", Boot: fmt.Sprint("boot-", i),
			Facts: facts, Series: keys, Values: []float64{42e9 * math.Exp(off), 42e9 * math.Exp(off+sink), math.Expm1(sink)}}
		if i == 50 {
			d.Unused, d.Series, d.Values = "cut off, or not ended yet", nil, nil
		}
		runs = append(runs, d)
	}
	return runs
}

func trendText(t *testing.T, h trend.History, opts export.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := export.Text(&b, Trend(h), opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrendTerminal(t *testing.T) {
	golden(t, "trend.txt", trendText(t, trend.Analyze(nights(), trend.Options{}), export.Options{}))
	golden(t, "trend-60.txt", trendText(t, trend.Analyze(nights()[:89], trend.Options{}), export.Options{Width: 60}))
	golden(t, "trend-changes.txt", trendText(t, trend.Analyze(nights(), trend.Options{Filter: trend.Filter{Changes: true}}), export.Options{}))
	golden(t, "trend-nothing.txt", trendText(t, trend.Analyze(nil, trend.Options{}), export.Options{}))
}

func TestTrendColourRepeatsWords(t *testing.T) {
	h := trend.Analyze(nights(), trend.Options{})
	plain, colored := trendText(t, h, export.Options{}), trendText(t, h, export.Options{Color: true})
	if colored == plain || regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(colored, "") != plain {
		t.Error("colour changes the text, or there is none")
	}
}

func TestTrendExports(t *testing.T) {
	h := trend.Analyze(nights(), trend.Options{})
	var b bytes.Buffer
	if err := export.JSON(&b, Trend(h), export.Options{}); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Schema string
		Series []struct {
			Points  []json.RawMessage
			Changes []struct{ Index int }
			Tail    struct{ State string }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Schema != trend.SchemaTrend || len(back.Series) != 2 || len(back.Series[0].Points) != 89 || back.Series[0].Tail.State != "changed" {
		t.Errorf("%.300s", b.String())
	}
	if strings.Contains(b.String(), "null") {
		t.Error("a list is null")
	}
	b.Reset()
	if err := TrendCSV(&b, h); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 1+2*89 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	changes := 0
	for _, r := range rows[1:] {
		if r[15] != "" {
			changes++
		}
	}
	if want := len(h.Series[0].Changes) + len(h.Series[1].Changes); changes != want || want == 0 {
		t.Errorf("%d change points in the CSV, want %d", changes, want)
	}
}

func trendPageText(t *testing.T, h trend.History) string {
	t.Helper()
	var b bytes.Buffer
	if err := writeTrendHTML(&b, h, fakeECharts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrendPage(t *testing.T) {
	h := trend.Analyze(nights(), trend.Options{})
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

// hostileNights try to become code.
func hostileNights() trend.History {
	const evil = `</script><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">'"@tip --arm-1`
	runs := nights()
	for i := range runs {
		r := &runs[i]
		r.ID, r.Scenario = fmt.Sprint(evil, i), evil
		r.Facts = map[string]string{"hostname": evil, "kernel": r.Facts["kernel"] + evil, evil: r.Facts["kernel"]}
		for k := range r.Series {
			r.Series = append([]results.SeriesKey(nil), r.Series...)
			r.Series[k].Arm += evil
			r.Series[k].Traffic = evil
		}
	}
	return trend.Analyze(runs, trend.Options{})
}

func TestTrendRecordNeverBecomesMarkup(t *testing.T) {
	text := trendPageText(t, hostileNights())
	for _, bad := range []string{"<script>window.pwned", "<img"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
}

func writeTrendPage(t *testing.T, h trend.History) string {
	t.Helper()
	var b bytes.Buffer
	if err := TrendHTML(&b, h); err != nil {
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
	file := writeTrendPage(t, trend.Analyze(nights(), trend.Options{}))
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
		b.open(t, writeTrendPage(t, hostileNights()), 1440, "light")
		if eval[bool](t, b, `'pwned' in window`) {
			t.Error("a record became code")
		}
		b.check(t)
	})
}
