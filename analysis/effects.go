package analysis

import (
	"cmp"

	"netab/analysis/record"
	"netab/analysis/stat"
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
func trialEffects(r *record.Record, m Metric, baseline, arm int) []effect {
	var effects []effect
	for _, t := range r.Valid() {
		if e, ok := m.effect(m, viewOf(r, t, m, baseline), viewOf(r, t, m, arm)); ok {
			e.at, e.trial = t.At, t.Index
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
	if baseline.in == arm.in { // nothing is compared with itself
		return nil, nil
	}
	as, bs := baseline.in.Blocks, arm.in.Blocks
	for len(as) > 0 && len(bs) > 0 {
		switch order := cmp.Compare(as[0].Number, bs[0].Number); {
		case order < 0:
			as = as[1:]
		case order > 0:
			bs = bs[1:]
		default:
			a, b = append(a, r.block(baseline, as[0])), append(b, r.block(arm, bs[0]))
			as, bs = as[1:], bs[1:]
		}
	}
	return a, b
}

// block is the total of an arm's slices in one block.
func (r ratio) block(v view, block record.Block) (all stat.Ratio) {
	for _, s := range block.Counted {
		all = all.Plus(r(v.arm, v.seen(s)))
	}
	return all
}
