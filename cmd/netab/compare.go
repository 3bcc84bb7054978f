package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/calibration"
	"netab/analysis/report/html"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
	"netab/scenarios"
)

// compareFlags are the flags of netab compare.
type compareFlags struct {
	gateFlags
	axes       []string
	bootSpread string
	gate       bool
	html       string
	known      func(results.Arm, string) (analysis.KnownSpread, bool) // of the machines of the runs
}

func newCompare() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare OLD NEW... | CAMPAIGN",
		Short: "Compare the arms of runs with those of earlier ones, kernels included",
		Long: `Compare each arm of the NEW runs with the arm of the same name of OLD.

Runs are grouped by kernel where kernels differ, the first run's kernel being
what the others are compared with; else each run stands alone. An argument of
several runs with commas between them is one group, whatever their kernels, and
is named by what tells it from the others (kernel, machine, the one setting that
differs), or old and new. A campaign alone is compared kernel by kernel with its
first, boots that failed included; among others it stands for its boots' runs.
Where boots differ the boot is the unit: 4 boots of each kernel at least can show
a difference. Where each of six boots or more has runs of both groups, they are
compared boot by boot. Within one boot the unit is the run, of which both groups
need four. Where units are too few, their scatter is taken from the store's
calibration of the same traffic; without one (netab calibrate) there is no verdict.

Shards of one question (netab run --shard) are no such runs: their arms are listed
together, each against the baseline of its own run.

What differs in the descriptions of machine and arms is listed as confounders.
Where it makes the numbers incomparable (CPU model, virtualisation, online CPUs,
debug options of the kernel, scenario, anything of the arms' topology, traffic or
placement, what netab's figures mean) no verdict is given and the exit status is
4; --axis declares what was meant to differ, --force compares all the same and
says so in the output. Knobs that differ are listed.`,
		Example: `  netab compare OLD NEW
  netab compare old1 old2 old3 old4 old5 new1 new2 new3 new4 new5    # two kernels, five boots of each
  netab compare 20261201-093000-kernels-local-1a2b    # the kernels of a campaign
  netab compare shard1 shard2 shard3    # of one question, as one
  netab compare monday,tuesday thursday,friday --gate --junit netab.xml`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeRun,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.add(cmd)
	fl := cmd.Flags()
	fl.StringArrayVar(&f.axes, "axis", nil, "`NAME` of a confounder that was meant to differ, or a setting such as topology.mtu (repeatable); kernels are where runs are grouped by them")
	fl.BoolVar(&f.force, "force", false, "give verdicts although the runs are not comparable, and let times of emulated CPUs pass a gate")
	fl.StringVar(&f.bootSpread, "boot-spread", "", "spread (standard deviation) of boots, where it is known otherwise than by netab calibrate: a few boots then suffice (`SHARE`)")
	fl.BoolVar(&f.gate, "gate", false, "judge for a CI job: exit 1 on a regression, 3 without a verdict")
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
	f.as.add(cmd, "json", "chat")
	fl.BoolVar(&f.quiet, "quiet", false, "print nothing")
	htmlVar(fl, &f.html, "write the HTML report of the comparison to `FILE`")
	return cmd
}

func (f *compareFlags) run(cmd *cobra.Command, args []string) error {
	o, thresholds, err := f.options()
	if err != nil {
		return usage(err)
	}
	p, err := newPicker(cmd)
	if err != nil {
		return failed(err)
	}
	if len(args) == 1 && !strings.Contains(args[0], ",") {
		p.judging = f.judges()
		if f.quiet {
			p.said = io.Discard
		}
		x, err := p.pick(args[0], "")
		switch {
		case err != nil:
			return failed(err)
		case x.campaign == nil:
			return usage(errors.New("one run only: nothing to compare it with"))
		}
		return f.compareCampaign(cmd, x.campaign, o, thresholds, p.origin)
	}
	groups, runs, axis, err := f.readGroups(cmd, p, args)
	if err != nil {
		return failed(err)
	}
	o.Known = f.known
	for _, r := range runs {
		r.Header.Design.SetThresholds(thresholds)
	}
	if axis == "kernel" {
		o.Declared = append(o.Declared, "kernel", "kernel build")
	}
	joined, err := analysis.ShardsOf(runs)
	if err != nil {
		return usage(err)
	}
	var s analysis.Summary
	if joined {
		s = analysis.JoinShards(runs)
	} else {
		s = analysis.CompareGroups(groups, o)
	}
	if f.html != "" {
		in := html.Input{Runs: runs, Compare: &s}
		for _, r := range runs {
			in.Summaries = append(in.Summaries, analysis.Summarize(r))
		}
		if err := disk.Write(f.html, func(w io.Writer) error { return html.Runs(w, in) }); err != nil {
			return failed(err)
		}
	}
	return f.conclude(cmd, s, p.origin) // of the last that was named
}

