package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/report"
	"netab/cmd/netab/plan"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/vocab"
	"netab/runner"
	"netab/scenarios"
)

// runFlags are the flags of netab run.
type runFlags struct {
	allow                                  allowance
	sets, only                             []string
	shard, budget                          string
	confidence, resolution, width, maxTime string
	spread                                 string
	sessions                               int
	seed                                   uint64
	html, machine                          string
	json, gate, dryRun, restore, quiet     bool
	as                                     format
	noProgress, bisect                     bool
	kernels, resume, arch, qemu, apt       string
	boots                                  int
	anotherBoot                            bool
	goesOnIn                               string // the file of the run that goes on
	asked                                  askedFlags
	explain                                question.Explanation
	// Of the command in a guest.
	ofKernel string
	record   bool
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run NAME|FILE|- | --traffic KIND | --resume RUN",
		Short: "Measure a scenario and say what changed",
		Long: `Measure a scenario: build the topology of every arm, turn the knobs, let sources
and sinks take turns in short random slices, repeat until every comparison has
a verdict at the asked resolution or --max-time is over, put the machine back as
it was, and print the verdicts.

A question needs no file: --traffic TCP_RR (or another name of netperf's, neper's or
iperf3's) is one arm; each --arm NAME or --arm 'NAME: PATH=VALUE, PATH=VALUE' is one
of several, the first of which the others are compared with; --vary
PATH=VALUE,VALUE makes an arm of each value. Paths are those of scenario files
(netab schema). The same flags change a scenario that is named. --print-scenario
prints the scenario that they make, for a file; "-" reads one from standard input.

A verdict of one minute speaks of one minute: the host moves virtual CPUs, heat
and neighbours come and go. --sessions 12 --spread 2h measures for --max-time in
all, in twelve sessions at random times within two hours. In between the machine
is as it was, and others may measure. Where sessions differ by more than their
trials explain, the session is the unit of the verdict. Ctrl-C ends the wait, and
judges what was measured.

Interrupted (Ctrl-C), killed, or at the end of its --max-time: --resume RUN goes on with
the same run on the same machine, boot and netab, for the rest of its time, or until
--max-time, which is the new total (docs/statistics.md says what that means for its
verdict). Another boot is another unit: --another-boot says that this is known.

The record says which machine it was: by its --machine name, else by an id made
of its machine-id, with its CPU model and board, so that a new hostname makes no
other machine of it. Name machines that are made anew for each run.

--kernels asks the same of several kernels, on this machine, tonight: each is booted
--boots times in a guest of QEMU, in random order, and in each boot all arms take
turns. The boot is the unit between kernels, so the least that can show a difference
is four boots of each of two. The first kernel is what the others are compared with.
A kernel is a bzImage or vmlinux, a build tree, an installed version, a .deb or .rpm,
or apt:PACKAGE; a scenario may name them itself (kernel: in an arm or a factor).
--max-time is of all boots together. Interrupted or killed, --resume CAMPAIGN goes on
with the next boot; --resume CAMPAIGN --boots NUMBER boots each kernel more often than
was planned.

--budget 20m is for many arms: it measures coarse to fine. Arms that have their verdict at
one of the looks rest, and the time goes to those that are open (docs/statistics.md says
why that costs no certainty).

--only ARM,... measures these arms and the baseline; of a matrix a level that arms have
in common names them all (--only rps=on). --shard 2/3 measures the second third of the
arms, for three machines or three nights; netab compare RUN RUN RUN then lists the three
runs as one question. The part is always of the same arms, and spends its part of alpha.

A scenario may set sysctls of net.*, vm.* and kernel.sched*, but for some that can
harm the machine or weaken it. Any other it sets only if --allow-sysctl names it:
read a scenario that asks for one before you allow it.`,

		Example: `  netab run loopback-rps
  netab run --traffic TCP_RR --topology veth
  netab run --traffic TCP_STREAM --arm off --arm 'sink: knobs.device.lo.rps_cpus={sink}'
  netab run --traffic UDP_STREAM --vary traffic.message=64,1472 --print-scenario
  netab run loopback-rps --only sink
  netab run loopback-rps --shard 1/2
  netab run loopback-rps --budget 5m
  netab run loopback-rps --resolution 2% --max-time 30s --html report.html
  netab run my.yaml --set traffic.message=64 --set knobs.sysctl.net.core.netdev_budget=600
  netab run loopback-rps --max-time 2m --sessions 12 --spread 2h
  netab run loopback-rps --kernels apt:linux-image-6.1.0-57-cloud-amd64,~/src/linux --boots 6
  netab run --resume latest --max-time 5m
  netab run loopback-rps --gate        # exit status 1 on a regression, 3 if inconclusive`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.resume == "" {
				if len(args) == 0 && f.asked.any() {
					return nil
				}
				return exactly(1, "a scenario: a name from `netab list`, a file, - for standard input, or flags such as --traffic TCP_RR")(cmd, args)
			}
			if len(args) > 0 || f.asked.any() {
				return usage(fmt.Errorf("--resume goes on with what %s asks, so no scenario is named", f.resume))
			}
			return nil
		},
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.resume != "" {
				return f.goesOn(cmd)
			}
			return runScenario(cmd, strings.Join(args, ""), f)
		},
	}
	fl := cmd.Flags()
	f.asked.add(cmd)
	fl.StringArrayVar(&f.sets, "set", nil, "override `PATH=VALUE` of the scenario (repeatable)")
	f.allow.flags(cmd)
	fl.StringVar(&f.confidence, "confidence", "", "confidence of the intervals (`95%`)")
	fl.StringVar(&f.resolution, "resolution", "", "smallest relative change that matters (`1%`)")
	fl.StringVar(&f.width, "width", "", "relative half-width asked of a level, for scenarios of one arm (`5%`)")
	fl.StringVar(&f.maxTime, "max-time", "", "longest time to measure (`60s`)")
	fl.StringArrayVar(&f.only, "only", nil, onlyUsage)
	fl.StringVar(&f.shard, "shard", "", "measure `PART/PARTS` of the arms, such as 2/3, beside the baseline; netab compare joins the parts' runs")
	fl.StringVar(&f.budget, "budget", "", "measure for `DURATION` in all (20m), coarse to fine: arms that have their verdict rest, and the time goes to the others")
	cmd.MarkFlagsMutuallyExclusive("budget", "max-time")
	fl.IntVar(&f.sessions, "sessions", 0, "ask `NUMBER` times, each for its part of --max-time (1)")
	fl.StringVar(&f.spread, "spread", "", "spread the sessions over `DURATION` (2h)")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the random order (0 draws one; it is recorded)")
	fl.StringVar(&f.machine, "machine", "", machineUsage)
	htmlVar(fl, &f.html, "write the HTML report to `FILE` (default: report.html in the run's directory)")
	fl.BoolVar(&f.json, "json", false, "print one JSON document to stdout instead of the table")
	f.as.add(cmd, "json")
	fl.BoolVar(&f.gate, "gate", false, "exit 1 on a regression, 3 if a verdict is missing")
	fl.BoolVar(&f.bisect, "bisect", false, bisectUsage)
	fl.BoolVar(&f.dryRun, "dry-run", false, "print what would be done and do nothing")
	fl.BoolVar(&f.restore, "restore", false, "first put back what an earlier run left changed")
	fl.BoolVar(&f.quiet, "quiet", false, "print no progress and no table")
	fl.BoolVar(&f.noProgress, "no-progress", false, "print no progress")
	fl.StringVar(&f.kernels, "kernels", "", "boot each `KERNEL,...` in guests and compare them, the first with the others")
	fl.IntVar(&f.boots, "boots", 0, "boot each kernel `NUMBER` times (5)")
	fl.StringVar(&f.resume, "resume", "", "go on with a `RUN` (or latest) that was interrupted, cut off or too short")
	fl.BoolVar(&f.anotherBoot, "another-boot", false, "with --resume: go on though the machine was booted anew, each boot's part as one unit")
	fl.StringVar(&f.arch, "arch", "", "boot kernels of `ARCHITECTURE`: amd64, arm64 (this machine's)")
	fl.StringVar(&f.qemu, "qemu", "", "`PATH` of the QEMU that guests run in (the architecture's in $PATH)")
	fl.StringVar(&f.apt, "apt-config", "", "`FILE` or directory of sources or of apt's configuration, for kernels that are named apt:")
	fl.StringVar(&f.explain.Mode, "explain", question.ExplainMode(), "measure why, behind the verdict: `auto|on|off` (auto: where there is a difference; $NETAB_EXPLAIN is the default)")
	fl.DurationVar(&f.explain.Time, "explain-time", 0, "explain for `DURATION` (15s of auto, 60s of on)")
	fl.StringVar(&f.ofKernel, "of-kernel", "", "measure the arms of `KERNEL`, in its guest")
	fl.BoolVar(&f.record, "record", false, "measure for the whole time, and only record it")
	_ = fl.MarkHidden("of-kernel") // they exist
	_ = fl.MarkHidden("record")
	return cmd
}

