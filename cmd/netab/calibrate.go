package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis/calibration"
	"netab/analysis/report/html"
	"netab/cmd/netab/experiment"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
	"netab/scenarios"
)

// calibrateFlags are the flags of netab calibrate.
type calibrateFlags struct {
	allow                 allowance
	sets, slowdowns       []string
	runs, injected, whole int
	resolution, maxTime   string
	spread                time.Duration
	seed                  uint64
	show, json, markdown  bool
	restore, noProgress   bool
	html, machine         string
	as                    format
}

// calibrateDefault is what is calibrated where nothing is named.
const calibrateDefault = "slowdown"

func newCalibrate() *cobra.Command {
	var f calibrateFlags
	cmd := &cobra.Command{
		Use:   "calibrate [NAME|FILE|-]",
		Short: "Measure how sure this machine can be, and how soon",
		Long: `Measure one configuration against itself in many short runs, and against itself
slowed down by known shares: the source spins for so much of its time, which is
measured in the same slices. That tells how often a verdict on this machine is
wrong, from which slowdown on one is found and how soon, and what the scatter
comes from: blocks, trials, runs, and boots if there were several.

The configuration is the scenario's baseline arm; its source should be the limit
(the default scenario's is). Runs of all kinds come in random order. Some
samples of whole trials follow, measured as other tools do: fresh processes for
each, the two configurations in turn.

Run after run in a quarter of an hour tells of that quarter of an hour. --spread 6h
measures at random times within six hours, with the machine free in between: the
scatter of runs is then that of sessions, which compare takes in preference.

What was learned is kept in the store: netab run --dry-run says from it how long
a question will take, and netab compare uses the scatter of runs and boots where
there are too few of them to know it. Calibrate again after a reboot: the boots'
scatter needs two of them at least. The exit status is 5 if more verdicts are
false than chance explains.`,
		Example: `  netab calibrate                        # some 15 minutes of a quiet machine
  netab calibrate loopback-rps --runs 10 --injected 0 --whole 0
  netab calibrate same --runs 60 --injected 0 --whole 0 --resolution 3% --max-time 30s
  netab calibrate loopback-rps --runs 24 --injected 0 --whole 0 --spread 6h
  netab calibrate - <scenario.yaml
  netab calibrate --show --html calibration.html`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			ref := calibrateDefault
			if len(args) > 0 {
				ref = args[0]
			}
			return f.run(cmd, ref, len(args) > 0)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.sets, "set", nil, "override `PATH=VALUE` of the scenario (repeatable)")
	f.allow.flags(cmd)
	fl.IntVar(&f.runs, "runs", 20, "`NUMBER` of runs of the configuration against itself")
	fl.IntVar(&f.injected, "injected", 8, "`NUMBER` of runs for each slowdown")
	fl.StringSliceVar(&f.slowdowns, "slowdown", []string{"1%", "2%", "3%", "5%"}, "`SHARES` of its time that the source is slowed down by")
	fl.IntVar(&f.whole, "whole", 12, "`NUMBER` of samples of each configuration by whole trials, to hold slices against")
	fl.StringVar(&f.resolution, "resolution", "1%", "smallest relative change that matters in each run")
	fl.StringVar(&f.maxTime, "max-time", "15s", "longest time of each run")
	fl.DurationVar(&f.spread, "spread", 0, "spread the runs over `DURATION`, at random times: what then scatters from run to run is what sessions do")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the order and of each run (0 draws one; it is recorded)")
	fl.BoolVar(&f.show, "show", false, "measure nothing, show the last calibration of this store")
	fl.BoolVar(&f.json, "json", false, "print one JSON document to stdout instead of the tables")
	fl.BoolVar(&f.markdown, "markdown", false, "print a page in Markdown to stdout instead of the tables")
	fl.StringVar(&f.machine, "machine", "", machineUsage)
	htmlVar(fl, &f.html, "also write an HTML page to `FILE`")
	fl.BoolVar(&f.restore, "restore", false, "first put back what an earlier run left changed")
	fl.BoolVar(&f.noProgress, "no-progress", false, "print no progress")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	f.as.add(cmd, "json", "markdown")
	return cmd
}

