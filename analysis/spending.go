package analysis

import (
	"math"
	"time"

	"netab/results"
)

const (
	// firstLook is the fewest trials worth a look before the deadline: below
	// it the t quantile of a share of alpha makes every interval useless.
	firstLook = 8
	// openTrials stands for T_max where no time limit is given.
	openTrials = 100
)

// A schedule says when a run is looked at and what each look may spend of
// alpha, the chance of a wrong interval over all looks together. Looks come at
// 8 trials, then at 1.5 times as many each, and at the deadline.
//
// Alpha is spent by a Lan-DeMets spending function of T/T_max, and the
// increment is used as the look's own alpha (the union bound: no model of how
// the looks are correlated, hence exact for t intervals too). The function is
// the linear one, f(t) = alpha·t (Kim and DeMets 1987, rho = 1). O'Brien and
// Fleming's is better known, but short runs cannot afford it: it leaves the
// first looks next to nothing, and with seven degrees of freedom the quantile
// explodes. Half-widths in trial standard deviations, alpha 5 %, T_max 28:
//
//	trials            8     12     18     28
//	O'Brien-Fleming  2.40   1.12   0.67   0.42
//	linear           1.14   0.95   0.67   0.48
//	Pocock           1.06   0.94   0.69   0.50
//
// Linear halves the first interval, and so ends clear cases in a third of the
// time, for one that is 14 % wider at the deadline. Pocock's buys little more.
type schedule struct {
	alpha   float64
	maxTime time.Duration // 0 = none
	tmax    int           // 0 until the first look fixes it
	next    int           // trials at which the next early look is due
	// once: sessions are looked at when the last has ended, for a run that ended at
	// what the first ones say would not have been spread.
	once  bool
	spent float64
}

func newSchedule(d results.Design) schedule {
	return schedule{
		alpha:   1 - confidence(d),
		maxTime: time.Duration(max(0, min(finite(d.MaxTimeS), 1e9)) * float64(time.Second)),
		next:    firstLook,
		once:    d.Sessions > 1,
	}
}

// confidence is the design's, or 95 % where it makes no sense.
func confidence(d results.Design) float64 {
	if d.Confidence > 0 && d.Confidence < 1 {
		return d.Confidence
	}
	return 0.95
}

// look says whether n valid trials after elapsed time are a look, and what it
// spends. At the deadline everything that is left is spent, whatever the
// fraction, so a wrong guess of T_max costs some width but never overspends.
func (s *schedule) look(n int, elapsed time.Duration, last bool) (results.Look, bool) {
	l := results.Look{Trials: n, ElapsedS: elapsed.Seconds()}
	switch {
	case n == 0:
		return l, false
	case last:
		l.Fraction, l.Alpha = 1, s.alpha-s.spent
	case !s.once && s.due(n, elapsed):
		l.Fraction = float64(n) / float64(s.tmax)
		l.Alpha = s.alpha*l.Fraction - s.spent
	default:
		return l, false
	}
	s.spent += l.Alpha
	return l, true
}

// due says whether an early look is due. None is taken in the last third
// before the deadline: that look would spend most of what the deadline's needs
// to gain anything by it.
func (s *schedule) due(n int, elapsed time.Duration) bool {
	if n < s.next {
		return false
	}
	if s.tmax == 0 {
		s.tmax = s.estimate(n, elapsed)
	}
	for s.next <= n {
		s.next = int(math.Ceil(1.5 * float64(s.next)))
	}
	return 3*n <= 2*s.tmax
}

// estimate is T_max from the trials so far. It is made once, at the first
// look: a T_max that followed the data would make the spending follow it too.
func (s *schedule) estimate(n int, elapsed time.Duration) int {
	if s.maxTime <= 0 || elapsed <= 0 {
		return openTrials
	}
	return int(min(1e6, float64(n)*s.maxTime.Seconds()/elapsed.Seconds()))
}

// over says whether the time is up. It is not while no trial is valid: there
// would be nothing to judge.
func (s *schedule) over(n int, elapsed time.Duration) bool {
	if s.once { // the runner knows which session is the last
		return false
	}
	if s.maxTime <= 0 {
		return n >= openTrials
	}
	return n > 0 && elapsed >= s.maxTime
}
