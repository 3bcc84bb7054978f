// Package gate makes of a judged run, or of runs judged against each other, what a CI
// job acts on: one outcome, of one check for each judged comparison, with the
// regressions that somebody acknowledged. It says its verdicts to readers who do not
// know statistics, and gives those who do what they ask for.
//
// It measures and estimates nothing: what the intervals do not say it does not decide.
package gate

import (
	"fmt"
	"slices"
	"time"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/results/vocab"
)

// Schema names the JSON form of Gate.
const Schema = "netab/gate/1"

// An Outcome is what a gate, or one of its checks, comes to.
type Outcome string

// The outcomes. Only checks are acknowledged; only gates are not comparable or
// failed.
const (
	Passed        Outcome = "passed"
	Worse         Outcome = "regression"
	Acknowledged  Outcome = "acknowledged" // a regression that is known and may pass
	Undecided     Outcome = "inconclusive"
	NotComparable Outcome = "not-comparable"
	NotMeasured   Outcome = "failed"
)

// A Gate is what a CI job acts on: one outcome, made of one check for each
// judged comparison. It decides nothing that the intervals of the Summary do
// not say.
type Gate struct {
	Schema   string           `json:"schema"`
	Outcome  Outcome          `json:"outcome"`
	Sentence string           `json:"sentence"` // for a chat message
	Checks   []Check          `json:"checks"`
	Issues   []IssueState     `json:"known_issues"`     // what became of the acknowledgements
	Forced   []string         `json:"forced,omitempty"` // what makes the runs incomparable and was overridden
	Summary  analysis.Summary `json:"summary"`
}

// A Check is one judged comparison, or something that should have been
// compared and was not.
type Check struct {
	Arm        string               `json:"arm,omitempty"`
	Metric     string               `json:"metric,omitempty"`
	Outcome    Outcome              `json:"outcome"`
	Plain      string               `json:"plain"`            // the verdict in plain words
	Sure       string               `json:"sure,omitempty"`   // how sure, in plain words
	Method     string               `json:"method,omitempty"` // for those who know statistics
	Issue      *KnownIssue          `json:"known_issue,omitempty"`
	Comparison *analysis.Comparison `json:"-"` // in the summary already

	about vocab.Code // code of the warning that it is of, if it is of one
}

// New makes a gate of a judged run, or of runs judged against each other.
// Acknowledgements are held against the time now.
//
// A comparison passes where its interval excludes a change for the worse of
// the threshold or more, fails where it is a regression, and is undecided
// otherwise. So what is merely not significant never passes. That is one-sided:
// whether an arm got better may be open in a gate that passes.
//
// A record that is not whole, such as of a run that was cut off, does not pass
// unless the code of its warning is allowed.
func New(s analysis.Summary, known []KnownIssue, now time.Time, allowed ...vocab.Code) Gate {
	g := Gate{Schema: Schema, Checks: []Check{}, Issues: []IssueState{}, Summary: s, Forced: s.Forced}
	for i := range s.Comparisons {
		if c := &s.Comparisons[i]; c.Judged {
			g.Checks = append(g.Checks, newCheck(&s, c))
		}
	}
	g.Checks = append(g.Checks, kernelChecks(&s)...)
	g.Checks = append(g.Checks, levelChecks(&s)...)
	g.Checks = append(g.Checks, absent(&s)...)
	g.Checks = append(g.Checks, doubtful(&s, allowed)...)
	g.contradicted()
	g.acknowledge(known, now)
	g.Outcome = g.outcome()
	g.Sentence = g.sentence()
	return g
}

func newCheck(s *analysis.Summary, c *analysis.Comparison) Check {
	k := Check{Arm: c.Arm, Metric: c.Metric, Comparison: c, Outcome: OutcomeOf(c), Method: method(c)}
	k.Plain, k.Sure = plainVerdict(c, k.Outcome), howSure(c, k.Outcome, s)
	return k
}

