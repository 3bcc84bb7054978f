package runner

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/explain/account"
	"netab/runner/explain/events"
	"netab/runner/explain/sample"
	"netab/runner/probe"
	"netab/runner/traffic"
)

// instruments are what a session of an explain trial is measured with. Its life: load
// before the schedule has instants, begin, end, record, close.
type instruments struct {
	stretches []stretch
	splits    bool     // tasks' time into user space and kernel
	setups    []*setup // all of the plan's: the slots are theirs
	refused   error    // why the kernel takes none

	turns    []turn
	account  *account.Account
	edges    []account.Edge // of all stretches that are on, from the schedule's start
	of       map[int][2]int // edges of a stretch, by its number
	switched []switching
	done     sync.WaitGroup
	failed   error

	split  bool           // it did
	times  *account.Times // nil = the accounting was off all the time
	absent []string

	sampling  *sampling            // nil = nothing is sampled
	observing *observing           // nil = no events are watched
	threads   map[int]account.Slot // of the session, by their numbers
	start     int64
}

// Explains says, instrument by instrument, whether this machine can be explained, or
// what it lacks.
func Explains() []string {
	lines := []string{"accounting: works", "sampling: works, by a timer: no counter of cycles is there, so work with interrupts off is seen late"}
	if a, err := account.New(account.Size{Slices: 1, Edges: 2, Arms: 1}); err != nil {
		lines[0] = err.Error()
	} else {
		_ = a.Close()
	}
	r, err := sample.Open(0, sampleHz, 1)
	if err == nil {
		if r.Cycles {
			lines[1] = "sampling: works, by a counter of cycles"
		}
		_ = r.Close()
		_, err = sample.ReadSymbols(results.Root(""))
	}
	if err != nil {
		lines[1] = err.Error()
	}
	withheld, err := events.Try(events.ReadKernel())
	if err != nil {
		return append(lines, err.Error())
	}
	lines = append(lines, "events: works: drops, scheduling, interrupts sent, locks")
	if len(withheld) > 0 {
		lines[2] = "events: works in part"
		for _, part := range slices.Sorted(maps.Keys(withheld)) {
			lines = append(lines, part+": "+withheld[part])
		}
	}
	return lines
}

// A switching is how the accounting was switched on for a stretch, and off.
type switching struct {
	stretch     int
	attached    int64 // when all of it was on
	ends, ended int64 // when switching off began, and when it was done
	took        int64
}

// settled is how long after switching, or before, each CPU that does not sleep has had
// a tick, by which its account is complete: HZ is 100 at least.
const settled = 12e6 // ns

// load loads the programs and says whose threads are whose.
func (in *instruments) load(setups []*live, turns []turn) error {
	in.turns = turns
	if in.observing != nil {
		threads, _, err := in.owners(setups)
		if err != nil {
			return err
		}
		if in.refused = in.observing.load(setups, in.setups, turns, threads); in.refused != nil {
			in.observing.close()
		}
		return in.refused
	}
	in.lay()
	if len(in.edges) == 0 { // a trial without the accounting
		return nil
	}
	n := 0
	for _, t := range turns {
		n = max(n, t.slice+1)
	}
	a, err := account.New(account.Size{Slices: n, Edges: len(in.edges), Arms: len(in.setups), Split: in.splits})
	if err != nil {
		in.refused = err
		return err
	}
	in.account = a
	threads, processes, err := in.owners(setups)
	if err != nil {
		return err
	}
	in.threads = threads
	if in.sampling != nil {
		if err := in.sampling.open(turns[len(turns)-1].end); err != nil {
			in.refused = err
			return err
		}
	}
	return a.Assign(threads, processes)
}

// lay lays out the edges of the stretches.
func (in *instruments) lay() {
	in.of = map[int][2]int{}
	for i, s := range in.stretches {
		if !s.on {
			continue
		}
		from := len(in.edges)
		for _, t := range in.turns {
			if t.slice >= 0 && t.block >= s.from && t.block < s.to && (i == 0 || t.block > s.from) {
				in.edges = append(in.edges, account.Edge{At: t.count, Slice: t.slice}, account.Edge{At: t.end, Slice: account.None})
			}
		}
		if len(in.edges) > from {
			in.of[i] = [2]int{from, len(in.edges)}
		}
	}
}

