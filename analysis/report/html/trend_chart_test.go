package html

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netab/analysis/trend"
)

// TestTrendLabels: the axis has the day, the time where days are equal, and
// the kernel where there are several.
func TestTrendLabels(t *testing.T) {
	at := func(texts ...string) (out []trend.Point) {
		for _, text := range texts {
			started, err := time.Parse(time.DateTime, text)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, trend.Point{Started: started, Kernel: "6.18.2"})
		}
		return out
	}
	two := at("2026-03-14 09:00:00", "2026-03-14 09:10:00")
	two[1].Kernel = "6.19.0"
	for _, tt := range []struct {
		name   string
		points []trend.Point
		want   []string
		axis   string
	}{
		{"a run a day", at("2026-03-14 09:00:00", "2026-03-15 09:00:00"), []string{"2026-03-14", "2026-03-15"}, "day"},
		{"one day", at("2026-03-14 09:00:10", "2026-03-14 09:10:00"), []string{"09:00", "09:10"}, "time on 2026-03-14, UTC"},
		{"one minute", at("2026-03-14 09:00:10", "2026-03-14 09:00:40"), []string{"09:00:10", "09:00:40"}, "time on 2026-03-14, UTC"},
		{"two runs on one of the days", at("2026-03-14 09:00:00", "2026-03-14 10:00:00", "2026-03-15 09:00:00"), []string{"2026-03-14\n09:00", "2026-03-14\n10:00", "2026-03-15\n09:00"}, "day and time, UTC"},
		{"one run", at("2026-03-14 09:00:00"), []string{"2026-03-14"}, "day"},
		{"kernels", two, []string{"6.18.2", "6.19.0"}, "kernel or commit"},
	} {
		got, axis := trendLabels(tt.points)
		if diff := cmp.Diff(tt.want, got); diff != "" || axis != tt.axis {
			t.Errorf("%s: axis %q, want %q (-want +got):\n%s", tt.name, axis, tt.axis, diff)
		}
	}
}
