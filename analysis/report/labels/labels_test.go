package labels

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
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
		got := Short(tt.names, tt.letters)
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
		got := Short(names, letters)
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
