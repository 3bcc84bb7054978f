package analysis

import (
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

// FailedOf is "2 of 5 boots".
func (s *KernelSide) FailedOf() string {
	return fmt.Sprintf("%d of %s", s.Failed, prose.Counted(s.Failed+s.Whole, "boot"))
}

// failureText says how often a kernel failed, and the first one.
func (k *campaigning) failureText(at int) string {
	side, base := &k.kernels[at], &k.kernels[0]
	text := fmt.Sprintf("%s failed in %s", side.Label, side.FailedOf())
	if side.Reason != "" {
		text += " (" + side.Reason + ")"
	}
	if at > 0 {
		text += fmt.Sprintf(", %s in %d of %d", base.Label, base.Failed, base.Failed+base.Whole)
	}
	return text
}

// emulated is for a campaign without a single run, which would tell.
func (k *campaigning) emulated() []results.Warning {
	if len(k.groups) == 0 && k.c.Header.IsEmulated() {
		return emulated(&results.Machine{Emulated: k.c.Header.Guest.Accel})
	}
	return nil
}

// warnings are of the campaign itself.
func (k *campaigning) warnings(s *Summary) []results.Warning {
	var ws []results.Warning
	warn := func(code vocab.Code, format string, args ...any) {
		ws = append(ws, results.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	for i, side := range k.kernels {
		if side.Failed > 0 {
			what := "that counts against it"
			if i == 0 {
				what = "it is what the others are compared with"
			} else if side.Verdict == Regression {
				what = fmt.Sprintf("that is a regression (p = %.2g)", *side.P)
			} else if side.Verdict == Inconclusive {
				what = fmt.Sprintf("that may be chance (p = %.2g), and nothing passes by it", *side.P)
			}
			warn(codeFailedBoots, "kernel %s: %s", k.failureText(i), what)
		}
	}
	switch end := k.c.End; {
	case end == nil:
		warn(CutOff, "the campaign was cut off, or is going on: it has %d of its %d boots; %s goes on with it", s.Campaign.Planned-s.Campaign.Missing, s.Campaign.Planned, k.c.Header.GoesOnWith())
	case end.Reason == vocab.Interrupted:
		warn(codeInterrupted, "the campaign was interrupted after %d of its %d boots; %s goes on with it", s.Campaign.Planned-s.Campaign.Missing, s.Campaign.Planned, k.c.Header.GoesOnWith())
	case end.Reason.Failed():
		warn(codeFailed, "the campaign ended early: %s", end.Reason)
	case s.Campaign.Missing > 0:
		warn(codeBootsMissing, "%d of %d planned boots were not made", s.Campaign.Missing, s.Campaign.Planned)
	}
	if n := k.looks(); n > 0 {
		warn(codeBootsAdded, "boots were added by who had seen what the campaign came to without them: what is found now had %d chances to be found, so the confidence of each is %s",
			n+1, prose.Percent(1-k.alpha))
	}
	if k.together > 0 && k.alone > 0 {
		warn(codeBootsAlone, "%s had the machine for themselves, where the others took turns, up to %d of them: what that changes is in the figures",
			prose.Counted(k.alone, "boot"), k.together)
	}
	if few := stat.FewestOfTwo(k.alpha); len(k.within) > 0 {
		least := slices.MinFunc(k.within, func(a, b withinKernel) int { return len(a.boots) - len(b.boots) })
		if n := len(least.boots); n >= k.leastBoots() && n < few {
			warn(codeFewBoots, "%d boots of %s may all have drawn the same of what a boot draws: of two kinds of boots so many are all of one kind in one of %.0f such campaigns; %d of each kernel tell",
				n, least.label, math.Pow(2, float64(n-1)), few)
		}
	}
	if text := k.sameKernels(); text != "" {
		warn(codeAxisEqual, "%s", text)
	}
	ws = append(ws, k.c.Header.Warnings...)
	ws = append(ws, k.c.ReadWarnings...)
	if k.c.End != nil {
		ws = append(ws, k.c.End.Warnings...)
	}
	return ws
}

// sameKernels says so where two of them are one image, started alike.
func (k *campaigning) sameKernels() string {
	all := k.c.Header.Kernels
	for i, a := range all {
		for j, b := range all[:i] {
			if a.Digest != "" && a.Digest == b.Digest && a.Cmdline == b.Cmdline {
				return fmt.Sprintf("kernels %s and %s are one and the same: what differs between them is chance", k.kernels[j].Label, k.kernels[i].Label)
			}
		}
	}
	return ""
}

// options are what the kernels were built or started with differently.
func (k *campaigning) options() (out []KernelOption) {
	all := k.c.Header.Kernels
	add := func(name string, of func(results.Kernel) string) {
		o := KernelOption{Name: name}
		for _, kernel := range all {
			o.Values = append(o.Values, of(kernel))
		}
		if slices.ContainsFunc(o.Values, func(v string) bool { return v != o.Values[0] }) {
			out = append(out, o)
		}
	}
	add("command line", func(k results.Kernel) string { return k.Cmdline })
	names := map[string]bool{}
	for _, kernel := range all {
		if kernel.Config == nil {
			return out // what is not known of one is not known to differ
		}
		for name := range kernel.Config {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add(name, func(k results.Kernel) string { return k.Config[name] })
	}
	return out
}

// failureSentences say of each kernel that failed how often.
func (k *campaigning) failureSentences() string {
	var out []string
	for i, side := range k.kernels {
		if side.Failed > 0 {
			out = append(out, prose.Capital("kernel "+k.failureText(i))+".")
		}
	}
	return strings.Join(out, " ")
}

// effectSentences say what each arm does on each kernel, of the headline metric.
func (k *campaigning) effectSentences(effects []Comparison) string {
	metric := judgedMetrics(k.design())[0]
	var arms []string
	parts, baselines := map[string][]string{}, map[string]string{}
	for i := range effects {
		c := &effects[i]
		if c.Metric != metric {
			continue
		}
		if parts[c.Arm] == nil {
			arms = append(arms, c.Arm)
		}
		baselines[c.Arm] = c.Baseline
		parts[c.Arm] = append(parts[c.Arm], c.onKernel())
	}
	var out []string
	for i, arm := range arms {
		if i == maxInAnswer {
			out = append(out, fmt.Sprintf("%d more arms are in the table.", len(arms)-maxInAnswer))
			break
		}
		out = append(out, fmt.Sprintf("%s against %s: %s.", prose.Capital(arm), baselines[arm], strings.Join(parts[arm], "; ")))
	}
	return strings.Join(out, " ")
}

// onKernel is what an arm does on one kernel: "+12 % on 6.1.0 (+10 to +14 %)".
func (c *Comparison) onKernel() string {
	switch {
	case c.Untold():
		return "not known on " + c.ArmRun
	case c.N == 1:
		return fmt.Sprintf("%s in the one boot of %s, which does not tell how boots scatter", prose.Change(c.Change, c.Difference), c.ArmRun)
	case c.P == nil:
		return "not known on " + c.ArmRun
	case c.Verdict == Equivalent:
		return fmt.Sprintf("the same to within %s on %s", prose.Percent(c.Resolution), c.ArmRun)
	case c.Verdict == Inconclusive:
		return fmt.Sprintf("undecided on %s (%s)", c.ArmRun, prose.Interval(c.Lo, c.Hi, c.Difference))
	}
	return fmt.Sprintf("%s on %s (%s)", prose.Change(c.Change, c.Difference), c.ArmRun, prose.Interval(c.Lo, c.Hi, c.Difference))
}

// ofBoots are the warnings of the boots' runs, each once with how many have it.
func (c comparing) ofBoots() []results.Warning {
	type seen struct {
		first  results.Warning
		boots  []string
		differ bool
	}
	byKey := map[string]*seen{}
	var order []*seen
	all := 0
	for _, g := range c.groups {
		for _, run := range g.Runs {
			all++
			for _, w := range unique(c.ofRun(run)) {
				key := string(w.Code) + "\x00" + digits.ReplaceAllString(w.Text, "#")
				s := byKey[key]
				if s == nil {
					s = &seen{first: w}
					byKey[key] = s
					order = append(order, s)
				}
				if n := len(s.boots); n == 0 || s.boots[n-1] != run.Header.ID {
					s.boots = append(s.boots, run.Header.ID)
				}
				s.differ = s.differ || w.Text != s.first.Text
			}
		}
	}
	var ws []results.Warning
	for _, s := range order {
		where := fmt.Sprintf(" (in %d of %d boots", len(s.boots), all)
		switch {
		case len(s.boots) == 1:
			where = " (in boot " + path.Base(s.boots[0])
		case s.differ:
			where += "; figures of the first"
		}
		ws = append(ws, results.Warning{Code: s.first.Code, Text: s.first.Text + where + ")"})
	}
	return ws
}
