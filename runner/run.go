// Package runner measures: it builds the topology of every arm, turns the
// knobs, lets sources and sinks run slice by slice, and writes down what
// happened, trial by trial, until a stop rule that it is given says enough.
//
// It never judges: effects and verdicts are package analysis's, which it does
// not import. And it leaves the machine as it was: whatever is not in a
// namespace of its own goes through the journal of package knob.
package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"netab/results"
	"netab/results/crew"
	"netab/results/vocab"
	"netab/runner/explain/sample"
	"netab/runner/knob"
	"netab/runner/place"
	"netab/runner/topology"
	"netab/runner/traffic"
	"netab/scenarios"
)

// Options say what to measure and where to keep it.
type Options struct {
	Arms []scenarios.Arm
	// Places are where the sides of the paths are; zero = on this machine.
	Places        place.Pair
	Slice, Settle time.Duration
	Trial         time.Duration
	WholeTrials   bool          // whole trials take turns, not slices
	NoCanaries    bool          // nothing is measured of the CPUs themselves
	MaxTime       time.Duration // of all sessions together
	// Starts is when each session begins, from when the first one does (see
	// SessionStarts); nil = there is one.
	Starts []time.Duration
	// Pause lets go of the machine until the next session begins, and takes it
	// again.
	Pause PauseFunc
	// Lead is what trials needed beyond the usual to begin in time when last
	// measured on this machine (results.End.LeadNS).
	Lead time.Duration
	Seed uint64
	// Write keeps the records. It is called between trials only.
	Header  results.Header // Plan is filled in
	Store   string
	Journal *knob.Journal
	// Locks are inherited by the agents, so that they are held until the last of
	// them has ended.
	Locks []*os.File
	// Stop judges the trials so far: see analysis.Stop.
	Stop StopFunc
	// Break judges them where the run is interrupted, and may be resumed; nil = Stop.
	Break StopFunc
	// Resume, if set, goes on with a run in place of beginning one.
	Resume *Resume
	// LossFree judges the slices of arms that ask for their loss-free rate: see
	// analysis.LossFreeRate.
	LossFree RateFunc
	// AllowSysctl are sysctls, by their paths below /proc/sys, that the arms may set
	// though no scenario may unasked: see scenarios.Unasked.
	AllowSysctl []string
	// Explain, if set, says after the last trial what explain trials shall be about; nil
	// = nothing needs them.
	Explain func(trials []results.Trial) *Explaining
	// Explained, if set, is told after every explain trial how much of their time is over.
	Explained func(elapsed, of time.Duration)
	// Planned, if set, is told what will be done, before anything is changed.
	Planned func(*Preview)
	// KeepProcesses: agents' processes serve one trial after another; all else of a
	// trial is fresh. An experiment, see agent.Starter.Keep.
	KeepProcesses bool
	// Progress, if set, is told after every trial.
	Progress func(trials []results.Trial, elapsed time.Duration)
}

// A StopFunc is the stop rule: it is called after every trial with the time
// since the first began; last says that no other trial fits into the time.
type StopFunc func(trials []results.Trial, elapsed time.Duration, last bool) Decision

// A PauseFunc releases what holds the machine, waits until then, and returns what
// takes the place of Options.Journal and Options.Locks. In between others may
// measure, and the machine is as it was before the run.
type PauseFunc func(ctx context.Context, until time.Time) (*knob.Journal, []*os.File, error)

// A Decision is the stop rule's answer.
type Decision struct {
	Look *results.Look // if this was one
	Stop bool
	// Rest are arms that are measured no more: what was asked of them is answered.
	Rest []int
	// Reason of stopping, for the record: decided, max-time.
	Reason vocab.End
}

// ErrInterrupted is the cause of a context that a user's Ctrl-C ended.
var ErrInterrupted = errors.New("interrupted")

// maxInvalid is how many trials in a row may fail before the run gives up.
const maxInvalid = 3

// A run is one call of Run.
type run struct {
	Options
	ctx      context.Context
	plan     *plan
	at       place.Pair
	local    *place.Local // nil unless Options named no places: they are the caller's to close
	rng      *rand.Rand
	switcher *switcher
	writer   *results.Writer
	search   map[int]*search // by arm
	nic      *topology.NIC   // nil unless the arms share existing interfaces
	trials   []results.Trial
	end      results.End
	number   int           // of the session, from 0
	began    time.Time     // the first session
	first    time.Time     // of this session's first trial
	measured time.Duration // by the sessions before
	moreLead time.Duration // that a trial gets after one that began too soon
	resting  map[int]bool  // arms that are measured no more
	learning bool          // the last trial began too soon, and the next gets more
	canaries canaries
	explains []results.Explain
	// keepExplain keeps a trial of theirs, the first of which has this index.
	keepExplain  func(results.Explain) error
	firstExplain int
	symbols      *sample.Symbols // of the kernel, once they were needed
	unsampled    string          // why no samples can be taken
	observer     observer
	unwatched    string // why no events can be watched

	instruments *instruments // of the explain trial that is measured; nil in all others
}

