package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// An Autoregression is what values say of their mean if neighbours are alike. Where
// what makes them lasts for longer than one of them, their mean scatters by more than
// their spread says, and Student's t misses it in 24 % of all series with a
// correlation of 0.5.
//
// Few values hardly tell. The lag-1 correlation of 18 is known to a quarter, and
// biased towards minus, so a variance inflated by the estimate is wrong both ways.
// Instead every correlation from 0 to 0.9 is held to be possible, and weighed
// by how likely it makes the series (its restricted likelihood, as a first-order
// autoregression: Harville 1974). Given the correlation, the mean is Student's t about
// the generalised least squares estimate; the interval is that of the mixture of
// all of them, which is what averaging over models comes to (Hoeting and others 1999,
// "Bayesian model averaging"), with its tails: at the small alphas of early looks the
// correlations that cannot be excluded yet decide.
//
// Independence is believed beforehand, by 0.9 for up to eleven values and by
// 10/n for more: the price in values that are independent is up to 30 % of the time to
// a verdict, and what many of them say does not hang on it. Of series of 18 and 37
// with a correlation of 0.5, 7 and 6 % are missed, of 8 still 14 %.
type Autoregression struct {
	Sample
	// By the correlations: how much each is to be believed, and the mean and its
	// standard error under it.
	weight   []float64
	mean, se []float64
}

var correlations = []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}

// NewAutoregression is of values in their order in time, which are not all equal.
func NewAutoregression(xs []float64) Autoregression {
	n := float64(len(xs))
	df := n - 1
	independent := min(0.9, 10/n)
	a := Autoregression{Sample: NewSample(xs)}
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
		information := (1 - r) * weights // of the mean, per variance of what each value adds
		a.mean, a.se = append(a.mean, mean), append(a.se, math.Sqrt(ss/df/information))
		a.weight = append(a.weight, (math.Log((1-r*r)/information)-df*math.Log(ss))/2)
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

// Name is of the mixture.
func (a Autoregression) Name() string {
	return "Student's t averaged over correlations of neighbouring trials"
}

// beyond is how much it is to be believed that the mean is above x, or with a
// side of -1 below it.
func (a Autoregression) beyond(x, side float64) float64 {
	t, p := distuv.StudentsT{Sigma: 1, Nu: a.DF()}, 0.0
	for i, w := range a.weight {
		if w > 1e-9 {
			p += w * t.CDF(side*(a.mean[i]-x)/a.se[i])
		}
	}
	return p
}

// Interval is the mixture's.
func (a Autoregression) Interval(alpha float64) Interval {
	return Interval{a.end(alpha, -1), a.end(alpha, 1), []string{a.Name()}}
}

// end is where half of alpha is left beyond.
func (a Autoregression) end(alpha, side float64) float64 {
	const halvings = 20
	reach, critical := 0.0, Critical(alpha, a.DF())
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

// P is two-sided, of the mean being zero.
func (a Autoregression) P(least float64) (float64, bool) {
	return max(least, min(1, 2*min(a.beyond(0, -1), a.beyond(0, 1)))), true
}

// SmallestDetectable is t's, by so much larger as the interval is wider.
func (a Autoregression) SmallestDetectable(alpha float64) (float64, bool) {
	return wider(a.Sample, a.Interval(alpha), alpha)
}
