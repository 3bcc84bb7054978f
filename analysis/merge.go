package analysis

import (
	"math"

	"netab/results"
)

// A mergedTrials is the histograms of some trials, kept so that a percentile of any
// number of copies of each is quick to find: for each bucket that is not empty
// in all of them, how many durations each trial has up to it.
type mergedTrials struct {
	buckets []int
	upTo    []float64 // by bucket, then by trial
	trials  int
}

func mergedOf(hs []*results.Histogram) mergedTrials {
	m := mergedTrials{trials: len(hs)}
	used := make([]bool, results.HistogramBuckets)
	for _, h := range hs {
		for i, c := range h.Counts {
			used[i] = used[i] || c > 0
		}
	}
	for i, u := range used {
		if u {
			m.buckets = append(m.buckets, i)
		}
	}
	m.upTo = make([]float64, len(m.buckets)*len(hs))
	for t, h := range hs {
		n := 0.0
		for k, bucket := range m.buckets {
			n += float64(h.Counts[bucket])
			m.upTo[k*len(hs)+t] = n
		}
	}
	return m
}

// below is how many durations there are up to the k-th bucket, with each trial
// counted so many times.
func (m mergedTrials) below(k int, times []float64) float64 {
	if k < 0 {
		return 0
	}
	n := 0.0
	for t, x := range m.upTo[k*m.trials : (k+1)*m.trials] {
		n += x * times[t]
	}
	return n
}

// quantile is in ns, NaN without durations. A percentile within a bucket lies
// where its share does: a bucket's edge alone would let the percentiles of
// trials that differ be all the same, and seem to be known exactly.
func (m mergedTrials) quantile(q float64, times []float64) float64 {
	last := len(m.buckets) - 1
	need := q * m.below(last, times)
	if need <= 0 {
		return math.NaN()
	}
	lo, hi := 0, last
	for lo < hi {
		if mid := (lo + hi) / 2; m.below(mid, times) >= need*(1-1e-12) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	before := m.below(lo-1, times)
	return inBucket(m.buckets[lo], (need-before)/(m.below(lo, times)-before))
}

// inBucket is the duration at a share of a bucket, in ns. The finest buckets
// are exact.
func inBucket(bucket int, share float64) float64 {
	first, last := results.HistogramRange(bucket)
	return float64(first) + max(0, min(share, 1))*float64(last-first)
}
