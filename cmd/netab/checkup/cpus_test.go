package checkup

import (
	"slices"
	"strings"
	"testing"
	"time"

	"netab/runner/canary"
)

// TestApart: what the doctor says of two CPUs.
func TestApart(t *testing.T) {
	of := func(n int, distance float64) []canary.Reading {
		var out []canary.Reading
		for i := range n {
			r := canary.Reading{Step: [2]float64{1.3, 1.31}}
			if distance > 0 {
				r.Distance = distance * (1 + float64(i%10)/40) // up to 22 % more
			}
			out = append(out, r)
		}
		return out
	}
	slow := of(100, 100)
	for i := range 30 {
		slow[i].Step[1] = 2
	}
	pair := [2]int{0, 1}
	for _, tt := range []struct {
		name     string
		cpus     [2]int
		readings []canary.Reading
		d        time.Duration
		want     string
		never    string
	}{
		{"moved", pair, slices.Concat(of(710, 70), of(290, 320)), 20 * time.Second, "CPUs 0 and 1 were 79 ns apart for 71 % of 20s and 360 ns for the rest: this host moves them", "--for"},
		{"stable", pair, of(100, 120), time.Second, "were 135 ns apart for all of 1s (a state may last a minute: --for 2m)", "moves"},
		{"stable for long", pair, of(100, 120), time.Minute, "apart for all of 1m0s", "--for"},
		{"two by chance", pair, slices.Concat(of(98, 70), of(2, 320)), time.Second, "for all of 1s", "moves"},
		{"hardly answered", pair, slices.Concat(of(20, 70), of(80, 0)), time.Second, "80 % of the time they did not both answer", "moves"},
		{"never answered", pair, of(20, 0), time.Second, "CPUs 0 and 1 never both answered", "apart"},
		{"nothing", pair, nil, time.Second, "never both answered", "step"},
		{"one reading", pair, of(1, 70), time.Second, "for all of 1s", "moves"},
		{"one CPU", [2]int{3, 3}, of(20, 0), time.Second, "one CPU, 3: there is no distance\na step of dependent instructions: CPU 3 takes 1.3 ns; the slowest tenth are slower by 0.0 %", "apart"},
		{"steady", pair, of(100, 70), time.Second, "CPU 0 takes 1.3 ns, CPU 1 takes 1.31 ns; the slowest tenth are slower by 0.0 %", "frequency"},
		{"unsteady", pair, slow, time.Second, "slower by 52.7 %: their frequency changes", "moves"},
	} {
		got := strings.Join(slices.Concat(apart(tt.cpus, tt.readings, tt.d), steady(tt.cpus, tt.readings)), "\n")
		if !strings.Contains(got, tt.want) || strings.Contains(got, tt.never) {
			t.Errorf("%s:\n%s\nwant %q, and not %q", tt.name, got, tt.want, tt.never)
		}
	}
}
