package gate

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/stat"
	"netab/results/nesting"
)

// A KnownIssue acknowledges a regression, so that a gate shows it and passes.
// It needs a reason, for whoever reads it next, and an end, because what is
// acknowledged for ever is forgotten.
type KnownIssue struct {
	Arm     string `yaml:"arm" json:"arm,omitempty"`       // a name or a pattern as of path.Match; "" = every arm
	Metric  string `yaml:"metric" json:"metric,omitempty"` // likewise
	Reason  string `yaml:"reason" json:"reason"`
	Expires string `yaml:"expires" json:"expires"` // 2006-01-02, in UTC; that day is the last
	// UpTo is the largest change for the worse that is acknowledged ("5%"); ""
	// = any. Without it a known 2 % would hide a new 20 %.
	UpTo string `yaml:"up_to" json:"up_to,omitempty"`

	upTo float64
	ends time.Time
}

// What became of an acknowledgement.
const (
	IssueUsed     = "used"
	IssueUnused   = "unused"    // what it is of passed, or is not there at all
	IssueOpen     = "undecided" // what it is of was not decided, so it may still be there
	IssueExpired  = "expired"
	IssueExceeded = "exceeded"
)

// An IssueState says what became of an acknowledgement.
type IssueState struct {
	KnownIssue
	State string `json:"state"` // used, unused, undecided, expired, exceeded
	Text  string `json:"text"`
}

// An UnknownMetric is the fault of a known issue of a metric that nobody
// computes: it would acknowledge nothing, for ever.
type UnknownMetric struct{ Name string }

func (u *UnknownMetric) Error() string { return fmt.Sprintf("%q is not a metric", u.Name) }

// ParseKnownIssues reads a list of acknowledgements. Errors say where: file,
// line and column.
func ParseKnownIssues(file string, src []byte) (list []KnownIssue, err error) {
	defer func() { // the decoder's, on a tag before an anchor and the like
		if r := recover(); r != nil {
			list, err = nil, fmt.Errorf("%s: it cannot be read as YAML: want a list of acknowledgements", file)
		}
	}()
	if len(strings.TrimSpace(string(src))) == 0 {
		return nil, nil
	}
	if deep, ok := errors.AsType[*nesting.Deep](nesting.YAML(src)); ok {
		return nil, fmt.Errorf("%s:%d:%d: %w", file, deep.Line, deep.Column, deep)
	}
	if err := yaml.UnmarshalWithOptions(src, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	for i := range list {
		if err := list[i].check(); err != nil {
			return nil, fmt.Errorf("%s%s: acknowledgement %d: %w", file, placeOf(src, i, err), i+1, err)
		}
	}
	return list, nil
}

// A memberFault is what is wrong with one member of an acknowledgement.
type memberFault struct {
	member string
	error
}

func (f *memberFault) Unwrap() error { return f.error }

// placeOf is where the member stands that a fault is of, as ":LINE:COLUMN", or
// where the acknowledgement does.
func placeOf(src []byte, item int, fault error) string {
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		return ""
	}
	paths := []string{fmt.Sprintf("$[%d]", item)}
	if f, ok := errors.AsType[*memberFault](fault); ok {
		paths = append([]string{paths[0] + "." + f.member}, paths...)
	}
	for _, text := range paths {
		at, err := yaml.PathString(text)
		if err != nil {
			continue
		}
		if node, err := at.FilterFile(file); err == nil && node != nil && node.GetToken() != nil {
			pos := node.GetToken().Position
			return fmt.Sprintf(":%d:%d", pos.Line, pos.Column)
		}
	}
	return ""
}

func (k *KnownIssue) check() error {
	if strings.TrimSpace(k.Reason) == "" {
		return errors.New("it has no reason: say why the regression may pass, and where that is written down")
	}
	day, err := time.Parse(time.DateOnly, k.Expires)
	if err != nil {
		return &memberFault{"expires", fmt.Errorf("expires %q is not a day: want one such as 2026-12-31", k.Expires)}
	}
	k.ends = day.AddDate(0, 0, 1)
	for _, p := range []struct{ member, pattern string }{{"arm", k.Arm}, {"metric", k.Metric}} {
		if _, err := path.Match(p.pattern, ""); err != nil {
			return &memberFault{p.member, fmt.Errorf("%q is not a pattern: %w", p.pattern, err)}
		}
	}
	if !someMetric(k.Metric) {
		return &memberFault{"metric", &UnknownMetric{k.Metric}}
	}
	if k.UpTo == "" {
		return nil
	}
	number, ok := strings.CutSuffix(k.UpTo, "%")
	if _, err := fmt.Sscanf(number+" ;", "%g ;", &k.upTo); !ok || err != nil || !stat.IsFinite(k.upTo) || k.upTo <= 0 {
		return &memberFault{"up_to", fmt.Errorf("up_to %q is not a change: want one such as 5%%", k.UpTo)}
	}
	k.upTo /= 100
	return nil
}

