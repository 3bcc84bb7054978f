package runner

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"netab/results"
	"netab/scenarios"
)

// A wire loses all above its limit, within some noise, and nothing below.
func wire(limit float64, rng *rand.Rand) func(s *search, n int) (rate float64, edge int) {
	return func(s *search, n int) (float64, int) {
		limit := limit * math.Exp(0.03*rng.NormFloat64())
		if s.rate(0, n) > limit {
			return s.rate(0, n), -1
		}
		for i := 1; i < n; i++ {
			if s.rate(i, n) > limit {
				return math.Sqrt(s.rate(i-1, n) * s.rate(i, n)), 0
			}
		}
		return s.rate(n-1, n), 1
	}
}

// The search finds limits anywhere in its range, keeps its ladder around them,
// and follows one that turns out to lie elsewhere.
func TestSearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const steps = 12
	for _, limit := range []float64{1.5e3, 40e3, 700e3, 9e6} {
		s, try := newSearch(1e3, 10e6), wire(limit, rng)
		for _, factor := range narrow {
			rate, _ := try(s, steps)
			s.around(rate, factor)
		}
		for range 10 {
			rate, edge := try(s, steps)
			s.learn(rate, edge)
		}
		if s.low > limit || s.high < limit || s.high/s.low > 2.1 {
			t.Errorf("limit %v: the ladder ended at %v to %v", limit, s.low, s.high)
		}
		moved := wire(limit/3, rng)
		for range 10 {
			rate, edge := moved(s, steps)
			s.learn(rate, edge)
		}
		if low := max(limit/3, 1e3); s.low > low || s.high < low {
			t.Errorf("limit %v moved to %v: the ladder ended at %v to %v", limit, low, s.low, s.high)
		}
	}
	s := newSearch(5, 50)
	s.learn(math.NaN(), 0)
	if s.low != 5 || s.high != 50 {
		t.Error("a trial without slices moved the ladder")
	}
}

// Every slice of an arm with a search has one step of its ladder, each step
// once in so many blocks; other arms have none.
func TestOffer(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	arm := scenarios.Arm{Config: scenarios.Config{Traffic: scenarios.Traffic{LossFree: &scenarios.LossFree{From: 10, To: 1000}}}}
	r := &run{rng: rng, plan: &plan{arms: []scenarios.Arm{{}, arm}, blocks: 5}}
	r.search = r.searches()
	turns := after(warmupTurns([]int{0, 1}, warmup), blocksOf(rng, []int{0, 1}, 5, 25*time.Millisecond, 5*time.Millisecond))
	r.offer(turns)
	seen := map[int]int{}
	for _, turn := range turns {
		switch {
		case turn.arm == 0 && turn.rate != 0:
			t.Errorf("an arm without a search was offered %v", turn.rate)
		case turn.arm == 1 && turn.slice < 0 && turn.rate != 10:
			t.Errorf("warm-up at %v, want the lowest rate", turn.rate)
		case turn.arm == 1 && turn.slice >= 0:
			seen[int(math.Round(turn.rate))]++
		}
	}
	for _, rate := range []int{10, 32, 100, 316, 1000} {
		if seen[rate] != 1 {
			t.Errorf("rate %d was offered %d times: %v", rate, seen[rate], seen)
		}
	}
	r.LossFree = func(*results.Trial, int) (float64, int) { return 100, 0 }
	r.learn(&results.Trial{Invalid: "failed"})
	if r.search[1].count != 0 {
		t.Error("an invalid trial moved the ladder")
	}
}
