package report

import (
	"netab/analysis"
	"netab/results"
	"netab/results/vocab"
)

// armTotals are the counted, valid slices of one arm added up.
type armTotals struct {
	slices                                      int
	counted                                     int64
	rxBytes, rxMsgs, txBytes, txMsgs            int64
	drops, transactions                         int64
	sourceCPU, sinkCPU, sourceWait, sinkWaiting int64
}

func (a *armTotals) add(s results.Slice) {
	a.slices++
	a.counted += s.CountedNS
	a.rxBytes += s.RxBytes
	a.rxMsgs += s.RxMsgs
	a.txBytes += s.TxBytes
	a.txMsgs += s.TxMsgs
	a.drops += s.Drops
	a.transactions += s.Transactions
	a.sourceCPU += s.SourceCPU
	a.sinkCPU += s.SinkCPU
	a.sourceWait += s.SourceWait
	a.sinkWaiting += s.SinkWait
}

// trialTotals adds up one trial by arm index.
func trialTotals(t results.Trial, arms int) []armTotals {
	sums := make([]armTotals, arms)
	for _, s := range t.Slices {
		if s.Invalid == "" && s.Arm >= 0 && s.Arm < arms {
			sums[s.Arm].add(s)
		}
	}
	return sums
}

// A besideTotals is the same of traffic beside the main one.
type besideTotals struct {
	rxBytes, rxMsgs, transactions int64
}

// besideTotalsOf adds up one trial's traffic beside an arm's main one, by name.
func besideTotalsOf(t results.Trial, arm int) map[string]besideTotals {
	sums := map[string]besideTotals{}
	for _, s := range t.Slices {
		if s.Invalid != "" || s.Arm != arm {
			continue
		}
		for name, b := range s.Beside {
			sum := sums[name]
			sum.rxBytes += b.RxBytes
			sum.rxMsgs += b.RxMsgs
			sum.transactions += b.Transactions
			sums[name] = sum
		}
	}
	return sums
}

// shows says whether so many transactions can show a percentile.
func shows(h *results.Histogram, q float64) bool {
	return h.Count() >= analysis.FewestTransactions(q)
}

// kindOf is that of an arm by index, which is not trusted.
func kindOf(d results.Design, arm int) vocab.Kind {
	if arm < 0 || arm >= len(d.Arms) {
		return ""
	}
	return d.Arms[arm].Kind
}

// armLatency merges the latencies of an arm's valid trials, or of the traffic
// beside it; nil without any.
func armLatency(run *results.Run, arm int, beside string) *results.Histogram {
	var all *results.Histogram
	for _, t := range run.Trials {
		if t.Invalid != "" {
			continue
		}
		for _, at := range t.Arms {
			h := at.Latency
			if beside != "" {
				h = at.Beside[beside].Latency
			}
			if at.Arm == arm && h != nil && h.Count() > 0 {
				if all == nil {
					all = &results.Histogram{}
				}
				all.Merge(h)
			}
		}
	}
	return all
}
