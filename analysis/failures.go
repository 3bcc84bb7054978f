package analysis

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

// What is missing because of the outcome is an outcome. An arm that received
// nothing in a trial, or whose flow broke there, has no logarithm, no
// nanoseconds per byte and no latency: left out, it would be judged by the
// trials in which it worked. So these trials are counted, for every arm, and
// two things follow.
//
// A rate keeps its zeros: a comparison in which one occurs is made of
// differences, as shares of the baseline's mean, not of log ratios
// (Metric.shares).
//
// And how often the arms fail is compared by itself, by the exact test of
// trials in which one of two failed and the other did not (McNemar 1947): an
// arm that fails oftener than that allows is a regression, whatever it does
// when it works; one that fails oftener at all has no verdict to pass by.

// Failures are in how many trials the arms of a comparison moved nothing, or
// broke.
type Failures struct {
	Baseline int      `json:"baseline"`
	Arm      int      `json:"arm"`
	Trials   int      `json:"trials"`      // in which both were tried; of Arm where the sides have runs of their own
	Of       int      `json:"of"`          // trials of the baseline
	P        *float64 `json:"p,omitempty"` // that both fail as often
	Reason   string   `json:"reason,omitempty"`
}

// failureOf says why an arm moved nothing of a metric's traffic in a trial; ""
// where it did, or was not tried.
func failureOf(v view) string {
	if at := v.in.Seen; at != nil && at.Failed != "" {
		return at.Failed
	}
	moved := slices.ContainsFunc(v.in.Counted, func(s *results.Slice) bool { return moves(v.arm, v.seen(s)) })
	switch {
	case moved || len(v.in.Counted) == 0:
		return ""
	case v.arm.Kind.Answers():
		return "no transaction was completed"
	}
	return "the sinks received nothing"
}

// moves says whether traffic of a kind did what it is for.
func moves(arm *results.Arm, s *results.Slice) bool {
	if arm.Kind.Answers() {
		return s.Transactions > 0
	}
	return s.RxBytes > 0 || s.RxMsgs > 0
}

// failuresOf counts over the valid trials. Metrics of traffic beside the main one
// count that.
func failuresOf(r *record.Record, m Metric, base, arm int) *Failures {
	var f Failures
	armOnly, baseOnly := 0, 0
	for _, t := range r.Valid() {
		if t.Rests(arm) {
			continue
		}
		a, b := failureOf(viewOf(r, t, m, base)), failureOf(viewOf(r, t, m, arm))
		f.Trials++
		if a != "" {
			f.Baseline++
		}
		if b != "" {
			f.Arm++
			f.Reason = first(f.Reason, b)
		}
		switch {
		case a == "" && b != "":
			armOnly++
		case a != "" && b == "":
			baseOnly++
		}
	}
	if f.Baseline+f.Arm == 0 {
		return nil
	}
	f.Of = f.Trials
	p := stat.SignTest(armOnly, baseOnly)
	f.P = &p
	return &f
}

// Oftener says whether the arm failed in a larger share of its trials.
func (f *Failures) Oftener() bool {
	return f != nil && f.Trials > 0 && f.Arm*max(f.Of, 1) > f.Baseline*f.Trials
}

// proven says whether it did so by more than chance.
func (f *Failures) proven(alpha float64) bool {
	return f.Oftener() && f.P != nil && *f.P <= alpha
}

// baseless says whether the baseline failed so often that there is nothing to
// compare with.
func (f *Failures) baseless() bool { return f != nil && 2*f.Baseline >= max(f.Of, 1) }

// Text says how often each failed.
func (f *Failures) Text() string {
	arm, base := fmt.Sprintf("it failed in %d of %d trials", f.Arm, f.Trials), fmt.Sprintf("the baseline in %d", f.Baseline)
	if f.Of != f.Trials {
		base += fmt.Sprintf(" of %d", f.Of)
	}
	if f.Reason != "" {
		arm += " (" + f.Reason + ")"
	}
	return arm + ", " + base
}

// InShort is for a line of a chat.
func (f *Failures) InShort() string {
	return fmt.Sprintf("failed in %d of %d trials, the baseline in %d", f.Arm, f.Trials, f.Baseline)
}

// heed lets failures have their say in a comparison's verdict. What the interval
// says is about the mean; this is about the trials that have nothing to say.
func (c *Comparison) heed(f *Failures, headline bool) {
	if c.Failures = f; f == nil {
		return
	}
	switch {
	case f.baseless():
		c.withhold(fmt.Sprintf("the baseline failed in %d of %d trials, so there is nothing to compare with", f.Baseline, max(f.Of, 1)))
	case headline && f.proven(c.Alpha):
		// Where the metric has zeros the interval is wide with them, and may say so too.
		c.Verdict, c.Withheld = Regression, ""
		if c.P == nil || *f.P < *c.P {
			c.P = f.P
		}
	case c.Verdict != Regression && f.Oftener(), c.N == 0:
		c.withhold(f.Text())
	}
}

// withhold takes a verdict back, and says why.
func (c *Comparison) withhold(why string) {
	c.Verdict, c.Mixture, c.Withheld = Inconclusive, false, why
	if c.Modes.ByState() {
		for i := range c.Modes.Groups {
			c.Modes.Groups[i].Verdict = Inconclusive
		}
	}
}

// broke is what netab before 2026-11-30 wrote of a whole trial when one arm's
// sinks got nothing in it.
const broke = ": the sinks received nothing in "

// byArm gives such trials back to the other arms: the failure is the one arm's.
// Trials are copied where they change.
func byArm(d results.Design, trials []results.Trial) []results.Trial {
	out := trials
	for i := range trials {
		name, _, ok := strings.Cut(trials[i].Invalid, broke)
		name, prefixed := strings.CutPrefix(name, "arm ")
		arm := d.ArmAt(name)
		if !ok || !prefixed || arm < 0 || len(d.Arms) < 2 || len(trials[i].Slices) == 0 {
			continue
		}
		if &out[0] == &trials[0] {
			out = append([]results.Trial(nil), trials...)
		}
		t := &out[i]
		t.Arms = append([]results.ArmTrial(nil), t.Arms...)
		for k := range t.Arms {
			if t.Arms[k].Arm == arm {
				t.Arms[k].Failed = strings.TrimPrefix(t.Invalid, "arm "+name+": ")
			}
		}
		t.Invalid = ""
	}
	return out
}
