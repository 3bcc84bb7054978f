package trend

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/analysis"
	"netab/analysis/gate"
	synthetic "netab/analysis/world"
	"netab/results"
)

func only(t *testing.T, h History) *Series {
	t.Helper()
	if len(h.Series) != 1 {
		t.Fatalf("%d series, want one", len(h.Series))
	}
	return &h.Series[0]
}

func TestHistoryOfAStep(t *testing.T) {
	xs := oneStep.series(1, 100)
	h := Analyze(nightly(xs, map[int]string{40: "6.18.1", 60: "6.19.0-rc1-00012-g0a1b2c3d4e5f"}), Options{})
	s := only(t, h)
	if len(s.Changes) != 1 {
		t.Fatalf("changes %+v", s.Changes)
	}
	c := s.Changes[0]
	if c.Index != 60 || c.Before != "6.18.1" || c.After != "6.19.0-rc1-00012-g0a1b2c3d4e5f" || c.Run != s.Points[60].Run || c.Verdict != analysis.Regression {
		t.Errorf("%+v", c)
	}
	if truth := math.Expm1(-0.06); c.Lo > truth || c.Hi < truth || c.Change < c.Lo || c.Change > c.Hi {
		t.Errorf("change %g in %g to %g, truth %g", c.Change, c.Lo, c.Hi, truth)
	}
	if len(c.Differs) != 1 || c.Differs[0].Name != "kernel" {
		t.Errorf("differs: %v", c.Differs)
	}
	if got := s.Points[60].Commit; got != "0a1b2c3d4e5f" {
		t.Errorf("commit %q", got)
	}
	if s.State != Steady || h.Outcome != gate.Passed {
		t.Errorf("state %s, gate %s: a change of forty nights ago is the present level", s.State, h.Outcome)
	}
	if len(s.Segments) != 2 || s.Segments[0] != (Segment{0, 60, s.Segments[0].Level}) || math.Abs(s.Segments[0].Level/40e9-1) > 0.02 {
		t.Errorf("segments %+v", s.Segments)
	}
}

// TestGateNightByNight follows a regression: passed before it, then suspect,
// then a regression until a week after the search found it, then the present level.
func TestGateNightByNight(t *testing.T) {
	xs := steps(map[int]float64{40: -0.15})(seeded("nights", 1), 60)
	for n, want := range map[int]gate.Outcome{
		4: gate.Undecided, 40: gate.Passed, 41: gate.Undecided, 42: gate.Worse, 43: gate.Worse, 45: gate.Worse, 47: gate.Worse, 50: gate.Worse, 51: gate.Passed, 60: gate.Passed,
	} {
		h := Analyze(nightly(xs[:n], nil), Options{})
		if got := h.Outcome; got != want {
			t.Errorf("after %d nights: %s, want %s: %s", n, got, want, only(t, h).Text)
		}
	}
	// The same step upwards is none of the gate's business.
	for i := range xs {
		xs[i] = -xs[i]
	}
	for _, n := range []int{41, 42, 45} {
		h := Analyze(nightly(xs[:n], nil), Options{})
		if got := h.Outcome; got != gate.Passed {
			t.Errorf("after %d nights of an improvement: %s", n, got)
		}
	}
}

// TestRegressionPutRight: what went wrong and was put right within the week
// fails no gate.
func TestRegressionPutRight(t *testing.T) {
	xs := steps(map[int]float64{40: -0.3, 50: 0.3})(seeded("put right", 1), 60)
	h := Analyze(nightly(xs, nil), Options{Recent: 25})
	if s := only(t, h); len(s.Changes) != 2 {
		t.Fatalf("changes: %+v", s.Changes)
	}
	if got := h.Outcome; got != gate.Passed {
		t.Errorf("gate %s", got)
	}
}

