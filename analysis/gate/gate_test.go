package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"netab/analysis"
	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

var gateDay = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// plain is a quiet machine: 10 blocks of 100 ms slices of two arms alike.
var plain = world.World{
	Effects: []float64{0}, Blocks: 10, Slice: 100 * time.Millisecond, Fixed: 80 * time.Millisecond, White: 0.03,
}

// gateOf judges one run of a quiet world whose second arm has this effect.
func gateOf(t *testing.T, effect, resolution float64, change func(*results.Run), known ...KnownIssue) Gate {
	t.Helper()
	w := plain
	w.Effects = []float64{effect}
	run := w.Run(w.Design(resolution, time.Minute), 3, 20)
	if change != nil {
		change(run)
	}
	for i := range known {
		if err := known[i].check(); err != nil {
			t.Fatal(err)
		}
	}
	return New(analysis.Summarize(run), known, gateDay)
}

func TestGateOutcomes(t *testing.T) {
	for _, tt := range []struct {
		name       string
		effect     float64
		resolution float64
		change     func(*results.Run)
		want       Outcome
		plain      string
	}{
		{"slower", -0.05, 0.01, nil, Worse, "Goodput with arm1 is worse than with off, by 4."},
		{"faster", 0.05, 0.01, nil, Passed, "Goodput with arm1 is better than with off, by 5."},
		{"alike", 0, 0.02, nil, Passed, "Goodput with arm1 did not change by as much as 2.0 %"},
		{"too fine a question", 0, 0.0001, nil, Undecided, "It is not known whether goodput with arm1 changed"},
		{"slower than matters", -0.05, 0.10, nil, Passed, "did not change by as much as 10.0 %"},
		{"its own threshold", -0.05, 0.01, func(r *results.Run) { r.Header.Design.Gate = map[string]float64{"goodput": 0.1} }, Passed, "by as much as 10.0 %"},
		{"another's threshold", -0.05, 0.01, func(r *results.Run) { r.Header.Design.Gate = map[string]float64{"cpu_sink": 0.1} }, Worse, "is worse"},
		{"nothing measured", -0.05, 0.01, func(r *results.Run) { r.Trials = nil }, NotMeasured, ""},
		{"one trial", -0.05, 0.01, func(r *results.Run) { r.Trials = r.Trials[:1] }, Undecided, "too few measurements"},
		{"failed", 0, 0.02, func(r *results.Run) { r.End.Reason = "failed: no memory" }, NotMeasured, ""},
		{"an unknown metric", 0, 0.02, func(r *results.Run) { r.Header.Design.Metrics = []string{"goodput", "goodness"} }, Undecided, `"goodness" is not a metric`},
		{"a metric of no arm", 0, 0.02, func(r *results.Run) { r.Header.Design.Metrics = []string{"goodput", "loss"} }, Undecided, "Loss was measured for no pair of arms"},
	} {
		g := gateOf(t, tt.effect, tt.resolution, tt.change)
		var plain []string
		for _, k := range g.Checks {
			plain = append(plain, k.Plain)
		}
		if g.Outcome != tt.want || !strings.Contains(strings.Join(plain, "\n"), tt.plain) {
			t.Errorf("%s: %s, checks %q; want %s and %q", tt.name, g.Outcome, plain, tt.want, tt.plain)
		}
		if strings.Count(g.Sentence, "\n") > 0 || !strings.HasPrefix(g.Sentence, "synthetic (synthetic): ") {
			t.Errorf("%s: sentence %q", tt.name, g.Sentence)
		}
	}
}

// A gate is one-sided: an interval that only reaches far to the better side
// passes, its mirror image does not; and for a metric that is better when
// lower it is the other way round.
func TestGateOneSided(t *testing.T) {
	p := 0.2
	for _, tt := range []struct {
		metric string
		lo, hi float64
		want   Outcome
	}{
		{"goodput", -0.005, 0.05, Passed},
		{"goodput", -0.05, 0.005, Undecided},
		{"goodput", -0.0099, 0.05, Passed}, // 1/1.01 is -0.990 %
		{"goodput", -0.00995, 0.05, Undecided},
		{"ns_per_byte_sink", -0.05, 0.005, Passed},
		{"ns_per_byte_sink", -0.005, 0.05, Undecided},
		{"loss", -0.05, 0.005, Passed},
		{"loss", -0.005, 0.05, Undecided},
		{"no_such", -0.005, 0.005, Undecided},
	} {
		m, _ := analysis.LookupMetric(tt.metric)
		c := analysis.Comparison{Metric: tt.metric, Lo: tt.lo, Hi: tt.hi, P: &p, Verdict: analysis.Inconclusive, Resolution: 0.01, Difference: m.Difference}
		if got := OutcomeOf(&c); got != tt.want {
			t.Errorf("%s from %v to %v: %s, want %s", tt.metric, tt.lo, tt.hi, got, tt.want)
		}
		c.Withheld = "too few boots"
		if got := OutcomeOf(&c); got != Undecided {
			t.Errorf("%s: a withheld verdict is %s", tt.metric, got)
		}
	}
}

