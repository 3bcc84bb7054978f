package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"netab/analysis/prose"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

// A History is what earlier runs of the same question on the same machine say,
// and whether this run agrees with them.
type History struct {
	Runs  int              `json:"runs"` // earlier ones
	Since time.Time        `json:"since,omitzero"`
	Agree bool             `json:"agree"`
	Of    []HistoryOf      `json:"of"` // judged comparisons that earlier runs have too
	Apart []HistoryOfState `json:"other_states,omitempty"`
	Text  string           `json:"text"` // in one line
}

// A HistoryOf is the history of one comparison.
type HistoryOf struct {
	Arm    string `json:"arm"`
	Metric string `json:"metric"`
	Runs   int    `json:"runs"` // earlier ones
	// Between is the answer of all runs together, this one included, as one of runs
	// that are drawn from what this machine does: Change, Lo and Hi as in Comparison.
	// nil of one earlier run, which tells of no scatter.
	Between *Between `json:"between_runs,omitempty"`
	// Contradicts are earlier runs that this one cannot be reconciled with.
	Contradicts []string `json:"contradicts,omitempty"`
	// Opposed says that one of those is not sure of a change in this one's direction:
	// it contradicts the verdict, not only its size.
	Opposed bool `json:"opposed,omitempty"`
}

// A Between is a random-effects estimate.
type Between struct {
	Change float64 `json:"change"`
	Lo     float64 `json:"lo"`
	Hi     float64 `json:"hi"`
	SD     float64 `json:"sd"` // spread of runs beyond their own errors, on the effect's scale
	P      float64 `json:"p"`  // of so much without any (Cochran's Q)
}

// A HistoryOfState counts earlier runs in another state of the machine, with
// which nothing is compared.
type HistoryOfState struct {
	State    string             `json:"state"`
	Canaries map[string]float64 `json:"canaries"`
	Runs     int                `json:"runs"`
}

// Contradiction is the code of the warning that earlier runs say something else.
var Contradiction = vocab.Doubts("contradicts-earlier")

// contradictionAlpha is shared by the earlier runs that this one is held against.
const contradictionAlpha = 0.01

// EffectsOf are the judged changes of a summary with their errors, for the
// histories of later runs.
func EffectsOf(s *Summary) (out []results.DigestEffect) {
	for i := range s.Comparisons {
		c := &s.Comparisons[i]
		if x, se, ok := c.onScale(); ok && c.Judged && c.ArmRun == "" {
			out = append(out, results.DigestEffect{Arm: c.Arm, Baseline: c.Baseline, Metric: c.Metric, X: x, SE: se, DF: c.DF, Lo: c.Lo, Hi: c.Hi, Verdict: string(c.Verdict)})
		}
	}
	return out
}

// onScale is the change and its standard error on the metric's scale, as far as
// its interval tells: what widened that is in it.
func (c *Comparison) onScale() (x, se float64, ok bool) {
	if c.P == nil || c.DF < 1 || c.Alpha <= 0 || c.Alpha >= 1 {
		return 0, 0, false
	}
	x, lo, hi := c.Change, c.Lo, c.Hi
	if !c.Difference {
		x, lo, hi = math.Log1p(x), math.Log1p(lo), math.Log1p(hi)
	}
	se = (hi - lo) / 2 / stat.Critical(c.Alpha, c.DF)
	return x, se, stat.IsFinite(x) && stat.IsFinite(se) && se > 0
}

// StateOf is what canaries told of the state that a run was in for nine tenths of
// its slices; nil where none was told, or several shared it.
func StateOf(states []State) map[string]float64 {
	for _, s := range states {
		if s.Share >= 0.9 {
			return s.Canaries
		}
	}
	return nil
}

// SameState says whether two runs were in one state of the machine: what canaries
// told of both lies closer together than two states of a run would. What is not
// known of one may be the same. Names do not tell: a run that saw one state only
// has no near and far.
func SameState(a, b map[string]float64) bool {
	for _, kind := range canaryKinds {
		if x, y := kind.median(a), kind.median(b); x > 0 && y > 0 && math.Abs(math.Log(x/y)) >= math.Log(kind.apart) {
			return false
		}
	}
	return true
}

