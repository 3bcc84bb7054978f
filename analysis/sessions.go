package analysis

import (
	"fmt"
	"math"
	"slices"
	"time"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeSessionsDisagree = vocab.Warns("sessions-disagree")
	codeSessionsMissing  = vocab.Warns("sessions-missing")
	codeFewSessions      = vocab.Warns("few-sessions")
)

// A verdict of one minute speaks of one minute: what makes its trials alike (the
// host's placement of virtual CPUs, heat, a neighbour) is drawn anew the next.
// Where a question is asked in several sessions, spread over time, the session is
// what was drawn independently, if sessions scatter by more than their trials
// explain.
//
// Whether they do is an analysis of variance, and "not significant" is not "no
// scatter": at 5 % a test of four sessions overlooks a scatter that makes the
// trials' interval miss in 13 % of cases. So trials are pooled only where the
// sessions lie closer together than half of all sessions would that have nothing
// of their own (a preliminary test as in Bancroft 1964, "Analysis and inference
// for incompletely specified models", at a level of 50 % in place of his 25 %),
// and the interval else holds both, the trials' and the sessions'. Whatever the
// scatter, it then misses in at most 5.5 % where 5 % are promised, with three
// sessions or more (TestSessionsPooled). Two say so little that three of four
// pairs are not pooled.

// pooling is the p above which the trials of so many sessions are taken together.
func pooling(sessions int) float64 {
	if sessions == 2 {
		return 0.75
	}
	return 0.5
}

// fewSessions is how many sessions say little of a machine's states: of two that
// last for a session each, fewer than six draw the same one in more than 5 %.
const fewSessions = 6

// A SessionSpread is what the sessions of a run say of one comparison, each for
// itself, and of each other.
type SessionSpread struct {
	// Unit says that the comparison's interval holds that of the sessions' means.
	Unit bool `json:"unit"`
	// BetweenSD is their spread beyond what their trials explain (on the effect's
	// scale), and P the chance of so much without any.
	BetweenSD float64         `json:"between_sd"`
	P         float64         `json:"p"`
	Effects   []SessionEffect `json:"effects"`
}

// A SessionEffect is the change in one session.
type SessionEffect struct {
	Session int       `json:"session"`
	Started time.Time `json:"started"` // its first trial that counts
	Trials  int       `json:"trials"`
	Change  float64   `json:"change"`
}

// sessions are the values of several, and what they say of each other.
type sessions struct {
	of     [][]effect // the trials' values, by session
	means  []effect   // by session; trial is its number, at that of its first trial
	sd, p  float64
	pooled bool
}

// sessionsOf divides values by the session of their trial; nil unless there are
// two sessions or more that tell something.
func sessionsOf(r *record.Record, effects []effect) *sessions {
	var s sessions
	for _, e := range effects {
		number := r.Trials[e.at].Session
		if n := len(s.means); n == 0 || s.means[n-1].trial != number {
			s.of, s.means = append(s.of, nil), append(s.means, effect{at: e.at, trial: number})
		}
		last := len(s.of) - 1
		s.of[last] = append(s.of[last], e)
	}
	if len(s.of) < 2 {
		return nil
	}
	var groups [][]float64
	for i, of := range s.of {
		s.means[i].x = stat.NewSample(values(of)).Mean
		groups = append(groups, values(of))
	}
	var several bool // trials of a session; else the trials are the sessions
	s.sd, s.p, several = stat.RandomEffect(groups)
	s.pooled = !several || s.p > pooling(len(s.of))
	switch r.Parts {
	case record.Resumed: // its parts speak of their minutes, as a run of one does
		s.pooled = !several || s.p > hetAlpha
	case record.Boots:
		s.pooled = false
	}
	return &s
}

// bySession looks whether an evidence's sessions are its units.
func (j judging) bySession(e *evidence, base int) {
	s := sessionsOf(j.rec, e.effects)
	if s == nil {
		return
	}
	e.sessions = s
	if s.pooled && !j.boots {
		return
	}
	means := slices.Clone(s.means)
	if e.whole != nil { // a session's percentile is that of all its transactions
		means = j.wholeMeans(e, base, s)
	}
	units := newEvidence(e.arm, e.metric, e.judged, means)
	units.apart, e.apart = true, true // sessions lie far apart, and what trials of one share is in its mean
	units.method = units.choose()
	e.units, e.depend = &units, nil
}

