// Command canaries measures what netab's canaries cost. It is run by `make
// bench-canaries`.
//
// A canary disturbs, if anything, the slice in whose settle part it runs. So the rate
// of each such slice is held against those of its arm's slices just before and after,
// which have none: thousands of comparisons of the same flow within a fraction of a
// second, in which machine and state are the same. Beside that runs with and without canaries
// take turns, for what they cost in CPU time and between the slices.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"netab/bench/drive"
	"netab/results"
)

type options struct {
	netab, scenario string
	rounds          int
	each            time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.netab, "netab", "bin/netab", "netab to run")
	flag.StringVar(&o.scenario, "scenario", "same", "scenario to measure with")
	flag.IntVar(&o.rounds, "rounds", 6, "runs with canaries, and as many without")
	flag.DurationVar(&o.each, "each", 20*time.Second, "time for each run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "canaries:", err)
		os.Exit(1)
	}
}

// settings are the two kinds of runs.
var settings = []string{"auto", "off"}

func run(ctx context.Context, o options, out io.Writer) error {
	store, err := os.MkdirTemp("", "netab-canaries-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(store)
	costs := map[string]*cost{}
	for range o.rounds {
		for _, setting := range settings {
			s, err := drive.Run(ctx, o.netab, o.scenario, "--store", store, "--max-time", o.each.String(),
				"--resolution", "0.01%", "--confidence", "99.9999%", "--set", "measure.canaries="+setting)
			if err != nil {
				return err
			}
			run, err := results.ReadFile(filepath.Join(store, s.Run))
			if err != nil {
				return err
			}
			if costs[setting] == nil {
				costs[setting] = &cost{}
			}
			costs[setting].add(run.Trials, s.DurationS)
		}
	}
	for _, setting := range settings {
		fmt.Fprintf(out, "canaries %-5s %s\n", setting, costs[setting])
	}
	m, se := meanOf(costs["auto"].ratios)
	fmt.Fprintf(out, "slices with canaries against those beside them: %+.3f %% (%+.3f to %+.3f %%, two standard errors, %d trials, %d slices)\n",
		100*m, 100*(m-2*se), 100*(m+2*se), len(costs["auto"].ratios), costs["auto"].with)
	verdict := "not shown to be equivalent"
	if math.Abs(m)+2*se < bound {
		verdict = "equivalent"
	}
	fmt.Fprintf(out, "%s at %.1f %%\n", verdict, 100*bound)
	return nil
}

// bound is by how much canaries may change a rate.
const bound = 0.003

// A cost is what runs of one kind took.
type cost struct {
	ratios          []float64 // of each trial: the mean logarithm, with canaries against without
	with, unknown   int       // slices with canaries; of them without a distance
	own, ran        float64   // CPU time of netab beside its roles, and time in slices
	between, trials float64   // time before and after the slices of trials
	counted, all    float64   // seconds
}

func (c *cost) String() string {
	return fmt.Sprintf("%.0f trials: %.2f %% of a CPU beside the roles, %.1f ms around the slices of a trial, %.1f %% of the time counted, %d slices with canaries (%d without an answer)",
		c.trials, 100*c.own/c.ran, c.between/c.trials/1e6, 100*c.counted/c.all, c.with, c.unknown)
}

func (c *cost) add(trials []results.Trial, seconds float64) {
	c.all += seconds
	for i := range trials {
		t := &trials[i]
		if t.Invalid != "" {
			continue
		}
		c.trials++
		c.own, c.ran = c.own+float64(t.Host.OwnNS), c.ran+float64(t.RunNS)
		c.between += float64(t.SetupNS + t.TeardownNS)
		for _, s := range t.Slices {
			c.counted += float64(s.CountedNS) / 1e9
			if s.Canaries != nil {
				c.with++
				if s.Canaries.DistanceNS == nil {
					c.unknown++
				}
			}
		}
		if m, ok := contrast(t.Slices); ok {
			c.ratios = append(c.ratios, m)
		}
	}
}

// contrast is the mean logarithm of the rates of slices with canaries over those of
// their neighbours without, of which both are needed: rates wander. Neighbours are of
// the same arm, and follow, as the slice does, their own arm or another's: a flow that
// goes on is faster than one that begins again.
func contrast(all []results.Slice) (mean float64, ok bool) {
	type kind struct {
		arm    int
		goesOn bool
	}
	alike := map[kind][]results.Slice{}
	for i, s := range all {
		k := kind{s.Arm, i > 0 && all[i-1].Arm == s.Arm}
		alike[k] = append(alike[k], s)
	}
	var logs []float64
	for _, of := range alike {
		for i := 1; i+1 < len(of); i++ {
			before, s, after := of[i-1], of[i], of[i+1]
			if s.Canaries == nil || before.Canaries != nil || after.Canaries != nil {
				continue
			}
			x := math.Log(rate(s)) - (math.Log(rate(before))+math.Log(rate(after)))/2
			if !math.IsInf(x, 0) && !math.IsNaN(x) {
				logs = append(logs, x)
			}
		}
	}
	if len(logs) == 0 {
		return 0, false
	}
	// The order of a map is random, and sums of floats hang on it.
	slices.Sort(logs)
	mean, _ = meanOf(logs)
	return mean, true
}

func rate(s results.Slice) float64 { return float64(s.RxBytes) / float64(s.CountedNS) }

// meanOf is the mean and its standard error.
func meanOf(xs []float64) (mean, se float64) {
	n := float64(len(xs))
	for _, x := range xs {
		mean += x / n
	}
	for _, x := range xs {
		se += (x - mean) * (x - mean) / (n - 1) / n
	}
	return mean, math.Sqrt(se)
}
