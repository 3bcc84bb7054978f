// Package calibration says what a machine's own scatter is and what follows
// from it, from runs whose truth is known: one configuration against itself,
// and against itself slowed down by a known share. What was measured is a
// results.Calibration; everything here is computed from one.
package calibration

import (
	"maps"
	"math"
	"slices"

	gonum "gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"netab/analysis"
	"netab/analysis/proof"
	"netab/analysis/stat"
	"netab/results"
)

// A Point is what runs of one slowdown found: a point of the detection curve.
type Point struct {
	Slowdown float64 `json:"slowdown"`
	Truth    float64 `json:"truth"` // mean over its runs, relative
	Runs     int     `json:"runs"`
	Lower    int     `json:"found_lower"`  // verdicts that it became less
	Higher   int     `json:"found_higher"` // that it became more
	Same     int     `json:"equivalent"`
	Open     int     `json:"inconclusive"`
	Covered  int     `json:"covered"` // intervals that hold the truth
	Change   float64 `json:"change"`  // median of what was found, relative
	Scatter  float64 `json:"scatter"` // of that: 1.4826 times the median distance from it
	MedianS  float64 `json:"median_s"`
	P90S     float64 `json:"p90_s"` // 9 of 10 runs ended by then
}

// False are the verdicts that the truth contradicts.
func (p Point) False() int {
	if p.Slowdown > 0 {
		return p.Higher
	}
	return p.Higher + p.Lower
}

// Curve lists the points, no slowdown first.
func Curve(c *results.Calibration) []Point {
	var shares []float64
	for _, r := range c.Runs {
		if !slices.Contains(shares, r.Slowdown) {
			shares = append(shares, r.Slowdown)
		}
	}
	slices.Sort(shares)
	var out []Point
	for _, share := range shares {
		out = append(out, pointOf(c, share))
	}
	return out
}

func pointOf(c *results.Calibration, share float64) Point {
	p := Point{Slowdown: share}
	var changes, durations []float64
	for _, r := range c.Runs {
		if r.Slowdown != share {
			continue
		}
		p.Runs++
		p.Truth += r.Truth
		changes, durations = append(changes, r.Change), append(durations, r.DurationS)
		switch analysis.Verdict(r.Verdict) {
		case analysis.Equivalent:
			p.Same++
		case analysis.Inconclusive:
			p.Open++
		default:
			if r.Change < 0 {
				p.Lower++
			} else {
				p.Higher++
			}
		}
		if r.Lo <= r.Truth && r.Truth <= r.Hi {
			p.Covered++
		}
	}
	p.Truth /= float64(p.Runs)
	// Medians, as one run whose CPU was stolen would be all of a mean.
	p.Change = stat.Median(changes)
	for i := range changes {
		changes[i] = math.Abs(changes[i] - p.Change)
	}
	p.Scatter = 1.4826 * stat.Median(changes)
	slices.Sort(durations)
	p.MedianS = gonum.Quantile(0.5, gonum.Empirical, durations, nil)
	p.P90S = gonum.Quantile(0.9, gonum.Empirical, durations, nil)
	return p
}

// MostFalse is how many of n verdicts may be false, by the bound that simulated
// machines are held to.
func MostFalse(n int) int { return int(float64(n) * proof.MostWrong(n)) }

// A Spread splits a scatter by what draws it, as standard deviations on the
// log scale: blocks within a trial, trials within a run, runs within a boot,
// boots. DF are the degrees of freedom of each; 0 = not known.
type Spread struct {
	Block   float64 `json:"block"` // of one trial's value
	Trial   float64 `json:"trial"` // beyond Block, from trial to trial
	Run     float64 `json:"run"`   // beyond both, from run to run
	Boot    float64 `json:"boot,omitempty"`
	TrialDF float64 `json:"trial_df"`
	RunDF   float64 `json:"run_df"`
	BootDF  float64 `json:"boot_df,omitempty"`
	// RunP is the chance of so large a scatter of runs if nothing were drawn
	// once a run.
	RunP float64 `json:"run_p"`
}

// OneTrial is the standard deviation of one trial's value within a run.
func (s Spread) OneTrial() float64 { return math.Hypot(s.Block, s.Trial) }

