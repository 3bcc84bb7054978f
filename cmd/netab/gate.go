package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/analysis/page"
	"netab/analysis/report"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
	"netab/results/vocab"
	"netab/scenarios"
)

// gateFlags are those of everything that ends in a gate's exit status.
type gateFlags struct {
	thresholds        []string
	known             string
	junit, markdown   string
	json, chat, quiet bool
	as                format
	bisect            bool
	noKnown           bool
	allowCutOff       bool
	force             bool
	redact            bool
}

func (f *gateFlags) add(cmd *cobra.Command) {
	f.addScenario(cmd)
	f.addForms(cmd)
	fl := cmd.Flags()
	fl.BoolVar(&f.bisect, "bisect", false, bisectUsage)
	fl.BoolVar(&f.allowCutOff, "allow-cut-off", false, "let a run pass that was cut off, by what was measured until then")
}

// addScenario adds the flags of what a gate reads beside runs.
func (f *gateFlags) addScenario(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&f.thresholds, "threshold", nil, "`METRIC=SHARE`: the change of a metric that matters, in place of the scenario's (repeatable)")
	fl.StringVar(&f.known, "known-issues", "", "`FILE` of acknowledged regressions (default: NAME.known-issues.yaml beside the scenario NAME.yaml)")
	fl.BoolVar(&f.noKnown, "no-known-issues", false, "let acknowledged regressions fail")
}

// addForms adds the flags of the forms that CI systems and chats read.
func (f *gateFlags) addForms(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.junit, "junit", "", "write JUnit XML to `FILE` (- for stdout)")
	fl.StringVar(&f.markdown, "markdown", "", "write Markdown for a job's summary to `FILE` (- for stdout)")
	fl.BoolVar(&f.redact, "redact", false, redactUsage)
	fl.BoolVar(&f.chat, "chat", false, "print one sentence for a chat message instead of all there is to say")
}

// redactUsage is that of everything that leaves the house.
const redactUsage = "hide what machines, users and networks are called, the kernel's command line and directories"

func newGate() *cobra.Command {
	var f gateFlags
	var scenario string
	cmd := &cobra.Command{
		Use:   "gate RUN",
		Short: "Judge the arms of a run against its baseline, for a CI job",
		Long: `Judge the arms of a stored run against its baseline arm, for a CI job: each
judged metric of each arm is a check. A check passes where its interval excludes
a change for the worse of the metric's threshold or more, fails on a regression,
and is open otherwise.

Thresholds stand in the scenario (gate: {goodput: 2%, loss: 0.1%}) and default
to its resolution. Regressions that are known stand in a file beside it,
NAME.known-issues.yaml, each with a reason and the last day on which it may pass
(read without being named only for the store's own runs of this machine, and if
nobody else can write to it):

  - {arm: rps-*, metric: goodput, reason: bug 1234, expires: 2026-12-31, up_to: 5%}

latest is the newest run in the store, with --scenario of that scenario. Where a
run was begun after it and failed before anything was recorded, or cannot be
read, there is nothing to judge, and the exit status is 5.

A run that was cut off (it has no end) does not pass unless --allow-cut-off.

Of a campaign the kernels are judged: each arm against the same on the first kernel,
and how often each kernel failed. What emulated CPUs took (TCG) is not hardware
time, and passes with --force only; without it the exit status is 3.

Exit status: 0 passed, 1 regression, 3 no verdict yet, 4 not comparable,
5 measurement failed (2 usage). To compare two runs: netab compare OLD NEW --gate.`,
		Example: `  netab gate latest --junit netab.xml --markdown summary.md
  netab gate latest --scenario nightly --threshold goodput=3% --chat`,
		Args:              exactly(1, "a run: an id from `netab results`, a path, or latest"),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			thresholds, err := parseThresholds(f.thresholds)
			if err != nil {
				return usage(err)
			}
			x, from, err := f.readOne(cmd, args[0], scenario)
			if err != nil {
				return failed(err)
			}
			run := x.run
			if c := x.campaign; c != nil {
				setCampaignThresholds(c, thresholds)
				if f.redact {
					c = results.NewRedactor().Campaign(c)
				}
				return f.judge(cmd, analysis.JudgeCampaign(c, analysis.CompareOptions{}), from)
			}
			run.Header.Design.SetThresholds(thresholds)
			measured := run
			if f.redact {
				run = results.Redacted(run)
			}
			s := analysis.Summarize(run)
			if !f.bisect { // which asks of builds, and their answers are to differ
				question.Remember(storeFlag(cmd), false, measured, &s) // by what its machine is called
			}
			return f.judge(cmd, s, from)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON document")
	f.as.add(cmd, "json", "chat")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "print nothing: the exit status says it")
	cmd.Flags().BoolVar(&f.force, "force", false, "let times of emulated CPUs pass, which are not hardware time")
	cmd.Flags().StringVar(&scenario, "scenario", "", "`NAME` of the scenario that the run must be of; latest is then the newest of it")
	return cmd
}

