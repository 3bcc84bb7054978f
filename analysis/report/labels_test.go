package report

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"netab/analysis/trend"
)

func TestShortLabels(t *testing.T) {
	long := strings.Repeat("x", 30)
	for _, tt := range []struct {
		name    string
		names   []string
		letters int
		want    []string
	}{
		{"all fit", []string{"off", "sink"}, 10, []string{"off", "sink"}},
		{"exactly", []string{"0123456789"}, 10, []string{"0123456789"}},
		{"differ at their end", []string{"message=131072,rps_cpus=1", "message=131072,rps_cpus=3"}, 16, []string{"…rps_cpus=1", "…rps_cpus=3"}},
		{"differ at their begin", []string{"first of two long names", "other of two long names"}, 10, []string{"first of …", "other of …"}},
		{"differ at both ends", []string{"a-" + long + "-1", "b-" + long + "-1", "a-" + long + "-2"}, 10, []string{"a-xx…xxx-1", "b-xx…xxx-1", "a-xx…xxx-2"}},
		{"differ in the middle", []string{long + "-1-" + long, long + "-2-" + long}, 10, []string{"…1-xxxxxx…", "…2-xxxxxx…"}},
		{"differ in two far places", []string{
			long + "=1," + long + "=a,z=" + long, long + "=2," + long + "=a,z=" + long, long + "=1," + long + "=b,z=" + long}, 10,
			[]string{"1,a", "2,a", "1,b"}},
		{"what fits stays whole beside what does not", []string{"off", "message=131072,rps_cpus=1", "message=131072,rps_cpus=3"}, 16, []string{"off", "…rps_cpus=1", "…rps_cpus=3"}},
		{"letters of several bytes", []string{"größe=äöüäöüäöü,µs=1", "größe=äöüäöüäöü,µs=2"}, 10, []string{"…µs=1", "…µs=2"}},
		{"the same name twice", []string{long, long}, 10, []string{"xxxxxxxxx…", "xxxxxxxxx…"}},
		{"none", nil, 10, nil},
	} {
		got := ShortLabels(tt.names, tt.letters)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	// Whatever the names are, labels fit, and tell apart what the names do.
	parts := []string{"", "a", "b", long, "=", ",", "é"}
	var names []string
	for _, a := range parts {
		for _, b := range parts {
			for _, c := range parts {
				names = append(names, a+b+c)
			}
		}
	}
	for letters := 8; letters < 40; letters++ {
		got := ShortLabels(names, letters)
		if !apart(names, got) {
			t.Errorf("%d letters: labels of different names are the same", letters)
		}
		for i, label := range got {
			if n := utf8.RuneCountInString(label); n > letters {
				t.Errorf("%d letters: %q of %q has %d", letters, label, names[i], n)
			}
		}
	}
}

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
