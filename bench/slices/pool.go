package main

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"netab/analysis"
	"netab/results"
)

// A pool is all runs with one choice of lengths, as if they were one run.
type pool struct {
	run       results.Run
	durationS float64
}

func (p *pool) add(m measured) {
	if p.run.Header.Type == "" {
		p.run.Header = m.run.Header
	}
	for _, t := range m.run.Trials {
		t.Index = len(p.run.Trials)
		p.run.Trials = append(p.run.Trials, t)
	}
	p.durationS += m.durationS
}

func (p *pool) machine() results.Machine { return p.run.Header.Machine }

// A row is what one choice of lengths gave. Effects are log ratios. With less
// than two trials there is no spread, and but for trials all is zero.
type row struct {
	config
	trials         int
	trialS         float64 // seconds from one trial's start to the next
	slicesS        float64 // seconds of slices in a trial
	effect, sd     float64 // of the trials' effects
	within, spread float64 // standard error within a trial, spread between trials
}

func (r row) enough() bool { return r.trials >= 2 }

// judge leaves within and between to package analysis.
func (p *pool) judge(c config) row {
	s := analysis.Summarize(&p.run)
	for _, comparison := range s.Comparisons {
		if comparison.Judged {
			return rowOf(c, s, comparison, p.durationS)
		}
	}
	return row{config: c}
}

func rowOf(c config, s analysis.Summary, of analysis.Comparison, durationS float64) row {
	r := row{config: c, trials: len(of.TrialEffects)}
	if !r.enough() || of.WithinSE == nil || of.BetweenSD == nil {
		r.trials = min(r.trials, 1)
		return r
	}
	var effects []float64
	for _, e := range of.TrialEffects {
		effects = append(effects, math.Log1p(e.Change))
	}
	r.trialS = durationS / float64(s.Trials+s.Invalid)
	r.slicesS = s.MeasuredS / float64(s.Trials) / c.counted()
	r.effect, r.sd = stat.MeanStdDev(effects, nil)
	r.within, r.spread = *of.WithinSE, *of.BetweenSD
	return r
}

// perSecond is the standard error within trials scaled to one second of
// slices: what a second of measuring is worth.
func (r row) perSecond() float64 { return r.within * math.Sqrt(r.slicesS) }

// after is the standard error of the effect after so many seconds of wall
// time, fixed cost of trials and spread between them included.
func (r row) after(seconds float64) float64 { return r.sd * math.Sqrt(r.trialS/seconds) }

// se is the standard error of the effect as measured here.
func (r row) se() float64 { return r.sd / math.Sqrt(float64(r.trials)) }

// against is how far the effect is from a reference's, with the standard error
// of that distance.
func (r row) against(ref row) (bias, se float64) {
	return r.effect - ref.effect, math.Hypot(r.se(), ref.se())
}
