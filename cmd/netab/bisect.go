package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis/counts"
	"netab/analysis/culprit"
	"netab/analysis/report"
	"netab/analysis/report/html"
	"netab/cmd/netab/bisection"
	"netab/cmd/netab/counting"
	"netab/cmd/netab/kernels"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
	"netab/runner/guest/kernel"
	"netab/scenarios"
)

// bisectFlags are the flags of netab bisect.
type bisectFlags struct {
	sets                            []string
	allow                           allowance
	repo, good, bad, build, config  string
	kernels, arm, metric, atLeast   string
	mode                            string
	each                            time.Duration
	tests                           int
	resume, show                    string
	qemu, apt, html                 string
	restore, json, markdown, silent bool
	as                              format
}

const (
	bisectFlagsDefaultEach = 6 * time.Second

	modeAuto = "auto"
)

func newBisect() *cobra.Command {
	var f bisectFlags
	cmd := &cobra.Command{
		Use:   "bisect NAME|FILE",
		Short: "Find the commit, or the kernel of a list, that made a scenario dearer",
		Long: `Find the commit of a kernel's git tree, or the kernel of a list, at which the cost of
a scenario's traffic moved. Kernels are booted in guests (docs/kernels.md), in which
netab measures; nothing of this machine is changed.

All that is measured goes into one posterior over the changes, and the next test is
where it says most: a small effect takes more tests, not a wrong answer. What comes out
is compared with its predecessor afresh, and may be "not confirmed", a difference that
came in several steps, or no change at all. Commits that touch the network path are
likelier beforehand; those that come to the same code are measured once; those that do
not build or boot are skipped.

Commits are taken along first parents, so a merge is one. They are built in a clone
that borrows the repository's objects: the repository itself is left alone. What was
done is kept after every step, and --resume goes on after any end.`,
		Example: `  netab bisect udp-64 --repo ~/linux --good v6.11 --bad v6.12 --config .config --build 'make -j$(nproc) bzImage'
  netab bisect loopback-rps --kernels apt:linux-image-6.1.0-50-cloud-amd64,apt:linux-image-6.1.0-52-cloud-amd64,apt:linux-image-6.1.0-57-cloud-amd64
  netab bisect --resume latest`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeScenario,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.repo, "repo", "", "git repository in `DIR` whose commits are searched")
	fl.StringVar(&f.good, "good", "", "`REV` that is known to be good")
	fl.StringVar(&f.bad, "bad", "", "later `REV` that is known to be bad")
	fl.StringVar(&f.build, "build", "make -j$(nproc) bzImage", "`COMMAND` that builds a kernel, run by sh in the tree")
	fl.StringVar(&f.config, "config", "", "`FILE` with the kernels' configuration; make olddefconfig fits it to each")
	fl.StringVar(&f.kernels, "kernels", "", "in place of commits, a list of `KERNELS` in their order, separated by commas: the first is good, the last bad")
	fl.StringVar(&f.arm, "arm", "", "`NAME` of the arm whose cost it is (default: the baseline)")
	fl.StringVar(&f.metric, "metric", "", "`METRIC` whose cost it is, in time (default: the scenario's first)")
	fl.StringVar(&f.mode, "mode", modeAuto, "`HOW` cost is told: count (instructions, which have no noise), time, or auto: count where the scenario can be counted and the ends differ in it, else time")
	fl.StringVar(&f.atLeast, "at-least", "0.5%", "smallest change of the cost that matters")
	fl.DurationVar(&f.each, "each", bisectFlagsDefaultEach, "how long each boot measures")
	fl.IntVar(&f.tests, "tests", 400, "`NUMBER` of boots at most")
	fl.StringVar(&f.resume, "resume", "", "go on with the `BISECTION` of this id (or latest)")
	fl.StringVar(&f.show, "show", "", "measure nothing, show the `BISECTION` of this id (or latest)")
	fl.StringVar(&f.qemu, "qemu", "", "QEMU `PROGRAM` (default: of $PATH)")
	fl.StringVar(&f.apt, "apt-config", "", "configuration `FILE` of apt, for kernels that it fetches")
	fl.StringArrayVar(&f.sets, "set", nil, "override `PATH=VALUE` of the scenario (repeatable)")
	f.allow.flags(cmd)
	fl.BoolVar(&f.restore, "restore", false, "first put back what an earlier run left changed")
	htmlVar(fl, &f.html, "write the report to `FILE` (default: beside the record)")
	fl.BoolVar(&f.json, "json", false, "print one JSON document to stdout")
	fl.BoolVar(&f.markdown, "markdown", false, "print a page in Markdown to stdout")
	fl.BoolVar(&f.silent, "no-progress", false, "print no progress")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	cmd.MarkFlagsMutuallyExclusive("resume", "show")
	f.as.add(cmd, "json", "markdown")
	return cmd
}

