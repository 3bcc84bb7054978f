package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"netab/analysis"
	"netab/analysis/calibration"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/vocab"
	"netab/runner"
	"netab/scenarios"
)

// A calibrator measures one calibration.
type calibrator struct {
	slowed  map[scenarios.Fraction]*loaded
	order   []scenarios.Fraction // of the runs
	whole   *loaded              // nil = none
	samples int
	maxTime time.Duration
	starts  []time.Duration // of the runs, from the first's; nil = one after the other
	machine string          // its name

	claimed *claimed
	store   *results.Store
	log     io.Writer
	record  results.Calibration
	rng     *rand.Rand
}

// plan lays out all runs.
func (f *calibrateFlags) plan(ref string) (*calibrator, error) {
	if f.spread < 0 || f.spread > scenarios.LongestSpread {
		return nil, fmt.Errorf("--spread %v: want a time of at most %v", f.spread, scenarios.LongestSpread)
	}
	if f.runs < 0 || f.injected < 0 || f.whole < 0 {
		return nil, errors.New("--runs, --injected and --whole want a number that is not negative")
	}
	l, err := load(ref, append(slices.Clone(f.sets), "measure.resolution="+f.resolution, "measure.max_time="+f.maxTime))
	if err != nil {
		return nil, err
	}
	if l.allowed, err = f.allow.check(l); err != nil {
		return nil, err
	}
	l.Measure.Sessions, l.Measure.Spread = 0, 0 // each run is one: --spread is between them
	at := slices.IndexFunc(l.arms, func(a scenarios.Arm) bool { return a.Name == l.BaselineArm(l.arms) })
	if at < 0 {
		at = 0
	}
	seed := cmp.Or(f.seed, randomSeed())
	c := &calibrator{slowed: map[scenarios.Fraction]*loaded{}, samples: f.whole, machine: f.machine, rng: rand.New(rand.NewPCG(seed, 1)), maxTime: time.Duration(l.Measure.MaxTime)}
	c.record = results.Calibration{Scenario: l.Name, Seed: seed, Metric: l.Measure.Metrics[0],
		Confidence: float64(l.Measure.Confidence), Resolution: float64(l.Measure.Resolution), MaxTimeS: c.maxTime.Seconds()}
	add := func(share scenarios.Fraction, runs int) error {
		slowed, err := scenarios.Slowed(l.Scenario, l.arms[at], share)
		if err != nil {
			// Not wrapped: the fault has no place in the file.
			return fmt.Errorf("%s cannot be slowed down (--injected 0 does without): %v", l.Name, err)
		}
		if c.slowed[share], err = l.with(slowed); err != nil {
			return err
		}
		c.order = append(c.order, slices.Repeat([]scenarios.Fraction{share}, runs)...)
		return nil
	}
	if err := add(0, f.runs); err != nil {
		return nil, err
	}
	c.record.Arm = designArm(c.slowed[0].arms[0])
	var largest scenarios.Fraction
	for _, text := range f.slowdowns {
		share, err := scenarios.ParseFraction(text)
		if err != nil || share <= 0 || share >= 1 {
			return nil, fmt.Errorf("--slowdown %q: want a share such as 3%%", text)
		}
		if f.injected == 0 {
			continue
		}
		largest = max(largest, share)
		if err := add(share, f.injected); err != nil {
			return nil, err
		}
	}
	if all := time.Duration(len(c.order)) * c.maxTime; f.spread > 0 && f.spread < all {
		return nil, fmt.Errorf("--spread %v is shorter than %s of %v, %v together", f.spread, prose.Counted(len(c.order), "run"), c.maxTime, all)
	}
	if len(c.order) > 1 && f.spread > 0 {
		c.record.SpreadS = f.spread.Seconds()
		c.starts = runner.SessionStarts(len(c.order), f.spread, c.maxTime, seed)
	}
	c.rng.Shuffle(len(c.order), func(i, j int) { c.order[i], c.order[j] = c.order[j], c.order[i] })
	if f.whole > 0 {
		slowed := c.slowed[largest]
		s, err := scenarios.Override(slowed.Scenario, "measure.grain=trial", fmt.Sprintf("measure.slice=%v", sampleTime/sampleSlices+sampleSettle),
			fmt.Sprintf("measure.settle=%v", sampleSettle), fmt.Sprintf("measure.trial=%v", 2*(sampleTime+sampleSlices*sampleSettle)), "measure.max_time=1h")
		if err != nil {
			return nil, err
		}
		if c.whole, err = l.with(s); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Classical samples are of 2 s, in two slices because a trial has two at least.
const (
	sampleTime   = 2 * time.Second
	sampleSlices = 2
	sampleSettle = 5 * time.Millisecond
)

// with is another scenario made of l's.
func (l *loaded) with(s *scenarios.Scenario) (*loaded, error) {
	arms, err := expand(s)
	return &loaded{Scenario: s, source: l.source, arms: arms, allowed: l.allowed}, err
}

func (c *calibrator) measure(ctx context.Context) error {
	machine, err := readMachine(c.machine)
	if err != nil {
		return err
	}
	now := time.Now()
	c.record.ID, c.record.Started = results.NewID(c.record.Scenario, now, randomSeed()), now.UTC()
	c.record.Netab, c.record.Machine = build(), machine
	warnings, err := runner.Check(machine)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		writef(c.log, "warning: %s\n", w.Text)
	}
	over := ""
	if c.starts != nil {
		over = fmt.Sprintf(", spread over %v; the last begins at %s", time.Duration(c.record.SpreadS*float64(time.Second)), now.Add(c.starts[len(c.starts)-1]).Local().Format(time.DateTime))
	}
	writef(c.log, "%s of %s, at most %v together%s\n", prose.Counted(len(c.order), "run"), c.record.Scenario, (time.Duration(len(c.order)) * c.maxTime).Round(time.Second), over)
	failures := 0
	for i, share := range c.order {
		if i > 0 && c.starts != nil {
			if err := c.claimed.leave(ctx, now.Add(c.starts[i]), c.log); err != nil {
				return err // what there is was kept
			}
		}
		if err := c.one(ctx, share); err != nil {
			// One run that fails, on a machine that was too busy for it, is not worth
			// the others.
			if failures++; ctx.Err() != nil || failures == maxFailures {
				return err
			}
			writef(c.log, "%3d/%d  failed: %v\n", i+1, len(c.order), err)
			continue
		}
		failures = 0
		r := c.record.Runs[len(c.record.Runs)-1]
		writef(c.log, "%3d/%d  slowed down by %4.3g %%: %+6.2f %% (%+.2f to %+.2f, put there %+.2f)  %-12s %5.1f s\n",
			i+1, len(c.order), 100*r.Slowdown, 100*r.Change, 100*r.Lo, 100*r.Hi, 100*r.Truth, r.Verdict, r.DurationS)
	}
	if c.whole == nil {
		return c.keep()
	}
	writef(c.log, "%d samples of whole trials of each configuration\n", c.samples)
	return errors.Join(c.wholeTrials(ctx), c.keep())
}

// maxFailures is how many runs in a row may fail.
const maxFailures = 3

// one makes one run and keeps what it found, so that an interruption loses
// one run at most.
func (c *calibrator) one(ctx context.Context, share scenarios.Fraction) error {
	l := c.slowed[share]
	run, err := c.call(ctx, l, nil)
	if err != nil {
		return err
	}
	s := analysis.Summarize(run)
	at := slices.IndexFunc(s.Comparisons, func(x analysis.Comparison) bool { return x.Metric == c.record.Metric && x.Arm == scenarios.ArmSlower })
	d, ok := analysis.Dissect(run, c.record.Metric, scenarios.ArmSlower)
	if at < 0 || !ok {
		return fmt.Errorf("run %s compared nothing: %s", run.Header.ID, s.Answer)
	}
	x := s.Comparisons[at]
	r := results.CalibrationRun{ID: run.Header.ID, Boot: run.Header.Machine.BootID, Started: run.Header.Started, Slowdown: float64(share),
		Truth: analysis.Injected(run, scenarios.ArmOff, scenarios.ArmSlower), Change: x.Change, Lo: x.Lo, Hi: x.Hi, Verdict: string(x.Verdict),
		Trials: s.Trials + s.Invalid, Invalid: s.Invalid, DurationS: s.DurationS, WithinSD: d.Within}
	if math.IsNaN(r.Truth) {
		return fmt.Errorf("run %s has no slice that counts", run.Header.ID)
	}
	r.Effect, r.EffectSD = calibration.Moments(d.Effects)
	r.Level, r.LevelSD = calibration.Moments(d.Levels)
	for _, w := range s.Warnings {
		r.Warnings = append(r.Warnings, string(w.Code))
	}
	if s.TooFewQuiet {
		r.Warnings = append(r.Warnings, calibration.TooDisturbed)
	}
	// Of request and response in turn the source's time is a part of every
	// transaction, whatever the rest of it is.
	if limit := s.Arms[0].Limit; limit != nil && c.record.Arm.Kind != vocab.RR && limit.Role != "source" && limit.Role != "both" {
		r.Warnings = append(r.Warnings, calibration.NotTheSource)
	}
	c.record.Runs = append(c.record.Runs, r)
	return c.keep()
}

func (c *calibrator) keep() error {
	c.record.Ended = time.Now().UTC()
	_, err := c.store.KeepCalibration(&c.record)
	return err
}

// call makes one run; stop is its own rule if nil.
func (c *calibrator) call(ctx context.Context, l *loaded, stop runner.StopFunc) (*results.Run, error) {
	o, err := l.options(c.store.CalibrationStore(), c.rng.Uint64()>>11|1, c.claimed, c.machine)
	if err != nil {
		return nil, err
	}
	o.Stop = stop
	if stop == nil {
		o.Stop = stopRule(analysis.NewStop(o.Header.Design, o.Seed), &progress{})
	}
	run, err := measure(ctx, o)
	if err == nil && run.End.Reason == vocab.Interrupted {
		err = errors.New("interrupted: what was measured so far is kept and shown")
	}
	return run, err
}

// wholeTrials measures as other tools do.
func (c *calibrator) wholeTrials(ctx context.Context) error {
	run, err := c.call(ctx, c.whole, func(trials []results.Trial, _ time.Duration, last bool) runner.Decision {
		valid := 0
		for i := range trials {
			if trials[i].Invalid == "" {
				valid++
			}
		}
		return runner.Decision{Stop: last || valid >= c.samples, Reason: vocab.Decided}
	})
	if err != nil {
		return err
	}
	w := &results.WholeTrials{ID: run.Header.ID, Slowdown: float64(c.whole.arms[1].Config.Traffic.Source.Slowdown),
		Truth: analysis.Injected(run, scenarios.ArmOff, scenarios.ArmSlower), SampleS: sampleTime.Seconds()}
	s := analysis.Summarize(run)
	for _, x := range s.Comparisons {
		if x.Metric == c.record.Metric && x.Arm == scenarios.ArmSlower {
			w.Change, w.Lo, w.Hi = x.Change, x.Lo, x.Hi
		}
	}
	for _, l := range analysis.LevelsByTrial(run, c.record.Metric, scenarios.ArmOff) {
		w.Off = append(w.Off, l.Value)
	}
	for _, l := range analysis.LevelsByTrial(run, c.record.Metric, scenarios.ArmSlower) {
		w.Slower = append(w.Slower, l.Value)
	}
	w.WallS = s.DurationS / float64(2*len(run.Trials))
	c.record.Samples = w
	return nil
}
