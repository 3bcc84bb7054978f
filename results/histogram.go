package results

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
)

// A Histogram counts durations in ns in log-linear buckets, as HdrHistogram
// does: exact below 256 ns, above that in steps of 1/128 of the value or less,
// so that a percentile is at most 0.8 % too high. Histograms merge by adding;
// percentiles do not.
//
// It is by hand because the loops of package traffic count into it where they
// may not allocate, grow their stack or be preempted, and hdrhistogram-go's
// methods may do all three.
type Histogram struct {
	Counts [HistogramBuckets]int64
}

// Buckets of a Histogram: 256 of 1 ns, then 128 for each power of two up to
// 2^36 ns (69 s), where everything longer is counted too.
const (
	histogramLinear  = 256
	histogramPerStep = histogramLinear / 2
	histogramSteps   = 28

	HistogramBuckets = histogramLinear + histogramSteps*histogramPerStep
)

// HistogramBucket is the bucket of a duration.
//
//go:nosplit
func HistogramBucket(ns int64) int {
	if ns < histogramLinear {
		return int(max(ns, 0))
	}
	step := bits.Len64(uint64(ns)) - 9 // 0 for 256..511
	if step >= histogramSteps {
		return HistogramBuckets - 1
	}
	return histogramLinear + step*histogramPerStep + int(ns>>(step+1)) - histogramPerStep
}

// histogramUpper is the largest duration that falls into a bucket.
func histogramUpper(bucket int) int64 {
	if bucket < histogramLinear {
		return int64(bucket)
	}
	step, at := (bucket-histogramLinear)/histogramPerStep, (bucket-histogramLinear)%histogramPerStep
	return int64(histogramPerStep+at+1)<<(step+1) - 1
}

// HistogramRange is the shortest and the longest duration in ns that fall into
// a bucket.
func HistogramRange(bucket int) (first, last int64) {
	if bucket == 0 {
		return 0, 0
	}
	return histogramUpper(bucket-1) + 1, histogramUpper(bucket)
}

// Add counts a duration.
func (h *Histogram) Add(ns int64) { h.Counts[HistogramBucket(ns)]++ }

// Count is how many durations are in it.
func (h *Histogram) Count() int64 {
	var n int64
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Merge adds what another counted; nil counts nothing.
func (h *Histogram) Merge(o *Histogram) {
	if o == nil {
		return
	}
	for i, c := range o.Counts {
		h.Counts[i] += c
	}
}

// Quantile is the smallest duration in ns that at least the share q of all are
// not longer than, to the bucket's precision; 1 gives the longest. It is NaN of
// an empty histogram. Longer than about a minute is not told apart.
func (h *Histogram) Quantile(q float64) float64 {
	all := h.Count()
	if all <= 0 || math.IsNaN(q) {
		return math.NaN()
	}
	// Seven hundredths of 100 are 7, not the 8 that 7.000000000000001 would make.
	need := int64(math.Ceil(max(0, min(q, 1)) * float64(all) * (1 - 1e-12)))
	var n int64
	for i, c := range h.Counts {
		if n += c; n >= max(need, 1) {
			return float64(histogramUpper(i))
		}
	}
	return math.NaN()
}

// Below is how many durations are at most ns, to the bucket's precision: all
// of the bucket of ns are.
func (h *Histogram) Below(ns float64) int64 {
	if math.IsNaN(ns) || ns < 0 {
		return 0
	}
	last := HistogramBucket(int64(min(ns, math.MaxInt64/2)))
	var n int64
	for _, c := range h.Counts[:last+1] {
		n += c
	}
	return n
}

// MarshalJSON writes the buckets that are not empty: [bucket, count, ...].
func (h *Histogram) MarshalJSON() ([]byte, error) {
	out := []int64{}
	for i, c := range h.Counts {
		if c != 0 {
			out = append(out, int64(i), c)
		}
	}
	return json.Marshal(out)
}

// histogramMost bounds what one histogram may be read to hold, so that sums of
// damaged ones do not overflow: transactions of a thousand years.
const histogramMost = 1 << 52

// UnmarshalJSON reads what MarshalJSON writes.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var in []int64
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*h = Histogram{}
	var all int64
	if len(in)%2 != 0 {
		return fmt.Errorf("histogram: %d numbers are not pairs of bucket and count", len(in))
	}
	for i := 0; i < len(in); i += 2 {
		if in[i] < 0 || in[i] >= HistogramBuckets || in[i+1] < 0 || in[i+1] > histogramMost-all {
			return fmt.Errorf("histogram: bucket %d with count %d", in[i], in[i+1])
		}
		all += in[i+1]
		h.Counts[in[i]] += in[i+1]
	}
	return nil
}