func (f *bisectFlags) run(cmd *cobra.Command, args []string) error {
	store, err := results.Open(storeFlag(cmd))
	if err != nil {
		return failed(err)
	}
	if again := f.resume + f.show; again != "" {
		if len(args) > 0 || f.repo+f.kernels != "" {
			return usage(errors.New("--resume and --show know the scenario and the changes: name none"))
		}
		path, err := store.Bisection(again)
		if err != nil {
			return failed(err)
		}
		if f.show != "" {
			b, err := results.ReadBisection(path)
			if err != nil {
				return failed(err)
			}
			return f.print(cmd, b)
		}
		return f.goOn(cmd, func() (*results.BisectionWriter, *results.Bisection, error) { return results.ResumeBisection(path) }, nil)
	}
	if len(args) != 1 {
		return usage(fmt.Errorf("%s wants a scenario; see %s --help", cmd.CommandPath(), cmd.CommandPath()))
	}
	return f.begin(cmd, store, args[0])
}

func (f *bisectFlags) begin(cmd *cobra.Command, store *results.Store, ref string) error {
	h, err := f.header(cmd, ref)
	if err != nil {
		return err
	}
	return f.goOn(cmd, func() (*results.BisectionWriter, *results.Bisection, error) {
		id := results.NewID(h.Name, h.Started, question.NewSeed())
		w, err := results.CreateBisection(store.BisectionStore(), id, h)
		if err != nil {
			return nil, nil, err
		}
		b, err := results.ReadBisection(w.Dir())
		return w, b, err
	}, func() error {
		timed := *f
		timed.mode = results.ModeTime
		return timed.begin(cmd, store, ref)
	})
}

// header lays a bisection out.
func (f *bisectFlags) header(cmd *cobra.Command, ref string) (h results.BisectionHeader, err error) {
	switch {
	case (f.repo == "") == (f.kernels == ""):
		return h, usage(errors.New("name what to search: --repo with --good and --bad, or --kernels"))
	case f.repo != "" && (f.good == "" || f.bad == ""):
		return h, usage(errors.New("--repo wants both --good and --bad"))
	case f.each < time.Second:
		return h, usage(fmt.Errorf("--each %v is less than a second, in which a boot measures nothing", f.each))
	case f.mode != modeAuto && f.mode != results.ModeCount && f.mode != results.ModeTime:
		return h, usage(fmt.Errorf("--mode %s: want auto, count or time", f.mode))
	case f.tests < 4:
		return h, usage(fmt.Errorf("--tests %d are too few to compare the ends", f.tests))
	}
	least, err := scenarios.ParseFraction(f.atLeast)
	if err != nil || least <= 0 {
		return h, usage(fmt.Errorf("--at-least %s is no share such as 0.5%%", f.atLeast))
	}
	h = results.BisectionHeader{Mode: f.mode, AtLeast: float64(least), Most: f.tests, Repo: f.repo, Netab: build(), Command: os.Args, Started: time.Now().UTC()}
	if h.Mode == modeAuto {
		h.Mode = results.ModeCount
		if why := f.ask(cmd, ref, &h); why != nil {
			writef(cmd.ErrOrStderr(), "netab: costs are times: %v\n", why)
			h.Mode = results.ModeTime
			err = f.ask(cmd, ref, &h)
		}
	} else {
		err = f.ask(cmd, ref, &h)
	}
	if err != nil {
		return h, badScenario(cmd, err)
	}
	if f.kernels != "" {
		h.Changes, err = bisection.Kernels(kernel.Split(f.kernels))
		return h, usage(err)
	}
	if h.Repo, err = filepath.Abs(f.repo); err != nil {
		return h, failed(err)
	}
	h.Build = f.build
	if f.config != "" {
		text, err := disk.Read(f.config, 4<<20)
		if err != nil {
			return h, failed(err)
		}
		h.Config = string(text)
	}
	if h.Changes, err = bisection.Commits(cmd.Context(), h.Repo, f.good, f.bad); err != nil {
		return h, usage(err)
	}
	bisection.Weigh(h.Changes, bisection.NetPaths)
	return h, nil
}

