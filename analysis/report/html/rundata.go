package html

import (
	"math"
	"sort"

	"netab/analysis"
	"netab/analysis/record"
	"netab/analysis/report"
	"netab/analysis/report/figure"
	"netab/results"
	"netab/results/vocab"
)

// runData is what the charts draw from a record itself.
type runData struct {
	run        *results.Run
	rec        *record.Record
	arms       []string // labels, by arm index
	baseline   int      // arm index, -1 = none
	rate       figure.Info
	points     []point
	blocks     int         // blocks over all trials
	trialRates [][]float64 // by arm, valid trials in order
}

// A point is one slice on the run's clock.
type point struct {
	trial, block, arm int
	at                float64 // seconds since the first trial's first slice
	rate              float64
	invalid           bool
	ordinal           int // of the block over all trials
	canaries          *results.Canaries
}

// readRun collects the rate of each slice: packets where the headline is
// about packets, transactions where it is about these, payload bits otherwise.
func readRun(run *results.Run, headline string) runData {
	design := run.Header.Design
	d := runData{run: run, rec: record.Of(design, run.Trials), baseline: -1, rate: figure.InfoOf(figure.Goodput), trialRates: make([][]float64, len(design.Arms))}
	switch headline {
	case figure.PacketRate, figure.NSPacketSource, figure.NSPacketSink:
		d.rate = figure.InfoOf(figure.PacketRate)
	case figure.TransactionRate, figure.LatencyP50, figure.LatencyP90, figure.LatencyP99, figure.LatencyP999, figure.LatencyMax, figure.NSTransSource, figure.NSTransSink:
		d.rate = figure.InfoOf(figure.TransactionRate)
	}
	for i, a := range design.Arms {
		d.arms = append(d.arms, report.ArmLabel(analysis.ArmSummary{Name: a.Name, Levels: a.Levels}))
		if a.Name == design.Baseline {
			d.baseline = i
		}
	}
	if len(run.Trials) == 0 {
		return d
	}
	start := run.Trials[0].Started
	for i := range d.rec.Trials {
		t := &d.rec.Trials[i]
		d.addTrial(t, t.Started.Sub(start).Seconds())
	}
	return d
}

func (d *runData) addTrial(t *record.Trial, offset float64) {
	first, last := d.blocks, -1
	for _, s := range t.Slices {
		if s.Arm < 0 || s.Arm >= len(d.arms) {
			continue
		}
		d.points = append(d.points, point{trial: t.Index, block: s.Block, arm: s.Arm, at: offset + float64(s.StartNS)/1e9,
			rate: d.rateOf(s.Arm, s.RxBytes, s.RxMsgs, s.Transactions, s.CountedNS), invalid: s.Invalid != "" || t.Invalid != "" || s.CountedNS <= 0,
			ordinal: first + s.Block, canaries: s.Canaries})
		last = max(last, s.Block)
	}
	d.blocks = first + last + 1
	if t.Invalid != "" {
		return
	}
	for arm := range d.arms {
		if sum := t.Arm(arm).Totals(); sum.CountedNS > 0 {
			d.trialRates[arm] = append(d.trialRates[arm], d.rateOf(arm, sum.RxBytes, sum.RxMsgs, sum.Transactions, sum.CountedNS))
		}
	}
}

func (d *runData) rateOf(arm int, bytes, msgs, transactions, ns int64) float64 {
	if ns <= 0 {
		return 0
	}
	switch {
	case d.rate.Name == figure.PacketRate, d.rate.Name == figure.TransactionRate && record.KindOf(d.run.Header.Design, arm) == vocab.Conn:
		return 1e9 * float64(msgs) / float64(ns)
	case d.rate.Name == figure.TransactionRate:
		return 1e9 * float64(transactions) / float64(ns)
	}
	return 8e9 * float64(bytes) / float64(ns)
}

// thin leaves out whole blocks evenly until few enough points are left, so
// that pairs stay pairs. One block in step is kept.
func (d runData) thin() (points []point, step int) {
	most := maxPoints
	if len(d.arms) > manyDrawn {
		most = maxManyPoints
	}
	step = (len(d.points) + most - 1) / most
	if step <= 1 {
		return d.points, 1
	}
	for _, p := range d.points {
		if p.ordinal%step == 0 {
			points = append(points, p)
		}
	}
	return points, step
}

func (d runData) allTrialRates() []float64 {
	var all []float64
	for _, rates := range d.trialRates {
		all = append(all, rates...)
	}
	return all
}

// quartiles are minimum, lower quartile, median, upper quartile and maximum,
// interpolated as most tools do (Hyndman and Fan's type 7).
func quartiles(xs []float64) [5]float64 {
	s := append([]float64(nil), xs...)
	sort.Float64s(s)
	var q [5]float64
	for i := range q {
		at := float64(i) / 4 * float64(len(s)-1)
		lo := int(at)
		hi := min(lo+1, len(s)-1)
		q[i] = s[lo] + (at-float64(lo))*(s[hi]-s[lo])
	}
	return q
}

// trialInterval is twice the error within a trial on either side, brought
// back from the log scale unless the metric is one of differences.
func trialInterval(e analysis.TrialEffect, difference bool) (lo, hi float64) {
	if difference {
		return e.Change - 2*e.SE, e.Change + 2*e.SE
	}
	return (1+e.Change)*math.Exp(-2*e.SE) - 1, (1+e.Change)*math.Exp(2*e.SE) - 1
}
