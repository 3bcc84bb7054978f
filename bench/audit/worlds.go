package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// The noise of every world, on the log scale. One slice of a trial varies by
// perSliceSD, so that eight blocks tell a trial's effect to 1 %; what a trial
// draws for an arm and keeps varies by perTrialSD where the world says no other.
const (
	perSliceSD = 0.02
	perTrialSD = 0.01
	blocks     = 8
)

// A world is a truth, and what stands between it and a run.
type world struct {
	name        string
	trials      int
	comparisons int     // 0 = 1
	resolution  float64 // 0 = 2 %
	// truth is the long-run effect of every arm, a logarithm, or the difference
	// where loss is set.
	truth float64
	// effects draws what one arm's trials are off by; its mean in the long run is 0.
	effects func(rng *rand.Rand, n int) []float64
	// loss draws the share that an arm's trials lose, in place of effects.
	loss func(rng *rand.Rand, n int) []float64
	// perSide is how many runs each side of netab compare has, and runSD how far the
	// levels of runs of one boot scatter; 0 = one run is judged.
	perSide int
	runSD   float64
	states  *states
	// power: the world is there to show what is found, not what is not.
	power bool
	// gate counts gates that pass at exactly the threshold.
	gate bool
	// beyond says why no run of so many trials can keep the promise, and what there is
	// instead; such a world is shown, and held to nothing.
	beyond string
}

// What a run cannot know of itself (docs/statistics.md).
const (
	beyondFew  = "so few trials do not tell how much they depend on each other: measure for longer"
	beyondStay = "no run tells of a state that it hardly left: sessions"
	beyondRare = "what is rarer than so few trials show is in the answer, as the share that may have gone unseen"
)

// States are what the whole machine is in, near or far, for dwell on average.
type states struct {
	dwell     time.Duration
	near, far float64 // what an arm's effect is off by there
	farLevel  float64 // what every arm's level is off by in the far state
	canary    bool    // that sees it
}

func worlds() []world {
	var ws []world
	each := func(w world, trials ...int) {
		for _, n := range trials {
			w.trials = n
			ws = append(ws, w)
		}
	}
	beyond := func(w world, why string, trials ...int) {
		w.beyond = why
		each(w, trials...)
	}
	each(world{name: "independent normal trials, no effect", effects: normal(perTrialSD)}, 8, 18)
	each(world{name: "independent normal trials, effect as large as the resolution", truth: math.Log1p(0.02), effects: normal(perTrialSD)}, 8, 18)
	each(world{name: "independent normal trials, effect of twice the resolution", truth: math.Log1p(0.04), effects: normal(perTrialSD), power: true}, 8, 18)
	correlated := func(r float64) world {
		return world{name: fmt.Sprintf("AR(1) %g from trial to trial", r), effects: autoregressive(r, 0.03)}
	}
	beyond(correlated(0.5), beyondFew, 8)
	each(correlated(0.5), 18, 37)
	beyond(correlated(0.8), beyondFew, 8, 18)
	for _, dwell := range []float64{3, 10, 30} {
		beyond(world{name: fmt.Sprintf("two states, mean dwell of %g trials", dwell), effects: twoStates(dwell, 0.04)}, beyondStay, 8, 18)
	}
	each(rare("modes 80/20, one 8 % slower", 0.2, math.Log1p(-0.08)), 18)
	beyond(rare("modes 95/5, one 8 % slower", 0.05, math.Log1p(-0.08)), beyondRare, 18)
	beyond(rare("5 % of trials at half", 0.05, math.Log(0.5)), beyondRare, 8, 18)
	threshold := math.Log1p(-0.02)
	fifth := world{name: "gate at its threshold: 20 % of trials 8 % slower", truth: threshold, effects: centred(0.2, math.Log1p(-0.08)), gate: true}
	beyond(fifth, beyondRare, 8)
	each(fifth, 18)
	each(world{name: "gate at its threshold: skew (exponential, 3 %)", truth: threshold, effects: skewed(0.03), gate: true}, 8, 18)
	each(world{name: "gate at its threshold: loss of 1 % in 10 % of trials", truth: 0.001, resolution: 0.001, loss: bursts(0.1, 0.01), gate: true}, 18, 40)
	each(world{name: "gate at its threshold: independent normal trials", truth: threshold, effects: normal(perTrialSD), gate: true}, 18)
	for _, c := range []int{4, 9} {
		each(world{name: fmt.Sprintf("%d comparisons, two modes of 15 %%", c), comparisons: c, effects: centred(0.5, 0.15)}, 6, 10)
	}
	for _, n := range []int{1, 3, 4} {
		each(world{name: fmt.Sprintf("compare %d+%d runs of one boot that scatter by 1 %%", n, n), perSide: n, runSD: 0.01, resolution: 0.01, effects: normal(perTrialSD)}, 18)
	}
	hidden := func(s states, text string) world {
		return world{name: fmt.Sprintf("hidden state, dwell %v, %s", s.dwell, text), effects: normal(0.003), states: &s}
	}
	for _, dwell := range []time.Duration{time.Second, 10 * time.Second, 2 * time.Minute} {
		for _, w := range []world{
			hidden(states{dwell: dwell, near: 0.05, far: -0.05, canary: true}, "effect +5 / -5 %, seen by a canary"),
			hidden(states{dwell: dwell, near: 0.05, far: -0.05}, "effect +5 / -5 %, unseen"),
		} {
			if dwell > time.Second { // a run of 36 s
				w.beyond = beyondStay
			}
			each(w, 18)
		}
		each(hidden(states{dwell: dwell, farLevel: math.Log(0.75), canary: true}, "no effect, level 25 % lower, seen by a canary"), 18)
	}
	w := hidden(states{dwell: 2 * time.Minute, farLevel: math.Log(0.75), canary: true}, "effect of twice the resolution, level 25 % lower, seen by a canary")
	w.truth, w.power = math.Log1p(0.04), true
	each(w, 18)
	for i := range ws {
		w := &ws[i]
		w.comparisons = max(w.comparisons, 1)
		if w.resolution == 0 {
			w.resolution = 0.02
		}
	}
	return ws
}

