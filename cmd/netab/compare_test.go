package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/cmd/netab/question"
	"netab/results"
)

func TestCompareCommand(t *testing.T) {
	dir := t.TempDir()
	of := func(kernel, boot string, scale float64, change func(*results.Run)) func(*results.Run) {
		return func(r *results.Run) {
			r.Header.Machine.Kernel, r.Header.Machine.BootID = kernel, boot
			for i := range r.Trials {
				for k := range r.Trials[i].Slices {
					s := &r.Trials[i].Slices[k]
					s.RxBytes = int64(float64(s.RxBytes) * scale)
				}
			}
			if change != nil {
				change(r)
			}
		}
	}
	a := simulate(t, dir+"/a", 0, 1, of("6.18", "boot", 1, nil))
	same := simulate(t, dir+"/same", 0, 2, of("6.18", "boot", 1, nil))
	slow := simulate(t, dir+"/slow", 0, 3, of("6.18", "boot", 0.9, nil))
	other := simulate(t, dir+"/other", 0, 4, of("6.18", "boot", 0.9, func(r *results.Run) { r.Header.Machine.CPUModel = "other" }))
	four := func(name string, seed uint64, change func(*results.Run)) string { // runs of one boot, as one side
		var files []string
		for i := range uint64(4) {
			files = append(files, simulate(t, fmt.Sprintf("%s/%s%d", dir, name, i), 0, seed+i, change))
		}
		return strings.Join(files, ",")
	}
	fourA, fourSame, fourSlow := four("4a", 60, of("6.18", "boot", 1, nil)), four("4same", 64, of("6.18", "boot", 1, nil)), four("4slow", 68, of("6.18", "boot", 0.9, nil))
	fourOther := four("4other", 72, of("6.18", "boot", 0.9, func(r *results.Run) { r.Header.Machine.CPUModel = "other" }))
	var old, fresh []string
	for i := range 5 {
		old = append(old, simulate(t, fmt.Sprintf("%s/old%d", dir, i), 0, uint64(10+i), of("6.18", fmt.Sprint("o", i), 1, nil)))
		fresh = append(fresh, simulate(t, fmt.Sprintf("%s/new%d", dir, i), 0, uint64(20+i), of("6.19", fmt.Sprint("n", i), 0.9, nil)))
	}
	var side [2][]string // of the same seven boots, in turns
	for boot := range 7 {
		for k := range side {
			side[k] = append(side[k], simulate(t, fmt.Sprintf("%s/side%d-%d", dir, k, boot), 0, uint64(40+2*boot+k),
				of("6.18", fmt.Sprint("b", boot), (1-0.1*float64(boot%3))*(1-0.05*float64(k)), func(r *results.Run) {
					r.Header.Started = r.Header.Started.Add(time.Duration(24*boot+(boot+k)%2) * time.Hour)
				})))
		}
	}
	join := func(first string, more ...[]string) []string {
		out := []string{first}
		for _, m := range more {
			out = append(out, m...)
		}
		return out
	}
	for _, tt := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"compare", a, same}, exitFine, "Run same against run a: ", ""},
		{[]string{"compare", a, slow}, exitFine, "one run of a and one run of slow are of one boot", ""},
		{[]string{"compare", a, slow, "--gate"}, exitInconclusive, "measure 4 of each", "gate: "},
		{[]string{"compare", fourA, slow, "--gate"}, exitInconclusive, "measure 4 of each", "gate: "},
		{[]string{"compare", fourA, fourSame, "--gate"}, exitFine, "gate: passed", ""},
		{[]string{"compare", fourA, fourSlow, "--gate"}, exitRegression, "is worse than in old", "gate: goodput of arm off is a regression"},
		{[]string{"compare", fourA, fourSame, fourSlow, "--gate"}, exitRegression, "Goodput with off in new 2 is worse than in old", "regression"},
		{[]string{"compare", fourA, fourSlow, "--chat"}, exitRegression, "REGRESSION: goodput of off -", "regression"},
		{[]string{"compare", a, other}, exitNotComparable, "not comparable", "not comparable: the runs differ in cpu model (model; other)"},
		{[]string{"compare", a, other, "--gate"}, exitNotComparable, "gate: not comparable", "cpu model"},
		{[]string{"compare", fourA, fourOther, "--gate", "--force"}, exitRegression, "", "regression"},
		{[]string{"compare", a, other, "--force"}, exitFine, "FORCED", ""},
		{[]string{"compare", fourA, fourOther, "--gate", "--axis", "cpu model"}, exitRegression, "", "regression"},
		{[]string{"compare", fourA, fourSlow, "--gate", "--threshold", "goodput=30%"}, exitFine, "passed", ""},
		{join("compare", old, fresh), exitFine, "6.19 against 6.18: ", ""},
		{join("compare", old, fresh, []string{"--gate"}), exitRegression, "Welch's t over boots, n = 5 + 5 boots", "regression"},
		{join("compare", old[:2], fresh, []string{"--gate"}), exitInconclusive, "at least 5 boots of each", "gate: "},
		{join("compare", old[:1], fresh[:1], []string{"--gate"}), exitInconclusive, "one boot of 6.18", "gate: "},
		{join("compare", old[:1], fresh[:1], []string{"--gate", "--boot-spread", "0.5%"}), exitRegression, "", "regression"},
		{[]string{"compare", strings.Join(old, ","), strings.Join(fresh, ","), "--gate"}, exitRegression, "Goodput with off in 6.19 is worse than in 6.18", "regression"},
		{[]string{"compare", strings.Join(side[0], ","), strings.Join(side[1], ","), "--gate"}, exitRegression, "Both sides were measured in the same 7 boots and are compared boot by boot", "regression"},
		{[]string{"compare", strings.Join(side[0][:6], ","), strings.Join(side[1][:6], ","), "--gate"}, exitInconclusive, "n = 6 + 6 boots", "gate: "},
		{[]string{"compare", a}, exitUsage, "", "one run only: nothing to compare it with"},
		{[]string{"compare", a, slow, "--boot-spread", "much"}, exitUsage, "", "want a share"},
		{[]string{"compare", a, dir + "/nope,also"}, exitFailed, "", "nope"},
	} {
		code, stdout, stderr := netab(tt.args...)
		if code != tt.code || !strings.Contains(flat(stdout), tt.stdout) || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
			t.Errorf("%q: status %d, stdout %q, stderr %q; want %d, %q, %q", tt.args, code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
		}
	}
}