func TestGateModes(t *testing.T) {
	w := world.World{Effects: []float64{0}, Blocks: 10, Slice: 100 * time.Millisecond, White: 0.01, Modes: []float64{-0.08, 0.08}}
	g := New(analysis.Summarize(w.Run(w.Design(0.02, time.Minute), 1, 24)), nil, gateDay)
	if g.Outcome != Worse || !strings.Contains(g.Checks[0].Plain, "depends on the trial") {
		t.Errorf("outcome %s, %+v", g.Outcome, g.Checks[0])
	}
}

func TestGateOneArm(t *testing.T) {
	w := plain
	w.Effects = nil
	for width, want := range map[float64]Outcome{0.5: Passed, 1e-6: Undecided} {
		d := w.Design(0.01, time.Minute)
		d.Width = width
		g := New(analysis.Summarize(w.Run(d, 1, 12)), nil, gateDay)
		if g.Outcome != want || len(g.Checks) != 1 {
			t.Errorf("width %v: %s, %+v", width, g.Outcome, g.Checks)
		}
	}
}

func TestKnownIssues(t *testing.T) {
	for _, tt := range []struct {
		name  string
		issue KnownIssue
		want  Outcome
		state string
	}{
		{"of the arm", KnownIssue{Arm: "arm1", Metric: "goodput", Reason: "bug 1", Expires: "2026-12-31"}, Acknowledged, "used"},
		{"of every arm", KnownIssue{Reason: "bug 1", Expires: "2026-12-31"}, Acknowledged, "used"},
		{"by pattern", KnownIssue{Arm: "arm?", Metric: "good*", Reason: "bug 1", Expires: "2026-12-31"}, Acknowledged, "used"},
		{"its last day", KnownIssue{Reason: "bug 1", Expires: "2026-03-01"}, Acknowledged, "used"},
		{"the day after", KnownIssue{Reason: "bug 1", Expires: "2026-02-28"}, Worse, "expired"},
		{"of another arm", KnownIssue{Arm: "arm2", Reason: "bug 1", Expires: "2026-12-31"}, Worse, "unused"},
		{"of another metric", KnownIssue{Metric: "loss", Reason: "bug 1", Expires: "2026-12-31"}, Worse, "undecided"},
		{"large enough", KnownIssue{Reason: "bug 1", Expires: "2026-12-31", UpTo: "6%"}, Acknowledged, "used"},
		{"too small", KnownIssue{Reason: "bug 1", Expires: "2026-12-31", UpTo: "2%"}, Worse, "exceeded"},
	} {
		g := gateOf(t, -0.05, 0.01, nil, tt.issue)
		if g.Checks[0].Outcome != tt.want || g.Issues[0].State != tt.state {
			t.Errorf("%s: %s, state %s; want %s, %s", tt.name, g.Checks[0].Outcome, g.Issues[0].State, tt.want, tt.state)
		}
		if tt.want == Acknowledged && (g.Outcome != Passed || !strings.Contains(g.Sentence, "acknowledged: goodput of arm1 -4")) {
			t.Errorf("%s: gate %s, %q", tt.name, g.Outcome, g.Sentence)
		}
	}
	// What is acknowledged but not there is no reason to fail, and is shown.
	g := gateOf(t, 0, 0.02, nil, KnownIssue{Reason: "bug 1", Expires: "2026-12-31"})
	if g.Outcome != Passed || g.Issues[0].State != "unused" || !strings.Contains(g.Issues[0].Text, "remove the acknowledgement") {
		t.Errorf("%s, %+v", g.Outcome, g.Issues)
	}
}

