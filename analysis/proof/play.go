package proof

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
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
	if c.Boots > 0 {
		return c.boots(effect, truth, w, seed)
	}
	design := w.Design(c.Resolution, c.MaxTime)
	design.Sessions, design.RestDecided = c.Sessions, c.Rest
	stop, source := analysis.NewStop(design, seed), w.Source(seed)
	stop.OnlyLooks = true
	breaks := rand.New(rand.NewPCG(seed, 0x627265616b))
	run := &results.Run{Header: results.Header{Design: design, Seed: seed}}
	var looks []results.Look
	var trials []results.Trial
	var elapsed time.Duration
	for {
		elapsed += source.TrialTime()
		trials = append(trials, source.Trial())
		trials[len(trials)-1].Session += len(run.Resumed)
		last := elapsed+source.TrialTime() > c.MaxTime
		if c.Sessions > 0 {
			last = len(trials) == c.Sessions*w.SessionTrials
		}
		if c.Once && !last {
			continue
		}
		d := stop.Look(trials, elapsed, last)
		if d.Look {
			looks = append(looks, d.Record)
		}
		if !d.Stop && c.Broken > 0 && breaks.Float64() < c.Broken {
			d = stop.Break(trials, elapsed)
			run.Trials, run.End = trials, &results.End{Reason: vocab.Interrupted, Looks: append(looks, d.Record)}
			mark, err := analysis.GoesOn(run, 0)
			if d.Stop = err != nil; !d.Stop { // else it is decided
				mark.Trials, stop = len(trials), analysis.NewStop(design, seed)
				stop.OnlyLooks = true
				stop.GoOn(run, mark)
				run.Resumed, looks = append(run.Resumed, mark), slices.Clone(mark.Looks)
			}
		}
		source.Rest(d.Record.Rested)
		if d.Stop {
			o := c.judge(effect, truth, d, len(trials), elapsed)
			if w.Canaries {
				o.byState(c, w, effect, d)
			}
			return o
		}
	}
}

// judge holds the verdicts against the truth.
func (c Case) judge(effect float64, truth []float64, d analysis.Decision, trials int, elapsed time.Duration) outcome {
	o := outcome{found: effect != 0 || c.Lost, equal: true, decided: d.Converged, trials: trials, seconds: elapsed.Seconds()}
	for i, cmp := range d.Comparisons {
		size := effect * c.pattern()[i] // in resolutions
		if truth[i] <= -c.least() {
			size = max(size, 1) // what is lost is an effect too
		}
		different := cmp.Verdict == analysis.Improvement || cmp.Verdict == analysis.Regression
		better := truth[i] > 0 != (c.World.Bursts > 0) // loss is better lower
		right := different && size != 0 && (cmp.Verdict == analysis.Improvement) == better
		o.wrong = o.wrong || different && !right
		passes := cmp.Verdict == analysis.Equivalent || !better && gate.OutcomeOf(&cmp) == gate.Passed
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

// least is the smallest loss of dead trials that is an effect by itself.
func (c Case) least() float64 {
	if c.Lost || c.World.DeadBoots > 0 {
		return c.Resolution
	}
	return math.Inf(1)
}

// boots plays runs of boots of their own, and compares their levels.
func (c Case) boots(effect float64, truth []float64, w world.World, seed uint64) outcome {
	old := c.World
	old.Effects, old.DeadBoots = make([]float64, len(w.Effects)), 0
	groups := []analysis.RunGroup{{Label: "old"}, {Label: "new"}}
	for i := range 2 * c.Boots {
		side, of := i%2, old
		if side == 1 {
			of = w
		}
		run := of.Run(of.Design(c.Resolution, time.Minute), seed+uint64(i)*0x9e3779b97f4a7c15, c.Trials)
		run.Header.ID, run.Header.Machine.BootID = fmt.Sprint("run", i), fmt.Sprint("boot", i)
		groups[side].Runs = append(groups[side].Runs, run)
	}
	s := analysis.CompareGroups(groups, analysis.CompareOptions{})
	var d analysis.Decision
	for _, x := range s.Comparisons {
		if x.Judged && x.Arm == s.Arms[len(s.Arms)-1].Name {
			d.Comparisons = append(d.Comparisons, x)
		}
	}
	all := 2 * c.Boots * c.Trials
	return c.judge(effect, truth, d, all, time.Duration(all)*w.TrialTime())
}

// covers forgives rounding: without noise an interval is a point.
func covers(lo, hi, truth float64) bool {
	slack := 1e-12 * (1 + math.Abs(truth))
	return lo-slack <= truth && truth <= hi+slack
}