func TestSeriesAreTakenApart(t *testing.T) {
	key := func(arm, metric, traffic string, judged bool) results.SeriesKey {
		return results.SeriesKey{Arm: arm, Metric: metric, Traffic: traffic, Judged: judged, Resolution: 0.01}
	}
	keys := []results.SeriesKey{key("off", "goodput", "tcp", true), key("off", "loss", "tcp", false), key("on", "goodput", "tcp", true),
		{Arm: "on", Against: "off", Metric: "goodput", Traffic: "tcp", Judged: true}}
	udp := slices.Clone(keys)
	for i := range udp {
		udp[i].Traffic = "udp"
	}
	run := func(i int, scenario, host, model string, keys []results.SeriesKey) results.Digest {
		return results.Digest{ID: fmt.Sprint("run", i), Started: began.Add(time.Duration(i) * time.Hour), Scenario: scenario,
			Facts: map[string]string{"hostname": host, "cpu model": model}, Series: keys, Values: []float64{1e9, 0, 2e9, 1}}
	}
	runs := []results.Digest{run(0, "a", "x", "m1", keys), run(1, "a", "x", "m2", keys), run(2, "a", "y", "m1", keys), run(3, "b", "x", "m1", keys), run(4, "a", "y", "m1", udp)}
	runs = append(runs, results.Digest{ID: "broken", Unused: "unreadable"})
	names := func(o Options) []string {
		var out []string
		for _, s := range Analyze(runs, o).Series {
			out = append(out, fmt.Sprintf("%s %s %s %s %s %d", s.Scenario, s.Arm, s.Metric, s.Machine, s.Traffic, len(s.Points)))
		}
		return out
	}
	want := []string{
		"a off goodput x (m1) tcp 1", "a on goodput x (m1) tcp 1", "a off goodput x (m2) tcp 1", "a on goodput x (m2) tcp 1",
		"a off goodput y tcp 1", "a off goodput y udp 1", "a on goodput y tcp 1", "a on goodput y udp 1",
		"b off goodput x (m1) tcp 1", "b on goodput x (m1) tcp 1",
	}
	if got := names(Options{}); !slices.Equal(got, want) {
		t.Errorf("series\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range []struct {
		filter Filter
		want   int
	}{
		{Filter{Scenarios: []string{"b"}}, 2}, {Filter{Arms: []string{"on"}, Machines: []string{"y"}}, 2},
		{Filter{Metrics: []string{"loss"}}, 5}, {Filter{Metrics: []string{AllMetrics}}, 15}, {Filter{Changes: true}, 5}, {Filter{Scenarios: []string{"c"}}, 0},
	} {
		if got := len(names(Options{Filter: c.filter})); got != c.want {
			t.Errorf("%+v: %d series, want %d", c.filter, got, c.want)
		}
	}
	if h := Analyze(runs, Options{}); len(h.Unused) != 1 || h.Unused[0] != (Unused{"broken", "unreadable"}) {
		t.Errorf("unused: %v", h.Unused)
	}
}

// TestGapsAreNotFilled: runs without a value are no points, and a value of
// nothing is none.
func TestGapsAreNotFilled(t *testing.T) {
	runs := nightly(level(1, 30), nil)
	for _, i := range []int{3, 4, 5} {
		runs[i].Values = []float64{0}
	}
	runs[8].Unused = "cut off"
	s := only(t, Analyze(runs, Options{}))
	if len(s.Points) != 26 || s.Points[3].Run != runs[6].ID {
		t.Errorf("%d points, the fourth is %s", len(s.Points), s.Points[3].Run)
	}
}

func TestOneBootIsSaid(t *testing.T) {
	xs := steps(map[int]float64{30: -0.1})(seeded("boots", 1), 45)
	for _, c := range []struct {
		boot func(i int) string
		want bool
	}{
		{func(i int) string { return fmt.Sprint(i) }, false},
		{func(i int) string { return fmt.Sprint(i / 30) }, true},
		{func(int) string { return "same" }, false},
	} {
		runs := nightly(xs, nil)
		for i := range runs {
			runs[i].Boot = c.boot(i)
		}
		s := only(t, Analyze(runs, Options{}))
		if len(s.Changes) != 1 || s.Changes[0].OneBoot != c.want {
			t.Errorf("changes %+v, want one boot %v", s.Changes, c.want)
		}
		if said := slices.ContainsFunc(s.Warnings, func(w results.Warning) bool { return w.Code == "one-boot" }); said != c.want {
			t.Errorf("warnings: %v", s.Warnings)
		}
	}
}

func TestWanderIsSaid(t *testing.T) {
	xs := autoregressive(0.6)(seeded("wander", 1), 365)
	warned := func(xs []float64) bool {
		return slices.ContainsFunc(only(t, Analyze(nightly(xs, nil), Options{})).Warnings, func(w results.Warning) bool { return w.Code == "autocorrelated" })
	}
	if !warned(xs) || warned(level(3, 120)) {
		t.Errorf("autocorrelated: %v with a correlation of 0.6, %v without", warned(xs), warned(level(3, 120)))
	}
}

// TestSameHistorySameBytes: neither the number of CPUs nor other series change
// what is said of a series.
func TestSameHistorySameBytes(t *testing.T) {
	runs := nightly(several.series(1, 120), nil)
	first, err := json.Marshal(Analyze(runs, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	more := append(nightly(several.series(2, 120), nil), runs...)
	for i := range 120 {
		more[i].Scenario = "another"
	}
	h := Analyze(more, Options{Filter: Filter{Scenarios: []string{"loopback"}}})
	h.Runs = len(runs)
	again, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(again) {
		t.Errorf("differs:\n%s\n%s", first, again)
	}
}

func TestDigest(t *testing.T) {
	w := synthetic.World{Effects: []float64{0.1}, Blocks: 10, Slice: 100 * time.Millisecond, White: 0.02}
	run := w.Run(w.Design(0.01, time.Minute), 1, 6)
	d := Digest(run)
	if d.Unused != "" || d.Boot != "boot-1" || d.Facts["kernel"] != "6.18.0" || d.Facts["hostname"] != "synthetic" || len(d.Series) != len(d.Values) {
		t.Errorf("%+v", d)
	}
	s := analysis.Summarize(run)
	value := func(k results.SeriesKey) float64 {
		for i, x := range d.Series {
			if x.Arm == k.Arm && x.Against == k.Against && x.Metric == k.Metric {
				return d.Values[i]
			}
		}
		t.Fatalf("no %+v among %+v", k, d.Series)
		return 0
	}
	if got, want := value(results.SeriesKey{Arm: "arm1", Metric: "goodput"}), s.Arms[1].Metrics["goodput"].Mean; got != want {
		t.Errorf("goodput %g, want %g", got, want)
	}
	if got := value(results.SeriesKey{Arm: "arm1", Against: "off", Metric: "goodput"}); math.Abs(got-math.Expm1(0.1)) > 0.02 {
		t.Errorf("change %g", got)
	}
	run.End = nil
	if d := Digest(run); d.Unused == "" || d.Series != nil {
		t.Errorf("a run without an end is used: %+v", d)
	}
}

// A new hostname every night makes no other machine of one that is known
// otherwise, and old records go on where the hostname says so.
func TestSeriesSurviveHostnames(t *testing.T) {
	facts := func(i int) map[string]string {
		f := map[string]string{"hostname": fmt.Sprint("ci-", i), "cpu model": "model", "machine id": "1234567890"}
		if i < 3 { // before netab knew of machine-ids
			f["hostname"] = "ci-3"
			delete(f, "machine id")
		}
		return f
	}
	runs := nightly(level(1, 12), nil)
	for i := range runs {
		runs[i].Facts = facts(i)
	}
	s := only(t, Analyze(runs, Options{}))
	if len(s.Points) != 12 || s.Machine != "ci-11" {
		t.Errorf("%d points of %s", len(s.Points), s.Machine)
	}
	if h := Analyze(runs, Options{Filter: Filter{Machines: []string{"ci-5"}}}); len(h.Series) != 1 || len(h.Series[0].Points) != 12 {
		t.Errorf("by a name that it had once: %d series", len(h.Series))
	}
	for i := range runs { // named, and installed anew each night
		runs[i].Facts = facts(i + 3)
		runs[i].Facts["machine id"], runs[i].Facts["machine name"] = fmt.Sprint(i), "bench"
	}
	if s := only(t, Analyze(runs, Options{Filter: Filter{Machines: []string{"bench"}}})); len(s.Points) != 12 || s.Machine != "bench" {
		t.Errorf("named: %d points of %s", len(s.Points), s.Machine)
	}
	for i := range runs { // clones of one image, side by side
		runs[i].Facts = map[string]string{"hostname": []string{"x", "y"}[i%2], "cpu model": "model", "machine id": "1234567890"}
		runs[i].Boot = runs[i].Facts["hostname"]
	}
	h := Analyze(runs, Options{})
	if len(h.Series) != 2 || h.Series[0].Machine != "x" || h.Series[1].Machine != "y" {
		t.Errorf("clones: %d series", len(h.Series))
	}
}

func TestUnknownCPUIsSaid(t *testing.T) {
	runs := nightly(level(1, 12), nil)
	for i := range runs {
		runs[i].Facts = map[string]string{"hostname": "mips"}
	}
	s := only(t, Analyze(runs, Options{}))
	if len(s.Warnings) != 1 || s.Warnings[0].Code != "cpu-unknown" {
		t.Errorf("warnings %v", s.Warnings)
	}
	if s := only(t, Analyze(nightly(level(1, 12), nil), Options{})); len(s.Warnings) != 0 {
		t.Errorf("a known one: %v", s.Warnings)
	}
}

// A series whose newest run is no point does not pass for it.
func TestNewestRunIsNoPoint(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(d *results.Digest)
		want   gate.Outcome
	}{
		{"as it should be", func(*results.Digest) {}, gate.Passed},
		{"cut off", func(d *results.Digest) { d.Unused = "cut off, or not ended yet" }, gate.Undecided},
		{"unreadable", func(d *results.Digest) {
			*d = results.Digest{ID: d.ID, Started: d.Started, Unused: "unreadable"}
		}, gate.Undecided},
		{"a copy of another", func(d *results.Digest) {
			*d = results.Digest{ID: d.ID, Run: "other", Started: d.Started, Unused: "a copy of run other"}
		}, gate.Passed},
		{"of another scenario", func(d *results.Digest) { d.Scenario, d.Unused = "another", "cut off" }, gate.Passed},
		{"on another machine", func(d *results.Digest) {
			d.Facts, d.Unused = map[string]string{"hostname": "elsewhere"}, "cut off"
		}, gate.Passed},
	} {
		runs := nightly(level(1, 12), nil)
		last := &runs[len(runs)-1]
		tt.change(last)
		h := Analyze(runs, Options{})
		s := only(t, h)
		open := tt.want == gate.Undecided
		if h.Outcome != tt.want || s.Outcome != tt.want || (s.Newer != nil) != open || strings.Contains(h.Answer, "is no point") != open || strings.Contains(s.Text, last.ID+" was begun later") != open {
			t.Errorf("%s: %s, %q, %q; want %s", tt.name, h.Outcome, h.Answer, s.Text, tt.want)
		}
	}
	// What was cut off earlier is history.
	runs := nightly(level(1, 12), nil)
	runs[5].Unused = "cut off"
	if h := Analyze(runs, Options{}); h.Outcome != gate.Passed {
		t.Errorf("cut off long ago: %s", h.Outcome)
	}
}

// BenchmarkAnalyze judges 10,000 runs of 20 series, five changes in each.
func BenchmarkAnalyze(b *testing.B) {
	runs := manyRuns(10000, 20)
	b.ResetTimer()
	for b.Loop() {
		h := Analyze(runs, Options{})
		if len(h.Series) != 20 {
			b.Fatal(len(h.Series))
		}
	}
}

// BenchmarkGate judges a year of nights of 50 series, a change of last week in each:
// whether it is news takes searches of shorter histories.
func BenchmarkGate(b *testing.B) {
	runs := nightly(make([]float64, 365), nil)
	keys := make([]results.SeriesKey, 50)
	for i := range runs {
		runs[i].Series, runs[i].Values = keys, make([]float64, len(keys))
	}
	for s := range keys {
		keys[s] = results.SeriesKey{Arm: fmt.Sprint("arm", s), Metric: "goodput", Judged: true, Resolution: 0.01}
		for i, x := range steps(map[int]float64{355: -0.08})(seeded("gate", s), len(runs)) {
			runs[i].Values[s] = 40e9 * math.Exp(x)
		}
	}
	for b.Loop() {
		if h := Analyze(runs, Options{}); h.Outcome != gate.Worse {
			b.Fatal(h.Outcome)
		}
	}
}

func manyRuns(n, series int) []results.Digest {
	keys := make([]results.SeriesKey, series)
	columns := make([][]float64, series)
	for s := range keys {
		keys[s] = results.SeriesKey{Arm: fmt.Sprint("arm", s), Metric: "goodput", Judged: true, Resolution: 0.01}
		columns[s] = steps(map[int]float64{n / 6: 0.05, n / 3: -0.05, n / 2: 0.05, 2 * n / 3: 0.05, 5 * n / 6: -0.05})(seeded("many", s), n)
	}
	runs := nightly(make([]float64, n), nil)
	for i := range runs {
		runs[i].Series, runs[i].Values = keys, make([]float64, series)
		for s := range keys {
			runs[i].Values[s] = 40e9 * math.Exp(columns[s][i])
		}
	}
	return runs
}
