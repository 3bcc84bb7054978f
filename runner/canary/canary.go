// Package canary measures what no counter of a machine shows and every rate hangs
// on: how far apart two CPUs are, how fast each of them is, and, with more time, what
// they copy and how soon they wake up.
//
// It knows CPUs and instants, not roles, arms or slices. It keeps to the time that
// it is given: what is not answered until then is no reading, and said to be none.
package canary

import (
	"sync/atomic"

	"netab/runner/detached"
)

// Everything in this file runs without a P: see package detached.

const (
	trips  = 20 // of a cache line to and fro, for one reading of the clock
	rounds = 6  // of which the best counts

	chunk  = 4096 // steps of a chain, about 5 us
	chunks = 4    // of which the best counts

	// awake is for how many ns one side waits for the other without sleeping, and
	// maxTrips how long both then go on at most.
	awake    = 50_000
	maxTrips = 500_000

	// spins is how often a line is looked at between two looks at the clock.
	spins = 64
)

// A line is a word with cache lines of its own, two, as processors fetch them in
// pairs.
type line struct {
	atomic.Int64
	_ [120]byte
}

// An exchange is what two threads have in common. Its numbers only grow, so that
// what is left of a turn in which one side came too late is older than all of the
// next.
type exchange struct {
	_     [128]byte
	ball  line
	there [2]line // the turn for which each side is ready
	bells [2]bell // of each side, to be woken by
	stop  bell
}

// A bell is what threads wait for in the kernel.
type bell struct {
	atomic.Uint32
	_ [124]byte
}

// await looks at a line until it holds n or more; false: not until the deadline.
//
//go:nosplit
func (l *line) await(n, until int64) bool {
	for {
		for range spins {
			if l.Load() >= n {
				return true
			}
		}
		if detached.Now() >= until {
			return false
		}
	}
}

// meet waits for the other side, awake for a while and then asleep: it may be long in
// coming where others have its CPU.
//
//go:nosplit
func (x *exchange) meet(side int, turn, until int64) bool {
	x.there[side].Store(turn)
	other := &x.there[1-side]
	if other.Load() >= turn { // and sleeps, perhaps
		x.bells[1-side].Add(1)
		wakeAll(&x.bells[1-side].Uint32)
		return true
	}
	if other.await(turn, min(until, detached.Now()+awake)) {
		return true
	}
	for own := &x.bells[side].Uint32; detached.Now() < until; {
		heard := own.Load()
		if other.Load() >= turn {
			return true
		}
		waitUntil(own, heard, until)
	}
	return other.Load() >= turn
}

// lead passes the line to and fro and returns the time that the best round took, 0
// if none was over in time.
//
//go:nosplit
func (x *exchange) lead(turn, until int64) (best int64) {
	n := turn * 2 * trips * rounds
	for range rounds {
		began := detached.Now()
		for range trips {
			x.ball.Store(n + 1)
			if !x.ball.await(n+2, until) {
				return best
			}
			n += 2
		}
		if took := detached.Now() - began; best == 0 || took < best {
			best = took
		}
	}
	return best
}

// follow is the other side.
//
//go:nosplit
func (x *exchange) follow(turn, until int64) {
	n := turn * 2 * trips * rounds
	for range rounds * trips {
		if !x.ball.await(n+1, until) {
			return
		}
		x.ball.Store(n + 2)
		n += 2
	}
}

// chain is n multiplications and additions, each of which needs the one before: as
// many cycles on any load, so that its time is the frequency's. The numbers are
// Knuth's, and any others would do.
//
//go:nosplit
func chain(x uint64, n int) uint64 {
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// bestChunk is the time of the fastest of so many chunks: the others were
// interrupted. x keeps the compiler from leaving the work out.
//
//go:nosplit
func bestChunk(n int, x *uint64) (best int64) {
	for range n {
		began := detached.Now()
		*x = chain(*x, chunk)
		if took := detached.Now() - began; best == 0 || took < best {
			best = took
		}
	}
	return best
}
