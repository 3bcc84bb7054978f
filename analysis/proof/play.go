package proof

import (
	"math"
	"time"

	"netab/analysis"
	"netab/results"
)

// alpha is what is promised at most of wrong intervals: 1 - confidence.
const alpha = 0.05

// An outcome is what one run came to. With several arms a run is as wrong as
// its worst arm, and as right.
type outcome struct {
	wrong      bool // an arm is called different that is not, or the wrong way
	falseEqual bool // an arm is called equivalent whose effect is the resolution or more, or passes a gate that is worse by as much
	found      bool // every arm with an effect is called different, the right way
	equal      bool // every arm is called equivalent
	decided    bool // the run ended before its time because nothing was left open
	explained  bool // an arm's modes answered in place of its mean
	covered    int  // intervals that hold the truth
	trials     int
	seconds    float64 // wall time from its begin to its end
}

// play runs a world to its stop, as a runner would.
func play(c Case, effect float64, seed uint64) outcome {
	w, truth := c.at(effect, seed)
	design := w.Design(c.Resolution, c.MaxTime)
	stop, source := analysis.NewStop(design, seed), w.Source(seed)
	var trials []results.Trial
	for {
		trials = append(trials, source.Trial())
		elapsed := time.Duration(len(trials)) * w.TrialTime()
		last := elapsed+w.TrialTime() > c.MaxTime
		if c.Once && !last {
			continue
		}
		if d := stop.Look(trials, elapsed, last); d.Stop {
			return c.judge(effect, truth, d, len(trials), elapsed)
		}
	}
}

// judge holds the verdicts against the truth.
func (c Case) judge(effect float64, truth []float64, d analysis.Decision, trials int, elapsed time.Duration) outcome {
	o := outcome{found: effect != 0, equal: true, decided: d.Converged, trials: trials, seconds: elapsed.Seconds()}
	for i, cmp := range d.Comparisons {
		size := effect * c.pattern()[i] // in resolutions
		different := cmp.Verdict == analysis.Improvement || cmp.Verdict == analysis.Regression
		better := truth[i] > 0 != (c.World.Bursts > 0) // loss is better lower
		right := different && size != 0 && (cmp.Verdict == analysis.Improvement) == better
		o.wrong = o.wrong || different && !right
		passes := cmp.Verdict == analysis.Equivalent || !better && analysis.OutcomeOf(&cmp) == analysis.Passed
		o.falseEqual = o.falseEqual || passes && size >= 1
		o.found = o.found && (right || size == 0)
		o.equal = o.equal && cmp.Verdict == analysis.Equivalent
		o.explained = o.explained || cmp.Mixture
		if covers(cmp.Lo, cmp.Hi, truth[i]) {
			o.covered++
		}
	}
	return o
}

// covers forgives rounding: without noise an interval is a point.
func covers(lo, hi, truth float64) bool {
	slack := 1e-12 * (1 + math.Abs(truth))
	return lo-slack <= truth && truth <= hi+slack
}
