package analysis

import (
	"fmt"
	"slices"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeNoTrials            = vocab.Doubts("no-trials")
	codeTooFewTrials        = vocab.Warns("too-few-trials")
	codeArmFailed           = vocab.Warns("arm-failed")
	codeSourceNotSaturated  = vocab.Warns("source-not-saturated")
	codeUnknownMetric       = vocab.Warns("unknown-metric")
	codeMetricNotApplicable = vocab.Warns("metric-not-applicable")
	codeModes               = vocab.Doubts("modes")
	codeHeterogeneous       = vocab.Warns("heterogeneous")
	codeEstimatesDisagree   = vocab.Doubts("estimates-disagree")
)

// Summarize judges a run. It never fails: what is missing or odd in the
// record, down to a run without a single trial, is said in the warnings.
func Summarize(run *results.Run) Summary {
	s, _ := summarize(run)
	return s
}

// summarize returns what it judged too.
func summarize(run *results.Run) (Summary, judging) {
	h := &run.Header
	design := h.Design
	sifted := sift(design, run.Trials)
	alpha, looks := stoppingAlpha(run)
	explained := run
	explanations, events := why.Of(run), why.EventsOf(run)
	run = &results.Run{Header: run.Header, Trials: sifted.all, End: run.End, ReadWarnings: run.ReadWarnings, Resumed: run.Resumed}
	all := record.Of(design, sifted.all)
	all.Parts = partsOf(run)
	valid := all.Only(func(t *record.Trial) bool { return t.Invalid == "" })
	j := judging{design: design, rec: sifted.of(all), seed: h.Seed, alpha: alpha, looks: looks, states: statesOf(sifted.judged), fixed: fixedOf(run)}
	s := Summary{
		Schema: SchemaSummary, Scenario: design.Name, Question: design.Question,
		Run: h.ID, Seed: h.Seed, Kernel: h.Machine.Kernel,
		DurationS: lastedS(run), MeasuredS: measuredS(run.Trials), Grain: h.Plan.Grain,
		Trials: len(j.rec.Valid()), Invalid: len(run.Trials) - countValid(run.Trials), Disturbed: len(sifted.disturbed), TooFewQuiet: sifted.few,
		Confidence: confidence(design), Resolution: finite(design.Resolution), Ended: ended(run.End),
		Metrics: judgedMetrics(design),
		Arms:    j.levels(), Comparisons: j.comparisons(),
		Confounders: []Confounder{}, Explanations: explanations, Others: otherMachines(h, valid.Trials),
		Drops: events.Drops, Scheduling: events.Scheduling, Locks: events.Locks, Counted: events.Counted, Watching: events.Watching,
	}
	if s.Trials == 0 || s.Comparisons == nil { // nothing to show, not a change of zero
		s.Comparisons = []Comparison{}
	}
	j.besides(s.Comparisons, sifted, all)
	sifted.unsettle(s.Arms)
	s.Sweep = matrix{j}.sweep()
	s.States = j.states.shown()
	s.Explanations = append(s.Explanations, whyModes(explained, j.states, &s)...)
	s.Converged = settled(design, s.Comparisons, s.Arms)
	s.Warnings = unique(slices.Concat(emulated(&h.Machine), j.verdictWarnings(&s), sessionWarnings(design, s.Comparisons), resumedWarnings(run, s.Comparisons), sifted.warning(s.Comparisons), j.states.warning(), carried(run), conditions(run, valid)))
	s.Answer = answer(&s, design) + j.states.scope()
	s.Advice = advise(run, valid, &s)
	return s, j
}

