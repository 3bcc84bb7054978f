package html

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/analysis/report/figure"
	"netab/analysis/report/sample"
	"netab/results"
)

func TestThinKeepsPairs(t *testing.T) {
	w := sample.TCPWorld()
	w.Trials, w.Blocks = 40, 200 // 24 000 slices
	d := readRun(w.Run(), figure.Goodput)
	points, step := d.thin()
	if step != 2 || len(points) > maxPoints || len(points) < maxPoints/3 {
		t.Fatalf("%d of %d points at step %d", len(points), len(d.points), step)
	}
	arms := map[[2]int]int{}
	for _, p := range points {
		arms[[2]int{p.trial, p.block}]++
	}
	for block, n := range arms {
		if n != 3 {
			t.Errorf("trial and block %v: %d of 3 arms are left", block, n)
		}
	}
	few, step := readRun(sample.TCPWorld().Run(), figure.Goodput).thin()
	if step != 1 || len(few) != 600 {
		t.Errorf("%d points at step %d of a small run", len(few), step)
	}
}

func TestReadRun(t *testing.T) {
	run := sample.UDPWorld().Run()
	run.Trials[2].Invalid = "an agent died"
	d := readRun(run, figure.PacketRate)
	if d.rate.Name != figure.PacketRate || d.baseline != 0 || len(d.trialRates[0]) != len(run.Trials)-1 {
		t.Errorf("rate %s, baseline %d, %d trials", d.rate.Name, d.baseline, len(d.trialRates[0]))
	}
	last := d.points[len(d.points)-1]
	trial := run.Trials[len(run.Trials)-1]
	want := trial.Started.Sub(run.Trials[0].Started).Seconds() + float64(trial.Slices[len(trial.Slices)-1].StartNS)/1e9
	if math.Abs(last.at-want) > 1e-9 {
		t.Errorf("the last slice is at %v s, want %v", last.at, want)
	}
	for _, p := range d.points {
		if p.trial == 2 && !p.invalid {
			t.Fatal("a slice of an invalid trial counts")
		}
	}
}

// The values are those of R's quantile(x, type = 7).
func TestQuartiles(t *testing.T) {
	for _, c := range []struct {
		xs   []float64
		want [5]float64
	}{
		{[]float64{4, 1, 3, 2}, [5]float64{1, 1.75, 2.5, 3.25, 4}},
		{[]float64{1, 2, 3, 4, 5}, [5]float64{1, 2, 3, 4, 5}},
		{[]float64{7}, [5]float64{7, 7, 7, 7, 7}},
	} {
		if d := cmp.Diff(c.want, quartiles(c.xs)); d != "" {
			t.Errorf("%v: %s", c.xs, d)
		}
	}
}

func TestNiceRange(t *testing.T) {
	for _, c := range []struct {
		values          []float64
		low, high, step float64
	}{
		{[]float64{-1.5, 1.5, 9.8}, -2, 10, 2},
		{[]float64{-11, 12.7, 0}, -15, 15, 5},
		{[]float64{0, 30000, -1.5}, -5000, 30000, 5000},
		{nil, -1, 1, 1},
	} {
		low, high, step := niceRange(c.values)
		if low != c.low || high != c.high || step != c.step {
			t.Errorf("%v: %v to %v by %v, want %v to %v by %v", c.values, low, high, step, c.low, c.high, c.step)
		}
	}
}

func TestSpreadStaysInItsBand(t *testing.T) {
	seen := map[float64]bool{}
	for i := range 100 {
		x := spread(i, 100)
		if x < -1 || x > 1 || seen[x] {
			t.Errorf("dot %d at %v", i, x)
		}
		seen[x] = true
	}
}