// OutcomeOf is what a gate makes of one comparison. It follows the verdict, and
// where there is none asks the interval only what a gate wants to know.
func OutcomeOf(c *analysis.Comparison) Outcome {
	switch {
	case c.Verdict == analysis.Regression:
		return Worse
	case c.Verdict == analysis.Improvement || c.Verdict == analysis.Equivalent:
		return Passed
	case c.Modes.ByState() && c.Modes.Some(analysis.Regression):
		return Worse
	case c.Withheld != "":
		return Undecided
	case c.Mixture:
		if c.Modes.Some(analysis.Regression) {
			return Worse
		}
		return Passed
	case c.P != nil && (c.Modes == nil || c.Modes.ByState()) && c.NotWorse():
		return Passed
	default:
		return Undecided
	}
}

// levelChecks are those of a run of one arm, which compares nothing: its
// levels must be known to the width asked for.
func levelChecks(s *analysis.Summary) []Check {
	if len(s.Arms) != 1 || len(s.Comparisons) > 0 {
		return nil
	}
	var out []Check
	for _, name := range s.Metrics {
		l, ok := s.Arms[0].Metrics[name]
		if !ok {
			continue
		}
		k := Check{Arm: s.Arms[0].Name, Metric: name, Outcome: Undecided, Method: fmt.Sprintf("Student's t over %d trials", l.N),
			Plain: fmt.Sprintf("The level of %s is known to ±%s only, which is wider than asked for.", analysis.TitleOf(name), prose.Percent(l.HalfWidth()))}
		switch {
		case s.Arms[0].Failed > 0:
			k.Plain = fmt.Sprintf("%s moved nothing in %d of %d trials, so its level says little.", s.Arms[0].Name, s.Arms[0].Failed, s.Trials)
		case l.Converged:
			k.Outcome = Passed
			k.Plain = fmt.Sprintf("The level of %s is known to ±%s. The run has one arm: nothing is compared.", analysis.TitleOf(name), prose.Percent(l.HalfWidth()))
		}
		out = append(out, k)
	}
	return out
}

// absent lists what should have been judged and was not: a gate must not pass
// because an arm or a metric went missing.
func absent(s *analysis.Summary) []Check {
	var out []Check
	for _, name := range s.Metrics {
		judged := slices.ContainsFunc(s.Comparisons, func(c analysis.Comparison) bool { return c.Judged && c.Metric == name })
		if judged || len(s.Arms) == 1 && s.Arms[0].Metrics[name].N > 0 {
			continue
		}
		text := fmt.Sprintf("%s was measured for no pair of arms, so nothing is known of it.", prose.Capital(analysis.TitleOf(name)))
		if _, ok := analysis.LookupMetric(name); !ok {
			text = fmt.Sprintf("%q is not a metric, so nothing is known of it.", name)
		}
		out = append(out, Check{Metric: name, Outcome: Undecided, Plain: text})
	}
	for _, w := range s.Warnings {
		if w.Code == analysis.ArmMissing {
			out = append(out, Check{Outcome: Undecided, Plain: prose.Capital(w.Text) + "."})
		}
	}
	return out
}

func (g *Gate) outcome() Outcome {
	s := &g.Summary
	has := func(o Outcome) bool {
		return slices.ContainsFunc(g.Checks, func(k Check) bool { return k.Outcome == o })
	}
	switch {
	case len(s.Blocking()) > 0 && len(s.Forced) == 0:
		return NotComparable
	case s.Trials == 0 || s.Ended.Failed():
		return NotMeasured
	case has(Worse):
		return Worse
	case has(Undecided) || len(g.Checks) == 0:
		return Undecided
	default:
		return Passed
	}
}

// contradicted takes back what a gate's checks came to where earlier runs say
// something else: whether better or worse, it holds for a state of the machine.
// Where they are sure of the same direction, and only its size is in doubt, what is
// worse stays worse.
func (g *Gate) contradicted() {
	h := g.Summary.History
	if h == nil {
		return
	}
	for _, of := range h.Of {
		for i := range g.Checks {
			if k := &g.Checks[i]; len(of.Contradicts) > 0 && k.Arm == of.Arm && k.Metric == of.Metric {
				what := "contradict that"
				if c := k.Comparison; !of.Opposed && c != nil && (c.Verdict == analysis.Regression || c.Verdict == analysis.Improvement) {
					what = "contradict its size"
				} else {
					k.Outcome, k.Sure = Undecided, ""
				}
				k.Plain += fmt.Sprintf(" But %d of %d earlier runs of the same question on this machine %s (run %s).", len(of.Contradicts), of.Runs, what, of.Contradicts[0])
			}
		}
	}
}