// wholeMeans are the effects of sessions on a metric that is no mean over trials.
func (j judging) wholeMeans(e *evidence, base int, s *sessions) []effect {
	var out []effect
	for i, of := range s.of {
		in := j.rec.Only(func(t *record.Trial) bool {
			return slices.ContainsFunc(of, func(x effect) bool { return x.at == t.At })
		})
		a, okA := levelOf(in, e.metric, base, j.alpha)
		b, okB := levelOf(in, e.metric, e.arm, j.alpha)
		if x, ok := e.metric.change(a.Mean, b.Mean); ok && okA && okB {
			m := s.means[i]
			m.x = x
			out = append(out, m)
		}
	}
	return out
}

// spread is what the comparison shows of its sessions.
func (s *sessions) spread(m Metric, unit bool, r *record.Record) *SessionSpread {
	if s == nil {
		return nil
	}
	out := &SessionSpread{Unit: unit, BetweenSD: s.sd, P: s.p}
	for i, e := range s.means {
		out.Effects = append(out.Effects, SessionEffect{Session: e.trial, Started: r.Trials[e.at].Started, Trials: len(s.of[i]), Change: m.shown(e.x)})
	}
	return out
}

// bySessions widens a level's interval to hold that of its sessions, where they
// are the units.
func (l *Level) bySessions(r *record.Record, xs []effect, alpha float64) {
	s := sessionsOf(r, xs)
	if s == nil || s.pooled {
		return
	}
	h := stat.NewSample(values(s.means)).Half(alpha)
	l.Lo, l.Hi = min(l.Lo, clamp(l.Mean-h)), max(l.Hi, clamp(l.Mean+h))
}

// withinSessions are effects less what their session adds to them: the order of
// trials is tested within sessions.
func withinSessions(r *record.Record, effects []effect) []effect {
	s := sessionsOf(r, effects)
	if s == nil {
		return effects
	}
	var out []effect
	for i, of := range s.of {
		for _, e := range of {
			e.x -= s.means[i].x
			out = append(out, e)
		}
	}
	return out
}

// sessionWarnings say that there were too few sessions, or that they disagree.
func sessionWarnings(d results.Design, cs []Comparison) []results.Warning {
	if d.Sessions < 2 {
		return nil
	}
	var ws []results.Warning
	told := 0
	for i := range cs {
		c := &cs[i]
		if c.Sessions == nil || !c.Judged {
			continue
		}
		told = max(told, len(c.Sessions.Effects))
		if c.Sessions.P <= hetAlpha {
			ws = append(ws, results.Warning{Code: codeSessionsDisagree, Text: fmt.Sprintf(
				"%s of %s: sessions disagree beyond what their trials explain (spread between them %s, p = %.2g), so the session is the unit: %s",
				c.Metric, c.Arm, prose.Percent(c.Sessions.BetweenSD), c.Sessions.P, c.Sessions.text(c.Difference))})
		}
	}
	switch {
	case told > 0 && told < d.Sessions:
		ws = append(ws, results.Warning{Code: codeSessionsMissing, Text: fmt.Sprintf("%d of the %d sessions asked for tell something", told, d.Sessions)})
	case told < 2 && len(cs) > 0:
		ws = append(ws, results.Warning{Code: codeSessionsMissing, Text: fmt.Sprintf("one session of the %d asked for was measured: its verdicts speak of its minute", d.Sessions)})
	}
	if told > 1 && told < fewSessions {
		ws = append(ws, results.Warning{Code: codeFewSessions, Text: fmt.Sprintf(
			"%d sessions may all fall into one state of the machine: of two that last as long as a session, one run in %.0f does; six or more tell", told, math.Pow(2, float64(told-1)))})
	}
	return ws
}

// text lists the sessions' changes.
func (s *SessionSpread) text(difference bool) string {
	const most = 12
	text := ""
	for i, e := range s.Effects {
		if i == most {
			return text + fmt.Sprintf(", and %d more", len(s.Effects)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += prose.Change(e.Change, difference)
	}
	return text
}