// TooDisturbed marks a run of which too few trials were undisturbed.
const TooDisturbed = "too-disturbed"

// undisturbed are the runs in which no CPU time was stolen, and other programs
// left trials enough: one trial that stands still for half of its time would be
// all of the variance of hundreds. The others stay in the curve, which is what
// happens to a user.
func undisturbed(c *results.Calibration) []results.CalibrationRun {
	return slices.DeleteFunc(slices.Clone(c.Runs), func(r results.CalibrationRun) bool {
		return slices.Contains(r.Warnings, "cpu-steal") || slices.Contains(r.Warnings, TooDisturbed)
	})
}

// A value is one run's mean of something.
type value struct {
	boot           string
	mean, sd, self float64 // self: of one trial by its blocks
	n              int
}

// Effects is the spread of effects less what was put there, over all runs of
// all calibrations given.
func Effects(cs ...*results.Calibration) Spread {
	var vs []value
	for _, c := range cs {
		for _, r := range undisturbed(c) {
			vs = append(vs, value{r.Boot, r.Effect - math.Log1p(r.Truth), r.EffectSD, r.WithinSD, r.Trials - r.Invalid})
		}
	}
	return spreadOf(vs)
}

// Levels is the spread of the levels of the configuration as it is.
func Levels(cs ...*results.Calibration) Spread {
	var vs []value
	for _, c := range cs {
		for _, r := range undisturbed(c) {
			vs = append(vs, value{boot: r.Boot, mean: r.Level, sd: r.LevelSD, n: r.Trials - r.Invalid})
		}
	}
	return spreadOf(vs)
}

// spreadOf is the analysis of variance of nested random effects by the method
// of moments (Searle, Casella and McCulloch 1992, 3.6): each mean square less
// what the level below explains. Unequal numbers of trials are taken by their
// harmonic mean, of runs by boot likewise: means are weighted alike, as they
// are where runs are compared.
func spreadOf(vs []value) (s Spread) {
	vs = slices.DeleteFunc(slices.Clone(vs), func(v value) bool { return v.n < 2 || v.sd == 0 })
	if len(vs) == 0 {
		return s
	}
	var ss, self, inverse float64
	for _, v := range vs {
		ss += v.sd * v.sd * float64(v.n-1)
		s.TrialDF += float64(v.n - 1)
		self += v.self * v.self * float64(v.n-1)
		inverse += 1 / float64(v.n)
	}
	within := ss / s.TrialDF
	block := min(self/s.TrialDF, within)
	s.Block, s.Trial = math.Sqrt(block), math.Sqrt(within-block)
	inverse /= float64(len(vs)) // mean of 1/n: the share of a trial's variance in a run's mean

	boots := map[string][]float64{}
	for _, v := range vs {
		boots[v.boot] = append(boots[v.boot], v.mean)
	}
	var runSS, perBoot float64
	var means []float64
	for _, boot := range slices.Sorted(maps.Keys(boots)) { // sums of floats hang on their order
		xs := boots[boot]
		if len(xs) > 1 {
			runSS += gonum.Variance(xs, nil) * float64(len(xs)-1)
			s.RunDF += float64(len(xs) - 1)
		}
		perBoot += 1 / float64(len(xs)) / float64(len(boots))
		means = append(means, gonum.Mean(xs, nil))
	}
	if s.RunDF == 0 {
		return s
	}
	run := runSS / s.RunDF
	s.Run = math.Sqrt(max(0, run-within*inverse))
	if within > 0 {
		s.RunP = distuv.F{D1: s.RunDF, D2: s.TrialDF}.Survival(run / (within * inverse))
	}
	if len(boots) > 1 {
		s.BootDF = float64(len(boots) - 1)
		s.Boot = math.Sqrt(max(0, gonum.Variance(means, nil)-run*perBoot))
	}
	return s
}

// TrialS is how long a trial takes, set-up and rest included.
func TrialS(cs ...*results.Calibration) float64 {
	var time, trials float64
	for _, c := range cs {
		for _, r := range c.Runs {
			time += r.DurationS
			trials += float64(r.Trials)
		}
	}
	return time / trials
}
