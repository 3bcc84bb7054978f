package traffic

// A slowdown spins away a share of a source's time: a change whose size is
// known, with which verdicts are tried. A source that is the limit then sends
// as much less; one that waits for its sink does not.
//
// It spins whenever the meter has read the clock, every few messages, so that
// nothing is paid for it beside the spinning. What is put there need not be
// what arrives: measured by scenario slowdown and its like at 4 to 8 %, a
// request and response in turns on one CPU lost 0.9 of it (part of a short spin
// is time that the next call saves), a stream of datagrams 1.15 (its sink slept
// oftener and had to be woken), one of TCP 1.3 and more.
type slowdown struct {
	ratio float64 // time to spin for each ns of work; 0 = none
	paid  int64   // when the last spin ended
	owed  float64 // ns; what a spin takes too long, the next takes less
	spun  int64   // ns in all
}

// newSlowdown takes the share of all time.
func newSlowdown(share float64) slowdown {
	return slowdown{ratio: share / (1 - share)}
}

// begin is where work begins after a rest.
//
//go:nosplit
func (s *slowdown) begin(now int64) { s.paid = now }

// maxOver is how much longer than asked a spin may take by itself, ns. Longer
// means that the thread was interrupted, for up to some ms: that is none of the
// slowdown, and would keep it from spinning for whole slices.
const maxOver = 1000

// spin spins for the work done until now and returns what time it is then.
//
//go:nosplit
func (s *slowdown) spin(now int64) int64 {
	end, until := now, s.until(now)
	for end < until {
		end = nanotime()
	}
	s.pay(now, until, end)
	return end
}

// until is when the spin for the work done until now is over.
//
//go:nosplit
func (s *slowdown) until(now int64) int64 {
	s.owed += float64(now-s.paid) * s.ratio
	return now + int64(max(0, s.owed))
}

// pay books a spin that was to end at an instant, and did at another.
//
//go:nosplit
func (s *slowdown) pay(now, until, end int64) {
	took := min(end, until+maxOver) - now
	s.owed -= float64(took)
	s.spun += took
	s.paid = end
}
