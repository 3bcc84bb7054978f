package analysis

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// power is the chance with which "smallest detectable" would be detected.
const power = 0.90

// A sample is the mean of independent trials and its spread.
type sample struct {
	n        int
	mean, sd float64
}

func newSample(xs []float64) sample {
	s := sample{n: len(xs)}
	switch s.n {
	case 0:
	case 1:
		s.mean = xs[0]
	default:
		if Flat(xs) { // a mean of equal values is off by rounding, and then they scatter
			s.mean = xs[0]
		} else {
			s.mean, s.sd = stat.MeanStdDev(xs, nil)
		}
	}
	return s
}

// Flat says whether values are equal but for the rounding of what made them:
// no metric is known, and no effect matters, to a part in a million million.
func Flat(xs []float64) bool {
	if len(xs) == 0 {
		return true
	}
	lo, hi := slices.Min(xs), slices.Max(xs)
	return hi-lo <= 1e-12*max(1, math.Abs(lo), math.Abs(hi))
}

func (s sample) df() float64 { return float64(max(s.n-1, 0)) }
func (s sample) se() float64 { return s.sd / math.Sqrt(float64(max(s.n, 1))) }

// interval is Student's t interval at 1-alpha; without a second trial, or any
// spread, it is the mean alone, whatever alpha is left.
func (s sample) interval(alpha float64) (lo, hi float64) {
	if s.n < 2 || s.sd == 0 {
		return s.mean, s.mean
	}
	h := tCritical(alpha, s.df()) * s.se()
	return s.mean - h, s.mean + h
}

// p is the two-sided p of the t test that the mean is zero.
func (s sample) p() (p float64, ok bool) {
	if s.n < 2 {
		return 0, false
	}
	return tTest(s.mean, s.se(), s.df()), true
}

func (s sample) smallestDetectable(alpha float64) (float64, bool) {
	if s.n < 2 {
		return 0, false
	}
	return detectable(s.se(), s.df(), alpha)
}

// detectable is the smallest true mean whose interval at 1-alpha would exclude
// zero with 90 % chance, given this standard error: the noncentrality of t is
// solved for by bisection.
func detectable(se, df, alpha float64) (float64, bool) {
	critical := tCritical(alpha, df)
	lo, hi := 0.0, 2*critical+10
	for range 60 {
		mid := (lo + hi) / 2
		if 1-(distuv.NoncentralT{Nu: df, Mu: mid}).CDF(critical) < power {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi * se, isFinite(hi * se)
}

// tCritical is the two-sided critical value, from the lower tail because
// 1-alpha/2 rounds to 1 for small alpha.
func tCritical(alpha, df float64) float64 {
	return -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(alpha / 2)
}

func tTest(mean, se, df float64) float64 {
	if se == 0 {
		if mean == 0 {
			return 1
		}
		return 0
	}
	return min(1, 2*distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(math.Abs(mean/se)))
}

// hodgesLehmann is the median of all pairwise means, each value paired with
// itself too: an estimate of the centre that outliers hardly move (Hodges and
// Lehmann 1963).
//
// Of very many, every so-manieth tells as much: the pairs of all would not fit
// into memory.
func hodgesLehmann(xs []float64) float64 {
	const most = 2000
	if len(xs) > most {
		some := make([]float64, most)
		for i := range some {
			some[i] = xs[i*len(xs)/most]
		}
		xs = some
	}
	return median(walshAverages(xs))
}

// walshAverages are the means of all pairs, of each value with itself too.
func walshAverages(xs []float64) []float64 {
	walsh := make([]float64, 0, len(xs)*(len(xs)+1)/2)
	for i, x := range xs {
		for _, y := range xs[i:] {
			walsh = append(walsh, x/2+y/2)
		}
	}
	return walsh
}

// median sorts xs in place.
func median(xs []float64) float64 {
	slices.Sort(xs)
	n := len(xs)
	return xs[(n-1)/2]/2 + xs[n/2]/2
}
