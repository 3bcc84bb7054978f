package analysis

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
)

// checkAny judges a run of whatever content: no panic, and valid JSON, which
// means no NaN and no infinity in any field.
func checkAny(t *testing.T, run *results.Run) {
	t.Helper()
	for what, s := range map[string]Summary{"Summarize": Summarize(run), "Compare": Compare(run, run), "Compare with nothing": Compare(run, &results.Run{})} {
		if _, err := json.Marshal(s); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	stop := NewStop(run.Header.Design, run.Header.Seed)
	for i := range run.Trials {
		d := stop.Look(run.Trials[:i+1], time.Duration(i)*time.Second, false)
		if _, err := json.Marshal(d); err != nil {
			t.Errorf("Look: %v", err)
		}
	}
}

func FuzzSummarize(f *testing.F) {
	small := plain // a large seed would leave the fuzzer no time
	small.Blocks = 2
	for _, run := range []*results.Run{{}, small.Run(small.Design(0.01, time.Minute), 1, 2)} {
		data, err := json.Marshal(run)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var run results.Run
		if json.Unmarshal(data, &run) != nil {
			return
		}
		checkAny(t, &run)
	})
}

// FuzzExtremes drives a maker of records by numbers, so that the fuzzer need
// not write JSON to reach the arithmetic.
func FuzzExtremes(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed, 0.95, 0.01, 60.0)
	}
	f.Add(uint64(1), 1-1e-16, -3.0, 1e300)
	f.Add(uint64(2), 1e-300, 1e300, -1.0)
	f.Fuzz(func(t *testing.T, seed uint64, confidence, resolution, maxTime float64) {
		for _, x := range []float64{confidence, resolution, maxTime} {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return // no JSON file can hold it
			}
		}
		run := extreme(rand.New(rand.NewPCG(seed, 1)))
		run.Header.Design.Confidence, run.Header.Design.Resolution, run.Header.Design.MaxTimeS = confidence, resolution, maxTime
		checkAny(t, run)
	})
}

// extreme makes a record of values at and beyond the edges of sense.
func extreme(rng *rand.Rand) *results.Run {
	value := func() int64 {
		edges := []int64{0, 0, 1, -1, 1000, 1e9, 1e12, math.MaxInt64, math.MinInt64}
		if rng.IntN(3) > 0 {
			return 1e6 + rng.Int64N(1e6)
		}
		return edges[rng.IntN(len(edges))]
	}
	protocols, kinds := []vocab.Protocol{"tcp", "udp", ""}, []vocab.Kind{"", "rr", "conn", "multicast", "flood"}
	bounds := []*float64{nil, nil, new(float64)}
	rates := []float64{0, 0, 1000, 1e-300, -1, math.MaxFloat64}
	histogram := func() *results.Histogram {
		if rng.IntN(3) == 0 {
			return nil
		}
		h := &results.Histogram{}
		for range rng.IntN(4) {
			h.Counts[rng.IntN(results.HistogramBuckets)] = max(0, value()>>11)
		}
		return h
	}
	run := &results.Run{Header: results.Header{Seed: rng.Uint64()}}
	d := &run.Header.Design
	arms, seen := rng.IntN(4), rng.IntN(2) == 0
	for i := range arms {
		d.Arms = append(d.Arms, results.Arm{Name: string(rune('a' + i)), Protocol: protocols[rng.IntN(3)], Kind: kinds[rng.IntN(5)], Flows: int(value()),
			Rate: rates[rng.IntN(6)], LossFree: bounds[rng.IntN(3)], Beside: map[string]vocab.Kind{"rpc": kinds[rng.IntN(5)]}})
	}
	d.Baseline = []string{"", "a", "b", "nobody"}[rng.IntN(4)]
	for _, m := range metricsOf(*d) {
		if rng.IntN(8) == 0 {
			d.Metrics = append(d.Metrics, m.Name)
		}
	}
	for i := range rng.IntN(20) {
		t := results.Trial{Index: i, Order: rng.Perm(4), SetupNS: value(), RunNS: value(), Host: results.HostDelta{StealNS: value(), OwnNS: value(), ForeignNS: value()}}
		for block := range rng.IntN(12) {
			for arm := range arms + 1 {
				var canaries *results.Canaries
				if seen {
					ns := 70 * float64(1+5*rng.IntN(2)) * rates[rng.IntN(len(rates))] / 1000
					canaries = &results.Canaries{DistanceNS: &ns, SourceStepNS: rates[rng.IntN(len(rates))], SinkStepNS: 1, SinkCPU: 1 + rng.IntN(20)/19}
				}
				t.Slices = append(t.Slices, results.Slice{
					StartNS: value(), Canaries: canaries, Block: block, Arm: arm, CountedNS: value(), Rate: rates[rng.IntN(6)], Beside: map[string]results.Counts{"rpc": {RxBytes: value(), Transactions: value(), SinkCPU: value()}},
					Counts: results.Counts{RxBytes: value(), RxMsgs: value(), TxBytes: value(), TxMsgs: value(), SourceCPU: value(), SinkCPU: value(), SourceWait: value(), SinkWait: value(), Transactions: value(), Drops: value()},
				})
			}
		}
		for arm := range arms {
			role := results.RoleDelta{Threads: int(value()), Migrations: value(), CPUs: map[int]int{rng.IntN(3): int(value()), rng.IntN(3): 1},
				Events: map[string]int64{"retries": value(), "odd": value(), "timeouts": value()}}
			t.Arms = append(t.Arms, results.ArmTrial{
				Arm: arm - rng.IntN(2), Source: role, Sink: role, Flows: []results.Flow{{SoftirqCPU: map[int]int{rng.IntN(2): 3}}},
				Latency: histogram(), Beside: map[string]results.Beside{"rpc": {Latency: histogram(), Sink: role}},
				Ledger: results.Ledger{Valid: rng.IntN(2) == 0, Sent: value(), Unexplained: value()},
			})
		}
		run.Trials = append(run.Trials, t)
	}
	return run
}