// StateText is a state in a few words ("CPUs 350 ns apart").
func StateText(canaries map[string]float64) string {
	var parts []string
	for _, kind := range canaryKinds {
		if x := kind.median(canaries); x > 0 {
			parts = append(parts, kind.text(x))
		}
	}
	return "CPUs " + strings.Join(parts, ", ")
}

// Remember holds a run against earlier ones of the same question on the same
// machine, adds what they say to its summary, and warns where they contradict it.
// A run in another state of the machine contradicts nothing.
func Remember(s *Summary, earlier []results.Digest) {
	h := History{Agree: true, Of: []HistoryOf{}}
	state := StateOf(s.States)
	var same []results.Digest
	for _, d := range earlier {
		if SameState(d.State, state) {
			same = append(same, d)
			if h.Since.IsZero() || d.Started.Before(h.Since) {
				h.Since = d.Started
			}
			continue
		}
		if i := slices.IndexFunc(h.Apart, func(a HistoryOfState) bool { return SameState(a.Canaries, d.State) }); i >= 0 {
			h.Apart[i].Runs++
		} else {
			h.Apart = append(h.Apart, HistoryOfState{StateText(d.State), d.State, 1})
		}
	}
	h.Runs = len(same)
	if len(earlier) == 0 {
		return
	}
	for i := range s.Comparisons {
		if c := &s.Comparisons[i]; c.Judged {
			if of, ok := historyOf(c, same); ok {
				h.Of = append(h.Of, of)
				h.Agree = h.Agree && len(of.Contradicts) == 0
			}
		}
	}
	h.Text = h.text(s)
	s.History = &h
	if !h.Agree {
		s.Warnings = append([]results.Warning{{Code: Contradiction, Text: h.contradiction(s)}}, s.Warnings...)
	}
}

func historyOf(c *Comparison, earlier []results.Digest) (HistoryOf, bool) {
	of := HistoryOf{Arm: c.Arm, Metric: c.Metric}
	x, se, ok := c.onScale()
	if !ok {
		return of, false
	}
	m, _ := LookupMetric(c.Metric)
	own := stat.Estimate{X: x, SE: se, DF: c.DF}
	all := []stat.Estimate{own}
	var runs []string
	for _, d := range earlier {
		for _, e := range d.Effects {
			if e.Arm == c.Arm && e.Baseline == c.Baseline && e.Metric == c.Metric && e.SE > 0 && e.DF >= 1 {
				all, runs = append(all, stat.Estimate{X: e.X, SE: e.SE, DF: e.DF}), append(runs, d.ID)
			}
		}
	}
	of.Runs = len(runs)
	for i, e := range all[1:] {
		if against, opposed := contradict(own, e, m.margin(c.Resolution), len(runs)); against {
			of.Contradicts = append(of.Contradicts, runs[i])
			of.Opposed = of.Opposed || opposed
		}
	}
	if len(all) > 2 {
		b, scale := stat.Pool(all), Metric{Difference: c.Difference}
		of.Between = &Between{Change: scale.shown(b.Mean), Lo: scale.shown(b.Lo), Hi: scale.shown(b.Hi), SD: b.SD, P: b.P}
	}
	return of, len(runs) > 0
}

// contradict says whether a run and one of so many earlier ones cannot both be right:
// they differ by more than matters, and by more than chance allows, or are sure of
// opposite signs. Opposed are those of which the earlier is not sure of a change in
// the run's own direction.
func contradict(own, earlier stat.Estimate, margin float64, among int) (against, opposed bool) {
	opposite := own.X*earlier.X < 0 && own.Surely() && earlier.Surely()
	if math.Abs(own.X-earlier.X) <= margin || !opposite && own.Against(earlier) > contradictionAlpha/float64(among) {
		return false, false
	}
	return true, !(own.Surely() && earlier.Surely() && own.X*earlier.X > 0 && math.Abs(earlier.X) > margin)
}

