package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
)

// A latencyWorld draws the latencies of both arms of a trial, as logs about
// the machine's level of the moment; truth is the change of a percentile of
// all transactions that there will ever be.
type latencyWorld struct {
	name  string
	q     quantile
	truth float64
	trial func(rng *rand.Rand) (a, b func() float64)
}

// z99 is the normal distribution's 99th percentile.
const z99 = 2.3263478740408408

var latencyWorlds = []latencyWorld{
	{"trial effects", 0.99, 0, func(rng *rand.Rand) (a, b func() float64) {
		return lognormal(rng, 0.03*rng.NormFloat64(), 0.3), lognormal(rng, 0.03*rng.NormFloat64(), 0.3)
	}},
	{"an effect, one arm steadier, both drift", 0.99, math.Log(0.9) + z99*(math.Hypot(0.3, 0.1)-math.Hypot(0.3, math.Hypot(0.1, 0.1))), func(rng *rand.Rand) (a, b func() float64) {
		return lognormal(rng, 0.1*rng.NormFloat64(), 0.3), lognormal(rng, math.Log(0.9), 0.3)
	}},
	{"trial effects with a heavy tail", 0.5, 0, func(rng *rand.Rand) (a, b func() float64) {
		return lognormal(rng, 0.03*student3(rng), 0.3), lognormal(rng, 0.03*student3(rng), 0.3)
	}},
	{"log-normal trial effects", 0.9, 0, func(rng *rand.Rand) (a, b func() float64) {
		return lognormal(rng, 0.05*math.Exp(rng.NormFloat64()), 0.3), lognormal(rng, 0.05*math.Exp(rng.NormFloat64()), 0.3)
	}},
	{"stalls in one trial of ten", 0.99, 0, func(rng *rand.Rand) (a, b func() float64) {
		return stalling(rng), stalling(rng)
	}},
	{"two modes", 0.5, 0, func(rng *rand.Rand) (a, b func() float64) {
		return lognormal(rng, 0.5*float64(rng.IntN(2)), 0.1), lognormal(rng, 0.5*float64(rng.IntN(2)), 0.1)
	}},
	{"two modes, in the tail", 0.99, 0, func(rng *rand.Rand) (a, b func() float64) {
		return lognormal(rng, 0.5*float64(rng.IntN(2)), 0.1), lognormal(rng, 0.5*float64(rng.IntN(2)), 0.1)
	}},
}

func lognormal(rng *rand.Rand, mu, sigma float64) func() float64 {
	return func() float64 { return mu + sigma*rng.NormFloat64() }
}

// student3 has the standard deviation of a standard normal draw, and its tail
// is Student's with three degrees of freedom.
func student3(rng *rand.Rand) float64 {
	chi2 := 0.0
	for range 3 {
		x := rng.NormFloat64()
		chi2 += x * x
	}
	return rng.NormFloat64() / math.Sqrt(chi2)
}

func stalling(rng *rand.Rand) func() float64 {
	mu, stalled := 0.03*rng.NormFloat64(), rng.IntN(10) == 0
	return func() float64 {
		x := mu + 0.3*rng.NormFloat64()
		if stalled && rng.IntN(10) == 0 {
			x += 2
		}
		return x
	}
}

// bootstrapOf makes the histograms of n trials and what their percentiles say.
func (w latencyWorld) bootstrapOf(rng *rand.Rand, n, transactions int) stat.Bootstrap {
	hs := make([]results.Histogram, 2*n)
	var a, b []*results.Histogram
	for i := range n {
		drift := 0.1 * rng.NormFloat64()
		fa, fb := w.trial(rng)
		ha, hb := &hs[2*i], &hs[2*i+1]
		for range transactions {
			ha.Add(int64(50e3 * math.Exp(drift+fa())))
			hb.Add(int64(50e3 * math.Exp(drift+fb())))
		}
		a, b = append(a, ha), append(b, hb)
	}
	boot, _ := w.q.between(a, b, rng)
	return boot
}

