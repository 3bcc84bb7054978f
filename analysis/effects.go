package analysis

import (
	"slices"

	"netab/analysis/stat"
	"netab/results"
)

// An effect is x_i: the change of one arm against the baseline in one trial,
// on the metric's scale (log ratio or difference).
type effect struct {
	at         int // position of the trial in the run
	trial      int // its recorded index
	x          float64
	stat.Error // of its blocks
}

// trialEffects computes x_i for every valid trial in which both arms were
// seen, in order of time.
func trialEffects(d results.Design, trials []results.Trial, m Metric, baseline, arm int) []effect {
	var effects []effect
	for i := range trials {
		t := &trials[i]
		if t.Invalid != "" {
			continue
		}
		if e, ok := m.effect(m, viewOf(d, t, i, m, baseline), viewOf(d, t, i, m, arm)); ok {
			e.at, e.trial = i, t.Index
			effects = append(effects, e)
		}
	}
	return effects
}

// spreadOf splits what effects scatter by.
func spreadOf(effects []effect) (stat.Spread, bool) {
	return stat.NewSpread(values(effects), errorsOf(effects))
}

// quiet leaves out the trials that are too noisy to tell. They stay in the
// mean and its interval; but one of them would hide the modes of all others,
// because its error is in the mean error that disagreement is held against.
func quiet(effects []effect) []effect {
	var out []effect
	for i, quiet := range stat.Quiet(errorsOf(effects)) {
		if quiet {
			out = append(out, effects[i])
		}
	}
	return out
}

func errorsOf(effects []effect) []stat.Error {
	out := make([]stat.Error, len(effects))
	for i, e := range effects {
		out[i] = e.Error
	}
	return out
}

func values(effects []effect) []float64 {
	xs := make([]float64, len(effects))
	for i, e := range effects {
		xs[i] = e.x
	}
	return xs
}

// pairedTotals lists the totals of both arms for each block in which both have
// a counted slice, in order of time. A block that lacks one arm would bring
// the drift back that the pairing removes, so it is left out whole.
func (r ratio) pairedTotals(baseline, arm view) (a, b []stat.Ratio) {
	type pair struct {
		a, b       stat.Ratio
		hasA, hasB bool
	}
	blocks := map[int]*pair{}
	var order []int
	for i := range baseline.trial.Slices {
		s := &baseline.trial.Slices[i]
		isA := baseline.of(s)
		if !isA && !arm.of(s) {
			continue
		}
		p := blocks[s.Block]
		if p == nil {
			p = &pair{}
			blocks[s.Block] = p
			order = append(order, s.Block)
		}
		if isA {
			p.a, p.hasA = p.a.Plus(r(&baseline.arm, baseline.seen(s))), true
		} else {
			p.b, p.hasB = p.b.Plus(r(&arm.arm, arm.seen(s))), true
		}
	}
	slices.Sort(order)
	for _, k := range order {
		if p := blocks[k]; p.hasA && p.hasB {
			a, b = append(a, p.a), append(b, p.b)
		}
	}
	return a, b
}
