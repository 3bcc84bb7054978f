package traffic

// A pace is one end's intended times: bursts at even intervals within each
// window. Where a window's first burst lies is drawn anew for each, for a grid
// over the whole schedule would be in step with the slices: at 40 messages a
// second, an interval is a slice of 25 ms, and each message lies in the counted
// part or none does. The draws follow each other by the golden ratio (Weyl's
// sequence, Kuipers and Niederreiter 1974, "Uniform distribution of sequences"):
// each is uniform, so that any part of a window holds what the rate says in the
// mean, and many are more even than independent ones, so that few windows come
// close to it.
//
// An end that falls behind catches up at once within the window, as a token
// bucket that is never full. What one window sends too many, the next sends too
// few. A pace knows no clock: the loop waits.
type pace struct {
	paced bool
	rate  float64 // of the end, where the window says no other
	share float64 // of a window's rate
	phase float64 // of one interval, drawn for the schedule: ends of one traffic do not send in step
	burst int64

	windows  int64   // begun so far
	start    int64   // of the window at hand
	end      int64   // likewise
	interval float64 // ns between bursts
	first    float64 // intervals from start to its first burst
	k        int64   // bursts begun in it
	next     int64   // intended time of the next burst
	now      int64   // intended time of the message at hand
	left     int64   // messages of the burst at hand
	over     int64   // messages of the next burst that were sent already
}

// golden is the golden ratio's fraction.
const golden = 0.618033988749894848

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
	ahead := int64(0) // messages that the window before has sent too many
	if interval == p.interval {
		ahead = max(0, p.burst*(p.k-p.within())-p.left+p.over)
	}
	p.interval, p.start, p.end = interval, w.Start, w.End
	p.first = p.phase + golden*float64(p.windows)
	p.first -= float64(int64(p.first))
	p.windows++
	p.k, p.over, p.left = ahead/p.burst, ahead%p.burst, 0
	p.next = p.at(p.k)
}

// within is how many bursts lie in the window at hand.
//
//go:nosplit
func (p *pace) within() int64 {
	x := float64(p.end-p.start)/p.interval - p.first
	n := int64(max(0, x))
	if float64(n) < x {
		n++
	}
	return n
}

// at is when a burst of the window is due.
//
//go:nosplit
func (p *pace) at(k int64) int64 { return p.start + int64((float64(k)+p.first)*p.interval) }

// due is when the next message is: for the rest of a burst that a step has begun
// too soon, when that burst is.
//
//go:nosplit
func (p *pace) due() int64 {
	if p.left > 0 {
		return p.now
	}
	return p.next
}

// open begins a burst at its intended time.
//
//go:nosplit
func (p *pace) open() {
	p.left, p.now, p.over = p.burst-p.over, p.next, 0
	p.k++
	p.next = p.at(p.k)
}

// charge takes the messages that a step has sent from the burst at hand. A step
// that sends more (sendmmsg, a train of UDP_SEGMENT) takes them from the bursts
// that follow, whose times pass by: the message at hand is of the last of them.
//
//go:nosplit
func (p *pace) charge(msgs int64) {
	if p.left -= msgs; p.left < 0 {
		ahead := (p.burst - 1 - p.left) / p.burst
		p.k += ahead
		p.left += ahead * p.burst
		p.now, p.next = p.at(p.k-1), p.at(p.k)
	}
}

// maxDue bounds how many messages that are due are sent without a look at the
// clock.
const maxDue = 16

// dueBy is how many messages are due at an instant: more than the one at hand where
// the end has fallen behind. Reading the clock between them would let an end fall
// behind for good at rates that it could send.
//
//go:nosplit
func (p *pace) dueBy(now int64) int64 {
	n := int64(0)
	if now >= p.now {
		n = p.left
	}
	if now >= p.next {
		n += p.burst * (1 + int64(float64(now-p.next)/p.interval))
	}
	return max(1, min(n, maxDue))
}
