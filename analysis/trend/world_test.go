package trend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"netab/results"
)

// A world makes series of log levels with a known truth.
type world struct {
	name  string
	truth []int // change points
	make  func(rng *rand.Rand, n int) []float64
}

// noise is the spread from run to run, 2 %.
const noise = 0.02

func steps(sizes map[int]float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs, level := make([]float64, n), 0.0
		for i := range xs {
			level += sizes[i]
			xs[i] = level + noise*rng.NormFloat64()
		}
		return xs
	}
}

var (
	white   = world{name: "no change", make: steps(nil)}
	oneStep = world{name: "one step of 6 %", truth: []int{60}, make: steps(map[int]float64{60: -0.06})}
	several = world{name: "three steps of 6-8 %", truth: []int{30, 55, 90}, make: steps(map[int]float64{30: -0.06, 55: 0.08, 90: -0.06})}
	drift   = world{name: "slow drift of 20 %", make: func(rng *rand.Rand, n int) []float64 {
		xs := steps(nil)(rng, n)
		for i := range xs {
			xs[i] -= 0.2 * float64(i) / float64(n)
		}
		return xs
	}}
	outlier = world{name: "one outlier of 50 %", make: func(rng *rand.Rand, n int) []float64 {
		xs := steps(nil)(rng, n)
		xs[n/2] -= 0.7
		return xs
	}}
	twoOutliers = world{name: "two bad nights in a row", make: func(rng *rand.Rand, n int) []float64 {
		xs := steps(nil)(rng, n)
		xs[n/2] -= 0.25
		xs[n/2+1] -= 0.25
		return xs
	}}
	twoModes = world{name: "two modes, drawn each run", make: func(rng *rand.Rand, n int) []float64 {
		xs := steps(nil)(rng, n)
		for i := range xs {
			xs[i] += 0.15 * float64(rng.IntN(2))
		}
		return xs
	}}
	heavy = world{name: "heavy tails (t, 2 df)", make: func(rng *rand.Rand, n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			chi := (math.Pow(rng.NormFloat64(), 2) + math.Pow(rng.NormFloat64(), 2)) / 2
			xs[i] = noise * rng.NormFloat64() / math.Sqrt(chi)
		}
		return xs
	}}
)

// series is the r-th series of a world; the seed is fixed.
func (w world) series(r uint64, n int) []float64 {
	return w.make(rand.New(rand.NewPCG(r, 0x7472656e64)), n)
}

// found are the change points of xs with a resolution of 1 %.
func found(d *divider, xs []float64, name string) []int {
	var at []int
	for _, b := range held(d, xs, name) {
		at = append(at, b.at)
	}
	return at
}

func held(d *divider, xs []float64, name string) []boundary {
	white := whiten(xs, takenOut(xs))
	candidates := d.candidates(white, seeded(name, -1))
	return hold(xs, white, candidates, math.Log1p(0.01), func(at int) *rand.Rand { return seeded(name, at) })
}

var began = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// nightly are the digests of one run a night with these levels; kernels name
// the release from that run on.
func nightly(xs []float64, kernels map[int]string) []results.Digest {
	keys := []results.SeriesKey{{Arm: "off", Metric: "goodput", Judged: true, Resolution: 0.01}}
	var runs []results.Digest
	facts := map[string]string{"hostname": "ci1", "cpu model": "model", "kernel": "6.18.0"}
	for i, x := range xs {
		if k := kernels[i]; k != "" {
			facts = map[string]string{"hostname": "ci1", "cpu model": "model", "kernel": k}
		}
		started := began.AddDate(0, 0, i)
		runs = append(runs, results.Digest{ID: results.NewID("loopback", started, uint64(i)), Started: started, Scenario: "loopback",
			Boot: fmt.Sprint("boot-", i), Facts: facts, Series: keys, Values: []float64{40e9 * math.Exp(x)}})
	}
	return runs
}
