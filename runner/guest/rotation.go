package guest

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// A Rotation is guests that are up at once, of which one executes at a time. They come up
// one after the other, and each is held when it is up. From Go on they take turns, so that
// what the host's CPUs do for seconds (another speed, a neighbour) meets all of them alike,
// as it does slices side by side within a guest. While a guest is held its clocks stand
// still, but for that of its date, which it reads when it boots.
//
// Under KVM they would not: the guest reads the CPU's own counter, which goes on.
type Rotation struct {
	turn time.Duration
	up   chan struct{}

	mu      sync.Mutex
	changed *sync.Cond // guests or held
	guests  int        // that were started, and are not gone
	held    []*turns   // that are up, in the order of their turns
}

// NewRotation is one whose turns last so long each.
func NewRotation(turn time.Duration) *Rotation {
	r := &Rotation{turn: turn, up: make(chan struct{}, 1)}
	r.changed = sync.NewCond(&r.mu)
	return r
}

// Up tells of a guest that is up and held, so that the next one can be started.
func (r *Rotation) Up() <-chan struct{} { return r.up }

// Go lets them take turns until all are gone. Nothing is started in it any more.
func (r *Rotation) Go() { go r.run() }

func (r *Rotation) run() {
	for {
		t, alone := r.next()
		if t == nil {
			return
		}
		if !t.obeyed(t.monitor.resume()) {
			continue
		}
		t.alarm.resume()
		if alone {
			<-t.gone
			continue
		}
		select {
		case <-t.gone:
		case <-time.After(r.turn):
			t.hold()
		}
	}
}

// next takes the one whose turn it is, and says whether there is no other. nil = all are
// gone.
func (r *Rotation) next() (t *turns, alone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.held) == 0 && r.guests > 0 {
		r.changed.Wait()
	}
	if r.guests == 0 {
		return nil, false
	}
	t, r.held = r.held[0], r.held[1:]
	return t, r.guests == 1
}

// turns are those of one guest. A nil one executes all the time.
type turns struct {
	rotation *Rotation
	monitor  orders
	alarm    *alarm
	kill     func()
	gone     chan struct{}
	fault    error // QEMU did not do as it was told
}

// orders are what QEMU is told; see monitor.
type orders interface {
	begin() error
	stop() error
	resume() error
}

// join is for a guest that was started; kill ends it.
func (r *Rotation) join(m orders, a *alarm, kill func()) *turns {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.guests++
	return &turns{rotation: r, monitor: m, alarm: a, kill: kill, gone: make(chan struct{})}
}

// isUp holds the guest, which is up, until it is its turn.
func (t *turns) isUp() {
	if t == nil || !t.obeyed(t.monitor.begin()) || !t.hold() {
		return
	}
	select {
	case t.rotation.up <- struct{}{}:
	default: // nobody starts another
	}
}

// hold ends a turn.
func (t *turns) hold() bool {
	if !t.obeyed(t.monitor.stop()) {
		return false
	}
	t.alarm.hold()
	r := t.rotation
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-t.gone:
	default:
		r.held = append(r.held, t)
		r.changed.Broadcast()
	}
	return true
}

// obeyed says whether QEMU did as it was told. One that has closed its monitor is about to
// end, as where the guest has powered itself off, and does so by itself; one that does not
// answer, or refuses, is ended.
func (t *turns) obeyed(err error) bool {
	if err == nil {
		return true
	}
	if errors.Is(err, errClosed) {
		t.alarm.last(shutdown)
		return false
	}
	t.rotation.mu.Lock()
	t.fault = err
	t.rotation.mu.Unlock()
	t.kill()
	return false
}

// disobeyed is what QEMU did not do; "" = it did all that it was told.
func (t *turns) disobeyed() string {
	if t == nil {
		return ""
	}
	t.rotation.mu.Lock()
	defer t.rotation.mu.Unlock()
	if t.fault == nil {
		return ""
	}
	return t.fault.Error()
}

// leave is for when QEMU is gone.
func (t *turns) leave() {
	if t == nil {
		return
	}
	r := t.rotation
	r.mu.Lock()
	defer r.mu.Unlock()
	close(t.gone)
	r.guests--
	r.held = slices.DeleteFunc(r.held, func(other *turns) bool { return other == t })
	r.changed.Broadcast()
}

// An alarm goes off when a guest has executed for so long.
type alarm struct {
	timer *time.Timer

	mu    sync.Mutex
	left  time.Duration
	since time.Time
	held  bool
	over  bool // it is not held any more
}

func newAlarm(d time.Duration) *alarm {
	return &alarm{timer: time.NewTimer(d), left: d, since: time.Now()}
}

// set has it go off so much later than now.
func (a *alarm) set(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left = d; !a.held {
		a.since = time.Now()
		a.timer.Reset(d)
	}
}

func (a *alarm) hold() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.held || a.over {
		return
	}
	a.held = true
	a.timer.Stop()
	a.left -= time.Since(a.since)
}

func (a *alarm) resume() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.held {
		return
	}
	a.held, a.since = false, time.Now()
	a.timer.Reset(max(a.left, 0))
}

// last has it go off so much later than now, whether the guest executes or not.
func (a *alarm) last(d time.Duration) {
	a.mu.Lock()
	a.held, a.over = false, true
	a.mu.Unlock()
	a.set(d)
}