// someMetric says whether a pattern is of a metric at all, be it of traffic
// beside the main one.
func someMetric(pattern string) bool {
	_, beside, ok := strings.Cut(pattern, ".")
	return slices.ContainsFunc(analysis.Metrics(), func(m analysis.Metric) bool {
		return fits(pattern, m.Name) || ok && m.OfBeside() && fits(beside, m.Name)
	})
}

// fits says whether a pattern is of a name.
func fits(pattern, name string) bool {
	// path.Match stops at slashes, which names of arms may have.
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(name, "/", "\x00"))
	return pattern == "" || err == nil && ok
}

// Of says whether an acknowledgement is of an arm and a metric.
func (k *KnownIssue) Of(arm, metric string) bool { return fits(k.Arm, arm) && fits(k.Metric, metric) }

// Judge says what an acknowledgement makes of a regression by so much (worse);
// not ok = it is of another.
func (k *KnownIssue) Judge(arm, metric string, worse float64, now time.Time) (st IssueState, ok bool) {
	st = IssueState{KnownIssue: *k}
	switch {
	case !k.Of(arm, metric):
		return st, false
	case !now.Before(k.ends):
		st.State, st.Text = IssueExpired, fmt.Sprintf("expired on %s: the regression counts again", k.Expires)
	case k.upTo > 0 && worse > k.upTo:
		st.State, st.Text = IssueExceeded, fmt.Sprintf("%s of %s is worse by %s, more than the %s acknowledged: it counts", metric, arm, prose.Percent(worse), k.UpTo)
	default:
		st.State, st.Text = IssueUsed, fmt.Sprintf("until %s: %s", k.Expires, k.Reason)
	}
	return st, true
}

// acknowledge lets known regressions pass, and says what became of each
// acknowledgement: where it is of several, what speaks most against it.
func (g *Gate) acknowledge(known []KnownIssue, now time.Time) {
	for i := range known {
		k := &known[i]
		out := g.unseen(k)
		for j := range g.Checks {
			c := &g.Checks[j]
			if c.Outcome != Worse || c.Comparison == nil {
				continue
			}
			st, ok := k.Judge(c.Arm, c.Metric, worsening(c.Comparison), now)
			if !ok {
				continue
			}
			if st.State == IssueUsed {
				c.Outcome, c.Issue = Acknowledged, k
			}
			if out.State == IssueUnused || out.State == IssueOpen || out.State == IssueUsed {
				out = st
			}
		}
		g.Issues = append(g.Issues, out)
	}
}

// unseen says of an acknowledgement that no regression was seen that it is of.
// Only what passed is gone; what was not decided, or not measured, may be there.
func (g *Gate) unseen(k *KnownIssue) IssueState {
	passed, open := 0, 0
	for _, c := range g.Checks {
		switch {
		case !k.Of(c.Arm, c.Metric):
		case c.Outcome == Passed:
			passed++
		default:
			open++
		}
	}
	s := &g.Summary
	st := IssueState{KnownIssue: *k, State: IssueOpen, Text: "it is not decided whether it is still there: keep the acknowledgement"}
	switch {
	case open > 0 || len(s.Blocking()) > 0 && len(s.Forced) == 0:
	case passed > 0:
		st.State, st.Text = IssueUnused, "no such regression was seen: remove the acknowledgement"
	case !slices.ContainsFunc(s.Arms, func(a analysis.ArmSummary) bool { return fits(k.Arm, a.Name) }):
		st.State, st.Text = IssueUnused, fmt.Sprintf("no arm here is named %s: correct the acknowledgement, or remove it", k.Arm)
	default:
		st.Text = "nothing that it is of was judged here"
	}
	return st
}

// worsening is the size of a change for the worse, of its worst mode where
// modes stand in place of the mean.
func worsening(c *analysis.Comparison) float64 {
	m, _ := analysis.LookupMetric(c.Metric)
	size := func(x float64) float64 {
		if m.Better == analysis.Higher {
			return -x
		}
		return x
	}
	worst := size(c.Change)
	if c.Mixture {
		for _, g := range c.Modes.Groups {
			worst = max(worst, size(g.Change))
		}
	}
	return worst
}
