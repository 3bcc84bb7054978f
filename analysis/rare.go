package analysis

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"netab/results"
)

// Trials that disagree may hold rare ones: a burst of loss, a slow mode, once in
// ten trials. Of few trials one or none is seen, and then neither Student's t
// nor a signed-rank test knows what the mean is: t calls 18 trials, of which one
// is 8 % slow, the same to within 1.4 %, although as many as one in four may be.
//
// So the interval of trials that disagree holds the bounds of Stringer too, at
// alpha each (Stringer 1963, "Practical aspects of statistical sampling in
// auditing"), with the trial furthest out for the largest value that there can
// be: the share of trials as far out as each of them, or further, is taken at its
// exact binomial bound (Clopper and Pearson 1934), and the mean is that of these
// shares. It takes all shares for wrong at once, which is right of two modes and
// too much of anything smoother; so its distance from the mean is shortened as Pap
// and van Zuijlen do (1996, "On the asymptotic behaviour of the Stringer bound"),
// who make it exact in large samples. One-sided bounds are what claims of no
// change rest on: that a change is small, or none for the worse.
//
// What no trial showed, no bound can know. Where most trials show nothing at
// all, as of loss, not even their scatter tells that there is something to be
// seen; then claims of no change wait for trials enough to see what happens in
// one of ten (rareTrials).

// stringer are the bounds of the mean at 1-alpha each, of values that are sorted.
func stringer(sorted []float64, alpha float64) (lo, hi float64) {
	n := len(sorted)
	s := newSample(sorted)
	before := 0.0 // the bound of the share that is further out
	apart := 0.0
	for j := range n {
		share := 1.0
		if j+1 < n {
			share = atMost(j+1, float64(n), alpha)
			k := float64(j+1) / float64(n)
			apart += math.Sqrt(k*(1-k)) * (sorted[j+1] - sorted[j])
		}
		lo += (share - before) * sorted[j]
		hi += (share - before) * sorted[n-1-j]
		before = share
	}
	// apart is the standard deviation of values that lie at two points, and more
	// than it of all others.
	shrink := 1.0
	if apart > 0 {
		shrink = min(1, s.sd*math.Sqrt(s.df()/float64(n))/apart)
	}
	return s.mean - shrink*(s.mean-lo), s.mean + shrink*(hi-s.mean)
}

// atMost is the upper bound at 1-alpha of a share of which k of n were seen; of
// none, 1 - alpha^(1/n).
func atMost(k int, n, alpha float64) float64 {
	return mathext.InvRegIncBeta(float64(k+1), n-float64(k), 1-alpha)
}

// stringerP is the smallest alpha, from p on, whose bounds exclude zero.
func stringerP(sorted []float64, p float64) float64 {
	excludes := func(alpha float64) bool {
		lo, hi := stringer(sorted, alpha)
		return lo > 0 || hi < 0
	}
	if p >= 1 || excludes(p) {
		return p
	}
	lo, hi := p, 1.0
	for range 30 {
		if mid := (lo + hi) / 2; excludes(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// rareShare is how rare something may be that claims of no change are to have
// seen.
const rareShare = 0.1

// rareTrials are enough for that: with fewer, what happens in one of ten trials
// is not seen in more than alpha of all runs. It is 29 at 95 % (the rule of
// three: Hanley and Lippman-Hand 1983, "If nothing goes wrong, is everything all
// right?").
func rareTrials(alpha float64) int {
	return int(math.Ceil(math.Log(alpha)/math.Log(1-rareShare) - 1e-9))
}

// unseenOnSides is unseen of two sides that are not paired, whose units are all
// alike: trials is how many the side with fewer of them has.
func unseenOnSides(m Metric, a, b []float64, trials int, alpha float64) string {
	if need := rareTrials(alpha); m.Difference && Flat(a) && Flat(b) && trials < need {
		return fmt.Sprintf("nothing happened in %d trials, and to see what happens in one of ten takes %d on each side", trials, need)
	}
	return ""
}

// unseen says why a claim of no change must wait, "" where it need not: a metric
// that can be zero is the same in most trials, to the last digit.
func (e evidence) unseen(d results.Design) string {
	if !e.metric.Difference || len(e.effects) == 0 {
		return ""
	}
	xs := values(e.effects)
	mid := median(slices.Clone(xs))
	same := 0
	for _, x := range xs {
		if Flat([]float64{x, mid}) {
			same++
		}
	}
	need := rareTrials(1 - confidence(d))
	if 2*same <= len(xs) || len(xs) >= need {
		return ""
	}
	return fmt.Sprintf("nothing happened in %d of %d trials, and to see what happens in one of ten takes %d", same, len(xs), need)
}
