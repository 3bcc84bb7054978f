package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/confounder"
	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeForced         = vocab.Warns("forced")
	codeNotConverged   = vocab.Doubts("not-converged")
	codeAxisEqual      = vocab.Warns("axis-equal")
	codeLevelModes     = vocab.Warns("level-modes")
	ArmMissing         = vocab.Warns("arm-missing")
	codeTooDisturbed   = vocab.Warns("too-disturbed")
	codeStatesTooFew   = vocab.Warns("states-too-few")
	codeNotComparable  = vocab.Doubts("not-comparable")
	codeRunsAssumed    = vocab.Warns("runs-assumed")
	codeNotInterleaved = vocab.Warns("not-interleaved")
	codeBootsAssumed   = vocab.Warns("boots-assumed")
	codeTooFewBoots    = vocab.Doubts("too-few-boots")
)

// Compare judges the arms of run b against the arms of the same name of run a:
// CompareGroups of two groups of one run each. declared names the confounders
// that were meant to differ ("kernel").
func Compare(a, b *results.Run, declared ...string) Summary {
	groups := []RunGroup{{a.Header.ID, []*results.Run{a}}, {b.Header.ID, []*results.Run{b}}}
	distinct(groups)
	return CompareGroups(groups, CompareOptions{Declared: declared})
}

// withhold takes back the verdicts that the runs cannot support, and says why.
func (c comparing) withhold(s *Summary) []results.Warning {
	var ws []results.Warning
	take := func(code vocab.Code, text string, of func(*Comparison) bool) {
		ws = append(ws, results.Warning{Code: code, Text: text})
		for _, list := range [][]Comparison{s.Comparisons, s.Interactions} {
			for i := range list {
				if x := &list[i]; of(x) {
					x.withhold(text)
				}
			}
		}
	}
	for _, g := range c.groups[1:] {
		c.withholdSide(s, g, take)
		if few := first(c.few[g.Label], c.few[c.groups[0].Label]); few != "" {
			take(codeTooDisturbed, few+", so no verdict is given: measure with nothing else running", func(x *Comparison) bool { return x.ArmRun == g.Label })
		}
		if lacking := c.lacking[g.Label]; lacking != "" {
			take(codeStatesTooFew, lacking, func(x *Comparison) bool { return x.ArmRun == g.Label })
		}
		ws = append(ws, c.pairing(g, c.first)...)
	}
	switch blocking := s.Blocking(); {
	case len(blocking) == 0:
	case c.options.Force:
		ws = append(ws, results.Warning{Code: codeForced, Text: "FORCED: the runs are not comparable, they differ in " +
			strings.Join(blocking, ", ") + "; the verdicts are given because that was overridden, and are not to be trusted"})
	default:
		take(codeNotComparable, "the runs are not comparable: they differ in "+strings.Join(blocking, ", ")+"; no verdict is given",
			func(*Comparison) bool { return true })
	}
	return ws
}