// Run measures until the stop rule, the time limit or ctx ends it. It returns
// the run as far as it got, also beside an error; the run file holds the same.
func Run(ctx context.Context, o Options) (*results.Run, error) {
	r, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return r.carryOut()
}

// carryOut does what was planned.
func (r *run) carryOut() (*results.Run, error) {
	if err := crew.Reported(func() error {
		if r.Planned != nil {
			r.Planned(r.preview())
		}
		if r.Resume != nil {
			return r.reopen()
		}
		return r.open()
	}); err != nil {
		return nil, err
	}
	defer spareFromOOM()()
	defer r.canaries.close()
	err := crew.Reported(r.measure)
	if err == nil && r.end.Reason != vocab.Interrupted && r.Explain != nil {
		err = crew.Reported(r.explain)
	}
	err = errors.Join(err, r.finish(err))
	run := &results.Run{Header: r.Header, Trials: r.trials, Explains: r.explains, End: &r.end}
	if r.Resume != nil {
		run.Resumed, run.Explains = r.Resume.Run.Resumed, append(slices.Clone(r.Resume.Run.Explains), r.explains...)
	}
	return run, err
}

// Plan makes the plan of a run and changes nothing: for --dry-run.
func Plan(ctx context.Context, o Options) (*Preview, error) {
	r, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	r.close()
	return r.preview(), nil
}

func prepare(ctx context.Context, o Options) (*run, error) {
	r := &run{Options: o, ctx: ctx, at: o.Places, rng: rand.New(rand.NewPCG(o.Seed, 0)), moreLead: min(max(o.Lead, 0), maxLead)}
	r.canaries.learnGap(0)
	if r.at == (place.Pair{}) {
		r.local = place.NewLocal()
		r.at = place.Both(r.local)
	}
	if o.KeepProcesses {
		if err := r.keepProcesses(); err != nil {
			r.close()
			return nil, err
		}
	}
	var p *plan
	err := crew.Reported(func() (err error) { p, err = makePlan(ctx, o, r.at); return err })
	if err != nil {
		r.close()
		return nil, err
	}
	r.plan = p
	r.search = r.searches()
	r.switcher = newSwitcher(o.Journal, p.shared, r.hand)
	return r, nil
}

func (r *run) keepProcesses() error {
	if r.local == nil {
		return errors.New("agents' processes can be kept on this machine only")
	}
	return r.local.Keep()
}

// close ends what runs at places that are the run's own.
func (r *run) close() {
	if r.local != nil {
		_ = r.local.Close(context.WithoutCancel(r.ctx)) // has no error
	}
}

// open makes the run file.
func (r *run) open() error {
	if err := r.describe(); err != nil {
		return err
	}
	w, err := results.Create(r.Store, r.Header.ID, r.Header)
	if err != nil {
		return err
	}
	r.writer, r.keepExplain = w, w.AppendExplain
	r.Header.Type, r.Header.Schema = "header", results.SchemaRun
	return nil
}

// describe fills in what the header says of the plan and the machines.
func (r *run) describe() error {
	r.plan.counters = planCounters(r.plan.slice, traffic.WatchCost)
	r.Header.Plan = r.plan.record()
	if r.KeepProcesses {
		r.Header.Plan.Processes = "kept"
	}
	if err := r.describePlaces(); err != nil {
		return err
	}
	r.plan.devices.record(&r.Header.Machine)
	r.Header.Seed = r.Seed
	return nil
}

// describePlaces puts the machines of the places into the record, the first one's as
// Machine: that of this machine is there already.
func (r *run) describePlaces() error {
	for i, p := range r.at.Each() {
		if p.Name() == "" && i == 0 {
			continue
		}
		m, err := results.ReadMachine(p.Host())
		if err != nil {
			return fmt.Errorf("%s: %w", place.Called(p), err)
		}
		if m.Place = p.Name(); i == 0 {
			r.Header.Machine = m
		} else {
			r.Header.Others = append(r.Header.Others, m)
		}
	}
	return nil
}

// measure runs the sessions, one after the other.
func (r *run) measure() error {
	r.began = time.Now()
	if r.number > 0 && r.number < len(r.Starts) { // as if the sessions before had been met
		r.began = r.began.Add(-r.Starts[r.number])
	}
	for {
		if over, err := r.oneSession(); over || err != nil {
			return err
		}
		if err := r.nextSession(); err != nil {
			if r.ctx.Err() != nil {
				return r.interrupted()
			}
			return err
		}
	}
}