// flat undoes the wrapping of lines.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// A group of runs is named by what tells it from the others, in the heading and
// in every row: never by the id of its first run, and by no kernel's.
func TestCompareNamesGroups(t *testing.T) {
	dir := t.TempDir()
	run := func(name string, seed uint64, change func(*results.Run)) string {
		return simulate(t, dir+"/"+name, 0, seed, change)
	}
	mtu := func(value string) func(*results.Run) {
		return func(r *results.Run) {
			for i := range r.Header.Design.Arms {
				r.Header.Design.Arms[i].Description["topology.mtu"] = value
			}
		}
	}
	a, b, c, d, e := run("20260103-030000-loopback-rps-88c7", 1, mtu("1500")), run("b", 2, mtu("1500")), run("c", 3, mtu("9000")), run("d", 4, mtu("9000")), run("e", 5, mtu("1500"))
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{a + "," + b, c + "," + d, "--axis", "topology.mtu"}, "What changed from mtu 1500 to mtu 9000?"},
		{[]string{a + "," + b, e}, "What changed from old to new?"},
	} {
		_, stdout, stderr := netab(append([]string{"compare"}, tt.args...)...)
		if !strings.Contains(flat(stdout), tt.want) || strings.Contains(stdout, "more") || strings.Contains(stdout, "kernel 2026") {
			t.Errorf("%q: %q, %q; want %q", tt.args, stdout, stderr, tt.want)
		}
	}
}

// What a run from before there were descriptions says of itself is in its
// scenario, if that still comes to the arms that were measured.
func TestDescribeOlder(t *testing.T) {
	for _, tt := range []struct {
		name, scenario string
		change         func(*results.Run)
		want           string // direction of the first arm
	}{
		{"by its scenario", `{"name": "s", "traffic": {"direction": "reverse"}, "arms": [{"name": "off"}, {"name": "arm1", "config": {"topology": {"mtu": 9000}}}]}`, nil, "reverse"},
		{"a scenario of other traffic", `{"name": "s", "traffic": {"message": 64}, "arms": [{"name": "off"}, {"name": "arm1"}]}`, nil, ""},
		{"a scenario of other arms", `{"name": "s", "arms": [{"name": "off"}, {"name": "on"}]}`, nil, ""},
		{"a scenario of fewer arms", `{"name": "s", "arms": [{"name": "off"}]}`, nil, ""},
		{"a scenario that is none", `{"name": "s", "arrms": 1}`, nil, ""},
		{"no scenario", `null`, nil, ""},
		{"a description goes before it", `{"name": "s", "traffic": {"direction": "reverse"}, "arms": [{"name": "off"}, {"name": "arm1"}]}`,
			func(r *results.Run) {
				r.Header.Design.Arms[0].Description = results.Description{"traffic.direction": "both"}
			}, "both"},
	} {
		w := world.World{Effects: []float64{0}, Blocks: 2, Slice: time.Second}
		r := w.Run(w.Design(0.02, time.Minute), 1, 1)
		r.Header.Scenario = []byte(tt.scenario)
		for i := range r.Header.Design.Arms {
			r.Header.Design.Arms[i].Description = nil
		}
		if tt.change != nil {
			tt.change(r)
		}
		question.DescribeOlder(r)
		if got := r.Header.Design.Arms[0].Description["traffic.direction"]; got != tt.want {
			t.Errorf("%s: direction %q, want %q", tt.name, got, tt.want)
		}
	}
}