// ask reads the scenario for a mode.
func (f *bisectFlags) ask(cmd *cobra.Command, ref string, h *results.BisectionHeader) (err error) {
	var q *question.Question
	if h.Mode == results.ModeCount {
		q, err = counting.Load(ref, append(slices.Clone(f.sets), "measure.boots=1"), 1)
	} else {
		q, err = question.LoadForGuests(ref, append(scenarios.Sets(append(slices.Clone(f.sets), "measure.boots=1")),
			scenarios.Typed{Flag: "--each", Path: "measure.max_time", Text: f.each.String()}))
	}
	if err != nil {
		return err
	}
	if q.Allowed, err = f.allow.check(q); err != nil {
		return err
	}
	h.Source, h.Name = q.Source, q.Name
	if h.Scenario, err = json.Marshal(q.Scenario); err != nil {
		return err
	}
	if h.Arm, h.Metric, err = f.subject(q); err != nil {
		return usage(err)
	}
	if h.Mode == results.ModeTime {
		h.Unit, err = bisection.TimedUnit(h.Metric)
		return err
	}
	c, err := counting.New(cmd.Context(), q, counting.Options{QEMU: f.qemu, Arm: h.Arm})
	if err != nil {
		return err
	}
	h.Metric, h.Unit = "instructions", "instructions a "+c.Identity().Unit
	return nil
}

// subject is the arm and the metric whose cost it is.
func (f *bisectFlags) subject(q *question.Question) (arm, metric string, err error) {
	d := q.Design()
	arm, metric = f.arm, f.metric
	if arm == "" {
		if arm = q.BaselineArm(q.Arms); d.ArmAt(arm) < 0 { // one alone is no baseline
			arm = d.Arms[0].Name
		}
	}
	if d.ArmAt(arm) < 0 {
		var names []string
		for _, a := range d.Arms {
			names = append(names, a.Name)
		}
		return "", "", fmt.Errorf("%s has no arm %s: it has %s", q.Name, strconv.Quote(arm), strings.Join(names, ", "))
	}
	if metric == "" {
		metric = d.Metrics[0]
	}
	return arm, metric, nil
}

