package traffic

// A pace is one end's intended times. They lie on one grid over the whole
// schedule, whatever its windows are, so that the mean rate over many short
// windows is the rate asked for: k-th burst at origin + k * interval. An end
// that falls behind catches up at once, as a token bucket that is never full.
type pace struct {
	paced  bool
	rate   float64 // of the end, where the window says no other
	share  float64 // of a window's rate
	phase  float64 // of one interval: ends of one traffic do not send in step
	burst  int64
	origin int64

	interval float64 // ns between bursts
	k        int64
	next     int64 // intended time of the next burst
	now      int64 // intended time of the message at hand
	left     int64 // messages of the burst at hand
	until    int64 // end of the window at hand
}

// spin is how long before an instant a thread wakes up to wait for it awake:
// timers are late by tens of microseconds.
const spin = 60_000

// begin finds the first intended time of a window.
//
//go:nosplit
func (p *pace) begin(w *Window) {
	rate := p.rate
	if w.Rate > 0 {
		rate = w.Rate * p.share
	}
	p.paced = rate > 0
	if !p.paced {
		return
	}
	interval := float64(p.burst) * 1e9 / rate
	ahead := int64(0) // bursts that the window before has sent too many
	if interval == p.interval && p.next > p.until {
		ahead = int64(float64(p.next-p.until) / interval)
	}
	p.interval, p.until = interval, w.End
	p.k = max(0, int64(float64(w.Start-p.origin)/p.interval-p.phase)-1)
	p.left = 0
	// Windows that touch must neither share an instant nor lose one to rounding.
	for p.set(); p.next < w.Start; p.set() {
		p.k++
	}
	p.k += ahead
	p.set()
}

//go:nosplit
func (p *pace) set() { p.next = p.origin + int64((float64(p.k)+p.phase)*p.interval) }

// turn waits for the next intended time; false: it does not come before end,
// which is waited for instead.
//
//go:nosplit
func (p *pace) turn(end int64) bool {
	if p.left > 0 {
		return true
	}
	if p.next >= end {
		awaitInstant(end)
		return false
	}
	awaitInstant(p.next)
	p.open()
	return true
}

// open begins a burst at its intended time.
//
//go:nosplit
func (p *pace) open() {
	p.left, p.now = p.burst, p.next
	p.k++
	p.set()
}

// charge takes the messages that a step has sent from the burst at hand. A step
// that sends more (sendmmsg, a train of UDP_SEGMENT) takes them from the bursts
// that follow, whose times pass by.
//
//go:nosplit
func (p *pace) charge(msgs int64) {
	if p.left -= msgs; p.left < 0 {
		ahead := (p.burst - 1 - p.left) / p.burst
		p.k += ahead
		p.left += ahead * p.burst
		p.set()
	}
}

// mostDue bounds how many messages that are due are sent without a look at the
// clock.
const mostDue = 16

// due is how many messages are due at an instant: more than the one at hand where
// the end has fallen behind. Reading the clock between them would let an end fall
// behind for good at rates that it could send.
//
//go:nosplit
func (p *pace) due(now int64) int64 {
	if now <= p.now {
		return 1
	}
	return min(p.left+p.burst*int64(float64(now-p.now)/p.interval), mostDue)
}

// sent takes one message's turn.
//
//go:nosplit
func (p *pace) sent() {
	if p.left == 0 {
		p.open()
	}
	p.left--
}

// awaitInstant sleeps until shortly before an instant and spins for the rest.
//
//go:nosplit
func awaitInstant(at int64) {
	if at-nanotime() > spin {
		sleepUntil(at - spin)
	}
	for nanotime() < at {
	}
}
