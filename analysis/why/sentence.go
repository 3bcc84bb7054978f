package why

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
)

// sentence is all of it in one.
func (c *comparing) sentence(e *Explanation) string {
	if c.base == c.arm {
		return c.level(e)
	}
	if e.Measured == nil {
		return "Not explained: an arm received nothing while it was measured why."
	}
	what := e.Arm + " " + c.faster(*e.Measured)
	if e.Trials < fewestTrials {
		return fmt.Sprintf("%s in %s: too few to tell what moved.", what, prose.Counted(e.Trials, "explain trial"))
	}
	if !excludesZero(e.MeasuredLo, e.MeasuredHi) {
		return fmt.Sprintf("%s and %s did not differ beyond chance in the explain trials (%s): there is nothing to explain.",
			e.Arm, e.Baseline, prose.Interval(*e.MeasuredLo, *e.MeasuredHi, false))
	}
	if e.Predicted == nil {
		return fmt.Sprintf("%s, and %s: what moved is shown, and not claimed as the cause.", what, c.noLimit(e))
	}
	moved := c.moved(e)
	figures := fmt.Sprintf("that predicts %s, measured %s", prose.Change(*e.Predicted, false), prose.Change(*e.Measured, false))
	if e.WithMeasured != nil && *e.WithMeasured == *e.Measured {
		figures += " (both with the accounting on: too few trials have blocks without it)"
	}
	if !e.Closes {
		text := fmt.Sprintf("%s, and the CPU time of its limit does not explain it: %s; %s", what, moved, figures)
		if why := c.unclosed(e); why != "" {
			text += ": " + why
		}
		return text + "."
	}
	return fmt.Sprintf("%s because %s; %s.", what, moved, figures)
}

// faster is "is 19 % faster".
func (c *comparing) faster(change float64) string {
	word := "faster"
	if change < 0 {
		word = "slower"
	}
	return fmt.Sprintf("is %s %s", prose.Percent(change), word)
}

// noLimit says why nothing foretells the rate.
func (c *comparing) noLimit(e *Explanation) string {
	if e.Role != "" && e.BaselineRole != "" {
		return "its roles take turns, so that neither is the limit"
	}
	var texts []string
	for _, b := range e.Busy {
		texts = append(texts, fmt.Sprintf("%s busy %s and %s", b.Role, prose.WholePercent(b.From), prose.WholePercent(b.To)))
	}
	busy := strings.Join(texts, ", ")
	switch {
	case e.BaselineRole != "" && e.Role == "":
		return fmt.Sprintf("the %s was the limit with %s, where with %s no role is (%s)", e.BaselineRole, e.Baseline, e.Arm, busy)
	case e.BaselineRole == "" && e.Role != "":
		return fmt.Sprintf("the %s is the limit with %s, where with %s no role was (%s)", e.Role, e.Arm, e.Baseline, busy)
	}
	return fmt.Sprintf("no role was busy all the time in both arms (%s)", busy)
}

// moved is "the source needs 27 ns/KiB less (net_rx on its back -20.6, its own calls
// -5.8)".
func (c *comparing) moved(e *Explanation) string {
	total, parts := 0.0, []Part{}
	for _, p := range e.Parts {
		if p.Role == e.Role && p.Category == "" && p.Context != Measuring {
			total += p.Delta
			parts = append(parts, p)
		}
	}
	if e.Role != e.BaselineRole {
		from, to := e.needs(e.BaselineRole), e.needs(e.Role)
		return fmt.Sprintf("the limit moved from the %s, whose need went from %s to %s %s, to the %s (from %s to %s)",
			e.BaselineRole, prose.Number(from[0]), prose.Number(from[1]), e.Unit, e.Role, prose.Number(to[0]), prose.Number(to[1]))
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(math.Abs(b.Delta), math.Abs(a.Delta)) })
	var texts []string
	for _, p := range parts {
		if p.Significant && len(texts) < 3 {
			texts = append(texts, Place(p.Context)+" "+prose.Signed(p.Delta))
		}
	}
	word := "more"
	if total < 0 {
		word = "less"
	}
	text := fmt.Sprintf("the %s needs %s %s %s", e.Role, prose.Number(math.Abs(total)), e.Unit, word)
	if len(texts) == 0 {
		return text + " (no part of it beyond chance)"
	}
	text += " (" + strings.Join(texts, ", ") + ")"
	if came := e.cameAndLeft(total < 0); came != "" {
		text += ": " + came
	}
	return text
}

// needs is the time of a role per unit, of the baseline and the arm.
func (e *Explanation) needs(role vocab.Owner) (out [2]float64) {
	for _, p := range e.Parts {
		if p.Role == role && p.Category == "" && p.Context != Measuring {
			out[0], out[1] = out[0]+p.From, out[1]+p.To
		}
	}
	return out
}