// stoppingAlpha is what the look that ended the run may spend, and which look
// it was. If trials came after the last look, or the run did not end by its
// own rule, the trials at hand are judged as at the deadline, with all of
// alpha that was not spent on fewer trials; or with half of that, where the run was
// broken off and may go on.
func stoppingAlpha(run *results.Run) (alpha float64, looks int) {
	s := spendingOf(run)
	if len(s.looks) > s.first {
		last := s.looks[len(s.looks)-1]
		if endedByRule(run.End, last) && last.Trials == s.n && last.Alpha > 0 && last.Alpha <= s.alpha {
			return last.Alpha, len(s.looks)
		}
	}
	rest := s.alpha
	looks = s.first
	for _, l := range s.looks[s.first:] {
		if l.Trials < s.n && l.Alpha > 0 && l.Alpha < rest {
			rest -= l.Alpha
			looks++
		}
	}
	if ended(run.End).Whole() {
		return rest, looks + 1
	}
	return rest / 2, looks + 1
}

// quietTrials is how many trials the stop rule counted at the end of a run:
// before 2026-11-30 the disturbed ones too, and none in which an arm failed.
func quietTrials(run *results.Run) int {
	d, n := run.Header.Design, countValid(run.Trials)
	s := sift(d, run.Trials)
	if run.End != nil && len(run.End.Looks) > 0 && run.End.Looks[len(run.End.Looks)-1].Trials == n {
		return n
	}
	return s.quiet()
}

// endedByRule says whether the last look is the one at which the run ended.
func endedByRule(end *results.End, last results.Look) bool {
	return end != nil && (last.Decided || end.Reason.Whole() || end.Reason == vocab.Interrupted)
}

// durationS is from the first trial's start to the last trial's end.
func durationS(trials []results.Trial) float64 {
	if len(trials) == 0 {
		return 0
	}
	last := &trials[len(trials)-1]
	between := last.Started.Sub(trials[0].Started).Seconds()
	return max(0, between) + max(0, seconds(last.SetupNS)+seconds(last.RunNS)+seconds(last.TeardownNS))
}

// lastedS is that of a run, whose pauses are left out.
func lastedS(run *results.Run) float64 {
	if len(run.Resumed) > 0 {
		return runTimeS(run.Trials)
	}
	return durationS(run.Trials)
}

// measuredS is the counted parts of the slices that are used.
func measuredS(trials []results.Trial) float64 {
	s := 0.0
	for i := range trials {
		if trials[i].Invalid != "" {
			continue
		}
		for k := range trials[i].Slices {
			if sl := &trials[i].Slices[k]; record.Counts(sl) {
				s += seconds(sl.CountedNS)
			}
		}
	}
	return s
}

func ended(end *results.End) vocab.End {
	if end == nil {
		return vocab.CutOff
	}
	return end.Reason
}

func finite(x float64) float64 {
	if !stat.IsFinite(x) {
		return 0
	}
	return x
}

