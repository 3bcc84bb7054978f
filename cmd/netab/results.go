package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/prose"
	"netab/analysis/report"
	"netab/analysis/report/export"
	"netab/analysis/report/html"
	"netab/cmd/netab/lasting"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
)

func newResults() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "results",
		Short: "List the runs in the store, or write a page of what it knows",
		Long: `List the runs in the store.

With --html write a page instead of every question that was asked, by machine: the
history of each answer, the verdict of the newest run, which runs contradict which, and
a link to each report that lies beside its run. It can be filtered by machine, kernel
and scenario, makes no request, and needs no JavaScript but for the filters. The first
call reads all runs; what it needs of them is kept in ` + results.IndexFile + ` in the store.`,
		Example: `  netab results
  netab results --html results/runs.html`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			if file != "" {
				return failed(writeStorePage(cmd, file))
			}
			width := 0 // what reads a pipe wants all of it
			if isTerminal(out) || os.Getenv("COLUMNS") != "" {
				width = widthOf(out)
			}
			return failed(listRuns(out, storeFlag(cmd), width))
		},
	}
	cmd.Flags().StringVar(&file, "html", "", "write a page of all questions and their history to `FILE`, - for stdout")
	cmd.AddCommand(newResultsShow(), newResultsExport())
	return cmd
}

// listRuns lists the runs in so many columns; 0 = however many it takes.
func listRuns(w io.Writer, dir string, width int) error {
	store, err := results.Open(dir)
	if err != nil {
		return err
	}
	entries, err := store.List()
	if err != nil {
		return err
	}
	rows := [][]string{{"RUN", "SCENARIO", "STARTED", "TRIALS", "ENDED"}}
	for _, e := range entries {
		row := []string{e.ID, e.Scenario, e.Started.Local().Format("2006-01-02 15:04:05"), strconv.Itoa(e.Trials), e.Reason}
		if e.Planned > 0 {
			row[3] = bootsOf(e)
		}
		if e.Err != nil {
			row = []string{e.ID, "-", "-", "-", fmt.Sprintf("unreadable: %v", e.Err)}
		}
		if e.CopyOf != "" {
			row[4] += ", a copy of run " + e.CopyOf
		}
		rows = append(rows, row)
	}
	ids, err := results.CountIDs(dir)
	if err != nil {
		return err
	}
	for _, id := range ids {
		rows = append(rows, countRow(dir, id))
	}
	return writeWhole(w, listOfRuns(rows, width))
}

// countRow is a count in the list of runs.
func countRow(dir, id string) []string {
	c, err := results.ReadCount(dir, id)
	if err != nil {
		return []string{id, "-", "-", "-", fmt.Sprintf("unreadable: %v", err)}
	}
	return []string{id, c.Name, c.Started.Local().Format("2006-01-02 15:04:05"), prose.Counted(len(c.Boots), "boot"), "instructions counted"}
}

