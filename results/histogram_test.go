package results

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHistogramBuckets: every bucket begins where the one before it ends, and
// is as narrow as promised.
func TestHistogramBuckets(t *testing.T) {
	lower := int64(0)
	for b := range HistogramBuckets {
		upper := histogramUpper(b)
		if HistogramBucket(lower) != b || HistogramBucket(upper) != b {
			t.Fatalf("bucket %d of %d to %d: its edges are in %d and %d", b, lower, upper, HistogramBucket(lower), HistogramBucket(upper))
		}
		if upper < 256 && lower != upper {
			t.Errorf("bucket %d holds %d to %d, want one value", b, lower, upper)
		}
		if (upper-lower+1)*128 > max(lower, 128) {
			t.Errorf("bucket %d holds %d to %d: wider than 1/128 of it", b, lower, upper)
		}
		lower = upper + 1
	}
	if lower != 1<<36 {
		t.Errorf("the last bucket ends at %d, want 2^36", lower)
	}
	for ns, want := range map[int64]int{-1: 0, math.MinInt64: 0, 1 << 36: HistogramBuckets - 1, math.MaxInt64: HistogramBuckets - 1} {
		if got := HistogramBucket(ns); got != want {
			t.Errorf("%d ns is in bucket %d, want %d", ns, got, want)
		}
	}
}

func histogramOf(values ...int64) *Histogram {
	h := &Histogram{}
	for _, v := range values {
		h.Add(v)
	}
	return h
}

// exactQuantile is the definition that Quantile approximates.
func exactQuantile(values []int64, q float64) int64 {
	s := slices.Sorted(slices.Values(values))
	return s[max(0, int(math.Ceil(q*float64(len(s))-1e-9))-1)]
}

func TestHistogramQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 7, 100, 1000} {
		var values []int64
		for range n {
			values = append(values, int64(math.Exp(rng.Float64()*24))) // 1 ns to 26 s
		}
		h := histogramOf(values...)
		for _, q := range []float64{0, 0.07, 0.5, 0.9, 0.99, 0.999, 1} {
			want, got := float64(exactQuantile(values, q)), h.Quantile(q)
			if got < want || got > want*(1+1.0/128) {
				t.Errorf("quantile %v of %d values is %v, want %v or up to 1/128 more", q, n, got, want)
			}
		}
	}
	var hundred []int64
	for i := range int64(100) {
		hundred = append(hundred, i+1)
	}
	for q, want := range map[float64]float64{0.07: 7, 0.5: 50, 0.501: 51, 0.99: 99, 0.991: 100, 1: 100, 2: 100, -1: 1} {
		if got := histogramOf(hundred...).Quantile(q); got != want {
			t.Errorf("quantile %v of 1 to 100 is %v, want %v", q, got, want)
		}
	}
	if got := histogramOf().Quantile(0.5); !math.IsNaN(got) {
		t.Errorf("nothing has the median %v", got)
	}
}

func TestHistogramBelow(t *testing.T) {
	h := histogramOf(0, 10, 10, 100_000, math.MaxInt64)
	for ns, want := range map[float64]int64{-1: 0, 0: 1, 9: 1, 10: 3, 99_000: 3, 100_000: 4, math.Inf(1): 5} {
		if got := h.Below(ns); got != want {
			t.Errorf("%d are at most %v ns, want %d", got, ns, want)
		}
	}
}

// TestHistogramMerge: percentiles of merged histograms are those of all
// values together, which a mean of percentiles is not.
func TestHistogramMerge(t *testing.T) {
	a, b := histogramOf(1, 1, 1, 1, 1, 1, 1, 1, 1), histogramOf(200)
	a.Merge(b)
	a.Merge(nil)
	if a.Count() != 10 || a.Quantile(0.9) != 1 || a.Quantile(0.91) != 200 {
		t.Errorf("%d values, p90 %v, p91 %v; want 10, 1 and 200", a.Count(), a.Quantile(0.9), a.Quantile(0.91))
	}
	if b.Count() != 1 {
		t.Error("what was merged has changed")
	}
}

func TestHistogramJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	at := ArmTrial{Latency: &Histogram{}}
	for range 5000 {
		at.Latency.Add(int64(math.Exp(rng.Float64() * 30)))
	}
	data, err := json.Marshal(at)
	if err != nil {
		t.Fatal(err)
	}
	var back ArmTrial
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.Latency == nil || *back.Latency != *at.Latency {
		t.Error("a histogram is another after writing and reading")
	}
	if got, _ := json.Marshal(histogramOf(3, 3, 255)); string(got) != "[3,2,255,1]" {
		t.Errorf("written as %s", got)
	}
	for _, bad := range []string{`[1]`, `[-1,1]`, `[3840,1]`, `[1,-1]`, `{}`, `[1,1.5]`, `[1,9223372036854775807]`, `[1,4503599627370496,2,1]`, `"x"`} {
		if err := json.Unmarshal([]byte(bad), &Histogram{}); err == nil {
			t.Errorf("%s is read without an error", bad)
		}
	}
}

func FuzzHistogramJSON(f *testing.F) {
	for _, seed := range []string{`[]`, `null`, `[0,1]`, `[3839,7,3839,1]`, `[1]`, `[1,9223372036854775807,2,9223372036854775807]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var h Histogram
		if h.UnmarshalJSON(data) != nil {
			return
		}
		if n := h.Count(); n < 0 || n > histogramMost {
			t.Fatalf("%s holds %d", data, n)
		}
		last := 0.0
		for _, q := range []float64{0, 0.5, 0.99, 1} {
			x := h.Quantile(q)
			if h.Count() > 0 && !(x >= last) {
				t.Errorf("%s: quantile %v is %v, below the one before", data, q, x)
			}
			last = x
		}
		out, err := h.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var back Histogram
		if err := back.UnmarshalJSON(out); err != nil || back != h {
			t.Errorf("%s becomes %s, which is another histogram (%v)", data, out, err)
		}
	})
}

// A sample of what counting costs, because it is done for each transaction.
func BenchmarkHistogramAdd(b *testing.B) {
	b.ReportAllocs()
	h := &Histogram{}
	for i := range int64(b.N) {
		h.Add(1000 + i%5000)
	}
}