// withholdSide says what the number of boots of one side allows.
func (c comparing) withholdSide(s *Summary, g RunGroup, take func(code vocab.Code, text string, of func(*Comparison) bool)) {
	base, none := c.groups[0], func(*Comparison) bool { return false }
	a, b, alpha := len(base.boots()), len(g.boots()), c.first
	mine := func(x *Comparison) bool { return x.ArmRun == g.Label }
	known := knownSpreads(s, mine)
	switch unit := unitOf(base, g); {
	case unit == unitTrial && known != "":
		take(codeRunsAssumed, fmt.Sprintf("the runs were measured one after the other, and %s has %d and %s %d: how runs scatter is not known from them, so it is taken from the calibration of this machine (%s)",
			base.Label, len(base.Runs), g.Label, len(g.Runs), known), none)
	case unit == unitTrial:
		all := mine
		mine := func(x *Comparison) bool { return all(x) && x.P != nil && !x.Calibrated }
		take(codeNotInterleaved, fmt.Sprintf("%s and %s are of one boot, one measured after the other: how runs scatter is not known from so few, so no verdict is given; measure %d of each, calibrate this traffic on this machine (netab calibrate), or put both configurations into one scenario",
			runCount(base), runCount(g), enoughRuns), mine)
	case unit == unitRun:
	case stat.Attainable(a, b) <= alpha:
	default:
		if known != "" {
			take(codeBootsAssumed, fmt.Sprintf("%s has %s and %s %s: their spread is not known from them, so it is taken from what is known of this machine (%s)",
				base.Label, bootCount(a), g.Label, bootCount(b), known), none)
		}
		some := slices.ContainsFunc(s.Comparisons, func(x Comparison) bool { return mine(&x) && x.Judged && !x.Calibrated })
		if known != "" && !some {
			return
		}
		all := mine
		mine := func(x *Comparison) bool { return all(x) && !x.Calibrated }
		n := stat.UnitsNeeded(alpha)
		take(codeTooFewBoots, fmt.Sprintf("the runs are of different boots, %s of %s and %s of %s: what a boot draws once (memory layout, placement) needs several to be known, so no verdict is given; at least %d boots of each can show a difference (smallest p %.2g), %d are better (%.2g)",
			bootCount(a), base.Label, bootCount(b), g.Label, n, stat.Attainable(n, n), n+1, stat.Attainable(n+1, n+1))+bootsFor(s, mine), mine)
	}
}