// listOfRuns lays rows out. Where they are too wide, what a run's id says too
// goes, and then the end of how it ended.
func listOfRuns(rows [][]string, width int) string {
	const gap = 2
	for _, row := range rows {
		for i, cell := range row {
			row[i] = escape.Visible(cell)
		}
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	shown := []int{0, 1, 2, 3, 4}
	before := func() (sum int) { // of the last column
		for _, i := range shown[:len(shown)-1] {
			sum += widths[i] + gap
		}
		return sum
	}
	for _, column := range []int{1, 2} {
		if width > 0 && before()+widths[4] > width {
			shown = slices.DeleteFunc(shown, func(i int) bool { return i == column })
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for _, i := range shown[:len(shown)-1] {
			writef(&b, "%-*s", widths[i]+gap, row[i])
		}
		end := row[4]
		if width > 0 {
			end = cut(end, max(width-before(), 8))
		}
		b.WriteString(end + "\n")
	}
	return b.String()
}

func newResultsShow() *cobra.Command {
	var asJSON bool
	var as format
	cmd := &cobra.Command{
		Use:               "show RUN",
		Short:             "Judge a stored run again and print its table",
		Args:              exactly(1, "a run: an id from `netab results`, a path, or latest"),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c, err := countNamed(cmd, args[0]); c != nil || err != nil {
				if err != nil {
					return failed(err)
				}
				return showCount(cmd, c, as.or(wanted{"json", asJSON}) == "json", 15)
			}
			x, err := pickOne(cmd, args[0])
			if err != nil {
				return failed(err)
			}
			if x.campaign != nil {
				return failed(printSummary(cmd, analysis.JudgeCampaign(x.campaign, analysis.CompareOptions{}), as.or(wanted{"json", asJSON})))
			}
			return failed(printSummary(cmd, judged(cmd, x.run, false), as.or(wanted{"json", asJSON})))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	as.add(cmd, "json")
	return cmd
}

// judged is a stored run judged again, with what earlier ones say. One that is
// told to strangers says nothing of others.
func judged(cmd *cobra.Command, run *results.Run, redacted bool) analysis.Summary {
	s := analysis.Summarize(run)
	if !redacted {
		question.Remember(storeFlag(cmd), false, run, &s)
	}
	return s
}

// printSummary prints a summary in the format of a name.
func printSummary(cmd *cobra.Command, s analysis.Summary, format string) error {
	return writePage(cmd.OutOrStdout(), report.Summary(s), format)
}

// An exporter writes a run, or what it comes to.
type exporter func(io.Writer, *results.Run, func() analysis.Summary) error

// recordFormats are those of what was recorded, whatever it comes to.
var recordFormats = map[string]func(io.Writer, *results.Run) error{
	"csv":      export.CSV,
	"benchfmt": export.Benchfmt,
	"jsonl":    export.RunFile,
	"folded":   export.Folded,
	pprof:      export.Pprof,
}

// exportFormats are all that netab results export knows.
func exportFormats() []string {
	return append(append(slices.Sorted(maps.Keys(recordFormats)), openMetrics), export.Names()...)
}

// pprof is the one that is no text.
const pprof = "pprof"

// openMetrics is of a run and what it comes to.
const openMetrics = "openmetrics"

// exporterOf is that of a format by name.
func exporterOf(format string) (exporter, bool) {
	if format == openMetrics {
		return func(w io.Writer, r *results.Run, of func() analysis.Summary) error {
			return export.OpenMetrics(w, r, of())
		}, true
	}
	if write, ok := recordFormats[format]; ok {
		return func(w io.Writer, r *results.Run, _ func() analysis.Summary) error { return write(w, r) }, true
	}
	_, ok := export.Named(format)
	return func(w io.Writer, _ *results.Run, of func() analysis.Summary) error {
		return writePage(w, report.Summary(of()), format)
	}, ok
}

func newResultsExport() *cobra.Command {
	var format string
	var redact bool
	var settings settingsFlags
	cmd := &cobra.Command{
		Use:   "export RUN",
		Short: "Write a stored run in another format to stdout",
		Long: `Write a stored run to stdout: csv (a row a slice), json (the summary), benchfmt
(a line a trial and arm, for benchstat: it puts arms side by side with
-col /arm, runs of several kernels with -col kernel), markdown (for a CI job's
summary), openmetrics (for the textfile collector of node_exporter), jsonl (the run
file itself), folded (the stacks of explain trials, for flame graphs: flamegraph.pl,
inferno, speedscope) or pprof (the same with labels arm, role and context, for go tool
pprof, speedscope and other viewers). Of a campaign, csv is of its boots only,
which are named by their numbers behind its id (ID/0).

sysctl.d, udev and script are the settings of one --arm, for a machine to keep: what the
scenario asked for and the kernel took, with the evidence and what stood before in
comments. Devices of netab's own namespaces stand for those that --device names.`,
		Example: `  netab results export latest --format benchfmt | benchstat -
  netab results export latest --format pprof >why.pb.gz && go tool pprof -top -tagfocus=arm=sink why.pb.gz
  netab results export latest --arm sink --format script >rps.sh
  netab results export latest --arm large --format sysctl.d >/etc/sysctl.d/90-netab.conf`,
		Args:              exactly(1, "a run: an id from `netab results`, a path, or latest"),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			lasts := slices.Contains(lasting.Formats(), format)
			write, ok := exporterOf(format)
			if !ok && !lasts {
				return usage(fmt.Errorf("--format %q: want %s; of an arm's settings %s", format, strings.Join(exportFormats(), ", "), strings.Join(lasting.Formats(), ", ")))
			}
			if err := settings.check(format); err != nil {
				return usage(err)
			}
			x, err := pickOne(cmd, args[0])
			if err != nil {
				return failed(err)
			}
			if x.campaign != nil && lasts {
				return usage(errors.New("settings are exported of a run: name one of the campaign's boots (ID/0)"))
			}
			if lasts {
				return settings.export(cmd, x.run, judged(cmd, x.run, redact), format)
			}
			if c := x.campaign; c != nil {
				if redact {
					c = results.NewRedactor().Campaign(c)
				}
				return failed(exportCampaign(cmd.OutOrStdout(), c, format))
			}
			run := x.run
			if redact {
				run = results.Redacted(run)
			}
			out := cmd.OutOrStdout()
			if format == pprof {
				if out, err = unguarded(out); err != nil {
					return failed(err)
				}
			}
			return failed(write(out, run, func() analysis.Summary { return judged(cmd, run, redact) }))
		},
	}
	cmd.Flags().BoolVar(&redact, "redact", false, redactUsage)
	cmd.Flags().StringVar(&format, "format", "csv", strings.Join(append(exportFormats(), lasting.Formats()...), ", "))
	settings.add(cmd)
	return cmd
}

func newReport() *cobra.Command {
	var out string
	var redact bool
	cmd := &cobra.Command{
		Use:               "report RUN...",
		Short:             "Write an HTML report of one or several runs",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if c, err := countNamed(cmd, args[0]); c != nil || err != nil {
					if err == nil {
						err = writeTo(cmd, out, countPage(c))
					}
					return failed(err)
				}
			}
			in := html.Input{}
			p, err := newPicker(cmd)
			if err != nil {
				return failed(err)
			}
			for _, ref := range args {
				x, err := p.pick(ref, "")
				runs := []*results.Run{x.run}
				switch c := x.campaign; {
				case err != nil:
				case c != nil && len(args) == 1:
					if redact {
						c = results.NewRedactor().Campaign(c)
					}
					s := analysis.JudgeCampaign(c, analysis.CompareOptions{})
					return failed(writeTo(cmd, out, campaignPage(c, &s)))
				case c != nil:
					runs, err = runsOf(c)
				}
				if err != nil {
					return failed(err)
				}
				in.Runs = append(in.Runs, runs...)
			}
			spread := known(cmd, in.Runs)
			redactor := results.NewRedactor()
			for i, run := range in.Runs {
				if redact {
					in.Runs[i] = redactor.Run(run)
				}
				in.Summaries = append(in.Summaries, judged(cmd, in.Runs[i], redact))
			}
			if len(in.Runs) > 1 {
				c := compareRuns(in.Runs, analysis.CompareOptions{Known: spread})
				in.Compare = &c
			}
			return failed(writeTo(cmd, out, func(w io.Writer) error { return html.Runs(w, in) }))
		},
	}
	cmd.Flags().BoolVar(&redact, "redact", false, redactUsage)
	cmd.Flags().StringVarP(&out, "output", "o", "report.html", "`FILE` to write, - for stdout")
	return cmd
}

// writeReport writes a run's HTML report and returns where it is.
func writeReport(file, store string, run *results.Run, s analysis.Summary) (string, error) {
	if file == "" {
		file = filepath.Join(store, run.Header.ID, reportFile)
	}
	in := html.Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{s}}
	return file, disk.Write(file, func(w io.Writer) error { return html.Runs(w, in) })
}
