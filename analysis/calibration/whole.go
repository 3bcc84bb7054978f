package calibration

import (
	"math"

	gonum "gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"netab/analysis/stat"
	"netab/results"
)

// A Contest holds slices against the classical procedure on the same machine
// and configuration: fresh processes for each sample, the two configurations in
// turn, Welch's t test on the samples.
type Contest struct {
	Effect float64 `json:"effect"` // relative change that is to be found
	// SampleSD is the standard deviation of the log of one classical sample,
	// SampleDF its degrees of freedom.
	SampleSD float64 `json:"sample_sd"`
	SampleDF float64 `json:"sample_df"`
	Samples  int     `json:"samples"`     // of each configuration, for alpha 5 % and power 90 %
	WallS    float64 `json:"wall_s"`      // that they take
	TrialSD  float64 `json:"trial_sd"`    // of the log ratio of one of our trials
	Trials   int     `json:"trials"`      // of ours for the same alpha and power, by our looks
	OursS    float64 `json:"ours_wall_s"` // that they take
	// SERatio is the standard error of the classical estimate over ours at equal
	// wall time; its square is how many times longer the classical one measures
	// for the same interval.
	SERatio float64 `json:"se_ratio"`
	// Difference of what the two procedures say of the slowdown that was put
	// there, both less their truths, and the standard error of that; 0 = not
	// known.
	Difference   float64 `json:"difference"`
	DifferenceSE float64 `json:"difference_se"`
	Agree        bool    `json:"agree"` // within two standard errors
}

// Compare answers for an effect of the given size; ok is false where no whole
// trials were measured, or nothing is known of how ours scatter. looks are the trials at which a run may end, alphas what
// each may spend.
func Compare(c *results.Calibration, effect float64, looks []results.Look) (x Contest, ok bool) {
	w := c.Samples
	if w == nil || len(w.Off) < 3 || len(w.Slower) < 3 {
		return x, false
	}
	x.Effect = effect
	off, slower := logs(w.Off), logs(w.Slower)
	x.SampleDF = float64(len(off) + len(slower) - 2)
	x.SampleSD = math.Sqrt((gonum.Variance(off, nil)*float64(len(off)-1) + gonum.Variance(slower, nil)*float64(len(slower)-1)) / x.SampleDF)
	delta := math.Abs(math.Log1p(effect))
	x.Samples = welchSamples(x.SampleSD, delta)
	x.WallS = 2 * float64(x.Samples) * w.WallS

	effects, trial := Effects(c), TrialS(c)
	if x.TrialSD = effects.OneTrial(); !(x.TrialSD > 0) {
		return x, false // where every run was disturbed, nothing is known of ours
	}
	for _, l := range looks {
		if found(l.Trials, x.TrialSD, delta, l.Alpha) >= power {
			x.Trials, x.OursS = l.Trials, float64(l.Trials)*trial
			break
		}
	}
	// Variance of either estimate by second of wall time.
	classical := 2 * x.SampleSD * x.SampleSD * 2 * w.WallS
	ours := x.TrialSD * x.TrialSD * trial
	x.SERatio = math.Sqrt(classical / ours)

	x.Difference, x.DifferenceSE = agreement(c, off, slower, x.SampleSD)
	x.Agree = math.Abs(x.Difference) <= 2*x.DifferenceSE
	return x, true
}

// agreement is the whole trials' effect less that by slices, of the same
// slowdown, both less what was really put there.
func agreement(c *results.Calibration, off, slower []float64, sd float64) (difference, se float64) {
	whole := gonum.Mean(slower, nil) - gonum.Mean(off, nil) - math.Log1p(c.Samples.Truth)
	var bySlices []float64
	for _, r := range c.Runs {
		if r.Slowdown == c.Samples.Slowdown {
			bySlices = append(bySlices, r.Effect-math.Log1p(r.Truth))
		}
	}
	if len(bySlices) < 2 {
		return 0, 0
	}
	se2 := gonum.Variance(bySlices, nil)/float64(len(bySlices)) + sd*sd*(1/float64(len(off))+1/float64(len(slower)))
	return whole - gonum.Mean(bySlices, nil), math.Sqrt(se2)
}

const (
	alpha = 0.05
	power = 0.90
)

// welchSamples is how many samples of each of two configurations Welch's t test
// needs at alpha 5 % to find a difference with power 90 %, both scattering
// alike: then it is the t test with 2n-2 degrees of freedom, whose power is
// that of the noncentral t (Cohen 1988, 2.2).
func welchSamples(sd, delta float64) int {
	if delta <= 0 {
		return 0
	}
	for n := 2; n < 1_000_000; n += 1 + n/100 {
		df := float64(2*n - 2)
		if tPower(df, delta/(sd*math.Sqrt(2/float64(n))), alpha) >= power {
			return n
		}
	}
	return 0
}

// found is the power of one of our looks: the paired t test on n trials.
func found(n int, sd, delta, alpha float64) float64 {
	if n < 2 {
		return 0
	}
	return tPower(float64(n-1), delta*math.Sqrt(float64(n))/sd, alpha)
}

// tPower is the chance that a t of the given noncentrality is beyond the
// two-sided critical value on its own side.
func tPower(df, noncentrality, alpha float64) float64 {
	critical := stat.Critical(alpha, df)
	if noncentrality > 30 { // beyond what the series of the noncentral t can do
		return 1
	}
	return 1 - distuv.NoncentralT{Nu: df, Mu: noncentrality}.CDF(critical)
}

func logs(xs []float64) []float64 {
	out := make([]float64, 0, len(xs))
	for _, x := range xs {
		if x > 0 {
			out = append(out, math.Log(x))
		}
	}
	return out
}
