package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"netab/analysis/report/export"
	"netab/analysis/report/sample"
	"netab/analysis/trend"
)

func trendText(t *testing.T, h trend.History, opts export.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := export.Text(&b, Trend(h), opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrendTerminal(t *testing.T) {
	golden(t, "trend.txt", trendText(t, trend.Analyze(sample.Nights(), trend.Options{}), export.Options{}))
	golden(t, "trend-60.txt", trendText(t, trend.Analyze(sample.Nights()[:89], trend.Options{}), export.Options{Width: 60}))
	golden(t, "trend-changes.txt", trendText(t, trend.Analyze(sample.Nights(), trend.Options{Filter: trend.Filter{Changes: true}}), export.Options{}))
	golden(t, "trend-nothing.txt", trendText(t, trend.Analyze(nil, trend.Options{}), export.Options{}))
}

func TestTrendColourRepeatsWords(t *testing.T) {
	h := trend.Analyze(sample.Nights(), trend.Options{})
	plain, colored := trendText(t, h, export.Options{}), trendText(t, h, export.Options{Color: true})
	if colored == plain || regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(colored, "") != plain {
		t.Error("colour changes the text, or there is none")
	}
}

func TestTrendExports(t *testing.T) {
	h := trend.Analyze(sample.Nights(), trend.Options{})
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
	if err := export.TrendCSV(&b, h); err != nil {
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
