// Package proof shows what a verdict of netab is worth: it runs the method as
// it is, stop rule and all looks included, on simulated worlds with known truth
// (package world), thousands of times each, and counts how often the verdict is
// wrong, how often the interval covers the truth, how often an effect is found
// and how long that takes. The counts are held to the bounds that netab
// promises.
//
// It uses package analysis from outside only, as netab run does, so that
// nothing can be proven of a method other than the one in use. What a
// simulation cannot show is whether a real machine is like one of its worlds:
// that is for A/A runs and injected slowdowns on the machine itself.
//
// Every run has a seed made of its world's name, its effect and its number.
// So a world alone gives the figures that it gives among all, however many
// workers share the work.
package proof

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"

	"netab/results/crew"
)

// Options of a study. The zero value is the full one.
type Options struct {
	Cases       []Case    // nil = Cases()
	Repetitions int       // runs of each world and effect; 0 = FullRepetitions
	Effects     []float64 // true effects in units of the resolution; nil = FullEffects
	Workers     int       // 0 = one a CPU; the result does not depend on it
	Progress    func(done, all int)
}

// FullRepetitions is how many runs of each world and effect the bounds ask for.
const FullRepetitions = 2000

// FullEffects are those of the full study, in units of the resolution.
var FullEffects = []float64{0, 0.5, 1, 1.5, 2, 3}

// Quick is a study of seconds: for a test, and to see that all is in order.
func Quick() Options { return Options{Repetitions: 100, Effects: []float64{0, 2}} }

// chunk is how many runs a worker takes at a time.
const chunk = 25

// Study plays all worlds. It ends early only with ctx.
func Study(ctx context.Context, o Options) (Proof, error) {
	o = o.withDefaults()
	outcomes := make([][][]outcome, len(o.Cases)) // by case, effect, repetition
	var jobs []job
	for i := range o.Cases {
		outcomes[i] = make([][]outcome, len(o.Effects))
		for k := range o.Effects {
			outcomes[i][k] = make([]outcome, o.Repetitions)
			for from := 0; from < o.Repetitions; from += chunk {
				jobs = append(jobs, job{&o.Cases[i], o.Effects[k], from, outcomes[i][k][from:min(from+chunk, o.Repetitions)]})
			}
		}
	}
	o.work(ctx, jobs)
	if err := ctx.Err(); err != nil {
		return Proof{}, fmt.Errorf("interrupted before the study was complete: %w", context.Cause(ctx))
	}
	p := Proof{Schema: Schema, Repetitions: o.Repetitions, Confidence: 1 - alpha}
	for i, c := range o.Cases {
		p.Worlds = append(p.Worlds, newResult(c, o, outcomes[i]))
	}
	return p, nil
}

func (o Options) withDefaults() Options {
	if len(o.Cases) == 0 {
		o.Cases = Cases()
	}
	if o.Repetitions <= 0 {
		o.Repetitions = FullRepetitions
	}
	if len(o.Effects) == 0 {
		o.Effects = FullEffects
	}
	return o
}

// A job is some runs of one world and effect, and where their outcomes go.
type job struct {
	c      *Case
	effect float64
	from   int
	out    []outcome
}

func (j job) do() {
	for i := range j.out {
		j.out[i] = play(*j.c, j.effect, seed(j.c.Name, j.effect, j.from+i))
	}
}

func (o Options) work(ctx context.Context, jobs []job) {
	var told sync.Mutex
	done := 0
	crew.Share(o.Workers, len(jobs), func(next func() (int, bool)) { // Study asks ctx
		for i, ok := next(); ok && ctx.Err() == nil; i, ok = next() {
			jobs[i].do()
			told.Lock()
			if done++; o.Progress != nil {
				o.Progress(done, len(jobs))
			}
			told.Unlock()
		}
	})
}

// seed is that of one run. A good hash keeps the streams of neighbouring
// repetitions apart; of FNV's the lowest bit, which is the effect's sign, is not
// even fair.
func seed(name string, effect float64, repetition int) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%g\x00%d", name, effect, repetition))
	return binary.LittleEndian.Uint64(sum[:])
}