// goOn goes on with a bisection. again does it once more, by time, where instructions tell
// nothing; nil = it does not.
func (f *bisectFlags) goOn(cmd *cobra.Command, open func() (*results.BisectionWriter, *results.Bisection, error), again func() error) error {
	working.Add(1) // what was done is to be kept
	defer working.Add(-1)
	w, b, err := open()
	if err != nil {
		return failed(err)
	}
	defer w.Close()
	// Only to measure time takes the machine, and only while it does: others may measure
	// while a kernel is built, and a guest that counts is disturbed by nobody (netab count).
	if f.restore || b.Header.Mode == results.ModeTime {
		s, err := claimMachine(cmd.Context(), f.restore, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		s.close()
	}
	run, err := f.bisection(cmd, w, b)
	if err != nil {
		return failed(err)
	}
	answer, failedBy := run.Run(cmd.Context())
	if failedBy == nil && answer != nil && answer.Outcome == culprit.NoChange && b.Header.Mode == results.ModeCount && f.mode == modeAuto && again != nil {
		writef(cmd.ErrOrStderr(), "netab: the ends do not differ in instructions; costs are times now\n")
		return again()
	}
	if failedBy != nil {
		failedBy = fmt.Errorf("%w (what was done is kept: netab bisect --resume %s)", failedBy, b.Header.ID)
	}
	whole, err := results.ReadBisection(w.Dir())
	if err != nil {
		return failed(cmp.Or(failedBy, err))
	}
	if err := f.print(cmd, whole); err != nil {
		return cmp.Or(failed(failedBy), err)
	}
	if cmd.Context().Err() != nil {
		return &statusError{exitFailed, fmt.Errorf("interrupted: what was done so far is kept; go on with netab bisect --resume %s", whole.Header.ID)}
	}
	return failed(failedBy)
}

func (f *bisectFlags) bisection(cmd *cobra.Command, w *results.BisectionWriter, b *results.Bisection) (*bisection.Bisection, error) {
	h := &b.Header
	q, err := question.Recorded(h.Source, h.Scenario)
	if err != nil {
		return nil, fmt.Errorf("bisection %s: its scenario: %w", h.ID, err)
	}
	if q.Allowed, err = f.allow.check(q); err != nil {
		return nil, err
	}
	log := cmd.ErrOrStderr()
	if f.silent {
		log = io.Discard
	}
	o := kernels.Options{QEMU: f.qemu, Apt: f.apt, Log: log}
	of := kernel.Options{Apt: f.apt, Log: log}
	run := &bisection.Bisection{Record: b, Writer: w, Printf: func(format string, args ...any) { writef(log, format, args...) },
		Tester: &bisection.Timed{Question: q, Arm: h.Arm, Metric: h.Metric, Options: o, Runs: filepath.Join(w.Dir(), "runs"),
			Claim: func() (func(), error) {
				s, err := awaitMachine(cmd.Context(), log)
				if err != nil {
					return nil, err
				}
				return s.close, nil
			}}}
	if h.Mode == results.ModeCount {
		co := counting.Options{QEMU: f.qemu, Arm: h.Arm, Log: log}
		counter, err := counting.New(cmd.Context(), q, co)
		if err != nil {
			return nil, err
		}
		run.Tester = &bisection.Counted{Counter: counter, Arm: h.Arm, Options: of, Question: q, Logged: co}
	}
	if h.Repo == "" {
		list := &bisection.List{Options: of}
		for _, c := range h.Changes {
			list.Refs = append(list.Refs, c.ID)
		}
		run.Source = list
	} else {
		run.Source = &bisection.Tree{Repo: h.Repo, Build: h.Build, Config: h.Config, Dir: w.Dir(), Changes: h.Changes, Keep: bisection.KeepKernel(of)}
	}
	writef(log, "bisection %s: %d changes, %s of %s\n", h.ID, len(h.Changes)-1, h.Unit, h.Arm)
	return run, nil
}

// print shows a bisection, and writes its report beside it.
func (f *bisectFlags) print(cmd *cobra.Command, b *results.Bisection) error {
	view := report.BisectionOf(b)
	if c, err := results.ReadCount(b.Dir, bisection.FunctionsID); err == nil {
		view.Functions = counts.Summarize(c)
	}
	out := cmd.OutOrStdout()
	if err := writePage(out, view.View(), f.as.or(wanted{"json", f.json}, wanted{"markdown", f.markdown})); err != nil {
		return failed(err)
	}
	file := f.html
	if file == "" {
		file = filepath.Join(b.Dir, "report.html")
	}
	if len(view.Levels) > 0 {
		if err := disk.Write(file, func(w io.Writer) error { return html.Bisection(w, view) }); err != nil {
			return failed(err)
		}
		writef(cmd.ErrOrStderr(), "report  %s\n", file)
	}
	if a := view.Answer; a != nil && (a.Outcome == culprit.NotConfirmed || a.Outcome == culprit.OutOfTests) {
		return &statusError{exitInconclusive, errors.New("no change was confirmed")}
	}
	return nil
}
