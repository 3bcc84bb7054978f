package analysis

import (
	"fmt"
	"slices"
	"time"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/results"
	"netab/results/vocab"
)

// Extended is the code of the warning of a run that was made longer when it had spent all
// of its alpha.
var Extended = vocab.Warns("extended")

var (
	codeResumed       = vocab.Warns("resumed")
	codePartsDisagree = vocab.Warns("parts-disagree")
)

// A run that ended before its time can go on. What it says then is of all its trials,
// and three things have to stay right.
//
// Alpha. What the looks before have spent is spent. A run that is broken off (Ctrl-C, a
// kill, an error) is judged with half of what is left, whether or not anybody looks, and
// the other half is for the looks after it: all of them together spend no more than a
// run that was never broken off. A run that came to its time limit has spent all; made
// longer it has a second chance, of half of alpha, a third of a quarter, and the
// verdict says so.
//
// Order. What is measured after the pause has a random order of its own.
//
// Time. The parts are stretches of time as sessions are, with one difference: nobody
// spread them to hear of a longer time, so their trials are taken together as those of
// one stretch are, unless the parts disagree by more than chance (1 %). Then, and where
// the parts are of several boots, the part is the unit, as the session is.

// GoesOn is what the record of a run says where it goes on; maxTime is the new total, 0
// = as before. The error says why it has nothing to go on for.
func GoesOn(run *results.Run, maxTime time.Duration) (results.Resumption, error) {
	d, end := run.Header.Design, ended(run.End)
	x := results.Resumption{Trials: len(run.Trials), After: end, ElapsedS: runTimeS(run.Trials), MaxTimeS: maxTimeS(run)}
	if n := len(run.Trials); n > 0 {
		x.Stopped = endOfTrial(&run.Trials[n-1])
	}
	switch end {
	case vocab.Decided:
		return x, fmt.Errorf("it ended because every comparison had its verdict: more trials would only look for another one (a finer --resolution is a new run)")
	case vocab.Interrupted:
		if n := len(run.End.Looks); n > 0 && run.End.Looks[n-1].Decided {
			return x, fmt.Errorf("when it was interrupted every comparison had its verdict: more trials would only look for another one (a finer --resolution is a new run)")
		}
	case vocab.Enough:
		return x, fmt.Errorf("it ended because measure.max_bytes or measure.max_messages were moved, as it was asked to")
	}
	if maxTime > 0 {
		x.MaxTimeS = maxTime.Seconds()
	}
	switch {
	case x.MaxTimeS > x.ElapsedS:
	case maxTime > 0:
		return x, fmt.Errorf("it has measured for %s, and --max-time %v is how long it shall measure in all: give more", prose.Seconds(x.ElapsedS), maxTime)
	default:
		return x, fmt.Errorf("it has measured for its whole time of %s: say how long it shall measure in all, --max-time", prose.Seconds(x.MaxTimeS))
	}
	if end == vocab.MaxTime && maxTime == 0 {
		return x, fmt.Errorf("it came to its time limit of %s: say how long it shall measure in all, --max-time", prose.Seconds(x.MaxTimeS))
	}
	a := spendingOf(run)
	x.Looks = append(x.Looks, a.looks...)
	left := a.left()
	if l, ok := a.breakLook(run); ok {
		x.Looks = append(x.Looks, l)
		left -= l.Alpha
	}
	if x.Alpha = left; left <= 1e-9 {
		x.Alpha, x.Extends = alphaOf(d)/2, true
		for _, before := range run.Resumed {
			if before.Extends {
				x.Alpha /= 2
			}
		}
	}
	return x, nil
}

// A spending is what the looks at a run have spent so far.
type spending struct {
	looks []results.Look
	first int     // of the looks of the part that is measured last
	alpha float64 // that this part may spend
	n     int     // trials that count at the end
}

// spendingOf reads it off the record. A part that was cut off recorded no looks, but the
// schedule tells when it looked, from the trials' own clock.
func spendingOf(run *results.Run) spending {
	d := run.Header.Design
	s := spending{alpha: alphaOf(d), n: quietTrials(run)}
	x := run.LastResumed()
	if x != nil {
		s.alpha = max(0, min(finite(x.Alpha), s.alpha))
		s.looks, s.first = x.Looks[:len(x.Looks):len(x.Looks)], len(x.Looks)
	}
	if run.End != nil {
		s.looks = run.End.Looks
		s.first = min(s.first, len(s.looks))
		return s
	}
	sched, begin := newSchedule(d), 0
	before := 0.0
	if x != nil {
		begin = min(x.Trials, len(run.Trials))
		before = finite(x.ElapsedS)
		sched = resumedSchedule(d, x, quietOf(d, run.Trials[:begin]))
	}
	for i := begin; i < len(run.Trials); i++ {
		elapsed := time.Duration((before + durationS(run.Trials[begin:i+1])) * float64(time.Second))
		if l, ok := lookAt(&sched, quietOf(d, run.Trials[:i+1]), elapsed, goingOn); ok {
			s.looks = append(s.looks, l)
		}
	}
	return s
}

