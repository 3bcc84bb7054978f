package account

import "sort"

// A Cell is what one slot did on one CPU in one slice.
type Cell struct {
	NS     [Contexts]int64
	Events [Contexts]int64 // that ended in a context: each ran a program of ours
	// Switches away from the slot's threads.
	Switches int64
}

// Plus is the sum.
func (c Cell) Plus(d Cell) Cell {
	for i := range c.NS {
		c.NS[i] += d.NS[i]
		c.Events[i] += d.Events[i]
	}
	c.Switches += d.Switches
	return c
}

// Times are all cells.
type Times struct {
	cpus, slices, slots int
	cells               []programsCell // by CPU, then slice, then slot, as in the kernel
}

func newTimes(cpus int, size Size) *Times {
	t := &Times{cpus: cpus, slices: size.Slices, slots: Slots(size.Arms)}
	t.cells = make([]programsCell, t.cpus*t.slices*t.slots)
	return t
}

func (t *Times) at(cpu, slice, slot int) *programsCell {
	return &t.cells[(cpu*t.slices+slice)*t.slots+slot]
}

// At is what a slot did on a CPU in a slice.
func (t *Times) At(cpu, slice int, slot Slot) Cell {
	var c Cell
	from := t.at(cpu, slice, int(slot))
	for i := range c.NS {
		c.NS[i], c.Events[i] = int64(from.Ns[i]), int64(from.Events[i])
	}
	c.Switches = int64(from.Switches)
	return c
}

// CPUs is how many CPUs there may be; of those that are not online all is Idle's.
func (t *Times) CPUs() int { return t.cpus }

// Wall is what all slots together had of a CPU in a slice: its length.
func (t *Times) Wall(cpu, slice int) (ns int64) {
	for slot := range t.slots {
		for _, n := range t.at(cpu, slice, slot).Ns {
			ns += int64(n)
		}
	}
	return ns
}

// cut adds a span of time to the slices that it lies in.
func (t *Times) cut(cpu int, s programsSpan, edges []Edge) {
	// The last edge at or before its beginning.
	i := sort.Search(len(edges), func(i int) bool { return uint64(edges[i].At) > s.From }) - 1
	for ; i < len(edges); i++ {
		from, to := s.From, s.To
		slice := None
		if i >= 0 {
			from, slice = max(from, uint64(edges[i].At)), edges[i].Slice
		}
		if from >= s.To {
			return
		}
		if i+1 < len(edges) {
			to = min(to, uint64(edges[i+1].At))
		}
		if slice != None && to > from && int(s.Slot) < t.slots && s.Context < Contexts {
			t.at(cpu, slice, int(s.Slot)).Ns[s.Context] += to - from
		}
	}
}

func (t *Times) add(more *Times) {
	for i := range t.cells {
		to, from := &t.cells[i], &more.cells[i]
		for x := range to.Ns {
			to.Ns[x] += from.Ns[x]
			to.Events[x] += from.Events[x]
		}
		to.Switches += from.Switches
	}
}