// oneSession runs trials until something says enough, of the session or of the run.
func (r *run) oneSession() (over bool, err error) {
	if err := r.switcher.begin(); err != nil {
		return true, err
	}
	if err := r.openNIC(); err != nil {
		return true, err
	}
	if err := r.switcher.rehearse(len(r.plan.arms)); err != nil {
		return true, err
	}
	if r.first.IsZero() {
		r.explore()
		r.canaries.said = nil // those trials are not kept
	}
	r.first = time.Now()
	invalid := 0
	for {
		t := r.trial(len(r.trials))
		t.Session = r.number
		if r.ctx.Err() != nil {
			return true, r.interrupted()
		}
		if err := r.writer.AppendTrial(t); err != nil {
			return true, err
		}
		t.Type = "trial"
		r.trials = append(r.trials, t)
		r.learn(&t)
		if t.Invalid != "" {
			r.canaries.said = nil // its warnings are seldom read
		}
		if t.Invalid == "" {
			invalid = 0
		} else if r.learning {
			// An agent was late: the next trial gets more time, up to a bound.
		} else if invalid++; invalid == maxInvalid {
			return true, fmt.Errorf("%d trials in a row failed, the last one: %s", invalid, t.Invalid)
		}
		elapsed := r.elapsed()
		ends := r.noTimeLeft(elapsed)
		d := r.Stop(r.trials, elapsed, ends && r.lastSession())
		if d.Look != nil {
			r.end.Looks = append(r.end.Looks, *d.Look)
		}
		if r.Progress != nil {
			r.Progress(r.trials, elapsed)
		}
		if d.Stop {
			r.end.Reason = d.Reason
			return true, nil
		}
		r.rest(d.Rest)
		if ends && !r.lastSession() {
			return false, nil
		}
	}
}

// elapsed is for how long has been measured, the time between sessions left out.
func (r *run) elapsed() time.Duration { return r.measured + time.Since(r.first) }

// noTimeLeft says whether another trial, as long as those before, would end
// past the time limit, or past this session's share of it. While none of the
// session is valid there is nothing to judge, and one that is (maxInvalid bounds
// how many are tried) is worth its time.
func (r *run) noTimeLeft(elapsed time.Duration) bool {
	if !slices.ContainsFunc(r.trials, func(t results.Trial) bool { return t.Invalid == "" && t.Session == r.number }) {
		return false
	}
	share := r.MaxTime
	if n := len(r.Starts); r.number+1 < n {
		share = r.MaxTime * time.Duration(r.number+1) / time.Duration(n)
	}
	each := elapsed / time.Duration(len(r.trials))
	if last := &r.trials[len(r.trials)-1]; len(r.resting) > 0 { // trials get shorter
		each = time.Since(last.Started)
	}
	return elapsed+each > share
}

// interrupted gives the stop rule its last look: what was measured so far is
// judged with the alpha that is left.
func (r *run) interrupted() error {
	r.end.Reason = vocab.Interrupted
	if len(r.trials) > 0 {
		judge := r.Stop
		if r.Break != nil {
			judge = r.Break
		}
		if d := judge(r.trials, r.elapsed(), true); d.Look != nil {
			r.end.Looks = append(r.end.Looks, *d.Look)
		}
	}
	if cause := context.Cause(r.ctx); !errors.Is(cause, ErrInterrupted) {
		return cause
	}
	return nil
}

// finish puts the machine back as it was, whatever happened, and ends the run
// file.
func (r *run) finish(failed error) error {
	if failed != nil {
		r.end.Reason = vocab.FailedBy(failed)
	}
	ctx := context.WithoutCancel(r.ctx)
	err := r.putBack(ctx)
	r.end.LeadNS = int64(r.moreLead)
	r.end.Type, r.end.Ended = "end", time.Now().UTC()
	return errors.Join(err, r.writer.End(r.end))
}

// putBack makes the machine what it was.
func (r *run) putBack(ctx context.Context) error {
	// First of all: what writes settings must be gone before they are put back.
	errs := []error{crew.Reported(func() error { return r.switcher.close(ctx) })}
	if r.nic != nil {
		errs = append(errs, crew.Reported(r.nic.Close))
		r.nic = nil
	}
	if err := crew.Reported(func() error { return r.restore(ctx) }); err != nil {
		errs = append(errs, err)
		if len(r.end.RestoreErrors) == 0 { // a panic: some may be put back, and netab restore does the rest
			r.end.RestoreErrors = []string{err.Error()}
		}
	}
	return errors.Join(errs...)
}

func (r *run) restore(ctx context.Context) error {
	if r.Journal == nil { // let go of between sessions, with nothing left to put back
		return nil
	}
	var errs []error
	for _, res := range r.Journal.Restore(ctx) {
		if res.Err != nil {
			r.end.RestoreErrors = append(r.end.RestoreErrors, res.Err.Error())
			errs = append(errs, res.Err)
			continue
		}
		set := res.Setting()
		again := func(s results.Setting) bool { return s.Knob == set.Knob && s.After == set.After } // by a session before
		if !slices.ContainsFunc(r.end.Restored, again) {
			r.end.Restored = append(r.end.Restored, set)
		}
	}
	return errors.Join(errs...)
}