// A record that is not whole never passes silently, and a regression in it is
// one all the same.
func TestGateOfDoubtfulRecords(t *testing.T) {
	cutOff := func(r *results.Run) { r.End = nil }
	twice := func(r *results.Run) {
		r.ReadWarnings = []results.Warning{{Code: "trials-differ", Text: "1 trial is in the file twice with different content"}}
	}
	for _, tt := range []struct {
		name    string
		effect  float64
		change  func(*results.Run)
		allowed []vocab.Code
		want    Outcome
		says    string
	}{
		{"cut off", 0, cutOff, nil, Undecided, "the run was cut off"},
		{"cut off, allowed", 0, cutOff, []vocab.Code{analysis.CutOff}, Passed, "the run was CUT OFF"},
		{"cut off, worse", -0.05, cutOff, nil, Worse, "the run was CUT OFF"},
		{"trials twice", 0, twice, nil, Undecided, "twice with different content"},
		{"trials twice, another doubt allowed", 0, twice, []vocab.Code{analysis.CutOff}, Undecided, "twice with different content"},
		{"trials twice, worse", -0.05, twice, nil, Worse, "trials-differ"},
	} {
		w := plain
		w.Effects = []float64{tt.effect}
		run := w.Run(w.Design(0.02, time.Minute), 1, 20)
		tt.change(run)
		g := New(analysis.Summarize(run), nil, gateDay, tt.allowed...)
		if g.Outcome != tt.want || strings.Count(strings.ToLower(g.Sentence), strings.ToLower(tt.says)) != 1 {
			t.Errorf("%s: %s, %q; want %s, and %q once", tt.name, g.Outcome, g.Sentence, tt.want, tt.says)
		}
	}
}

// Only what passed is gone: what this run did not decide may be there still.
func TestKnownIssueUndecided(t *testing.T) {
	issue := KnownIssue{Arm: "arm1", Reason: "bug 1", Expires: "2026-12-31"}
	for _, tt := range []struct {
		name       string
		resolution float64
		change     func(*results.Run)
		state      string
		text       string
	}{
		{"undecided", 0.0001, nil, "undecided", "keep the acknowledgement"},
		{"not measured", 0.02, func(r *results.Run) { r.Trials = nil }, "undecided", "nothing that it is of was judged"},
		{"one metric passed, one is missing", 0.02, func(r *results.Run) { r.Header.Design.Metrics = []string{"goodput", "loss"} }, "unused", "remove"},
	} {
		g := gateOf(t, 0, tt.resolution, tt.change, issue)
		if st := g.Issues[0]; st.State != tt.state || !strings.Contains(st.Text, tt.text) {
			t.Errorf("%s: %s, %q; want %s, %q", tt.name, st.State, st.Text, tt.state, tt.text)
		}
	}
	g := gateOf(t, 0, 0.02, nil, KnownIssue{Arm: "amr1", Reason: "bug 1", Expires: "2026-12-31"})
	if st := g.Issues[0]; st.State != "unused" || !strings.Contains(st.Text, "no arm here is named amr1") {
		t.Errorf("an arm that is not there: %s, %q", st.State, st.Text)
	}
}

