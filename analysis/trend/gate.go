package trend

import (
	"fmt"
	"math"
	"slices"
	"time"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/results"
	"netab/results/vocab"
)

// codesOfIssues are those of known issues that no longer let a regression pass.
var codesOfIssues = map[string]vocab.Code{
	gate.IssueExpired:  vocab.Warns("known-issue-expired"),
	gate.IssueExceeded: vocab.Warns("known-issue-exceeded"),
}

// A Known is the acknowledged regressions of one scenario, or of all: the file
// that a gate reads too (gate.ParseKnownIssues).
type Known struct {
	Scenario string // "" = every scenario
	Issues   []gate.KnownIssue
}

// An Issue says what became of an acknowledgement.
type Issue struct {
	Scenario string `json:"scenario,omitempty"`
	gate.IssueState
}

// decide gives every series the outcome that a gate acts on, in the gate's
// words, and lets acknowledged regressions pass.
func (h *History) decide(opts Options) {
	for i := range h.Series {
		s := &h.Series[i]
		if s.Outcome, s.worse = s.outcome(); s.Outcome == gate.Passed && s.Emulated != "" && !opts.Emulated {
			s.Outcome = gate.Undecided
		}
	}
	for _, k := range opts.Known {
		for i := range k.Issues {
			h.Issues = append(h.Issues, Issue{k.Scenario, h.acknowledge(k.Scenario, &k.Issues[i], opts.Now)})
		}
	}
	h.Outcome = gate.Passed
	for i := range h.Series {
		if o := h.Series[i].Outcome; o == gate.Worse || o == gate.Undecided && h.Outcome == gate.Passed {
			h.Outcome = o
		}
	}
	if len(h.Series) == 0 {
		h.Outcome = gate.Undecided
	}
}

// acknowledge lets the series pass that an acknowledgement is of. Its state is
// that of the series that speaks most against it.
func (h *History) acknowledge(scenario string, k *gate.KnownIssue, now time.Time) gate.IssueState {
	out := gate.IssueState{KnownIssue: *k, State: gate.IssueUnused, Text: "nothing that it is of became worse of late"}
	if !slices.ContainsFunc(h.Series, func(s Series) bool { return (scenario == "" || s.Scenario == scenario) && k.Of(s.Arm, s.Metric) }) {
		out.Text = "it is of no series here"
	}
	for i := range h.Series {
		s := &h.Series[i]
		if s.worse == 0 || s.Outcome == gate.Acknowledged || scenario != "" && s.Scenario != scenario {
			continue
		}
		st, ok := k.Judge(s.Arm, s.Metric, s.worse, now)
		if !ok {
			continue
		}
		if st.State == gate.IssueUsed {
			s.Outcome, s.Issue = gate.Acknowledged, k
			s.Text += fmt.Sprintf(" Acknowledged until %s: %s.", k.Expires, k.Reason)
		} else {
			s.Warnings = append(s.Warnings, results.Warning{Code: codesOfIssues[st.State], Text: fmt.Sprintf("known issue (%s): %s", k.Reason, st.Text)})
		}
		if out.State == gate.IssueUnused || out.State == gate.IssueUsed {
			out = st
		}
	}
	return out
}

// outcome is what the newest points come to for a gate: a regression is news
// for Options.Recent points from the one with which it was first found, then it is
// the present level, and so is a slide; a suspect for the worse, a series too short to judge, and one whose newest run is no point, are
// undecided. worse is the size of what became worse, 0 where nothing did.
func (s *Series) outcome() (o gate.Outcome, worse float64) {
	o = gate.Passed
	tail := s.Tail.State
	switch {
	case (tail == Changed || tail == Suspect) && s.Verdict == analysis.Regression:
		worse = math.Abs(s.Tail.Change)
		if o = gate.Undecided; tail == Changed {
			o = gate.Worse
		}
	case s.State == TooShort && len(s.Changes) == 0:
		o = gate.Undecided
	}
	if recent := s.recentRegression(); recent > 0 {
		o, worse = gate.Worse, max(worse, recent)
	}
	if s.Slide != nil && s.Slide.Verdict == analysis.Regression {
		o, worse = gate.Worse, max(worse, math.Abs(s.Slide.Change))
	}
	if o == gate.Passed && s.Newer != nil {
		o = gate.Undecided
	}
	return o, worse
}

// recentRegression is by how much the present level is worse than that before
// the first recent change, 0 where it is not: a suspect must not hide a
// regression of the same week, and one that was put right in the same week is
// none.
func (s *Series) recentRegression() float64 {
	i := slices.IndexFunc(s.Changes, func(c ChangePoint) bool { return c.Recent })
	if i < 0 {
		return 0
	}
	was, now := s.Changes[i].From, s.Changes[len(s.Changes)-1].To
	sc := scaleOf(s.Metric, s.Against != "")
	x, okX := sc.on(was)
	y, okY := sc.on(now)
	if !okX || !okY || x == y || verdict(y-x, s.Better) != analysis.Regression || math.Abs(y-x) < sc.margin(s.Resolution) {
		return 0
	}
	return math.Abs(sc.change(y - x))
}

// Sources are the newest runs that name their scenario's file, by scenario:
// beside it stands what is acknowledged.
func Sources(runs []results.Digest) map[string]results.Digest {
	out := map[string]results.Digest{}
	for _, r := range runs { // in order of time
		if r.Scenario != "" && r.Unused == "" && r.Source != "" {
			out[r.Scenario] = r
		}
	}
	return out
}
