package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netab/analysis"
	"netab/analysis/confounder"
	"netab/analysis/prose"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/vocab"
	"netab/runner"
	"netab/scenarios"
)

// goesOn goes on with a run that ended before its time, or with a campaign.
func (f runFlags) goesOn(cmd *cobra.Command) error {
	p, err := newPicker(cmd)
	if err != nil {
		return failed(err)
	}
	path, err := p.find(f.resume, "")
	if err != nil {
		return failed(err)
	}
	if results.IsCampaign(path) {
		return f.resumeCampaign(cmd, path)
	}
	return f.resumeRun(cmd, path)
}

// ofResume are the flags that a run which goes on may have: what else there is would
// make another question of it.
var ofResume = []string{"resume", "another-boot", "max-time", "allow-sysctl", "machine", "html", "json", "format", "gate", "bisect", "dry-run", "restore", "quiet",
	"no-progress", "explain", "explain-time", "store", "no-color", "color"}

func (f runFlags) resumeRun(cmd *cobra.Command, path string) error {
	var other []string
	cmd.Flags().Visit(func(fl *pflag.Flag) {
		if !slices.Contains(ofResume, fl.Name) {
			other = append(other, "--"+fl.Name)
		}
	})
	if len(other) > 0 {
		return usage(fmt.Errorf("%s would make another question of run %s: with --resume leave it off, or begin a new run", strings.Join(other, " and "), f.resume))
	}
	if err := f.explain.Check(); err != nil {
		return usage(err)
	}
	run, err := results.ReadFile(path)
	if err != nil {
		return failed(err)
	}
	q, mark, err := f.resumable(cmd, run)
	if err != nil {
		return err
	}
	if needsUserNamespace() {
		return reexecInUserNamespace(os.Stdin)
	}
	if f.dryRun {
		writef(cmd.OutOrStdout(), "run %s goes on after %s, for %s of the %s that it measures in all:\n\n", run.Header.ID, prose.Counted(len(run.Trials), "trial"),
			prose.Seconds(mark.MaxTimeS-mark.ElapsedS), prose.Seconds(mark.MaxTimeS))
		f.seed = run.Header.Seed
		return dryRun(cmd, q, f)
	}
	s, err := claimMachine(cmd.Context(), f.restore, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer s.close()
	here, err := s.here(storeFlag(cmd), cmp.Or(f.machine, run.Header.Machine.Name), 0)
	if err != nil {
		return failed(err)
	}
	here.Resume, here.Mark, f.goesOnIn = run, mark, path
	again, o, err := f.ask(cmd, q, s, here)
	if again == nil {
		if errors.As(err, new(*otherwise)) {
			return &statusError{exitNotComparable, err}
		}
		return failed(err)
	}
	return errors.Join(failed(err), show(cmd, f, o.Store, again, err))
}

// An otherwise is why what is measured here and now is not of the run.
type otherwise struct{ error }

// resumable is the question of a run, with the time that it has, and what its record
// will say.
func (f runFlags) resumable(cmd *cobra.Command, run *results.Run) (*question.Question, results.Resumption, error) {
	none := results.Resumption{}
	cannot := func(kind func(error) error, why error) (*question.Question, results.Resumption, error) {
		return nil, none, kind(fmt.Errorf("run %s cannot go on: %w", run.Header.ID, why))
	}
	notHere := func(err error) error { return &statusError{exitNotComparable, err} }
	if results.IsBoot(run.Header.ID) {
		return cannot(usage, errors.New("it is of a campaign: go on with that"))
	}
	for _, w := range run.ReadWarnings {
		if slices.Contains([]vocab.Code{results.TrialsDiffer, results.EndsDiffer, results.TrialsMissing, results.TrialsAfterEnd}, w.Code) {
			return cannot(failed, fmt.Errorf("its file is not what a run writes: %s", w.Text))
		}
	}
	var total time.Duration
	if f.maxTime != "" {
		q, err := question.RecordedHere(run.Header.Source, run.Header.Scenario)
		if err != nil {
			return cannot(failed, err)
		}
		longer, err := scenarios.Override(q.Scenario, "measure.max_time="+f.maxTime)
		if err != nil {
			return nil, none, badScenario(cmd, err)
		}
		total = time.Duration(longer.Measure.MaxTime)
	}
	mark, err := analysis.GoesOn(run, total)
	if err != nil {
		return cannot(usage, err)
	}
	m, err := readMachine(cmp.Or(f.machine, run.Header.Machine.Name))
	if err != nil {
		return nil, none, failed(err)
	}
	mark.BootID, mark.Command = m.BootID, os.Args
	if err := f.sameMachine(run, &m); err != nil {
		return cannot(notHere, err)
	}
	q, err := question.RecordedHere(run.Header.Source, run.Header.Scenario)
	if err != nil {
		return cannot(failed, fmt.Errorf("its scenario: %w", err))
	}
	if q.Allowed, err = f.allow.check(q); err != nil {
		return nil, none, badScenario(cmd, err)
	}
	return q.Lasting(time.Duration(mark.MaxTimeS * float64(time.Second))), mark, nil
}

// sameMachine says why trials from here on would not be comparable with those of a run.
func (f runFlags) sameMachine(run *results.Run, m *results.Machine) error {
	if err := question.CheckMachine(run, m); err != nil {
		return err
	}
	was, is := run.Header.Netab, build()
	if was.Version != is.Version || was.Revision != is.Revision || was.Modified != is.Modified || was.Semantics != is.Semantics {
		return fmt.Errorf("netab %s measured it, and this is %s: what two versions measure is not of one run", called(was), called(is))
	}
	last := run.Header.Machine.BootID
	if x := run.LastResumed(); x != nil {
		last = x.BootID
	}
	if last != m.BootID && !f.anotherBoot {
		return fmt.Errorf("the machine was booted anew since (boot %.8s, now %.8s), and a boot draws anew where things lie in memory, hash seeds and which CPU serves which interrupt: begin a new run, or take each boot's part as one unit with --another-boot, by which only large changes are decided", last, m.BootID)
	}
	return nil
}

// called is a build in words.
func called(b results.Build) string {
	text := strings.TrimSpace(b.Version + " " + b.Revision)
	if b.Modified {
		text += " (modified)"
	}
	return text
}

// goOn makes the options those of a run that goes on.
func (f runFlags) goOn(o *runner.Options, run *results.Run, mark results.Resumption) error {
	w, now, err := results.Resume(f.goesOnIn)
	if err != nil {
		return err
	}
	if len(now.Trials) != len(run.Trials) || len(now.Resumed) != len(run.Resumed) {
		_ = w.Close()
		return fmt.Errorf("run %s has gone on meanwhile: try again", run.Header.ID)
	}
	o.Resume = &runner.Resume{Run: run, Writer: w, Mark: mark, Same: func(h *results.Header) error {
		var differ []string
		for _, c := range confounder.Between(&results.Run{Header: run.Header}, &results.Run{Header: *h}, []string{"hostname"}) {
			if !c.Declared {
				differ = append(differ, fmt.Sprintf("%s (%s, now %s)", c.Name, cmp.Or(c.A, "none"), cmp.Or(c.B, "none")))
			}
		}
		if len(differ) > 0 {
			return &otherwise{fmt.Errorf("run %s cannot go on: what it measured and what would be measured now differ in %s", run.Header.ID, strings.Join(differ, "; "))}
		}
		return nil
	}}
	return nil
}