// knownSpreads lists the spreads that were put in for a side's units.
func knownSpreads(s *Summary, mine func(*Comparison) bool) string {
	var out []string
	for i := range s.Comparisons {
		if x := &s.Comparisons[i]; mine(x) && x.Calibrated {
			text := fmt.Sprintf("%s of %s: %s", x.Metric, x.Arm, prose.Percent(x.KnownSD))
			if !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	return strings.Join(out, ", ")
}

// bootsFor says how many boots would resolve what was asked, where the boots
// so far tell of their spread.
func bootsFor(s *Summary, mine func(*Comparison) bool) string {
	most := 0
	for i := range s.Comparisons {
		x := &s.Comparisons[i]
		if !mine(x) || !x.Judged || x.P == nil || x.SmallestDetectable == nil || x.Difference || x.DF <= 0 {
			continue
		}
		most = max(most, bootsToSee(x))
	}
	if most == 0 {
		return ""
	}
	return fmt.Sprintf("; going by how these boots scatter, about %d of each would show a change of the resolution", most)
}

// bootsToSee is the number of boots a side whose smallest detectable change is
// the resolution; 0 where no sensible number is.
func bootsToSee(x *Comparison) int {
	se := (math.Log1p(x.Hi) - math.Log1p(x.Lo)) / 2 / stat.Critical(x.Alpha, x.DF)
	perBoot := se * math.Sqrt(1/(1/float64(x.NBaseline)+1/float64(x.N-x.NBaseline)))
	for n := 2; n <= 1000; n++ {
		d, ok := stat.Detectable(perBoot*math.Sqrt(2/float64(n)), float64(2*n-2), x.Alpha)
		if ok && d <= math.Log1p(x.Resolution) {
			return n
		}
	}
	return 0
}

func runCount(g RunGroup) string {
	return fmt.Sprintf("%s %s of %s", prose.Count(len(g.Runs)), prose.Plural(len(g.Runs), "run"), g.Label)
}

func bootCount(n int) string { return fmt.Sprintf("%s %s", prose.Count(n), prose.Plural(n, "boot")) }

func (c comparing) warnings(s *Summary) []results.Warning {
	var ws []results.Warning
	if !s.Converged {
		ws = append(ws, results.Warning{Code: codeNotConverged, Text: "NOT CONVERGED: at least one judged comparison has no verdict"})
	}
	for _, name := range c.equalAxes(s) {
		ws = append(ws, results.Warning{Code: codeAxisEqual, Text: fmt.Sprintf("%q was meant to differ, and is the same in all runs", name)})
	}
	base := c.groups[0]
	for _, g := range c.groups[1:] {
		ws = append(ws, missingArms(base, g)...)
		ws = append(ws, missingArms(g, base)...)
	}
	for _, a := range s.Arms {
		if a.Modes != nil {
			ws = append(ws, results.Warning{Code: codeLevelModes, Text: fmt.Sprintf("%s: %s: %s", a.Run, a.Name, a.Modes.Text)})
		}
	}
	if c.campaign != nil {
		return append(ws, c.ofBoots()...)
	}
	for _, g := range c.groups {
		for _, run := range g.Runs {
			id := run.Header.ID
			if len(g.Runs) == 1 && g.Label != "" {
				id = g.Label
			}
			for _, w := range c.ofRun(run) {
				ws = append(ws, results.Warning{Code: w.Code, Text: id + ": " + w.Text})
			}
		}
	}
	return ws
}

// ofRun are the warnings of one run.
func (c comparing) ofRun(run *results.Run) []results.Warning {
	return slices.Concat(c.levelFlags(run), carried(run), conditions(run, c.records.of(run).Only(func(t *record.Trial) bool { return t.Invalid == "" })))
}

// equalAxes are what was meant to differ, and does not. Two builds of one release
// are two kernels.
func (c comparing) equalAxes(s *Summary) (out []string) {
	for _, name := range c.options.Declared {
		differs := slices.ContainsFunc(s.Confounders, func(f Confounder) bool {
			return confounder.Covers(name, f.Name) || name == "kernel" && f.Name == "kernel build"
		})
		goes := name == "kernel build" && slices.Contains(c.options.Declared, "kernel") // goes with it, and may be the same
		if !differs && !goes {
			out = append(out, name)
		}
	}
	return out
}

// levelFlags matter here: nothing removes a run's drift from its levels.
func (c comparing) levelFlags(run *results.Run) []results.Warning {
	var ws []results.Warning
	for i, arm := range run.Header.Design.Arms {
		for _, name := range judgedMetrics(run.Header.Design) {
			if m, ok := LookupMetric(name); ok && m.AppliesTo(arm) {
				ws = append(ws, flagLevel(name, arm.Name, onScale(trialLevels(c.records.of(run), m, i), m), run.Header.Seed)...)
			}
		}
	}
	return ws
}

// missingArms goes by the first run of each side; other runs of a side that
// lack an arm are fewer units of it.
func missingArms(has, lacks RunGroup) []results.Warning {
	var ws []results.Warning
	for _, x := range has.Runs[0].Header.Design.Arms {
		if !slices.ContainsFunc(lacks.Runs[0].Header.Design.Arms, func(y results.Arm) bool { return x.Name == y.Name }) {
			ws = append(ws, results.Warning{Code: ArmMissing, Text: fmt.Sprintf(
				"arm %s of %s is not in %s, so it is not compared", x.Name, has.Label, lacks.Label)})
		}
	}
	return ws
}

func allJudged(cs []Comparison) bool {
	some := false
	for _, c := range cs {
		if c.Judged {
			some = true
			if c.Verdict == Inconclusive && !c.Mixture {
				return false
			}
		}
	}
	return some
}

// confounders lists what differs between the first run and any other, once
// each.
func (c comparing) confounders() []Confounder {
	out := []Confounder{}
	first, declared := c.groups[0].Runs[0], slices.Concat(c.options.Declared, c.campaign.axes(c.groups))
	for _, g := range c.groups {
		for _, r := range g.Runs {
			if r == first {
				continue
			}
			for _, f := range confounder.Between(first, r, declared) {
				if !slices.Contains(out, f) {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// Blocking lists the confounders that make runs incomparable, in words.
func (s *Summary) Blocking() []string {
	var out []string
	for _, f := range s.Confounders {
		if f.Blocking {
			out = append(out, fmt.Sprintf("%s (%s; %s)", f.Name, cmp.Or(f.A, "none"), cmp.Or(f.B, "none")))
		}
	}
	return out
}
