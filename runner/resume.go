package runner

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"netab/results"
)

// A Resume is a run to go on with.
type Resume struct {
	Run    *results.Run    // as far as it is recorded
	Writer *results.Writer // of its record
	Mark   results.Resumption
	// Same says why what is measured from here on would not be comparable with what was:
	// now is the header that a run would have that began here and now.
	Same func(now *results.Header) error
}

// reopen goes on with a run's record. Nothing is written unless the machine and the plan
// are those that it began with.
func (r *run) reopen() error {
	if err := r.describe(); err != nil {
		return err
	}
	of, mark := r.Resume.Run, r.Resume.Mark
	if err := r.Resume.Same(&r.Header); err != nil {
		return err
	}
	now, was := r.plan.record(), of.Header.Plan
	now.Counters, was.Counters = nil, nil
	if now.Processes = was.Processes; now != was {
		return fmt.Errorf("the plan is another than when the run began: grain %s (%s), %d blocks of %v; it was grain %s (%s), %d blocks of %v",
			now.Grain, now.Reason, now.BlocksPerTrial, time.Duration(now.SliceNS), was.Grain, was.Reason, was.BlocksPerTrial, time.Duration(was.SliceNS))
	}
	r.plan.counters = of.Header.Plan.Counters // a run reads them in one way
	if n := len(of.Trials); n > 0 {
		r.number = of.Trials[n-1].Session + 1
	}
	r.measured = time.Duration(mark.ElapsedS * float64(time.Second))
	// A trial takes as much of the stream as it needs, so how far it had come is not
	// known: what follows has one of its own.
	r.rng = rand.New(rand.NewPCG(r.Seed, partStream+uint64(len(of.Resumed)+1)))
	mark.Started = time.Now().UTC()
	if err := r.Resume.Writer.AppendResumption(of, mark); err != nil {
		return err
	}
	r.Header, r.trials = of.Header, of.Trials
	r.rest(resting(of))
	r.end.Looks = append(r.end.Looks, mark.Looks...)
	for _, x := range of.Explains {
		r.firstExplain = max(r.firstExplain, x.Index+1)
	}
	r.writer, r.keepExplain = r.Resume.Writer, r.Resume.Writer.AppendExplain
	return nil
}

// resting are the arms that the last trial of a run was without.
func resting(run *results.Run) (arms []int) {
	n := len(run.Trials)
	if n == 0 || !run.Header.Design.RestDecided || len(run.Trials[n-1].Order) == 0 {
		return nil
	}
	for arm := range run.Header.Design.Arms {
		if !slices.Contains(run.Trials[n-1].Order, arm) {
			arms = append(arms, arm)
		}
	}
	return arms
}

// partStream is what the parts of a run that went on draw from, apart from its first
// part and from when sessions begin.
const partStream = 0x70617274 << 16
