// Package experiment measures how sure a machine can be, and how soon: one
// configuration against itself, and against itself slowed down by known shares, in
// many runs whose order is random. Package analysis/calibration says what it comes to.
//
// It lies below cmd, because it measures and judges in turn: what is kept of a run is
// its verdict.
package experiment

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"netab/analysis/prose"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/runner"
	"netab/scenarios"
)

// A Design says which runs are wanted.
type Design struct {
	Runs      int // of the configuration against itself
	Injected  int // for each slowdown
	Slowdowns []scenarios.Fraction
	Whole     int           // samples of each configuration by whole trials
	Spread    time.Duration // 0 = one run after the other
	Seed      uint64        // 0 draws one
}

// An Experiment is laid out, and then carried out once.
type Experiment struct {
	slowed  map[scenarios.Fraction]*question.Question
	order   []scenarios.Fraction // of the runs
	whole   *question.Question   // nil = none
	samples int
	maxTime time.Duration
	starts  []time.Duration // of the runs, from the first's; nil = one after the other

	at     Surroundings
	record results.Calibration
	rng    *rand.Rand
}

// Classical samples are of 2 s, in two slices because a trial has two at least.
const (
	sampleTime   = 2 * time.Second
	sampleSlices = 2
	sampleSettle = 5 * time.Millisecond
)

// New lays out all runs about the baseline arm of a question.
func New(q *question.Question, d Design) (*Experiment, error) {
	q.Measure.Sessions, q.Measure.Spread = 0, 0 // each run is one: d.Spread is between them
	at := slices.IndexFunc(q.Arms, func(a scenarios.Arm) bool { return a.Name == q.BaselineArm(q.Arms) })
	arm := q.Arms[max(0, at)]
	seed := cmp.Or(d.Seed, question.NewSeed())
	e := &Experiment{slowed: map[scenarios.Fraction]*question.Question{}, samples: d.Whole, rng: rand.New(rand.NewPCG(seed, 1)), maxTime: time.Duration(q.Measure.MaxTime)}
	e.record = results.Calibration{Scenario: q.Name, Seed: seed, Metric: q.Measure.Metrics[0],
		Confidence: float64(q.Measure.Confidence), Resolution: float64(q.Measure.Resolution), MaxTimeS: e.maxTime.Seconds()}
	if err := e.add(q, arm, 0, d.Runs); err != nil {
		return nil, err
	}
	e.record.Arm = e.slowed[0].Design().Arms[0]
	var largest scenarios.Fraction
	if d.Injected > 0 {
		for _, share := range d.Slowdowns {
			largest = max(largest, share)
			if err := e.add(q, arm, share, d.Injected); err != nil {
				return nil, err
			}
		}
	}
	if all := time.Duration(len(e.order)) * e.maxTime; d.Spread > 0 && d.Spread < all {
		return nil, fmt.Errorf("--spread %v is shorter than %s of %v, %v together", d.Spread, prose.Counted(len(e.order), "run"), e.maxTime, all)
	}
	if len(e.order) > 1 && d.Spread > 0 {
		e.record.SpreadS = d.Spread.Seconds()
		e.starts = runner.SessionStarts(len(e.order), d.Spread, e.maxTime, seed)
	}
	e.rng.Shuffle(len(e.order), func(i, j int) { e.order[i], e.order[j] = e.order[j], e.order[i] })
	if d.Whole == 0 {
		return e, nil
	}
	s, err := scenarios.Override(e.slowed[largest].Scenario, "measure.grain=trial", fmt.Sprintf("measure.slice=%v", sampleTime/sampleSlices+sampleSettle),
		fmt.Sprintf("measure.settle=%v", sampleSettle), fmt.Sprintf("measure.trial=%v", 2*(sampleTime+sampleSlices*sampleSettle)), "measure.max_time=1h")
	if err != nil {
		return nil, err
	}
	e.whole, err = q.With(s)
	return e, err
}

// add adds runs of a configuration against itself slowed down by a share.
func (e *Experiment) add(q *question.Question, arm scenarios.Arm, share scenarios.Fraction, runs int) error {
	slowed, err := scenarios.Slowed(q.Scenario, arm, share)
	if err != nil {
		// Not wrapped: the fault has no place in the file.
		return fmt.Errorf("%s cannot be slowed down (--injected 0 does without): %v", q.Name, err)
	}
	if e.slowed[share], err = q.With(slowed); err != nil {
		return err
	}
	e.order = append(e.order, slices.Repeat([]scenarios.Fraction{share}, runs)...)
	return nil
}
