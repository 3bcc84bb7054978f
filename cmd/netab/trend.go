package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis/gate"
	"netab/analysis/page"
	"netab/analysis/report"
	"netab/analysis/report/export"
	"netab/analysis/report/html"
	"netab/analysis/trend"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
)

func newTrend() *cobra.Command {
	var opts trend.Options
	var beside gateFlags
	var as struct{ json, csv, gate bool }
	var named format
	var file string
	cmd := &cobra.Command{
		Use:   "trend [SCENARIO...]",
		Short: "Find out when a figure changed over the runs in the store",
		Long: `Draw the history of every judged metric of every arm, by machine, over all runs
in the store, find where its level changed, and say whether the newest runs
have left it. A run that is off its level is only a suspect: measure again, and
the second run decides.

With --gate the exit status is 1 where it was found within the last --recent runs
that a series became worse, 3 where one is suspect for the worse or has too few runs, and 0
else. A series whose newest run is no point, because it was cut off, failed or
cannot be read, is 3 as well; where a run failed before anything was recorded the
status is 5. Thresholds and acknowledged regressions are read where netab gate reads
them: the scenario's gate: as the newest run has it, and NAME.known-issues.yaml
beside the scenario. What is acknowledged is shown as such and passes.

Each boot of a campaign is a run of its kernel, in a series of that kernel's own.
Series of emulated CPUs (TCG) are not hardware time, and pass with --force only.

The first call reads all runs; what it needs of them is kept in ` + results.IndexFile + `
in the store, which may be deleted at any time.`,
		Example: `  netab trend --gate
  netab trend loopback-rps --gate --threshold goodput=3% --html trend.html
  netab trend --gate --junit netab.xml --markdown summary.md`,
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Scenarios = args
			thresholds, err := parseThresholds(beside.thresholds)
			if err == nil {
				err = checkTrend(opts, as.json, as.csv)
			}
			if err != nil {
				return usage(err)
			}
			opts.Thresholds, opts.Now = thresholds, time.Now()
			h, err := history(cmd, opts, &beside)
			if err != nil {
				return failed(err)
			}
			if len(h.Series) == 0 && h.Runs > len(h.Unused) {
				return usage(errors.New("no run in the store has such a series; see `netab results` for scenarios, and --metric all"))
			}
			if file != "" {
				if err := disk.Write(file, func(w io.Writer) error { return html.Trend(w, h) }); err != nil {
					return failed(err)
				}
				writeln(cmd.ErrOrStderr(), file)
			}
			if err := beside.writeForms(cmd.OutOrStdout(), report.Trend(h), trendForm(h, as.csv, named.or(wanted{"json", as.json}, wanted{"chat", beside.chat}))); err != nil {
				return failed(err)
			}
			if as.gate {
				judged := gateTrend(h)
				if h.Outcome == gate.Worse {
					return judged
				}
				return cmp.Or(unrecorded(cmd, args), judged)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&opts.Arms, "arm", nil, "only this `ARM` (repeatable)")
	f.StringArrayVar(&opts.Metrics, "metric", nil, "only this `METRIC` (repeatable), or all; default the judged ones")
	f.StringArrayVar(&opts.Machines, "machine", nil, "only the machine of this name, or host `NAME` (repeatable)")
	f.BoolVar(&opts.Changes, "changes", false, "each arm's change against its baseline instead of its level: free of the machine's wander, blind to what moves both")
	f.Float64Var(&opts.Resolution, "resolution", 0, "smallest change that matters, `FRACTION`; default what the newest run asked for, the scenario's gate: included")
	f.IntVar(&opts.Recent, "recent", trend.DefaultRecent, "how many `RUNS` a change is news for, from the one with which it was found")
	f.BoolVar(&as.json, "json", false, "print one JSON document")
	f.BoolVar(&as.csv, "csv", false, "print CSV, a row a run and series")
	f.BoolVar(&as.gate, "gate", false, "set the exit status by the newest runs")
	f.BoolVar(&opts.Emulated, "force", false, "let series of emulated CPUs pass, which are not hardware time")
	beside.addScenario(cmd)
	beside.addForms(cmd)
	htmlVar(f, &file, "write a page with charts to `FILE`")
	cmd.MarkFlagsMutuallyExclusive("json", "csv", "chat")
	named.add(cmd, "json", "csv", "chat")
	return cmd
}

func checkTrend(opts trend.Options, asJSON, asCSV bool) error {
	switch {
	case !(opts.Resolution >= 0 && opts.Resolution < 1):
		return fmt.Errorf("--resolution %g: want a fraction from 0 to 1, such as 0.01 for 1 %%", opts.Resolution)
	case opts.Recent < 1:
		return fmt.Errorf("--recent %d: want 1 or more runs", opts.Recent)
	case asJSON && asCSV:
		return errors.New("--json and --csv exclude each other")
	}
	return nil
}

// history reads the store's index, and judges it with what gates read beside it.
func history(cmd *cobra.Command, opts trend.Options, beside *gateFlags) (trend.History, error) {
	store, index, err := readIndex(cmd)
	if err != nil {
		return trend.History{}, err
	}
	if opts.Known, err = beside.knownToTrend(cmd.ErrOrStderr(), store, index.Runs, opts.Scenarios); err != nil {
		return trend.History{}, usage(err)
	}
	h := trend.Analyze(index.Runs, opts)
	if beside.redact {
		h = trend.Redacted(h, index.Runs)
	}
	return h, nil
}

// readIndex reads the store's index, and whatever runs are not in it yet.
func readIndex(cmd *cobra.Command) (*results.Store, *results.Index, error) {
	store, err := results.Open(storeFlag(cmd))
	if err != nil {
		return nil, nil, err
	}
	stderr := cmd.ErrOrStderr()
	var progress func(done, of int)
	if isTerminal(stderr) && os.Getenv("TERM") != "dumb" {
		progress = func(done, of int) {
			if rewrite(stderr, "read %d of %d runs", done, of); done == of {
				rewrite(stderr, "")
			}
		}
	}
	index, err := store.Index(trend.DigestVersion, question.Digest, progress)
	if err != nil {
		return nil, nil, err
	}
	if index.NotKept != nil {
		writef(stderr, "netab: warning: the index could not be kept, so the next call reads all runs again: %v\n", index.NotKept)
	}
	return store, index, nil
}

// knownToTrend are the known issues of the file that was named, for every
// scenario, else of those beside the wanted scenarios.
func (f *gateFlags) knownToTrend(stderr io.Writer, store *results.Store, runs []results.Digest, wanted []string) ([]trend.Known, error) {
	sources := map[string]results.Digest{"": {}}
	if f.known == "" {
		sources = trend.Sources(runs)
	}
	var out []trend.Known
	for _, scenario := range slices.Sorted(maps.Keys(sources)) {
		if scenario != "" && len(wanted) > 0 && !slices.Contains(wanted, scenario) {
			continue
		}
		issues, err := f.knownIssues(stderr, digestOrigin(store, sources[scenario]))
		if err != nil {
			return nil, err
		}
		if len(issues) > 0 {
			out = append(out, trend.Known{Scenario: scenario, Issues: issues})
		}
	}
	return out, nil
}

// trendForm is what goes to stdout.
func trendForm(h trend.History, asCSV bool, format string) func(io.Writer, *page.Page) error {
	return func(w io.Writer, p *page.Page) error {
		if asCSV {
			return export.TrendCSV(w, h)
		}
		return writePage(w, p, format)
	}
}

// unrecorded fails where a run of the scenarios was begun last and left nothing:
// the history does not tell of it.
func unrecorded(cmd *cobra.Command, scenarios []string) error {
	store, err := results.Open(storeFlag(cmd))
	if err != nil {
		return err
	}
	if len(scenarios) == 0 {
		scenarios = []string{""}
	}
	for _, name := range scenarios {
		if l, err := store.Latest(name); err == nil && l.Newer != nil {
			return fmt.Errorf("gate: the newest run is %s, and %w", l.ID, l.Newer)
		}
	}
	return nil
}

// gateTrend is the exit status; the table has said why.
func gateTrend(h trend.History) error {
	status := exitInconclusive
	switch h.Outcome {
	case gate.Passed:
		return nil
	case gate.Worse:
		status = exitRegression
	}
	for i := range h.Series {
		s := &h.Series[i]
		what := fmt.Sprintf("gate: %s of arm %s", s.Metric, s.Arm)
		switch {
		case s.Outcome != h.Outcome:
		case s.Outcome == gate.Worse:
			return &statusError{status, errors.New(what + " is a regression")}
		case s.State == trend.Suspect:
			return &statusError{status, errors.New(what + " is suspect; measure again")}
		case s.Emulated != "" && s.State != trend.TooShort:
			return &statusError{status, errors.New(what + " was measured on emulated CPUs, so it is not hardware time (--force lets it pass)")}
		case s.Newer != nil:
			return &statusError{status, fmt.Errorf("%s: run %s was begun later and is no point: %s", what, s.Newer.Run, s.Newer.Why)}
		}
	}
	if len(h.Series) == 0 {
		return &statusError{status, errors.New("gate: there is no run to judge")}
	}
	return &statusError{status, errors.New("gate: a series has too few runs to judge its newest")}
}