// cameAndLeft is "TCP/IP (-19.8) left it, and drivers and IPIs (+31.7) came": which work
// of the limit moved beyond chance.
func (e *Explanation) cameAndLeft(lessFirst bool) string {
	var left, came []string
	for _, p := range e.Parts { // the largest first
		if p.Role != e.Role || p.Context != "" || p.Function != "" || !p.Significant || p.Category == ofBPF || len(left)+len(came) == 3 {
			continue
		}
		text := fmt.Sprintf("%s (%s)", p.Category, prose.Signed(p.Delta))
		if p.Delta < 0 {
			left = append(left, text)
		} else {
			came = append(came, text)
		}
	}
	// Names of categories have an "and" of their own, so that no other joins them.
	var texts []string
	if len(left) > 0 {
		texts = append(texts, strings.Join(left, ", ")+" left it")
	}
	if len(came) > 0 {
		texts = append(texts, strings.Join(came, ", ")+" came to it")
	}
	if !lessFirst {
		slices.Reverse(texts)
	}
	return strings.Join(texts, ", ")
}

// Place names a context in a sentence about a role.
func Place(context string) string {
	switch context {
	case "":
		return ""
	case task:
		return "its own calls"
	case "irq", "hardirq":
		return "interrupts on its back"
	case "softirq":
		return "softirqs on its back"
	case Measuring:
		return "the measuring"
	case UserTime:
		return "its own in user space"
	case SystemTime:
		return "its own in the kernel"
	case Waiting:
		return "waiting for a CPU"
	}
	return context + " softirq on its back"
}

// level is of a run of one arm.
func (c *comparing) level(e *Explanation) string {
	role := e.Role
	if role == "" {
		return fmt.Sprintf("No role was busy all the time (source %s, sink %s).", prose.WholePercent(e.Busy[0].To), prose.WholePercent(e.Busy[1].To))
	}
	var texts []string
	total := 0.0
	for _, p := range e.Parts {
		if p.Role == role {
			total += p.To
			if len(texts) < 3 {
				texts = append(texts, Place(p.Context)+" "+prose.Number(p.To))
			}
		}
	}
	return fmt.Sprintf("The %s is the limit, and needs %s %s: %s.", role, prose.Number(total), e.Unit, strings.Join(texts, ", "))
}

func excludesZero(lo, hi *float64) bool { return lo != nil && hi != nil && (*lo > 0 || *hi < 0) }

// coverageNote says how much of a role's time samples tell.
func coverageNote(role vocab.Owner, coverage, unknown *float64) []string {
	if coverage == nil {
		return nil
	}
	text := fmt.Sprintf("Samples of the %s cover %s of its time", role, prose.WholePercent(*coverage))
	if *coverage < leastCoverage {
		text += fmt.Sprintf(", and functions are shown from %s on: the timer of a CPU that sleeps is late", prose.WholePercent(leastCoverage))
	} else if unknown != nil {
		text += fmt.Sprintf("; %s of them are in functions that no rule of a category knows", prose.Percent(*unknown))
	}
	return []string{text + "."}
}

// notes are what a reader should know of how it was measured.
func (c *comparing) notes(run *results.Run, e *Explanation) (out []string) {
	if e.Instrument != nil {
		out = append(out, fmt.Sprintf("The accounting changed the rate by %s (%s); what it took of a role's time stands in a line of its own, and is in none of the others.",
			prose.Change(*e.Instrument, false), prose.Interval(*e.InstrumentLo, *e.InstrumentHi, false)))
	} else {
		out = append(out, "What the accounting costs is not known: no explain trial has blocks without it.")
	}
	if e.WithPredicted != nil && e.WithMeasured != nil && e.Measured != nil && *e.WithMeasured != *e.Measured {
		out = append(out, fmt.Sprintf("With the accounting on, its cost and all, %s were predicted and %s measured.", prose.Change(*e.WithPredicted, false), prose.Change(*e.WithMeasured, false)))
	}
	out = append(out, coverageNote(e.SampledRole, e.Coverage, e.Unmapped)...)
	if e.Other != nil {
		out = append(out, coverageNote(e.Other.Role, e.Other.Coverage, e.Other.Unmapped)...)
	}
	var absent []string
	invalid := 0
	for _, x := range run.Explains {
		if x.Invalid != "" {
			invalid++
		}
		for _, name := range x.Absent {
			if !slices.Contains(absent, name) {
				absent = append(absent, name)
			}
		}
	}
	events := EventsOf(run)
	out = append(append(out, c.waitingNote(&events, e)...), events.notes(e.Baseline, e.Arm)...)
	if invalid > 0 {
		are := "is"
		if invalid > 1 {
			are = "are"
		}
		out = append(out, fmt.Sprintf("%s failed and %s not used.", prose.Counted(invalid, "explain trial"), are))
	}
	if len(absent) > 0 {
		out = append(out, fmt.Sprintf("This kernel has no tracepoints of the interrupts %s: their time is counted as that of whom they interrupted.", strings.Join(absent, ", ")))
	}
	return out
}