func normal(sd float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = sd * rng.NormFloat64()
		}
		return xs
	}
}

func autoregressive(r, sd float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs := normal(sd)(rng, n)
		for i := 1; i < n; i++ {
			xs[i] = r*xs[i-1] + math.Sqrt(1-r*r)*xs[i]
		}
		return xs
	}
}

// twoStates are size above and below, each left after dwell trials on average.
func twoStates(dwell, size float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs, at := make([]float64, n), size
		if rng.IntN(2) == 0 {
			at = -at
		}
		for i := range xs {
			if rng.Float64() < 1/dwell {
				at = -at
			}
			xs[i] = at
		}
		return xs
	}
}

// centred draws for a share of the trials that they are off by size, about the
// mean of it all.
func centred(share, size float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = -share * size
			if rng.Float64() < share {
				xs[i] += size
			}
		}
		return xs
	}
}

// rare is a world in which nothing but a share of the trials has an effect.
func rare(name string, share, size float64) world {
	return world{name: name, truth: share * size, effects: centred(share, size)}
}

// skewed trials are often a little fast and seldom very slow.
func skewed(sd float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = sd * (1 - rng.ExpFloat64())
		}
		return xs
	}
}

func bursts(share, size float64) func(*rand.Rand, int) []float64 {
	return func(rng *rand.Rand, n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			if rng.Float64() < share {
				xs[i] = size
			}
		}
		return xs
	}
}

// metric and shown are what the world is judged by, and its truth as netab shows
// changes.
func (w *world) metric() string {
	if w.loss != nil {
		return "loss"
	}
	return "goodput"
}

func (w *world) shown(truth float64) float64 {
	if w.loss != nil {
		return truth
	}
	return math.Expm1(truth)
}

// draw makes the runs of one judgement, those of the old side first.
func (w *world) draw(seed, repeat uint64) []*run {
	h := fnv.New64a()
	fmt.Fprint(h, w.name, w.trials)
	rng := rand.New(rand.NewPCG(seed^h.Sum64(), repeat))
	var runs []*run
	for i := range max(1, 2*w.perSide) {
		r := w.run(rng)
		r.id, r.seed, r.started = fmt.Sprintf("run%d", i), rng.Uint64()>>12, began.Add(time.Duration(i)*time.Minute)
		runs = append(runs, r)
	}
	return runs
}

func (w *world) run(rng *rand.Rand) *run {
	r := &run{arms: w.comparisons + 1, trials: w.trials, blocks: blocks, resolution: w.resolution, metric: w.metric(), order: rng.Perm}
	level := w.runSD * rng.NormFloat64()
	effects, losses := make([][]float64, r.arms), make([][]float64, r.arms)
	for a := 1; a < r.arms; a++ {
		if w.loss != nil {
			losses[a] = w.loss(rng, w.trials)
		} else {
			effects[a] = w.effects(rng, w.trials)
		}
	}
	if w.loss != nil {
		r.gate = map[string]float64{"loss": w.resolution}
	}
	far := func(time.Duration) bool { return false }
	if s := w.states; s != nil {
		r.blocks = 16 // 0.9 s a trial, 16 s in all
		far = s.timeline(rng, time.Duration(w.trials)*r.trialLength())
		if s.canary {
			r.distance = func(at time.Duration) float64 {
				if far(at) {
					return 280 + 85*rng.Float64()
				}
				return 50 + 60*rng.Float64()
			}
		}
	}
	r.log = func(trial, arm int, at time.Duration) float64 {
		x := level + perSliceSD*rng.NormFloat64()
		if s := w.states; s != nil {
			x += s.off(arm, far(at))
		}
		if effects[arm] != nil {
			x += w.truth + effects[arm][trial]
		}
		return x
	}
	r.lost = func(trial, arm int, _ time.Duration) float64 {
		if losses[arm] == nil {
			return 0
		}
		return losses[arm][trial]
	}
	return r
}

// off is what a state adds to an arm's rate.
func (s *states) off(arm int, far bool) float64 {
	x := 0.0
	if arm > 0 {
		x = s.near
	}
	if far {
		x = s.farLevel
		if arm > 0 {
			x += s.far
		}
	}
	return x
}

// timeline draws when the machine is far: either state at first, and each is left
// at random.
func (s *states) timeline(rng *rand.Rand, length time.Duration) func(at time.Duration) bool {
	first := rng.IntN(2) == 0
	var switches []time.Duration
	for at := time.Duration(0); at < length; {
		at += time.Duration(float64(s.dwell) * rng.ExpFloat64())
		switches = append(switches, at)
	}
	return func(at time.Duration) bool {
		far := first
		for _, t := range switches {
			if t > at {
				break
			}
			far = !far
		}
		return far
	}
}
