package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/runner"
)

func newExplain() *cobra.Command {
	f := runFlags{explain: question.Explanation{Mode: "on"}}
	cmd := &cobra.Command{
		Use:   "explain RUN",
		Short: "Measure why the arms of a run differ, on the same machine",
		Long: `Measure why the arms of a run differ: more trials of the same scenario on the same
machine and kernel, with instruments that say whose time each CPU's is, and in which
context (docs/explain.md). They are added to the run's file and count in no verdict.
netab run --explain=auto|on does the same behind a run's verdict.

It takes root, or CAP_BPF and CAP_PERFMON; netab doctor says whether it works here.`,
		Example: `  netab explain latest
  netab explain 20261130-094603-loopback-rps-88c7 --explain-time 2m`,
		Args: exactly(1, "a run: its id, a path, or latest"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.explain.Check(); err != nil {
				return usage(err)
			}
			return f.explainRun(cmd, args[0])
		},
	}
	fl := cmd.Flags()
	fl.DurationVar(&f.explain.Time, "explain-time", 0, "explain for `DURATION` (60s)")
	f.allow.flags(cmd)
	fl.StringVar(&f.machine, "machine", "", machineUsage)
	htmlVar(fl, &f.html, "write the HTML report to `FILE` (default: report.html in the run's directory)")
	fl.BoolVar(&f.json, "json", false, "print one JSON document to stdout instead of the table")
	f.as.add(cmd, "json")
	fl.BoolVar(&f.restore, "restore", false, "first put back what an earlier run left changed")
	fl.BoolVar(&f.quiet, "quiet", false, "print no progress and no table")
	fl.BoolVar(&f.noProgress, "no-progress", false, "print no progress")
	return cmd
}

func (f runFlags) explainRun(cmd *cobra.Command, ref string) error {
	p, err := newPicker(cmd)
	if err != nil {
		return failed(err)
	}
	path, err := p.find(ref, "")
	if err != nil {
		return failed(err)
	}
	if results.IsCampaign(path) {
		return usage(errors.New("a campaign of kernels is not explained: explain a run of one kernel, in it"))
	}
	run, err := p.open(ref, path)
	if err != nil {
		return failed(err)
	}
	other := func(why error) error {
		return &statusError{exitNotComparable, fmt.Errorf("run %s cannot be explained here: %w", run.Header.ID, why)}
	}
	m, err := readMachine(f.machine)
	if err != nil {
		return failed(err)
	}
	if err := question.CheckMachine(run, &m); err != nil {
		return other(err)
	}
	q, err := question.RecordedHere(run.Header.Source, run.Header.Scenario)
	if err != nil {
		return failed(fmt.Errorf("run %s: its scenario: %w", run.Header.ID, err))
	}
	if q.Allowed, err = f.allow.check(q); err != nil {
		return badScenario(cmd, err)
	}
	if needsUserNamespace() {
		return failed(errors.New("netab explain takes root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, of the machine and not of a user namespace"))
	}
	s, err := claimMachine(cmd.Context(), f.restore, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer s.close()
	here, err := s.here(storeFlag(cmd), f.machine, 0)
	if err != nil {
		return failed(err)
	}
	o, err := q.Options(here)
	if err != nil {
		return failed(err)
	}
	if err := question.CheckArms(run, &o); err != nil {
		return other(err)
	}
	return f.measureWhy(cmd, q, o, run, path)
}

// measureWhy adds explain trials to a run, and shows it.
func (f runFlags) measureWhy(cmd *cobra.Command, q *question.Question, o runner.Options, run *results.Run, path string) error {
	about := f.explain.About(run)
	if about == nil {
		return failed(errors.New("the run has no valid trial: there is nothing to explain"))
	}
	w, err := results.Continue(path)
	if err != nil {
		return failed(err)
	}
	defer w.Close()
	progress := newProgress(cmd.ErrOrStderr(), q, f.quiet || f.noProgress)
	o.Explained = progress.explaining
	err = runner.Explain(cmd.Context(), o, run, about, func(x results.Explain) error {
		if err := w.AppendExplain(x); err != nil {
			return err
		}
		run.Explains = append(run.Explains, x)
		return nil
	})
	progress.close()
	if err != nil {
		return failed(err)
	}
	summary := analysis.Summarize(run)
	page, unwritten := writeReport(f.html, storeFlag(cmd), run, summary)
	return f.print(cmd, summary, "run", run.Header.ID, page, unwritten)
}
