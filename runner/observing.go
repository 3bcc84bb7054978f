package runner

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/explain/account"
	"netab/runner/explain/events"
	"netab/runner/explain/sample"
	"netab/runner/traffic"
)

// An observer is what trials of events share.
type observer struct {
	kernel    *events.Kernel
	functions *sample.Symbols
	variables *sample.Symbols
}

// read reads what the kernel says of itself, once.
func (w *observer) read(known *sample.Symbols) (err error) {
	if w.functions = known; w.functions == nil {
		if w.functions, err = sample.ReadSymbols(results.Root("")); err != nil {
			return err
		}
	}
	if w.kernel == nil {
		w.kernel = events.ReadKernel()
	}
	if w.variables == nil {
		w.variables, err = sample.ReadVariables(results.Root(""))
	}
	return err
}

// An observing is a session of a trial of events. Drops are watched all the time, as the
// ledger is of all of it. The rest costs something at each event, so that it is on in a
// part of the blocks.
type observing struct {
	*observer
	from, to int // the blocks that are watched
	last     bool
	watch    *events.Watch
	tallies  *tallying // nil = the machine has no counters
	spaces   map[int][2]uint32
	done     sync.WaitGroup
	failed   error
	told     events.Told

	begun, attached, ends, ended int64 // of the schedule

	counts    map[int][2]*results.HardwareCounts // by slice
	untallied string                             // why there are none
}

// parts are those that cost something at each event.
var parts = []string{events.Scheduling, events.Interrupts, events.Locks}

// newObserving draws which half of the blocks is watched.
func newObserving(rng *rand.Rand, w *observer, blocks int) *observing {
	half := (blocks + 1) / 2
	if rng.IntN(2) == 0 {
		return &observing{observer: w, from: 0, to: half}
	}
	return &observing{observer: w, from: blocks - half, to: blocks, last: true}
}

// load loads the programs, and begins to watch drops.
func (w *observing) load(setups []*live, all []*setup, turns []turn, threads map[int]account.Slot) error {
	arms := 0
	s := events.Schedule{WarmNS: int64(warmup)}
	for _, t := range turns {
		number := slices.IndexFunc(all, func(s *setup) bool { return slices.Contains(s.arms, t.arm) })
		s.Turns = append(s.Turns, events.Turn{Arm: t.arm, Setup: number})
		if t.slice < 0 {
			s.Warms++
		} else {
			s.SliceNS, s.SettleNS = t.end-t.start, t.count-t.start
		}
		arms = max(arms, t.arm+1)
	}
	roles := map[int]events.Role{}
	for number := range all {
		for id, slot := range threads {
			if slot == account.Role(number, false) || slot == account.Role(number, true) {
				roles[id] = events.Role{Setup: number, Sink: slot == account.Role(number, true)}
			}
		}
	}
	var err error
	if w.watch, err = events.New(s, arms, w.kernel); err != nil {
		return err
	}
	if err := w.watch.Assign(roles); err != nil {
		return err
	}
	if w.spaces, err = spacesOf(setups); err != nil {
		return err
	}
	if w.tallies, err = newTallying(len(all), threads); err != nil {
		w.untallied, err = err.Error(), nil // the rest goes on
	}
	return err
}

// spacesOf are the network namespaces of the arms' sides, by their numbers.
func spacesOf(setups []*live) (map[int][2]uint32, error) {
	out := map[int][2]uint32{}
	for _, l := range setups {
		var of [2]uint32
		for side, pid := range []int{l.built.Source.Agent.PID(), l.built.Sink.Agent.PID()} {
			name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
			if err != nil {
				return nil, fmt.Errorf("watching events: %w", err)
			}
			number, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(name, "net:["), "]"), 10, 32)
			if err != nil {
				return nil, fmt.Errorf("watching events: network namespace %s: %w", name, err)
			}
			of[side] = uint32(number)
		}
		for _, arm := range l.arms {
			out[arm] = of
		}
	}
	return out, nil
}