// typed are the flags that say something of the scenario: first what it is of, then
// parts of it, then its arms, and how to measure them.
func (f runFlags) typed() []scenarios.Typed {
	parts, arms := f.asked.typed()
	out := append(parts, scenarios.Sets(f.sets)...)
	out = append(append(out, arms...), onlyTyped(f.only)...)
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	if f.budget != "" {
		out = append(out, scenarios.Typed{Flag: "--budget", Path: "measure.max_time", Text: f.budget}, scenarios.Typed{Flag: "--budget", Path: "measure.decided", Text: "rest"})
	}
	return append(out, given([]scenarios.Typed{
		{Flag: "--shard", Path: "shard", Text: f.shard},
		{Flag: "--confidence", Path: "measure.confidence", Text: f.confidence}, {Flag: "--resolution", Path: "measure.resolution", Text: f.resolution},
		{Flag: "--width", Path: "measure.width", Text: f.width}, {Flag: "--max-time", Path: "measure.max_time", Text: f.maxTime},
		{Flag: "--sessions", Path: "measure.sessions", Text: number(f.sessions)}, {Flag: "--spread", Path: "measure.spread", Text: f.spread},
		{Flag: "--boots", Path: "measure.boots", Text: number(f.boots)},
	})...)
}

// load reads the scenario as the flags have it.
func (f runFlags) load(cmd *cobra.Command, ref string) (*question.Question, error) {
	read := question.LoadTyped
	switch {
	case f.kernels != "":
		read = question.LoadForGuests
	case f.ofKernel != "":
		read = func(ref string, typed []scenarios.Typed) (*question.Question, error) {
			return question.LoadInGuest(ref, typed, f.ofKernel)
		}
	}
	q, err := read(ref, f.typed())
	if err == nil {
		q.Allowed, err = f.allow.check(q)
	}
	if err != nil {
		return nil, badScenario(cmd, err)
	}
	return q, nil
}

