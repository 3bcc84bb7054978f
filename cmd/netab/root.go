package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"netab/analysis/report/export"
)

// defaultStore is where runs are kept unless --store says otherwise.
const defaultStore = "results/runs"

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "netab",
		Short: "A/B-test the Linux network path",
		Long: `netab A/B-tests the Linux network path. A scenario file says what to compare;
netab builds the topology, pins sources and sinks, turns the knobs, drives
traffic in short random slices, repeats until it knows, puts the machine back
as it was, and shows what changed, by how much, and how sure it is.

  netab list                    the questions that are built in
  netab run loopback-rps        ask one of them, here and now
  netab show loopback-rps       the scenario file, as a start for your own
  netab init                    a first scenario of your own, for this machine

Exit status: 0 fine (or gate passed), 1 regression, 2 usage or bad scenario,
3 inconclusive, 4 not comparable, 5 measurement failed. 1 and 3 only of netab gate
and with --gate; with --bisect 0 good, 1 bad, 125 neither, for git bisect run.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().String("store", defaultStore, "directory that runs are kept in")
	root.AddCommand(newRun(), newValidate(), newList(), newShow(), newInit(), newTranslate(), newSchema(), newResults(), newCompare(), newGate(),
		newReport(), newServe(), newExplain(), newBoots(), newTrend(), newCount(), newBisect(), newProve(), newCalibrate(), newRestore(), newDoctor(), newVersion())
	for _, command := range building {
		root.AddCommand(command())
	}
	saysKind(root)
	return root
}

// building are commands that only a build of netab itself needs; see man.go.
var building []func() *cobra.Command

func storeFlag(cmd *cobra.Command) string {
	store, _ := cmd.Flags().GetString("store")
	return store
}

// isTerminal says whether a stream is one that a person looks at.
func isTerminal(f any) bool {
	file, ok := fileOf(f)
	return ok && term.IsTerminal(int(file.Fd()))
}

// colour says whether to colour what goes to a stream: on a terminal, unless
// NO_COLOR is set (no-color.org).
func colour(f any) bool {
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// paperWidth is how wide a table may be at most, and where nobody says how wide
// its reader's screen is: it fits into a mail.
const paperWidth = 100

// widthOf is how many columns a stream has: COLUMNS, else those of the
// terminal, else of paper.
func widthOf(f any) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return min(n, paperWidth)
	}
	if file, ok := fileOf(f); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return min(columns, paperWidth)
		}
	}
	return paperWidth
}

// terminal is what is known of the stream that a table goes to.
func terminal(w io.Writer) export.Options {
	return export.Options{Color: colour(w), Width: widthOf(w)}
}

// exactly is cobra.ExactArgs with a message that says what the arguments are.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return fmt.Errorf("%s wants %s; see %s --help", cmd.CommandPath(), what, cmd.CommandPath())
	}
}
