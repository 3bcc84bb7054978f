package record

import (
	"netab/analysis/stat"
	"netab/results"
)

// Totals are an arm's slices added up. Those without a counted part add nothing.
type Totals struct {
	Slices    int
	CountedNS int64
	results.Counts
}

// Plus is the sum.
func (t Totals) Plus(o Totals) Totals {
	return Totals{t.Slices + o.Slices, t.CountedNS + o.CountedNS, t.Counts.Plus(o.Counts)}
}

// Totals are those of one trial.
func (a *Arm) Totals() Totals {
	var sum Totals
	for _, s := range a.Valid {
		sum = sum.Plus(Totals{1, s.CountedNS, s.Counts})
	}
	return sum
}

// Beside is the same of each traffic beside the main one, by name.
func (a *Arm) Beside() map[string]results.Counts {
	sums := map[string]results.Counts{}
	for _, s := range a.Valid {
		for name, b := range s.Beside {
			sums[name] = sums[name].Plus(b)
		}
	}
	return sums
}

// Latency merges the latencies of an arm's valid trials, or of the traffic beside it;
// nil without any.
func (r *Record) Latency(arm int, beside string) *results.Histogram {
	var all *results.Histogram
	for _, t := range r.Valid() {
		h := t.Arm(arm).Latency(beside)
		if h == nil || h.Count() == 0 {
			continue
		}
		if all == nil {
			all = &results.Histogram{}
		}
		all.Merge(h)
	}
	return all
}

// Latency is that of the arm, or of the traffic beside it; nil where none was recorded.
func (a *Arm) Latency(beside string) *results.Histogram {
	switch {
	case a.Seen == nil:
		return nil
	case beside != "":
		return a.Seen.Beside[beside].Latency
	}
	return a.Seen.Latency
}

// Shows says whether so many transactions can show a percentile.
func Shows(h *results.Histogram, q float64) bool { return h.Count() >= stat.FewestOfQuantile(q) }