// Contradict is what Remember says of one of so many earlier runs of a question, of
// what the index kept of them: of one metric, with the resolution that it was judged at.
func Contradict(own, earlier *results.DigestEffect, resolution float64, among int) (against, opposed bool) {
	m, _ := LookupMetric(own.Metric)
	return contradict(stat.Estimate{X: own.X, SE: own.SE, DF: own.DF}, stat.Estimate{X: earlier.X, SE: earlier.SE, DF: earlier.DF}, m.margin(resolution), among)
}

// ShownChange is the change of an effect that the index kept, as in a Comparison.
func ShownChange(e *results.DigestEffect) float64 {
	m, _ := LookupMetric(e.Metric)
	return m.shown(e.X)
}

// text is the history in one line.
func (h *History) text(s *Summary) string {
	var parts []string
	for _, of := range h.Of {
		what := of.Arm
		if of.Metric != s.Metrics[0] {
			what += " (" + TitleOf(of.Metric) + ")"
		}
		c := s.comparison(of.Arm, of.Metric)
		if b := of.Between; b != nil {
			parts = append(parts, fmt.Sprintf("%s %s (%s) over all runs, which scatter by %s beyond their own errors", what, prose.Change(b.Change, c.Difference), prose.Interval(b.Lo, b.Hi, c.Difference), prose.Amount(scatterShown(b.SD, c.Difference), c.Difference)))
		}
	}
	text := "No earlier run of this question on this machine was in the same state as this one"
	if h.Runs > 0 {
		verb, earlier := "agree", fmt.Sprintf("%s earlier %s", prose.Count(h.Runs), prose.Plural(h.Runs, "run"))
		if h.Runs == 1 {
			verb = "agrees"
		}
		if !h.Agree {
			verb = "do not agree"
			if h.Runs == 1 {
				verb = "does not agree"
			}
		}
		text = fmt.Sprintf("%s of this question on this machine, since %s, %s with this one", prose.Capital(earlier), h.Since.UTC().Format(time.DateOnly), verb)
		if len(h.Of) == 0 {
			text = fmt.Sprintf("%s of this question on this machine cannot be compared with this one, which has no figures", prose.Capital(earlier))
		}
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, "; ")
	}
	for _, a := range h.Apart {
		text += fmt.Sprintf("; %s more in another state of it (%s)", prose.Count(a.Runs), a.State)
	}
	return text + "."
}

func scatterShown(sd float64, difference bool) float64 {
	if difference {
		return sd
	}
	return math.Expm1(sd)
}

func (h *History) contradiction(s *Summary) string {
	var parts []string
	for _, of := range h.Of {
		if n := len(of.Contradicts); n > 0 {
			c := s.comparison(of.Arm, of.Metric)
			text := fmt.Sprintf("%s of %s is %s (%s) here, and %d of %d earlier %s of the same question on this machine cannot be reconciled with it (run %s",
				TitleOf(of.Metric), of.Arm, prose.Change(c.Change, c.Difference), prose.Interval(c.Lo, c.Hi, c.Difference), n, of.Runs, prose.Plural(of.Runs, "run"), of.Contradicts[0])
			if n > 1 {
				text += fmt.Sprintf(" and %d more", n-1)
			}
			if text += ")"; !of.Opposed {
				text += ", but for its direction"
			}
			parts = append(parts, text)
		}
	}
	return "CONTRADICTION: " + strings.Join(parts, "; ") + ": the machine's state decides, and neither run may hold tomorrow; spread the question over time (--sessions, --spread)"
}

// comparison is the one of an arm and a metric.
func (s *Summary) comparison(arm, metric string) *Comparison {
	i := slices.IndexFunc(s.Comparisons, func(c Comparison) bool { return c.Arm == arm && c.Metric == metric })
	return &s.Comparisons[i]
}
