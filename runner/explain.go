package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"netab/results"
	"netab/results/crew"
	"netab/results/vocab"
	"netab/runner/traffic"
)

// An Explaining is what explain trials shall be about.
type Explaining struct {
	Arms []int         // that take turns, the baseline first
	Time time.Duration // for all of them
	// States: the machine has several, so that its canaries are measured here too.
	States bool
	// Unasked: nobody asked for it, so that what cannot be explained is no news.
	Unasked bool
}

// Explain measures explain trials of a run that has ended, of which there are so many
// already, and hands each to keep. The machine is put back as it was.
func Explain(ctx context.Context, o Options, run *results.Run, e *Explaining, keep func(results.Explain) error) error {
	o.Explain = func([]results.Trial) *Explaining { return e }
	r, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer r.close()
	defer spareFromOOM()()
	r.trials, r.keepExplain = run.Trials, keep
	for _, x := range run.Explains {
		r.firstExplain = max(r.firstExplain, x.Index+1)
	}
	err = crew.Reported(func() error {
		if err := r.switcher.begin(); err != nil {
			return err
		}
		if err := r.openNIC(); err != nil {
			return err
		}
		if err := r.switcher.rehearse(len(r.plan.arms)); err != nil {
			return err
		}
		return r.explain()
	})
	if err == nil && r.ctx.Err() != nil && !errors.Is(context.Cause(r.ctx), ErrInterrupted) {
		err = context.Cause(r.ctx)
	}
	return errors.Join(err, r.putBack(context.WithoutCancel(ctx)))
}

// explain measures trials with instruments, behind those of which the verdict is. What
// goes wrong with them is in their records, and never the run's fault.
func (r *run) explain() error {
	e := r.Explain(r.trials)
	if e == nil || len(e.Arms) == 0 {
		return nil
	}
	r.NoCanaries = r.NoCanaries || !e.States // they cost time
	began, failed := time.Now(), 0
	for i := 0; ; i++ {
		elapsed := time.Since(began)
		if i > 0 && elapsed+elapsed/time.Duration(i) > e.Time {
			return nil
		}
		x := r.explainTrial(i, e)
		if r.ctx.Err() != nil {
			return nil // what there is, is kept
		}
		if e.Unasked && strings.HasPrefix(x.Invalid, unable) {
			return nil
		}
		x.Index = r.firstExplain + i
		if err := r.keepExplain(x); err != nil {
			return err
		}
		x.Type = "explain"
		r.explains = append(r.explains, x)
		if x.Invalid == "" {
			failed = 0
		} else if failed++; failed == maxInvalid || strings.HasPrefix(x.Invalid, unable) {
			return nil
		}
		if r.Explained != nil {
			r.Explained(time.Since(began), e.Time)
		}
	}
}

// unable begins what an explain trial says that another would say too.
const unable = "not explained: "

// explainTrial makes one such trial.
func (r *run) explainTrial(index int, e *Explaining) (x results.Explain) {
	x = results.Explain{Started: time.Now().UTC(), Instrument: vocab.Accounting}
	busiest := r.sampledIn(index, e.Arms)
	x.Instrument = r.kindOf(index, busiest)
	if why := r.cannotExplain(e); why != "" {
		x.Invalid = unable + why
		return x
	}
	order := slices.Clone(e.Arms)
	r.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	sessions := [][]int{order}
	if r.plan.grain == vocab.ByTrial {
		sessions = nil
		for _, arm := range order {
			sessions = append(sessions, []int{arm})
		}
	}
	blocks := blocksPerTrial(r.Trial, r.plan.slice, len(order))
	for _, arms := range sessions {
		if err := r.explainSession(&x, arms, blocks, index, busiest); err != nil {
			x.Invalid, x.Slices, x.CPUs = err.Error(), nil, nil
			return x
		}
	}
	return x
}

// cannotExplain says why no explain trial of these arms can be made; "" = it can.
func (r *run) cannotExplain(e *Explaining) string {
	if r.local == nil {
		return "the arms' sides are at other places than this machine"
	}
	for _, arm := range e.Arms {
		if a := r.plan.arms[arm]; a.Config.Traffic.LossFree != nil {
			return fmt.Sprintf("the slices of arm %s differ in the rate that is offered", a.Name)
		}
	}
	return ""
}

