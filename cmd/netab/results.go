package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/report"
	"netab/results"
)

func newResults() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "results",
		Short: "List the runs in the store",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(listRuns(cmd.OutOrStdout(), storeFlag(cmd)))
		},
	}
	cmd.AddCommand(newResultsShow(), newResultsExport())
	return cmd
}

func listRuns(w io.Writer, dir string) error {
	store, err := results.Open(dir)
	if err != nil {
		return err
	}
	entries, err := store.List()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RUN\tSCENARIO\tSTARTED\tTRIALS\tENDED")
	for _, e := range entries {
		if e.Err != nil {
			fmt.Fprintf(t, "%s\t-\t-\t-\tunreadable: %v\n", e.ID, e.Err)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", e.ID, e.Scenario, e.Started.Local().Format("2006-01-02 15:04:05"), e.Trials, e.Reason)
	}
	return t.Flush()
}

// readRun finds a run by id, unique prefix, path or "latest", and reads it.
func readRun(cmd *cobra.Command, ref string) (*results.Run, error) {
	store, err := results.Open(storeFlag(cmd))
	if err != nil {
		return nil, err
	}
	path, err := store.Resolve(ref)
	if err != nil {
		return nil, err
	}
	return results.ReadFile(path)
}

func newResultsShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "show RUN",
		Short:             "Judge a stored run again and print its table",
		Args:              need(1, "a run: an id from `netab results`, a path, or latest"),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			run, err := readRun(cmd, args[0])
			if err != nil {
				return failed(err)
			}
			return failed(printSummary(cmd, analysis.Summarize(run), asJSON))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// printSummary prints a summary as JSON or as a table.
func printSummary(cmd *cobra.Command, s analysis.Summary, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		return report.JSON(out, s)
	}
	return report.Terminal(out, s, report.TerminalOptions{Color: colour(out)})
}

// exporters are the formats of netab results export.
var exporters = map[string]func(io.Writer, *results.Run) error{
	"csv":      report.CSV,
	"benchfmt": report.Benchfmt,
	"json":     func(w io.Writer, r *results.Run) error { return report.JSON(w, analysis.Summarize(r)) },
	"markdown": func(w io.Writer, r *results.Run) error { return report.Markdown(w, analysis.Summarize(r)) },
	"jsonl":    func(w io.Writer, r *results.Run) error { _, err := r.WriteTo(w); return err },
}

func newResultsExport() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "export RUN",
		Short: "Write a stored run in another format to stdout",
		Long: `Write a stored run to stdout: csv (a row a slice), json (the summary), benchfmt
(a line a trial and arm, for benchstat: it puts arms side by side with
-col /arm, runs of several kernels with -col kernel), markdown (for a CI job's
summary), or jsonl (the run file itself).`,
		Args:              need(1, "a run: an id from `netab results`, a path, or latest"),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			export, ok := exporters[format]
			if !ok {
				return usage(fmt.Errorf("--format %q: want csv, json, benchfmt, markdown or jsonl", format))
			}
			run, err := readRun(cmd, args[0])
			if err != nil {
				return failed(err)
			}
			return failed(export(cmd.OutOrStdout(), run))
		},
	}
	cmd.Flags().StringVar(&format, "format", "csv", "csv, json, benchfmt, markdown or jsonl")
	return cmd
}

func newReport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:               "report RUN...",
		Short:             "Write an HTML report of one or several runs",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			in := report.Input{}
			for _, ref := range args {
				run, err := readRun(cmd, ref)
				if err != nil {
					return failed(err)
				}
				in.Runs = append(in.Runs, run)
				in.Summaries = append(in.Summaries, analysis.Summarize(run))
			}
			if len(in.Runs) > 1 {
				c := compareRuns(in.Runs, analysis.CompareOptions{Known: known(cmd, in.Runs)})
				in.Compare = &c
			}
			if err := writeFile(out, func(w io.Writer) error { return report.HTML(w, in) }); err != nil {
				return failed(err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "report.html", "`FILE` to write")
	return cmd
}

// writeReport writes a run's HTML report and returns where it is.
func writeReport(file, store string, run *results.Run, s analysis.Summary) (string, error) {
	if file == "" {
		file = filepath.Join(store, run.Header.ID, "report.html")
	}
	in := report.Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{s}}
	return file, writeFile(file, func(w io.Writer) error { return report.HTML(w, in) })
}

// writeFile writes a file beside its place and renames it, so that a full disk
// leaves no half of a report. What is no file (/dev/null, a pipe) is written to.
func writeFile(path string, write func(io.Writer) error) error {
	if there, err := filepath.EvalSymlinks(path); err == nil {
		path = there // a link stays, and what it names is written
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".netab-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