// begin lets the schedule that begins at start switch the rest on and off.
func (w *observing) begin(start int64, begins func(block int) int64, turns []turn, number func(arm int) int) error {
	if err := w.watch.Begin(start); err != nil {
		return err
	}
	if err := w.watch.Attach(events.Drops); err != nil {
		return err
	}
	if w.tallies != nil {
		w.tallies.begin(start, turns, number)
	}
	w.done.Go(func() { w.failed = w.follow(start, begins, turns[len(turns)-1].end) })
	return nil
}

func (w *observing) follow(start int64, begins func(block int) int64, end int64) error {
	if w.from > 0 {
		sleepUntil(start + begins(w.from))
	}
	w.begun = traffic.Now() - start
	if err := w.watch.Attach(parts...); err != nil {
		return err
	}
	w.attached = traffic.Now() - start
	if !w.last {
		end = begins(w.to)
	}
	sleepUntil(start + end)
	w.ends = traffic.Now() - start
	err := w.watch.Detach(parts...)
	w.ended = traffic.Now() - start
	return err
}

// end waits until all is off, and reads it.
func (w *observing) end() error {
	w.done.Wait()
	if w.watch == nil {
		return nil
	}
	err := errors.Join(w.failed, w.watch.Detach())
	if w.tallies != nil {
		err = errors.Join(err, w.tallies.end())
		w.counts = w.tallies.counts
	}
	if err != nil {
		return err
	}
	w.told, err = w.watch.Told(events.Names{Functions: w.functions, Variables: w.variables, Namespaces: w.spaces})
	return err
}

func (w *observing) close() {
	w.done.Wait()
	if w.tallies != nil {
		w.tallies.close()
		w.tallies = nil
	}
	if w.watch != nil {
		_ = w.watch.Close() // the kernel takes it all the same
		w.watch = nil
	}
}

// was says whether a turn was watched, or in the midst of switching.
func (w *observing) was(t turn) (watched, between bool) {
	switch {
	case t.count >= w.attached && t.end <= w.ends:
		return true, false
	case t.end <= w.begun, t.start >= w.ended:
		return false, false
	}
	return false, true
}

// counted is what the CPUs' counters told of a slice.
func (w *observing) counted(slice int) (source, sink *results.HardwareCounts) {
	if w.counts == nil {
		return nil, nil
	}
	return w.counts[slice][0], w.counts[slice][1]
}

// record adds what was told to an explain trial.
func (w *observing) record(x *results.Explain, t *results.Trial, arms []int) {
	x.Drops = append(x.Drops, w.told.Drops...)
	x.Scheduling = append(x.Scheduling, w.told.Scheduling...)
	x.Interrupts = append(x.Interrupts, w.told.Interrupts...)
	x.Locks = append(x.Locks, w.told.Locks...)
	x.Overflow += w.told.Overflow
	if x.Withheld = maps.Clone(w.told.Withheld); w.untallied != "" {
		if x.Withheld == nil {
			x.Withheld = map[string]string{}
		}
		x.Withheld["counters"] = w.untallied
	}
	for _, arm := range arms {
		a := &t.Arms[arm]
		if !a.Ledger.Valid || a.Shared {
			continue // of arms that share a flow there is one, of all
		}
		if x.Ledgers == nil {
			x.Ledgers = map[int]results.Ledger{}
		}
		x.Ledgers[arm] = a.Ledger
	}
}

// kindOf says which instrument an explain trial is measured with.
func (r *run) kindOf(index int, busiest *busiest) vocab.Instrument {
	switch index % 8 {
	case 5:
		if r.unwatched == "" {
			return vocab.Events
		}
		fallthrough
	case 1, 3, 7:
		if busiest != nil && r.unsampled == "" {
			return vocab.Sampling
		}
	}
	return vocab.Accounting
}
