// Command states asks whether netab's answers hold tomorrow: it measures the same
// question again and again, spread over an hour or more, and counts the pairs of
// runs whose intervals exclude each other, within a state of the machine and when
// states are ignored.
//
// What was measured stays in the store. Called again with the same store it goes on
// where it was stopped; with --judge it only counts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"netab/bench/drive"
	"netab/results"
)

type options struct {
	netab, store, scenario, arm string
	runs                        int
	spread, maxTime             time.Duration
	only, judge                 bool
}

func main() {
	var o options
	flag.StringVar(&o.netab, "netab", "bin/netab", "netab to run")
	flag.StringVar(&o.store, "store", "", "where the runs are kept, and found again")
	flag.StringVar(&o.scenario, "scenario", "loopback-rps", "what to measure")
	flag.StringVar(&o.arm, "arm", "sink", "the arm whose effect is compared between runs")
	flag.BoolVar(&o.only, "only", false, "measure that arm and the baseline, and no others")
	flag.IntVar(&o.runs, "runs", 40, "how many runs")
	flag.DurationVar(&o.spread, "spread", 90*time.Minute, "over how long, from the first run's start")
	flag.DurationVar(&o.maxTime, "max-time", 18*time.Second, "of a run")
	flag.BoolVar(&o.judge, "judge", false, "measure nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "states:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out, log io.Writer) error {
	if o.store == "" {
		return errors.New("--store is needed: runs are kept there, so that the program can be stopped and go on")
	}
	if !o.judge {
		if err := o.measure(ctx, log); err != nil {
			return err
		}
	}
	runs, err := o.read()
	if err != nil {
		return err
	}
	t, err := judge(runs, o.arm)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(out, t)
	return err
}

// measure makes the runs that are missing, each at its time.
func (o options) measure(ctx context.Context, log io.Writer) error {
	first := time.Now()
	done, err := o.read()
	if err != nil {
		return err
	}
	if len(done) > 0 {
		first = done[0].Header.Started
	}
	for n := len(done); n < o.runs; n++ {
		at := first.Add(o.spread * time.Duration(n) / time.Duration(o.runs))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Until(at)):
		}
		args := []string{o.scenario, "--store", o.store, "--max-time", o.maxTime.String()}
		if o.only {
			args = append(args, "--only", o.arm)
		}
		s, err := drive.Run(ctx, o.netab, args...)
		if err != nil {
			return err
		}
		fmt.Fprintf(log, "run %d of %d: %s\n", n+1, o.runs, s.Answer)
	}
	return nil
}

// read are the store's runs, by time.
func (o options) read() ([]*results.Run, error) {
	paths, err := filepath.Glob(filepath.Join(o.store, "*", "run.jsonl"))
	if err != nil {
		return nil, err
	}
	var runs []*results.Run
	for _, path := range paths { // sorted by name, which begins with the time
		run, err := results.ReadFile(path)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}
