package gate

import (
	"fmt"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/stat"
)

// This file says verdicts to readers who do not know statistics, and gives
// those who do what they ask for.

// plainVerdict is a check in one sentence without a technical term.
func plainVerdict(c *analysis.Comparison, o Outcome) string {
	what := prose.Capital(analysis.TitleOf(c.Metric)) + " with " + c.Arm
	against := " than with " + c.Baseline
	if c.ArmRun != "" {
		what, against = fmt.Sprintf("%s in %s", what, c.ArmRun), " than in "+c.BaselineRun
	}
	span := fmt.Sprintf("between %s and %s", prose.Change(c.Lo, c.Difference), prose.Change(c.Hi, c.Difference))
	if c.Lo == c.Hi && c.N >= 2 {
		span = fmt.Sprintf("no two of %d %ss differ", c.N, c.Drawn())
	}
	amount := prose.Amount(c.Change, c.Difference)
	limit := prose.Amount(c.Resolution, c.Difference)
	switch {
	case o == Worse && c.Failures.Oftener():
		text := fmt.Sprintf("%s is worse%s: %s", what, against, c.Failures.Text())
		if c.N > 0 {
			text += fmt.Sprintf("; over all trials by %s (%s)", amount, span)
		}
		return text + "."
	case c.P == nil && c.Withheld != "":
		return fmt.Sprintf("%s cannot be told: %s.", what, c.Withheld)
	case c.P == nil:
		return fmt.Sprintf("%s cannot be told: there are too few measurements to know how much they scatter.", what)
	case c.Modes.ByState() && (c.Mixture || o == Worse && c.Verdict != analysis.Regression):
		return fmt.Sprintf("%s depends on the state of the machine: %s.", what, c.Modes.Text)
	case o == Worse && c.Mixture, o == Passed && c.Mixture:
		return fmt.Sprintf("%s depends on the trial: %s.", what, c.Modes.Text)
	case o == Worse:
		return fmt.Sprintf("%s is worse%s, by %s (%s).", what, against, amount, span)
	case o == Undecided && c.Withheld != "" && c.Lo <= 0 && c.Hi >= 0:
		return fmt.Sprintf("It is not known whether %s changed: %s.", prose.Lower(what), c.Withheld)
	case o == Undecided && c.Withheld != "":
		return fmt.Sprintf("%s looks %s changed, but that cannot be trusted: %s.", what, prose.Change(c.Change, c.Difference), c.Withheld)
	case o == Undecided:
		return fmt.Sprintf("It is not known whether %s changed: anything %s fits what was measured, and a change for the worse of %s matters.", prose.Lower(what), span, limit)
	case c.Verdict == analysis.Improvement:
		return fmt.Sprintf("%s is better%s, by %s (%s).", what, against, amount, span)
	case c.Verdict == analysis.Equivalent:
		return fmt.Sprintf("%s did not change by as much as %s (%s).", what, limit, span)
	default:
		return fmt.Sprintf("%s is not worse by %s or more (%s); whether it is better is open.", what, limit, span)
	}
}

// howSure is the promise behind a check: what error is bounded, and by what.
func howSure(c *analysis.Comparison, o Outcome, s *analysis.Summary) string {
	if c.P == nil || c.Withheld != "" {
		return ""
	}
	return surety(c, o, s) + pairingText(c)
}

func surety(c *analysis.Comparison, o Outcome, s *analysis.Summary) string {
	errs := prose.Trimmed(100 * (1 - s.Confidence))
	seen := ""
	if c.SmallestDetectable != nil && *c.SmallestDetectable > 0 {
		seen = fmt.Sprintf(" A change of %s or more would have been seen nine times out of ten.", prose.Amount(*c.SmallestDetectable, c.Difference))
	}
	switch {
	case (o == Worse || o == Passed) && c.Uninterleaved():
		return "How sure: that cannot be put in figures, because nothing interleaved the runs: what the machine did differently in between is not in the interval."
	case o == Worse || c.Verdict == analysis.Improvement:
		return fmt.Sprintf("How sure: if nothing had changed, at most %s of 100 such measurements would say that something did.%s", errs, alike(c))
	case o == Passed && c.UnseenShare != nil && c.Lo == c.Hi:
		return fmt.Sprintf("How sure: what happens in one of %d trials or more would slip through in at most %s of 100 such measurements; how large it is where it happens nobody saw.", int(1 / *c.UnseenShare), errs)
	case o == Passed && c.UnseenShare != nil:
		return fmt.Sprintf("How sure: going by what these trials show, a change for the worse of %s or more would slip through in at most %s of 100 such measurements.%s%s", prose.Amount(c.Resolution, c.Difference), errs, alike(c), unseen(c))
	case o == Passed:
		return fmt.Sprintf("How sure: a change for the worse of %s or more would slip through in at most %s of 100 such measurements.", prose.Amount(c.Resolution, c.Difference), errs)
	default:
		return "How sure: not sure enough for a verdict." + seen + " Measure for longer, or ask for less."
	}
}

// alike says what the figures owe to trials that depend on each other.
func alike(c *analysis.Comparison) string {
	if c.Dependence == nil {
		return ""
	}
	return fmt.Sprintf(" Neighbouring trials are alike, so the %d count for no more than %s; where the machine's state lasts for longer than this run, it is of that state only.", c.N, prose.Count(int(c.Dependence.Worth)))
}

// unseen says how rare something must be to have gone unseen in so many trials.
func unseen(c *analysis.Comparison) string {
	return fmt.Sprintf(" What happens in fewer than one of %d trials may have gone unseen.", int(1 / *c.UnseenShare))
}

