package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
	"netab/results"
)

// flagTrials is the fewest trials on which order is tested.
const flagTrials = 8

// flags says where a series of trial values is not what a t interval assumes:
// independent draws of one spread. Nothing is dropped for it.
func flags(what string, effects []effect) []results.Warning {
	var ws []results.Warning
	xs := values(effects)
	if n := len(effects) - len(quiet(effects)); n > 0 {
		ws = append(ws, results.Warning{Code: "noisy-trials", Text: fmt.Sprintf(
			"%s: %d of %d trials were over %d times as noisy inside as the usual one, which widens the interval (all are kept): look for load that comes and goes", what, n, len(effects), noisyTrial)})
	}
	if odd := outliers(xs); len(odd) > 0 {
		var names []string
		for _, i := range odd {
			names = append(names, fmt.Sprint(effects[i].trial))
		}
		ws = append(ws, results.Warning{Code: "outliers", Text: fmt.Sprintf(
			"%s: far from the others (kept all the same): trial %s", what, strings.Join(names, ", "))})
	}
	if len(xs) < flagTrials {
		return ws
	}
	if tau, p := trend(xs); p < 0.01 {
		ws = append(ws, results.Warning{Code: "trend", Text: fmt.Sprintf(
			"%s: drifts over the trials (Kendall's tau %+.2f, p = %.2g): the interval may be too narrow; let the machine warm up or run longer", what, tau, p)})
	}
	if r := lag1(xs); math.Abs(r) > 2.58/math.Sqrt(float64(len(xs))) {
		ws = append(ws, results.Warning{Code: "autocorrelated", Text: fmt.Sprintf(
			"%s: neighbouring trials are not independent (lag-1 correlation %+.2f): the interval may be too narrow", what, r)})
	}
	return ws
}

// outliers are the positions further from the median than ten times the
// median absolute deviation, scaled to a normal standard deviation.
func outliers(xs []float64) []int {
	if len(xs) < 4 {
		return nil
	}
	mid := median(slices.Clone(xs))
	far := make([]float64, len(xs))
	for i, x := range xs {
		far[i] = math.Abs(x - mid)
	}
	mad := median(slices.Clone(far))
	var out []int
	for i, d := range far {
		if mad > 0 && d > 10*1.4826*mad {
			out = append(out, i)
		}
	}
	return out
}

// trend is Kendall's tau of the values against their order, and its two-sided
// p by the normal approximation (variance of tau without ties:
// 2(2n+5)/(9n(n-1)), Kendall 1938).
func trend(xs []float64) (tau, p float64) {
	n := float64(len(xs))
	order := make([]float64, len(xs))
	for i := range order {
		order[i] = float64(i)
	}
	tau = stat.Kendall(order, xs, nil)
	z := math.Abs(tau) / math.Sqrt(2*(2*n+5)/(9*n*(n-1)))
	return tau, 2 * distuv.UnitNormal.Survival(z)
}

// lag1 is the correlation of each value with the next.
func lag1(xs []float64) float64 {
	s := newSample(xs)
	if s.sd == 0 {
		return 0
	}
	var c float64
	for i := range len(xs) - 1 {
		c += (xs[i] - s.mean) / s.sd * ((xs[i+1] - s.mean) / s.sd)
	}
	return c / s.df()
}