func TestParseKnownIssues(t *testing.T) {
	list, err := ParseKnownIssues("k.yaml", []byte("- arm: rps\n  metric: goodput\n  reason: 'bug 7'\n  expires: 2026-12-31\n  up_to: 5%\n- {reason: all, expires: '2027-01-01'}\n"))
	if err != nil || len(list) != 2 || list[0].upTo != 0.05 || list[1].Arm != "" || !list[0].ends.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v, %v", list, err)
	}
	if list, err := ParseKnownIssues("k.yaml", []byte("\n")); err != nil || len(list) != 0 {
		t.Errorf("an empty file: %v, %v", list, err)
	}
	for src, want := range map[string]string{
		"- {arm: a, expires: 2026-12-31}":                        "k.yaml:1:3: acknowledgement 1: it has no reason",
		"- reason: r\n  expires: 2026-12-31\n  metric: godput\n": `k.yaml:3:11: acknowledgement 1: "godput" is not a metric`,
		"- {reason: r, expires: 2026-12-31, metric: goof*}":      `k.yaml:1:44: acknowledgement 1: "goof*" is not a metric`,
		"- {reason: r, expires: 2026-12-31, metric: rpc.lots}":   `"rpc.lots" is not a metric`,
		"- {reason: r}":                                        `expires "" is not a day`,
		"- {reason: r, expires: soon}":                         `expires "soon" is not a day`,
		"- {reason: r, expires: 2026-12-31, up_to: 5}":         `up_to "5" is not a change`,
		"- {reason: r, expires: 2026-12-31, up_to: NaN%}":      "is not a change",
		"- {reason: r, expires: 2026-12-31, up_to: -5%}":       "is not a change",
		"- {reason: r, expires: 2026-12-31, arm: '['}":         "is not a pattern",
		"- {reason: r, expires: 2026-12-31, because: of this}": "because",
		"reason: r": "k.yaml: ",
		"- {reason: r, expires: 2026-12-31}\n- {reason: , expires: 2026-12-31}": "acknowledgement 2",
	} {
		if _, err := ParseKnownIssues("k.yaml", []byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
}

func FuzzKnownIssues(f *testing.F) {
	f.Add("- {arm: a, metric: g*, reason: r, expires: 2026-12-31, up_to: 5%}")
	f.Add("- reason: [")
	f.Add("! &0 0") // the decoder panics
	f.Add("- {reason: r, expires: 2026-12-31, arm: \"a\\0/b\"}")
	f.Fuzz(func(t *testing.T, src string) {
		list, err := ParseKnownIssues("f", []byte(src))
		for _, k := range list {
			if err == nil && (k.Reason == "" || k.ends.IsZero() || k.upTo < 0) {
				t.Errorf("taken: %+v", k)
			}
			k.Judge(src, "goodput", 0.1, gateDay)
		}
	})
}

// The words must not promise what the interval does not say.
func TestPlainWords(t *testing.T) {
	g := gateOf(t, -0.05, 0.01, nil)
	k := g.Checks[0]
	if !strings.Contains(k.Sure, "at most 5 of 100") || !slices.Contains(strings.Split(k.Method, ", "), "df = 19") || !strings.Contains(k.Method, "p = ") {
		t.Errorf("sure %q, method %q", k.Sure, k.Method)
	}
	if k = gateOf(t, 0, 0.0001, nil).Checks[0]; !strings.Contains(k.Sure, "nine times out of ten") {
		t.Errorf("undecided: %q", k.Sure)
	}
}

// TestMethod: a check names the tests that set its interval.
func TestMethod(t *testing.T) {
	for want, by := range map[string][]string{
		"Student's t over trial effects (paired by blocks), n = 9 trials":                       nil,
		"Stringer's bounds and Student's t over trial effects (paired by blocks), n = 9 trials": {"Stringer's bounds", "Student's t"},
	} {
		if got := method(&analysis.Comparison{Metric: "goodput", N: 9, SetBy: by}); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Times of emulated CPUs pass where somebody lets them, and the sentence says so.
func TestEmulatedGate(t *testing.T) {
	w := plain
	w.Effects = []float64{0.05}
	run := w.Run(w.Design(0.01, time.Minute), 3, 20)
	run.Header.Machine.Emulated = results.Emulated
	s := analysis.Summarize(run)
	if g := New(s, nil, gateDay); g.Outcome != Undecided || !strings.Contains(g.Sentence, "Not hardware time") {
		t.Errorf("%s: %s", g.Outcome, g.Sentence)
	}
	if g := New(s, nil, gateDay, analysis.NotHardware); g.Outcome != Passed || !strings.Contains(g.Sentence, "NOT HARDWARE TIME") {
		t.Errorf("let pass: %s: %s", g.Outcome, g.Sentence)
	}
}

// A question of which shards are missing passes no gate.
func TestGateOfMissingShards(t *testing.T) {
	w := world.Quiet()
	outcome := func(of int) Gate {
		run := w.Run(w.Design(0.05, time.Minute), 1, 20)
		run.Header.Design.Shard = &results.Shard{Part: 1, Of: of, Arms: 1, Whole: "x"}
		return New(analysis.JoinShards([]*results.Run{run}), nil, time.Time{})
	}
	if g := outcome(1); g.Outcome != Passed {
		t.Errorf("all shards: %s, %s", g.Outcome, g.Sentence)
	}
	if g := outcome(2); g.Outcome != Undecided || !strings.Contains(g.Sentence, "not in the answer") {
		t.Errorf("one of two: %s, %s", g.Outcome, g.Sentence)
	}
}