// owners are the slots of threads and processes. Where arms share a live flow they
// share its threads: the slot is the setup's, and the slice says which arm it was.
func (in *instruments) owners(setups []*live) (threads, processes map[int]account.Slot, err error) {
	threads, processes = map[int]account.Slot{}, map[int]account.Slot{os.Getpid(): account.Netab}
	for _, l := range setups {
		number := slices.Index(in.setups, l.setup)
		for _, a := range l.built.Agents() {
			processes[a.PID()] = account.Netab
			own, err := a.Threads()
			if err != nil {
				return nil, nil, err
			}
			for _, t := range own {
				if t.Group != 0 {
					threads[t.ID] = account.Beside
				} else {
					threads[t.ID] = account.Role(number, t.Sink)
				}
			}
		}
	}
	all, err := probe.ReadProcesses(results.Root(""))
	if err != nil {
		return nil, nil, err
	}
	for pid, p := range all {
		if strings.HasPrefix(p.Name, "ksoftirqd/") {
			threads[pid] = account.Softirqd
		}
	}
	return threads, processes, nil
}

// begin lets the accounting be switched by the schedule that begins at start.
func (in *instruments) begin(start int64) {
	if in.observing != nil {
		in.failed = in.observing.begin(start, in.begins, in.turns, in.numberOf)
		return
	}
	if in.account == nil {
		return
	}
	in.start = start
	for i := range in.edges {
		in.edges[i].At += start
	}
	if in.failed = in.account.Schedule(in.edges); in.failed != nil {
		return
	}
	in.done.Go(func() { in.failed = in.follow(start) })
}

// follow switches it. The first stretch begins before the schedule does.
func (in *instruments) follow(start int64) error {
	for i, s := range in.stretches {
		edges, on := in.of[i]
		if !on {
			continue
		}
		if i > 0 {
			sleepUntil(start + in.begins(s.from))
		}
		w := switching{stretch: i}
		began := traffic.Now()
		if in.sampling != nil {
			if err := in.sampling.begin(); err != nil {
				return err
			}
		}
		if err := in.account.Attach(edges[0], edges[1]); err != nil {
			return err
		}
		w.attached = traffic.Now() - start
		w.took = w.attached + start - began
		sleepUntil(in.edges[edges[1]-1].At + settled)
		w.ends = traffic.Now() - start
		if err := in.account.Detach(); err != nil {
			return err
		}
		if in.sampling != nil {
			if err := in.sampling.pause(); err != nil {
				return err
			}
		}
		w.ended = traffic.Now() - start
		in.switched = append(in.switched, w)
	}
	return nil
}

// numberOf is of the setup that an arm is served by.
func (in *instruments) numberOf(arm int) int {
	return slices.IndexFunc(in.setups, func(s *setup) bool { return slices.Contains(s.arms, arm) })
}

// begins is when a block begins.
func (in *instruments) begins(block int) int64 {
	at := int64(0)
	for i := len(in.turns) - 1; i >= 0; i-- {
		if in.turns[i].block == block {
			at = in.turns[i].start
		}
	}
	return at
}

// end waits until the accounting is off, and reads it.
func (in *instruments) end() error {
	in.done.Wait()
	if in.observing != nil {
		return errors.Join(in.failed, in.observing.end())
	}
	if in.sampling != nil {
		in.failed = errors.Join(in.failed, in.sampling.end())
	}
	if in.failed != nil || in.account == nil {
		return in.failed
	}
	in.absent, in.split = in.account.Absent(), in.account.Splits()
	in.times, in.failed = in.account.Times()
	return in.failed
}

func (in *instruments) close() {
	in.done.Wait()
	if in.observing != nil {
		in.observing.close()
	}
	if in.sampling != nil {
		in.sampling.close()
	}
	if in.account != nil {
		_ = in.account.Close() // the kernel takes it all the same
		in.account = nil
	}
}

// An accounting is how it was in a slice.
type accounting int

const (
	off accounting = iota
	between
	on
)

// was says how the accounting was in a turn.
func (in *instruments) was(t turn) accounting {
	i := slices.IndexFunc(in.stretches, func(s stretch) bool { return t.block >= s.from && t.block < s.to })
	if i < 0 {
		return between
	}
	s := in.stretches[i]
	if i > 0 && t.block == s.from {
		return between
	}
	for _, w := range in.switched {
		switch {
		case w.stretch == i && t.count > w.attached && t.end < w.ends:
			return on
		case w.stretch != i && !s.on && t.start < w.ended && t.end > w.attached-w.took:
			return between
		}
	}
	if s.on {
		return between // it came too late
	}
	return off
}

