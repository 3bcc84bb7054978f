// Package record reads a run's record for those who show it as it is: trials added
// up by arm, latencies merged. Indices in a record are not trusted.
package record

import (
	"strconv"

	"netab/analysis"
	"netab/results"
	"netab/results/vocab"
)

// Totals are the counted, valid slices of one arm added up.
type Totals struct {
	Slices                                      int
	Counted                                     int64
	RxBytes, RxMsgs, TxBytes, TxMsgs            int64
	Drops, Transactions                         int64
	SourceCPU, SinkCPU, SourceWait, SinkWaiting int64
}

// Add adds a slice.
func (a *Totals) Add(s results.Slice) {
	a.Slices++
	a.Counted += s.CountedNS
	a.RxBytes += s.RxBytes
	a.RxMsgs += s.RxMsgs
	a.TxBytes += s.TxBytes
	a.TxMsgs += s.TxMsgs
	a.Drops += s.Drops
	a.Transactions += s.Transactions
	a.SourceCPU += s.SourceCPU
	a.SinkCPU += s.SinkCPU
	a.SourceWait += s.SourceWait
	a.SinkWaiting += s.SinkWait
}

// TotalsOf adds up one trial by arm index.
func TotalsOf(t results.Trial, arms int) []Totals {
	sums := make([]Totals, arms)
	for _, s := range t.Slices {
		if s.Invalid == "" && s.Arm >= 0 && s.Arm < arms {
			sums[s.Arm].Add(s)
		}
	}
	return sums
}

// A BesideTotals is the same of traffic beside the main one.
type BesideTotals struct {
	RxBytes, RxMsgs, Transactions int64
}

// BesideTotalsOf adds up one trial's traffic beside an arm's main one, by name.
func BesideTotalsOf(t results.Trial, arm int) map[string]BesideTotals {
	sums := map[string]BesideTotals{}
	for _, s := range t.Slices {
		if s.Invalid != "" || s.Arm != arm {
			continue
		}
		for name, b := range s.Beside {
			sum := sums[name]
			sum.RxBytes += b.RxBytes
			sum.RxMsgs += b.RxMsgs
			sum.Transactions += b.Transactions
			sums[name] = sum
		}
	}
	return sums
}

// Shows says whether so many transactions can show a percentile.
func Shows(h *results.Histogram, q float64) bool {
	return h.Count() >= analysis.FewestTransactions(q)
}

// KindOf is that of an arm by index, which is not trusted.
func KindOf(d results.Design, arm int) vocab.Kind {
	if arm < 0 || arm >= len(d.Arms) {
		return ""
	}
	return d.Arms[arm].Kind
}

// ArmLatency merges the latencies of an arm's valid trials, or of the traffic
// beside it; nil without any.
func ArmLatency(run *results.Run, arm int, beside string) *results.Histogram {
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

// ArmName is the name of an arm by index; a record may be damaged, so the
// index is not trusted.
func ArmName(d results.Design, arm int) string {
	if arm >= 0 && arm < len(d.Arms) {
		return d.Arms[arm].Name
	}
	return "arm " + strconv.Itoa(arm)
}

// LevelOf is an arm's level of a factor; the index is not trusted here either.
func LevelOf(d results.Design, arm int, factor string) string {
	if arm < 0 || arm >= len(d.Arms) {
		return ""
	}
	for _, l := range d.Arms[arm].Levels {
		if l.Factor == factor {
			return l.Value
		}
	}
	return ""
}