// conclude judges what was compared, or prints it.
func (f *compareFlags) conclude(cmd *cobra.Command, s analysis.Summary, from origin) error {
	if f.judges() {
		return f.judge(cmd, s, from)
	}
	if !f.quiet {
		if err := printSummary(cmd, s, f.as.or(wanted{"json", f.json})); err != nil {
			return failed(err)
		}
	}
	if len(s.Blocking()) > 0 && !f.force {
		return &statusError{exitNotComparable, notComparable(s)}
	}
	return nil
}

// judges says whether the exit status is to be a gate's.
func (f *compareFlags) judges() bool {
	return f.gate || f.bisect || f.chat || f.junit != "" || f.markdown != ""
}

// known is what the store's calibrations say of the machines of the runs. One
// that cannot be read is as good as none: verdicts are then withheld.
func known(cmd *cobra.Command, runs []*results.Run) func(results.Arm, string) (analysis.KnownSpread, bool) {
	if len(runs) == 0 {
		return nil
	}
	var machines []*results.Machine
	for _, r := range runs {
		machines = append(machines, &r.Header.Machine)
	}
	return calibration.Known(calibrationsOf(cmd, storeFlag(cmd), machines...))
}

func (f *compareFlags) options() (analysis.CompareOptions, map[string]float64, error) {
	o := analysis.CompareOptions{Declared: f.axes, Force: f.force}
	if f.bootSpread != "" {
		share, err := scenarios.ParseFraction(f.bootSpread)
		if err != nil || share <= 0 || share >= 1 {
			return o, nil, fmt.Errorf("--boot-spread %q: want a share such as 0.8%%", f.bootSpread)
		}
		o.BootSD = float64(share)
	}
	thresholds, err := parseThresholds(f.thresholds)
	return o, thresholds, err
}

// readGroups reads the runs of the command line and makes their groups.
func (f *compareFlags) readGroups(cmd *cobra.Command, p *picker, args []string) (groups []analysis.RunGroup, runs []*results.Run, axis string, err error) {
	p.judging = f.judges()
	if f.quiet {
		p.said = io.Discard
	}
	explicit := false
	for _, arg := range args {
		g := analysis.RunGroup{}
		refs := []string{arg}
		if _, err := p.store.Resolve(arg); err != nil && strings.Contains(arg, ",") { // a path may hold a comma
			refs, explicit = strings.Split(arg, ","), true
		}
		for _, ref := range refs {
			x, err := p.pick(ref, "")
			of := []*results.Run{x.run}
			if err == nil && x.campaign != nil {
				of, err = runsOf(x.campaign)
			}
			if err != nil {
				return nil, nil, "", err
			}
			for _, run := range of {
				question.DescribeOlder(run)
			}
			g.Runs, runs = append(g.Runs, of...), append(runs, of...)
		}
		groups = append(groups, g)
	}
	f.known = known(cmd, runs) // before their names go
	if f.redact {
		redact := results.NewRedactor()
		runs = nil
		for i := range groups {
			for k, run := range groups[i].Runs {
				groups[i].Runs[k] = redact.Run(run)
				runs = append(runs, groups[i].Runs[k])
			}
		}
	}
	if explicit && len(groups) < 2 {
		return nil, nil, "", usage(errors.New("one group only: nothing to compare it with"))
	}
	if explicit {
		return groups, runs, analysis.NameGroups(groups), nil
	}
	groups, axis = analysis.GroupRuns(runs)
	if len(groups) < 2 {
		return nil, nil, "", errors.New("one run only: nothing to compare it with")
	}
	return groups, runs, axis, nil
}

// compareRuns is for reports of several runs.
func compareRuns(runs []*results.Run, o analysis.CompareOptions) analysis.Summary {
	for _, r := range runs {
		question.DescribeOlder(r)
	}
	groups, axis := analysis.GroupRuns(runs)
	if axis == "kernel" {
		o.Declared = append(o.Declared, "kernel", "kernel build")
	}
	return analysis.CompareGroups(groups, o)
}
