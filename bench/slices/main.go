// Command slices measures what the lengths of slices, of their settle parts
// and of trials cost and gain, so that netab's defaults can be read off a
// table instead of being believed. It is run by `make bench-slices`.
//
// It runs bin/netab with every pair of lengths for the same time, several
// rounds in random order, and pools the trials of equal pairs. What can be
// done with the records is left to package analysis; the program only scales
// its standard errors to equal time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

type options struct {
	netab, scenario, output, only string
	budget                        time.Duration
	rounds                        int
	seed                          uint64
}

func main() {
	var o options
	flag.StringVar(&o.netab, "netab", "bin/netab", "netab to run")
	flag.StringVar(&o.scenario, "scenario", "bench/slices/rps.yaml", "scenario of two arms to measure with")
	flag.StringVar(&o.output, "output", "", "file whose block between the marker comments is rewritten (docs/slices.md); none: print the tables")
	flag.StringVar(&o.only, "only", "", "only choices of lengths whose name has this in it (\"slice 20ms\", \"trial 5s\")")
	flag.DurationVar(&o.budget, "budget", 4*time.Minute, "time for everything")
	flag.IntVar(&o.rounds, "rounds", 2, "rounds in which the time is spent")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano())>>11, "seed of the random order")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "slices:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out, log io.Writer) error {
	configs := slices.DeleteFunc(slices.Concat(slicePairs(), trialLengths()), func(c config) bool { return !strings.Contains(c.String(), o.only) })
	if len(configs) == 0 {
		return fmt.Errorf("no choice of lengths has %q in its name, such as %q", o.only, slicePairs()[0])
	}
	unit, err := timePerUnit(configs, o.budget, o.rounds)
	if err != nil {
		return err
	}
	store, err := os.MkdirTemp("", "netab-slices-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(store)
	r := runner{options: o, store: store}
	rng := rand.New(rand.NewPCG(o.seed, 0))
	pools := make([]pool, len(configs))
	for round := range o.rounds {
		for _, i := range rng.Perm(len(configs)) {
			c := configs[i]
			fmt.Fprintf(log, "round %d: %v\n", round+1, c)
			measured, err := r.measure(ctx, c, time.Duration(c.weight)*unit-startup, rng.Uint64()>>11|1)
			if err != nil {
				return fmt.Errorf("%v: %w", c, err)
			}
			pools[i].add(measured)
		}
	}
	rows := make([]row, len(configs))
	for i, c := range configs {
		rows[i] = pools[i].judge(c)
	}
	return write(o.output, out, tables(rows, pools[0].machine(), o))
}

// startup is what one run of netab costs beside its trials.
const startup = 500 * time.Millisecond

// timePerUnit shares the budget out by weight.
func timePerUnit(configs []config, budget time.Duration, rounds int) (time.Duration, error) {
	if rounds < 1 {
		return 0, errors.New("--rounds must be 1 at least")
	}
	units := 0
	for _, c := range configs {
		units += c.weight * rounds
	}
	unit := budget / time.Duration(units)
	if least := 3 * time.Second; unit < least {
		return 0, fmt.Errorf("a --budget of %v is too short for %d rounds: %v are needed, so that each run has two trials", budget, rounds, least*time.Duration(units))
	}
	return unit, nil
}
