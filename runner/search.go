package runner

import (
	"math"

	"netab/results"
)

// A RateFunc says, from the slices of a trial at different rates, which is the
// highest that the arm carries without more loss than its bound, and whether
// the rates tried enclosed it: -1 = even the lowest lost too much, 1 = not even
// the highest did.
type RateFunc func(t *results.Trial, arm int) (rate float64, edge int)

// A search is for the loss-free rate of one arm. Every trial tries a ladder of
// rates around the best guess so far, a slice each, in random order: a slice is
// short, so that what decides is many of them and not one; and as the ladder is
// set before the trial begins, trials stay independent estimates of one number.
type search struct {
	low, high float64 // of the ladder
	from, to  float64 // that the scenario allows
	logs      float64 // sum of the logarithms of the estimates so far
	count     float64
}

// narrow are the widths of the ladders, as factors from the middle to either
// end, of the two trials that only look for the range (beginning with all of
// it), and of those that count.
var narrow = []float64{4, 1.4}

func newSearch(from, to float64) *search { return &search{low: from, high: to, from: from, to: to} }

// rate is a step of a ladder of n.
func (s *search) rate(step, n int) float64 {
	if n < 2 {
		return s.low
	}
	return s.low * math.Pow(s.high/s.low, float64(step)/float64(n-1))
}

// around lays the next ladder.
func (s *search) around(middle, factor float64) {
	middle = min(max(middle, s.from), s.to)
	s.low, s.high = max(middle/factor, s.from), min(middle*factor, s.to)
}

// learn moves the ladder after a trial that counts.
func (s *search) learn(rate float64, edge int) {
	if math.IsNaN(rate) || rate <= 0 {
		return
	}
	factor := narrow[len(narrow)-1]
	if edge != 0 { // not enclosed: go there
		s.logs, s.count = 0, 0
		s.around(rate*math.Pow(factor, float64(edge)), factor)
		return
	}
	s.logs, s.count = s.logs+math.Log(rate), s.count+1
	s.around(math.Exp(s.logs/s.count), factor)
}

// searches makes the search of every arm that asks for one.
func (r *run) searches() map[int]*search {
	out := map[int]*search{}
	for i, arm := range r.plan.arms {
		if l := arm.Config.Traffic.LossFree; l != nil {
			out[i] = newSearch(float64(l.From), float64(l.To))
		}
	}
	return out
}

// explore finds the range of rates of every search. Its trials are not kept.
func (r *run) explore() {
	if len(r.search) == 0 || r.LossFree == nil {
		return
	}
	for _, factor := range narrow {
		t := r.trial(0)
		if t.Invalid != "" || r.ctx.Err() != nil {
			return // the first trial that counts will say the same
		}
		for arm, s := range r.search {
			if rate, _ := r.LossFree(&t, arm); !math.IsNaN(rate) {
				s.around(rate, factor)
			}
		}
	}
}

// learn moves the ladders after a trial.
func (r *run) learn(t *results.Trial) {
	if r.LossFree == nil || t.Invalid != "" {
		return
	}
	for arm, s := range r.search {
		s.learn(r.LossFree(t, arm))
	}
}

// offer gives the turns of arms with a search their rates: of each block one
// step of the ladder, in random order; a fresh flow warms up at the lowest.
func (r *run) offer(turns []turn) {
	blocks := 0
	for _, t := range turns {
		blocks = max(blocks, t.block+1)
	}
	for arm, s := range r.search {
		order := r.rng.Perm(blocks)
		for i := range turns {
			switch t := &turns[i]; {
			case t.arm != arm:
			case t.slice < 0:
				t.rate = s.low
			default:
				t.rate = s.rate(order[t.block], blocks)
			}
		}
	}
}