func TestNumber(t *testing.T) {
	for in, want := range map[string]float64{"64": 64, "4K": 4096, "128KiB": 131072, "1M": 1 << 20, "2.5": 2.5, " 8 ": 8, "1kB": 1024, "0": 0, "-1": -1} {
		if got, ok := number(in); !ok || got != want {
			t.Errorf("%q: %v %v, want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "off", "K", "NaN", "Inf", "1e999", "4 096", "sink"} {
		if got, ok := number(in); ok {
			t.Errorf("%q is taken for %v", in, got)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"64", "128K", "1MiB", "off", "-2.5e3", "", "iB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if x, ok := number(s); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			t.Errorf("%q gives %v", s, x)
		}
	})
}

func TestNumericFactor(t *testing.T) {
	for _, c := range []struct {
		factors []results.Factor
		want    int
	}{
		{[]results.Factor{{Name: "rps", Levels: []string{"off", "sink"}}, {Name: "message", Levels: []string{"64", "4K", "128K"}}}, 1},
		{[]results.Factor{{Name: "flows", Levels: []string{"1", "2"}}}, -1},
		{[]results.Factor{{Name: "mixed", Levels: []string{"1", "2", "all"}}}, -1},
		{nil, -1},
	} {
		if got, _ := numericFactor(c.factors); got != c.want {
			t.Errorf("%v: factor %d, want %d", c.factors, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		in   []int
		want string
	}{{nil, ""}, {[]int{3}, "3"}, {[]int{0, 1}, "0, 1"}, {[]int{0, 1, 2, 5, 7, 8, 9, 10}, "0-2, 5, 7-10"}} {
		if got := numbers(c.in); got != c.want {
			t.Errorf("%v: %q, want %q", c.in, got, c.want)
		}
	}
}

// The ledger's rows must balance as the records do.
func TestLedgerBalances(t *testing.T) {
	run := sample.UDPWorld().Run()
	v := newLedger(readRun(run, figure.Goodput))
	if v == nil || len(v.Rows) != 2 {
		t.Fatalf("ledger is %+v", v)
	}
	if d := cmp.Diff([]string{"socket buffer", "softnet backlog"}, append([]string(nil), sortedCopy(v.Places)...)); d != "" {
		t.Error(d)
	}
	for _, r := range v.Rows {
		sum := r.Received + r.Unexplained
		for _, n := range r.Dropped {
			sum += n
		}
		if sum != r.Sent || !r.Balanced() {
			t.Errorf("%s: sent %d, accounted for %d", r.Arm, r.Sent, sum)
		}
	}
	if newLedger(readRun(sample.TCPWorld().Run(), figure.Goodput)) != nil {
		t.Error("TCP has a ledger")
	}
}

func sortedCopy(xs []string) []string {
	m := map[string]bool{}
	for _, x := range xs {
		m[x] = true
	}
	return slices.Sorted(maps.Keys(m))
}

func TestBusiestCPUs(t *testing.T) {
	var loads []cpuLoad
	for i := range 100 {
		loads = append(loads, cpuLoad{CPUDelta: results.CPUDelta{CPU: i, BusyNS: int64(i % 50)}})
	}
	top := busiest(loads)
	if len(top) != maxCPUs || top[0].CPU != 34 || top[31].CPU != 99 {
		t.Errorf("%d CPUs from %d to %d", len(top), top[0].CPU, top[len(top)-1].CPU)
	}
}

func TestUsualRange(t *testing.T) {
	xs := []float64{1, 2, 3, 4, 5}
	if low, high, outside := usualRange(xs); low != 1 || high != 5 || outside != 0 {
		t.Errorf("%v to %v, %d outside", low, high, outside)
	}
	// Quartiles of the seven are 2.5 and 5.5, so 8 * 3 beyond 5.5 is the limit.
	if low, high, outside := usualRange(append(xs, 6, 900)); low != 1 || high != 29.5 || outside != 1 {
		t.Errorf("%v to %v, %d outside", low, high, outside)
	}
	if _, _, outside := usualRange(nil); outside != 0 {
		t.Error("nothing has something outside")
	}
}

func TestSettingsOfAllArmsStandOnce(t *testing.T) {
	run := sample.TCPWorld().Run()
	shared := results.Setting{Knob: "sysctl net.ipv4.tcp_slow_start_after_idle", Scope: "netns", Before: "1", Asked: "0", After: "0"}
	for i := range run.Trials {
		for j := range run.Trials[i].Arms {
			run.Trials[i].Arms[j].Knobs = append(run.Trials[i].Arms[j].Knobs, shared)
		}
	}
	run.Trials[4].Arms[1].Knobs[0].After = "0"
	var got []string
	for _, r := range newSettings(run).Rows {
		got = append(got, r.Arm+": "+r.Knob+" = "+r.After+" "+r.Trials)
	}
	want := []string{"all arms: sysctl net.ipv4.tcp_slow_start_after_idle = 0 ", "off: lo rx-0 rps_cpus = 0 ",
		"sink: lo rx-0 rps_cpus = 2 0-3, 5-19", "sink: lo rx-0 rps_cpus = 0 4", "all: lo rx-0 rps_cpus = 3 "}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestShortNumbers(t *testing.T) {
	for doc, want := range map[string]string{
		`[39.85334488091834,-0.1696736398644133,1.7e-149,0.30000000000000004]`:         `[39.85334,-0.1696736,1.7e-149,0.3]`,
		`[1700000000000,64,-12,12345678.25,1.23456789e+21,null,true,0.5]`:              `[1700000000000,64,-12,1.234568e+07,1.234568e+21,null,true,0.5]`,
		`{"a 1.23456789012":"p 1.7000000001 \" 2.123456789","b":3.00000000001,"c":""}`: `{"a 1.23456789012":"p 1.7000000001 \" 2.123456789","b":3,"c":""}`,
		`"\\",[2.71828182845]`: `"\\",[2.718282]`,
		`"cut \`:               `"cut \`,
	} {
		if got := string(shortNumbers([]byte(doc))); got != want {
			t.Errorf("%s: %s, want %s", doc, got, want)
		}
	}
}