func runScenario(cmd *cobra.Command, ref string, f runFlags) (err error) {
	var a *question.Attempt
	if f.asked.print {
		return f.printScenario(cmd, ref)
	}
	if !f.dryRun {
		if a, err = question.Begin(storeFlag(cmd), ref); err != nil {
			return failed(err)
		}
		defer func() { noteFailure(a, err) }()
	}
	f.explain.Unasked = !cmd.Flags().Changed("explain") && !cmd.Flags().Changed("explain-time")
	if err := f.explain.Check(); err != nil {
		return usage(err)
	}
	q, err := f.load(cmd, ref)
	if err != nil {
		return err
	}
	if err := a.Of(q.Name); err != nil {
		return failed(err)
	}
	if f.kernels != "" || q.NamesKernels() {
		if !f.explain.Unasked && f.explain.Mode != "off" {
			return usage(errors.New("--explain is of runs on this machine: guests' times are not hardware's (netab count says in which functions kernels differ)"))
		}
		return f.campaign(cmd, q)
	}
	if f.arch != "" {
		return usage(errors.New("--arch is of guests, and no kernels are named that they would boot: see --kernels"))
	}
	if needsUserNamespace() {
		return reexecInUserNamespace(q.Stdin())
	}
	if f.dryRun {
		return dryRun(cmd, q, f)
	}
	s, err := claimMachine(cmd.Context(), f.restore, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer s.close()
	here, err := s.here(storeFlag(cmd), f.machine, f.seed)
	if err != nil {
		return failed(err)
	}
	run, o, err := f.ask(cmd, q, s, here)
	if run == nil || f.record {
		return failed(err)
	}
	return errors.Join(failed(err), show(cmd, f, o.Store, run, err))
}

// ask has a question measured. The machine is claimed.
func (f runFlags) ask(cmd *cobra.Command, q *question.Question, s *claimed, here question.Here) (*results.Run, runner.Options, error) {
	progress := newProgress(cmd.ErrOrStderr(), q, f.quiet || f.noProgress)
	here.Looked = progress.update
	here.Leave = func(ctx context.Context, until time.Time) error {
		progress.wait(until)
		return s.leave(ctx, until, waiting(cmd, f.quiet))
	}
	o, err := q.Options(here)
	if err != nil {
		return nil, o, err
	}
	if o.Header.Warnings, err = runner.Check(o.Header.Machine); err != nil {
		return nil, o, err
	}
	o.Header.Warnings = append(o.Header.Warnings, q.OtherCongestion(&o.Header.Machine)...)
	o.Planned = func(p *runner.Preview) {
		for _, note := range p.Notes {
			writeln(cmd.ErrOrStderr(), "note:", note)
		}
		if text := plan.New(q, o, p).TooShort(); text != "" && !f.quiet && o.Resume == nil {
			progress.close() // it goes on in a line of its own
			writeln(cmd.ErrOrStderr(), "netab:", text)
		}
		progress.begin(p)
	}
	if f.record { // a boot's part of a campaign, which is judged, and its time is over, with the others'
		question.WholeTime(&o)
	} else {
		f.explain.Ask(&o)
	}
	if here.Resume != nil {
		if err := f.goOn(&o, here.Resume, here.Mark); err != nil {
			return nil, o, err
		}
		defer o.Resume.Writer.Close()
	}
	o.Explained = progress.explaining
	progress.tryOut(len(q.Arms))
	run, err := question.Ask(cmd.Context(), o)
	progress.close()
	return run, o, err
}

// dryRun prints the plan. Planning tries each arm's settings in throw-away
// namespaces and changes nothing of the machine.
func dryRun(cmd *cobra.Command, q *question.Question, f runFlags) error {
	here, err := look(cmd.ErrOrStderr()).here(storeFlag(cmd), f.machine, f.seed)
	if err != nil {
		return failed(err)
	}
	o, err := q.Options(here)
	if err != nil {
		return failed(err)
	}
	preview, err := runner.Plan(cmd.Context(), o)
	if err != nil {
		return failed(err)
	}
	p := plan.New(q, o, preview)
	p.Foretell(calibrationsOf(cmd, o.Store, &o.Header.Machine))
	out := cmd.OutOrStdout()
	if f.json {
		return failed(writeJSON(out, p, ""))
	}
	p.Print(printer(out), widthOf(out))
	return nil
}

// print writes what was measured as the flags have it, and where it is kept: under which
// id, and its report, unless that could not be written.
func (f runFlags) print(cmd *cobra.Command, s analysis.Summary, what, id, page string, unwritten error) error {
	out, as := cmd.OutOrStdout(), f.as.or(wanted{"json", f.json})
	if as == "text" && f.quiet {
		return failed(unwritten)
	}
	if err := writePage(out, report.Summary(s), as); err != nil {
		return failed(err)
	}
	if as == "text" {
		writef(out, "\n%-7s %s\n", what, id)
		if unwritten == nil {
			writef(out, "%-*s %s\n", max(7, len(what)), "report", page)
		}
	}
	return failed(unwritten)
}

// show judges the run and prints it; measured says whether it ended well.
func show(cmd *cobra.Command, f runFlags, store string, run *results.Run, measured error) error {
	summary := analysis.Summarize(run)
	if !f.bisect { // which asks of builds, and their answers are to differ
		question.Remember(store, true, run, &summary)
	}
	// A report that cannot be written is no reason to show nothing.
	page, unwritten := writeReport(f.html, store, run, summary)
	if err := f.print(cmd, summary, "run", run.Header.ID, page, unwritten); err != nil {
		return err
	}
	if measured == nil && run.End != nil && run.End.Reason == vocab.Interrupted {
		return &statusError{exitFailed, fmt.Errorf("interrupted: what was measured so far is kept and shown; go on with netab run --resume %s", run.Header.ID)}
	}
	if measured == nil && summary.Trials == 0 {
		return &statusError{exitFailed, errors.New("no valid trial was measured: see the warnings")}
	}
	if f.gate || f.bisect {
		g := gateFlags{bisect: f.bisect, quiet: true} // the verdicts are printed already
		return g.judge(cmd, summary, ownOrigin(run.Header.Source))
	}
	return nil
}