func quietOf(d results.Design, trials []results.Trial) int {
	s := sift(d, trials)
	return s.quiet()
}

// left is what the part has not spent.
func (s *spending) left() float64 {
	left := s.alpha
	for _, l := range s.looks[s.first:] {
		if l.Alpha > 0 {
			left -= l.Alpha
		}
	}
	return max(0, left)
}

// breakLook is the look at which a run was broken off, if the record does not have it.
func (s *spending) breakLook(run *results.Run) (results.Look, bool) {
	if s.n == 0 || run.End != nil && !run.End.Reason.Failed() {
		return results.Look{}, false
	}
	elapsed := runTimeS(run.Trials)
	return results.Look{Trials: s.n, ElapsedS: elapsed, Fraction: min(1, elapsed/max(maxTimeS(run), 1e-9)), Alpha: s.left() / 2}, true
}

// maxTimeS is how long a run may measure, where somebody has made it longer too.
func maxTimeS(run *results.Run) float64 {
	if x := run.LastResumed(); x != nil {
		return x.MaxTimeS
	}
	return run.Header.Design.MaxTimeS
}

func endOfTrial(t *results.Trial) time.Time {
	return t.Started.Add(time.Duration(max(0, t.SetupNS) + max(0, t.RunNS) + max(0, t.TeardownNS)))
}

// runTimeS is for how long was measured, from each session's first trial to its last.
func runTimeS(trials []results.Trial) float64 {
	sum := 0.0
	for from, to := 0, 0; from < len(trials); from = to {
		for to < len(trials) && trials[to].Session == trials[from].Session {
			to++
		}
		sum += durationS(trials[from:to])
	}
	return sum
}

// partsOf is what the sessions of a run's trials are.
func partsOf(run *results.Run) record.Parts {
	switch {
	case run.OtherBoot():
		return record.Boots
	case len(run.Resumed) > 0 && run.Header.Design.Sessions < 2:
		return record.Resumed
	}
	return record.Sessions
}

// GoOn makes the rule that of a run that goes on with what is recorded of it, as x says.
func (s *Stop) GoOn(run *results.Run, x results.Resumption) {
	on := *run
	on.Resumed, on.End = append(slices.Clone(run.Resumed), x), nil
	s.sched = resumedSchedule(s.design, &x, quietOf(s.design, run.Trials))
	s.looks, s.parts, s.fixed = append(s.looks, x.Looks...), partsOf(&on), fixedOf(&on)
	for arm, cs := range s.fixed { // the rule is of those that are judged
		s.fixed[arm] = slices.DeleteFunc(cs, func(c Comparison) bool { return !c.Judged })
	}
}

// resumedWarnings say that a run was broken off, for how long, and what that means.
func resumedWarnings(run *results.Run, cs []Comparison) []results.Warning {
	var ws []results.Warning
	for i := range run.Resumed {
		x := &run.Resumed[i]
		how := "it had come to its time limit"
		switch {
		case x.After == vocab.Interrupted:
			how = "it had been interrupted"
		case x.After == vocab.CutOff:
			how = "it had been cut off"
		case x.After.Failed():
			how = "it had ended early (" + string(x.After) + ")"
		}
		where := ""
		if x.BootID != run.Header.Machine.BootID {
			where = ", in another boot"
		}
		ws = append(ws, results.Warning{Code: codeResumed, Text: fmt.Sprintf("the run went on after %s and a pause of %s%s: %s",
			prose.Counted(x.Trials, "trial"), prose.Seconds(x.PauseS()), where, how)})
		if x.Extends {
			sure := confidence(run.Header.Design)
			all := 1 - sure
			for _, y := range run.Resumed[:i+1] {
				if y.Extends {
					all += y.Alpha
				}
			}
			ws = append(ws, results.Warning{Code: Extended, Text: fmt.Sprintf(
				"the run had spent all of its alpha when it was made longer, which gave it a second chance: what it says now is at %s, and that nothing it ever said is wrong is sure to %s", prose.Percent(1-x.Alpha), prose.Percent(1-all))})
		}
	}
	if partsOf(run) != record.Resumed {
		return ws
	}
	for i := range cs {
		if c := &cs[i]; c.Judged && c.Sessions != nil && c.Sessions.Unit {
			ws = append(ws, results.Warning{Code: codePartsDisagree, Text: fmt.Sprintf(
				"%s of %s: the parts before and after a pause disagree beyond what their trials explain (p = %.2g), so the part is the unit: %s",
				c.Metric, c.Arm, c.Sessions.P, c.Sessions.text(c.Difference))})
		}
	}
	return ws
}