func (f *calibrateFlags) run(cmd *cobra.Command, ref string, named bool) error {
	store, err := results.Open(storeFlag(cmd))
	if err != nil {
		return failed(err)
	}
	if f.show {
		return f.showLast(cmd, store, ref, named)
	}
	e, q, err := f.layOut(ref)
	if err != nil {
		return badScenario(cmd, err)
	}
	if needsUserNamespace() {
		return reexecInUserNamespace(q.Stdin())
	}
	s, err := claimMachine(cmd.Context(), f.restore, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer s.close()
	out := waiting(cmd, f.noProgress)
	c, err := e.Run(cmd.Context(), experiment.Surroundings{
		Store:  store,
		Here:   func() (question.Here, error) { return s.here("", f.machine, 0) },
		Leave:  func(ctx context.Context, until time.Time) error { return s.leave(ctx, until, out) },
		Printf: printer(out),
	})
	if len(c.Runs) == 0 {
		return failed(cmp.Or(err, errors.New("nothing was measured: --runs and --injected are 0")))
	}
	return errors.Join(f.print(cmd, c), failed(err))
}

// layOut makes the experiment that the flags ask for.
func (f *calibrateFlags) layOut(ref string) (*experiment.Experiment, *question.Question, error) {
	if f.spread < 0 || f.spread > scenarios.LongestSpread {
		return nil, nil, fmt.Errorf("--spread %v: want a time of at most %v", f.spread, scenarios.LongestSpread)
	}
	if f.runs < 0 || f.injected < 0 || f.whole < 0 {
		return nil, nil, errors.New("--runs, --injected and --whole want a number that is not negative")
	}
	d := experiment.Design{Runs: f.runs, Injected: f.injected, Whole: f.whole, Spread: f.spread, Seed: f.seed}
	for _, text := range f.slowdowns {
		share, err := scenarios.ParseFraction(text)
		if err != nil || share <= 0 || share >= 1 {
			return nil, nil, fmt.Errorf("--slowdown %q: want a share such as 3%%", text)
		}
		d.Slowdowns = append(d.Slowdowns, share)
	}
	q, err := question.Load(ref, append(slices.Clone(f.sets), "measure.resolution="+f.resolution, "measure.max_time="+f.maxTime))
	if err != nil {
		return nil, nil, err
	}
	if q.Allowed, err = f.allow.check(q); err != nil {
		return nil, nil, err
	}
	e, err := experiment.New(q, d)
	return e, q, err
}

func (f *calibrateFlags) showLast(cmd *cobra.Command, store *results.Store, ref string, named bool) error {
	all, err := store.Calibrations()
	all = slices.DeleteFunc(all, func(c results.Calibration) bool { return named && c.Scenario != ref })
	if len(all) == 0 {
		what := "netab calibrate"
		if named {
			what += " " + ref
		}
		return failed(cmp.Or(err, fmt.Errorf("no calibration in %s yet: %s makes one", storeFlag(cmd), what)))
	}
	return errors.Join(f.print(cmd, &all[len(all)-1]), failed(err))
}

func (f *calibrateFlags) print(cmd *cobra.Command, c *results.Calibration) error {
	page := calibration.NewPage(c)
	if f.html != "" {
		if err := disk.Write(f.html, func(w io.Writer) error { return html.Calibration(w, page) }); err != nil {
			return failed(err)
		}
	}
	err := writePage(cmd.OutOrStdout(), page.View(), f.as.or(wanted{"json", f.json}, wanted{"markdown", f.markdown}))
	if broken := page.Broken(); err == nil && len(broken) > 0 {
		err = fmt.Errorf("verdicts cannot be believed on this machine: %s", strings.Join(broken, "; "))
	}
	return failed(err)
}

// calibrationsOf are those of a store that are about a machine, or about each of
// several. One that cannot be read is warned of, and hides no other.
func calibrationsOf(cmd *cobra.Command, dir string, machines ...*results.Machine) []*results.Calibration {
	var all []results.Calibration
	store, err := results.Open(dir)
	if err == nil {
		all, err = store.Calibrations()
	}
	if err != nil {
		writeln(cmd.ErrOrStderr(), "warning:", err)
	}
	return calibration.Of(all, machines...)
}