// record adds the slices of the session to an explain trial.
func (in *instruments) record(x *results.Explain, t *results.Trial, turns []turn) error {
	recorded, err := slicesOf(t, turns)
	if err != nil {
		return err
	}
	times := in.times
	x.Absent = in.absent
	if times != nil && in.splits && !in.split {
		x.Withheld = map[string]string{"user": "this kernel has no tracepoints of system calls"}
	}
	for _, w := range in.switched {
		x.AttachNS = max(x.AttachNS, w.took)
	}
	cpus := map[[2]int]*results.ExplainCPU{}
	for _, turn := range turns {
		if turn.slice < 0 {
			continue
		}
		s := recorded[turn.slice]
		e := results.ExplainSlice{Block: turn.block, Arm: turn.arm, StartNS: x.RunNS + turn.start, CountedNS: s.CountedNS, Counts: s.Counts, Invalid: s.Invalid, Canaries: s.Canaries}
		switch was := in.was(turn); {
		case in.observing != nil:
			e.Watched, e.Between = in.observing.was(turn)
			e.SourceCounted, e.SinkCounted = in.observing.counted(turn.slice)
		case was == between:
			e.Between = true
		case was == on:
			setup := in.numberOf(turn.arm)
			e.Source, e.Sink = in.roleTime(turn.slice, account.Role(setup, false)), in.roleTime(turn.slice, account.Role(setup, true))
			in.addCPUs(cpus, times, turn, setup)
		}
		x.Slices = append(x.Slices, e)
	}
	// A CPU that was idle all the time, which may not even be there, is left out.
	for _, arm := range countedArms(turns) {
		if times == nil {
			break
		}
		for cpu := range times.CPUs() {
			if c := cpus[[2]int{arm, cpu}]; c != nil && c.NS[vocab.IdleTime]["task"] < c.CountedNS {
				x.CPUs = append(x.CPUs, *c)
			}
		}
	}
	x.RunNS += t.RunNS
	if in.observing != nil {
		in.observing.record(x, t, countedArms(turns))
	}
	if in.sampling != nil {
		in.addSamples(x, turns)
	}
	return nil
}

func countedArms(turns []turn) (out []int) {
	for _, t := range turns {
		if t.slice >= 0 && !slices.Contains(out, t.arm) {
			out = append(out, t.arm)
		}
	}
	slices.Sort(out)
	return out
}

// roleTime is what a slot had of all CPUs.
func (in *instruments) roleTime(slice int, slot account.Slot) *results.RoleTime {
	var c account.Cell
	for cpu := range in.times.CPUs() {
		c = c.Plus(in.times.At(cpu, slice, slot))
	}
	t := &results.RoleTime{NS: map[string]int64{}, Events: map[string]int64{}, Switches: c.Switches}
	if in.split {
		user := c.NS[account.User]
		t.UserNS = &user
		c.NS[account.Task], c.NS[account.User] = c.NS[account.Task]+user, 0
	}
	for x := range c.NS {
		if c.NS[x] > 0 {
			t.NS[account.ContextName(x)] = c.NS[x]
		}
		if c.Events[x] > 0 {
			t.Events[account.ContextName(x)] = c.Events[x]
		}
	}
	return t
}

// addCPUs adds a slice to the CPUs of its arm.
func (in *instruments) addCPUs(cpus map[[2]int]*results.ExplainCPU, times *account.Times, t turn, setup int) {
	for cpu := range times.CPUs() {
		at := [2]int{t.arm, cpu}
		c := cpus[at]
		if c == nil {
			c = &results.ExplainCPU{CPU: cpu, Arm: t.arm, NS: map[vocab.Owner]map[string]int64{}}
			cpus[at] = c
		}
		c.CountedNS += t.end - t.count
		for slot := range account.Slots(len(in.setups)) {
			owner := ownerOf(account.Slot(slot), setup)
			for x, ns := range times.At(cpu, t.slice, account.Slot(slot)).NS {
				if ns == 0 {
					continue
				}
				if c.NS[owner] == nil {
					c.NS[owner] = map[string]int64{}
				}
				if x == account.User {
					x = account.Task // CPUs are not split
				}
				c.NS[owner][account.ContextName(x)] += ns
			}
		}
	}
}

// ownerOf names a slot in a slice of a setup. Threads of another setup that still run
// are others' for this one.
func ownerOf(slot account.Slot, setup int) vocab.Owner {
	switch slot {
	case account.Idle:
		return vocab.IdleTime
	case account.Softirqd:
		return vocab.KsoftirqdTime
	case account.Netab:
		return vocab.MeasuringTime
	case account.Beside:
		return vocab.BesideTime
	case account.Role(setup, false):
		return vocab.SourceTime
	case account.Role(setup, true):
		return vocab.SinkTime
	}
	return vocab.OthersTime
}
