package canary

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"netab/runner/detached"
)

// An Edge is what takes longer than a settle part, of one CPU. 0 = not measured.
type Edge struct {
	CPU int
	// Step is a step of the chain in ns with the other CPU asleep, Beside with it at
	// work.
	Step, Beside float64
	// Cache and Memory are bytes copied in a second within the second-level cache and
	// beyond the last, as far as Memory has room.
	Cache, Memory float64
	// Wake is for how many ns a thread that was woken on this CPU, idle until then, was
	// not yet running.
	Wake float64
}

const (
	edgeChunks = 10        // of a chain: 50 us
	besideFor  = 100_000   // ns
	within     = 64 << 10  // is copied within the second-level cache: twice that, more than fits into the first
	copies     = 16        // of that; the best counts
	stretch    = 2 << 20   // is copied beyond the last cache
	stretches  = 2         // the best counts
	maxMemory  = 64 << 20  // is written once, and kept, for that
	wakes      = 5         // their median counts
	idleFor    = 150_000   // ns before each
	patience   = 5_000_000 // ns for one to come
)

// A Memory is room for copies beyond the last cache. They go through it in a circle,
// so that what is copied was last used a circle before.
type Memory struct {
	all []byte
	at  int
}

// MemorySize is twice what the last cache holds, but no more than 64 MiB: where that
// cache is larger, copies may be within it.
func MemorySize(lastCache int64) int {
	return int(min(max(2*lastCache, 4*stretch), maxMemory)) / (2 * stretch) * (2 * stretch)
}

// NewMemory takes so many bytes, as MemorySize says.
func NewMemory(size int) (*Memory, error) {
	all, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("%d MiB to copy: %w", size>>20, err)
	}
	return &Memory{all: all}, nil
}

// Close gives it back.
func (m *Memory) Close() { _ = unix.Munmap(m.all) }

// next is a stretch that was not used for long, and where to copy it.
//
//go:nosplit
func (m *Memory) next() (to, from []byte) {
	part := m.all[m.at:][:2*stretch]
	m.at = (m.at + 2*stretch) % len(m.all)
	return part[:stretch], part[stretch:]
}

// Edges measures both CPUs, or the one if they are the same, in about 5 ms each.
func Edges(cpus [2]int, m *Memory) ([]Edge, error) {
	p := &pair{}
	sides := []*edgeSide{{pair: p, index: 0, memory: m}, {pair: p, index: 1, memory: m}}
	if p.alone = cpus[0] == cpus[1]; p.alone {
		sides = sides[:1]
	}
	for _, s := range sides {
		s.buf = make([]byte, 2*within)
		copy(s.buf[:within], s.buf[within:]) // its pages are there
	}
	ended, err := onThreads(cpus[:len(sides)], func(i int) {
		detached.Enter()
		sides[i].work()
		detached.Leave()
	})
	if err != nil {
		return nil, err
	}
	_ = ended.Wait() // none has an error
	out := make([]Edge, len(sides))
	for i, s := range sides {
		out[i] = Edge{CPU: cpus[i], Step: s.step / chunk, Beside: s.beside / chunk, Cache: s.cache, Memory: s.copied}
	}
	if !p.alone {
		out[0].Wake, out[1].Wake = sides[1].median(), sides[0].median()
	}
	return out, nil
}

// A pair is what the threads of both CPUs have in common.
type pair struct {
	exchange         // its turns are parts
	baton    bell    // the part that is being done: by whom, stands in work
	ran      [2]line // when each was woken last
	alone    bool
}

// An edgeSide is one thread of a pair, and what it found.
type edgeSide struct {
	*pair
	index                       int
	memory                      *Memory
	buf                         []byte
	step, beside, cache, copied float64
	took                        [wakes]int64
	number                      uint64
}

// The parts of an Edge. One side does its own, and the other sleeps; then both do
// the next; then one wakes the other, and the other way round.
const (
	partAlone  = 0 // and 1: index
	partBeside = 2
	partWake   = 3 // and 4
)

// work is all that one thread does. Each part has a bound, beyond which the other is
// not waited for.
//
//go:nosplit
func (s *edgeSide) work() {
	until := detached.Now() + patience
	if s.index == 1 {
		s.sleepUntil(partAlone+1, until)
	}
	s.byItself()
	if s.alone {
		return
	}
	s.pass(uint32(partAlone + 1 + s.index))
	if s.index == 0 {
		s.sleepUntil(partBeside, detached.Now()+patience)
	}
	until = detached.Now() + patience
	if s.meet(s.index, partBeside, until) {
		for end := detached.Now() + besideFor; detached.Now() < end; {
			if took := float64(bestChunk(1, &s.number)); s.beside == 0 || took < s.beside {
				s.beside = took
			}
		}
	}
	for woken := range 2 {
		part := int64(partWake + woken)
		if until := detached.Now() + patience; !s.meet(s.index, part, until) {
			return
		}
		if s.index == woken {
			s.beWoken(part)
		} else {
			s.wake(part)
		}
	}
}

// byItself measures what one CPU does while the other sleeps.
//
//go:nosplit
func (s *edgeSide) byItself() {
	s.step = float64(bestChunk(edgeChunks, &s.number))
	for range copies {
		s.cache = max(s.cache, rate(s.buf[:within], s.buf[within:]))
	}
	if s.memory == nil {
		return
	}
	for range stretches {
		to, from := s.memory.next()
		s.copied = max(s.copied, rate(to, from))
	}
}

// rate copies and returns bytes per second.
//
//go:nosplit
func rate(to, from []byte) float64 {
	began := detached.Now()
	n := copy(to, from)
	return float64(n) * 1e9 / float64(max(detached.Now()-began, 1))
}

// pass hands the baton on.
//
//go:nosplit
func (p *pair) pass(part uint32) {
	p.baton.Store(part)
	wakeAll(&p.baton.Uint32)
}

// sleepUntil sleeps until the baton is at a part or beyond, or there is no time left.
//
//go:nosplit
func (p *pair) sleepUntil(part uint32, until int64) {
	for now := p.baton.Load(); now < part && detached.Now() < until; now = p.baton.Load() {
		waitUntil(&p.baton.Uint32, now, until)
	}
}

// beWoken sleeps and notes when it runs again, some times. The baton counts on from
// the part, a hundred a part.
//
//go:nosplit
func (s *edgeSide) beWoken(part int64) {
	for turn := range int64(wakes) {
		n := part*100 + turn
		s.there[s.index].Store(n)
		s.sleepUntil(uint32(n), detached.Now()+patience)
		s.ran[s.index].Store(detached.Now())
	}
	s.there[s.index].Store(part*100 + wakes)
}

// wake wakes the other side when it has slept for a while.
//
//go:nosplit
func (s *edgeSide) wake(part int64) {
	other := 1 - s.index
	for turn := range int64(wakes) {
		n := part*100 + turn
		until := detached.Now() + patience
		if !s.there[other].await(n, until) {
			return
		}
		detached.SleepUntil(detached.Now() + idleFor)
		began := detached.Now()
		s.baton.Store(uint32(n))
		if wakeAll(&s.baton.Uint32) == 0 {
			continue // it was not yet asleep
		}
		if s.there[other].await(n+1, until) {
			s.took[turn] = s.ran[other].Load() - began
		}
	}
}

// median of how long it took the other side's CPU to wake up.
func (s *edgeSide) median() float64 {
	took := slices.DeleteFunc(s.took[:], func(ns int64) bool { return ns <= 0 })
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return float64(took[len(took)/2])
}
