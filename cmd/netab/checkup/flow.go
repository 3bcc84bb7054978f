// Package checkup measures for netab doctor what no scenario asks: how far apart two
// CPUs are and how steady, and how the rate of one flow wanders. It says in lines what
// it found, and prints nothing.
package checkup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"netab/analysis"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/vocab"
	"netab/runner"
)

// A Flow is what the doctor lets run: the roles are where a scenario puts them by
// default.
type Flow struct {
	question *question.Question
	where    string
}

// NewFlow is one on a machine with so many CPUs.
func NewFlow(cpus int) (*Flow, error) {
	f := &Flow{where: "a pinned TCP flow over loopback"}
	sets := []string{"measure.max_time=30s", "measure.trial=5s"}
	if cpus < 2 {
		f.where += ", both ends on one CPU"
		sets = append(sets, "placement=same")
	}
	var err error
	f.question, err = question.Load("level", sets)
	return f, err
}

// CPUs are those of its source and its sink; not ok where they are not pinned.
func (f *Flow) CPUs() (cpus [2]int, ok bool) {
	roles := f.question.Arms[0].CPUs
	if len(roles.Source) == 0 || len(roles.Sink) == 0 {
		return cpus, false
	}
	return [2]int{roles.Source[0], roles.Sink[0]}, true
}

// A Wander is what the rate of a flow did.
type Wander struct {
	Known  bool // else no trial showed a rate
	Lines  []string
	Advice []analysis.Advice
}

// maxTries is how many trials are made: on a slow guest the first may begin too late,
// or a flow not come to run in all of its time.
const maxTries = 3

// Wander measures it for 5 s and says what its rate does; nil where there is no trial.
func (f *Flow) Wander(ctx context.Context, here question.Here) (*Wander, error) {
	o, err := f.question.Options(here)
	if err != nil {
		return nil, err
	}
	o.Stop = func(trials []results.Trial, _ time.Duration, _ bool) runner.Decision {
		_, known := wanderOf(trials)
		return runner.Decision{Stop: known || len(trials) == maxTries, Reason: vocab.MaxTime}
	}
	run, err := question.Ask(ctx, o)
	if run == nil || len(run.Trials) == 0 {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	wa, known := wanderOf(run.Trials)
	if !known {
		return &Wander{Lines: notKnown(run.Trials)}, err
	}
	w := &Wander{Known: true, Advice: analysis.Summarize(run).Advice}
	w.Lines = append(w.Lines, fmt.Sprintf("%s: %.3g Gbit/s, coefficient of variation of %d slices of %v %.1f %%, of adjacent differences %.1f %%",
		f.where, wa.Mean/1e9, wa.Slices, o.Slice, 100*wa.CV, 100*wa.AdjacentCV))
	if invalid := len(run.Trials) - 1; invalid > 0 {
		w.Lines = append(w.Lines, fmt.Sprintf("only at try %d; the first: %s", len(run.Trials), whyNot(run.Trials[0])))
	}
	w.Lines = append(w.Lines, advice(wa))
	return w, err
}

// wanderOf is the wander of the last trial that shows one, else of the last.
func wanderOf(trials []results.Trial) (wa analysis.Wander, known bool) {
	for i := range trials {
		t := &trials[i]
		if wa = analysis.WanderOf(t.Slices, 0); t.Invalid == "" && wa.Known() {
			return wa, true
		}
	}
	return wa, false
}

// notKnown says that there is nothing to say, and what may be the reason.
func notKnown(trials []results.Trial) []string {
	first, last := whyNot(trials[0]), whyNot(trials[len(trials)-1])
	lines := []string{fmt.Sprintf("not known: %s gave no rate; the last: %s", tries(len(trials)), last)}
	if first != last {
		lines = append(lines, "the first: "+first)
	}
	return append(lines, "too busy, too few CPUs, a CPU quota or stolen time keep source and sink from their CPUs: see the warnings above; runs will hardly be valid here")
}

// whyNot says why a trial shows no rate.
func whyNot(t results.Trial) string {
	wa := analysis.WanderOf(t.Slices, 0)
	switch {
	case t.Invalid != "":
		return t.Invalid
	case wa.Slices == 0:
		return "no slice counted"
	case wa.Silent == wa.Slices:
		return fmt.Sprintf("nothing was received in any of %d slices", wa.Slices)
	}
	return fmt.Sprintf("something was received in %d of %d slices only: too few to say how the rate wanders", wa.Slices-wa.Silent, wa.Slices)
}

// advice says what the wander means for somebody who wants to measure here.
func advice(wa analysis.Wander) string {
	switch {
	case wa.Silent > 0:
		return fmt.Sprintf("in %d of %d slices nothing was received: the flow does not always come to run; fewer neighbours, pinning and longer slices (measure.slice) help", wa.Silent, wa.Slices)
	case wa.CV < 0.02:
		return "a quiet machine: small effects show within seconds"
	case wa.AdjacentCV < 0.7*wa.CV:
		return "the rate drifts, but neighbouring slices agree: comparisons are sharp, levels of one arm are not"
	default:
		return "the rate is noisy from slice to slice: expect longer runs; fewer neighbours, a fixed frequency and pinning help"
	}
}

func tries(n int) string {
	if n == 1 {
		return "one try"
	}
	return fmt.Sprintf("%d tries", n)
}
