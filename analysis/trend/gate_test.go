package trend

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/analysis/gate"
	synthetic "netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

var gateDay = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func knownOf(t *testing.T, src string) []Known {
	t.Helper()
	issues, err := gate.ParseKnownIssues("k.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return []Known{{Issues: issues}}
}

// TestThresholds: those of the call go before the resolution of the call, that
// before the scenario's.
func TestThresholds(t *testing.T) {
	runs := nightly(level(1, 20, -0.15), nil) // asked for 1 %
	own := nightly(level(1, 20, -0.15), nil)
	for i := range own {
		own[i].Series = slices.Clone(own[i].Series)
		own[i].Series[0].Resolution = 0.3 // what the scenario's gate: makes of it
	}
	for _, tt := range []struct {
		name string
		runs []results.Digest
		opts Options
		want gate.Outcome
		at   float64
	}{
		{"resolution of the run", runs, Options{}, gate.Undecided, 0.01},
		{"threshold of the run", own, Options{}, gate.Passed, 0.3},
		{"resolution of the call", runs, Options{Resolution: 0.2}, gate.Passed, 0.2},
		{"threshold of the call", runs, Options{Thresholds: map[string]float64{"goodput": 0.2}}, gate.Passed, 0.2},
		{"both of the call", own, Options{Resolution: 0.2, Thresholds: map[string]float64{"goodput": 0.02}}, gate.Undecided, 0.02},
		{"of another metric", runs, Options{Thresholds: map[string]float64{"loss": 0.2}}, gate.Undecided, 0.01},
	} {
		h := Analyze(tt.runs, tt.opts)
		if s := only(t, h); h.Outcome != tt.want || s.Outcome != tt.want || s.Resolution != tt.at {
			t.Errorf("%s: %s and %s at %v, want %s at %v", tt.name, h.Outcome, s.Outcome, s.Resolution, tt.want, tt.at)
		}
	}
	// A metric with a threshold is judged.
	for i := range runs {
		runs[i].Series = slices.Clone(runs[i].Series)
		runs[i].Series[0].Judged = false
	}
	if n := len(Analyze(runs, Options{}).Series); n != 0 {
		t.Fatalf("%d series that are not judged", n)
	}
	only(t, Analyze(runs, Options{Thresholds: map[string]float64{"goodput": 0.01}}))
}

// TestDigestKeepsThresholds: the index has each metric's own.
func TestDigestKeepsThresholds(t *testing.T) {
	w := synthetic.World{Effects: []float64{0.1}, Blocks: 4, Slice: 100 * time.Millisecond, White: 0.02}
	design := w.Design(0.01, time.Minute)
	design.Gate = map[string]float64{"goodput": 0.07}
	run := w.Run(design, 1, 6)
	run.Header.Source = "ci/nightly.yaml"
	d := Digest(run)
	seen := 0
	for _, k := range d.Series {
		want := 0.01
		if k.Metric == "goodput" {
			want, seen = 0.07, seen+1
		}
		if k.Resolution != want {
			t.Errorf("%+v, want %v", k, want)
		}
	}
	if seen != 3 || d.Source != "ci/nightly.yaml" { // two levels, one change
		t.Errorf("goodput %d times, source %q", seen, d.Source)
	}
}

func TestKnownIssues(t *testing.T) {
	suspect, changed := level(1, 20, -0.15), level(1, 20, -0.15, -0.14)
	step := steps(map[int]float64{40: -0.15})(seeded("nights", 1), 46)
	for _, tt := range []struct {
		name  string
		xs    []float64
		known string
		want  gate.Outcome
		state string
	}{
		{"nothing known", suspect, "", gate.Undecided, ""},
		{"a suspect", suspect, "- {reason: bug 7, expires: 2026-12-31}", gate.Acknowledged, "used"},
		{"a change that is confirmed", changed, "- {metric: goodput, reason: bug 7, expires: 2026-12-31}", gate.Acknowledged, "used"},
		{"a change point", step, "- {reason: bug 7, expires: 2026-12-31, up_to: 20%}", gate.Acknowledged, "used"},
		{"a suspect that is larger", suspect, "- {reason: bug 7, expires: 2026-12-31, up_to: 5%}", gate.Undecided, "exceeded"},
		{"a change that is larger", changed, "- {reason: bug 7, expires: 2026-12-31, up_to: 5%}", gate.Worse, "exceeded"},
		{"a change point that is larger", step, "- {reason: bug 7, expires: 2026-12-31, up_to: 5%}", gate.Worse, "exceeded"},
		{"too old", changed, "- {reason: bug 7, expires: 2026-02-28}", gate.Worse, "expired"},
		{"of another arm", changed, "- {arm: other, reason: bug 7, expires: 2026-12-31}", gate.Worse, "unused"},
		{"of another metric", changed, "- {metric: loss, reason: bug 7, expires: 2026-12-31}", gate.Worse, "unused"},
		{"of nothing", level(1, 20), "- {reason: bug 7, expires: 2026-12-31}", gate.Passed, "unused"},
		{"an improvement", level(1, 20, 0.15, 0.14), "- {reason: bug 7, expires: 2026-12-31}", gate.Passed, "unused"},
		{"too few runs", level(1, 3), "- {reason: bug 7, expires: 2026-12-31}", gate.Undecided, "unused"},
	} {
		h := Analyze(nightly(tt.xs, nil), Options{Known: knownOf(t, tt.known), Now: gateDay})
		s, state := only(t, h), ""
		if len(h.Issues) == 1 {
			state = h.Issues[0].State
		}
		if s.Outcome != tt.want || state != tt.state || (s.Issue != nil) != (tt.want == gate.Acknowledged) {
			t.Errorf("%s: %s (%v), issue %q; want %s, %q", tt.name, s.Outcome, s.Issue, state, tt.want, tt.state)
		}
		whole := tt.want
		if whole == gate.Acknowledged {
			whole = gate.Passed
		}
		if h.Outcome != whole {
			t.Errorf("%s: the gate is %s, want %s", tt.name, h.Outcome, whole)
		}
		if said := strings.Contains(s.Text, "Acknowledged until 2026-12-31: bug 7."); said != (tt.want == gate.Acknowledged) {
			t.Errorf("%s: text %q", tt.name, s.Text)
		}
		if said := strings.Contains(h.Answer, "worse as acknowledged"); said != (tt.want == gate.Acknowledged) {
			t.Errorf("%s: answer %q", tt.name, h.Answer)
		}
		against := slices.ContainsFunc(s.Warnings, func(w results.Warning) bool { return w.Code == vocab.Code("known-issue-"+tt.state) })
		if against != (tt.state == "exceeded" || tt.state == "expired") {
			t.Errorf("%s: warnings %v", tt.name, s.Warnings)
		}
	}
}

// TestKnownIssuesOfAScenario are of that scenario alone; and one that holds of
// a series does not hide that it is exceeded by another.
func TestKnownIssuesOfAScenario(t *testing.T) {
	runs := nightly(level(1, 20, -0.15, -0.14), nil)
	other := nightly(level(1, 20, -0.3, -0.3), nil)
	for i := range other {
		other[i].Scenario = "other"
	}
	runs = append(runs, other...)
	slices.SortStableFunc(runs, func(a, b results.Digest) int { return a.Started.Compare(b.Started) })
	known := knownOf(t, "- {reason: bug 7, expires: 2026-12-31, up_to: 20%}")
	outcomes := func() string {
		h := Analyze(runs, Options{Known: known, Now: gateDay})
		return fmt.Sprint(h.Series[0].Scenario, h.Series[0].Outcome, h.Series[1].Scenario, h.Series[1].Outcome, h.Outcome, h.Issues[0].State)
	}
	if got, want := outcomes(), fmt.Sprint("loopback", gate.Acknowledged, "other", gate.Worse, gate.Worse, "exceeded"); got != want {
		t.Errorf("of all: %s, want %s", got, want)
	}
	known[0].Scenario = "loopback"
	if got, want := outcomes(), fmt.Sprint("loopback", gate.Acknowledged, "other", gate.Worse, gate.Worse, "used"); got != want {
		t.Errorf("of one: %s, want %s", got, want)
	}
}

func TestSources(t *testing.T) {
	got := Sources([]results.Digest{{Scenario: "a", Source: "old/a.yaml"}, {Scenario: "b", Source: "b.yaml"}, {Scenario: "a", Source: "a.yaml"},
		{Scenario: "a"}, {Scenario: "a", Source: "broken.yaml", Unused: "cut off"}})
	if len(got) != 2 || got["a"].Source != "a.yaml" || got["b"].Source != "b.yaml" {
		t.Errorf("%v", got)
	}
}

// TestAmountOfAChange: what is held against up_to is the change that is shown.
func TestAmountOfAChange(t *testing.T) {
	h := Analyze(nightly(steps(map[int]float64{40: -0.15})(seeded("nights", 1), 46), nil), Options{})
	s := only(t, h)
	if len(s.Changes) != 1 || math.Abs(s.worse+s.Changes[0].Change) > 1e-9 {
		t.Errorf("%v, changes %+v", s.worse, s.Changes)
	}
}
