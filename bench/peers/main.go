// Command peers measures netab's own traffic loops against a bare C loop
// (bareloop.c), iperf3, nuttcp and sockperf, and against what they were built
// for (pacing, many flows, no allocation). It prints one line a comparison:
// name, ratio, lo, hi, n, then what the ratio should be and whether it is. It is
// run by `make bench`.
//
// # Shape
//
// A trial is one new network namespace, and in it the contenders side by side,
// each with a flow of its own over lo: fresh processes and sockets. They take
// turns in blocks of one slice each, in random order. What counts is what the
// receiving program got from its socket in the counted part of its slices. Of
// each trial there is one log ratio of totals a comparison; the line's ratio is
// their mean and its interval is Student's t over trials, 95 %.
//
// netab takes part through runner/topology, runner/agent and runner/traffic as
// any run does: this program is its own agent. The C loop keeps the same
// schedule by itself. The other tools know no schedule, so their processes are
// stopped (SIGSTOP) between their slices, and what their servers received is
// taken from the kernel (meter.go), with the time at which it was read.
//
// # Why not whole runs in turn
//
// The obvious way is rounds of one second each in random order, with the tools'
// own figures. But a flow's rate wanders by about 10 % from second to second
// (design.md), so a dozen such rounds know a ratio to ±9 %: no proof of 0.98.
// Side by side in slices of 100 ms the wander cancels. It also makes equal what
// is counted: iperf3 3.12 can only omit whole seconds (-O).
//
// # Reading a line
//
// "met": the whole interval is where it should be. "MISSED": none of it is.
// "unclear": some of it. For memory, set-up time and heap objects the ratio is
// the figure over its bound, and lo and hi are the least and the most of any
// trial. Where several ways of one tool take part, the line is about the one
// that was the fastest over all trials, and names it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"time"

	"netab/runner/agent"
	"netab/runner/knob"
	places "netab/runner/place"
)

type options struct {
	bareloop, iperf3   string
	run                string
	list               bool
	trials, blocks     int
	slice, settle, gap time.Duration
	sourceCPU, sinkCPU int
	seed               uint64
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		exit(agent.Serve())
	}
	runtime.LockOSThread() // children die with the thread that started them
	var o options
	flag.StringVar(&o.bareloop, "bareloop", "bin/bench/bareloop", "compiled bareloop.c")
	flag.StringVar(&o.iperf3, "iperf3", "iperf3", "iperf3 to compare with")
	flag.StringVar(&o.run, "run", "", "only lines whose names match this regular expression")
	flag.BoolVar(&o.list, "list", false, "print the names of the lines and stop")
	flag.IntVar(&o.trials, "trials", 20, "trials of each comparison")
	flag.IntVar(&o.blocks, "blocks", 8, "blocks of a trial")
	flag.DurationVar(&o.slice, "slice", 100*time.Millisecond, "length of a slice")
	flag.DurationVar(&o.settle, "settle", 20*time.Millisecond, "first part of a slice, not counted")
	flag.DurationVar(&o.gap, "gap", 5*time.Millisecond, "pause between slices")
	flag.IntVar(&o.sourceCPU, "cpu-source", 0, "CPU of the senders")
	flag.IntVar(&o.sinkCPU, "cpu-sink", 1, "CPU of the receivers")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the random order")
	flag.Parse()
	exit(run(context.Background(), o, os.Stdout, os.Stderr))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, o options, out, log io.Writer) error {
	wanted, err := o.check()
	if err != nil {
		return err
	}
	matches := o.selected(wanted)
	if o.list {
		for _, name := range o.names(wanted) {
			fmt.Fprintln(out, name)
		}
		return nil
	}
	file, err := knob.MachineLock(os.Getenv("NETAB_LOCK"))
	if err != nil {
		return err
	}
	lock, err := file.Acquire()
	if err != nil {
		return err
	}
	defer lock.Release()
	here := places.NewLocal()
	defer here.Close(ctx)
	b := bench{options: o, here: here, rng: rand.New(rand.NewPCG(o.seed, 0)), log: log}
	fmt.Fprintf(log, "seed %d, %d trials of %d blocks a comparison, slices of %v of which %v settle\n",
		o.seed, o.trials, o.blocks, o.slice, o.settle)
	fmt.Fprint(out, heading)
	var errs []error
	show := func(results []result, err error) {
		// A peer that breaks takes its own lines with it, not the others'.
		if err != nil {
			fmt.Fprintln(log, "peers:", err)
			errs = append(errs, err)
		}
		for _, r := range results {
			r.print(out)
		}
	}
	for _, m := range matches {
		show(b.play(ctx, m))
	}
	show(b.pace(ctx, wanted))
	if len(errs) > 0 {
		return fmt.Errorf("not all could be measured: %w", errors.Join(errs...))
	}
	return nil
}

// selected are the matches with the lines wanted.
func (o options) selected(wanted func(string) bool) (out []match) {
	for _, m := range o.matches() {
		if m = m.only(wanted); len(m.ratios)+len(m.limits) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// names are the lines wanted, in the order in which they are printed.
func (o options) names(wanted func(string) bool) (names []string) {
	for _, m := range o.selected(wanted) {
		for _, c := range m.ratios {
			names = append(names, c.name)
		}
		for _, l := range m.limits {
			names = append(names, l.name)
		}
	}
	for _, rate := range pacingRates {
		if wanted(pacingName(rate)) {
			names = append(names, pacingName(rate))
		}
	}
	return names
}

// check returns which lines are wanted.
func (o options) check() (func(string) bool, error) {
	if o.trials < 2 || o.blocks < 1 {
		return nil, fmt.Errorf("%d trials of %d blocks: an interval needs 2 trials of 1 block at least", o.trials, o.blocks)
	}
	if o.settle <= 0 || o.settle >= o.slice || o.gap < 2*time.Millisecond {
		return nil, fmt.Errorf("settle %v must be shorter than the slice of %v, and the gap %v 2ms or longer", o.settle, o.slice, o.gap)
	}
	r, err := regexp.Compile(o.run)
	if err != nil {
		return nil, fmt.Errorf("--run: %w", err)
	}
	if len(o.names(r.MatchString)) == 0 {
		return nil, fmt.Errorf("no line matches %q: --list shows the names", o.run)
	}
	return r.MatchString, nil
}
