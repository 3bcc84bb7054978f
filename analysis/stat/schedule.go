package stat

import (
	"math"
	"time"
)

const (
	// FirstLook is the fewest trials worth a look before the deadline: below
	// it the t quantile of a share of alpha makes every interval useless.
	FirstLook = 8
	// OpenTrials stands for T_max where no time limit is given.
	OpenTrials = 100
)

// A Schedule says when a series of trials is looked at and what each look may spend of
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
type Schedule struct {
	Alpha   float64
	MaxTime time.Duration // 0 = none
	// Once: sessions are looked at when the last has ended, for a run that ended at
	// what the first ones say would not have been spread.
	Once bool
	// ByTime spends alpha by the time that is over, where trials get shorter as arms rest:
	// then their number says nothing of how much is left.
	ByTime bool

	begin time.Duration // of the part since Resumed
	from  int           // trials of which looks before have spent their part already (Resumed)
	most  int           // T_max in trials; 0 until the first look fixes it
	next  int           // trials at which the next early look is due; 0 = FirstLook
	spent float64
}

// Most is T_max in trials as the first look estimated it; 0 = not yet.
func (s *Schedule) Most() int { return s.most }

// Resumed is the schedule of a series that goes on after n trials and a pause: alpha is
// what its looks have left, which they spend linearly between here and T_max. T_max is
// estimated anew, as the time limit may be another.
func (s Schedule) Resumed(alpha float64, n int, elapsed time.Duration) Schedule {
	s = Schedule{Alpha: alpha, MaxTime: s.MaxTime, Once: s.Once, ByTime: s.ByTime, from: n, begin: elapsed, next: FirstLook}
	s.pass(n)
	return s
}

// Left is what no look has spent yet.
func (s *Schedule) Left() float64 { return s.Alpha - s.spent }

// Break is Look where a series is broken off, which may go on later: it spends half of
// what is left, and the other half is for looks then.
func (s *Schedule) Break(n int, elapsed time.Duration) (fraction, alpha float64, ok bool) {
	if n == 0 {
		return 0, 0, false
	}
	most := s.most
	if most == 0 {
		most = s.estimate(n, elapsed)
	}
	alpha = s.Left() / 2
	s.spent += alpha
	return min(1, float64(n)/float64(max(1, most))), alpha, true
}

// Look says whether n valid trials after elapsed time are a look, and what it
// spends: the fraction of T_max that they are, and its own alpha. At the deadline
// everything that is left is spent, whatever the fraction, so a wrong guess of T_max
// costs some width but never overspends.
func (s *Schedule) Look(n int, elapsed time.Duration, last bool) (fraction, alpha float64, ok bool) {
	switch {
	case n == 0:
		return 0, 0, false
	case last:
		fraction, alpha = 1, s.Alpha-s.spent
	case !s.Once && s.due(n, elapsed):
		fraction = float64(n) / float64(s.most)
		share := fraction
		switch {
		case s.byTime():
			fraction = elapsed.Seconds() / s.MaxTime.Seconds()
			share = (elapsed - s.begin).Seconds() / (s.MaxTime - s.begin).Seconds()
		case s.from > 0:
			share = float64(n-s.from) / float64(s.most-s.from)
		}
		alpha = s.Alpha*share - s.spent
	default:
		return 0, 0, false
	}
	s.spent += alpha
	return fraction, alpha, true
}

// due says whether an early look is due. None is taken in the last third
// before the deadline: that look would spend most of what the deadline's needs
// to gain anything by it.
func (s *Schedule) due(n int, elapsed time.Duration) bool {
	if s.next == 0 {
		s.next = FirstLook
	}
	if n < s.next {
		return false
	}
	if s.most == 0 {
		s.most = s.estimate(n, elapsed)
	}
	s.pass(n)
	if s.byTime() {
		return 3*elapsed <= 2*s.MaxTime && elapsed > s.begin
	}
	return 3*n <= 2*s.most && n > s.from
}

func (s *Schedule) byTime() bool { return s.ByTime && s.MaxTime > 0 }

// pass finds the next early look after n trials.
func (s *Schedule) pass(n int) {
	for s.next <= n {
		s.next = int(math.Ceil(1.5 * float64(s.next)))
	}
}

// estimate is T_max from the trials so far. It is made once, at the first
// look: a T_max that followed the data would make the spending follow it too.
func (s *Schedule) estimate(n int, elapsed time.Duration) int {
	if s.MaxTime <= 0 || elapsed <= 0 {
		return OpenTrials
	}
	return int(min(1e6, float64(n)*s.MaxTime.Seconds()/elapsed.Seconds()))
}

// Over says whether the time is up. It is not while no trial is valid: there
// would be nothing to judge.
func (s *Schedule) Over(n int, elapsed time.Duration) bool {
	if s.Once { // whoever measures knows which session is the last
		return false
	}
	if s.MaxTime <= 0 {
		return n >= OpenTrials
	}
	return n > 0 && elapsed >= s.MaxTime
}
