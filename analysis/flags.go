package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
	"netab/results"
	"netab/results/vocab"
)

var (
	codeNoisyTrials    = vocab.Warns("noisy-trials")
	codeOutliers       = vocab.Warns("outliers")
	codeTrend          = vocab.Warns("trend")
	codeAutocorrelated = vocab.Warns("autocorrelated")
)

// flagTrials is the fewest trials on which order is tested.
const flagTrials = 8

// flags says where a series of trial values is not what a t interval assumes:
// independent draws of one spread. Nothing is dropped for it.
//
// depend is what their order says.
func flags(what string, effects []effect, depend *Dependence) []results.Warning {
	var ws []results.Warning
	xs := values(effects)
	if n := len(effects) - len(quiet(effects)); n > 0 {
		ws = append(ws, results.Warning{Code: codeNoisyTrials, Text: fmt.Sprintf(
			"%s: %d of %d trials were over %d times as noisy inside as the usual one, which widens the interval (all are kept): look for load that comes and goes", what, n, len(effects), noisyTrial)})
	}
	if odd := outliers(xs); len(odd) > 0 {
		var names []string
		for _, i := range odd {
			names = append(names, fmt.Sprint(effects[i].trial))
		}
		ws = append(ws, results.Warning{Code: codeOutliers, Text: fmt.Sprintf(
			"%s: far from the others (kept all the same): trial %s", what, strings.Join(names, ", "))})
	}
	if len(xs) < flagTrials {
		return ws
	}
	if tau, p := trend(xs); p < 0.01 {
		ws = append(ws, results.Warning{Code: codeTrend, Text: fmt.Sprintf(
			"%s: drifts over the trials (Kendall's tau %+.2f, p = %.2g): the interval may be too narrow; let the machine warm up or run longer", what, tau, p)})
	}
	if depend != nil {
		ws = append(ws, results.Warning{Code: codeAutocorrelated, Text: depend.warning(what)})
	}
	return ws
}

// flagLevel are those of an arm's levels, which no other arm's take drift from.
func flagLevel(metric, arm string, levels []effect, seed uint64) []results.Warning {
	ws := flags(metric+" of "+arm, levels, dependenceOf(values(levels), seeded(seed, "order", arm, metric)))
	for i := range ws {
		if ws[i].Code == "autocorrelated" {
			ws[i].Text += ", and the level's interval takes them for independent"
		}
	}
	return ws
}

// outliers are the positions further from the median than ten times the
// median absolute deviation, scaled to a normal standard deviation; where more
// than half of the values are equal, the mean absolute deviation takes its place
// (Iglewicz and Hoaglin 1993, "How to detect and handle outliers").
func outliers(xs []float64) []int {
	if len(xs) < 4 || Flat(xs) {
		return nil
	}
	mid := median(slices.Clone(xs))
	far := make([]float64, len(xs))
	for i, x := range xs {
		far[i] = math.Abs(x - mid)
	}
	sd := 1.4826 * median(slices.Clone(far))
	if sd == 0 {
		sd = 1.2533 * stat.Mean(far, nil)
	}
	var out []int
	for i, d := range far {
		if d > 10*sd {
			out = append(out, i)
		}
	}
	return out
}

// trend is Kendall's tau-b of the values against their order, and its two-sided
// p by the normal approximation with the variance that ties leave (Kendall
// 1970, "Rank correlation methods", chapters 3 and 4). Values that are all
// equal have no trend.
func trend(xs []float64) (tau, p float64) {
	if Flat(xs) {
		return 0, 1
	}
	s, n := 0.0, float64(len(xs))
	for i, x := range xs {
		for _, y := range xs[i+1:] {
			switch {
			case Flat([]float64{x, y}):
			case y > x:
				s++
			default:
				s--
			}
		}
	}
	pairs, variance := n*(n-1)/2, n*(n-1)*(2*n+5)
	tied := 0.0
	for _, t := range ties(xs) {
		tied += t * (t - 1) / 2
		variance -= t * (t - 1) * (2*t + 5)
	}
	z := math.Abs(s) / math.Sqrt(variance/18)
	return s / math.Sqrt(pairs*(pairs-tied)), min(1, 2*distuv.UnitNormal.Survival(z))
}

// ties are how many values are equal to each other, for each value that there is.
func ties(xs []float64) []float64 {
	sorted := slices.Sorted(slices.Values(xs))
	var out []float64
	for i, x := range sorted {
		if i > 0 && Flat([]float64{sorted[i-1], x}) {
			out[len(out)-1]++
			continue
		}
		out = append(out, 1)
	}
	return out
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
