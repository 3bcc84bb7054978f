package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trials share no process, socket or namespace, and are taken as independent.
// But they share the machine: where its state lasts for longer than a trial,
// neighbours are alike, their mean scatters by more than their spread says, and
// Student's t misses it in 24 % of all series with a correlation of 0.5.
//
// Few trials hardly tell. The lag-1 correlation of 18 is known to a quarter, and
// biased towards minus, so a variance inflated by the estimate is wrong both ways.
// Instead every correlation from 0 to 0.9 is held to be possible, and weighed
// by how likely it makes the series (its restricted likelihood, as a first-order
// autoregression: Harville 1974). Given the correlation, the mean is Student's t about
// the generalised least squares estimate; the interval is that of the mixture of
// all of them, which is what averaging over models comes to (Hoeting and others 1999,
// "Bayesian model averaging"), with its tails: at the small alphas of early looks the
// correlations that cannot be excluded yet decide.
//
// Independence is believed beforehand, by 0.9 for up to eleven trials and by
// 10/n for more: the price in trials that are independent is up to 30 % of the time to
// a verdict, and what many trials say does not hang on it. Of series of 18 and 37
// trials with a correlation of 0.5, 7 and 6 % are missed, of 8 still 14 %.
//
// Trials that agree to within their own errors share nothing that matters, and
// keep their interval.

const (
	// dependenceTrials are the fewest whose order is looked at.
	dependenceTrials = 4
	// sharedAlpha is the level at which trials differ by enough for neighbours to
	// share it. It is far above hetAlpha, because with few trials Q seldom sees what is there.
	sharedAlpha = 0.4
	// dependentAlpha is the level at which trials are said to depend on each other.
	dependentAlpha = 0.02
)

// An autoregression is what trials say of their mean if neighbours are alike: by
// the correlations that they may have, how much each is to be believed, and the mean
// and its standard error under it.
type autoregression struct {
	df       float64
	weight   []float64
	mean, se []float64
}

// mostCorrelated bounds what an estimate is believed to be: by 39 trials for one.
const mostCorrelated = 0.95

var correlations = []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}

// newAutoregression is of values in their order in time, which are not all equal.
func newAutoregression(xs []float64) autoregression {
	n := float64(len(xs))
	independent := min(0.9, 10/n)
	a := autoregression{df: n - 1}
	for _, r := range correlations {
		// Weights of the least squares: the inner ones have a neighbour on both sides.
		sum, weights := xs[0]+xs[len(xs)-1], 2+(n-2)*(1-r)
		for _, x := range xs[1 : len(xs)-1] {
			sum += (1 - r) * x
		}
		mean := sum / weights
		ss := (1 - r*r) * (xs[0] - mean) * (xs[0] - mean)
		for i, x := range xs[1:] {
			e := x - mean - r*(xs[i]-mean)
			ss += e * e
		}
		information := (1 - r) * weights // of the mean, per variance of what each trial adds
		a.mean, a.se = append(a.mean, mean), append(a.se, math.Sqrt(ss/a.df/information))
		a.weight = append(a.weight, (math.Log((1-r*r)/information)-a.df*math.Log(ss))/2)
	}
	best, total := slices.Max(a.weight), 0.0
	for i, l := range a.weight {
		before := independent
		if i > 0 {
			before = (1 - independent) / float64(len(correlations)-1)
		}
		a.weight[i] = before * math.Exp(l-best)
		total += a.weight[i]
	}
	for i := range a.weight {
		a.weight[i] /= total
	}
	return a
}

// beyond is how much it is to be believed that the mean is above x, or with a
// side of -1 below it.
func (a autoregression) beyond(x, side float64) float64 {
	t, p := distuv.StudentsT{Sigma: 1, Nu: a.df}, 0.0
	for i, w := range a.weight {
		if w > 1e-9 {
			p += w * t.CDF(side*(a.mean[i]-x)/a.se[i])
		}
	}
	return p
}

func (a autoregression) interval(alpha float64) (lo, hi float64) {
	return a.end(alpha, -1), a.end(alpha, 1)
}

// end is where half of alpha is left beyond.
func (a autoregression) end(alpha, side float64) float64 {
	const halvings = 20
	reach, critical := 0.0, tCritical(alpha, a.df)
	for i := range a.mean {
		reach = max(reach, critical*a.se[i]+math.Abs(a.mean[i]-a.mean[0]))
	}
	near, far := 0.0, reach
	for range halvings {
		if mid := (near + far) / 2; a.beyond(a.mean[0]+side*mid, side) > alpha/2 {
			near = mid
		} else {
			far = mid
		}
	}
	return a.mean[0] + side*far
}

// p is two-sided, of the mean being zero.
func (a autoregression) p() float64 { return min(1, 2*min(a.beyond(0, -1), a.beyond(0, 1))) }

// A Dependence says that neighbouring trials are alike beyond chance.
type Dependence struct {
	Lag1  float64 `json:"lag1"`         // correlation of neighbours, corrected for its bias
	P     float64 `json:"p"`            // one-sided, by permutation
	Worth float64 `json:"worth_trials"` // so many independent trials say as much
}

// dependenceOf tests by permutation whether the order of values is one of chance;
// nil if it may be.
func dependenceOf(xs []float64, rng *rand.Rand) *Dependence {
	if len(xs) < flagTrials || Flat(xs) {
		return nil
	}
	p := orderP(xs, rng)
	if p > dependentAlpha {
		return nil
	}
	// The estimate is too small by (1+4r)/n (Marriott and Pope 1954, "Bias in the
	// estimation of autocorrelations").
	n := float64(len(xs))
	r := max(0, min((lag1(xs)+1/n)/(1-4/n), mostCorrelated))
	return &Dependence{Lag1: r, P: p, Worth: n * (1 - r) / (1 + r)}
}

// orderP is the share of orders of the values whose lag-1 correlation is as large.
// Where it is not small few of them are tried (Besag and Clifford 1991,
// "Sequential Monte Carlo p-values").
func orderP(xs []float64, rng *rand.Rand) float64 {
	const draws, enough = 999, 40
	bound := lag1(xs) - 1e-12
	ys := slices.Clone(xs)
	asLarge := 0
	for k := range draws {
		rng.Shuffle(len(ys), func(i, j int) { ys[i], ys[j] = ys[j], ys[i] })
		if lag1(ys) >= bound {
			if asLarge++; asLarge == enough {
				return float64(enough) / float64(k+1)
			}
		}
	}
	return float64(asLarge+1) / (draws + 1)
}

// tooAlike says why trials that depend on each other are too few for a verdict, ""
// where they are not.
func (d *Dependence) tooAlike(n, fewest int) string {
	if d == nil || d.Worth >= float64(fewest) {
		return ""
	}
	return fmt.Sprintf("neighbouring trials are alike (correlation %.2f, p = %.2g), so %d say no more than %s independent %s, and a verdict needs %d: that takes about %d trials, or sessions spread over hours",
		d.Lag1, d.P, n, count(int(d.Worth)), plural(int(d.Worth), "one"), fewest, int(math.Ceil(float64(fewest*n)/d.Worth)))
}

// warning is said of trials that depend on each other.
func (d *Dependence) warning(what string) string {
	return fmt.Sprintf("%s: neighbouring trials are not independent (correlation %.2f, p = %.2g by permutation): they say about as much as %s independent %s",
		what, d.Lag1, d.P, count(int(d.Worth)), plural(int(d.Worth), "one"))
}