// TestBootstrapCovers: intervals hold the truth as often as they say, from
// eight trials on, at the alpha of a run and at that of an early look. Under
// the worlds whose truth is zero what is missed are false verdicts.
func TestBootstrapCovers(t *testing.T) {
	manyRuns(t)
	const runs, early = 150, 0.01
	all, missed, missedEarly := 0, 0, 0
	for i, w := range latencyWorlds {
		for _, n := range []int{8, 16} {
			if n == 16 && i%3 != 1 {
				continue // time
			}
			rng := rand.New(rand.NewPCG(uint64(i), uint64(n)))
			outside := 0
			for range runs {
				b := w.bootstrapOf(rng, n, 250)
				if lo, hi := b.Interval(0.05).Ends(); w.truth < lo || w.truth > hi {
					outside++
				}
				if lo, hi := b.Interval(early).Ends(); w.truth < lo || w.truth > hi {
					missedEarly++
				}
			}
			t.Logf("%s, %d trials: %d of %d missed", w.name, n, outside, runs)
			if most := within(0.05, runs); outside > most {
				t.Errorf("%s, %d trials: %d of %d intervals miss the truth, at most %d are allowed", w.name, n, outside, runs, most)
			}
			all, missed = all+runs, missed+outside
		}
	}
	t.Logf("together %d of %d at 5 %%, %d at 1 %%", missed, all, missedEarly)
	if most := within(0.05, all); missed > most {
		t.Errorf("together %d of %d miss, at most %d are allowed", missed, all, most)
	}
	if most := within(early, all); missedEarly > most {
		t.Errorf("at an early look %d of %d miss, at most %d are allowed", missedEarly, all, most)
	}
	// Not by shrugging: an interval that always holds the truth tells nothing.
	if missed < all/100 {
		t.Errorf("only %d of %d miss: the intervals are too wide", missed, all)
	}
}

// TestBootstrapOverLooks: the chance of a false difference over all looks
// together stays within alpha.
func TestBootstrapOverLooks(t *testing.T) {
	manyRuns(t)
	const runs = 100
	looks := []int{8, 12, 18, 28}
	wrong := 0
	for seed := range uint64(runs) {
		spent := 0.0
		for _, n := range looks {
			alpha := 0.05*float64(n)/float64(looks[len(looks)-1]) - spent
			spent += alpha
			// The same seed makes the same first trials.
			b := latencyWorlds[0].bootstrapOf(rand.New(rand.NewPCG(seed, 3)), n, 250)
			if lo, hi := b.Interval(alpha).Ends(); lo > 0 || hi < 0 {
				wrong++
				break
			}
		}
	}
	if most := within(0.05, runs); wrong > most {
		t.Errorf("%d of %d runs saw a difference that is not there, at most %d are allowed", wrong, runs, most)
	}
}

// TestBootstrapP: p is the smallest alpha whose interval excludes zero, deep
// in the tail too.
func TestBootstrapP(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	w := latencyWorlds[1]
	for range 50 {
		b := w.bootstrapOf(rng, 8, 100)
		p, ok := b.P(0)
		if !ok || p <= 0 || p > 1 {
			t.Fatalf("p is %v, %v", p, ok)
		}
		for _, f := range []float64{0.9, 1.1} {
			lo, hi := b.Interval(min(1, p*f)).Ends()
			if holds := lo <= 0 && hi >= 0; p < 0.9 && holds != (f < 1) {
				t.Errorf("p = %v, but at alpha %v the interval is %v to %v", p, p*f, lo, hi)
			}
		}
		narrow, wide := width(b.Interval(1e-3)), width(b.Interval(1e-6))
		if !(wide > 1.2*narrow) || !stat.IsFinite(wide) {
			t.Errorf("at alpha 1e-6 the interval is %v wide, at 1e-3 %v", wide, narrow)
		}
	}
}

func width(in stat.Interval) float64 { return in.Hi - in.Lo }

