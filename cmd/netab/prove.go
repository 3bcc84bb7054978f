package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis/proof"
	"netab/analysis/report/html"
	"netab/results/disk"
)

// proveFlags are the flags of netab prove.
type proveFlags struct {
	quick, json, markdown, noProgress bool
	worlds                            []string
	repetitions, workers              int
	html                              string
	as                                format
}

func newProve() *cobra.Command {
	var f proveFlags
	cmd := &cobra.Command{
		Use:   "prove",
		Short: "Prove the verdicts on simulated machines whose truth is known",
		Long: `Run the statistics, stop rule and all looks included, on simulated worlds of noise
whose truth is known, thousands of times each, and print how often the verdict is
wrong, how often the interval holds the truth, how often effects are found, and
how long that takes. Nothing is measured, and nothing on this machine changed.

Seeds are fixed: the figures are the same on every machine, with any number of
workers, and for a world alone as for all of them. The full study takes some
minutes of all CPUs. The exit status is 5 if a world breaks a bound.`,
		Example: `  netab prove --quick
  netab prove --world modes --world few
  netab prove --html proof.html --markdown > docs/proof.md`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return prove(cmd, f) },
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.quick, "quick", false, "fewer runs and effects: seconds, not minutes")
	fl.StringArrayVar(&f.worlds, "world", nil, "only the world of this `NAME` (repeatable)")
	fl.IntVar(&f.repetitions, "repetitions", 0, fmt.Sprintf("`RUNS` of each world and effect (default %d, with --quick %d)", proof.FullRepetitions, proof.Quick().Repetitions))
	fl.IntVar(&f.workers, "workers", 0, "workers that share the work (default: one a CPU)")
	fl.BoolVar(&f.json, "json", false, "print one JSON document to stdout instead of the tables")
	fl.BoolVar(&f.markdown, "markdown", false, "print the page docs/proof.md to stdout instead of the tables")
	htmlVar(fl, &f.html, "also write an HTML page to `FILE`")
	fl.BoolVar(&f.noProgress, "no-progress", false, "print no progress")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	f.as.add(cmd, "json", "markdown")
	_ = cmd.RegisterFlagCompletionFunc("world", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return worldNames(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func prove(cmd *cobra.Command, f proveFlags) error {
	o, err := f.options()
	if err != nil {
		return usage(err)
	}
	done := func() {}
	if w := cmd.ErrOrStderr(); !f.noProgress && isTerminal(w) && os.Getenv("TERM") != "dumb" {
		o.Progress, done = proveProgress(w)
	}
	p, err := proof.Study(cmd.Context(), o)
	done()
	if err != nil {
		return failed(err)
	}
	if err := f.print(cmd.OutOrStdout(), p); err != nil {
		return failed(err)
	}
	if f.html != "" {
		if err := disk.Write(f.html, func(w io.Writer) error { return html.Proof(w, p) }); err != nil {
			return failed(err)
		}
	}
	if broken := p.Broken(); len(broken) > 0 {
		return failed(fmt.Errorf("the statistics break their bounds: %s", strings.Join(broken, "; ")))
	}
	return nil
}

func (f proveFlags) options() (proof.Options, error) {
	o := proof.Options{}
	if f.quick {
		o = proof.Quick()
	}
	if f.repetitions < 0 || f.workers < 0 {
		return o, fmt.Errorf("--repetitions and --workers want a number above 0")
	}
	if f.repetitions > 0 {
		o.Repetitions = f.repetitions
	}
	o.Workers = f.workers
	for _, name := range f.worlds {
		c, ok := findWorld(name)
		if !ok {
			return o, fmt.Errorf("no world is named %q: the worlds are %s", name, strings.Join(worldNames(), ", "))
		}
		o.Cases = append(o.Cases, c)
	}
	return o, nil
}

func (f proveFlags) print(w io.Writer, p proof.Proof) error {
	return writePage(w, p.View(), f.as.or(wanted{"json", f.json}, wanted{"markdown", f.markdown}))
}

func findWorld(name string) (proof.Case, bool) {
	for _, c := range proof.Cases() {
		if c.Name == name {
			return c, true
		}
	}
	return proof.Case{}, false
}

func worldNames() []string {
	var names []string
	for _, c := range proof.Cases() {
		names = append(names, c.Name)
	}
	return names
}

// proveProgress rewrites one line with what is done, and how long the rest
// will take.
func proveProgress(w io.Writer) (update func(done, all int), end func()) {
	began, last := time.Now(), time.Time{}
	update = func(done, all int) {
		now := time.Now()
		if now.Sub(last) < time.Second/5 {
			return
		}
		last = now
		left := time.Duration(float64(now.Sub(began)) * float64(all-done) / float64(done))
		rewrite(w, "%d %% done, about %v left", 100*done/all, left.Round(time.Second))
	}
	return update, func() { rewrite(w, "") }
}