// method names the test with its figures.
func method(c *analysis.Comparison) string {
	test := strings.Join(c.SetBy, " and ")
	if test == "" {
		test = stat.StudentsT
	}
	test += " over trial effects (paired by blocks)"
	if m, ok := analysis.LookupMetric(c.Metric); ok && m.Merged() {
		test = "bootstrap over trials, their histograms merged (expanded percentile interval)"
	}
	if c.Modes.ByState() {
		test += ", within each state of the machine"
	}
	n := fmt.Sprintf("n = %d trials", c.N)
	if c.Sessions != nil && c.Sessions.Unit {
		test += ", widened to hold Student's t over sessions (and Wilcoxon's signed ranks)"
		n += fmt.Sprintf(" in %d sessions", len(c.Sessions.Effects))
	}
	if c.ArmRun != "" {
		unit := c.Units
		test = fmt.Sprintf("Welch's t over %ss", unit)
		if c.Calibrated {
			test += ", their spread from calibration"
		}
		n = fmt.Sprintf("n = %d + %d %ss", c.NBaseline, c.N-c.NBaseline, unit)
		if c.Paired {
			test, n = "Student's t over boots (paired: both sides in each)", fmt.Sprintf("n = %d boots", c.N)
		}
	}
	parts := []string{test, n, "df = " + prose.Trimmed(c.DF), fmt.Sprintf("look %d", c.Looks), fmt.Sprintf("alpha = %.3g", c.Alpha)}
	if c.P != nil {
		parts = append(parts, fmt.Sprintf("p = %.2g", *c.P))
	}
	if c.PSign != nil {
		parts = append(parts, fmt.Sprintf("p (sign flip) = %.2g", *c.PSign))
	}
	if c.PPermutation != nil {
		parts = append(parts, fmt.Sprintf("p (permutation) = %.2g", *c.PPermutation))
	}
	return strings.Join(parts, ", ")
}

// sentence is the gate as one line of a chat.
func (g *Gate) sentence() string {
	s := &g.Summary
	head := s.Scenario
	if s.Run != "" {
		head += " (" + s.Run + ")"
	}
	var text string
	switch g.Outcome {
	case NotComparable:
		text = "the runs are not comparable: they differ in " + strings.Join(s.Blocking(), ", ")
	case NotMeasured:
		text = "the measurement failed, so there is no verdict"
	case Worse:
		text = "REGRESSION: " + g.list(Worse)
	case Undecided:
		text = "no verdict yet: " + g.list(Undecided)
	default:
		text = fmt.Sprintf("passed, %d %s", len(g.Checks), prose.Plural(len(g.Checks), "check"))
		if changes := g.list(Passed); changes != "" {
			text += "; " + changes
		}
	}
	if known := g.list(Acknowledged); known != "" {
		text += "; acknowledged: " + known
	}
	text += g.doubt()
	if len(g.Forced) > 0 {
		text += "; FORCED although they differ in " + strings.Join(g.Forced, ", ")
	}
	return head + ": " + text + "."
}

// list names the checks of an outcome in few words; of those that passed, only
// what got better.
func (g *Gate) list(o Outcome) string {
	var parts []string
	for _, k := range g.Checks {
		c := k.Comparison
		switch {
		case k.Outcome != o:
		case c == nil && (o == Undecided || o == Worse):
			parts = append(parts, strings.TrimSuffix(k.Plain, "."))
		case c == nil:
		case c.Modes.ByState() && o != Passed && c.Verdict == analysis.Inconclusive:
			parts = append(parts, fmt.Sprintf("%s of %s depends on the state of the machine (%s)", analysis.TitleOf(c.Metric), c.Arm, c.Modes.Text))
		case c.Mixture && o != Passed:
			parts = append(parts, fmt.Sprintf("%s of %s depends on the trial", analysis.TitleOf(c.Metric), c.Arm))
		case o == Passed && c.Verdict != analysis.Improvement:
		case o == Passed:
			parts = append(parts, fmt.Sprintf("%s of %s improved by %s", analysis.TitleOf(c.Metric), c.Arm, prose.Amount(c.Change, c.Difference)))
		case o != Passed && c.Failures.Oftener():
			parts = append(parts, fmt.Sprintf("%s of %s: %s", analysis.TitleOf(c.Metric), c.Arm, c.Failures.InShort()))
		case c.Untold():
			parts = append(parts, fmt.Sprintf("%s of %s cannot be told: %s", analysis.TitleOf(c.Metric), c.Arm, c.Withheld))
		case c.P == nil:
			parts = append(parts, fmt.Sprintf("%s of %s has too few measurements", analysis.TitleOf(c.Metric), c.Arm))
		default:
			part := fmt.Sprintf("%s of %s %s (%s)", analysis.TitleOf(c.Metric), c.Arm, prose.Change(c.Change, c.Difference), prose.Interval(c.Lo, c.Hi, c.Difference))
			if o == Undecided && c.Withheld != "" {
				part += ", " + c.Withheld // or an interval far from zero would be a riddle
			}
			parts = append(parts, part)
		}
	}
	const most = 3
	if n := len(parts) - most; n > 0 {
		parts = append(slices.Clip(parts[:most]), fmt.Sprintf("%d more", n))
	}
	return strings.Join(parts, "; ")
}

// pairingText goes with how sure a comparison is.
func pairingText(c *analysis.Comparison) string {
	if !c.Paired {
		return ""
	}
	return fmt.Sprintf(" Both sides were measured in the same %d boots and are compared boot by boot, so what a boot draws for both is not in the figures.", c.N)
}