// TestBootstrapWithoutSpread: trials alike, one trial, nothing in them.
func TestBootstrapWithoutSpread(t *testing.T) {
	same := func(n int, ns int64) []*results.Histogram {
		var hs []*results.Histogram
		for range n {
			h := &results.Histogram{}
			h.Add(ns)
			hs = append(hs, h)
		}
		return hs
	}
	rng := rand.New(rand.NewPCG(1, 1))
	b, ok := quantile(0.5).between(same(8, 100), same(8, 110), rng)
	lo, hi := b.Interval(0.05).Ends()
	if p, has := b.P(0); !ok || !has || p != 0 || lo != hi || math.Abs(lo-math.Log(1.1)) > 1e-12 {
		t.Errorf("trials alike: %v to %v, p %v", lo, hi, p)
	}
	b, _ = quantile(0.5).between(same(8, 100), same(8, 100), rng)
	if p, _ := b.P(0); p != 1 {
		t.Errorf("no change at all has p = %v", p)
	}
	b, ok = quantile(0.5).between(same(1, 100), same(1, 110), rng)
	if lo, hi := b.Interval(0.05).Ends(); !ok || lo != hi || lo != b.Centre() {
		t.Errorf("one trial: %v to %v", lo, hi)
	}
	if _, ok := b.P(0); ok {
		t.Error("one trial has a p")
	}
	for _, hs := range [][]*results.Histogram{nil, {{}, {}}} {
		if b, ok := quantile(0.5).between(hs, hs, rng); ok {
			t.Errorf("%d trials without a transaction change by %v", len(hs), b.Centre())
		}
	}
}

// TestMergedChangeIsOfTheLevels: what a change says is what the levels beside
// it say, and not the mean of the trials' changes.
func TestMergedChangeIsOfTheLevels(t *testing.T) {
	run := rrRun(8, 10, 20, 16)
	for i := range run.Trials { // one trial of five is slow with the second arm
		if h := run.Trials[i].Arms[1].Latency; i%5 == 0 {
			for range 2000 {
				h.Add(90e3)
			}
		}
	}
	s := Summarize(run)
	seen := 0
	for _, c := range s.Comparisons {
		if m := lookup(t, c.Metric); !m.Merged() {
			continue
		}
		seen++
		a, b := s.Arms[0].Metrics[c.Metric].Mean, s.Arms[1].Metrics[c.Metric].Mean
		near(t, c.Metric, c.Change, b/a-1, 1e-9)
		if c.Lo > c.Change || c.Hi < c.Change || c.N != 10 || c.DF != 9 {
			t.Errorf("%s: %v (%v to %v), n %d, df %v", c.Metric, c.Change, c.Lo, c.Hi, c.N, c.DF)
		}
		mean := 0.0
		for _, e := range c.TrialEffects {
			mean += math.Log1p(e.Change) / 10
		}
		if c.Metric == "latency_p99" && c.Change < 2*math.Expm1(mean) {
			t.Errorf("p99 changes by %v, near the trials' mean of %v", c.Change, math.Expm1(mean))
		}
	}
	if seen != 4 {
		t.Errorf("%d percentiles were compared", seen)
	}
}

// TestBootstrapDependsOnTheSeedOnly: judging twice gives the same figures, and
// another run's seed others.
func TestBootstrapDependsOnTheSeedOnly(t *testing.T) {
	p99 := func(seed uint64) Comparison {
		run := rrRun(8, 10, 20, 16)
		run.Header.Seed = seed
		for _, c := range Summarize(run).Comparisons {
			if c.Metric == "latency_p99" {
				return c
			}
		}
		t.Fatal("p99 was not compared")
		return Comparison{}
	}
	a, b, c := p99(1), p99(1), p99(2)
	if a.Lo != b.Lo || a.Hi != b.Hi {
		t.Errorf("judged twice: %v to %v, then %v to %v", a.Lo, a.Hi, b.Lo, b.Hi)
	}
	if a.Lo == c.Lo && a.Hi == c.Hi {
		t.Error("another seed gives the same draws")
	}
	near(t, "width with another seed", (c.Hi-c.Lo)/(a.Hi-a.Lo), 1, 0.15)
}

// BenchmarkBootstrapLook is what a look at four percentiles of 60 trials adds.
func BenchmarkBootstrapLook(b *testing.B) {
	run := rrRun(3, 60, 20, 16)
	run.Header.Design.Metrics = []string{"latency_p50", "latency_p90", "latency_p99", "latency_p999"}
	j := judging{design: run.Header.Design, rec: record.Of(run.Header.Design, run.Trials), alpha: 0.01, looks: 2}
	for b.Loop() {
		j.progress()
	}
}
