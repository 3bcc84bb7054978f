package analysis

import (
	"fmt"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

var codeLossUncertain = vocab.Warns("loss-uncertain")

// lost is the share of datagrams that were sent and not received.
//
// Where a trial has a ledger of the arm, it is the ledger's, over the whole trial.
// The counted parts of slices do not balance: what is sent at the end of one is
// received after it, and what the settle part sent is received in it, so their
// loss may be off by what a queue holds, to either side. They serve where there is
// no ledger: of traffic beside the main one, of requests, and of arms that share
// a live flow, whose ledger is of all these arms together. Then less than
// nothing is nothing.
type lost struct{ windows ratio }

var datagramLoss = lost{func(arm *results.Arm, s *results.Slice) stat.Ratio {
	return stat.Per(due(arm, s)-float64(s.RxMsgs), due(arm, s))
}}

func (l lost) value(v view) float64 {
	if t, ok := ledgerLoss(v); ok {
		return possible(t.Value())
	}
	return possible(l.windows.value(v))
}

// effect is paired by blocks, with a jackknife, only where both arms have nothing
// better than their counted parts: a ledger knows no blocks.
func (l lost) effect(m Metric, a, b view) (effect, bool) {
	_, ledgerA := ledgerLoss(a)
	_, ledgerB := ledgerLoss(b)
	if ledgerA || ledgerB {
		return plainEffect(m, a, b)
	}
	as, bs := l.windows.pairedTotals(a, b)
	x, ok := m.change(possible(stat.Total(as).Value()), possible(stat.Total(bs).Value()))
	if !ok {
		return effect{}, false
	}
	return effect{x: x, Error: stat.Jackknife(as, bs, m.change)}, true
}

func (l lost) level(m Metric, _ []view, xs []float64, alpha float64) Level {
	level := plainLevel(m, xs, alpha)
	level.Lo, level.Hi = possible(level.Lo), possible(level.Hi)
	return level
}

// possible is a share that can be: NaN stays what it is.
func possible(share float64) float64 { return max(0, min(share, 1)) }

// ledgerLoss is what a trial's ledger says of the arm's own main traffic.
func ledgerLoss(v view) (stat.Ratio, bool) {
	at := v.in.Seen
	if at == nil || !at.Ledger.Valid || at.Shared || v.beside != "" || at.Ledger.Sent <= 0 {
		return stat.Ratio{}, false
	}
	return stat.Per(float64(at.Ledger.Sent-at.Ledger.Received), float64(at.Ledger.Sent)), true
}

// windowLoss warns of an arm whose loss is known from its counted parts only,
// where these show that they do not balance.
func windowLoss(r *record.Record, arm int) []results.Warning {
	var ws []results.Warning
	d := r.Design
	for _, m := range metricsOf(d) {
		l, ok := m.estimator.(lost)
		if !ok || !m.AppliesTo(d.Arms[arm]) {
			continue
		}
		least, off := 0.0, 0
		shared := false
		for _, v := range views(r, m, arm) {
			if _, ok := ledgerLoss(v); ok {
				continue
			}
			if at := v.in.Seen; at != nil {
				shared = shared || at.Shared
			}
			if x := l.windows.value(v); x < -unexplainedBound {
				least, off = min(least, x), off+1
			}
		}
		if off == 0 {
			continue
		}
		why := "there is no ledger of it"
		if shared {
			why = "its flow is that of other arms too"
		}
		ws = append(ws, results.Warning{Code: codeLossUncertain, Text: fmt.Sprintf(
			"%s: %s is what counted parts sent and did not receive, because %s; up to %s more was received in them than sent (in %d of %d trials), so that much may be missing elsewhere: set measure.settle longer",
			d.Arms[arm].Name, m.Title, why, prose.Percent(least), off, len(r.Trials))})
	}
	return ws
}