// explainSession measures the arms in turns, and adds what instruments tell.
func (r *run) explainSession(x *results.Explain, arms []int, blocks, index int, busiest *busiest) error {
	t := results.Trial{Arms: make([]results.ArmTrial, len(r.plan.arms))}
	for i := range t.Arms {
		t.Arms[i].Arm = i
	}
	var fresh []int
	for _, s := range r.setupsOf(arms) {
		i := slices.IndexFunc(arms, func(arm int) bool { return slices.Contains(s.arms, arm) })
		fresh = append(fresh, arms[i])
	}
	turns := after(warmupTurns(fresh, r.plan.warmup), blocksOf(r.rng, arms, blocks, r.plan.slice, r.plan.settle))
	r.instruments = &instruments{stretches: stretchesOf(r.rng, blocks, index/2), setups: r.plan.setups, splits: index%8 == 2}
	switch x.Instrument {
	case vocab.Events:
		if err := r.observer.read(r.symbols); err != nil {
			r.unwatched = err.Error()
			return err
		}
		r.symbols = r.observer.functions
		r.instruments.stretches, r.instruments.observing = nil, newObserving(r.rng, &r.observer, blocks)
	case vocab.Sampling:
		if blocks < fewestSwitched {
			r.instruments.stretches = []stretch{{0, blocks, true}}
		}
		r.instruments.sampling = &sampling{role: busiest.role, cpus: busiest.cpus, symbols: r.symbols}
		defer func(s *sampling) { r.symbols = s.symbols }(r.instruments.sampling)
	}
	defer func() { r.instruments = nil }()
	if err := r.session(&t, arms, turns); err != nil {
		switch in := r.instruments; {
		case in.refused != nil && in.observing != nil:
			r.unwatched = in.refused.Error()
		case in.refused != nil && in.sampling != nil:
			r.unsampled = in.refused.Error() // the other instrument goes on
		case in.refused != nil:
			return errors.New(unable + in.refused.Error())
		}
		return err
	}
	for _, arm := range arms {
		if why := t.Arms[arm].Failed; why != "" {
			return fmt.Errorf("arm %s: %s", r.plan.arms[arm].Name, why)
		}
	}
	return r.instruments.record(x, &t, turns)
}

// A stretch is blocks of an explain trial with the accounting on, or off. In the first
// block of each it is switched, which disturbs; of the first stretch that is before
// anything is counted.
type stretch struct {
	from, to int // blocks [from, to)
	on       bool
}

// Blocks of a stretch. What is measured without the accounting tells what it costs,
// which takes less.
const (
	blocksOn  = 11
	blocksOff = 7
	// fewestSwitched: a trial of fewer blocks is with the accounting, or without, as a
	// whole.
	fewestSwitched = blocksOn + blocksOff
)

// stretchesOf divides the blocks of a trial. Which comes first is drawn.
func stretchesOf(rng *rand.Rand, blocks, index int) []stretch {
	if blocks < fewestSwitched {
		return []stretch{{0, blocks, index%3 != 2}}
	}
	on := rng.IntN(2) == 0
	var out []stretch
	for at := 0; at < blocks; on = !on {
		n := blocksOff
		if on {
			n = blocksOn
		}
		out = append(out, stretch{at, min(at+n, blocks), on})
		at += n
	}
	if last := len(out) - 1; out[last].to-out[last].from < 3 { // nothing but the switching
		out[last-1].to = out[last].to
		out = out[:last]
	}
	return out
}

// slicesOf pairs a session's slices with their turns.
func slicesOf(t *results.Trial, turns []turn) (map[int]*results.Slice, error) {
	var counted []turn
	for _, turn := range turns {
		if turn.slice >= 0 {
			counted = append(counted, turn)
		}
	}
	if len(counted) != len(t.Slices) {
		return nil, fmt.Errorf("%d slices were recorded of %d", len(t.Slices), len(counted))
	}
	out := map[int]*results.Slice{}
	for i, turn := range counted {
		if s := &t.Slices[i]; s.Arm != turn.arm || s.Block != turn.block {
			return nil, fmt.Errorf("slice %d is recorded as another arm's", turn.slice)
		}
		out[turn.slice] = &t.Slices[i]
	}
	return out, nil
}

// sleepUntil an instant of CLOCK_MONOTONIC.
func sleepUntil(instant int64) { time.Sleep(time.Duration(instant - traffic.Now())) }
