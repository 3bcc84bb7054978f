package question

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"netab/analysis"
	"netab/results"
	"netab/results/vocab"
	"netab/runner"
	"netab/runner/claim"
	"netab/runner/knob"
)

// Here is where and by whom a question is asked: all that a run needs besides it.
type Here struct {
	Store   string
	Machine results.Machine
	Netab   results.Build
	Claim   *claim.Claim // the zero Claim is enough for a plan
	Seed    uint64       // 0 = the scenario's, else one is drawn
	// Leave lets go of the machine until then, and takes it again in the same Claim. A
	// run of one session needs none.
	Leave func(ctx context.Context, until time.Time) error
	// Resume, if set, is a run to go on with, and Mark what its record will say of that.
	Resume *results.Run
	Mark   results.Resumption
	// Looked, if set, is told what the stop rule says after every trial.
	Looked func(trials []results.Trial, elapsed time.Duration, d analysis.Decision)
}

// Options are what the runner needs for a run of its own. What follows is journaled as
// that run's.
func (q *Question) Options(here Here) (runner.Options, error) {
	m := q.Measure
	for _, a := range q.Arms {
		if a.Config.Kernel != "" {
			return runner.Options{}, fmt.Errorf("arm %s names a kernel, %s: only netab run boots kernels", a.Name, a.Config.Kernel)
		}
	}
	scenario, err := json.Marshal(q.Scenario)
	if err != nil {
		return runner.Options{}, err
	}
	now := time.Now()
	id := results.NewID(q.Name, now, NewSeed())
	if here.Resume != nil {
		id, here.Seed = here.Resume.Header.ID, here.Resume.Header.Seed
	}
	if err := here.Claim.Begin(id, here.Netab.Version); err != nil {
		return runner.Options{}, err
	}
	design, seed := q.Design(), cmp.Or(here.Seed, m.Seed, NewSeed())
	stop := analysis.NewStop(design, seed)
	if here.Resume != nil {
		stop.GoOn(here.Resume, here.Mark)
	}
	o := runner.Options{
		Arms: q.Arms, Slice: time.Duration(m.Slice), Settle: time.Duration(m.Settle), Trial: time.Duration(m.Trial),
		MaxTime: time.Duration(m.MaxTime), WholeTrials: m.Grain == vocab.ByTrial, NoCanaries: m.Canaries == "off", Seed: seed,
		Starts: q.starts(seed), Store: here.Store, Journal: here.Claim.Journal, Locks: here.Claim.Files(), AllowSysctl: q.Allowed,
		Stop:          stopRule(stop, q.limit(), here.Looked),
		Break:         breakRule(stop, here.Looked),
		LossFree:      func(t *results.Trial, arm int) (float64, int) { return analysis.LossFreeRate(design.Arms, t, arm) },
		KeepProcesses: os.Getenv("NETAB_PROCESSES") == "kept", // for bench/keep.sh
		Header: results.Header{ID: id, Scenario: scenario, Source: q.Source, Design: design, Seed: seed,
			Netab: here.Netab, Command: os.Args, Started: now.UTC(), Machine: here.Machine},
	}
	if len(o.Starts) > 0 && here.Leave != nil {
		o.Pause = here.pause(id)
	}
	return o, nil
}

// NewSeed draws one.
func NewSeed() uint64 {
	var b [8]byte
	rand.Read(b[:])                                 // never fails
	return binary.LittleEndian.Uint64(b[:])>>11 | 1 // exact in JSON readers that know only float64
}

// starts is when each of several sessions begins; nil of one.
func (q *Question) starts(seed uint64) []time.Duration {
	return runner.SessionStarts(q.Measure.Sessions, time.Duration(q.Measure.Spread), q.EachSession(), seed)
}

// EachSession is how long each session measures.
func (q *Question) EachSession() time.Duration {
	return time.Duration(q.Measure.MaxTime) / time.Duration(max(1, q.Measure.Sessions))
}

// pause leaves the machine between two sessions of a run.
func (here Here) pause(run string) runner.PauseFunc {
	return func(ctx context.Context, until time.Time) (*knob.Journal, []*os.File, error) {
		if err := here.Leave(ctx, until); err != nil {
			return nil, nil, err
		}
		if err := here.Claim.Begin(run, here.Netab.Version); err != nil {
			return nil, nil, err
		}
		return here.Claim.Journal, here.Claim.Files(), nil
	}
}

// breakRule gives the runner the look at which a run is interrupted.
func breakRule(stop *analysis.Stop, looked func([]results.Trial, time.Duration, analysis.Decision)) runner.StopFunc {
	return func(trials []results.Trial, elapsed time.Duration, _ bool) runner.Decision {
		d := stop.Break(trials, elapsed)
		if looked != nil {
			looked(trials, elapsed, d)
		}
		out := runner.Decision{Stop: true, Reason: vocab.Interrupted}
		if d.Look {
			out.Look = &d.Record
		}
		return out
	}
}

// stopRule gives the runner the rule as a function.
func stopRule(stop *analysis.Stop, limit *limit, looked func([]results.Trial, time.Duration, analysis.Decision)) runner.StopFunc {
	return func(trials []results.Trial, elapsed time.Duration, last bool) runner.Decision {
		enough := limit.reached(trials)
		d := stop.Look(trials, elapsed, last || enough)
		if looked != nil {
			looked(trials, elapsed, d)
		}
		out := runner.Decision{Stop: d.Stop, Reason: vocab.MaxTime, Rest: d.Record.Rested}
		if d.Look {
			out.Look = &d.Record
		}
		switch {
		case d.Converged:
			out.Reason = vocab.Decided
		case enough:
			out.Stop, out.Reason = true, vocab.Enough
		}
		return out
	}
}
