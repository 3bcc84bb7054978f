package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"netab/analysis"
	"netab/analysis/calibration"
	"netab/analysis/prose"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/vocab"
	"netab/runner"
	"netab/scenarios"
)

// Surroundings are where an experiment is carried out.
type Surroundings struct {
	Store *results.Store
	// Here is made anew for each run, as the machine may have changed. Store and
	// seed are the experiment's.
	Here func() (question.Here, error)
	// Leave lets go of the machine until then, and takes it again.
	Leave func(ctx context.Context, until time.Time) error
	// Printf says what was done; each argument keeps to its line.
	Printf func(format string, args ...any)
}

// maxFailures is how many runs in a row may fail.
const maxFailures = 3

// Run carries it out. The record is what there is of it, also beside an error, and
// is kept in the store after every run.
func (e *Experiment) Run(ctx context.Context, at Surroundings) (*results.Calibration, error) {
	e.at = at
	return &e.record, e.measure(ctx)
}

func (e *Experiment) measure(ctx context.Context) error {
	here, err := e.at.Here()
	if err != nil {
		return err
	}
	now, printf := time.Now(), e.at.Printf
	e.record.ID, e.record.Started = results.NewID(e.record.Scenario, now, question.NewSeed()), now.UTC()
	e.record.Netab, e.record.Machine = here.Netab, here.Machine
	warnings, err := runner.Check(here.Machine)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		printf("warning: %s\n", w.Text)
	}
	over := ""
	if e.starts != nil {
		over = fmt.Sprintf(", spread over %v; the last begins at %s", time.Duration(e.record.SpreadS*float64(time.Second)), now.Add(e.starts[len(e.starts)-1]).Local().Format(time.DateTime))
	}
	printf("%s of %s, at most %v together%s\n", prose.Counted(len(e.order), "run"), e.record.Scenario, (time.Duration(len(e.order)) * e.maxTime).Round(time.Second), over)
	failures := 0
	for i, share := range e.order {
		if i > 0 && e.starts != nil {
			if err := e.at.Leave(ctx, now.Add(e.starts[i])); err != nil {
				return err // what there is was kept
			}
		}
		if err := e.one(ctx, share); err != nil {
			// One run that fails, on a machine that was too busy for it, is not worth
			// the others.
			if failures++; ctx.Err() != nil || failures == maxFailures {
				return err
			}
			printf("%3d/%d  failed: %v\n", i+1, len(e.order), err)
			continue
		}
		failures = 0
		r := e.record.Runs[len(e.record.Runs)-1]
		printf("%3d/%d  slowed down by %4.3g %%: %+6.2f %% (%+.2f to %+.2f, put there %+.2f)  %-12s %5.1f s\n",
			i+1, len(e.order), 100*r.Slowdown, 100*r.Change, 100*r.Lo, 100*r.Hi, 100*r.Truth, r.Verdict, r.DurationS)
	}
	if e.whole == nil {
		return e.keep()
	}
	printf("%d samples of whole trials of each configuration\n", e.samples)
	return errors.Join(e.wholeTrials(ctx), e.keep())
}

// one makes one run and keeps what it found, so that an interruption loses
// one run at most.
func (e *Experiment) one(ctx context.Context, share scenarios.Fraction) error {
	run, err := e.ask(ctx, e.slowed[share], nil)
	if err != nil {
		return err
	}
	s := analysis.Summarize(run)
	at := slices.IndexFunc(s.Comparisons, func(x analysis.Comparison) bool { return x.Metric == e.record.Metric && x.Arm == scenarios.ArmSlower })
	d, ok := analysis.Dissect(run, e.record.Metric, scenarios.ArmSlower)
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
	if limit := s.Arms[0].Limit; limit != nil && e.record.Arm.Kind != vocab.RR && limit.Role != "source" && limit.Role != "both" {
		r.Warnings = append(r.Warnings, calibration.NotTheSource)
	}
	e.record.Runs = append(e.record.Runs, r)
	return e.keep()
}

func (e *Experiment) keep() error {
	e.record.Ended = time.Now().UTC()
	_, err := e.at.Store.KeepCalibration(&e.record)
	return err
}

// ask makes one run; stop is its own rule if nil.
func (e *Experiment) ask(ctx context.Context, q *question.Question, stop runner.StopFunc) (*results.Run, error) {
	here, err := e.at.Here()
	if err != nil {
		return nil, err
	}
	here.Store, here.Seed = e.at.Store.CalibrationStore(), e.rng.Uint64()>>11|1
	o, err := q.Options(here)
	if err != nil {
		return nil, err
	}
	if stop != nil {
		o.Stop = stop
	}
	run, err := question.Ask(ctx, o)
	if err == nil && run.End.Reason == vocab.Interrupted {
		err = errors.New("interrupted: what was measured so far is kept and shown")
	}
	return run, err
}

// wholeTrials measures as other tools do.
func (e *Experiment) wholeTrials(ctx context.Context) error {
	run, err := e.ask(ctx, e.whole, func(trials []results.Trial, _ time.Duration, last bool) runner.Decision {
		valid := 0
		for i := range trials {
			if trials[i].Invalid == "" {
				valid++
			}
		}
		return runner.Decision{Stop: last || valid >= e.samples, Reason: vocab.Decided}
	})
	if err != nil {
		return err
	}
	w := &results.WholeTrials{ID: run.Header.ID, Slowdown: float64(e.whole.Arms[1].Config.Traffic.Source.Slowdown),
		Truth: analysis.Injected(run, scenarios.ArmOff, scenarios.ArmSlower), SampleS: sampleTime.Seconds()}
	s := analysis.Summarize(run)
	for _, x := range s.Comparisons {
		if x.Metric == e.record.Metric && x.Arm == scenarios.ArmSlower {
			w.Change, w.Lo, w.Hi = x.Change, x.Lo, x.Hi
		}
	}
	for _, l := range analysis.LevelsByTrial(run, e.record.Metric, scenarios.ArmOff) {
		w.Off = append(w.Off, l.Value)
	}
	for _, l := range analysis.LevelsByTrial(run, e.record.Metric, scenarios.ArmSlower) {
		w.Slower = append(w.Slower, l.Value)
	}
	w.WallS = s.DurationS / float64(2*len(run.Trials))
	e.record.Samples = w
	return nil
}