// verdictWarnings are those that bear on what the verdicts mean, the gravest
// first.
func (j judging) verdictWarnings(s *Summary) []results.Warning {
	var ws []results.Warning
	warn := func(code vocab.Code, format string, args ...any) {
		ws = append(ws, results.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	fewest := fewestOf(j.design)
	switch {
	case s.Trials == 0:
		warn(codeNoTrials, "no valid trial was measured: there is nothing to judge")
	case s.Trials == 1:
		warn(codeTooFewTrials, "one trial has no spread, so there is no interval and no verdict: measure for longer (--max-time)")
	case s.Trials < fewest && len(j.design.Arms) > 1:
		warn(codeTooFewTrials, "%d trials get no verdict, which needs %d: fewer are all alike by chance too often; measure for longer (--max-time)", s.Trials, fewest)
	case s.Trials < 4:
		warn(codeTooFewTrials, "%d trials make very wide intervals: measure for longer (--max-time)", s.Trials)
	}
	for _, name := range judgedMetrics(j.design) {
		j.checkMetric(name, warn)
	}
	if !s.Converged && s.Trials > 0 {
		warn(codeNotConverged, "%s", notConverged(s, j.design))
	}
	for i := range s.Comparisons {
		if c := &s.Comparisons[i]; c.Judged {
			warnOfComparison(c, c.Resolution, warn)
		}
	}
	for i, a := range s.Arms {
		if n, why := j.failed(i); n > 0 {
			warn(codeArmFailed, "%s failed in %d of %d trials: %s", a.Name, n, s.Trials, why)
		}
		if a.Modes != nil && !showsModes(s.Comparisons, a.Name) {
			warn(codeLevelModes, "%s: %s", a.Name, a.Modes.Text)
		}
		if a.Limit != nil && a.Limit.Role == "neither" && !takesTurns(j.design.Arms[i]) {
			warn(codeSourceNotSaturated, "%s: %s", a.Name, a.Limit.Text)
		}
	}
	return append(ws, j.flags()...)
}

// takesTurns: requests in a closed loop saturate neither role by their nature.
func takesTurns(a results.Arm) bool { return a.Kind.Answers() && a.Rate <= 0 }

func (j judging) checkMetric(name string, warn func(code vocab.Code, format string, args ...any)) {
	m, known := LookupMetric(name)
	if !known {
		warn(codeUnknownMetric, "metric %q is not known, so it is not judged", name)
		return
	}
	for _, a := range j.design.Arms {
		if !m.AppliesTo(a) {
			warn(codeMetricNotApplicable, "%s: %s %s, and this arm is %s: it is not judged there", a.Name, name, m.needs(), m.is(a))
		}
	}
}

func warnOfComparison(c *Comparison, resolution float64, warn func(code vocab.Code, format string, args ...any)) {
	what := c.Metric + " of " + c.Arm
	switch {
	case c.Modes.ByState():
		if c.Verdict == Inconclusive {
			warn(codeModes, "%s: %s; how often the machine is in which state, one run does not know", what, c.Modes.Text)
		}
	case c.Modes != nil:
		warn(codeModes, "%s: %s; the mean of %s only tells how often each was drawn", what, c.Modes.Text, prose.Change(c.Change, c.Difference))
	case c.Sessions != nil && c.Sessions.P <= hetAlpha: // sessionWarnings say it
	case c.HetP != nil && *c.HetP <= hetAlpha:
		warn(codeHeterogeneous, "%s: trials disagree beyond their own error (between-trial spread %s, p = %.2g), and nothing recorded explains it; the interval includes that spread",
			what, prose.Percent(*c.BetweenSD), *c.HetP)
	}
	// Within a part of the interval the two differ by chance alone.
	if c.Modes == nil && c.Robust != nil && max(*c.Robust-c.Change, c.Change-*c.Robust) > max(resolution/2, (c.Hi-c.Lo)/6) {
		says, pulled := "the mean says %s, the robust estimate (Hodges-Lehmann) %s: ", "a few trials pull the mean"
		if m, ok := LookupMetric(c.Metric); ok && m.Merged() {
			says, pulled = "all transactions together say %s, the trials' own percentiles (Hodges-Lehmann) %s: ", "a few trials hold most of the slow ones"
		}
		warn(codeEstimatesDisagree, "%s: "+says+pulled, what, prose.Change(c.Change, c.Difference), prose.Change(*c.Robust, c.Difference))
	}
}

// showsModes says whether a comparison of the arm tells of modes already.
func showsModes(cs []Comparison, arm string) bool {
	return slices.ContainsFunc(cs, func(c Comparison) bool { return c.Modes != nil && (c.Arm == arm || c.Baseline == arm) })
}

// flags tests the series that the verdicts rest on: the trial effects, or the
// levels where there is one arm.
func (j judging) flags() []results.Warning {
	var ws []results.Warning
	if len(j.design.Arms) > 1 {
		for _, e := range j.gather(judgedOf(j.design)) {
			ws = append(ws, flags(e.metric.Name+" of "+j.design.Arms[e.arm].Name, withinSessions(j.rec, e.steadyEffects()), e.depend)...)
		}
		return ws
	}
	for i, a := range j.design.Arms {
		for _, name := range judgedMetrics(j.design) {
			if m, ok := LookupMetric(name); ok && m.AppliesTo(a) {
				ws = append(ws, flagLevel(name, a.Name, withinSessions(j.rec, trialLevels(j.rec, m, i)), j.seed)...)
			}
		}
	}
	return ws
}
