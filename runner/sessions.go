package runner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// SessionStarts is when each of n sessions begins that are spread over a time and
// take so long each: the first at once, each other one at random in its own part,
// so that what comes once an hour is not met by all or by none. Equal seeds make
// equal starts; nil of one session.
func SessionStarts(n int, spread, each time.Duration, seed uint64) []time.Duration {
	if n < 2 {
		return nil
	}
	rng := rand.New(rand.NewPCG(seed, 0x73657373)) // apart from what the trials draw
	starts := make([]time.Duration, n)
	for i := 1; i < n; i++ {
		from, to := spread*time.Duration(i)/time.Duration(n), spread*time.Duration(i+1)/time.Duration(n)
		starts[i] = from + time.Duration(rng.Float64()*float64(max(0, to-from-each)))
	}
	return starts
}

func (r *run) lastSession() bool { return r.number+1 >= len(r.Starts) }

// nextSession puts the machine back, lets go of it until the next session begins,
// and plans anew: what was found before is not what others left in between. A
// session that comes late, because another run measures, begins as soon as it can.
func (r *run) nextSession() error {
	r.measured = r.elapsed()
	if err := r.putBack(context.WithoutCancel(r.ctx)); err != nil {
		return err
	}
	r.Journal, r.Locks = nil, nil
	r.number++
	journal, locks, err := r.Pause(r.ctx, r.began.Add(r.Starts[r.number]))
	r.first = time.Now() // the wait is nothing that was measured
	if err != nil {
		return err
	}
	r.Journal, r.Locks = journal, locks
	p, err := makePlan(r.ctx, r.Options, r.at)
	if err != nil {
		return fmt.Errorf("session %d: %w", r.number+1, err)
	}
	p.counters = r.plan.counters // measured once: a run reads them in one way
	if now := p.record(); now != r.Header.Plan {
		return fmt.Errorf("session %d: the machine is not what it was: the plan is now grain %s (%s), %d blocks of %v; it was grain %s, %d blocks of %v",
			r.number+1, now.Grain, now.Reason, now.BlocksPerTrial, p.slice, r.Header.Plan.Grain, r.Header.Plan.BlocksPerTrial, time.Duration(r.Header.Plan.SliceNS))
	}
	r.plan, r.switcher = p, newSwitcher(journal, p.shared, r.hand)
	return nil
}