// readOne reads the run to judge, which must be of a scenario unless that is "".
func (f *gateFlags) readOne(cmd *cobra.Command, ref, scenario string) (x picked, from origin, err error) {
	p, err := newPicker(cmd)
	if err != nil {
		return picked{}, origin{}, err
	}
	p.judging = true
	if f.quiet {
		p.said = io.Discard
	}
	x, err = p.pick(ref, scenario)
	if err == nil && scenario != "" && x.scenario() != scenario {
		err = usage(fmt.Errorf("run %s is of scenario %s, not of %s", x.id(), x.scenario(), scenario))
	}
	return x, p.origin, err
}

// judge makes the gate of a summary, writes it wherever it is wanted, and
// returns the exit status. from is where the run that is judged is from.
func (f *gateFlags) judge(cmd *cobra.Command, s analysis.Summary, from origin) error {
	known, err := f.knownIssues(cmd.ErrOrStderr(), from)
	if err != nil {
		return usage(err)
	}
	var allowed []vocab.Code
	if f.allowCutOff {
		allowed = append(allowed, analysis.CutOff)
	}
	if f.force {
		allowed = append(allowed, analysis.NotHardware)
	}
	g := gate.New(s, known, time.Now(), allowed...)
	if err := f.write(cmd.OutOrStdout(), g); err != nil {
		return failed(err)
	}
	return gateStatus(g)
}

func (f *gateFlags) write(out io.Writer, g gate.Gate) error {
	format := f.as.or(wanted{"json", f.json}, wanted{"chat", f.chat})
	return f.writeForms(out, report.Gate(g), func(w io.Writer, p *page.Page) error {
		if f.quiet {
			return nil
		}
		return writePage(w, p, format)
	})
}

// writeForms writes the forms that are wanted, each where it is wanted; print is
// what goes to stdout unless one of the others does.
func (f *gateFlags) writeForms(out io.Writer, p *page.Page, print func(io.Writer, *page.Page) error) error {
	for _, o := range []struct{ file, format string }{{f.junit, "junit"}, {f.markdown, "markdown"}} {
		write := func(w io.Writer) error { return writePage(w, p, o.format) }
		var err error
		switch o.file {
		case "":
		case "-":
			err = write(out)
		default:
			err = disk.Write(o.file, write)
		}
		if err != nil {
			return err
		}
	}
	if f.junit == "-" || f.markdown == "-" {
		return nil
	}
	return print(out, p)
}

// gateStatus is the exit status that a CI job reads.
func gateStatus(g gate.Gate) error {
	switch g.Outcome {
	case gate.Passed:
		return nil
	case gate.Worse:
		for _, k := range g.Checks {
			if k.Outcome == gate.Worse {
				return &statusError{exitRegression, fmt.Errorf("gate: %s of arm %s is a regression", k.Metric, k.Arm)}
			}
		}
	case gate.NotComparable:
		return &statusError{exitNotComparable, notComparable(g.Summary)}
	case gate.NotMeasured:
		return &statusError{exitFailed, errors.New("gate: the measurement failed, so there is no verdict: see the warnings")}
	}
	return &statusError{exitInconclusive, fmt.Errorf("gate: %s", strings.TrimSuffix(g.Sentence, "."))}
}

func notComparable(s analysis.Summary) error {
	return fmt.Errorf("not comparable: the runs differ in %s (--force compares them all the same)", strings.Join(s.Blocking(), ", "))
}

// parseThresholds reads METRIC=SHARE, as the scenario's gate: has them.
func parseThresholds(texts []string) (map[string]float64, error) {
	out := map[string]float64{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		share, err := scenarios.ParseFraction(value)
		switch {
		case !ok || err != nil || share <= 0 || share >= 1:
			return nil, fmt.Errorf("--threshold %q: want METRIC=SHARE, such as goodput=2%%", text)
		case !isMetric(name):
			return nil, fmt.Errorf("--threshold %q: %s", text, unknownMetric(name))
		}
		out[name] = float64(share)
	}
	return out, nil
}

func isMetric(name string) bool { _, ok := analysis.LookupMetric(name); return ok }

func unknownMetric(name string) string {
	return fmt.Sprintf("%q is not a metric; %s", name, nearestMetric(name))
}

// nearestMetric is the hint for a name that is no metric's.
func nearestMetric(name string) string {
	var names []string
	for _, m := range analysis.Metrics() {
		names = append(names, m.Name)
	}
	return scenarios.Suggest(name, names)
}
