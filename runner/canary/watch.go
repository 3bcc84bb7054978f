package canary

import (
	"context"
	"time"

	"netab/results/crew"
	"netab/runner/detached"
)

// An Instant is when to measure, of CLOCK_MONOTONIC, and until when.
type Instant struct{ At, Until int64 }

// A Reading is what one Instant told.
type Reading struct {
	// Distance is the round trip of a cache line in ns; 0 = no answer in time.
	Distance float64
	// Step is what a step of a dependent chain took on each CPU; 0 = it came to run
	// too late.
	Step [2]float64
	// Took is how much CPU time each side had, in ns.
	Took [2]int64
}

// A Watch is a thread on each of two CPUs, or one where they are the same, that
// sleep but for some instants.
type Watch struct {
	x     *exchange
	sides []*side
	ended *crew.Crew
}

// A side is one thread of a Watch. What it writes lies apart from what the other
// does.
type side struct {
	_        [128]byte
	x        *exchange
	index    int
	alone    bool
	instants []Instant
	told     []told
	number   uint64
	begin    chan []Instant
	_        [128]byte
}

type told struct{ best, step, took int64 }

// NewWatch starts the threads, which then wait for Begin.
func NewWatch(cpus [2]int) (*Watch, error) {
	w := &Watch{x: &exchange{}}
	alone := cpus[0] == cpus[1]
	for i := range cpus {
		if i == 0 || !alone {
			w.sides = append(w.sides, &side{x: w.x, index: i, alone: alone, begin: make(chan []Instant, 1)})
		}
	}
	var err error
	w.ended, err = onThreads(cpus[:len(w.sides)], func(i int) { w.sides[i].run() })
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Begin hands out the instants, in order; to be called once.
func (w *Watch) Begin(instants []Instant) {
	for _, s := range w.sides {
		s.begin <- instants
		close(s.begin)
	}
}

// End ends the threads, if need be before their last instant, and returns a reading
// for each that was due.
func (w *Watch) End() []Reading {
	w.x.stop.Store(1)
	wakeAll(&w.x.stop.Uint32)
	for _, s := range w.sides {
		select {
		case <-s.begin: // closed by Begin
		default:
			close(s.begin)
		}
	}
	_ = w.ended.Wait() // none has an error
	var out []Reading
	for i, s := range w.sides {
		for j, t := range s.told {
			if j == len(out) {
				out = append(out, Reading{})
			}
			r := &out[j]
			r.Step[i], r.Took[i] = float64(t.step)/chunk, t.took
			if i == 0 {
				r.Distance = float64(t.best) / trips
			}
			if s.alone {
				r.Step[1] = r.Step[0]
			}
		}
	}
	return out
}

// run waits for its instants and works them off.
func (s *side) run() {
	instants, ok := <-s.begin
	if !ok {
		return
	}
	s.instants, s.told = instants, make([]told, len(instants))
	detached.Enter()
	n := s.work()
	detached.Leave()
	s.told = s.told[:n]
}

// work returns how many instants were due.
//
//go:nosplit
func (s *side) work() int {
	for i := range s.instants {
		at, until := s.instants[i].At, s.instants[i].Until
		if !s.sleep(at) {
			return i
		}
		if detached.Now() >= until {
			continue
		}
		began := detached.CPUTime()
		t := &s.told[i]
		t.step = bestChunk(chunks, &s.number)
		if turn := int64(i) + 1; !s.alone && s.x.meet(s.index, turn, until) {
			until = min(until, detached.Now()+maxTrips)
			if s.index == 0 {
				t.best = s.x.lead(turn, until)
			} else {
				s.x.follow(turn, until)
			}
		}
		t.took = detached.CPUTime() - began
	}
	return len(s.instants)
}

// Sample watches two CPUs for a while, or until ctx ends. It returns a reading for
// each time that was due.
func Sample(ctx context.Context, cpus [2]int, every, d time.Duration) ([]Reading, error) {
	w, err := NewWatch(cpus)
	if err != nil {
		return nil, err
	}
	var all []Instant
	start := detached.Now() + int64(time.Millisecond)
	for at := time.Duration(0); at < d; at += every {
		all = append(all, Instant{start + int64(at), start + int64(at+every/2)})
	}
	w.Begin(all)
	over := time.NewTimer(d + time.Millisecond)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
	return w.End(), nil
}
