package trend

import (
	"math"
	"math/rand/v2"
)

// The rules of the search (shared with docs/trend.md).
const (
	// Permutations is R: the smallest p is 1/(R+1).
	Permutations = 999
	// MaxP is the largest p of a change point.
	MaxP = 0.005
	// Window is how many points are searched at once. Over a whole history one
	// pair of levels hides another (Fleming et al. 2023, section 4), and the
	// work grows with the square.
	Window = 50
	// MinSegment is how many points a level needs at least: fewer may be one
	// bad night, and are the tail gate's business.
	MinSegment = 4
)

// A divider searches one window at a time for the split into two parts that
// differ most, by the energy distance of Matteson and James (2014), "A
// nonparametric approach for multiple change point analysis of multivariate
// data", JASA 109, with exponent 1:
//
//	Q = mn/(m+n) · (2 E|X-Y| - E|X-X'| - E|Y-Y'|)
//
// for the first m points X against the next n points Y; the rest of the
// window after Y may belong to a third level and takes no part.
//
// It is by hand because no library for Go has it: gonum looks for no change
// points, and Apache Otava, which the tests hold against this, is Python.
type divider struct {
	// Coefficients of sums over pairs for m points against n, by m and n:
	// between the parts, within the first, within the second.
	between, first, second [Window + 1][Window + 1]float64
	within                 [Window + 1][Window + 1]float64 // sums of |x-x'| over [t, k)
	shuffled               []float64
}

func newDivider() *divider {
	d := &divider{shuffled: make([]float64, 0, Window)}
	for m := MinSegment; m <= Window; m++ {
		for n := MinSegment; n <= Window; n++ {
			fm, fn := float64(m), float64(n)
			d.between[m][n] = 2 / (fm + fn)
			d.first[m][n] = 2 * fn / (fm + fn) / (fm - 1)
			d.second[m][n] = 2 * fm / (fm + fn) / (fn - 1)
		}
	}
	return d
}

// best is the largest Q of the window and where its second part begins. It
// gives up as soon as a Q of at least enough is seen.
func (d *divider) best(xs []float64, enough float64) (at int, q float64) {
	n := len(xs)
	q = math.Inf(-1)
	// within[t][k] = within[t+1][k] + sum over j in (t, k) of |x_t - x_j|
	for k := range n + 1 {
		d.within[n][k] = 0
	}
	for t := n - 1; t >= 0; t-- {
		sum, x := 0.0, xs[t]
		above, row := &d.within[t+1], &d.within[t]
		row[t] = 0
		for k := t + 1; k <= n; k++ {
			if k > t+1 {
				sum += math.Abs(x - xs[k-1])
				row[k] = above[k] + sum
			} else {
				row[k] = 0
			}
		}
	}
	whole := &d.within[0]
	for t := MinSegment; t+MinSegment <= n; t++ {
		left, right := whole[t], &d.within[t]
		between, first, second := &d.between[t], &d.first[t], &d.second[t]
		for k := t + MinSegment; k <= n; k++ {
			v := between[k-t]*(whole[k]-left-right[k]) - first[k-t]*left - second[k-t]*right[k]
			if v > q {
				at, q = t, v
				if q >= enough {
					return at, q
				}
			}
		}
	}
	return at, q
}

// split finds the best split of a window and its permutation p: how many
// orders of the same points have a split as good somewhere (the observed one
// included). Since the largest Q of each order is taken, having searched for
// the split costs nothing. The count ends when p can no longer be small
// enough (Besag and Clifford 1991, "Sequential Monte Carlo p-values"): most
// windows hold no change and are done after some thirty orders.
func (d *divider) split(xs []float64, rng *rand.Rand) (at int, p float64) {
	if len(xs) < 2*MinSegment {
		return 0, 1
	}
	at, q := d.best(xs, math.Inf(1))
	// Equal sets of points give equal sums but for rounding.
	enough := q - 1e-12*math.Abs(q)
	asGood := 1
	d.shuffled = append(d.shuffled[:0], xs...)
	for i := 1; i <= Permutations; i++ {
		rng.Shuffle(len(d.shuffled), func(i, j int) { d.shuffled[i], d.shuffled[j] = d.shuffled[j], d.shuffled[i] })
		if _, s := d.best(d.shuffled, enough); s >= enough {
			asGood++
			if hopeless(asGood) {
				return at, float64(asGood) / float64(i+1)
			}
		}
	}
	return at, float64(asGood) / (Permutations + 1)
}

// hopeless says that this many permutations as good, the observed order
// included, are too many for a change point whatever the rest would give.
func hopeless(asGood int) bool { return float64(asGood)/(Permutations+1) > MaxP }

// search finds change points of a window by splitting it and then its parts
// (hierarchical, as in the paper); indexes are those of the window.
func (d *divider) search(xs []float64, rng *rand.Rand) []int {
	at, p := d.split(xs, rng)
	if p > MaxP {
		return nil
	}
	found := append(d.search(xs[:at], rng), at)
	for _, i := range d.search(xs[at:], rng) {
		found = append(found, at+i)
	}
	return found
}

// candidates searches a whole series window by window: each window begins half
// a window after the last, or at the last change point found, so that a level
// is not cut where a window happens to begin (Fleming et al. 2023).
func (d *divider) candidates(xs []float64, rng *rand.Rand) []int {
	var found []int
	for start := 0; ; {
		end := min(start+Window, len(xs))
		last := 0
		for _, i := range d.search(xs[start:end], rng) {
			last = start + i
			found = append(found, last)
		}
		if end == len(xs) {
			break
		}
		start = max(start+Window/2, last)
	}
	return sortedUnique(found)
}
